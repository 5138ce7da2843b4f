"""Shares of the demo: between the teams, some of which have ended, and a request that waits."""

from datetime import datetime, timedelta

from sqlalchemy import select

from models import Customer, Department, User
from models.pool import GranteeKind
from models.share import ShareLevel
from resolvers.customers.share_requests import request_share
from resolvers.customers.sharing import Terms, share_customers
from resolvers.runtime.backend import Backend

DAY = timedelta(days=1)
_CONTACTS = frozenset({"contact", "followup"})


def add(backend: Backend, now: datetime) -> None:
    """Li shares five customers with Mei, her department, a role; Mei asks for a sixth, and two shares end soon."""
    with backend.writer.engine.connect() as connection:
        ids = {login: id for login, id in connection.execute(select(User.login, User.id))}  # noqa: C416  rows are no pairs
        west = connection.execute(select(Department.id).order_by(Department.id.desc()).limit(1)).scalar_one()
        c = Customer.__table__.c
        owned = select(c.id, c.number).where(c.owner_id == ids["li"], c.deleted_at.is_(None), c.locked_by_id.is_(None))
        rows = connection.execute(owned.order_by(c.id.desc()).limit(6)).all()
    if len(rows) < 6:
        return
    li, to_mei = backend.scope(backend.person("li"), "demo"), (GranteeKind.USER, ids["mei"])
    end = now.replace(microsecond=0)
    for row, to, terms in zip(
        rows,
        (to_mei, to_mei, (GranteeKind.DEPARTMENT, west), (GranteeKind.DEPARTMENT, west), to_mei),
        (
            Terms(ShareLevel.EDIT, ends_at=end + 20 * DAY, may_reshare=True, note="联合拜访 Joint visits"),
            Terms(ends_at=end + 2 * DAY, include=_CONTACTS),
            Terms(ends_at=end + 60 * DAY, note="展会期间 During the fair"),
            Terms(include=frozenset()),
            Terms(starts_at=end + 7 * DAY, ends_at=end + 30 * DAY),
        ),
        strict=False,
    ):
        li.do(share_customers, [row.id], [to], terms)
    mei = backend.scope(backend.person("mei"), "demo")
    mei.do(request_share, number=rows[5].number, reason="客户在西区设厂 They build a plant in the West")
