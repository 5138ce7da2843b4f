"""Replay of the operation log: what the entries of a record lead to, compared with the record as it is."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import Column, Connection, Select, inspect, select, tuple_

from models import ENTITIES, AuditEntry, Entity
from models.audit.entries import Changes, Outcome
from models.audit.parts import kinds_of_parts, stored_parts
from models.audit.proof import plain
from models.audit.recording import logged_columns
from models.base import column_of, trait_of

_PAGE = 2_000
"""Number of entries or records read at once."""
_GONE: Mapping[str, Any] = {}
_ENTRY = AuditEntry.__table__.c


@dataclass(frozen=True)
class Difference:
    """A record that is not as the log says.  `changes` lead from what the log says to what is stored."""

    model: type[Entity]
    id: int
    label: str
    changes: Changes
    why: str

    def __str__(self) -> str:
        named = f"{self.model.names.noun} {self.id}" + (f" ({self.label})" if self.label != str(self.id) else "")
        return f"{named} {self.why}"


@dataclass
class Comparison:
    """Compares every record with the log; `records` counts those that were compared."""

    records: int = 0

    def known(self, connection: Connection) -> frozenset[tuple[str, int, str]]:
        """(table, id, field) of every difference that there is."""
        found = self.differences(connection)
        return frozenset((it.model.__tablename__, it.id, field) for it in found for field in it.changes)

    def differences(self, connection: Connection) -> Iterator[Difference]:
        """The records that are not as the log says, by kind and id.

        A value that the log never named has to be empty or the column's default.  Columns that are derived from others
        are left out, and so are those that the database does not have yet.
        """
        shape = inspect(connection)
        for model in [model for model in ENTITIES if shape.has_table(model.__tablename__)]:
            yield from self._of_kind(connection, model)

    def _of_kind(self, connection: Connection, model: type[Entity]) -> Iterator[Difference]:
        told, there = _told(connection, model), _there(connection, model)
        logged, stored = next(told, None), next(there, None)
        while logged is not None or stored is not None:
            id = min(found[0] for found in (logged, stored) if found is not None)
            state = logged[1] if logged is not None and logged[0] == id else None
            values = stored[1] if stored is not None and stored[0] == id else None
            self.records += values is not None
            yield from _compared(model, id, state, values)
            if state is not None:
                logged = next(told, None)
            if values is not None:
                stored = next(there, None)


def _compared(
    model: type[Entity], id: int, state: Mapping[str, Any] | None, values: Mapping[str, Any] | None
) -> Iterator[Difference]:
    """The difference between what the log says of one record and what is stored of it."""
    if values is None:
        left = {
            key: [value, None]
            for key, value in (state or _GONE).items()
            if value is not None and _is_column(model, key)
        }
        if left:
            label = str((state or _GONE).get(model.named_by) or id)
            yield Difference(model, id, label, left, "is missing, and the log does not say why")
        return
    label = str(values.get(model.named_by) or id)
    if state is None:
        born: Changes = {key: [None, value] for key, value in values.items() if value is not None}
        yield Difference(model, id, label, born, "is not in the log")
        return
    changes: Changes = {
        key: [state.get(key), value] for key, value in values.items() if not _agrees(model, key, state, value)
    }
    if changes:
        yield Difference(model, id, label, changes, f"is not as the log says: {', '.join(sorted(changes))}")


def _agrees(model: type[Entity], key: str, state: Mapping[str, Any], value: Any) -> bool:
    """Whether the log and the stored value of a field agree."""
    if key in state:
        return bool(state[key] == value)
    return value is None or value in _initial(model, key)


@cache
def _initial(model: type[Entity], key: str) -> tuple[Any, ...]:
    """The values that a column has without anyone setting it."""
    column: Any = model.__table__.c.get(key)
    default = getattr(column, "default", None)
    return (plain(default.arg),) if default is not None and default.is_scalar else ()


def _is_column(model: type[Entity], key: str) -> bool:
    return any(column.key == key for column in compared_columns(model))


@cache
def compared_columns(model: type[Entity]) -> tuple[Column[Any], ...]:
    """The columns of an entity that the log knows by itself, without those that are derived from others."""
    logged = [column_of(model, key) for key in logged_columns(model)]
    return tuple(column for column in logged if not trait_of(column).derived)


# --- reading ---------------------------------------------------------------------------------------------


def _told(connection: Connection, model: type[Entity]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(record id, last value of each field that the log names) in the order of the ids."""
    mine = select(_ENTRY.record_id, _ENTRY.id, _ENTRY.changes).where(
        _ENTRY.entity == model.__tablename__, _ENTRY.record_id.is_not(None), _ENTRY.outcome == Outcome.OK
    )
    keys = column_of(AuditEntry, "record_id"), column_of(AuditEntry, "id")
    for id, entries in groupby(_pages(connection, mine, *keys), lambda row: int(row[0])):
        state: dict[str, Any] = {}
        for row in entries:
            state.update((key, pair[1]) for key, pair in row[2].items())
        yield id, state


def _there(connection: Connection, model: type[Entity]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(record id, stored value of each compared column and of its parts) in the order of the ids."""
    stored = {column["name"] for column in inspect(connection).get_columns(model.__tablename__)}
    columns, key = [column for column in compared_columns(model) if column.key in stored], column_of(model, "id")
    parts = list(kinds_of_parts(model))
    for page in _in_pages(_pages(connection, select(key.label("record_key"), *columns), key)):
        found: dict[int, dict[str, Any]] = defaultdict(dict)
        for part, fields in parts:
            empty = dict.fromkeys(fields)
            for row in page:
                found[row[0]].update(empty)
            for whole_id, name, values in stored_parts(connection, part, page[0][0], page[-1][0]):
                found[whole_id][name] = values
        for row in page:
            stored_values = {column.key: plain(value) for column, value in zip(columns, row[1:], strict=True)}
            yield row[0], {**stored_values, **found[row[0]]}


def _pages(connection: Connection, statement: Select[Any], *keys: Column[Any]) -> Iterator[Sequence[Any]]:
    """The rows of a statement in the order of its first columns, a page at a time."""
    last: tuple[Any, ...] | None = None
    while True:
        wanted = statement if last is None else statement.where(tuple_(*keys) > last)
        page = connection.execute(wanted.order_by(*keys).limit(_PAGE)).all()
        yield from page
        if len(page) < _PAGE:
            return
        last = tuple(page[-1][: len(keys)])


def _in_pages(rows: Iterator[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    page: list[Sequence[Any]] = []
    for row in rows:
        page.append(row)
        if len(page) == _PAGE:
            yield page
            page = []
    if page:
        yield page
