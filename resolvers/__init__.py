"""The use cases: one plain function each, its first argument the scope.  No transport in here.

Writing is plain and synchronous (`scope.write`), reading is asynchronous (`find.py`).  Whatever a door may do, it
does by calling one of these.
"""

from . import contacts, customers, dealings, dictionaries, numbers, organisation, people, seats

RULE_FILES = (contacts, customers, dealings, dictionaries, numbers, organisation, people, seats)
"""The files whose import registers the rules of an entity; naming them here is what makes them count."""
