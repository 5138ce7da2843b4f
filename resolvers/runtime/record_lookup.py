"""The lookup of `scope.load`: one statement that locks a row, reads it and checks the rights on it."""

from collections.abc import Collection, Sequence
from functools import cache, lru_cache
from typing import Any, TypeVar

from sqlalchemy import Integer, bindparam, or_, select
from sqlalchemy.orm import Session, load_only

from models import Customer, Entity
from models.database.bypass import Because, bypass_policy
from models.database.prepared import Prepared, attach
from models.database.values import PreparedOfMany
from models.errors import Forbidden, Locked, Refusal
from policies import NOW, Principal, Snapshot, whenever

from .ids import global_id
from .merged_records import merged_away, merges

E = TypeVar("E", bound=Entity)

WITHOUT_SEEING = {"unlock", "restore", "purge"}
"""Actions that are allowed on a record that the person may not see."""
FROM_THE_BIN = {"restore", "purge", "view"}
"""The only actions on a record in the recycle bin."""
_MASKED = ("id", "number", "owner_id", "version", "locked_by_id", "locked_at", "lock_expires_at", "lock_reason")


def look_up(
    db: Session, policy: Snapshot, person: Principal, model: type[E], id: int, to: str
) -> tuple[E | None, bool, bool]:
    """(row or None, may it be seen, may `to` be done to it); the row is locked for this transaction.

    Raises Merged for a record that became part of one which the person sees.
    """
    if not id:
        return None, False, False
    found = lookup_statement(policy, whenever(person), model, to).first(db, id=id, **{NOW.key: person.now})
    if merges(model) and (found is None or found[_merged_into(model)] is not None):
        if refusal := merged_away(db, policy, person, model, id):
            raise refusal
        return None, False, False
    if found is None:
        return None, False, False
    *row, seen, may = found
    return attach(db, model, tuple(row)), bool(seen), bool(may)


def look_up_many(
    db: Session, policy: Snapshot, person: Principal, model: type[E], ids: Collection[int], to: str
) -> dict[int, E]:
    """Those among the records that the person sees and may do `to` to, locked for this transaction.

    Of the others it does not say why not; nor does it return one that is in the bin.
    """
    found = _many_statement(policy, whenever(person), model, to).rows(db, ids, **{NOW.key: person.now})
    return {row[0]: attach(db, model, row) for row in found}


@lru_cache(maxsize=512)
def _many_statement(policy: Snapshot, person: Principal, model: type[Entity], to: str) -> PreparedOfMany:
    table: Any = model.__table__

    def made(source: Any, value: Any) -> Any:
        may = (policy.where(person, action, model, table.c, by_row=True) for action in ("view", to))
        found = select(*table.c).join_from(source, table, table.c.id == value).where(*may, table.c.deleted_at.is_(None))
        return found.with_for_update(of=table).execution_options(policy=True)

    return PreparedOfMany(made, Integer)


@cache
def _merged_into(model: type[Entity]) -> int:
    """The place of the column in a row of the whole table."""
    return model.__table__.c.keys().index("merged_into_id")


def lock_rows(db: Session, model: type[Entity], ids: Sequence[int]) -> None:
    """Lock rows of PostgreSQL in the order of their ids."""
    table = model.__table__
    statement = select(table.c.id).where(table.c.id.in_(sorted(ids))).order_by(table.c.id).with_for_update()
    db.execute(statement, execution_options=bypass_policy(Because.LOCKS_ROWS))


@lru_cache(maxsize=512)  # some 50 KiB each
def lookup_statement(policy: Snapshot, person: Principal, model: type[Entity], to: str) -> Prepared:
    """The statement of `look_up` for an `:id`, of a person `whenever`.  Cached: it takes longer to write than to run.

    The row is locked first and checked as it then is.  One that the person may not see is not returned, and unlocked at
    the end of the transaction.
    """
    table = model.__table__
    seen, may = (policy.where(person, action, model, table.c, by_row=True) for action in ("view", to))
    one = select(*table.c, seen.label("seen"), may.label("may")).where(table.c.id == bindparam("id"))
    found = one.with_for_update(of=table).subquery("found")
    return Prepared(select(found).where(or_(found.c.seen, found.c.may)).execution_options(policy=True))


def why_not(person: Principal, row: Entity, to: str) -> Refusal:
    """The refusal for a record that the person sees and may not do `to` to."""
    record_id = global_id(type(row), row.id)
    if isinstance(row, Customer) and row.is_locked(person.now) and row.owner_id != person.id:
        return Locked(label=row.label, record_id=record_id)
    return Forbidden(action=f"{row.module}.{to}", record_id=record_id)


def masked(db: Session, model: type[E], id: int) -> E:
    """The record with the attributes that a person without the right to see it gets; any other one raises."""
    names = {
        *_MASKED,
        "deleted_at",
        "deleted_by_id",
        "delete_batch_id",
        "updated_at",
        "updated_by_id",
        model.named_by,
    }
    wanted = [getattr(model, name) for name in sorted(names) if name in model.__table__.c]
    for row in [row for row in db if isinstance(row, model) and row.id == id]:
        db.expunge(row)
    statement = select(model).where(model.id == id).options(load_only(*wanted, raiseload=True))
    return db.execute(statement, execution_options=bypass_policy(Because.FOLLOWS_CHECK)).scalar_one()
