"""Release rules of the demo: one in force, by which customers go back over the next weeks, and one to rehearse."""

from datetime import datetime, timedelta

from sqlalchemy import select

from models import Pool, ReleaseRule
from models.release_rule import Lapse
from resolvers.pool import release_clock, release_rules
from resolvers.records import business_calendar, create_update
from resolvers.runtime.backend import Backend
from resolvers.runtime.scope import Scope

DAYS = 350
"""Days without a follow-up after which customers of the demo go back: some every week, and none for years."""
GRACE = timedelta(days=2)
"""Time before the first release, so that the demo begins with customers that are about to go."""
CHUNK = 2_000


def add(backend: Backend, now: datetime) -> None:
    """Fill the business calendar, and make the rules of the first pool."""
    scope = backend.scope(backend.person("ada"), "demo")
    for year in (now.year, now.year + 1):
        scope.do(business_calendar.fill, "CN", year)
    with backend.writer.engine.connect() as connection:
        pool = connection.execute(select(Pool.__table__.c.id).order_by(Pool.__table__.c.id)).scalars().first()
    common = {"pool_id": pool, "starts_at": now + GRACE}
    kept = {"spares_opportunities": True, "spares_plans": True}
    rule = _rule(scope, name="近一年未跟进 No follow-up for almost a year", days=DAYS, everybody=True, **kept, **common)
    scope.do(release_rules.note_rehearsal, rule.id, rule.terms())
    scope.do(release_rules.switch, rule.id, on=True)
    _rule(
        scope,
        name="A、B 级无商机 A and B without an opportunity",
        lapse=Lapse.NO_OPPORTUNITY,
        days=60,
        business_days=True,
        levels=["a", "b"],
        **common,
    )
    after: int | None = 0
    while after is not None:
        after = scope.do(_renew, after)


def _rule(scope: Scope, **values: object) -> ReleaseRule:
    made: ReleaseRule = scope.do(create_update.create, ReleaseRule, values)
    return made


def _renew(scope: Scope, after: int) -> int | None:
    with scope.write("system.renew") as db:
        last, _done = release_clock.renew_next(scope, db, after, CHUNK)
        return last
