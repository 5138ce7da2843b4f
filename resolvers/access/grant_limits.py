"""What nobody gets around: no right beyond what the giver may hand out, and never a house without an administrator.

Roles begin and end by themselves, so rights are compared for every moment from now on.  Whoever changes who holds what
calls `guard` after the change, inside its transaction; one such change at a time.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models import Credential, Role, User, UserRole
from models.actions import actions_in_chinese, object_in_chinese
from models.database.bypass import Because, bypass_policy
from models.errors import BeyondCeiling, LastAdministrator
from policies import Snapshot
from policies.review import Excess, Roles, can_administer, excesses
from policies.saying import phrase

from ..runtime.scope import Scope


@dataclass(frozen=True)
class Held:
    """A role that somebody holds, from when (None: since ever) until when (None: for good)."""

    role: str
    starts: datetime | None = None
    ends: datetime | None = None


Holdings = Mapping[int, Sequence[Held]]
"""Person -> roles held now or later.  Who is not there holds nothing."""


def holdings(
    db: Session, now: datetime, ids: Collection[int] | None = None, *, active: bool = True, batch: str | None = None
) -> dict[int, list[Held]]:
    """What people, all or these, hold now and later.

    `active` ones alone, or those too who cannot come in; with what went into the bin as `batch`, if that is given.
    """
    live = UserRole.deleted_at.is_(None)
    asked = (
        select(UserRole.user_id, Role.code, UserRole.starts_at, UserRole.ends_at)
        .join(Role, Role.id == UserRole.role_id)
        .join(User, User.id == UserRole.user_id)
        .where(or_(live, UserRole.delete_batch_id == batch) if batch else live, Role.deleted_at.is_(None))
        .where(or_(UserRole.ends_at.is_(None), UserRole.ends_at > now))
        .order_by(UserRole.user_id, Role.code)
    )
    if active:
        asked = asked.where(User.active, User.deleted_at.is_(None))
    if ids is not None:
        asked = asked.where(UserRole.user_id.in_(sorted(ids)))
    found: dict[int, list[Held]] = {}
    for user_id, code, starts, ends in db.execute(asked, execution_options=bypass_policy(Because.JUDGES_RIGHTS)):
        found.setdefault(user_id, []).append(Held(code, starts, ends))
    return found


def sets_of(held: Iterable[Held], now: datetime) -> set[Roles]:
    """Every set of roles that somebody holds at some moment from now on."""
    held = list(held)
    return {_at(held, moment) for moment in _moments(held, now)}


def guard(scope: Scope, db: Session, before: Holdings, ids: Collection[int]) -> None:
    """Judge what has become of the roles of these people; `before` is what they held.

    Raises BeyondCeiling when somebody got more than the person of the scope may hand out, LastAdministrator when
    nobody is left who could set things right.  The house itself is at the machine anyway and may hand out everything.
    """
    hold_rights(scope, db)
    now, policy = scope.person.now, scope.policy
    after = holdings(db, now, ids)
    pairs = {pair for id in ids for pair in _pairs(before.get(id, ()), after.get(id, ()), now)}
    if scope.person.id is not None:
        refuse_excess(excesses(policy, policy, pairs, scope.person.roles))
    everybody = holdings(db, now)
    was = {**everybody, **{id: before.get(id, ()) for id in ids}}
    refuse_to_lose_the_last(db, (policy, was), (policy, everybody), now)


def guard_account(scope: Scope, db: Session, user_id: int) -> None:
    """Raise BeyondCeiling for somebody who would come into an account that may do more than he may hand out."""
    if scope.person.id is None or user_id == scope.person.id:
        return
    held = holdings(db, scope.person.now, [user_id], active=False).get(user_id, [])
    taken = {(frozenset[str](), roles) for roles in sets_of(held, scope.person.now)}
    refuse_excess(excesses(scope.policy, scope.policy, taken, scope.person.roles))


def hold_rights(scope: Scope, db: Session) -> None:
    """One change of rights at a time until this transaction ends, judged by the policy that the one before has left.

    SQLite has one writer anyway.
    """
    if db.get_bind().dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("rights", 0))))
    scope.policy = scope.backend.follow_policy(db.connection())


def refuse_excess(found: Iterable[Excess]) -> None:
    """Raise BeyondCeiling for the first of what was found."""
    for first in found:
        raise beyond(first.roles, [first.action], first.object, first.when)


def beyond(roles: Roles, actions: Sequence[str], object: str, when: Sequence[str]) -> BeyondCeiling:
    """The refusal that names who would get which right, and the case that is the witness."""
    said = {"who": " + ".join(sorted(roles)) or "everybody", "action": ", ".join(actions), "object": object}
    said["when"] = f"when {' and '.join(when)}" if when else "always"
    chinese = {"who_zh": " + ".join(sorted(roles)) or "所有人", "action_zh": actions_in_chinese(actions)}
    return BeyondCeiling(**said, **chinese, object_zh=object_in_chinese(object), when_zh=phrase(when, "zh"))


def refuse_to_lose_the_last(
    db: Session, before: tuple[Snapshot, Holdings], after: tuple[Snapshot, Holdings], now: datetime
) -> None:
    """Raise LastAdministrator when there was somebody who keeps the house and there is nobody any more.

    He can sign in, and has all that it takes now and for good.
    """
    can_enter = set(db.execute(select(Credential.user_id)).scalars())
    if any(_keepers(*before, can_enter, now)) and not any(_keepers(*after, can_enter, now)):
        raise LastAdministrator


# --- steps -----------------------------------------------------------------------------------------------


def _keepers(policy: Snapshot, held: Holdings, can_enter: set[int], now: datetime) -> Iterator[int]:
    for id, roles in held.items():
        if id in can_enter and all(can_administer(policy, mine) for mine in sets_of(roles, now)):
            yield id


def _pairs(before: Sequence[Held], after: Sequence[Held], now: datetime) -> Iterator[tuple[Roles, Roles]]:
    """(roles held before, roles held after) at every moment at which either changes."""
    for moment in _moments([*before, *after], now):
        pair = _at(before, moment), _at(after, moment)
        if pair[0] != pair[1]:
            yield pair


def _moments(held: Iterable[Held], now: datetime) -> list[datetime]:
    """Now, and every later moment at which a role begins or ends."""
    edges = {edge for role in held for edge in (role.starts, role.ends) if edge is not None and edge > now}
    return sorted({now, *edges})


def _at(held: Iterable[Held], moment: datetime) -> Roles:
    return frozenset(
        x.role for x in held if (x.starts is None or x.starts <= moment) and (x.ends is None or x.ends > moment)
    )
