"""Telling customers apart: what looks like a duplicate and is none is remembered, and not reported again."""

from collections.abc import Iterable, Sequence
from itertools import combinations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models import Customer, NotDuplicate
from models.audit.recording import log_now
from models.database.prepared import upsert
from models.errors import Validation

from ..runtime.batch import Outcome
from ..runtime.inputs import line
from ..runtime.scope import Scope

MOST = 50
"""Maximum number of customers that are told apart at once."""
Pair = tuple[int, int]
_pairs = NotDuplicate.__table__


def tell_apart(scope: Scope, ids: Sequence[int], reason: str | None = None) -> Outcome:
    """Note that no two of these customers are the same.  Returns their ids.

    Raises NotFound, Forbidden, InBin, Locked, Validation.
    """
    ids, reason = sorted(set(ids)), line(reason, "reason")
    if not 1 < len(ids) <= MOST:
        raise Validation(
            f"Choose 2 to {MOST} customers that are not the same.",
            f"请选择 2 至 {MOST} 个并非同一家的客户。",
            field="ids",
        )
    with scope.write("customer.tell_apart", reason) as db:
        for id in ids:
            log_now(db, scope.load(db, Customer, id, to="merge"), {})
        remember(scope, db, combinations(ids, 2), reason)
    return Outcome(ids)


def remember(scope: Scope, db: Session, pairs: Iterable[Pair], reason: str | None) -> None:
    """Note these pairs, those that are noted already excepted."""
    by = {"at": scope.person.now, "by_id": scope.person.id, "reason": reason}
    rows = [{"first_id": min(pair), "second_id": max(pair), **by} for pair in pairs]
    if rows:
        db.execute(upsert(db.get_bind().dialect)(_pairs).values(rows).on_conflict_do_nothing())


def told_apart(db: Session, ids: Sequence[int]) -> set[Pair]:
    """The pairs among these customers that were told apart, the smaller id first."""
    c = _pairs.c
    found = db.execute(select(c.first_id, c.second_id).where(c.first_id.in_(ids), c.second_id.in_(ids)))
    return {(first, second) for first, second in found}


def told_apart_from(db: Session, id: int) -> set[Pair]:
    """The pairs of a customer and those from which it was told apart."""
    c = _pairs.c
    found = db.execute(select(c.first_id, c.second_id).where(or_(c.first_id == id, c.second_id == id)))
    return {(first, second) for first, second in found}
