"""The form of the search builder: rows and groups as inputs whose names say where they stand, and back.

`g` is the outermost group, `g-1` its second part: `g-1-f` the field, `g-1-o` the operator, `g-1-v` its values.  The part
of a row about related records that holds their conditions is `g-1-g`.
"""

import re
from collections.abc import Iterator
from typing import Any

from starlette.datastructures import ImmutableMultiDict

from .condition_rows import ALL, ANY, NO, Group, Row

MOST_PARTS, MOST_LEVELS, LONGEST_VALUE, MOST_VALUES = 60, 8, 200, 50
ROOT = "g"
_PLACE = re.compile(r"g(-(\d+|g))*")
Given = ImmutableMultiDict[str, Any]


def group_in(given: Given, at: str = ROOT, level: int = 0) -> Group:
    """The group that a form holds at a place."""
    how = str(given.get(f"{at}-how", ALL))
    group = Group(how if how in (ALL, ANY, NO) else ALL)
    for n in range(MOST_PARTS if level < MOST_LEVELS else 0):
        place = f"{at}-{n}"
        if f"{place}-how" in given:
            group.parts.append(group_in(given, place, level + 1))
        elif f"{place}-f" in given:
            group.parts.append(_row(given, place, level))
        else:
            break
    return group


def _row(given: Given, at: str, level: int) -> Row:
    texts = {key: str(given.get(f"{at}-{key}", ""))[:LONGEST_VALUE] for key in ("f", "o", "n", "u", "a", "b")}
    unit = texts["u"] if texts["u"] in ("days", "weeks", "months") else "days"
    values = [str(x)[:LONGEST_VALUE] for x in given.getlist(f"{at}-v") if x][:MOST_VALUES]
    row = Row(texts["f"], texts["o"], values, texts["n"], unit, texts["a"], texts["b"])
    if f"{at}-g-how" in given:
        row.group = group_in(given, f"{at}-g", level + 1)
    elif texts["f"] != str(given.get(f"{at}-was", texts["f"])):
        row.operator, row.values = "", []  # another field was chosen, whose values are of another kind
    return row


def changed(group: Group, action: str) -> str:
    """Do what the button asks for: `add:g`, `group:g-1`, `drop:g-1-0`.  The place that the focus goes to."""
    what, _, place = action.partition(":")
    if not _PLACE.fullmatch(place):
        return ""
    found = dict(places(group))
    above, _, last = place.rpartition("-")
    if what == "drop" and isinstance(parent := found.get(above), Group) and last.isdecimal():
        del parent.parts[int(last) : int(last) + 1]
        return f"{above}-{max(0, int(last) - 1)}" if parent.parts else above
    if what in ("add", "group") and isinstance(at := found.get(place), Group) and len(at.parts) < MOST_PARTS:
        at.parts.append(Row() if what == "add" else Group(ANY, [Row()]))
        return f"{place}-{len(at.parts) - 1}"
    return place


def places(group: Group, at: str = ROOT) -> Iterator[tuple[str, Row | Group]]:
    """(place, part) of the group and of everything in it."""
    yield at, group
    for n, part in enumerate(group.parts):
        place = f"{at}-{n}"
        if isinstance(part, Group):
            yield from places(part, place)
        else:
            yield place, part
            if part.group is not None:
                yield from places(part.group, f"{place}-g")


def kept_in(given: Given) -> list[tuple[str, str]]:
    """(name, value) of the inputs of an address that are none of the builder, which it sends along."""
    own = ("do", "c", "_find", "after", "before")
    return [
        (name, str(value))
        for name, value in given.multi_items()
        if value and name not in own and not _PLACE.match(name) and not name.startswith(("_find-g", "_found-g"))
    ]
