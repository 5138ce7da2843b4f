"""Limits of granting: no user grants more than they may grant, and the last administrator stays.

Roles begin and end at fixed times, so rights are compared for every moment from now on.  A use case that changes roles
calls `guard` after the change, in the same transaction; a lock lets one such change run at a time.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models import Credential, Role, User, UserRole
from models.database.bypass import Because, bypass_policy
from models.errors import BeyondCeiling, GrantsToSelf, LastAdministrator, Refusal
from policies import Snapshot
from policies.administrators import bindings
from policies.reach import NOWHERE, gains, taken
from policies.review import Roles, can_administer, excesses

from ..runtime.scope import Scope
from .excess_refusals import refuse_bindings, refuse_excess
from .second_person import refuse_alone
from .standings import Chart, chart, what_is_own


@dataclass(frozen=True)
class Held:
    """A role that a user holds from `starts` (None: always) until `ends` (None: for good)."""

    role: str
    starts: datetime | None = None
    ends: datetime | None = None


Holdings = Mapping[int, Sequence[Held]]
"""User id -> roles held now or later.  A user without an entry holds none."""


def holdings(
    db: Session, now: datetime, ids: Collection[int] | None = None, *, active: bool = True, batch: str | None = None
) -> dict[int, list[Held]]:
    """User id -> roles held now or later, of all users or of these.

    `active`: active users only.  `batch`: also the roles that were deleted as this batch.
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
    """Every set of roles that is held together at some moment from now on."""
    held = list(held)
    return {_at(held, moment) for moment in _moments(held, now)}


def guard(
    scope: Scope, db: Session, before: Holdings, ids: Collection[int], stood: Callable[[Chart], Chart] | None = None
) -> None:
    """Judge a change of rights of these users; `before` is what roles they held.

    `stood` makes the chart as it was of the chart as it is, where a change of seats or departments is judged.
    Raises BeyondCeiling when a user has got more than the caller may grant, GrantsToSelf when that user is the caller,
    AdministratorsBound and LastAdministrator.  A system principal (command line, jobs) may grant everything, because it
    has the database anyway.
    """
    if (later := db.info.get(_LATER)) is not None and stood is None:
        for id in ids:
            later.setdefault(id, before.get(id, ()))
        return
    lock_rights(scope, db)
    now, policy = scope.person.now, scope.policy
    after = holdings(db, now, ids)
    pairs = {id: set(_pairs(before.get(id, ()), after.get(id, ()), now, always=stood is not None)) for id in ids}
    if scope.person.id is not None:
        everyone = {pair for mine in pairs.values() for pair in mine}
        refuse_excess(db, excesses(policy, policy, everyone, scope.person.roles))
        _refuse_reach(scope, db, pairs, stood or (lambda chart: chart))
    all_held = holdings(db, now)
    was = {**all_held, **{id: before.get(id, ()) for id in ids}}
    keep_an_administrator(db, (policy, was), (policy, all_held), now)
    _refuse_binding(scope, db, pairs)


_LATER = "roles judged later"
"""The key in a session's info of what `judged_together` collects: user id -> the roles held before."""


class RefusedTogether(Exception):
    """Changes of roles that were judged together are refused, and have to be undone.  `held`: the roles before."""

    def __init__(self, held: Holdings, first: Refusal) -> None:
        super().__init__()
        self.held, self.first = held, first


@contextmanager
def judged_together(scope: Scope, db: Session) -> Iterator[dict[int, Sequence[Held]]]:
    """Judge the roles that are given and taken inside once, at the end: for two hundred users a second instead of ten.

    What counts are the roles after, and those before that are yielded: user id -> roles, noted at the first change.
    Raises RefusedTogether; `refused_singly` then finds out whose roles are refused.
    """
    later: dict[int, Sequence[Held]] = {}
    db.info[_LATER] = later
    try:
        yield later
        db.flush()
    finally:
        del db.info[_LATER]
    try:
        guard(scope, db, later, [*later])
    except Refusal as refusal:
        raise RefusedTogether(later, refusal) from None


def is_judged_later(db: Session, user_id: int) -> bool:
    """Whether what this user held before is noted, so that a further change needs no look."""
    return user_id in db.info.get(_LATER, ())


def refused_singly(scope: Scope, db: Session, before: Holdings, action: str) -> dict[int, Refusal]:
    """User id -> the refusal of what has become of this user's roles, logged as an attempt to do `action`."""
    refused: dict[int, Refusal] = {}
    for id, held in before.items():
        try:
            with scope.write(action):
                guard(scope, db, {id: held}, [id])
        except Refusal as refusal:
            refused[id] = refusal
    return refused


def guard_places(scope: Scope, db: Session, stood: Callable[[Chart], Chart]) -> None:
    """Judge a change of seats or departments, by which any number of users stand elsewhere.  Raises as `guard`."""
    if scope.person.id is None:
        return
    held = holdings(db, scope.person.now)
    people = db.execute(_ACTIVE, execution_options=bypass_policy(Because.JUDGES_RIGHTS)).scalars().all()
    guard(scope, db, {id: held.get(id, ()) for id in people}, people, stood)


_ACTIVE = select(User.id).where(User.active, User.deleted_at.is_(None)).order_by(User.id)


def guard_account(scope: Scope, db: Session, user_id: int, *, to_look: bool = False) -> None:
    """Raise BeyondCeiling when the caller would get into an account with rights that they may not grant.

    What the user owns counts as well: with the account the caller reaches it, although it is not theirs.  `to_look`: the
    caller changes nothing, so it is enough that they may let others do so with what those own.
    """
    if scope.person.id is None or user_id == scope.person.id:
        return
    held = holdings(db, scope.person.now, [user_id], active=False).get(user_id, [])
    places = chart(scope, db, of=user_id)
    author, mine = places.standing(scope.person.id, scope.person.roles), what_is_own(db, user_id)
    for roles in sorted(sets_of(held, scope.person.now), key=sorted):
        account = places.standing(user_id, roles)
        looked = gains(scope.policy, NOWHERE, account, author, is_self=False)
        refuse_excess(db, looked if to_look else taken(scope.policy, account, author, mine))


def lock_rights(scope: Scope, db: Session) -> None:
    """Lock all changes of rights until this transaction ends, and take the policy that the last change has left.

    On SQLite the one writer is lock enough.
    """
    if db.get_bind().dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("rights", 0))))
    scope.policy = scope.backend.follow_policy(db.connection())


def is_administrator(scope: Scope) -> bool:
    """Whether the caller may set everything right again, by the policy in force; a system principal may."""
    return scope.person.id is None or can_administer(scope.policy, scope.person.roles)


def keep_an_administrator(
    db: Session, before: tuple[Snapshot, Holdings], after: tuple[Snapshot, Holdings], now: datetime
) -> None:
    """Raise LastAdministrator when there was an administrator before and there is none after.

    An administrator can sign in, and has the rights of `can_administer` at every moment from now on.
    """
    can_enter = set(db.execute(select(Credential.user_id)).scalars())
    if any(_administrators(*before, can_enter, now)) and not any(_administrators(*after, can_enter, now)):
        raise LastAdministrator


# --- steps -----------------------------------------------------------------------------------------------


def _administrators(policy: Snapshot, held: Holdings, can_enter: set[int], now: datetime) -> Iterator[int]:
    for id, roles in held.items():
        if id in can_enter and all(can_administer(policy, mine) for mine in sets_of(roles, now)):
            yield id


def _refuse_reach(
    scope: Scope, db: Session, pairs: Mapping[int, Iterable[tuple[Roles, Roles]]], stood: Callable[[Chart], Chart]
) -> None:
    """Raise the refusal of the first right that a user gains by where they stand and that the caller may not grant."""
    now = chart(scope, db)
    then = stood(now)
    author = then.standing(scope.person.id, scope.person.roles)
    changes = {id: {(then.standing(id, old), now.standing(id, new)) for old, new in mine} for id, mine in pairs.items()}
    for before, after, is_self in {(*pair, id == scope.person.id) for id, mine in changes.items() for pair in mine}:
        if before != after:
            found = gains(scope.policy, before, after, author, is_self=is_self)
            refuse_excess(db, found, GrantsToSelf if is_self else BeyondCeiling)
    refuse_alone(scope, db, changes)


def _refuse_binding(scope: Scope, db: Session, pairs: Mapping[int, Iterable[tuple[Roles, Roles]]]) -> None:
    """Raise AdministratorsBound when a caller who is no administrator takes from one what makes them one."""
    if not is_administrator(scope):
        refuse_bindings(db, bindings(scope.policy, scope.policy, {pair for mine in pairs.values() for pair in mine}))


def _pairs(
    before: Sequence[Held], after: Sequence[Held], now: datetime, *, always: bool = False
) -> Iterator[tuple[Roles, Roles]]:
    """(roles held before, roles held after) at every moment at which either changes, or `always`."""
    for moment in _moments([*before, *after], now):
        pair = _at(before, moment), _at(after, moment)
        if always or pair[0] != pair[1]:
            yield pair


def _moments(held: Iterable[Held], now: datetime) -> list[datetime]:
    """Now, and every later moment at which a role begins or ends."""
    edges = {edge for role in held for edge in (role.starts, role.ends) if edge is not None and edge > now}
    return sorted({now, *edges})


def _at(held: Iterable[Held], moment: datetime) -> Roles:
    return frozenset(
        x.role for x in held if (x.starts is None or x.starts <= moment) and (x.ends is None or x.ends > moment)
    )
