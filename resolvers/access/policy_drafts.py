"""How the policy changes: a draft is written, reviewed and activated; every state is kept, and may come back.

A revision takes effect in the transaction that writes it: requests that begin later are judged by it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import PolicyDraft, PolicyRevision, Role, User
from models.actions import actions_in_chinese
from models.audit.entries import Changes, entry, write_row
from models.database.bypass import Because, bypass_policy
from models.errors import (
    Conflict,
    InvalidPolicyText,
    LastAdministrator,
    NeedsSecond,
    NotFound,
    Validation,
)
from policies.edit import copied, merged

from ..reading.pages import LARGEST_PAGE
from ..records import create_update
from ..runtime import policy_proof
from ..runtime.inputs import line
from ..runtime.policy_store import LONGEST_TEXT, MOST_ROWS, Stored, foreign_text, hash_of, newest, put_in_force
from ..runtime.scope import Scope
from .grant_limits import beyond, hold_rights
from .policy_review import Review, current_policy, judge, review_policy

_LINES_LOGGED = 50
_QUIET = {"synchronize_session": False}


@dataclass(frozen=True)
class Draft:
    """A policy that somebody is working on; `is_behind` when another revision has come since it began."""

    id: int
    author_id: int
    author: str
    base: int
    text: str
    at: datetime
    is_behind: bool


@dataclass(frozen=True)
class Revision:
    """One state of the policy; the text only where it was asked for."""

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
class PolicyWorkspace:
    """What somebody who works on the policy has before him: what is in force, his draft, those of others.

    `foreign` is what somebody else's tool has written into `casbin_rule`: it has no effect, but may be looked at.
    """

    number: int
    in_force: str
    mine: Draft | None
    others: list[Draft]
    roles: dict[str, tuple[int, str]]
    foreign: str | None

    @property
    def text(self) -> str:
        """What he works on: his draft, or what is in force."""
        return self.mine.text if self.mine is not None else self.in_force

    def draft(self, id: str) -> Draft | None:
        """The draft with this id; one's own for any other text."""
        return next((draft for draft in self.others if str(draft.id) == id), self.mine)


def workspace(scope: Scope, db: Session) -> PolicyWorkspace:
    """The state of the policy for who may see it.  Raises Forbidden.  `roles`: code -> (id, name in one's language)."""
    found, stored = drafts(scope, db), newest(db)
    mine = next((draft for draft in found if draft.author_id == scope.me), None)
    others = [draft for draft in found if draft is not mine]
    return PolicyWorkspace(
        stored.number, current_policy(scope, stored).text, mine, others, _roles(scope, db), foreign_text(db)
    )


def role_titles(scope: Scope, db: Session) -> dict[str, str]:
    """Code -> what a role is called in one's language.  What roles are called is no secret."""
    return {code: name for code, (_, name) in _roles(scope, db).items()}


def _roles(scope: Scope, db: Session) -> dict[str, tuple[int, str]]:
    known = select(Role.code, Role.id, Role.name, Role.name_zh).where(Role.deleted_at.is_(None)).order_by(Role.id)
    chinese = scope.language.startswith("zh")
    found = db.execute(known, execution_options=bypass_policy(Because.JUDGES_RIGHTS))
    return {code: (id, zh if chinese and zh else name) for code, id, name, zh in found}


@dataclass(frozen=True)
class InForce:
    """The policy in force: why a newer revision is not, and what somebody wrote into `casbin_rule` past Millpond."""

    number: int
    text: str
    problems: list[str]
    foreign: str | None


# --- drafts ----------------------------------------------------------------------------------------------


def draft_policy(scope: Scope, text: str) -> int:
    """Keep a text as one's own draft, whatever is wrong with it; gives its id.  One draft per person.

    Raises Forbidden, Validation for a text too long.
    """
    return change_draft(scope, lambda _: text)


def change_draft(scope: Scope, change: Callable[[str], str]) -> int:
    """Make a change to one's own draft, or begin one with it; gives its id.  Raises as `draft_policy`."""
    with scope.write("policy.edit") as db:
        scope.allow("edit", "policy")
        draft = _mine(scope, db)
        if draft is None:
            stored = newest(db)
            draft = PolicyDraft(author_id=scope.me, base=stored.number, text=current_policy(scope, stored).text)
            db.add(draft)
        draft.text, draft.at = _kept(change(draft.text)), scope.person.now
        db.flush()
        return draft.id


def discard_draft(scope: Scope) -> None:
    """Give up one's own draft.  Without one nothing happens."""
    with scope.write("policy.edit") as db:
        scope.allow("edit", "policy")
        db.execute(delete(PolicyDraft).where(PolicyDraft.author_id == scope.me), execution_options=_QUIET)


def catch_up(scope: Scope) -> int:
    """Put one's own changes on top of the newest revision; gives its number.  Raises NotFound without a draft."""
    with scope.write("policy.edit") as db:
        scope.allow("edit", "policy")
        draft = _mine(scope, db)
        if draft is None:
            raise NotFound(what=PolicyDraft.names)
        stored, begun = newest(db), _text_of(db, draft.base)
        draft.text = merged(begun, draft.text, current_policy(scope, stored).text)
        draft.base, draft.at = stored.number, scope.person.now
        return stored.number


def drafts(scope: Scope, db: Session) -> list[Draft]:
    """All drafts that wait, the newest first.  Raises Forbidden for somebody who may not see the policy."""
    scope.allow("view", "policy")
    found = db.execute(
        _DRAFTS.order_by(PolicyDraft.at.desc(), PolicyDraft.id.desc()),
        execution_options=bypass_policy(Because.JUDGES_RIGHTS),
    )
    number = newest(db).number
    return [Draft(x.id, x.author_id, name, x.base, x.text, x.at, x.base != number) for x, name in found]


def review_draft(scope: Scope, db: Session, draft_id: int) -> Review:
    """The review of somebody's draft.  Raises Forbidden, NotFound."""
    found = next((draft for draft in drafts(scope, db) if draft.id == draft_id), None)
    if found is None:
        raise NotFound(what=PolicyDraft.names, field="draftId")
    return review_policy(scope, db, found.text)


# --- revisions -------------------------------------------------------------------------------------------


def activate_policy(scope: Scope, draft_id: int, reason: str, reviewed: str) -> int:
    """Put a draft in force; gives the number of the new revision.  `reviewed` is the hash that its review showed.

    Raises Forbidden, NotFound, Conflict (the draft or the policy is another one than was reviewed), InvalidPolicyText,
    BeyondCeiling, LastAdministrator, NeedsSecond, Validation (no reason, nothing changes).
    """
    with scope.write("policy.activate", _reason(reason)) as db:
        hold_rights(scope, db)
        scope.allow("activate", "policy")
        draft = db.execute(select(PolicyDraft).where(PolicyDraft.id == draft_id).with_for_update()).scalar_one_or_none()
        if draft is None:
            raise NotFound(what=PolicyDraft.names)
        review = judge(scope, db, draft.text)
        if review.base != draft.base or review.hash != reviewed:
            raise Conflict(label="The policy", label_zh="策略", field="text")
        number = _activate(scope, db, review, reason, author_id=draft.author_id)
        db.execute(delete(PolicyDraft).where(PolicyDraft.id == draft_id), execution_options=_QUIET)
        return number


def apply_policy(scope: Scope, text: str, reason: str, base: int | None = None) -> int:
    """Review a text and put it in force in one step: what the command line does.  Raises as `activate_policy`."""
    with scope.write("policy.activate", _reason(reason)) as db:
        hold_rights(scope, db)
        scope.allow("activate", "policy")
        review = judge(scope, db, text)
        if base is not None and review.base != base:
            raise Conflict(label="The policy", label_zh="策略", field="text")
        return _activate(scope, db, review, reason, author_id=scope.person.id)


def rollback_policy(scope: Scope, number: int, reason: str, base: int | None = None) -> int:
    """Bring back the text of an older revision, as a new one and through the same review.  Raises as above."""
    with scope.write("policy.activate", _reason(reason)) as db:
        hold_rights(scope, db)
        scope.allow("activate", "policy")
        review = judge(scope, db, _text_of(db, number))
        if base is not None and review.base != base:
            raise Conflict(label="The policy", label_zh="策略", field="text")
        return _activate(scope, db, review, reason, author_id=scope.person.id, back_to=number)


def in_force(scope: Scope, db: Session) -> InForce:
    """The policy by which this process judges.  Raises Forbidden."""
    scope.allow("view", "policy")
    return InForce(
        scope.policy.revision, scope.policy.text, scope.backend.policy_problems_in(scope.language), foreign_text(db)
    )


def revisions(scope: Scope, db: Session, before: int | None = None, first: int = 50) -> list[Revision]:
    """The states of the policy, the newest first, without their texts.  Raises Forbidden."""
    scope.allow("view", "policy")
    asked = _REVISIONS if before is None else _REVISIONS.where(PolicyRevision.number < before)
    asked = asked.order_by(PolicyRevision.number.desc()).limit(max(1, min(first, LARGEST_PAGE)))
    return [Revision(*row) for row in db.execute(asked, execution_options=bypass_policy(Because.JUDGES_RIGHTS))]


def revision(scope: Scope, db: Session, number: int) -> Revision:
    """One state with its text.  Raises Forbidden, NotFound."""
    scope.allow("view", "policy")
    asked = _REVISIONS.add_columns(PolicyRevision.text).where(PolicyRevision.number == number)
    row = db.execute(asked, execution_options=bypass_policy(Because.JUDGES_RIGHTS)).first()
    if row is None:
        raise NotFound(what=PolicyRevision.names, field="number")
    return Revision(*row)


def copy_role(scope: Scope, role_id: int, code: str, name: str, reason: str) -> int:
    """Make a role with the same lines as another; gives its id.  Raises as `activate_policy` and as creating a role."""
    with scope.write("role.create", _reason(reason)) as db:
        scope.allow("activate", "policy")
        origin = scope.load(db, Role, role_id, to="view")
        made = create_update.create(scope, Role, {"code": code, "name": name})
        now = current_policy(scope, newest(db)).text
        text = copied(now, origin.code, made.code)
        if text != now:
            apply_policy(scope, text, reason)
        return made.id


# --- steps -----------------------------------------------------------------------------------------------

_DRAFTS = select(PolicyDraft, User.name).join(User, User.id == PolicyDraft.author_id)
_REVISIONS = select(
    PolicyRevision.number,
    PolicyRevision.at,
    PolicyRevision.author_id,
    User.name,
    PolicyRevision.reason,
    PolicyRevision.parent,
    PolicyRevision.back_to,
    PolicyRevision.review,
).outerjoin(User, User.id == PolicyRevision.author_id)


def _activate(
    scope: Scope, db: Session, review: Review, reason: str, author_id: int | None, back_to: int | None = None
) -> int:
    """Put what was reviewed in force, or raise what stands against it."""
    if review.problems:
        raise InvalidPolicyText(problems=review.problems)
    if not review.added and not review.removed:
        raise Validation("Nothing changes: the policy says all of this already.", "策略没有任何变化。", field="text")
    for first in review.beyond:
        raise beyond(first.roles, first.actions, first.object, first.when)
    if not review.keeps_an_administrator:
        raise LastAdministrator
    if review.needs_second and author_id == scope.person.id is not None:
        raise NeedsSecond(what=", ".join(review.widens), what_zh=actions_in_chinese(review.widens))
    now = scope.person.now
    proof = policy_proof.recorded(policy_proof.demand(db, review.text, now), review.text)
    told = review.in_short()
    number = put_in_force(db, review.text, reason, now, author_id, back_to=back_to, review=told, proof=proof)
    changes: Changes = {"lines": [_some(review.removed), _some(review.added)]}
    write_row(db, entry(db.info["signature"], now, "policy", None, changes, label=f"#{number}"))
    scope.tell(db, "policy", number)
    scope.after_commit(lambda: scope.backend.take_policy(Stored(number, review.text, is_whole=True, is_proved=True)))
    return number


def _mine(scope: Scope, db: Session) -> PolicyDraft | None:
    return db.execute(
        select(PolicyDraft).where(PolicyDraft.author_id == scope.me).with_for_update()
    ).scalar_one_or_none()


def _kept(text: str) -> str:
    """A text as it is stored.  Raises Validation."""
    if len(text) > LONGEST_TEXT:
        raise Validation(
            f"A policy has at most {LONGEST_TEXT:,} characters.", f"策略最多 {LONGEST_TEXT:,} 个字符。", field="text"
        )
    if text.count("\n") > MOST_ROWS:
        raise Validation(f"A policy has at most {MOST_ROWS:,} rows.", f"策略最多 {MOST_ROWS:,} 行。", field="text")
    whole = text.encode(errors="ignore").decode()  # without halves of characters, which no encoding holds
    return whole.replace("\0", "").replace("\r\n", "\n")


def _some(lines: Sequence[str]) -> list[str] | None:
    """As many lines as fit into an entry of the log; the revisions have them all."""
    return [*lines[:_LINES_LOGGED], *(["…"] if len(lines) > _LINES_LOGGED else [])] or None


def _text_of(db: Session, number: int) -> str:
    """The text of a revision, as it was activated.  Raises NotFound, InvalidPolicyText for one changed by hand."""
    found = db.execute(select(PolicyRevision.text, PolicyRevision.hash).where(PolicyRevision.number == number)).first()
    if found is None:
        raise NotFound(what=PolicyRevision.names, field="number")
    if hash_of(found.text) != found.hash:
        raise InvalidPolicyText(problems=[f"line 1: somebody has changed the text of revision {number} by hand"])
    return str(found.text)


def _reason(reason: str) -> str:
    text = line(reason, "reason")
    if not text:
        raise Validation("Say why: the history keeps it.", "请填写原因，历史中会保留。", field="reason")
    return text
