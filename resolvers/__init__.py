"""The use cases: one plain function each, its first argument the scope.  No transport in here.

Writing is plain and synchronous (`scope.write`), reading is asynchronous (`reading/`).  Whatever a door may do, it does
by calling one of these.  A package imports only those below it; the order stands in `pyproject.toml`.
"""

from functools import cache
from importlib import import_module
from pkgutil import walk_packages


@cache
def load() -> None:
    """Import every module of this package, so that every `Rules` class counts.  An application calls it at start.

    Raises Misdeclared for rules that name no entity, for a second set of rules, and for a hook that nothing calls.
    """
    for found in walk_packages(__path__, f"{__name__}."):
        import_module(found.name)
    import_module("resolvers.runtime.lifecycle").all_are_loaded()
