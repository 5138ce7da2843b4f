"""The daily limit of pages of pooled customers: which of them a user has opened today, and whether one more is open.

Lists show what the policy lets them; the limit is about the page of one customer.  Each page that is opened under a
limit is logged.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, bindparam, func, not_, or_, select
from sqlalchemy.orm import Session

from models import ClaimRule, Customer, PoolView, User
from models.audit.entries import entry
from models.audit.recording import write_row
from models.database.bypass import Because, bypass_policy
from models.database.prepared import Prepared, upsert
from models.errors import ViewLimitReached

from ..ownership.quota import midnight
from ..runtime.scope import Scope
from ..runtime.viewer import Clause, Viewer

_VIEW: Any = PoolView.__table__


def is_open(viewer: Viewer, e: Any) -> Clause:
    """Condition: the page of this customer shows without a further count.

    It has an owner, lies in a pool without a limit or in one that the viewer administers, or was opened today.
    """
    person, rule, seen = viewer.person, ClaimRule.__table__.alias(), _VIEW.alias()
    if person.viewed_by is not None:
        return e.id == e.id  # type: ignore[no-any-return]  # who views as another user counts for neither of them
    limited = select(rule.c.id).where(rule.c.pool_id == e.pool_id, rule.c.daily_view_limit.is_not(None))
    limited = limited.where(rule.c.deleted_at.is_(None)).correlate_except(rule).execution_options(policy=True)
    opened = select(seen.c.user_id).where(
        seen.c.user_id == person.id, seen.c.customer_id == e.id, seen.c.until > person.now
    )
    mine = e.pool_id.in_(sorted(person.admin_pools)) if person.admin_pools else None
    open_to_all = [e.pool_id.is_(None), not_(limited.exists()), opened.correlate_except(seen).exists()]
    return or_(*open_to_all, *([mine] if mine is not None else []))


def _day(zone: str, now: datetime) -> date:
    return now.astimezone(ZoneInfo(zone)).date()


def closed(scope: Scope, db: Session, id: int) -> bool:
    """Whether the caller sees this customer, and its page waits for a count."""
    return bool(closed_among(scope, db, [id]))


def closed_among(scope: Scope, db: Session, ids: Sequence[int]) -> list[int]:
    """Those of the customers that the caller sees, and whose pages wait for a count, by id."""
    asked = select(Customer.id).where(
        Customer.id.in_(ids), Customer.deleted_at.is_(None), not_(is_open(scope.viewer, Customer))
    )
    return list(db.execute(asked.order_by(Customer.id)).scalars()) if any(ids) else []


def open_page(scope: Scope, id: int) -> None:
    """Count and log the page of a pooled customer, once a day for each user.  Raises ViewLimitReached, NotFound."""
    with scope.write("customer.open") as db:
        customer = scope.load(db, Customer, id, to="view")
        pool_id, person = customer.pool_id, scope.person
        if pool_id is None or pool_id in person.admin_pools or (limit := _limit(db, pool_id)) is None:
            return
        me, today = scope.me, _day(person.zone, person.now)
        mine_alone = select(User.id).where(User.id == me).with_for_update(key_share=True)  # two pages count in turn
        db.execute(mine_alone, execution_options=bypass_policy(Because.LOCKS_ROWS))
        until = midnight(today + timedelta(days=1), person.zone)
        mine = and_(_VIEW.c.user_id == me, _VIEW.c.day == today)
        if db.execute(select(_VIEW.c.day).where(mine, _VIEW.c.customer_id == id)).first() is not None:
            return
        used = db.execute(select(func.count()).where(mine, _VIEW.c.pool_id == pool_id)).scalar_one()
        if used >= limit:
            raise ViewLimitReached(used=used, limit=limit, resets_at=until.astimezone(ZoneInfo(person.zone)))
        row = {"user_id": me, "day": today, "customer_id": id, "pool_id": pool_id, "at": person.now, "until": until}
        _opened(upsert(db.get_bind().dialect)).run(db, **row)
        write_row(db, entry(db.info["signature"], person.now, Customer.__tablename__, id, {}, label=customer.label))


def _limit(db: Session, pool_id: int) -> int | None:
    rule = select(ClaimRule.daily_view_limit).where(ClaimRule.pool_id == pool_id, ClaimRule.deleted_at.is_(None))
    found: int | None = db.execute(rule, execution_options=bypass_policy(Because.APPLIES_TO_ALL)).scalar()
    return found


@cache
def _opened(insert: Callable[..., Any]) -> Prepared:
    values = {column.key: bindparam(column.key, type_=column.type) for column in _VIEW.c}
    return Prepared(insert(_VIEW).values(values).on_conflict_do_nothing())
