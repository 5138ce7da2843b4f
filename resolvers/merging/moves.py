"""Moves: what a merge does to rows, written down so that it can be undone.

A note is a JSON list: `["set", table, id, {column: [old, new]}]` for a changed row, `["made", table, id, value]` for a
new one; `pairs.py` has a kind of its own.  The undoing takes back what still is as the merge left it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from sqlalchemy import Column, Table, and_, select, update
from sqlalchemy.orm import Session

from models import ENTITIES, Attachment, Base, Customer, Entity, FormerName, OwnershipPeriod, Share, ShareRequest
from models.audit.entries import plain

from ..records.custom_values import held_by, put_into
from ..records.references import pointing
from ..runtime.write_guard import action_of, permit
from .statements import run

FOLLOWING: tuple[type[Base], ...] = (FormerName, OwnershipPeriod, Share, ShareRequest)
"""The tables beside entities whose rows go with their customer to the winner."""
STAYING = frozenset(
    {
        "assignment_decision",
        "customer",
        "customer_stage_period",
        "merge_record",
        "not_duplicate",
        "pool_view",
        "release_reminder",
        "search_doc",
    }
)
"""The tables whose rows about a customer are not moved here: they are about that very row, are made anew by the flush,
or are two customers' (`pairs.py`)."""
ENTITY_OF = {model.__tablename__: model for model in ENTITIES}
_KINDS: tuple[type[Base], ...] = (*ENTITIES, *FOLLOWING, Attachment)
TABLE_OF: dict[str, Table] = {model.__tablename__: cast("Table", model.__table__) for model in _KINDS}


class Moves:
    """The changes of one merge, as they are made."""

    def __init__(self, db: Session) -> None:
        self.db = db
        self.notes: list[list[Any]] = []

    def change(self, row: Entity, values: Mapping[str, Any]) -> None:
        """Set columns of an entity, and note what they held; a value that it has already is no change."""
        changed = {key: [plain(held_by(row, key)), plain(value)] for key, value in values.items()}
        changed = {key: pair for key, pair in changed.items() if pair[0] != pair[1]}
        if not changed:
            return
        permit(self.db, row, action_of(self.db))
        for key in changed:
            put_into(row, key, values[key])
        self.notes.append(["set", type(row).__tablename__, row.id, changed])

    def change_rows(self, model: type[Base], where: Any, values: Mapping[str, Any]) -> None:
        """The same for rows of a table that is no entity."""
        table = TABLE_OF[model.__tablename__]
        keys = [table.c[key] for key in values]
        found = run(self.db, select(table.c.id, *keys).where(where).order_by(table.c.id)).all()
        for row in found:
            pairs = {k: [plain(getattr(row, k)), plain(value)] for k, value in values.items()}
            self.notes.append(["set", table.name, row.id, pairs])
        if found:
            setting = update(table).where(table.c.id.in_([row.id for row in found])).values(**values)
            run(self.db, setting)

    def made(self, table: str, id: int, value: str) -> None:
        """Note a new row."""
        self.notes.append(["made", table, id, value])

    def follow(self, loser_id: int, winner_id: int, apart: Iterable[Entity]) -> None:
        """Move everything that hangs on a customer to another one, in the bin or not, but the records `apart`."""
        stay = {(type(row), row.id) for row in apart}
        for model, column in hanging():
            for row in referring(self.db, model, column, loser_id):
                if (type(row), row.id) not in stay:
                    self.change(row, {column.key: winner_id})
        for table in FOLLOWING:
            key: Any = TABLE_OF[table.__tablename__].c.customer_id
            self.change_rows(table, key == loser_id, {"customer_id": winner_id})
        self.move_files(Customer, loser_id, winner_id)

    def move_files(self, model: type[Entity], loser_id: int, winner_id: int) -> None:
        """Move the files of a record to another one."""
        files: Any = TABLE_OF[Attachment.__tablename__].c
        mine = and_(files.entity == model.__tablename__, files.record_id == loser_id)
        self.change_rows(Attachment, mine, {"record_id": winner_id})


def hanging() -> Iterator[tuple[type[Entity], Column[Any]]]:
    """(entity, its foreign key to a customer) of all that hangs on customers."""
    for model in ENTITIES:
        for column in pointing(model, Customer):
            if model is not Customer:
                yield model, column


def siblings_of(model: type[Entity]) -> Iterator[tuple[type[Entity], Column[Any]]]:
    """(entity, its foreign key to a record of `model`) of the records of the same customer, like a follow-up's contact."""
    for other in ENTITIES:
        for column in pointing(other, model):
            if column.key != "merged_into_id":
                yield other, column


def referring(db: Session, model: type[Entity], column: Column[Any], id: int) -> list[Entity]:
    """The records of `model` whose foreign key names this id."""
    key: Any = getattr(model, column.key)
    asked = select(model).where(key == id).order_by(model.id)
    return list(run(db, asked).scalars())
