"""Invariants of merged records: a tombstone is in the bin, leads to a record that stands, and nothing hangs on it."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select

from models import ENTITIES
from models.base import Entity

from ..merging.moves import FOLLOWING, TABLE_OF, hanging
from ..runtime.merged_records import merges


def merged_records(connection: Connection) -> Iterator[str]:
    """One sentence for each tombstone that is not what it should be."""
    for model in ENTITIES:
        if merges(model):
            yield from _alive(connection, model)
            yield from _astray(connection, model)
    yield from _left_behind(connection)


def _alive(connection: Connection, model: type[Entity]) -> Iterator[str]:
    c: Any = model.__table__.c
    asked = select(c.id).where(c.merged_into_id.is_not(None), c.deleted_at.is_(None)).order_by(c.id)
    for id in connection.execute(asked).scalars():
        yield f"{model.names.one} {id} was merged into another one, but is not in the bin."


def _astray(connection: Connection, model: type[Entity]) -> Iterator[str]:
    """Tombstones that lead to tombstones: all lead to the end of the chain."""
    gone, into = model.__table__.alias(), model.__table__.alias()
    asked = select(gone.c.id).join(into, into.c.id == gone.c.merged_into_id).where(into.c.merged_into_id.is_not(None))
    for id in connection.execute(asked.order_by(gone.c.id)).scalars():
        yield f"{model.names.one} {id} leads to a record that was itself merged into another one."


def _left_behind(connection: Connection) -> Iterator[str]:
    """What still hangs on a customer that was merged away, tombstones of its contacts aside."""
    customer = TABLE_OF["customer"]
    places: list[tuple[str, Any]] = [(model.names.one, model.__table__.c[key.key]) for model, key in hanging()]
    places += [(model.__tablename__, TABLE_OF[model.__tablename__].c.customer_id) for model in FOLLOWING]
    for name, key in places:
        asked = (
            select(key.table.c.id).join(customer, customer.c.id == key).where(customer.c.merged_into_id.is_not(None))
        )
        if "merged_into_id" in key.table.c:
            asked = asked.where(key.table.c.merged_into_id.is_(None))
        for id in connection.execute(asked.order_by(key.table.c.id)).scalars():
            yield f"{name} {id} hangs on a customer that was merged into another one."
