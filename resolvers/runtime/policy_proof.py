"""Proofs of policy revisions: made outside the transaction, kept for this process, recorded with the revision.

A proof takes up to two seconds.  SQLite has one writer, so no transaction waits for it: a use case that needs a proof
raises `Unproved`, its scope makes the proof, and the use case runs again.
"""

import threading
from collections.abc import Collection
from datetime import datetime
from typing import Any

from cachetools import FIFOCache
from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from models import PolicyRevision, Role, User, UserRole
from models.database.bypass import Because, bypass_policy
from models.errors import InvalidPolicyText
from policies import InvalidPolicy, Snapshot
from policies.edit import difference
from policies.proof import Proof, fingerprint, prove
from policies.questions import Roles

from .policy_store import Ask, Stored, newest

MOST_PROOFS = 16
"""Maximum number of proofs kept in a process."""
_proofs: FIFOCache[tuple[str, frozenset[Roles]], Proof] = FIFOCache(MOST_PROOFS)
_proving = threading.Lock()
"""One proof at a time: two of the same text would only take twice as long."""


class Unproved(Exception):
    """A text has no proof yet.  Raised inside a transaction, which is undone; `prove` makes the proof without one."""

    def __init__(self, text: str, sets: frozenset[Roles], changed: Collection[str]) -> None:
        self.text, self.sets, self.changed = text, sets, changed
        super().__init__("the policy has to be proved before it takes effect")

    def prove(self) -> None:
        """Make the proof.  Raises InvalidPolicyText, which names the line, where Casbin and the cells differ."""
        try:
            proved(Snapshot(self.text), self.sets, self.changed)
        except InvalidPolicy as failure:
            raise InvalidPolicyText(problems=failure.problems, first_zh=failure.said("zh")[0]) from None


def demand(db: Session, text: str, now: datetime) -> Proof:
    """The proof of a text for the role sets in use.  Raises Unproved where there is none yet."""
    sets = role_sets(db, now)
    proof = _proofs.get((text, sets))
    if proof is None:
        raise Unproved(text, sets, difference(newest(db).text, text)[1])
    return proof


def proved(policy: Snapshot, sets: frozenset[Roles], changed: Collection[str] = ()) -> Proof:
    """The proof of a policy, made now unless this process has made it before.  Raises InvalidPolicy."""
    with _proving:
        key = policy.text, sets
        if key not in _proofs:
            _proofs[key] = prove(policy, sets, changed)
        return _proofs[key]


def forget() -> None:
    """Forget the proofs of this process: what is asked for next is proved anew."""
    _proofs.clear()


def role_sets(ask: Ask, now: datetime) -> frozenset[Roles]:
    """Every set of roles that an active user holds at this time, and the empty one."""
    held: dict[int, set[str]] = {}
    for user_id, code in ask.execute(
        _HELD.where(_in_force(now)), execution_options=bypass_policy(Because.JUDGES_RIGHTS)
    ):
        held.setdefault(user_id, set()).add(code)
    return frozenset({frozenset[str](), *map(frozenset, held.values())})


def recorded(proof: Proof, text: str) -> dict[str, Any]:
    """What is stored with the revision: by which code it was proved, and how much was checked."""
    numbers = {"decisions": proof.decisions, "lines_tried": proof.lines_tried, "lines": proof.lines}
    return {"by": fingerprint(text), **numbers, "seconds": round(proof.seconds, 3)}


def record(ask: Ask, number: int, proof: Proof, text: str) -> None:
    """Store with a revision that this code has proved it."""
    kept = update(PolicyRevision.__table__).where(PolicyRevision.number == number)  # type: ignore[arg-type]  # a Table
    ask.execute(kept.values(proof=recorded(proof, text)))


_HELD = (
    select(UserRole.user_id, Role.code)
    .join(Role, and_(Role.id == UserRole.role_id, Role.deleted_at.is_(None)))
    .join(User, and_(User.id == UserRole.user_id, User.active, User.deleted_at.is_(None)))
)


def _in_force(now: datetime) -> Any:
    begun = or_(UserRole.starts_at.is_(None), UserRole.starts_at <= now)
    return and_(UserRole.deleted_at.is_(None), begun, or_(UserRole.ends_at.is_(None), UserRole.ends_at > now))


def judged(stored: Stored, sets: frozenset[Roles], before: str) -> tuple[Snapshot | None, InvalidPolicy | None]:
    """The snapshot of a revision, or why there is none.  A proof is made here unless it is on record."""
    try:
        if not stored.is_whole:
            raise InvalidPolicy(["its text is not the one that was activated: somebody has changed it by hand"])
        policy = Snapshot(stored.text, stored.number)
        if not stored.is_proved:
            proved(policy, sets, difference(before, stored.text)[1])
    except InvalidPolicy as failure:
        return None, failure
    return policy, None
