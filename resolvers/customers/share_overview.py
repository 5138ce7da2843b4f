"""Overview of shares: what a user has shared, what is shared with them, and what has ended."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, case, not_, or_, select
from sqlalchemy.orm import Session

from models import Customer, Share, ShareRequest, User
from models.customer import locked

from ..audit.moved_rights import given_to
from ..audit.value_names import visible_names
from ..runtime.inputs import invalid
from ..runtime.scope import Scope
from .share_people import Grantee, names_of_grantees
from .share_requests import requests

MOST = 200
"""Maximum number of shares of one answer."""


class ShareSide(StrEnum):
    """Whether a share was given by the reader or received."""

    GIVEN = "GIVEN"
    """By the caller, or of a customer that they own."""
    RECEIVED = "RECEIVED"
    """With the caller, a department of theirs or one of their roles."""


class ShareState(StrEnum):
    """How a share stands now."""

    ACTIVE = "ACTIVE"
    """It opens the customer now."""
    PLANNED = "PLANNED"
    """It has not begun yet."""
    SUSPENDED = "SUSPENDED"
    """The customer is locked, or lies in the recycle bin."""
    ENDED = "ENDED"
    """Its time is over."""
    REVOKED = "REVOKED"
    """It was ended by a user, or with the ownership."""


LIVE = frozenset({ShareState.ACTIVE, ShareState.PLANNED, ShareState.SUSPENDED})
OVER = frozenset(ShareState) - LIVE


@dataclass(frozen=True)
class ShareSeen:
    """A share as its reader gets it.  Names are None where the reader does not see the record."""

    row: Share
    state: ShareState
    customer: str | None
    grantee: str | None
    granted_by: str | None

    @property
    def id(self) -> int:
        return self.row.id


@dataclass(frozen=True)
class RequestSeen:
    """A request for a share as its reader gets it."""

    row: ShareRequest
    customer: str | None
    asked_by: str | None
    is_mine: bool


def shares(
    scope: Scope,
    db: Session,
    side: ShareSide,
    states: Collection[ShareState] | None = None,
    customer_id: int | None = None,
    first: int = MOST,
    ids: Collection[int] | None = None,
) -> list[ShareSeen]:
    """The shares of one side in these states, in all without them; the newest first, at most MOST.

    `customer_id`: only those of this customer.  `ids`: only these.
    """
    wanted = frozenset(ShareState) if states is None else frozenset(states)
    if not wanted:
        return []
    conditions = {state: _is(scope.person.now, state) for state in ShareState}
    state = case(*((condition, each.value) for each, condition in conditions.items()))
    asked = select(Share, state).where(_side(scope, side), or_(*(conditions[each] for each in sorted(wanted))))
    if customer_id is not None:
        asked = asked.where(Share.customer_id == customer_id)
    if ids is not None:
        asked = asked.where(Share.id.in_(ids))
    rows = db.execute(asked.order_by(Share.id.desc()).limit(max(1, min(first, MOST)))).all()
    return _seen(scope, db, [(share, ShareState(found)) for share, found in rows])


def share_requests(
    scope: Scope, db: Session, *, waiting: bool = False, ids: Collection[int] | None = None
) -> list[RequestSeen]:
    """The requests of the caller and those about their customers, each with the names that the caller sees."""
    rows = requests(scope, db, waiting=waiting, ids=ids)
    customers = visible_names(scope.viewer, db, Customer, {x.customer_id for x in rows}) if rows else {}
    users = visible_names(scope.viewer, db, User, {x.asked_by_id for x in rows}) if rows else {}
    return [
        RequestSeen(x, customers.get(x.customer_id), users.get(x.asked_by_id), x.asked_by_id == scope.me) for x in rows
    ]


def typed_moment(text: str, zone: ZoneInfo) -> datetime | None:
    """A time as a browser writes it, by the clocks of this zone; None for an empty one.  Raises Validation."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text[:30]).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid("ends_at", "is no time", "不是有效的时间") from None


def _side(scope: Scope, side: ShareSide) -> Any:
    if side is ShareSide.RECEIVED:
        return given_to(scope, Share.__table__.c)
    own = select(Customer.id).where(Customer.owner_id == scope.me)
    return or_(Share.granted_by_id == scope.me, Share.customer_id.in_(own))


def _is(now: datetime, state: ShareState) -> Any:
    """The condition of shares in a state.  What is not active any more leaves it by the clock, as in the policy."""
    c: Any = Share.__table__.c
    customer: Any = Customer.__table__.alias("suspended").c
    closed = or_(locked(customer, now), customer.deleted_at.is_not(None))
    suspended = c.customer_id.in_(select(customer.id).where(closed).execution_options(policy=True))
    revoked, ended = c.revoked_at.is_not(None), and_(c.ends_at.is_not(None), c.ends_at <= now)
    live = and_(not_(revoked), not_(ended))
    return {
        ShareState.REVOKED: revoked,
        ShareState.ENDED: and_(not_(revoked), ended),
        ShareState.PLANNED: and_(live, c.starts_at > now),
        ShareState.SUSPENDED: and_(live, c.starts_at <= now, suspended),
        ShareState.ACTIVE: and_(live, c.starts_at <= now, not_(suspended)),
    }[state]


def _seen(scope: Scope, db: Session, rows: Sequence[tuple[Share, ShareState]]) -> list[ShareSeen]:
    if not rows:
        return []
    customers = visible_names(scope.viewer, db, Customer, {x.customer_id for x, _ in rows})
    givers = visible_names(scope.viewer, db, User, {x.granted_by_id for x, _ in rows if x.granted_by_id})
    to: list[Grantee] = [(x.grantee_kind, x.grantee_id) for x, _ in rows]
    names = names_of_grantees(scope, db, to)
    return [
        ShareSeen(
            row,
            state,
            customers.get(row.customer_id),
            names.get((row.grantee_kind, row.grantee_id)),
            givers.get(row.granted_by_id or 0),
        )
        for row, state in rows
    ]
