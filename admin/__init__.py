"""The panel door: screens for administrators and sales people.  Its rooms come next; nothing is served yet."""
