"""A customer is shared in a real browser until a second, at which it is gone from every place."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from millpond.database import opened
from models import Customer, Share, User
from models.base import utcnow
from models.export import ExportFormat, ExportRange
from models.share import ShareLevel
from resolvers.access import policy_drafts
from resolvers.customers import sharing
from resolvers.exports import exports, writing
from resolvers.exports.exports import Order
from resolvers.exports.listing import Listing
from resolvers.runtime.ids import global_id
from tasks.workbooks import book_for
from tests.support.browser import NARROW, Person, Screens

SECONDS = 24
"""How long the share lasts, once it is on its way."""
ASK = """async ([query, variables]) => (await (await fetch('/graphql', {method: 'POST', headers: {'content-type': 'application/json'},
  body: JSON.stringify({query, variables})})).json()).data"""
COUNT = "query ($name: String!) { customers(filter: {name: {eq: $name}}) { totalCount } }"


def beside(screens: Screens, work: Callable[[Any], Any]) -> Any:
    """What `work(backend)` returns, in a thread without the event loop of the browser."""
    found: list[Any] = []

    def run() -> None:
        with opened(screens.url) as backend:
            found.append(work(backend))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    return found[0]


def choose(page: Page, name: str, value: str, text: str) -> None:
    """Set a chooser of a dialog."""
    page.evaluate(
        "([name, value, text]) => { const it = document.querySelector(`select[name=${name}]`);"
        " if (it.tomselect) { it.tomselect.addOption({value, text}); it.tomselect.setValue(value) }"
        " else { it.add(new Option(text, value)); it.value = value } }",
        [name, value, text],
    )


def end_soon(backend: Any) -> Any:
    """Let the newest share of Li's end in some seconds; returns the end."""
    ends = utcnow().replace(microsecond=0) + timedelta(seconds=SECONDS)
    with backend.writer.engine.connect() as connection:
        id = connection.execute(select(Share.id).order_by(Share.id.desc()).limit(1)).scalar_one()
    backend.scope(backend.person("li"), "demo").do(sharing.change_share, id, ShareLevel.VIEW, ends)
    return ends


def let_export(backend: Any) -> None:
    """Give sales people the right to export, in force from the next request on."""
    text = f"{backend.policy.text}\np, sales, customer, export, all, !deleted, allow\n"
    backend.scope(backend.person("ada"), "demo").do(policy_drafts.apply_policy, text, "Lists for the fair")


def counted(person: Person, name: str) -> int:
    """How many customers with this name the user counts."""
    return int(person.page.evaluate(ASK, [COUNT, {"name": name}])["customers"]["totalCount"])


def exported(backend: Any) -> str:
    """The names in a file of all customers that Mei exports now."""
    scope = backend.scope(backend.person("mei"), "demo")
    order = Order(Customer, Listing(), ExportRange.ALL, ["name"], format=ExportFormat.CSV)
    id = scope.do(exports.start, order, in_background=False)
    writing.write_now(scope, id, book_for)
    return str(backend.files.path(scope.do(exports.download, id).stored).read_text(encoding="utf-8-sig"))


def facts(backend: Any) -> tuple[str, str, str]:
    """(the id of Mei, that of a customer of Li's which nobody else has, its name)."""
    with backend.writer.engine.connect() as connection:
        people = {row.login: row.id for row in connection.execute(select(User.login, User.id))}
        c = Customer.__table__.c
        mine = select(c.id, c.name).where(c.owner_id == people["li"], c.deleted_at.is_(None), c.locked_by_id.is_(None))
        shared = select(Share.customer_id)
        row = connection.execute(mine.where(c.id.not_in(shared)).order_by(c.id).limit(1)).one()
    return global_id(User, people["mei"]), global_id(Customer, row.id), str(row.name)


@pytest.mark.long
def test_a_share_is_gone_from_every_place_at_its_very_second(demo_screens: Screens) -> None:
    user, id, name = beside(demo_screens, facts)
    li, mei = demo_screens.person("li"), demo_screens.person("mei", NARROW, language="zh")
    page = li.go(f"/admin/customer/ask/share?ids={id}&from=detail")
    choose(page, "to_user", user, "Mei")
    choose(page, "level", "VIEW", "View")
    li.picture("share-dialog")
    with page.expect_response(lambda answer: "/do/share" in answer.url):
        page.get_by_role("button", name="Share", exact=True).click()
    page.wait_for_timeout(500)
    li.go("/admin/shares?tab=given")
    li.see(name)
    assert li.faults() == []
    li.picture("shares-given")

    beside(demo_screens, let_export)
    ends = beside(demo_screens, end_soon)
    places = (f"/admin/customer/list?q={name}", "/admin/shares")
    for place in places:
        mei.go(place)
        mei.see(name)
        assert mei.overflow() == 0
    mei.picture("shares-received")
    assert counted(mei, name) == 1
    assert name in beside(demo_screens, exported)
    opened_page = mei.go(f"/admin/customer/details/{id}")
    expect(opened_page.get_by_text(name).first).to_be_visible()
    assert utcnow() < ends, "the doors were looked at too late"

    mei.page.wait_for_timeout(max(0, (ends - utcnow()).total_seconds() * 1000))
    answer = opened_page.reload()
    assert answer is not None
    assert answer.status == 404
    assert counted(mei, name) == 0
    assert name not in beside(demo_screens, exported)
    for place in (*places, f"/admin/search?q={name}"):
        expect(mei.go(place).get_by_text(name, exact=True)).to_have_count(0)
    mei.go("/admin/shares?tab=ended")
    mei.see("已到期")
