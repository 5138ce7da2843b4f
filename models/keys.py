"""Keys: columns that repeat another column in the form in which it is compared or sorted.

The model declares them (`Trait.key_of`).  The flush fills those of ORM records here; what inserts rows in bulk calls
`with_keys`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, event, select, update
from sqlalchemy import bindparam as bind
from sqlalchemy.orm import Session

from .base import Base, stored_columns, trait_of
from .database.sqlalchemy_internals import former_values

CHUNK = 2_000
"""Maximum number of rows that are read and written at once."""

SECOND = "\x1f"
"""What follows in the key of a number that another record has in other letters, from before they were compared."""

Made = Callable[[str], str]


@cache
def keys_of(model: type[Base]) -> list[tuple[str, str, Made]]:
    """(key column, the column that it repeats, how) of a model."""
    traits = ((column.key, trait_of(column)) for column in stored_columns(model))
    return [(key, trait.key_of, trait.by) for key, trait in traits if trait.key_of and trait.by]


@event.listens_for(Session, "before_flush")
def _write_keys(session: Session, _context: object, _instances: object) -> None:
    for row in session.new:
        for key, source, made in keys_of(type(row)) if isinstance(row, Base) else ():
            if getattr(row, key) is None:
                setattr(row, key, _key(made, getattr(row, source)))
    for row in session.dirty:
        for key, source, made in keys_of(type(row)) if isinstance(row, Base) else ():
            if source in former_values(row):
                setattr(row, key, _key(made, getattr(row, source)))


def _key(made: Made, value: str | None) -> str | None:
    return None if value is None else made(value)


def with_keys(model: type[Base], row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for an INSERT of Core, with the keys that it does not bring."""
    made = {key: _key(by, row.get(source)) for key, source, by in keys_of(model) if key not in row}
    return {**made, **row}


# --- keys of rows that are there -------------------------------------------------------------------------


def fill_all(connection: Connection) -> int:
    """Bring the keys of all rows up to date, in chunks; returns the number of keys that were others.

    The place of a number in its order stays, because it was given by the pattern of that time.
    """
    changed = 0
    for model in _with_keys():
        table: Any = model.__table__
        for rows in _chunks(connection, model):
            wrong = list(_wrong(model, rows))
            for key in {key for key, _, _ in wrong}:
                set_key = update(table).where(table.c.id == bind("id_")).values({key: bind("key_")})
                connection.execute(set_key, [{"id_": id, "key_": made} for k, id, made in wrong if k == key])
            changed += len(wrong)
    return changed


def stale_keys(connection: Connection) -> Iterator[str]:
    """One sentence for each column with a key that is not its value's, among the first and last rows of a table."""
    for model in _with_keys():
        id: Any = model.__table__.c.id
        ends = [_rows(connection, model, order) for order in (id, id.desc())]
        for key in sorted({key for rows in ends for key, _, _ in _wrong(model, rows)}):
            yield f"{model.__tablename__}.{key} holds other keys than its values make: run millpond reindex."


def _with_keys() -> list[type[Base]]:
    mapped: list[type[Base]] = [mapper.class_ for mapper in Base.registry.mappers]
    return sorted((model for model in mapped if keys_of(model)), key=lambda model: model.__tablename__)


def _chunks(connection: Connection, model: type[Base]) -> Iterator[Sequence[Any]]:
    id: Any = model.__table__.c.id
    last = 0
    while rows := _rows(connection, model, id, id > last):
        yield rows
        last = rows[-1].id


def _rows(connection: Connection, model: type[Base], order: Any, *where: Any) -> Sequence[Any]:
    """At most CHUNK rows with their keys, and the values that these repeat."""
    c: Any = model.__table__.c
    wanted = dict.fromkeys(name for key, source, _ in keys_of(model) for name in (key, source))
    return connection.execute(
        select(c.id, *(c[name] for name in wanted)).where(*where).order_by(order).limit(CHUNK)
    ).all()


def _wrong(model: type[Base], rows: Sequence[Any]) -> Iterator[tuple[str, int, str | None]]:
    """(key column, id, right key) for each key that is another."""
    for row in rows:
        for key, source, made in keys_of(model):
            old, right = getattr(row, key), _key(made, getattr(row, source))
            if old != right and not _may_differ(key, old, right):
                yield key, row.id, right


def _may_differ(key: str, old: str | None, right: str | None) -> bool:
    return bool(old) and (key == "number_order" or str(old).startswith(f"{right}{SECOND}"))
