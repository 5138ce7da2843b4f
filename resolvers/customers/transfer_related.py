"""Transferring what hangs on customers, contacts and opportunities, to another owner; their customers stay where they are."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from models import Contact, Opportunity

from ..ownership.assignees import Candidate, offered
from ..reading.clauses import open_to, visible, with_parents
from ..runtime.batch import Mode, Outcome, each
from ..runtime.inputs import line
from ..runtime.scope import Scope
from .contacts import check_looks_after, facts_of_customer, looks_after

TRANSFERABLE: tuple[type[Contact | Opportunity], ...] = (Contact, Opportunity)


def transfer(
    scope: Scope,
    model: type[Contact | Opportunity],
    ids: Sequence[int],
    user_id: int,
    mode: Mode = Mode.BEST_EFFORT,
    reason: str | None = None,
) -> Outcome:
    """Give contacts or opportunities to another owner; every other value stays, and follow-ups stay tied to them.

    Problems: NOT_FOUND, FORBIDDEN, IN_BIN, VALIDATION for a user who cannot see the customer (share it with them first) or
    may not change such records of theirs at it.
    """

    def work(db: Session, id: int) -> None:
        row = scope.load(db, model, id, to="transfer")
        row.owner_id = check_looks_after(scope, db, user_id, row.customer_id, field="userId", model=model)

    return each(scope, f"{model.module}.transfer", model, ids, mode, work, reason=line(reason, "reason"))


def candidates(scope: Scope, db: Session, model: type[Contact | Opportunity], ids: Sequence[int]) -> list[Candidate]:
    """The users to whom the caller may transfer all of these records."""
    may, e = open_to(scope.viewer, "transfer", model), with_parents(model)[1]
    mine = visible(scope.viewer, model, e.customer_id).where(e.id.in_(ids), may).distinct()
    customers = [facts_of_customer(scope, db, id) for id in db.execute(mine).scalars()]
    if not customers:
        return []
    return offered(
        scope, db, lambda person: all(looks_after(scope.policy, person, facts, model) for facts in customers)
    )
