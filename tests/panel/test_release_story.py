"""A sales person's day with the clock of the pool: warned, put off, followed up, lost, and claimed by a colleague."""

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import Connection, select, text, update

from models import ClaimRule, Customer, ReleaseRule, User
from models.base import utcnow
from models.database.engines import writing_engine
from resolvers.pool.release_neglected import release_neglected
from resolvers.runtime.backend import Backend
from resolvers.runtime.scope import Scope
from tests.support.browser import Screens

SECOND = 1_000
_C = Customer.__table__.c


def neglect(at: Connection, id: int, rule: ReleaseRule, due_at: datetime) -> None:
    """Let the release date of a customer be this one: nobody has worked on it since its owner claimed it."""
    since = due_at - timedelta(days=rule.days)
    values = {"claimed_at": since, "last_follow_up_at": None, "next_follow_up_at": None, "has_open_opportunity": False}
    values |= {"release_due_at": due_at, "release_rule_id": rule.id, "extensions": 0, "extended_until": None}
    at.execute(update(Customer.__table__).where(_C.id == id).values(**values, exempt_until=None))


def set_the_stage(screens: Screens) -> tuple[int, int]:
    """Two customers of Li: one that falls in three days, one that is due now; new arrivals may be claimed at once."""
    engine = writing_engine(screens.url)
    with engine.begin() as at:
        mine = select(_C.id).join(User.__table__, User.__table__.c.id == _C.owner_id)
        mine = mine.where(User.__table__.c.login == "li", _C.deleted_at.is_(None), _C.locked_by_id.is_(None))
        warned, lost = at.execute(mine.order_by(_C.id.desc()).limit(2)).scalars()
        rule = ReleaseRule(**at.execute(select(ReleaseRule.__table__).order_by(text("id"))).mappings().first())
        at.execute(update(ReleaseRule.__table__).values(starts_at=None))
        at.execute(update(ClaimRule.__table__).values(protect_days=None))
        at.execute(text("UPDATE release_book SET edition = 'the story'"))
        neglect(at, warned, rule, utcnow() + timedelta(days=3))
        neglect(at, lost, rule, utcnow() - timedelta(minutes=1))
    engine.dispose()
    return warned, lost


def release_what_is_due(screens: Screens) -> None:
    """What the clock does every minute, without the wait for it."""

    def run(scope: Scope) -> int:
        with scope.write("customer.release") as db:
            return release_neglected(scope, db, 200)

    backend = Backend(screens.url).open()
    try:
        backend.system("system:pool").do(run)
    finally:
        backend.writer.close()


@pytest.mark.long
def test_a_day_of_a_sales_person_with_the_clock_of_the_pool(demo_screens: Screens) -> None:
    warned, lost = set_the_stage(demo_screens)
    li, wu = demo_screens.person("li"), demo_screens.person("wu", language="zh")

    page = li.go(f"/admin/customer/details/cus_{warned}")
    li.see("Goes back to the pool in 3 days")
    li.picture("release-warned")
    page.get_by_role("button", name="Put off the release").click()
    page.get_by_label("Reason").fill("Their budget comes in a week")
    page.get_by_role("dialog").get_by_role("button", name="Put off the release").click()
    li.see("Goes back to the pool in 10 days")

    li.go(f"/admin/customer/details/cus_{warned}")
    page.get_by_label("What was said").first.fill("We agreed on a visit in the first week of the month")
    page.get_by_role("button", name="Save the follow-up").click()
    page.wait_for_url("**tab=follow-ups**")
    expect(page.locator(".falls")).to_contain_text("Goes back to the pool in 350 days", timeout=20 * SECOND)
    li.picture("release-followed-up")

    release_what_is_due(demo_screens)
    for person in (li, wu):
        person.go("/admin/pooled/list?tab=newest")
    row = li.page.locator(f'#rows tr:has([name=ids][value="cus_{lost}"])')
    expect(row).to_be_visible()
    wu.picture("release-fallen-zh")
    with wu.page.expect_response("**/do/claim**"):
        wu.page.locator(f'#rows tr:has([name=ids][value="cus_{lost}"])').get_by_role("button", name="领取").click()
    expect(row).to_have_count(0, timeout=SECOND)
    assert [*li.heard, *wu.heard] == []
