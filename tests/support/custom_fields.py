"""Custom fields of every kind in the small world, and policies that hide them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from models import CustomField, Dictionary, DictionaryItem
from models.custom_field import CustomKind
from policies import STARTER
from resolvers.runtime.policy_store import put_in_force
from tests.support.world import START, World

VALUES: dict[CustomKind, tuple[Any, Any]] = {
    CustomKind.TEXT: ("Blue whale", "Grey seal"),
    CustomKind.LONG_TEXT: ("One\nTwo", "Three\nFour"),
    CustomKind.NUMBER: (Decimal("4.25"), Decimal(10000)),
    CustomKind.MONEY: (Decimal("19.90"), Decimal("100.00")),
    CustomKind.DATE: (date(2026, 3, 1), date(2026, 12, 24)),
    CustomKind.MOMENT: (datetime(2026, 3, 1, 9, 30, tzinfo=UTC), datetime(2026, 12, 24, 18, 0, tzinfo=UTC)),
    CustomKind.YES_NO: (True, False),
    CustomKind.SINGLE_CHOICE: ("good", "bad"),
    CustomKind.MULTIPLE_CHOICE: (["good", "bad"], ["fair"]),
    CustomKind.PHONE: ("+86 138 0013 8000", "021 6888 1234"),
    CustomKind.EMAIL: ("a@example.com", "b@example.com"),
    CustomKind.LINK: ("https://example.com/a", "http://example.com/b?c=d"),
}
"""Two values of each kind that refers to no record; those that refer to one take ids of the world."""
STORED: dict[CustomKind, Any] = {
    CustomKind.NUMBER: "4.25",
    CustomKind.MONEY: "19.90",
    CustomKind.DATE: "2026-03-01",
    CustomKind.MOMENT: "2026-03-01T09:30:00.000Z",
}
"""How the first value is stored and logged, where that is not the value itself."""


def options(world: World, code: str = "satisfaction") -> None:
    """The dictionary of the choices: good, fair, bad; below good stands great."""
    whole = world.make(Dictionary, code=code, name="Satisfaction", name_zh="满意度")
    made: dict[str, int] = {}
    for position, key in enumerate(("good", "fair", "bad", "great")):
        above = {"parent_id": made["good"]} if key == "great" else {}
        words = {"label_en": key.title(), "label_zh": f"{key}级", "position": position, **above}
        made[key] = world.make(DictionaryItem, dictionary_id=whole, key=key, **words)


def define(world: World, key: str, kind: CustomKind = CustomKind.TEXT, module: str = "customer", **more: Any) -> int:
    """The id of a new field; its labels are made of its key."""
    if kind in (CustomKind.SINGLE_CHOICE, CustomKind.MULTIPLE_CHOICE):
        more = {"dictionary": "satisfaction", **more}
    if kind is CustomKind.REFERENCE:
        more = {"target": "customer", **more}
    labels = {"label_en": key.replace("_", " ").capitalize(), "label_zh": f"{key}字段"}
    made = world.make(CustomField, for_module=module, key=key, kind=kind, **{**labels, **more})
    refresh(world)
    return made


def define_all(world: World, module: str = "customer") -> dict[str, CustomKind]:
    """A field of each kind: key -> kind."""
    options(world)
    made = {kind.value.lower(): kind for kind in CustomKind}
    for position, (key, kind) in enumerate(made.items()):
        define(world, key, kind, module, position=position)
    return made


def both(world: World, kind: CustomKind) -> tuple[Any, Any]:
    """Two values of a kind."""
    if kind is CustomKind.PERSON:
        return world.ids["li"], world.ids["wu"]
    if kind is CustomKind.REFERENCE:
        found = world.__dict__.setdefault("referred", [])
        while len(found) < 2:
            found.append(world.customer(f"Partner {len(found)}", "li"))
        return found[0], found[1]
    return VALUES[kind]


def with_lines(world: World, *lines: str) -> None:
    """Put these lines in force beside the starter policy."""
    with world.backend.writer.engine.begin() as connection:
        put_in_force(connection, STARTER + "\n".join(("", *lines, "")), "a test", START)
    refresh(world)


def refresh(world: World) -> None:
    """Take over what is in force, as the next request with a token does."""
    with world.backend.writer.engine.connect() as connection:
        world.backend.refresh_policy(connection)
