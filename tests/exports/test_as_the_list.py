"""A file holds exactly what its maker's list shows: generated over the lists of the panel and the people of the world."""

import re
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest

from admin.kit.fields import Field, Kind, field_of
from admin.kit.list_page import ListPage
from admin.screens import screens
from models import Contact, Customer, FollowUp, Opportunity, Plan
from resolvers.customers import lock
from resolvers.exports import exports
from resolvers.exports.kinds import columns_of, exportable
from resolvers.records import create_update
from tests.support.exporting import Exports
from tests.support.panel import Browser, Panel
from tests.support.refusals import add_line
from tests.support.world import PEOPLE, World

LISTS: list[Any] = [
    screen
    for screen in screens()
    if issubclass(screen, ListPage) and screen.model in exportable() and not screen.is_whole
]
COMPARED = (Kind.TEXT, Kind.LONG, Kind.CHOICE, Kind.WORDS, Kind.RECORD, Kind.YES_NO)
"""Kinds of columns whose words are the same on the page and in the file; of others it counts whether there is a value."""


class Rows(HTMLParser):
    """The rows of a list: label -> text of the cell."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[dict[str, str]] = []
        self._label, self._silent = "", 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "tr" and "data-row" in given:
            self.rows.append({})
        if tag == "td":
            self._label = given.get("data-label") or ""
        if "aria-hidden" in given and tag == "span":
            self._silent += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "td":
            self._label = ""
        if tag == "span" and self._silent:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if self._label and self.rows and not self._silent:
            kept = self.rows[-1]
            kept[self._label] = (kept.get(self._label, "") + data).strip()


@pytest.fixture
def busy(world: World) -> World:
    """Records of several owners, in pools, locked, in the bin; everybody may export whatever they see."""
    ids = {name: world.customer(name, login, stage="early", industry="steel", phone="13800138000") for name, login in
           (("Mine", "li"), ("Theirs", "wu"), ("West", "mei"), ("Locked", "wu"), ("Binned", "li"))}  # fmt: skip
    world.customer("Pooled", pool="north", phone="13900139000", email="a@b.example")
    world.customer("=1+1 +dangerous", "li", remark="a\nb")
    for id in list(ids.values()):
        contact = world.make(Contact, name="Hu", customer_id=id, points=[{"kind": "PHONE", "value": "010-1"}])
        world.make(Opportunity, name="Big", customer_id=id, amount=Decimal("12.50"), currency="CNY")
        now = world.clock()
        world.make(FollowUp, customer_id=id, contact_id=contact, kind="CALL", content="Spoke", happened_at=now)
        world.make(Plan, customer_id=id, kind="CALL", due_at=now + timedelta(days=2))
    world.wu.do(lock.lock, [ids["Locked"]], "mine", None)
    world.system.do(create_update.delete, Customer, [ids["Binned"]])
    add_line(world, "p, *, *, export, all, any, allow")
    return world


def shown(browser: Browser, screen: Any) -> list[dict[str, str]]:
    answer = browser.get(f"/admin/{screen.slug or _identity(screen)}/list", {"size": "100"})
    return Rows(answer.text).rows if answer.status_code == 200 else []


def _identity(screen: Any) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", screen.model.__name__).lower()


@pytest.mark.parametrize("login", ["li", *(pytest.param(x, marks=pytest.mark.long) for x in PEOPLE if x != "li")])
@pytest.mark.sampled(sqlite=3, postgresql=1)
def test_a_file_holds_what_the_list_shows(busy: World, exporting: Exports, login: str) -> None:
    browser, compared = Panel(busy).of(login), 0
    for screen in LISTS:
        identity = screen.slug or _identity(screen)
        listed = shown(browser, screen)
        form = browser.get(f"/admin/{identity}/export")
        if form.status_code != 200:
            assert not listed, identity
            continue
        keys = re.findall(r'name="column" value="([^"]+)" checked', form.text)
        sent = {"list": "", "range": "FILTER", "format": "XLSX", "column": keys, "do": "export"}
        answer = browser.post(f"/admin/{identity}/export", sent)
        assert answer.status_code == 303, (identity, answer.text)
        exporting.run()
        (made, *_) = busy.run(busy.scope(login).read(_own))
        heading, *rows = exporting.rows(login, made.row.id)
        assert len(rows) == len(listed), (identity, rows, listed)
        fields = {column.key: column for column in columns_of(screen.model).values()}
        for row, line in zip(rows, listed, strict=True):
            for key, label, value in zip(keys, heading, row, strict=True):
                assert_same(screen, fields[key].key, line.get(label, ""), value)
                compared += 1
    assert compared > 20 or login == "aud", compared


def _own(scope: Any, db: Any) -> Any:
    return exports.exports(scope, db, first=1)


def assert_same(screen: Any, key: str, text: str, value: Any) -> None:
    field: Field = field_of(screen.model, key)
    if text == "not visible to you":
        text = ""
    if field.kind is Kind.YES_NO:
        assert bool(text) == (value == "Yes"), (screen, key, text, value)
    elif field.kind is Kind.RECORD and field.target is not None and value is not None:
        assert value.endswith(text), (screen, key, text, value)
        assert text
    elif field.kind in COMPARED:
        assert " ".join(text.split()) == " ".join(str(value or "").split()), (screen, key, text, value)
    else:
        assert bool(text) == (value is not None), (screen, key, text, value)
