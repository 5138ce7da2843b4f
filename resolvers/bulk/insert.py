"""Rows without a flush: ids that nobody else gets, and the fastest INSERT of each driver."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from sqlalchemy import JSON, Connection, insert
from sqlalchemy.engine import Dialect

from models import Base, Entity
from models.base import stored_columns
from models.database.bypass import Because
from models.database.prepared import Prepared
from models.database.sqlalchemy_internals import raise_database_error
from models.keys import keys_of, with_keys

from ..runtime.scope import Scope


def completed(scope: Scope, model: type[Entity], values: Mapping[str, Any], id: int) -> dict[str, Any]:
    """The row of a new record with all that a flush fills in: id, version, who and when, defaults and keys."""
    now, me = scope.person.now, scope.person.id
    stamps = {"created_at": now, "created_by_id": me, "updated_at": now, "updated_by_id": me}
    return with_keys(model, {**_defaults(model), **stamps, **values, "id": id})


@cache
def _defaults(model: type[Base]) -> Mapping[str, Any]:
    """What the columns of a table hold where nothing is given."""
    made = {key for key, _, _ in keys_of(model)}
    kept = (column for column in stored_columns(model) if not column.primary_key and column.key not in made)
    return {column.key: getattr(column.default, "arg", None) for column in kept}


def reserve(connection: Connection, model: type[Base], count: int) -> list[int]:
    """So many ids that nobody else gets, in ascending order."""
    table = model.__tablename__
    if connection.dialect.name == "sqlite":  # which has one writer at a time, and never gives an id again
        last = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).scalar() or 0
        return list(range(last + 1, last + count + 1))
    drawn = f"SELECT nextval(pg_get_serial_sequence('{table}', 'id')) FROM generate_series(1, %s)"  # noqa: S608  our own name
    return sorted(connection.exec_driver_sql(drawn, (count,)).scalars())


def put(connection: Connection, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, all with the same keys.  Raises what SQLAlchemy raises.

    The caller has checked the rights, and writes log and indexes.
    """
    if not rows:
        return
    keys = tuple(key for key in rows[0] if key in _defaulted(model) or any(row[key] is not None for row in rows))
    if connection.dialect.name == "sqlite":
        _inserting(model, keys).run_each(connection, rows)
    else:
        _copy(connection, model, keys, rows)


@cache
def _defaulted(model: type[Base]) -> frozenset[str]:
    """The columns that the database fills where an INSERT leaves them out."""
    return frozenset(column.key for column in stored_columns(model) if column.server_default is not None)


@cache
def _inserting(model: type[Base], keys: tuple[str, ...]) -> Prepared:
    return Prepared(insert(model), keys, because=Because.FOLLOWS_CHECK)


def _copy(connection: Connection, model: type[Base], keys: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> None:
    processes = _processes(model, keys, connection.dialect)
    driver: Any = connection.connection.driver_connection
    cursor = driver.cursor()
    text = f"COPY {model.__tablename__} ({', '.join(keys)}) FROM STDIN"
    try:
        with cursor.copy(text) as copy:
            for row in rows:
                copy.write_row([x(row[key]) if x is not None else row[key] for key, x in processes])
    except Exception as failure:  # noqa: BLE001  SQLAlchemy decides which of them are the database's
        raise_database_error(connection, failure, text, (), cursor)


@cache
def _processes(model: type[Base], keys: tuple[str, ...], dialect: Dialect) -> list[tuple[str, Any]]:
    """(column, what makes the driver's form of its values)."""
    types = [(key, model.__table__.c[key].type) for key in keys]
    return [(key, _json if isinstance(kind, JSON) else _bind(kind, dialect)) for key, kind in types]


def _bind(kind: Any, dialect: Dialect) -> Any:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
