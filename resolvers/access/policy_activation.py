"""Putting a reviewed policy text in force: a new revision, its log entry, and the drafts that follow."""

from collections.abc import Callable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import PolicyDraft
from models.audit.entries import Changes, entry
from models.audit.recording import write_row
from models.errors import InvalidPolicyText, LastAdministrator, Validation
from policies.edit import difference

from ..runtime import policy_proof
from ..runtime.policy_store import Stored, newest, put_in_force, storable
from ..runtime.scope import Scope
from .grant_limits import is_administrator, lock_rights
from .offered_lines import forget_draft
from .policy_review import Review, current_policy, judge, refuse_excess_of
from .policy_revisions import last_of_administrators

_LINES_LOGGED = 50


def put_reviewed_in_force(
    scope: Scope, db: Session, review: Review, reason: str, author_id: int | None, back_to: int | None = None
) -> int:
    """Put a reviewed text in force; returns the number of its revision.  Raises the first thing against it."""
    if review.problems:
        raise InvalidPolicyText(problems=review.problems)
    if not review.added and not review.removed:
        raise Validation("Nothing changes: the policy says all of this already.", "策略没有任何变化。", field="text")
    if not (is_administrator(scope) and back_to is not None and back_to == last_of_administrators(db)):
        refuse_excess_of(scope, db, review, author_id)
    if not review.keeps_an_administrator:
        raise LastAdministrator
    now = scope.person.now
    proof = policy_proof.recorded(policy_proof.demand(db, review.text, now), review.text)
    summary = review.in_short() | {"by_administrator": is_administrator(scope)}
    number = put_in_force(db, review.text, reason, now, author_id, back_to=back_to, review=summary, proof=proof)
    forget_draft(db, review.text)
    changes: Changes = {"lines": [_loggable(review.removed), _loggable(review.added)]}
    write_row(db, entry(db.info["signature"], now, "policy", None, changes, label=f"#{number}"))
    scope.tell(db, "policy", number)
    scope.after_commit(lambda: scope.backend.take_policy(Stored(number, review.text, is_whole=True, is_proved=True)))
    return number


def rename_in_force(
    scope: Scope, db: Session, rename: Callable[[str], str], reason: str
) -> tuple[int, list[str], list[str]] | None:
    """Rename words in the lines in force and in all drafts, as a change of another record asks for.

    Returns (number of the new revision, lines gone, lines new), None where no line names them.  Needs no right on the
    policy, but what the new lines give must lie within what the caller may grant.  Raises as `put_reviewed_in_force`.
    """
    lock_rights(scope, db)
    stored = newest(db)
    before = current_policy(scope, stored).text
    after, number = rename(before), stored.number
    gone, new = difference(before, after)
    if gone or new:
        number = put_reviewed_in_force(scope, db, judge(scope, db, after), reason, author_id=scope.person.id)
    for draft in db.execute(select(PolicyDraft).with_for_update()).scalars():
        if (text := rename(draft.text)) != draft.text:
            draft.text = storable(text)
        if draft.base == stored.number:
            draft.base = number
    db.flush()
    return (number, gone, new) if gone or new else None


# --- steps -----------------------------------------------------------------------------------------------


def _loggable(lines: Sequence[str]) -> list[str] | None:
    """At most _LINES_LOGGED lines for the operation log; the revision has all of them."""
    return [*lines[:_LINES_LOGGED], *(["…"] if len(lines) > _LINES_LOGGED else [])] or None
