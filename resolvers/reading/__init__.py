"""Reading under policy: clauses, pages, cursors, search."""
