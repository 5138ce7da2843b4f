"""Locks of other users: what a user sees of customers that they may unlock, and of records that they may restore, unseen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import not_, select
from sqlalchemy.orm import Session

from models import Customer, Entity, User
from models.customer import locked

from ..reading.clauses import in_bin
from ..reading.pages import names_of
from ..records.references import children_of
from ..runtime.scope import Scope

MOST_LOCKS = 200
"""Maximum number of locks that are listed."""


@dataclass(frozen=True)
class ForeignLock:
    """One line: the number of the customer, its owner as far as the caller sees users, since when and until when."""

    id: int
    number: str
    owner: str | None
    since: datetime
    until: datetime | None


def foreign_locks(scope: Scope, db: Session) -> list[ForeignLock]:
    """The customers that other users keep locked and the caller may unlock, the newest locks first.

    Neither name nor reason: the customers themselves stay closed.
    """
    c: Any = Customer.__table__.c
    statement = (
        select(c.id, c.number, c.owner_id, c.locked_at, c.lock_expires_at)
        .where(scope.policy.where(scope.person, "unlock", Customer, c), locked(c, scope.person.now))
        .where(c.owner_id != scope.person.id, in_bin(Customer, c, wanted=False))
        .order_by(c.locked_at.desc(), c.id.desc())
        .limit(MOST_LOCKS)
    )
    rows: Sequence[Any] = db.execute(statement.execution_options(policy=True)).all()
    owners = names_of(scope, db, User, sorted({row.owner_id for row in rows if row.owner_id is not None}))
    return [
        ForeignLock(row.id, row.number, owners.get(row.owner_id), row.locked_at, row.lock_expires_at) for row in rows
    ]


@dataclass(frozen=True)
class HiddenRecord:
    """A record of a locked customer in the recycle bin: its kind and the number of the customer, when and who deleted it."""

    model: type[Entity]
    id: int
    number: str
    deleted_at: datetime
    deleted_by: str | None


def hidden_in_bin(scope: Scope, db: Session) -> list[HiddenRecord]:
    """What was deleted from locked customers and the caller may restore without seeing it, the newest first."""
    found = [(model, row) for model, key in children_of(Customer) for row in _hidden(scope, db, model, key)]
    people = names_of(scope, db, User, sorted({row.deleted_by_id for _, row in found if row.deleted_by_id}))
    records = [HiddenRecord(x, row.id, row.number, row.deleted_at, people.get(row.deleted_by_id)) for x, row in found]
    return sorted(records, key=lambda x: x.deleted_at, reverse=True)[:MOST_LOCKS]


def _hidden(scope: Scope, db: Session, model: type[Entity], key: str) -> Sequence[Any]:
    c, customer = model.__table__.c, Customer.__table__
    restores, sees = (scope.policy.where(scope.person, action, model, c) for action in ("restore", "view"))
    statement = (
        select(c.id, customer.c.number, c.deleted_at, c.deleted_by_id)
        .join_from(model.__table__, customer, customer.c.id == c[key])
        .where(locked(customer.c, scope.person.now), in_bin(Customer, customer.c, wanted=False))
        .where(in_bin(model, c), restores, not_(sees))
        .order_by(c.deleted_at.desc())
        .limit(MOST_LOCKS)
    )
    return db.execute(statement.execution_options(policy=True)).all()
