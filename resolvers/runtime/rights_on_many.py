"""What the policy lets through of some rows: the questions of the write guard, one statement for any number of rows."""

from collections.abc import Collection
from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, select
from sqlalchemy.orm import Session

from models import Base
from models.database.values import PreparedOfMany
from policies import NOW, Principal, Snapshot, whenever

from .read_guard import rights


def allowed(session: Session, model: type[Base], ids: Collection[int], action: str) -> set[int]:
    """Those among the rows of `model` to which the person may do `action`, as the open transaction sees them."""
    return _among(session, model, ids, action, is_live=False)


def visible(session: Session, model: type[Base], ids: Collection[int]) -> set[int]:
    """Those that the person may see and that are not in the recycle bin: what a reference may lead to."""
    return _among(session, model, ids, "view", is_live="deleted_at" in model.__table__.c)


def _among(session: Session, model: type[Base], ids: Collection[int], action: str, *, is_live: bool) -> set[int]:
    person, policy = rights(session)
    if person is None:
        return set()
    statement = _statement(policy, whenever(person), model, action, is_live=is_live)
    return {id for (id,) in statement.rows(session.connection(), ids, **{NOW.key: person.now})}


@lru_cache(maxsize=512)
def _statement(policy: Snapshot, person: Principal, model: type[Base], action: str, *, is_live: bool) -> PreparedOfMany:
    """Cached for a person `whenever`, because it takes longer to write than to run."""
    table: Any = model.__table__

    def made(source: Any, value: Any) -> Any:
        let_through = policy.where(person, action, model, table.c, by_row=True)
        found = select(table.c.id).join_from(source, table, table.c.id == value).where(let_through)
        return (found.where(table.c.deleted_at.is_(None)) if is_live else found).execution_options(policy=True)

    return PreparedOfMany(made, Integer)
