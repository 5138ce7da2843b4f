"""Revisions of the policy: the one in force, and every text that was put in force before."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models import PolicyRevision, User
from models.database.bypass import Because, bypass_policy
from models.errors import InvalidPolicyText, NotFound

from ..reading.pages import LARGEST_PAGE
from ..runtime.policy_store import foreign_text, hash_of
from ..runtime.scope import Scope
from .user_names import shown_name


@dataclass(frozen=True)
class Revision:
    """One revision of the policy; `text` only where the caller asked for it."""

    number: int
    at: datetime
    author_id: int | None
    author: str | None
    reason: str
    parent: int | None
    back_to: int | None
    review: dict[str, Any] | None
    text: str | None = None


@dataclass(frozen=True)
class InForce:
    """The policy in force; `problems`: why a newer revision is not; `foreign`: lines put into `casbin_rule` by hand."""

    number: int
    text: str
    problems: list[str]
    foreign: str | None


def in_force(scope: Scope, db: Session) -> InForce:
    """The policy in force in this process.  Raises Forbidden."""
    scope.allow("view", "policy")
    return InForce(
        scope.policy.revision, scope.policy.text, scope.backend.policy_problems_in(scope.language), foreign_text(db)
    )


def revisions(scope: Scope, db: Session, before: int | None = None, first: int = 50) -> list[Revision]:
    """A page of revisions below number `before`, newest first, without their texts.  Raises Forbidden."""
    scope.allow("view", "policy")
    asked = _revisions(scope) if before is None else _revisions(scope).where(PolicyRevision.number < before)
    asked = asked.order_by(PolicyRevision.number.desc()).limit(max(1, min(first, LARGEST_PAGE)))
    return [Revision(*row) for row in db.execute(asked, execution_options=bypass_policy(Because.JUDGES_RIGHTS))]


def revision(scope: Scope, db: Session, number: int) -> Revision:
    """One revision with its text.  Raises Forbidden, NotFound."""
    scope.allow("view", "policy")
    asked = _revisions(scope).add_columns(PolicyRevision.text).where(PolicyRevision.number == number)
    row = db.execute(asked, execution_options=bypass_policy(Because.JUDGES_RIGHTS)).first()
    if row is None:
        raise NotFound(what=PolicyRevision.names, field="number")
    return Revision(*row)


def text_of(db: Session, number: int) -> str:
    """The activated text of a revision.  Raises NotFound, InvalidPolicyText for a text that was changed by hand."""
    found = db.execute(select(PolicyRevision.text, PolicyRevision.hash).where(PolicyRevision.number == number)).first()
    if found is None:
        raise NotFound(what=PolicyRevision.names, field="number")
    if hash_of(found.text) != found.hash:
        raise InvalidPolicyText(problems=[f"line 1: somebody has changed the text of revision {number} by hand"])
    return str(found.text)


def last_of_administrators(db: Session) -> int | None:
    """The number of the newest revision that an administrator, or the system, put in force."""
    asked = select(PolicyRevision.number, PolicyRevision.author_id, PolicyRevision.review)
    for number, author_id, review in db.execute(asked.order_by(PolicyRevision.number.desc())):
        if (review or {}).get("by_administrator", author_id is None):
            return int(number)
    return None


# --- steps -----------------------------------------------------------------------------------------------


def _revisions(scope: Scope) -> Select[Any]:
    kept = PolicyRevision
    columns = (
        kept.number,
        kept.at,
        kept.author_id,
        shown_name(scope),
        kept.reason,
        kept.parent,
        kept.back_to,
        kept.review,
    )
    return select(*columns).outerjoin(User, User.id == kept.author_id)
