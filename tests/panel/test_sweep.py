"""The panel, every route of it, for everybody: it shows and does what the policy allows, and tells nothing of the rest.

Everything here is made from the route table, the models and the policy: a new screen, field or command is swept as soon
as it is there.  What is right is asked of the policy and of the use cases themselves, never of the panel.  Whatever any
request is answered with, the browsers of `panel.py` look through it: no error, no code in the markup, no secret.
"""

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from html import unescape
from itertools import count, product, zip_longest
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import Connection, Enum, String, Text, func, insert, select, true
from sqlalchemy.engine import make_url

import models
from admin.kit import lists
from models import ENTITIES, AuditEntry, Base, Contact, Customer, Entity, FollowUp, Opportunity, Share, User
from models.audit.entries import Outcome as Logged
from models.base import Money, Utc, columns, trait_of
from models.errors import Refusal
from models.pool import GranteeKind, Seat
from models.share import ShareLevel
from policies.objects import field_name
from resolvers.customers import contacts
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.people import accounts, passwords
from resolvers.pool import assign as assigning
from resolvers.pool import claim as claiming
from resolvers.pool import release as releasing
from resolvers.reading.clauses import orderable
from resolvers.records import create_update
from resolvers.runtime.batch import Outcome
from resolvers.runtime.ids import global_id, number_of, table_of
from resolvers.runtime.policy_store import current_text, put_in_force
from resolvers.runtime.scope import Scope
from resolvers.runtime.statement_guard import MODELS
from resolvers.runtime.writer import Unit, attempt_in
from tests.support import postgres
from tests.support.engines import at_length_on_postgresql
from tests.support.panel import (
    COOKIE,
    ORIGIN,
    OURS,
    Browser,
    Door,
    Panel,
    count_in,
    doors,
    mistakes,
    next_in,
    over_records,
    refused_in,
    rows_in,
    told,
)
from tests.support.sign_in import HASH, RIGHT
from tests.support.world import PEOPLE, START, World

EVERYBODY = (*PEOPLE, "nil")
"""At least one person for each role, and Nil, who has none."""
MISSING = 987_654
BROKEN = (
    "0",
    "x",
    "cus_",
    "cus_0",
    "cus_-1",
    "cus_1_2",
    "cus_99999999999",
    "cus_１",
    "%00",
    "usr_1%00",
    "..",
    "' OR 1=1",
)
MARKS = re.compile(r"Zq\d{3}[a-z]+?q|zq\d{3}@mark\.example|1300\d{3}5500|ZQ\d{3}|7\d,?\d{3}\.23|88,?\d{3}")
"""How every text in the town looks, so that it is plain from which field of which record it comes."""
Mark = tuple[type[Base], int, str]
"""In which field of which record a text stands: a column, `points` of a contact."""

BRIEF = {"customer", "contact", "pool", "bin-customer"}
"""The screens of a sweep in brief."""
for_everybody = pytest.mark.parametrize(
    ("login", "thorough"),
    [
        pytest.param("li", False, id="li-in-brief"),
        *(pytest.param(x, True, id=x, marks=pytest.mark.long) for x in EVERYBODY),
    ],
)
in_brief_and_at_length = pytest.mark.parametrize(
    "thorough", [pytest.param(False, id="in brief"), pytest.param(True, id="at length", marks=pytest.mark.long)]
)


# --- the town --------------------------------------------------------------------------------------------


class Town:
    """The small world with records of every kind in every state, each text in it its own.

    `marks` says of each of those texts where it stands, or stood.
    """

    filled: ClassVar[dict[str, tuple[dict[str, Mark], dict[str, int]]]] = {}
    """Where one stands that is filled -> its marks and ids."""

    def __init__(self, world: World) -> None:
        self.world, self.ids = world, world.ids
        self.marks: dict[str, Mark] = {}
        self._count = 0

    @classmethod
    def settle(cls, url: str, place: str) -> None:
        """Fill the small world that stands there, and remember it."""
        world = World(url)
        try:
            town = cls(world)
            town.fill()
            cls.filled[place] = (town.marks, dict(world.ids))
        finally:
            world.close()

    def fill(self) -> None:
        self._people()
        for name in ("lake", "hill"):
            self.ids[name] = self.make(models.Pool)
            self.ids[f"rule of {name}"] = self.world.rule(name, daily_quota=20, capacity=50)
        self.world.rule("north", daily_quota=20, cooldown_days=3)
        self.world.seat("lake", "aud", Seat.VIEWER)
        self.make(models.PoolMember, pool_id=self.ids["lake"], grantee_kind="ROLE", grantee_id=self.ids["finance"])
        owners = ("li", "li shut", "li gone", "wu", "wu shut", "mei", "mei shut", "mei gone", "mei shared", "ada")
        for name in owners:
            self._customer(f"of {name}", owner_id=self.ids[name.partition(" ")[0]])
        for name in ("north", "south", "lake"):
            self._customer(f"in {name}", pool_id=self.ids[name])
        self._house()
        self._what_happened()
        self._into_the_bin()

    def mark(self, text: str, model: type[Base], id: int, key: str) -> str:
        self.marks[text] = (model, id, key)
        return text

    def make(self, model: type[Entity], by: Scope | None = None, **given: Any) -> int:
        """A record with a text of its own wherever there is room for one."""
        self._count += 1
        texts = {key: text for key, text in _texts(model, self._count) if key not in given}
        id: int = (by or self.world.system).do(create_update.create, model, {**texts, **given}).id
        for key, text in texts.items():
            for written in (f"{text:,.2f}", f"{text:.2f}") if isinstance(text, Decimal) else (text,):
                self.mark(written, model, id, key)
        return id

    def _people(self) -> None:
        self.ids["nil"] = self.world.make(User, login="nil", name="Nil Noone")
        self.ids["left"] = self.world.make(User, login="left", name="Lew Left")
        self.world.__dict__.setdefault("extra", set()).add("nil")
        for login in EVERYBODY:
            self._count += 1
            email, room = f"zq{self._count:03d}@mark.example", 88_000 + self._count
            self.world.system.do(create_update.update, User, self.ids[login], {"email": email, "capacity": room})
            self.mark(email, User, self.ids[login], "email")
            self.mark(f"{room:,}", User, self.ids[login], "capacity")
            self.mark(f"{room}", User, self.ids[login], "capacity")

    def _customer(self, name: str, **place: int) -> None:
        id = self.ids[name] = self.make(Customer, stage="early", **place)
        self._count += 1
        phone, address = f"1300{self._count:03d}5500", f"zq{self._count:03d}@mark.example"
        points = [{"kind": "PHONE", "value": phone}, {"kind": "EMAIL", "value": address}]
        contact = self.ids[f"contact {name}"] = self.make(Contact, customer_id=id, points=points)
        for value in (phone, address):
            self.mark(value, Contact, contact, "points")
        deal = self.ids[f"deal {name}"] = self.make(Opportunity, customer_id=id, contact_id=contact, owner_id=None)
        self.ids[f"call {name}"] = self.make(
            FollowUp, customer_id=id, contact_id=contact, opportunity_id=deal, kind="CALL", happened_at=START
        )

    def _house(self) -> None:
        for name in ("a department", "a dead department"):
            self.ids[name] = self.make(models.Department)
        for code in ("a_role", "a_dead_role"):
            self.ids[code] = self.make(models.Role, code=code)
        self.ids["a dictionary"] = self.make(models.Dictionary, code="a_dictionary")
        self.ids["a word"] = self.make(models.DictionaryItem, dictionary_id=self.ids["a dictionary"], key="a_word")
        self.ids["a dead word"] = self.make(
            models.DictionaryItem, dictionary_id=self.ids["a dictionary"], key="a_dead_word"
        )
        self.ids["a number"] = self.make(models.NumberRule, for_module="customer", pattern="C{YYYY}{seq:3}")
        self.ids["a dead role of somebody"] = self.world.make(
            models.UserRole, user_id=self.ids["sam"], role_id=self.ids["a_role"]
        )
        self.ids["a dead seat"] = self.world.seat("south", "sam")

    def _what_happened(self) -> None:
        for login in ("li", "wu", "mei"):
            id = self.ids[f"of {login} shut"]
            self.world.scope(login).do(locking.lock, [id], self._said(id, "lock_reason"))
            edited = self.ids[f"of {login}"]
            for _ in range(2):
                remark = self._said(edited, "remark")
                self.world.scope(login).do(create_update.update, Customer, edited, {"remark": remark})
        for login in ("li", "sam"):
            self.make(FollowUp, self.world.scope(login), customer_id=self.ids["of li"], **_needed(FollowUp))
        self._customer("let go", owner_id=self.ids["li"])
        self.world.li.do(
            releasing.release, [self.ids["let go"]], self.ids["north"], self._said(self.ids["let go"], "version")
        )
        self._customer("handed on", owner_id=self.ids["ada"])
        why = self._said(self.ids["handed on"], "version")
        self.world.ada.do(transferring.transfer, [self.ids["handed on"]], self.ids["mei"], why)
        share = {"grantee_kind": GranteeKind.USER, "grantee_id": self.ids["li"], "level": ShareLevel.EDIT}
        with self.world.backend.writer.engine.begin() as connection:
            connection.execute(insert(Share), {**share, "customer_id": self.ids["of mei shared"], "starts_at": START})
        self.world.wu.do(
            transferring.transfer, [self.ids["of mei"]], self.ids["wu"]
        )  # is refused, and that is in the log

    def _said(self, id: int, key: str) -> str:
        """A reason, told to whoever sees the record, and there this field."""
        self._count += 1
        return self.mark(f"Zq{self._count:03d}saidq", Customer, id, key)

    def _into_the_bin(self) -> None:
        for login in ("li", "mei"):
            done = self.world.scope(login).do(create_update.delete, Customer, [self.ids[f"of {login} gone"]])
            assert done.problems == [], done.problems
        for model, name in (
            (models.ClaimRule, "rule of hill"),
            (models.Pool, "hill"),
            (User, "left"),
            (models.Department, "a dead department"),
            (models.Role, "a_dead_role"),
            (models.UserRole, "a dead role of somebody"),
            (models.PoolMember, "a dead seat"),
            (models.DictionaryItem, "a dead word"),
        ):
            done = self.world.ada.do(create_update.delete, model, [self.ids[name]])
            assert done.problems == [], (model, done.problems)
        for model in (Contact, Opportunity, FollowUp):
            for owner in ("li", "mei"):
                id = self.make(model, customer_id=self.ids[f"of {owner}"], **_needed(model))
                self.world.ada.do(create_update.delete, model, [id])


def _texts(model: type[Base], number: int) -> Iterator[tuple[str, Any]]:
    """(column, a text of its own) for every column that takes any text, and an amount for one of money."""
    for column in columns(model):
        trait, long_enough = trait_of(column), getattr(column.type, "length", None) or 200
        if (
            trait.system_managed
            or trait.dictionary
            or column.key in ("login", "code", "key", "pattern", "language", "for_module")
        ):
            continue
        if isinstance(column.type, Money):
            yield column.key, Decimal(f"7{number:03d}1.23")
        elif isinstance(column.type, String | Text) and not isinstance(column.type, Enum) and long_enough >= 40:
            special = {"phone": f"1300{number:03d}5500", "number": f"ZQ{number:03d}"}
            word = f"Zq{number:03d}{column.key.replace('_', '')}q"
            yield column.key, special.get(column.key, f"zq{number:03d}@mark.example" if column.key == "email" else word)


def _needed(model: type[Base]) -> dict[str, Any]:
    return {"kind": "CALL", "happened_at": START} if model is FollowUp else {}


@pytest.fixture
def town(url: str, templates: dict[str, str]) -> Iterator[Town]:
    """A town of its own, on each engine; filled once for all tests."""
    place = filled(url, templates)
    if url.startswith("sqlite"):
        Path(make_url(url).database or "").write_bytes(Path(place).read_bytes())
    else:
        postgres.forget_changes(url := place)
    world = World(url)
    try:
        town = Town(world)
        town.marks = Town.filled[place][0]
        world.ids |= Town.filled[place][1]
        world.__dict__["extra"] = {"nil"}
        yield town
    finally:
        world.close()


def filled(url: str, templates: dict[str, str]) -> str:
    """Where a town stands that is ready to be copied (SQLite) or to be put back (PostgreSQL)."""
    if url.startswith("sqlite"):
        place = f"{make_url(templates['sqlite']).database}.town"
        if place not in Town.filled:
            shutil.copy(make_url(templates["sqlite"]).database or "", place)
            Town.settle(f"sqlite:///{place}", place)
        return place
    template = make_url(templates["postgresql"])
    place = template.set(database=f"{template.database}_town").render_as_string(hide_password=False)
    if place not in Town.filled:
        postgres.create(os.environ["MILLPOND_TEST_PG"], f"{template.database}_town", f"TEMPLATE {template.database}")
        Town.settle(place, place)
        with postgres._session(place) as connection:
            connection.exec_driver_sql("DROP SCHEMA seed CASCADE")
        postgres.remember(place)
    return place


@pytest.fixture
def panel(town: Town) -> Panel:
    return Panel(town.world)


# --- what is right ---------------------------------------------------------------------------------------


class Sight:
    """What the policy says about one person, asked of the database below the walls."""

    def __init__(self, town: Town, login: str) -> None:
        self.world, self.login, self._town = town.world, login, town
        self.person, self.policy = town.world.principal(login), town.world.backend.policy

    def ever(self, action: str, module: str) -> bool:
        return self.policy.ever(self.person, action, module)

    def ids(self, model: type[Base], action: str = "view") -> set[int]:
        return self._where(model, self.policy.where(self.person, action, model, model.__table__.c))

    def with_field(self, model: type[Base], key: str) -> set[int]:
        """The records in which he sees a field."""
        guard = self.policy.guard(self.person, model, field_name(key), model.__table__.c)
        return self.ids(model) & (self._where(model, guard) if guard is not None else self._where(model, true()))

    def hidden(self, model: type[Base]) -> list[int]:
        return sorted(self._where(model, true()) - self.ids(model))

    def kinds(self, model: type[Base], *actions: str) -> list[int]:
        """A record of each kind that there is for him: seen, open to these actions, in the bin, locked, his own.

        Those that differ most come first: one that he sees and one that he does not.
        """
        rights = [self.ids(model, action) for action in ("view", *actions)]
        found: dict[tuple[Any, ...], list[int]] = {}
        for row in self.world.rows(model):
            own = self.person.id in (row.get("owner_id"), row["id"] if model is User else None)
            state = (row.get("deleted_at") is None, row.get("locked_by_id") is None, row.get("pool_id"), own)
            found.setdefault((*(row["id"] in right for right in rights), *state), []).append(row["id"])
        firsts = [(kind[0], not kind[-1], ids[0]) for kind, ids in found.items()]
        seen, hidden = ([id for shown, _, id in sorted(firsts, key=str) if shown is way] for way in (True, False))
        return [id for pair in zip_longest(seen, hidden) for id in pair if id is not None]

    def secrets(self) -> frozenset[str]:
        """Every text of the town that he may see nowhere."""
        seen: dict[tuple[type[Base], str], set[int]] = {}
        blind = [self.ids(Customer, action) for action in ("unlock", "restore", "purge")]
        hidden = []
        for text, (model, id, key) in self._town.marks.items():
            if (model, key) not in seen:
                seen[model, key] = self.with_field(model, key)
            is_named_blindly = (model, key) == (Customer, "number") and any(id in right for right in blind)
            if id not in seen[model, key] and not is_named_blindly:
                hidden.append(text)
        return frozenset(hidden)

    def _where(self, model: type[Base], clause: Any) -> set[int]:
        table = model.__table__
        with self.world.backend.writer.engine.connect() as connection:
            return set(connection.execute(select(table.c.id).where(clause)).scalars())


def swept(thorough: bool, method: str, *pages: str) -> Iterator[Door]:
    """The doors of all screens, or in brief of a few."""
    return (x for x in over_records(method, *pages) if thorough or x.view.identity in BRIEF)


def somebody(panel: Panel, town: Town, login: str) -> tuple[Browser, Sight]:
    """Somebody's browser, which watches for what he may not see, and what the policy says about him."""
    browser, sight = panel.of(login), Sight(town, login)
    browser.marks, browser.secrets = MARKS, sight.secrets()
    return browser, sight


def all_of_it(world: World) -> dict[str, Any]:
    """Every row of every table, the log included; of sessions all but when they were used."""
    sessions = [{**row, "seen_at": None} for row in world.rows(models.SignInSession)]
    return {**world.everything(), "audit_entry": world.log(), "sign_in_session": sessions}


# --- looking ---------------------------------------------------------------------------------------------


@pytest.mark.long
def test_the_town_holds_records_of_every_kind_for_sales_people(town: Town) -> None:
    """What the sweeps live on: of everything that hangs on customers some are seen, hidden, locked and in the bin."""
    li = Sight(town, "li")

    for model in (Customer, Contact, Opportunity, FollowUp):
        rows = {row["id"]: row for row in town.world.rows(model)}
        gone = {id for id, row in rows.items() if row["deleted_at"]}
        assert li.ids(model) - gone, model
        assert li.ids(model, "edit") - gone, model
        assert set(li.hidden(model)) - gone, model
        assert set(li.hidden(model)) & gone, model
    assert len(town.marks) > 150
    assert [text for text in town.marks if MARKS.findall(text) != [text]] == []


@at_length_on_postgresql
@for_everybody
def test_every_page_shows_what_the_policy_lets_somebody_see_and_nothing_else_and_changes_nothing(
    panel: Panel, town: Town, login: str, thorough: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "SIZES", (5, 25, 100))  # so that there are pages to turn
    browser, sight = somebody(panel, town, login)
    before = all_of_it(town.world)

    for door in swept(thorough, "GET", "list", "details", "edit", "create", "lookup", "ask"):
        LOOKS[door.page.partition("/")[0]](browser, sight, door, thorough)
    for door in doors():
        if door.method == "GET" and door.view is None:
            look_at_a_page(browser, sight, door)

    assert all_of_it(town.world) == before


def look_at_a_list(browser: Browser, sight: Sight, door: Door, thorough: bool) -> None:
    """Every tab shows its records, each once, and counts them right; others the bare refusal."""
    if not sight.ever(door.right, door.asks[0]):
        assert browser.get(door.path).status_code == 403, door
        return
    if door.model.alone:  # type: ignore[attr-defined]  only entities have screens
        assert browser.get(door.path).headers["location"].endswith(f"/details/{door.model.prefix}_1")
        return
    tabs = [
        tab.name for tab in door.view.tabs if not tab.needs or sight.ever(tab.needs.partition(".")[2], door.asks[0])
    ]
    for tab in tabs or [""]:
        listed, counts = pages_of(browser, f"{door.path}?tab={tab}")
        assert sorted(listed) == sorted(expected_in(sight, door, tab)), (door, tab)
        assert set(counts) <= {len(listed)}, (door, tab)
        if not thorough:
            break


def pages_of(browser: Browser, path: str) -> tuple[list[int], list[int]]:
    """(ids of all pages of a list, what each page says how many there are)."""
    listed, counts, address = [], [], path
    while address:
        answer = browser.get(address)
        assert answer.status_code == 200, address
        found = [int(id.partition("_")[2]) for id in rows_in(answer.text)]
        listed += found
        counts += [count_in(answer.text)] if found else []
        address = next_in(answer.text)
    return listed, counts


TABS: dict[tuple[str, str], Callable[[Sight, dict[str, Any]], bool]] = {
    ("customer", "mine"): lambda sight, row: row["owner_id"] == sight.person.id,
    ("customer", "team"): lambda sight, row: row["department_id"] in sight.person.subtree,
    ("customer", "pool"): lambda _sight, row: row["pool_id"] is not None,
    ("customer", "locked"): lambda _sight, row: row["locked_by_id"] is not None,
    ("pooled", "longest"): lambda _sight, row: row["pool_id"] is not None,
    ("pooled", "newest"): lambda _sight, row: row["pool_id"] is not None,
    ("pooled", "open"): lambda sight, row: row["pool_id"] in sight.person.member_pools,
    ("contact", "mine"): lambda sight, row: row["owner_id"] == sight.person.id,
    ("contact", "primary"): lambda _sight, row: row["is_primary"],
    ("opportunity", "mine"): lambda sight, row: row["owner_id"] == sight.person.id,
    ("follow-up", "mine"): lambda sight, row: row["owner_id"] == sight.person.id,
    ("user", "active"): lambda _sight, row: row["active"],
    ("user", "left"): lambda _sight, row: not row["active"],
}
"""Which rows are in a tab; all of them in one called `all`."""


def expected_in(sight: Sight, door: Door, tab: str) -> list[int]:
    word, seen = door.view.identity, sight.ids(door.model)
    is_in = TABS[word, tab] if tab not in ("", "all") else lambda _sight, _row: True
    wanted = bool(door.view.binned)
    rows = [row for row in sight.world.rows(door.model) if row["id"] in seen]
    return [row["id"] for row in rows if (row["deleted_at"] is not None) is wanted and is_in(sight, row)]


def look_at_details(browser: Browser, sight: Sight, door: Door, thorough: bool) -> None:
    open_ = sight.ever(door.right, door.asks[0])
    seen = sight.ids(door.model)
    for id in some(sight.kinds(door.model, *door.view.verbs), thorough):
        status = 403 if not open_ else 200 if id in seen else 404
        for tab in ["", *(x.name for x in door.view.related[1:] if thorough and status == 200)]:
            answer = browser.get(door.at(global_id(door.model, id)), {"tab": tab} if tab else {})
            assert answer.status_code == status, (door, id, tab)
    for id in (global_id(door.model, MISSING), *some(BROKEN, thorough, 1)):
        assert browser.get(door.at(id)).status_code in ((400, 404) if open_ else (400, 403, 404)), (door, id)


def look_at_an_edit(browser: Browser, sight: Sight, door: Door, thorough: bool) -> None:
    for id in some(sight.kinds(door.model, "edit"), thorough):
        assert browser.get(door.at(global_id(door.model, id))).status_code == edit_status(sight, door, id), (door, id)


def edit_status(sight: Sight, door: Door, id: int) -> int:
    """What a form to edit is answered with."""
    if not sight.ever(door.right, door.asks[0]):
        return 403
    if id not in sight.ids(door.model):
        return 404
    is_gone = sight.world.row(door.model, id).get("deleted_at") is not None
    return 200 if id in sight.ids(door.model, "edit") and not is_gone else 403


def look_at_a_new_one(browser: Browser, sight: Sight, door: Door, thorough: bool) -> None:
    """The empty form, and the form that begins with something out of sight."""
    allowed = sight.ever(door.right, door.asks[0]) and sight.ever("create", door.asks[0])
    queries: list[dict[str, str]] = [{}]
    for key, target in references(door.model):
        queries += [{key: global_id(target, id)} for id in sight.hidden(target)[:2]] if allowed and thorough else []
    for query in queries:
        assert browser.get(door.path, query).status_code == (200 if allowed else 403), (door, query)


def look_something_up(browser: Browser, sight: Sight, door: Door, thorough: bool) -> None:
    open_, seen = sight.ever(door.right, door.asks[0]), sight.ids(door.model)
    for text in ("", "Zq", "1300", "ZQ") if open_ and thorough else ("Zq", "")[: 1 + open_]:
        answer = browser.get(door.path, {"q": text})
        assert answer.status_code == (200 if open_ else 403), door
        found = [number_of(door.model, each["value"]) for each in answer.json()] if open_ else []
        assert set(found) <= seen, door
        if open_ and not text and not door.view.binned:
            assert bool(found) is bool(seen - gone(sight, door.model)), door


def some(cases: Sequence[Any], thorough: bool, few: int = 2) -> Sequence[Any]:
    """All of them, or a few."""
    return cases if thorough else cases[:few]


def is_turn(turns: Iterator[int], of: int) -> bool:
    """Every so many-th of very many cases; each of them in `make sweep`."""
    return EVERYTHING or next(turns) % of == 0


def gone(sight: Sight, model: type[Base]) -> set[int]:
    return {row["id"] for row in sight.world.rows(model) if row.get("deleted_at") or row.get("active") is False}


def look_at_a_dialog(browser: Browser, sight: Sight, door: Door, thorough: bool) -> None:
    """A dialog opens for whoever may do it to anything, whatever the ids, and names the records that he sees."""
    allowed = sight.ever(door.right, door.asks[0]) and sight.ever(door.asks[1], door.asks[0])
    ids = [global_id(door.model, id) for id in sight.kinds(door.model, door.asks[1])]
    asked = (("ids", [*ids, global_id(door.model, MISSING), *BROKEN]), ("one", ids[:1]), ("ids", []))
    for name, values in some(asked, thorough, 1):
        assert browser.get(door.path, {name: values}).status_code == (200 if allowed else 403), door


LOOKS: dict[str, Callable[[Browser, Sight, Door, bool], None]] = {
    "list": look_at_a_list,
    "details": look_at_details,
    "edit": look_at_an_edit,
    "create": look_at_a_new_one,
    "lookup": look_something_up,
    "ask": look_at_a_dialog,
}


def look_at_a_page(browser: Browser, sight: Sight, door: Door) -> None:
    """Pages of their own: those of a module are open to whoever may do something there."""
    answer = browser.get(door.path)
    if door.asks[0] != "open":
        assert answer.status_code == (200 if sight.ever(door.asks[1], door.asks[0]) else 403), door
    else:
        assert answer.status_code in (200, 303, 403), door


def references(model: type[Base], *, creating: bool = True) -> Iterator[tuple[str, type[Base]]]:
    """(field, kind of record that it points to) of whatever a form may set."""
    for column in columns(model):
        trait, target = trait_of(column), next((MODELS.get(k.column.table.name) for k in column.foreign_keys), None)
        if target is not None and not trait.system_managed and (creating or not trait.immutable):
            yield column.key, target


# --- hidden is missing -----------------------------------------------------------------------------------


@for_everybody
@at_length_on_postgresql
def test_a_hidden_record_and_a_missing_one_are_answered_alike_by_every_route_that_takes_an_id(
    panel: Panel, town: Town, login: str, thorough: bool
) -> None:
    browser, sight = somebody(panel, town, login)
    before = town.world.everything()

    for door in (*swept(thorough, "GET", "details", "edit", "ask", "list"), *swept(thorough, "POST", "edit", "do")):
        if not sight.ever(door.right, door.asks[0]) and not thorough:
            continue
        for id in some(out_of_reach(sight, door), thorough, 1):
            for ask in some([*asking(browser, door)], thorough, 1):
                shown, missing = (told(ask(x), x) for x in (global_id(door.model, id), global_id(door.model, MISSING)))
                assert shown == missing, (door, id)

    assert town.world.everything() == before


def out_of_reach(sight: Sight, door: Door) -> list[int]:
    """Up to two records that are as good as missing for him here: neither seen nor open to the command."""
    open_ = sight.ids(door.model, door.asks[1]) if door.page.startswith("do/") else set()
    return [id for id in sight.hidden(door.model) if id not in open_][:2]


def asking(browser: Browser, door: Door) -> Iterator[Callable[[str], Any]]:
    """The ways in which a door takes the id of a record."""
    if "{id}" in door.path and door.method == "GET":
        yield lambda it: browser.get(door.at(it))
    elif "{id}" in door.path:
        yield lambda it: browser.post(door.at(it), {"version": "1", "name": "Changed"})
    elif door.page.startswith("ask/"):
        yield lambda it: browser.get(door.path, {"ids": it})
        yield lambda it: browser.get(door.path, {"one": it, "from": "row"}, **PARTIAL)
    elif door.page.startswith("do/"):
        yield lambda it: browser.post(door.path, {"ids": it, **given(browser.world)})
        yield lambda it: browser.post(door.path, {"one": it, "from": "detail", **given(browser.world)}, PARTIAL)
    else:
        yield from (lambda it, key=key: browser.get(door.path, {f"f_{key}": it}) for key in pointing_at(door))


def pointing_at(door: Door) -> list[str]:
    """The fields by which a list over anything can be narrowed to a record of this door's kind; its own id is none."""
    return [key for key, target in references(door.model) if target is door.model]


PARTIAL = {**OURS, "hx-request": "true"}
"""What comes along when a page asks for a piece of itself."""
GIVEN = {"user_id": "", "pool_id": "", "reason": "because", "until": "", "typed": "delete"}
"""What dialogs ask for, all of them together: a command takes what it knows."""


@pytest.mark.long
@for_everybody
@at_length_on_postgresql
def test_a_filter_by_a_hidden_record_says_no_more_than_one_by_a_missing_record(
    panel: Panel, town: Town, login: str, thorough: bool
) -> None:
    browser, sight = somebody(panel, town, login)

    for door in swept(thorough, "GET", "list"):
        if not sight.ever(door.right, door.asks[0]) or door.model.alone:  # type: ignore[attr-defined]
            continue
        for key, target in references(door.model):
            for id in some(pointed_to_by_nothing_seen(sight, door, key, target)[:2], thorough, 1):
                ids = global_id(target, id), global_id(target, MISSING)
                shown, missing = (told(browser.get(door.path, {f"f_{key}": [x, "x"]}), x) for x in ids)
                assert shown == missing, (door, key, id)


def pointed_to_by_nothing_seen(sight: Sight, door: Door, key: str, target: type[Base]) -> list[int]:
    """Hidden records, but for those that he knows of: a record that he sees names them by their number."""
    seen = sight.with_field(door.model, key)
    known = {row[key] for row in sight.world.rows(door.model) if row["id"] in seen}
    return [id for id in sight.hidden(target) if id not in known]


# --- doing -----------------------------------------------------------------------------------------------


@dataclass
class Direct:
    """What a use case would answer and log if somebody asked it without a panel, and how the world would be then."""

    answer: Any
    denied: list[tuple[Any, ...]]
    world: dict[str, Any]

    @property
    def ids(self) -> list[int]:
        """The records that it would change."""
        if isinstance(self.answer, Refusal):
            return []
        return self.answer.ids if isinstance(self.answer, Outcome) else [getattr(self.answer, "id", 0)]


def directly(world: World, login: str, use_case: Callable[..., Any], *args: Any, **how: Any) -> Direct:
    """Ask a use case as this person, look at the world, and let nothing have happened."""
    scope = world.scope(login, "panel")
    with world.backend.writer.engine.connect() as connection:
        transaction, unit = connection.begin(), Unit(connection)
        answer, error = attempt_in(unit, lambda it: use_case(scope._copy(it), *args, **how))
        after = content(connection)
        transaction.rollback()
    assert error is None or isinstance(error, Refusal), repr(error)
    denied = [(row["action"], row["entity"], row["record_id"]) for row in unit.denied]
    return Direct(error or answer, denied, after)


def content(connection: Connection) -> dict[str, Any]:
    """Every row of every table but the log and the keys, without what is drawn by lot; read past the types: it is often."""
    driver: Any = connection.connection.driver_connection
    return {name: driver.execute(query).fetchall() for name, query in _CONTENT.items()}


_ASIDE, _DRAWN = ("audit_entry", "audit_seal", "sign_in_session"), ("delete_batch_id", "password_hash")
_CONTENT = {
    table.name: "SELECT {} FROM {} ORDER BY {}".format(
        ", ".join(f'"{column.name}"' for column in table.columns if column.name not in _DRAWN),
        table.name,
        ", ".join(f'"{column.name}"' for column in table.primary_key.columns),
    )
    for table in Base.metadata.sorted_tables
    if table.name not in _ASIDE
}


def now(world: World) -> dict[str, Any]:
    with world.backend.writer.engine.connect() as connection:
        return content(connection)


def denied_since(world: World, mark: int) -> list[tuple[Any, ...]]:
    rows = world.rows(AuditEntry, AuditEntry.id > mark, AuditEntry.outcome == Logged.DENIED)
    return [(row["action"], row["entity"], row["record_id"]) for row in rows]


def mark_of(world: World) -> int:
    with world.backend.writer.engine.connect() as connection:
        return connection.execute(select(func.max(AuditEntry.id))).scalar_one()


@contextmanager
def put_back(world: World) -> Iterator[Callable[[], None]]:
    """Gives how to undo whatever has been done since; on PostgreSQL things stay as they have become."""
    path = make_url(world.backend.url).database or ""
    if world.backend.dialect != "sqlite":
        yield lambda: None
        return
    with closing(sqlite3.connect(":memory:")) as kept, closing(sqlite3.connect(path)) as live:
        live.execute("PRAGMA synchronous=off")
        live.backup(kept)
        yield lambda: kept.backup(live)


@pytest.mark.long
@at_length_on_postgresql
@for_everybody
def test_every_command_does_what_the_use_case_does_for_this_person_and_nothing_else(
    panel: Panel, town: Town, login: str, thorough: bool
) -> None:
    browser, sight = somebody(panel, town, login)

    with put_back(town.world) as undo:
        for door in (door for door in swept(thorough, "POST", "do") if door.command not in TOLD_ELSEWHERE):
            for ids in some([*batches(sight, door)], thorough, 1):
                if do(browser, sight, door, ids):
                    undo()
                    browser, sight = somebody(panel, town, login)  # where nothing is undone he may see more or less now


TOLD_ELSEWHERE = {"see-as", "copy"}
"""What makes one somebody else, or changes the policy: tests/people/test_view_as.py and tests/access/test_policy_drafts.py tell of those."""


def batches(sight: Sight, door: Door) -> Iterator[list[int]]:
    """A record of each kind together with one that never was, then each alone."""
    kinds = [id for id in sight.kinds(door.model, door.asks[1]) if not is_own_password(sight, door, id)]
    if door.command != "one-time-password":
        yield [*kinds, MISSING]
    yield from ([id] for id in kinds)


def is_own_password(sight: Sight, door: Door, id: int) -> bool:
    """That one is a hole and has a test of its own."""
    return door.command == "one-time-password" and id == sight.person.id


def do(browser: Browser, sight: Sight, door: Door, ids: list[int]) -> bool:
    """Do it in the panel, compare with the use case, and say whether anything has changed."""
    world, mark = sight.world, mark_of(sight.world)
    is_open, before = sight.ever(door.right, door.asks[0]), now(world)
    expected = directly(world, sight.login, *the_use_case(door, world, ids))

    answer = browser.post(door.path, {"ids": [global_id(door.model, id) for id in ids], **given(world)})

    what = (door, sight.login, ids)
    if not is_open:
        attempt = [(".".join(door.asks), table_of(door.asks[0]), None)]
        assert (answer.status_code, now(world), denied_since(world, mark)) == (403, before, attempt), what
        return False
    assert denied_since(world, mark) == expected.denied, what
    if isinstance(expected.answer, Outcome):
        assert answer.status_code == 200, what
        assert refused_in(answer.text) == [problem.say("en") for problem in expected.answer.problems], what
    elif isinstance(expected.answer, Refusal):
        assert answer.status_code in (404, 422), what
    is_done = bool(expected.ids) or expected.answer is None
    same_world(world, now(world), expected.world if is_done else before, what)
    return is_done


def same_world(world: World, found: dict[str, Any], wanted: dict[str, Any], what: Any) -> None:
    """On PostgreSQL a rolled back insert has used up its number: there the same tables have as many rows."""
    for table in wanted:
        if world.backend.dialect == "sqlite":
            assert found[table] == wanted[table], (what, table)
        else:
            assert len(found[table]) == len(wanted[table]), (what, table)


def given(world: World) -> dict[str, str]:
    return {**GIVEN, "user_id": f"usr_{world.ids['wu']}"}


def the_use_case(door: Door, world: World, ids: list[int]) -> tuple[Any, ...]:
    """(use case, arguments) behind a command, as `given` asks for it."""
    model, assignee, why = door.model, world.ids["wu"], GIVEN["reason"]
    login = str(world.row(User, ids[0])["login"]) if door.command == "one-time-password" else ""
    calls: dict[str, tuple[Any, ...]] = {
        "claim": (claiming.claim, ids),
        "assign": (lambda scope: assigning.assign(scope, ids, assignee, reason=why),),
        "transfer": (transferring.transfer, ids, assignee, why),
        "release": (releasing.release, ids, None, why),
        "lock": (locking.lock, ids, why, None),
        "unlock": (locking.unlock, ids, why),
        "delete": (create_update.delete, model, ids),
        "restore": (create_update.restore, model, ids),
        "purge": (lambda scope: create_update.purge(scope, model, ids, confirm=True),),
        "activate": (lambda scope: accounts.set_active(scope, ids, active=True),),
        "deactivate": (lambda scope: accounts.set_active(scope, ids, active=False),),
        "one-time-password": (lambda scope: passwords.set_password(scope, login, HASH, one_time=True),),
    }
    if (model, door.command) == (Contact, "transfer"):
        return (lambda scope: contacts.transfer(scope, ids, assignee, reason=why),)
    assert door.command in calls, f"say here which use case stands behind {door}"
    return calls[door.command]


# --- forms -----------------------------------------------------------------------------------------------


@pytest.mark.long
@at_length_on_postgresql
@for_everybody
def test_every_form_changes_what_the_use_case_changes_for_this_person_and_nothing_else(
    panel: Panel, town: Town, login: str, thorough: bool
) -> None:
    browser, sight = somebody(panel, town, login)

    with put_back(town.world) as undo:
        for door in over_records("POST", "edit"):
            for id in some(sight.kinds(door.model, "edit"), thorough):
                edit(browser, sight, door, id)
                undo()
        for door in swept(thorough, "POST", "create"):
            if create(browser, sight, door, new(door.model, town.world)):
                undo()


def edit(browser: Browser, sight: Sight, door: Door, id: int) -> bool:
    """Post the whole form with one field changed, as if all had changed; says whether that went through."""
    world, model = sight.world, door.model
    row, change = world.row(model, id), CHANGED[model]
    before = now(world)
    expected = directly(world, sight.login, create_update.update, model, id, as_values(model, change), row["version"])

    answer = browser.post(door.at(global_id(model, id)), {**form_of(model, row, world), **change})

    wanted, what = edit_status(sight, door, id), (door, sight.login, id)
    assert answer.status_code == (303 if wanted == 200 else wanted), what
    assert bool(expected.ids) is (wanted == 200), what
    same_world(world, now(world), expected.world if wanted == 200 else before, what)
    return wanted == 200


CHANGED: dict[type[Base], dict[str, str]] = {
    **{model: {"name": "Changed"} for model in ENTITIES},
    FollowUp: {"content": "Changed"},
    models.PoolMember: {"seat": "VIEWER"},
    models.ClaimRule: {"daily_quota": "9"},
    models.UserRole: {"starts_at": "2026-01-01T00:00"},
    models.DictionaryItem: {"label_en": "Changed"},
    models.NumberRule: {"pattern": "N{YYYY}{seq:4}"},
}
"""The field that a test changes when it edits a record, as a form holds it."""


def form_of(model: type[Base], row: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Everything that a form to edit this row could hold, as a browser sends it."""
    held = {column.key: typed(column, row[column.key]) for column in columns(model)}
    if model is Contact:
        points = [point for point in world.rows(models.ContactPoint) if point["contact_id"] == row["id"]]
        held |= {"points-kind": [str(x["kind"]) for x in points], "points-value": [x["value"] for x in points]}
    return {key: value for key, value in held.items() if value is not None} | {"_was": "{}"}


def typed(column: Any, value: Any) -> Any:
    target = next((MODELS.get(key.column.table.name) for key in column.foreign_keys), None)
    if value is None or value is False:
        return None if value is False else ""
    if target is not None:
        return global_id(target, value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M")
    return "\n".join(value) if isinstance(value, list) else "y" if value is True else str(value)


def create(browser: Browser, sight: Sight, door: Door, form: dict[str, str], **values: Any) -> bool:
    """Post a form for a new record, compare with the use case, and say whether there is one."""
    world, model = sight.world, door.model
    before, is_open = now(world), sight.ever(door.right, door.asks[0]) and sight.ever("create", door.asks[0])
    expected = directly(world, sight.login, create_update.create, model, values or as_values(model, form))

    answer = browser.post(door.path, form)

    what = (door, sight.login)
    assert answer.status_code == (403 if not is_open else 303 if expected.ids else 422), what
    is_made = is_open and bool(expected.ids)
    same_world(world, now(world), expected.world if is_made else before, what)
    return is_made


def new(model: type[Base], world: World) -> dict[str, str]:
    """A form with everything that a record of this kind needs, pointing to what Li sees."""
    ids = world.ids
    forms: dict[type[Base], dict[str, str]] = {
        Contact: {"customer_id": f"cus_{ids['of li']}"},
        Opportunity: {"customer_id": f"cus_{ids['of li']}", "currency": "CNY"},
        FollowUp: {
            "customer_id": f"cus_{ids['of li']}",
            "kind": "CALL",
            "content": "New",
            "happened_at": "2026-11-24T08:00",
        },
        models.PoolMember: {"pool_id": f"poo_{ids['north']}", "seat": "MEMBER", "to_user": f"usr_{ids['sam']}"},
        models.ClaimRule: {"pool_id": f"poo_{ids['south']}", "daily_quota": "7"},
        User: {"login": "new", "language": "en", "active": "y"},
        models.Pool: {"enabled": "y", "priority": "0"},
        models.Role: {"code": "new_role"},
        models.UserRole: {"user_id": f"usr_{ids['nil']}", "role_id": f"rol_{ids['support']}"},
        models.Dictionary: {"code": "new"},
        models.DictionaryItem: {
            "dictionary_id": f"dic_{ids['a dictionary']}",
            "key": "new",
            "label_en": "New",
            "position": "0",
        },
        models.NumberRule: {"for_module": "customer", "pattern": "N{seq:3}"},
    }
    named = {"name": "New"} if "name" in model.__table__.c else {}
    return {**named, **forms.get(model, {})}


def as_values(model: type[Base], form: Mapping[str, str]) -> dict[str, Any]:
    """A form as a use case takes it."""
    found: dict[str, Any] = {}
    for key, text in form.items():
        if key == "to_user":
            found |= {"grantee_kind": GranteeKind.USER, "grantee_id": number_of(User, text)}
            continue
        column = model.__table__.c[key]
        target = next((MODELS.get(k.column.table.name) for k in column.foreign_keys), None)
        kind = column.type.python_type
        if target is not None:
            found[key] = number_of(target, text)
        elif isinstance(column.type, Utc):
            found[key] = datetime.fromisoformat(text).replace(tzinfo=UTC)
        elif kind is bool:
            found[key] = True
        else:
            found[key] = int(text) if kind is int else text
    return found


# --- from elsewhere --------------------------------------------------------------------------------------

ELSEWHERE: list[dict[str, str]] = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": ORIGIN},
    {"sec-fetch-site": "SAME-ORIGIN"},
    {"sec-fetch-site": ""},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:8001"},
    {"origin": "https://127.0.0.1:8000"},
    {"origin": f"{ORIGIN}.evil.example"},
    {"referer": f"{ORIGIN}/admin/"},
    {"x-requested-with": "XMLHttpRequest", "hx-request": "true"},
    {},
]
"""What comes along with something that another site has sent, or that nobody can tell from where it comes."""


@pytest.mark.long
@at_length_on_postgresql
@pytest.mark.parametrize(
    "headers", [pytest.param(x, marks=pytest.mark.long if n % 4 else []) for n, x in enumerate(ELSEWHERE)], ids=str
)
def test_nothing_is_done_that_another_site_has_sent_with_our_cookie(
    panel: Panel, town: Town, headers: dict[str, str]
) -> None:
    ada = panel.of("ada")
    before = all_of_it(town.world)

    for door in doors():
        if door.method == "POST":
            form = {
                "ids": f"cus_{town.ids['of li']}",
                **given(town.world),
                "login": "ada",
                "password": RIGHT,
                "name": "X",
            }
            answer = ada.post(door.at("cus_1"), form, headers)
            assert (answer.status_code, answer.headers.get("set-cookie")) == (403, None), door

    assert all_of_it(town.world) == before


def test_nobody_is_signed_in_by_another_site(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        panel.of("li")
        before = all_of_it(panel.world)

        for headers in ELSEWHERE[:10]:
            answer = panel.browser().post("/admin/login", {"login": "li", "password": RIGHT}, headers)
            assert (answer.status_code, answer.headers.get("set-cookie")) == (403, None), headers

        assert all_of_it(panel.world) == before


def test_a_page_of_ours_is_known_by_its_origin_where_a_browser_says_nothing_else(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        done = panel.of("li").post("/admin/account/language", {"language": "zh"}, {"origin": ORIGIN})

        assert (done.status_code, panel.world.row(User, panel.world.ids["li"])["language"]) == (303, "zh")


@pytest.mark.long
def test_no_route_that_changes_something_answers_a_get(panel: Panel, town: Town) -> None:
    ada = panel.of("ada")
    before = all_of_it(town.world)

    for door in doors():
        if door.method == "POST" and Door("GET", *list(vars(door).values())[1:]) not in doors():
            answer = ada.get(door.at("cus_1"), {"ids": f"cus_{town.ids['of li']}", **given(town.world)})
            assert answer.status_code == 405, door

    assert all_of_it(town.world) == before


@contextmanager
def small(url: str) -> Iterator[Panel]:
    """The panel over the small world as it is."""
    world = World(url)
    try:
        yield Panel(world)
    finally:
        world.close()


# --- strangers -------------------------------------------------------------------------------------------


@pytest.mark.long
@at_length_on_postgresql
@pytest.mark.parametrize(
    "key", [None, *(pytest.param(x, marks=pytest.mark.long) for x in ("ms_unknown", "mp_unknown", "x" * 500))]
)
def test_a_stranger_is_led_to_the_sign_in_and_learns_and_changes_nothing(
    panel: Panel, town: Town, key: str | None
) -> None:
    stranger = panel.of(None)
    stranger.marks, stranger.secrets = MARKS, frozenset(town.marks)
    if key:
        stranger.client.cookies.set(COOKIE, key)
    before = all_of_it(town.world)
    id = town.ids["of li"]

    for door in doors():
        if door.path in ("/admin/login", "/admin/logout", "/admin/preferences"):
            continue
        path, form = door.at(global_id(door.model, id) if door.view else "x"), {"ids": f"cus_{id}", **given(town.world)}
        for more in ({}, PARTIAL):
            answer = stranger.get(path, **more) if door.method == "GET" else stranger.post(path, form, {**OURS, **more})
            assert answer.status_code == (204 if more else 303), door
            assert answer.headers["hx-redirect" if more else "location"].startswith("/admin/login"), door
            assert answer.text == "", door

    assert all_of_it(town.world) == before


# --- what a form points to -------------------------------------------------------------------------------


@pytest.mark.long
@at_length_on_postgresql
@pytest.mark.parametrize("login", ["li", *(pytest.param(x, marks=pytest.mark.long) for x in EVERYBODY if x != "li")])
def test_a_new_record_that_points_to_a_hidden_one_is_refused_like_one_that_points_to_nothing(
    panel: Panel, town: Town, login: str
) -> None:
    """Every reference of every form that somebody may fill: nothing is made, and the answer tells nothing."""
    browser, sight = somebody(panel, town, login)
    before = town.world.everything()

    for door in over_records("POST", "create"):
        if not (sight.ever(door.right, door.asks[0]) and sight.ever("create", door.asks[0])):
            continue
        form, page = new(door.model, town.world), browser.get(door.path).text
        for key, target in pointed(door.model):
            for id in sight.hidden(target)[:2] if f'name="{key}"' in page else ():
                ids = global_id(target, id), global_id(target, MISSING)
                shown, missing = (told(browser.post(door.path, {**form, key: x}), x) for x in ids)
                assert (shown[0], shown) == (422, missing), (door, key, id)

    assert town.world.everything() == before


def pointed(model: type[Base]) -> Iterator[tuple[str, type[Base]]]:
    """(field of the form, kind of record): the foreign keys, and to whom a seat is given."""
    yield from references(model)
    if model is models.PoolMember:
        yield from (("to_user", User), ("to_department", models.Department))


@pytest.mark.long
@at_length_on_postgresql
@pytest.mark.parametrize("login", ["li", *(pytest.param(x, marks=pytest.mark.long) for x in EVERYBODY if x != "li")])
def test_an_edit_that_points_to_a_hidden_record_is_refused_like_one_that_points_to_nothing(
    panel: Panel, town: Town, login: str
) -> None:
    browser, sight = somebody(panel, town, login)
    before = town.world.everything()

    for door in over_records("POST", "edit"):
        mine = sorted(id for id in sight.ids(door.model, "edit") if edit_status(sight, door, id) == 200)[:1]
        for id, (key, target) in product(mine, references(door.model, creating=False)):
            form = form_of(door.model, town.world.row(door.model, id), town.world)
            for hidden in sight.hidden(target)[:2]:
                ids = global_id(target, hidden), global_id(target, MISSING)
                answers = (browser.post(door.at(global_id(door.model, id)), {**form, key: x}) for x in ids)
                shown, missing = (told(answer, x) for answer, x in zip(answers, ids, strict=True))
                assert (shown[0], shown) == (422, missing), (door, key, hidden)

    assert town.world.everything() == before


@pytest.mark.long
@at_length_on_postgresql
@pytest.mark.parametrize(
    "login", ["li", pytest.param("lead", marks=pytest.mark.long), pytest.param("ada", marks=pytest.mark.long)]
)
def test_a_command_that_names_a_hidden_pool_or_nobody_is_refused_like_one_that_names_nothing(
    panel: Panel, town: Town, login: str
) -> None:
    browser, sight = somebody(panel, town, login)
    before = town.world.everything()
    gone_pool, gone_person = town.ids["hill"], town.ids["left"]

    for door in over_records("POST", "do"):
        for field in (
            each for command in door.view.commands if command.name == door.command for each in command.fields
        ):
            if field.target is None or not sight.ids(door.model, door.asks[1]):
                continue
            one = global_id(door.model, min(sight.ids(door.model, door.asks[1])))
            out = [*sight.hidden(field.target)[:2], gone_pool if field.target is models.Pool else gone_person]
            for id in out:
                ids = global_id(field.target, id), global_id(field.target, MISSING)
                form = {"ids": one, **given(town.world)}
                shown, missing = (told(browser.post(door.path, {**form, field.key: x}), x) for x in ids)
                assert shown == missing, (door, field.key, id)

    assert town.world.everything() == before


# --- fields ----------------------------------------------------------------------------------------------


@pytest.mark.long
def test_the_phone_of_a_pooled_customer_is_on_no_page_for_who_has_a_seat_there(panel: Panel, town: Town) -> None:
    """Not in list, page, form, history, search, filter, order or dialog; of his own customer all of them show it."""
    browser, _sight = somebody(panel, town, "li")
    row, mine = (town.world.row(Customer, town.ids[name]) for name in ("in north", "of li"))
    for key in ("phone", "email"):
        assert (row[key] in browser.secrets, mine[key] in browser.secrets) == (True, False)
    browser.post("/admin/preferences", {"name": "columns", "of": "customer", "value": "name,phone,email"})
    browser.post("/admin/preferences", {"name": "columns", "of": "pooled", "value": "name,phone,email,pool_id"})

    for path in ("customer/list", "pooled/list", "contact/list"):
        found = browser.get(f"/admin/{path}", {"q": row["phone"], "order": "phone"})
        assert (rows_in(found.text), found.status_code) == ([], 200)
        for order in ("phone", "-phone", "email"):
            assert browser.get(f"/admin/{path}", {"order": order}).status_code == 200
    for tab in ("contacts", "ownership", "history"):
        assert row["name"] in browser.get(f"/admin/customer/details/cus_{row['id']}", {"tab": tab}).text
    assert browser.get("/admin/customer/lookup", {"q": row["phone"]}).json() == []
    assert mine["phone"] in browser.get("/admin/customer/list").text
    assert rows_in(browser.get("/admin/customer/list", {"q": mine["phone"]}).text) == [f"cus_{mine['id']}"]


HIDDEN_FIELDS = [
    "customer.name",
    "customer.remark",
    "contact.name",
    "contact.points",
    "opportunity.amount",
    "followup.content",
]


@pytest.mark.long
@pytest.mark.parametrize(
    "word", [*HIDDEN_FIELDS[:1], *(pytest.param(x, marks=pytest.mark.long) for x in HIDDEN_FIELDS[1:])]
)
@at_length_on_postgresql
def test_a_field_that_a_policy_line_hides_is_on_no_page_and_an_edit_of_it_changes_nothing(
    panel: Panel, town: Town, word: str
) -> None:
    with_line(town.world, f"p, sales, {word}, view, all, any, deny")
    browser, sight = somebody(panel, town, "li")
    module, _, key = word.partition(".")
    model = next(model for model in ENTITIES if model.module == module)
    assert sight.with_field(model, key) == set(), "it is hidden"

    for path in ("", "customer/list", "pooled/list", "contact/list", "opportunity/list", "follow-up/list"):
        browser.get(f"/admin/{path}")
    for door in over_records("GET", "details", "lookup", "edit"):
        if door.view.identity in ("customer", "contact", "opportunity") or door.model is model:
            for id in sight.kinds(door.model, "edit")[:1]:
                tabs = [{"tab": tab.name} for tab in door.view.related] if door.page == "details" else []
                for query in tabs or [{"q": "Zq"}]:
                    browser.get(door.at(global_id(door.model, id)), query)

    texts = [text for text, (kind, _, field) in town.marks.items() if (kind, field) == (model, key)]
    for word, text in product(("customer", "contact", "opportunity", "follow-up"), texts[:2]):
        assert rows_in(browser.get(f"/admin/{word}/list", {"q": text}).text) == [], "nor is it found"
        assert browser.get(f"/admin/{word}/lookup", {"q": text}).json() == []
    id = next(id for id in sorted(sight.ids(model, "edit")) if town.world.row(model, id)["deleted_at"] is None)
    door = next(x for x in over_records("POST", "edit") if x.model is model)
    before = town.world.everything()
    browser.post(door.at(global_id(model, id)), {**form_of(model, town.world.row(model, id), town.world), key: "999"})
    assert town.world.everything() == before


def with_line(world: World, line: str) -> None:
    """Put one more line in force."""
    with world.backend.writer.engine.begin() as connection:
        put_in_force(connection, f"{current_text(connection)}\n{line}\n", "a test", world.clock())
        world.backend.refresh_policy(connection)


@pytest.mark.long
@at_length_on_postgresql
def test_a_conflict_shows_what_stands_now_and_nothing_that_is_hidden(panel: Panel, town: Town) -> None:
    with_line(town.world, "p, sales, customer.remark, view, all, any, deny")
    row = town.world.row(Customer, town.ids["of li"])
    browser, _sight = somebody(panel, town, "li")
    town.world.ada.do(create_update.update, Customer, row["id"], {"name": "Ada's name", "remark": "Ada's remark"})

    stale = browser.post(
        f"/admin/customer/edit/cus_{row['id']}", {**form_of(Customer, row, town.world), "name": "Li's name"}
    )

    assert stale.status_code == 409
    assert ("Ada&#39;s name" in stale.text, "Li&#39;s name" in stale.text) == (True, True)
    assert "remark" not in stale.text.lower().split("</main>")[0]
    assert town.world.row(Customer, row["id"])["name"] == "Ada's name"


@pytest.mark.long
@at_length_on_postgresql
@pytest.mark.parametrize("key", ["phone", "remark"])
def test_a_field_that_one_may_see_and_not_edit_is_no_input_and_a_posted_value_changes_nothing(
    panel: Panel, town: Town, key: str
) -> None:
    with_line(town.world, f"p, sales, customer.{key}, edit, all, any, deny")
    browser, _sight = somebody(panel, town, "li")
    row = town.world.row(Customer, town.ids["of li"])
    path = f"/admin/customer/edit/cus_{row['id']}"
    assert f'name="{key}"' not in browser.get(path).text

    done = browser.post(path, {**form_of(Customer, row, town.world), key: "13099999999"})

    assert done.status_code == 303
    assert town.world.row(Customer, row["id"])[key] == row[key]


EXTRA: dict[str, Any] = {
    "id": "1",
    "number": "EVIL",
    "owner_id": "usr_1",
    "pool_id": "poo_1",
    "department_id": "dep_2",
    "customer_id": "cus_3",
    "created_by_id": "usr_1",
    "created_at": "2020-01-01T00:00",
    "updated_by_id": "usr_1",
    "deleted_at": "2026-11-24T08:00",
    "delete_batch_id": "x",
    "locked_by_id": "usr_1",
    "lock_reason": "evil",
    "claimed_at": "2020-01-01T00:00",
    "path": "/1/",
    "salt": "x",
    "contact_name": "Evil",
    "__class__": "x",
    "self": "x",
    "owner": "1",
    "version ": "1",
    "grantee_id": "1",
    "password_hash": "x",
}
"""What somebody may add to a form by hand."""


@pytest.mark.long
@at_length_on_postgresql
def test_what_a_form_does_not_offer_changes_nothing_when_it_is_posted(panel: Panel, town: Town) -> None:
    """For everything that Ada may edit: one field changes, and what always follows a change."""
    browser, sight = somebody(panel, town, "ada")
    for door in over_records("POST", "edit"):
        id = min(id for id in sight.ids(door.model, "edit") if edit_status(sight, door, id) == 200)
        row, editable = town.world.row(door.model, id), {key for key, _ in offered(door.model)}
        form, change = form_of(door.model, row, town.world), CHANGED[door.model]
        extra = {k: v for k, v in EXTRA.items() if k not in editable}

        done = browser.post(door.at(global_id(door.model, id)), {**form, **extra, **change})

        after = town.world.row(door.model, id)
        changed = {k for k in row if row[k] != after[k]} - {"version", "updated_at", "updated_by_id"}
        assert (done.status_code, changed) == (303, set(change)), door
        assert after["version"] == row["version"] + 1, door


def offered(model: type[Base]) -> Iterator[tuple[str, Any]]:
    """(column, its trait) of what a form to edit may set."""
    for column in columns(model):
        trait = trait_of(column)
        if not (trait.system_managed or trait.immutable or column.primary_key):
            yield column.key, trait


@pytest.mark.long
@at_length_on_postgresql
def test_what_a_form_does_not_offer_makes_nothing_of_a_new_record(panel: Panel, town: Town) -> None:
    browser, _sight = somebody(panel, town, "li")
    extra = {k: v for k, v in EXTRA.items() if k not in ("number", "owner_id", "contact_name", "customer_id")}
    mark = town.world.count(Customer)

    done = browser.post("/admin/customer/create", {"name": "New", **extra})

    row = town.world.rows(Customer)[-1]
    assert (done.status_code, town.world.count(Customer)) == (303, mark + 1)
    assert (row["name"], row["owner_id"], row["pool_id"]) == ("New", town.ids["li"], None)
    assert (row["version"], row["deleted_at"], row["locked_by_id"]) == (1, None, None)
    assert (row["created_by_id"], row["created_at"], row["department_id"]) == (town.ids["li"], START, town.ids["east"])


@pytest.mark.long
@at_length_on_postgresql
def test_what_a_command_does_not_ask_for_changes_nothing_when_it_is_posted(panel: Panel, town: Town) -> None:
    browser, _sight = somebody(panel, town, "li")
    id = town.ids["in north"]
    expected = directly(town.world, "li", claiming.claim, [id])

    browser.post(
        "/admin/customer/do/claim", {"ids": f"cus_{id}", **EXTRA, "user_id": "usr_5", "mode": "x", "scope": "x"}
    )

    same_world(town.world, now(town.world), expected.world, "claim")


# --- where one is sent -----------------------------------------------------------------------------------

AWAY = [
    "//evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "https://evil.example/admin/",
    "https:evil.example",
    "javascript:alert(1)",
    "/admin//evil.example",
    "/admin/..//evil.example",
    "/admin/\\evil.example",
    "/admin/\t/evil.example",
    "/admin/\r\nlocation: https://evil.example",
    "/admin/\nset-cookie: millpond=x",
    "/administrator",
    "/admin",
    "@evil.example",
    ".evil.example",
    " //evil.example",
    "/%2F/evil.example",
    "http:///evil.example/admin/",
    "/admin/\u2028/evil.example",
    "//evil.example/admin/",
    "/admin/" + "x" * 10_000 + "//evil.example",
]
INSIDE = ["/admin/customer/list?q=a&f_stage=early", "/admin/", "/admin/customer/details/cus_1?tab=history#related"]


def leads_inside(response: Any, wanted: str | None = None) -> None:
    location = response.headers["location"]
    assert response.status_code == 303
    assert re.fullmatch(r"/admin/[^/\\\s][^\\\s]*|/admin/", location), location
    assert "//" not in location.partition("?")[0], location
    assert "evil" not in str(response.headers.get("set-cookie")), location
    if wanted is not None:
        assert location == wanted


def test_sign_in_and_preferences_never_lead_to_another_host(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        li, stranger = panel.of("li"), panel.browser()

        for away in AWAY:
            panel.world.clock.pass_by(minutes=5)  # so that nobody has guessed too often
            assert "evil" not in stranger.get("/admin/login", {"next": away}).text.split("</head>")[1]
            leads_inside(panel.browser().sign_in("li", next=away), "/admin/")
            if away in AWAY[:5]:
                refused = panel.browser().sign_in("li", "wrong", next=away)
                again = panel.browser().sign_in("li", next=field_in(refused.text, "next"))
                leads_inside(again, "/admin/")
            leads_inside(li.post("/admin/preferences", {"name": "theme", "value": "dark", "back": away}), "/admin/")


def test_sign_in_and_preferences_lead_back_to_where_one_was(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        li = panel.of("li")

        for inside in INSIDE:
            stranger = panel.browser()
            assert field_in(stranger.get("/admin/login", {"next": inside}).text, "next") == inside
            leads_inside(stranger.sign_in("li", next=inside), inside)
            leads_inside(li.post("/admin/preferences", {"name": "theme", "value": "dark", "back": inside}), inside)


def test_whoever_is_led_to_the_sign_in_comes_back_to_the_page_he_asked_for(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        panel.of("li")
        stranger = panel.browser()

        sent = stranger.get("/admin/customer/list", {"q": "a b&c=1", "f_stage": "early"})

        to = stranger.get(sent.headers["location"])
        leads_inside(
            stranger.sign_in("li", next=field_in(to.text, "next")), "/admin/customer/list?q=a+b%26c%3D1&f_stage=early"
        )


def test_an_address_with_another_host_in_it_leads_nowhere(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        for path in ("/admin//evil.example/list", "/admin/customer/list//evil.example", "/admin/%2Fevil.example"):
            for browser in (panel.of("li"), panel.browser()):
                assert (browser.get(path).status_code, browser.get(path).headers.get("location")) == (404, None), path


def field_in(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, f"there is no input {name}"
    return unescape(found[1])


# --- hostile names ---------------------------------------------------------------------------------------

HOSTILE = '<script>alert("x")</script>\'"><img src=x onerror=alert(1)>{{7*7191}}${7*7191}&lt;'


def hostile_town(world: World) -> None:
    """A record of every kind, each text in it hostile."""
    world.system.do(create_update.update, User, world.ids["li"], {"name": f"Li {HOSTILE}"})
    world.system.do(create_update.update, models.Organisation, 1, {"name": HOSTILE, "support_contact": HOSTILE})
    world.system.do(create_update.update, models.Pool, world.ids["north"], {"name": HOSTILE, "description": HOSTILE})
    for model, given in (
        (models.Department, {}),
        (models.Role, {"code": "hostile"}),
        (models.Dictionary, {"code": "hostile"}),
        (models.DictionaryItem, {"dictionary_id": 1, "key": HOSTILE[:40], "aliases": [HOSTILE]}),
        (Customer, {"owner_id": world.ids["li"], "number": HOSTILE[:40], "stage": "early"}),
        (Customer, {"pool_id": world.ids["north"], "number": f"P{HOSTILE[:39]}"}),
        (
            Contact,
            {
                "customer_id": 1,
                "points": [
                    {"kind": "EMAIL", "value": f"{HOSTILE.replace(' ', '')}@x"},
                    {"kind": "OTHER", "value": HOSTILE},
                ],
            },
        ),
        (Opportunity, {"customer_id": 1, "contact_id": 1, "currency": "CNY"}),
        (FollowUp, {"customer_id": 1, "contact_id": 1, "kind": "CALL", "happened_at": START}),
    ):
        texts = {
            c.key: HOSTILE for c in columns(model) if isinstance(c.type, String | Text) and not isinstance(c.type, Enum)
        }
        texts = {
            k: t
            for k, t in texts.items()
            if not trait_of(model.__table__.c[k]).system_managed and not trait_of(model.__table__.c[k]).dictionary
        }
        texts |= {k: "13000000000" for k in ("phone",) if k in texts} | {
            k: f"{HOSTILE.replace(' ', '')}@x" for k in ("email",) if k in texts
        }
        world.make(model, **{**texts, **given})
    world.li.do(locking.lock, [1], HOSTILE)
    world.li.do(locking.unlock, [1], HOSTILE)
    world.li.do(releasing.release, [1], world.ids["north"], HOSTILE)
    world.ada.do(create_update.update, Customer, 2, {"name": f"{HOSTILE}!"})


@pytest.mark.long
@at_length_on_postgresql
@pytest.mark.parametrize(
    ("login", "thorough"),
    [("ada", False), *(pytest.param(x, True, marks=pytest.mark.long) for x in ("ada", "li", "lead"))],
)
def test_hostile_texts_are_shown_as_they_are_and_never_run(url: str, login: str, thorough: bool) -> None:
    with small(url) as panel:
        hostile_town(panel.world)
        browser, shown = panel.of(login), 0
        for door in swept(thorough, "GET", "list", *(("create", "lookup", "ask") if thorough else ())):
            shown += harmless(browser.get(door.path, {"ids": ["cus_1", "cus_2", "con_1"]} if door.command else {}))
        for path in ("", "account", "log", "login", "pooled/list", "user/list", "follow-up/list"):
            shown += harmless(browser.get(f"/admin/{path}"))
        for door in swept(thorough, "GET", "details", "edit"):
            newest = max((row["id"] for row in panel.world.rows(door.model)), default=0)
            for tab, id in product(
                some(door.view.related or [None], thorough, 4), {1, newest} if door.model is Customer else {newest}
            ):
                answer = browser.get(door.at(global_id(door.model, id)), {"tab": tab.name} if tab else {})
                shown += harmless(answer)
        for key in some(
            ("q", "f_stage", "f_owner_id", "f_created_at_from", "tab", "order", "after", "size"), thorough, 3
        ):
            harmless(browser.get("/admin/customer/list", {key: HOSTILE}))
        log = ("q", "actor", "kind", "from", "to", "record", "batch")
        harmless(browser.get("/admin/log", dict.fromkeys(log, HOSTILE)))
        form = dict.fromkeys(("name", "owner_id", "stage", "phone", "ids", "user_id", "reason", "from"), HOSTILE)
        harmless(browser.post("/admin/customer/create", form))
        harmless(browser.post("/admin/customer/do/transfer", form))
        harmless(panel.browser().sign_in(HOSTILE, HOSTILE, next=f"/admin/{HOSTILE}"))
        assert shown > 12, "these pages hold hostile texts"


def harmless(response: Any) -> bool:
    """Whether a page holds a hostile text; whatever it holds of it is text."""
    if not response.headers.get("content-type", "").startswith("text/html"):
        return False
    assert mistakes(response.text) == [], response.request.url
    assert "<script>alert" not in response.text, response.request.url
    assert "50337" not in response.text, response.request.url
    return "&lt;script&gt;" in response.text


# --- sessions --------------------------------------------------------------------------------------------


def is_in(browser: Browser, token: str | None = None) -> bool:
    """Whether a key opens the panel, that of the browser or another."""
    if token is None:
        return browser.get("/admin/").status_code == 200
    other = Browser(browser.panel)
    other.client.cookies.set(COOKIE, token)
    return is_in(other)


@at_length_on_postgresql
def test_a_new_sign_in_in_a_browser_ends_the_session_that_was_open_there(url: str) -> None:
    with small(url) as panel:
        browser, elsewhere = panel.of("li"), panel.browser()
        elsewhere.sign_in("li")
        panel.of("wu")
        first = browser.token
        assert first
        assert is_in(browser, first)

        browser.sign_in("wu")

        assert browser.token not in (first, None)
        assert (is_in(browser), is_in(browser, first), is_in(elsewhere)) == (True, False, True)
        assert "Wu Wei" in browser.get("/admin/account").text


@at_length_on_postgresql
def test_a_session_that_somebody_plants_is_not_the_one_that_a_sign_in_opens(url: str) -> None:
    with small(url) as panel:
        mallory = panel.of("mei")
        planted, victim = mallory.token, panel.browser()
        panel.of("li")
        assert planted
        victim.client.cookies.set(COOKIE, planted)

        victim.sign_in("li")

        assert victim.client.cookies.jar is not None
        assert planted not in [cookie.value for cookie in victim.client.cookies.jar if cookie.domain]
        assert not is_in(mallory)


@at_length_on_postgresql
def test_after_sign_out_the_cookie_is_gone_and_opens_nothing(url: str) -> None:
    with small(url) as panel:
        browser = panel.of("li")
        token = browser.token
        assert token

        left = browser.post("/admin/logout")

        assert (left.status_code, left.headers["location"], browser.token) == (303, "/admin/login", None)
        assert not is_in(browser, token)
        assert browser.post("/admin/logout").status_code == 303


@pytest.mark.long
@at_length_on_postgresql
@in_brief_and_at_length
def test_somebody_with_a_one_time_password_reaches_the_page_to_change_it_and_the_way_out(
    panel: Panel, town: Town, thorough: bool
) -> None:
    town.world.system.do(passwords.set_password, "li", HASH, one_time=True)
    browser = panel.browser()
    browser.marks, browser.secrets = MARKS, frozenset(town.marks)
    leads_inside(browser.sign_in("li"), "/admin/")
    before = all_of_it(town.world)
    id = town.ids["of li"]

    for door in some(doors(), thorough, 60):
        path, form = door.at(global_id(door.model, id) if door.view else "x"), {"ids": f"cus_{id}", **given(town.world)}
        if door.path not in ("/admin/login", "/admin/logout", "/admin/preferences", "/admin/password"):
            answer = browser.get(path) if door.method == "GET" else browser.post(path, form)
            assert (answer.status_code, answer.headers.get("location")) == (303, "/admin/password"), door
    assert browser.get("/admin/password").status_code == 200
    wrong = browser.post(
        "/admin/password", {"old": "wrong wrong", "new": "quite another one", "again": "quite another one"}
    )
    assert wrong.status_code == 422
    assert all_of_it(town.world)["audit_entry"] == before["audit_entry"]

    done = browser.post("/admin/password", {"old": RIGHT, "new": "quite another one", "again": "quite another one"})

    leads_inside(done, "/admin/")
    browser.secrets = frozenset()
    assert is_in(browser)
    assert browser.get("/admin/password").headers["location"] == "/admin/account"


@at_length_on_postgresql
def test_whoever_is_deactivated_is_out_at_once(url: str) -> None:
    with small(url) as panel:
        li, ada = panel.of("li"), panel.of("ada")
        token = li.token

        ada.post("/admin/user/do/deactivate", {"ids": f"usr_{panel.world.ids['li']}"})

        assert (is_in(li), is_in(li, token), is_in(ada)) == (False, False, True)
        assert li.post("/admin/customer/create", {"name": "X"}).headers["location"] == "/admin/login"
        assert panel.browser().sign_in("li").status_code == 400
        assert panel.world.count(Customer) == 0


@at_length_on_postgresql
def test_a_new_password_ends_every_other_session_and_keeps_this_one(url: str) -> None:
    with small(url) as panel:
        browser, other = panel.of("li"), panel.browser()
        other.sign_in("li")
        form = {"old": RIGHT, "new": "quite another one", "again": "quite another one"}

        assert browser.post("/admin/account/password", {**form, "old": "wrong wrong"}).status_code == 422
        assert (is_in(browser), is_in(other)) == (True, True)
        assert browser.post("/admin/account/password", form).status_code == 303

        assert (is_in(browser), is_in(other)) == (True, False)


@at_length_on_postgresql
def test_nobody_ends_the_session_or_token_of_another(url: str) -> None:
    with small(url) as panel:
        li, wu = panel.of("li"), panel.of("wu")
        wu.post("/admin/account/token", {"name": "Wu's"})
        before, held = panel.world.everything(), panel.world.rows(models.SignInSession)
        keys = [f"ses_{row['id']}" for row in held if row["user_id"] != panel.world.ids["li"]]

        answers = [told(li.post("/admin/account/revoke", {"key": key}), key) for key in (*keys, "ses_987654")]

        assert len(keys) >= 1
        assert set(map(str, answers)) == {str(answers[-1])}
        assert told(li.post("/admin/account/revoke", {"key": "tok_1"})) == told(
            li.post("/admin/account/revoke", {"key": "tok_99"})
        )
        assert (panel.world.everything(), panel.world.rows(models.SignInSession)) == (before, held)
        assert is_in(wu)


def test_the_cookie_is_for_http_alone_and_over_https_for_this_host_alone(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        panel.of("li")
        plain, secure = panel.browser(), panel.browser()
        secure.client.base_url = "https://127.0.0.1:8000"
        cookies = [browser.sign_in("li").headers["set-cookie"] for browser in (plain, secure)]

        assert re.fullmatch(r"millpond=ms_[\w-]+; HttpOnly; Path=/; SameSite=lax", cookies[0])
        assert re.fullmatch(r"__Host-millpond=ms_[\w-]+; HttpOnly; Path=/; SameSite=lax; Secure", cookies[1])


# --- nonsense --------------------------------------------------------------------------------------------

DEEP = "[" * 1_500
"""JSON that Python cannot read because it is too deep."""
NONSENSE = [
    "a\0b",
    "x" * 10_000,
    "9" * 4_000,
    DEEP,
    "\0",
    "-1",
    "0",
    "1e400",
    "1e-400",
    "1E+13",
    "1E-999999",
    "NaN",
    "sNaN",
    "-Infinity",
    "2147483648",
    "9223372036854775808",
    "１２",
    "٣",
    "²",
    "1_000",
    "null",
    "{}",
    "true",
    "'; DROP TABLE customer; --",
    "%",
    "%s %(x)s {x} {0} {x.__class__}",
    "\\",
    "\ud7ff\U0010ffff\ufffe\u202e",
    "\r\n\t",
    "cus_1\0",
    "usr_99999999999999999999",
    "cus_" + "1" * 5_000,
    "me",
    "0000-00-00",
    "0001-01-01",
    "9999-12-31",
    "1900-01-01",
    "9998-12-31",
    "2026-W01-1",
    "0001-01-01T00:00",
    "9999-12-31T23:59",
    "2026-11-24T08:00:00Z",
    "-id,id,-id",
    "id__class__",
    ",,,,",
    "5b5d",
]
"""What somebody types into an address or a form by hand, the worst first."""
BRIEFLY = [*NONSENSE[:2], "sNaN", "0001-01-01T00:00", "9999-12-31T23:59"]
EVERYTHING = bool(os.environ.get("MILLPOND_THOROUGH"))
EAST, WEST = "Pacific/Kiritimati", "Pacific/Niue"
"""The clocks that are farthest ahead and behind: near the ends of the calendar one of them falls off."""
ZONES = [EAST, pytest.param(WEST, marks=pytest.mark.long)]
LISTED = sorted({door.path for door in over_records("GET", "list")})


FINE = (200, 303, 400)
"""A page that leaves out what it cannot understand, or begins again, or says that it is nonsense."""


def nonsense(thorough: bool) -> list[str]:
    return NONSENSE if thorough else NONSENSE[:2]


def far_away(world: World, zone: str) -> None:
    world.system.do(create_update.update, models.Organisation, 1, {"time_zone": zone})


@pytest.mark.long
@pytest.mark.parametrize(
    ("path", "thorough"),
    [
        pytest.param("/admin/opportunity/list", False, id="in brief"),
        *(pytest.param(path, True, id=path, marks=pytest.mark.long) for path in LISTED),
    ],
)
@pytest.mark.parametrize("zone", ZONES)
def test_no_nonsense_in_the_address_of_a_list_breaks_it(
    panel: Panel, town: Town, path: str, thorough: bool, zone: str
) -> None:
    far_away(town.world, zone)
    browser = panel.of("ada")
    door = next(x for x in over_records("GET", "list") if x.path == path)
    keys = [column.key for column in columns(door.model)] + ["locked"]
    for bad in nonsense(thorough)[: 12 if door.view.binned else None]:
        names = [f"f_{key}{end}" for key in keys for end in ("", "_from", "_to")]
        filters = dict.fromkeys(names, bad[: 15_000 // len(names)])
        assert browser.get(path, filters).status_code in FINE, (path, bad)
        for name in ("q", "tab", "order", "size", "after", "before", "cols", "f_owner_id", "saved"):
            assert browser.get(path, {name: bad}).status_code in FINE, (path, name, bad)
    browser.get(path, [("f_stage", "x")] * 500)


CURSORS: list[Any] = [
    None, True, 0, -1, 2**31, 2**63 - 1, -(2**63), 2**63, 10**400, 1.5, "", "\0", "NaN", "sNaN", "Infinity", "1e999999",
    "1E+13", [], {}, "2026-11-24T08:00:00.000Z", "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", "2026-11-24",
    "0001-01-01", "CALL", "x" * 1000, "\ud800",
]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize(
    ("path", "thorough"),
    [
        pytest.param("/admin/opportunity/list", False, id="in brief"),
        *(pytest.param(path, True, id=path, marks=pytest.mark.long) for path in LISTED),
    ],
)
def test_no_forged_cursor_breaks_a_list(panel: Panel, town: Town, path: str, thorough: bool) -> None:
    """A cursor of the right shape with anything in it, for every order that a list has."""
    browser = panel.of("ada")
    door = next(x for x in over_records("GET", "list") if x.path == path)
    orders, turns = [key for key in orderable(door.model) if key != "id"], count()
    for key in orders if thorough else orders[:1]:
        for value in some(CURSORS, thorough, 3):
            for values in ([value, 1], [1, value], [value, value]):
                cursor = json.dumps([f"a_{key}_a_id", *values]).encode().hex()
                for name in ("after", "before"):
                    if thorough and not is_turn(turns, 5):
                        continue
                    answer = browser.get(path, {"order": key, name: cursor})
                    assert answer.status_code in FINE, (path, key, name, values)
    for forged in ("5b" * 1_900, "7b7d", "31", "6e756c6c", "225c756438303022", "ff"):
        assert browser.get(path, {"after": forged}).status_code in FINE, forged


@pytest.mark.long
@in_brief_and_at_length
def test_no_nonsense_in_any_other_address_breaks_a_page(panel: Panel, town: Town, thorough: bool) -> None:
    browser, turns = panel.of("ada"), count()
    far_away(town.world, "Pacific/Kiritimati")
    id = town.ids["of li"]
    pages = {
        f"/admin/customer/details/cus_{id}": ["tab", "before", "after"],
        f"/admin/customer/details/cus_{id}?tab=history": ["before", "after"],
        f"/admin/contact/details/con_{town.ids['contact of li']}?tab=history": ["before", "after"],
        "/admin/log": ["q", "actor", "kind", "action", "outcome", "from", "to", "before", "after", "record", "batch"],
        "/admin/account": ["done"],
        "/admin/login": ["next"],
        "/admin/customer/lookup": ["q"],
        "/admin/user/lookup": ["q"],
        "/admin/customer/ask/transfer": ["ids", "one", "from", "user_id"],
        "/admin/customer/ask/assign": ["ids", "one"],
        "/admin/bin-customer/ask/purge": ["ids"],
        **{door.path: [key for key, _ in references(door.model)] for door in swept(thorough, "GET", "create")},
    }
    for (path, names), bad in product(pages.items(), some(NONSENSE, thorough, 1)):
        for name in names:
            if not thorough or is_turn(turns, 3):
                assert browser.get(path, {name: bad}).status_code in FINE, (path, name, bad)
    for name in ("millpond_panel", "millpond", "__Host-millpond"):
        for bad in (DEEP, "%00", "{}", "null", '{"columns":[1]}', "x" * 3_000):
            other = panel.browser()
            other.client.cookies.set(name, bad)
            assert other.get("/admin/login").status_code == 200, (name, bad)


@pytest.mark.long
@pytest.mark.parametrize("page", ["create", "edit", "do"])
@pytest.mark.parametrize(("zone", "thorough"), [(EAST, False), (WEST, False), (EAST, True)])
def test_no_nonsense_in_any_form_breaks_it(panel: Panel, town: Town, page: str, thorough: bool, zone: str) -> None:
    """One field after the other holds nonsense, all others what they should; then all of them."""
    far_away(town.world, zone)
    browser, sight = panel.of("ada"), Sight(town, "ada")
    turns = count()
    for door in over_records("POST", page):
        if not thorough and (door.model not in (Opportunity, FollowUp) and door.command != "lock"):
            continue
        form, path = form_for(sight, door)
        for bad in NONSENSE if thorough else BRIEFLY:
            for name in form if thorough else [key for key in form if key in TRIED]:
                if not thorough or is_turn(turns, 11):
                    browser.post(path, {**form, name: bad})
            browser.post(path, dict.fromkeys(form, bad))


TRIED = {
    "name",
    "_was",
    "version",
    "happened_at",
    "until",
    "expected_close",
    "amount",
    "ids",
    "capacity",
    "absent_until",
}
"""The fields that the short form tries one by one: a text, the hidden ones, times, numbers."""


def form_for(sight: Sight, door: Door) -> tuple[dict[str, Any], str]:
    """(a form in order for this door, where to post it)"""
    world, model = sight.world, door.model
    if door.page == "create":
        keys = {
            column.key: ""
            for column in columns(model)
            if not trait_of(column).system_managed and not column.primary_key
        }
        return {**keys, **new(model, world)}, door.path
    if door.page == "edit":
        id = min(id for id in sight.ids(model, "edit") if edit_status(sight, door, id) == 200)
        return {**form_of(model, world.row(model, id), world), "version": "1"}, door.at(global_id(model, id))
    return {"ids": global_id(model, MISSING), "one": "", "from": "list", **given(world)}, door.path


BODIES: list[tuple[str, bytes]] = [
    ("application/x-www-form-urlencoded", b"\xff\xfe=%ff&name=%ed%a0%80&&&===&%"),
    ("application/x-www-form-urlencoded", b"name=" + b"%" * 5_000),
    ("application/x-www-form-urlencoded", b"&".join(b"ids=cus_%d" % n for n in range(2_000))),
    ("application/x-www-form-urlencoded; charset=utf-16", b"name=x"),
    ("application/json", b'{"name": "x"}'),
    ("text/plain", b"name=x"),
    ("", b""),
    ("multipart/form-data", b"no boundary"),
    ("multipart/form-data; boundary=x", b"--x\r\nno header\r\n\r\n--x--"),
    (
        "multipart/form-data; boundary=x; charset=nonsense",
        b'--x\r\ncontent-disposition: form-data; name="name"\r\n\r\nx\r\n--x--\r\n',
    ),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\ncontent-disposition: form-data; name="name"\r\n\r\n\xff\xed\xa0\x80\r\n--x--\r\n',
    ),
]


@pytest.mark.long
@at_length_on_postgresql
def test_a_body_that_is_no_form_breaks_nothing(panel: Panel, town: Town) -> None:
    browser, stranger = panel.of("ada"), panel.browser()

    for kind, body in BODIES:
        for path in ("customer/create", "customer/do/transfer"):
            browser.post_raw(f"/admin/{path}", body, kind)
        assert stranger.post_raw("/admin/login", body, kind).status_code in (400, 429)


# --- what was once a hole, or is one ---------------------------------------------------------------------


@pytest.mark.long
@at_length_on_postgresql
def test_a_history_begins_wherever_one_may_ask_it_to(panel: Panel, town: Town) -> None:
    path = f"/admin/customer/details/cus_{town.ids['of li']}"

    assert panel.of("li").get(path, {"tab": "history", "before": "9" * 5_000}).status_code in FINE


def test_a_page_survives_whatever_the_cookie_of_preferences_holds(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        browser = panel.browser()
        browser.client.cookies.set("millpond_panel", DEEP)

        assert browser.get("/admin/login").status_code == 200


@pytest.mark.long
@at_length_on_postgresql
def test_a_number_of_any_length_may_be_typed(panel: Panel, town: Town) -> None:
    made = panel.of("ada").post("/admin/department/create", {"name": "X", "capacity": "9" * 4_000})

    assert made.status_code == 422


def test_a_stranger_cannot_fill_the_memory_through_the_sign_in(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        body = b"&".join(b"x=" + b"y" * 900_000 for _ in range(10))

        assert panel.browser().post_raw("/admin/login", body, "application/x-www-form-urlencoded").status_code == 413


def test_nobody_without_the_right_gets_a_one_time_password_even_for_himself(sqlite_url: str) -> None:
    """A browser that somebody left open must not be enough to take his account: the old password is asked for."""
    with small(sqlite_url) as panel:
        li = panel.of("li")
        before = panel.world.rows(models.Credential)

        answer = li.post("/admin/user/do/one-time-password", {"ids": f"usr_{panel.world.ids['li']}"})

        assert panel.world.rows(models.Credential) == before
        assert '<p class="secret">' not in answer.text


@pytest.mark.long
@at_length_on_postgresql
def test_a_seat_for_a_role_that_one_cannot_see_is_refused_like_one_for_a_role_that_never_was(
    panel: Panel, town: Town
) -> None:
    browser, sight = somebody(panel, town, "lead")
    before = town.world.everything()
    form = {"pool_id": f"poo_{town.ids['north']}", "seat": "MEMBER"}

    ids = f"rol_{sight.hidden(models.Role)[0]}", f"rol_{MISSING}"
    shown, missing = (told(browser.post("/admin/pool-member/create", {**form, "to_role": x}), x) for x in ids)

    assert town.world.everything() == before
    assert (shown[0], shown) == (422, missing)


@pytest.mark.long
@at_length_on_postgresql
@pytest.mark.parametrize(
    ("path", "form", "entry"),
    [
        ("/admin/user/edit/usr_{wu}", {"name": "X", "version": "1"}, "user.edit"),
        ("/admin/customer/edit/cus_{of mei}", {"name": "X", "version": "1"}, "customer.edit"),
        ("/admin/department/create", {"name": "X"}, "department.create"),
        ("/admin/bin-user/do/purge", {"ids": "usr_4", "typed": "delete"}, "user.purge"),
    ],
    ids=["edit what one sees", "edit what one does not see", "create", "purge"],
)
def test_every_attempt_without_rights_is_in_the_log(
    panel: Panel, town: Town, path: str, form: dict[str, str], entry: str
) -> None:
    mark = mark_of(town.world)

    panel.of("li").post(re.sub(r"{(.+)}", lambda name: str(town.ids[name[1]]), path), form)

    assert [action for action, *_ in denied_since(town.world, mark)] == [entry]


@pytest.mark.long
@at_length_on_postgresql
@pytest.mark.parametrize("path", ["/admin/pooled/list", "/admin/customer/details/cus_{let go}"])
@pytest.mark.parametrize(
    ("word", "told"), [("customer.reason", "Zq"), ("customer.owner", "by Li Na"), ("customer.pooled_at", "for ever")]
)
def test_why_a_customer_lies_in_a_pool_is_told_by_the_fields_that_one_may_see(
    panel: Panel, town: Town, path: str, word: str, told: str
) -> None:
    with_line(town.world, f"p, sales, {word}, view, all, any, deny")
    reason = next(text for text, where in town.marks.items() if where == (Customer, town.ids["let go"], "version"))

    page = panel.of("li").get(path.replace("{let go}", str(town.ids["let go"]))).text

    assert (reason if told == "Zq" else told) not in page


def test_the_load_of_a_team_tells_no_limit_that_one_may_not_see(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        panel.world.user("fay", "Fay Fin", "finance", "east")
        panel.world.system.do(create_update.update, User, panel.world.ids["li"], {"capacity": 88_123})

        assert "88,123" not in panel.of("fay").get(f"/admin/user/details/usr_{panel.world.ids['li']}").text
        assert "88,123" not in panel.of("fay").get("/admin/").text
