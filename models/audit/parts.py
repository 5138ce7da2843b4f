"""How a change of parts is logged: as a field of the entity that they belong to, named after their kind.

`{"phone": [["138…", "139…"], "139…"]}`: the values in their order, one alone as such, none as null.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Enum, inspect, select
from sqlalchemy.orm import InstanceState, Session

from ..base import Entity, Part
from ..database.bypass import Because, bypass_policy
from .proof import plain


@dataclass(frozen=True, order=True)
class _Place:
    """The place of a part among those of its entity, and its value."""

    whole_id: int
    field: str
    position: int
    id: int
    value: Any


def whole_of(part: type[Part]) -> type[Entity]:
    """The entity that parts of this kind belong to."""
    whole: type[Entity] = inspect(part).relationships[part.part_of].mapper.class_
    return whole


def kinds_of_parts(whole: type[Entity]) -> Iterator[tuple[type[Part], list[str]]]:
    """The kinds of parts that an entity has, each with the fields under which the log names them."""
    for part in Part.__subclasses__():
        if whole_of(part) is whole:
            kind: Any = part.__table__.c.get("kind")
            words = kind.type.enums if kind is not None and isinstance(kind.type, Enum) else [part.__tablename__]
            yield part, [word.lower() for word in words]


def stored_parts(connection: Connection, part: type[Part], first: int, last: int) -> Iterator[tuple[int, str, Any]]:
    """(id of the whole, field, values as the log has them) for the parts of the wholes from id `first` to `last`."""
    table = part.__table__
    asked = select(table).where(table.c[f"{part.part_of}_id"].between(first, last))
    places = [_placed(part, row) for row in connection.execute(asked).mappings()]
    for (id, field), values in _lists(places).items():
        yield id, field, _short(values)


def changes_of_parts(session: Session, parts: Iterable[Part]) -> Iterator[tuple[type[Entity], int, str, list[Any]]]:
    """(entity, its id, field, [old, new]) for what a flush did to these parts.

    The values have an order, in which untouched parts take part as well.  One query for each kind of part.
    """
    touched = list(parts)
    for kind in {type(part): None for part in touched}:
        mine = [part for part in touched if type(part) is kind]
        former = {part.id: _former(part) for part in mine if part not in session.new}
        wholes = {place.whole_id for place in former.values()}
        wholes |= {getattr(part, f"{kind.part_of}_id") for part in mine}
        now = list(_stored(session, kind, wholes))
        moved = {part.id for part in mine}
        then = [place for place in now if place.id not in moved] + [*former.values()]
        yield from _compared(whole_of(kind), _lists(then), _lists(now))


def _former(part: Part) -> _Place:
    """A part as it was before the flush."""
    state: InstanceState[Part] = inspect(part)
    former = {}
    for attribute in state.mapper.column_attrs:
        history = state.attrs[attribute.key].history
        former[attribute.key] = next(iter(history.deleted or history.unchanged or ()), None)
    return _placed(type(part), former)


def _placed(kind: type[Part], row: Any) -> _Place:
    field = str(plain(row.get("kind", kind.__tablename__))).lower()
    return _Place(row[f"{kind.part_of}_id"], field, row.get("position") or 0, row["id"], plain(row["value"]))


def _stored(session: Session, kind: type[Part], wholes: set[int]) -> Iterator[_Place]:
    table = kind.__table__
    asked = select(table).where(table.c[f"{kind.part_of}_id"].in_(wholes))
    for row in session.execute(asked, execution_options=bypass_policy(Because.WRITES_LOG)).mappings():
        yield _placed(kind, row)


def _lists(places: Iterable[_Place]) -> dict[tuple[int, str], list[Any]]:
    """(id of the whole, field) -> the values in their order."""
    found: dict[tuple[int, str], list[Any]] = {}
    for place in sorted(places):
        found.setdefault((place.whole_id, place.field), []).append(place.value)
    return found


def _compared(
    whole: type[Entity], then: dict[tuple[int, str], list[Any]], now: dict[tuple[int, str], list[Any]]
) -> Iterator[tuple[type[Entity], int, str, list[Any]]]:
    for key in sorted(then.keys() | now.keys()):
        old, new = then.get(key, []), now.get(key, [])
        if old != new:
            yield whole, key[0], key[1], [_short(old), _short(new)]


def _short(values: list[Any]) -> Any:
    """None for nothing, one value as it is, several as a list."""
    return values if len(values) > 1 else next(iter(values), None)
