"""The screens of the panel, found at start in every module of this package.

An entity without a screen gets a derived one.
"""

import sys
from typing import Any

import resolvers
from models import ENTITIES, Entity

from ..discovery import find_screens
from ..kit.translation import Label
from ..kit.view import PolicyModelView

GROUPS = {
    "work": Label("Work"),
    "company": Label("Organisation"),
    "system": Label("System"),
    "more": Label("More"),
}
"""Group -> its heading in the menu, in order.  A screen declares its group and its position in it."""


def screens() -> list[type]:
    """Every screen in the order of the menu, then a derived one for each entity without.  Raises ScreenError."""
    resolvers.load()
    found = find_screens(sys.modules[__name__], GROUPS)
    shown = {view.model for view in found if issubclass(view, PolicyModelView) and not view.slug}
    return [*found, *(derived(model) for model in ENTITIES if model not in shown)]


def derived(model: type[Entity]) -> type[PolicyModelView]:
    """The screen of an entity about which no module declares anything."""
    meta: Any = type(PolicyModelView)
    made: type[PolicyModelView] = meta(
        f"{model.__name__}Screen", (PolicyModelView,), {"__module__": __name__}, model=model
    )
    return made
