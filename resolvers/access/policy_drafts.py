"""Policy drafts: write one, activate it after review, roll back to an older revision.

A revision takes effect in the transaction that writes it: every request that begins later is judged by it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from models import PolicyDraft, Role, User
from models.database.bypass import Because, bypass_policy
from models.errors import Conflict, NotFound, Validation
from policies.edit import copied, merged

from ..records import create_update
from ..runtime.inputs import line
from ..runtime.policy_store import foreign_text, newest, storable
from ..runtime.scope import Scope
from .grant_limits import lock_rights
from .policy_activation import put_reviewed_in_force
from .policy_review import Review, current_policy, judge, review_policy
from .policy_revisions import text_of
from .user_names import or_somebody, shown_name

_QUIET = {"synchronize_session": False}


@dataclass(frozen=True)
class Draft:
    """The policy text that one author is working on; `is_behind` when a newer revision exists than its `base`.

    Without an `author_id` it is the system's: lines about what is new in this version.
    """

    id: int
    author_id: int | None
    author: str
    base: int
    text: str
    at: datetime
    is_behind: bool


@dataclass(frozen=True)
class PolicyWorkspace:
    """The policy in force, the caller's draft and the drafts of others.

    `roles`: code -> (id, name in the caller's language).  `foreign`: lines that another tool has written into
    `casbin_rule`; they have no effect.
    """

    number: int
    in_force: str
    mine: Draft | None
    others: list[Draft]
    roles: dict[str, tuple[int, str]]
    foreign: str | None

    @property
    def text(self) -> str:
        """The text to edit: the caller's draft, or the policy in force."""
        return self.mine.text if self.mine is not None else self.in_force

    def draft(self, id: str) -> Draft | None:
        """The draft of another author with this id, else the caller's own."""
        return next((draft for draft in self.others if str(draft.id) == id), self.mine)


def workspace(scope: Scope, db: Session) -> PolicyWorkspace:
    """Policy, drafts and roles for a caller who may view the policy.  Raises Forbidden."""
    found, stored = drafts(scope, db), newest(db)
    mine = next((draft for draft in found if draft.author_id == scope.me), None)
    others = [draft for draft in found if draft is not mine]
    return PolicyWorkspace(
        stored.number, current_policy(scope, stored).text, mine, others, _roles(scope, db), foreign_text(db)
    )


def role_titles(scope: Scope, db: Session) -> dict[str, str]:
    """Code -> name of the role in the caller's language.  Needs no right, because names of roles are not secret."""
    return {code: name for code, (_, name) in _roles(scope, db).items()}


def _roles(scope: Scope, db: Session) -> dict[str, tuple[int, str]]:
    known = select(Role.code, Role.id, Role.name, Role.name_zh).where(Role.deleted_at.is_(None)).order_by(Role.id)
    chinese = scope.language.startswith("zh")
    found = db.execute(known, execution_options=bypass_policy(Because.JUDGES_RIGHTS))
    return {code: (id, zh if chinese and zh else name) for code, id, name, zh in found}


# --- drafts ----------------------------------------------------------------------------------------------


def draft_policy(scope: Scope, text: str) -> int:
    """Store a text as the caller's one draft, whatever is wrong with it; returns the id of the draft.

    Raises Forbidden, Validation for a text that is too long.
    """
    return change_draft(scope, lambda _: text)


def change_draft(scope: Scope, change: Callable[[str], str]) -> int:
    """Apply `change` to the caller's draft, or to a new one from the policy in force; returns the id of the draft.

    Raises as `draft_policy`.
    """
    with scope.write("policy.edit") as db:
        scope.allow("edit", "policy")
        draft = _draft_by(db, scope.me)
        if draft is None:
            stored = newest(db)
            draft = PolicyDraft(author_id=scope.me, base=stored.number, text=current_policy(scope, stored).text)
            db.add(draft)
        draft.text, draft.at = storable(change(draft.text)), scope.person.now
        db.flush()
        return draft.id


def discard_draft(scope: Scope, *, of_system: bool = False) -> None:
    """Delete the caller's draft, or the system's; without one nothing happens."""
    with scope.write("policy.edit") as db:
        scope.allow("edit", "policy")
        author_id = None if of_system else scope.me
        db.execute(
            delete(PolicyDraft).where(PolicyDraft.author_id.is_not_distinct_from(author_id)), execution_options=_QUIET
        )


def catch_up(scope: Scope, *, of_system: bool = False) -> int:
    """Rebase the caller's draft, or the system's, on the newest revision; returns its number.

    Raises NotFound without a draft.
    """
    with scope.write("policy.edit") as db:
        scope.allow("edit", "policy")
        draft = _draft_by(db, None if of_system else scope.me)
        if draft is None:
            raise NotFound(what=PolicyDraft.names)
        stored, begun = newest(db), text_of(db, draft.base)
        draft.text = merged(begun, draft.text, current_policy(scope, stored).text)
        draft.base, draft.at = stored.number, scope.person.now
        return stored.number


def drafts(scope: Scope, db: Session) -> list[Draft]:
    """All drafts, newest first.  Raises Forbidden for a caller who may not view the policy."""
    scope.allow("view", "policy")
    found = db.execute(
        _drafts(scope).order_by(PolicyDraft.at.desc(), PolicyDraft.id.desc()),
        execution_options=bypass_policy(Because.JUDGES_RIGHTS),
    )
    number = newest(db).number
    return [
        Draft(x.id, x.author_id, _author(scope, x.author_id, name), x.base, x.text, x.at, x.base != number)
        for x, name in found
    ]


def review_draft(scope: Scope, db: Session, draft_id: int) -> Review:
    """The review of a draft of any author.  Raises Forbidden, NotFound."""
    found = next((draft for draft in drafts(scope, db) if draft.id == draft_id), None)
    if found is None:
        raise NotFound(what=PolicyDraft.names, field="draftId")
    return review_policy(scope, db, found.text)


# --- revisions -------------------------------------------------------------------------------------------


def activate_policy(scope: Scope, draft_id: int, reason: str, reviewed: str) -> int:
    """Put a draft in force; returns the number of the new revision.  `reviewed` is the hash that its review returned.

    Raises Forbidden, NotFound, Conflict (draft or policy have changed since the review), InvalidPolicyText,
    BeyondCeiling, LastAdministrator, NeedsSecond, Validation (no reason, or nothing changes).
    """
    with scope.write("policy.activate", _reason(reason)) as db:
        lock_rights(scope, db)
        scope.allow("activate", "policy")
        draft = db.execute(select(PolicyDraft).where(PolicyDraft.id == draft_id).with_for_update()).scalar_one_or_none()
        if draft is None:
            raise NotFound(what=PolicyDraft.names)
        review = judge(scope, db, draft.text)
        if review.base != draft.base or review.hash != reviewed:
            raise Conflict(label="The policy", label_zh="策略", field="text")
        number = put_reviewed_in_force(scope, db, review, reason, author_id=draft.author_id)
        db.execute(delete(PolicyDraft).where(PolicyDraft.id == draft_id), execution_options=_QUIET)
        return number


def apply_policy(scope: Scope, text: str, reason: str, base: int | None = None) -> int:
    """Review a text and put it in force in one step, for the command line; returns the number of the new revision.

    Raises as `activate_policy`; Conflict when the newest revision is not `base`.
    """
    with scope.write("policy.activate", _reason(reason)) as db:
        lock_rights(scope, db)
        scope.allow("activate", "policy")
        review = judge(scope, db, text)
        if base is not None and review.base != base:
            raise Conflict(label="The policy", label_zh="策略", field="text")
        return put_reviewed_in_force(scope, db, review, reason, author_id=scope.person.id)


def rollback_policy(scope: Scope, number: int, reason: str, base: int | None = None) -> int:
    """Put the text of an older revision in force as a new revision, after the same review; returns its number.

    An administrator may always bring back the last revision that an administrator made, unless no administrator would
    be left.  Raises as `apply_policy`.
    """
    with scope.write("policy.activate", _reason(reason)) as db:
        lock_rights(scope, db)
        scope.allow("activate", "policy")
        review = judge(scope, db, text_of(db, number))
        if base is not None and review.base != base:
            raise Conflict(label="The policy", label_zh="策略", field="text")
        return put_reviewed_in_force(scope, db, review, reason, author_id=scope.person.id, back_to=number)


def copy_role(scope: Scope, role_id: int, code: str, name: str, reason: str) -> int:
    """Create a role with the same policy lines as another; returns its id.

    Raises as `activate_policy` and as the creation of a role.
    """
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

SYSTEM_AUTHOR = "Millpond"
"""What the author of the system's draft is called."""


def _drafts(scope: Scope) -> Select[Any]:
    return select(PolicyDraft, shown_name(scope)).outerjoin(User, User.id == PolicyDraft.author_id)


def _author(scope: Scope, author_id: int | None, name: str | None) -> str:
    return SYSTEM_AUTHOR if author_id is None else or_somebody(scope, name)


def _draft_by(db: Session, author_id: int | None) -> PolicyDraft | None:
    """The draft of an author, None for the system, locked."""
    same = PolicyDraft.author_id.is_not_distinct_from(author_id)
    return db.execute(select(PolicyDraft).where(same).with_for_update()).scalar_one_or_none()


def _reason(reason: str) -> str:
    text = line(reason, "reason")
    if not text:
        raise Validation("Say why: the history keeps it.", "请填写原因，历史中会保留。", field="reason")
    return text
