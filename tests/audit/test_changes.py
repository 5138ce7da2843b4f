"""Changes since a cursor: a program that follows them holds what a fresh list shows, and learns of nothing else."""

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from models import AuditEntry, Contact, Customer, DictionaryItem, FollowUp, Opportunity, Share, User
from models.audit.entries import Signature, entry
from models.errors import ChangesExpired, Refusal
from models.pool import GranteeKind
from models.share import ShareLevel
from resolvers.audit import change_cursor, horizon
from resolvers.audit import changes as following
from resolvers.customers import lock, transfer
from resolvers.merging import merge
from resolvers.pool import claim, release
from resolvers.records import create_update, recycle_bin
from resolvers.runtime.scope import Scope
from tests.support.custom_fields import with_lines
from tests.support.graphql import Api
from tests.support.refusals import add_line
from tests.support.tree import classified
from tests.support.world import World

CUSTOMER = "id name stage phone ownerId poolId lastFollowUpAt hasOpenOpportunity locked"
SHOWN = {
    "Customer": ("customers", CUSTOMER),
    "Contact": ("contacts", "id name ownerId customerId points { value }"),
    "Opportunity": ("opportunities", "id name amount stage customerId ownerId"),
    "FollowUp": ("followUps", "id content customerId"),
}
LISTS = "{ " + " ".join(f"{name}(first: 100) {{ nodes {{ {fields} }} }}" for name, fields in SHOWN.values()) + " }"
TYPES = ["CUSTOMER", "CONTACT", "OPPORTUNITY", "FOLLOW_UP"]
KINDS = " ".join(f"... on {kind} {{ {fields} }}" for kind, (_, fields) in SHOWN.items())
FOLLOW = (
    "query ($since: String, $first: Int, $types: [EntityName!]) { changes(since: $since, first: $first, types: $types)"
    f" {{ nodes {{ kind type recordId record {{ {KINDS} }} }} cursor hasMore }} }}"
)


class Follower:
    """A program with a copy of what one user sees."""

    def __init__(self, api: Api, login: str) -> None:
        self.api, self.login = api, login
        self.copy: dict[str, dict[str, Any]] = {}
        self.cursor: str | None = None
        self.gone: list[str] = []
        self.restarts = 0

    def listed(self) -> dict[str, dict[str, Any]]:
        lists = self.api.ask(self.login, LISTS)
        return {row["id"]: row for found in lists.values() for row in found["nodes"]}

    def begin(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Take a cursor, and then read the lists."""
        self.cursor = self.api.ask(self.login, FOLLOW, types=TYPES)["changes"]["cursor"]
        meanwhile()
        self.copy = self.listed()

    def follow(self, first: int = 200, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Ask for changes until there are no more."""
        for _ in range(200):
            answer = self.api.answer(self.login, FOLLOW, since=self.cursor, first=first, types=TYPES)
            if "errors" in answer:
                assert [x["extensions"]["code"] for x in answer["errors"]] == ["CHANGES_EXPIRED"]
                self.restarts += 1
                self.begin(meanwhile)
                continue
            page = answer["data"]["changes"]
            for node in page["nodes"]:
                self.take(node)
            self.cursor = page["cursor"]
            if not page["hasMore"]:
                return
            meanwhile()
        raise AssertionError("it never ends")

    def take(self, node: dict[str, Any]) -> None:
        assert (node["record"] is None) is (node["kind"] == "GONE"), node
        if node["kind"] == "GONE":
            self.gone.append(node["recordId"])
            self.copy.pop(node["recordId"], None)
        else:
            self.copy[node["recordId"]] = node["record"]


class Life:
    """Random acts of an office, some of which are refused."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random = world, random.Random(seed)
        self.customers = [
            world.customer(f"Customer {n}", who, phone=f"1380013800{n}") for n, who in enumerate(("li", "mei", "wu"))
        ]
        self.customers.append(world.customer("Pooled", pool="north"))
        self.contacts: list[int] = []
        self.lines = 0

    def act(self) -> str:
        kinds = [self.edit, self.edit, self.give, self.give, self.release, self.claim, self.lock, self.unlock]
        kinds += [
            self.delete,
            self.restore,
            self.create,
            self.contact,
            self.contact,
            self.follow_up,
            self.deal,
            self.share,
        ]
        kinds += [
            self.merge,
            self.wait,
            self.revoke,
            self.purge,
            self.deny if self.random.random() < 0.3 else self.wait,
        ]
        self.world.clock.pass_by(seconds=self.random.randint(1, 30))
        chosen = self.random.choice(kinds)
        try:
            chosen()
        except Refusal as refusal:
            return f"{chosen.__name__}: {refusal.code()}"
        return chosen.__name__

    @property
    def one(self) -> int:
        return self.random.choice(self.customers)

    @property
    def who(self) -> int:
        return self.world.ids[self.random.choice(("li", "mei", "wu"))]

    def edit(self) -> None:
        key = self.random.choice(("name", "phone", "stage"))
        value = {"stage": "won", "phone": f"138001380{self.random.randrange(10, 99)}"}.get(
            key, f"N{self.random.randrange(99)}"
        )
        values = {key: value}
        self.world.system.do(create_update.update, Customer, self.one, values)

    def give(self) -> None:
        self.world.ada.do(transfer.transfer, [self.one], self.who, lift_lock=self.random.random() < 0.5)

    def release(self) -> None:
        self.world.ada.do(release.release, [self.one], self.world.ids[self.random.choice(("north", "south"))])

    def claim(self) -> None:
        self.world.scope(self.random.choice(("li", "mei"))).do(claim.claim, [self.one])

    def lock(self) -> None:
        until = self.world.clock() + timedelta(minutes=self.random.randint(1, 3))
        self.world.scope(self.random.choice(("li", "mei", "wu"))).do(lock.lock, [self.one], until=until)

    def unlock(self) -> None:
        self.world.ada.do(lock.unlock, [self.one])

    def delete(self) -> None:
        self.world.ada.do(recycle_bin.delete, Customer, [self.one])

    def restore(self) -> None:
        self.world.ada.do(recycle_bin.restore, Customer, [self.one])

    def purge(self) -> None:
        self.world.ada.do(recycle_bin.purge, Customer, [self.one], confirm=True)

    def create(self) -> None:
        self.customers.append(self.world.customer("New", self.random.choice(("li", "mei"))))

    def contact(self) -> None:
        if self.contacts and self.random.random() < 0.5:
            one = self.random.choice(self.contacts)
            self.world.system.do(create_update.update, Contact, one, {"name": f"N{self.random.randrange(50)}"})
        else:
            self.contacts.append(self.world.make(Contact, customer_id=self.one, name="Ann"))

    def follow_up(self) -> None:
        self.world.make(FollowUp, customer_id=self.one, kind="CALL", content="x", happened_at=self.world.clock())

    def deal(self) -> None:
        self.world.make(Opportunity, customer_id=self.one, name="Deal")

    def merge(self) -> None:
        winner, loser = self.random.sample(self.customers, 2)
        self.world.ada.do(merge.merge, winner, [loser])

    def share(self) -> None:
        if not self.world.rows(Customer, Customer.id == (customer := self.one)):
            return
        now = self.world.clock()
        ends = now + timedelta(minutes=self.random.randint(1, 4)) if self.random.random() < 0.6 else None
        values = {"grantee_kind": GranteeKind.USER, "grantee_id": self.who, "level": ShareLevel.VIEW}
        self._write(insert(Share.__table__).values(customer_id=customer, starts_at=now, ends_at=ends, **values))

    def revoke(self) -> None:
        self._write(
            update(Share.__table__)
            .where(Share.customer_id == self.one, Share.revoked_at.is_(None))
            .values(revoked_at=self.world.clock())
        )

    def deny(self) -> None:
        self.lines = (self.lines + 1) % 3
        lines = ("p, sales, customer.phone, view, all, any, deny", "p, sales, customer, view, shared, any, deny", "")
        with_lines(self.world, *filter(None, [lines[self.lines]]))

    def wait(self) -> None:
        self.world.clock.pass_by(minutes=1)  # so that every end of a share or a lock is looked at by itself

    def _write(self, statement: Any) -> None:
        with self.world.backend.writer.engine.begin() as connection:
            connection.execute(statement)


def walk(world: World, seed: int, steps: int, *people: str) -> list[Follower]:
    """Let followers follow a random life, and compare their copies with fresh lists all the time."""
    life, api = Life(world, seed), Api(world)
    followers = [Follower(api, login) for login in people]
    ever: dict[str, set[str]] = {login: set() for login in people}
    said: list[str] = []

    def act() -> None:
        said.append(life.act())
        for follower in followers:
            ever[follower.login] |= follower.listed().keys()

    for follower in followers:
        ever[follower.login] |= follower.listed().keys()
    for follower in followers:
        follower.begin(act)
    while len(said) < steps:
        for _ in range(life.random.randint(1, 5)):
            act()
        for follower in followers:
            first = life.random.choice((1, 3, 200))
            follower.follow(first, act if life.random.random() < 0.3 else lambda: None)
            follower.follow()
            assert follower.copy == follower.listed(), (seed, follower.login, said[-8:])
            assert {*follower.gone} <= ever[follower.login], (seed, follower.login, said[-8:])
    return followers


def test_a_follower_holds_what_a_fresh_list_shows(world: World) -> None:
    followers = walk(world, 1, 24, "li", "mei")

    assert any(follower.gone for follower in followers)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 10))
@pytest.mark.sampled(sqlite=2, postgresql=2)
def test_followers_hold_what_fresh_lists_show_through_long_lives(world: World, seed: int) -> None:
    walk(world, seed, 80, "li", "mei", "lead")


# --- one by one ------------------------------------------------------------------------------------------


def told(follower: Follower) -> list[tuple[str, str]]:
    page = follower.api.ask(follower.login, FOLLOW, since=follower.cursor)["changes"]
    follower.cursor = page["cursor"]
    assert page["hasMore"] is False
    return [(node["kind"], node["recordId"]) for node in page["nodes"]]


def test_each_kind_of_change_is_told_once_and_by_its_name(world: World) -> None:
    acme = world.customer("Acme", "li", contact_name="Ann", contact_phone="13800138000")
    (contact,) = (row["id"] for row in world.rows(Contact))
    li, mei = (Follower(Api(world), login) for login in ("li", "mei"))
    li.begin()
    mei.begin()
    assert told(li) == told(mei) == []

    bolt = world.customer("Bolt", "li")
    assert told(li) == [("CREATED", f"cus_{bolt}")]
    world.system.do(create_update.update, Customer, bolt, {"name": "Bolts"})
    assert told(li) == [("CHANGED", f"cus_{bolt}")]
    assert told(li) == []
    world.ada.do(transfer.transfer, [acme], world.ids["mei"])
    assert sorted(told(li)) == [("GONE", f"con_{contact}"), ("GONE", f"cus_{acme}")]
    assert sorted(told(mei)) == [("CREATED", f"con_{contact}"), ("CREATED", f"cus_{acme}")]
    world.ada.do(recycle_bin.delete, Customer, [bolt])
    assert told(li) == [("GONE", f"cus_{bolt}")]
    assert told(mei) == []


def test_what_came_and_went_between_two_pages_is_told_as_gone(world: World) -> None:
    """A follower may have read it in a list in between."""
    li, mei = (Follower(Api(world), login) for login in ("li", "mei"))
    li.begin()
    mei.begin()

    acme = world.customer("Acme", "li")
    world.ada.do(recycle_bin.delete, Customer, [acme])

    assert told(li) == [("GONE", f"cus_{acme}")]
    assert told(mei) == [], "what mei could never see is not told"


def test_changes_of_hidden_fields_are_not_told(world: World) -> None:
    acme = world.customer("Acme", "li", phone="13800138001")
    with_lines(world, "p, sales, customer.phone, view, all, any, deny")
    li, ada = (Follower(Api(world), login) for login in ("li", "ada"))
    li.begin()
    ada.begin()

    world.system.do(create_update.update, Customer, acme, {"phone": "13800138002"})

    assert told(li) == []
    assert told(ada) == [("CHANGED", f"cus_{acme}")]


def test_other_rights_and_foreign_or_old_cursors_begin_anew(world: World) -> None:
    world.customer("Acme", "li")
    api = Api(world)
    li, mei = Follower(api, "li"), Follower(api, "mei")
    li.begin()
    mei.begin()

    def code(login: str, since: str | None) -> list[str]:
        return [x["extensions"]["code"] for x in api.answer(login, FOLLOW, since=since).get("errors", ())]

    assert code("mei", li.cursor) == ["CHANGES_EXPIRED"]
    assert code("li", "nonsense") == code("li", "WzFd") == ["VALIDATION"]
    east, west = world.ids["east"], world.ids["west"]
    for department in (west, east):  # there and back again
        world.system.do(create_update.update, User, world.ids["li"], {"department_id": department})
    assert code("li", li.cursor) == ["CHANGES_EXPIRED"]
    assert code("mei", mei.cursor) == []
    with_lines(world, "p, sales, customer.phone, view, all, any, deny")
    assert code("mei", mei.cursor) == ["CHANGES_EXPIRED"]
    mei.begin()
    world.clock.pass_by(days=31)
    assert code("mei", mei.cursor) == ["CHANGES_EXPIRED"]


def test_bad_pages_and_types_are_refused_with_a_sentence(world: World) -> None:
    api = Api(world)
    for variables, field in (({"first": 0}, "first"), ({"first": 201}, "first"), ({"types": ["POLICY"]}, "types")):
        (error,) = api.answer("li", FOLLOW, **variables)["errors"]
        assert (error["extensions"]["code"], error["extensions"]["field"]) == ("VALIDATION", field)


def test_no_change_is_missed_where_transactions_end_in_another_order(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL an entry becomes visible after one with a higher id."""
    if world.backend.dialect != "postgresql":
        pytest.skip("SQLite has one writer")
    monkeypatch.setattr(horizon, "PATIENCE", 0.05)
    monkeypatch.setattr(following, "settled", lambda scope: horizon.settled(scope, 0.05))
    acme, bolt = world.customer("Acme", "li"), world.customer("Bolt", "li")
    li = Follower(Api(world), "li")
    li.begin()
    who = Signature(None, "system:test", "test", "r", "b", "customer.edit")
    slow = world.backend.writer.engine.connect()
    begun = slow.begin()
    row = entry(who, world.clock(), "customer", acme, {"name": ["Acme", "Acme 2"]})
    slow.execute(insert(AuditEntry.__table__).values(row))
    world.system.do(create_update.update, Customer, bolt, {"name": "Bolts"})  # a higher id, and visible first

    page = li.api.ask("li", FOLLOW, since=li.cursor)["changes"]
    assert (page["nodes"], page["cursor"], page["hasMore"]) == ([], li.cursor, True)
    begun.commit()
    slow.close()

    assert sorted(told(li)) == [("CHANGED", f"cus_{acme}"), ("CHANGED", f"cus_{bolt}")]
    assert json.dumps(li.copy)


def test_a_cursor_that_nobody_was_given_is_refused(world: World) -> None:
    api = Api(world)
    given = api.ask("li", "{ changes { cursor } }")["changes"]["cursor"]
    form, position, at, rights, signature = json.loads(base64.urlsafe_b64decode(given))
    body = [form, 0, at, rights]
    by_nothing = hmac.new(b"", orjson.dumps([*body, world.ids["li"]]), hashlib.sha256).hexdigest()[:32]

    def codes(*parts: Any) -> list[str]:
        cursor = base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()
        answer = api.answer("li", "query ($since: String) { changes(since: $since) { cursor } }", since=cursor)
        return [x["extensions"]["code"] for x in answer.get("errors", [])]

    assert codes(form, position, at, rights, signature) == []
    assert codes(form, 2**31, at, rights, signature) == ["VALIDATION"]
    assert codes(form, 2**31 - 1, at, rights, signature) == ["CHANGES_EXPIRED"]
    assert codes(form, -1, at, rights, signature) == ["VALIDATION"]
    assert codes(form, position, at, rights, "é") == ["VALIDATION"]
    assert codes(*body, by_nothing) == ["CHANGES_EXPIRED"]

    def read(scope: Scope, db: Session) -> object:
        return change_cursor.read(scope, db, base64.urlsafe_b64encode(orjson.dumps([*body, by_nothing])).decode())

    with pytest.raises(ChangesExpired):  # by its signature, and not by what was looked at afterwards
        world.run(world.li.read(read))


def test_branches_of_dictionaries_decide_what_is_told(world: World) -> None:
    ids = classified(world)
    for line in ("customer, view, all, category under prospect", "customer.phone, view, all, category under formal"):
        add_line(world, f"p, sales, {line}, deny")
    api, elm, date, ash = Api(world), ids["Elm"], ids["Date"], ids["Ash"]
    ann = world.make(Contact, customer_id=elm, name="Ann")
    seen = api.ask("li", LISTS)
    assert {row["name"] for row in seen["customers"]["nodes"]} == {"Date", "Elm"}
    li = Follower(api, "li")
    li.begin()

    def told(*changes: tuple[int, dict[str, Any]]) -> dict[str, str]:
        for id, given in changes:
            world.system.do(create_update.update, Customer, id, given)
        page = api.ask("li", FOLLOW, since=li.cursor)["changes"]
        li.cursor = page["cursor"]
        return {node["recordId"]: node["kind"] for node in page["nodes"]}

    both = [f"cus_{elm}", f"con_{ann}"]
    assert told((ash, {"name": "Ash Ltd"}), (date, {"phone": "13800138000"})) == {}, "it is out of sight, and hidden"
    assert told((elm, {"category": "hot"})) == dict.fromkeys(both, "GONE")
    assert told((elm, {"name": "Elm Ltd"})) == {}
    assert told((elm, {"category": "formal"})) == dict.fromkeys(both, "CREATED")
    assert told((ash, {"category": "late"}), (date, {"name": "Date Ltd"})) == {f"cus_{date}": "CHANGED"}
    world.system.do(create_update.create, DictionaryItem, word_of(world, ids["formal"], "new"))
    assert [*told().values()] == ["CREATED"], "a new word takes nothing along"
    world.system.do(create_update.update, DictionaryItem, ids["formal"], {"parent_id": ids["prospect"]})
    assert api.code("li", FOLLOW, since=li.cursor) == "CHANGES_EXPIRED"


def word_of(world: World, beside: int, key: str) -> dict[str, Any]:
    """A word of the dictionary of another one."""
    return {"dictionary_id": world.row(DictionaryItem, beside)["dictionary_id"], "key": key, "label_en": key.title()}


def test_branches_decide_what_is_told_as_they_decide_what_is_listed(world: World) -> None:
    """Of records that never lay in their branch a follower learns nothing, and of those that left it that they are gone."""
    ids = classified(world)
    late = world.make(Contact, name="Ann", customer_id=ids["Beech"])
    with_lines(
        world,
        "p, support, customer, view, all, !category under prospect, deny",
        "p, support, customer, view, all, any, allow",
    )
    sam = Follower(Api(world), "sam")
    sam.begin()
    names = {row["name"] for row in sam.copy.values()}

    world.ada.do(create_update.update, Customer, ids["Date"], {"name": "Dates"})
    world.ada.do(recycle_bin.delete, Customer, [ids["Elm"]])
    assert told(sam) == [], "neither was ever in sight"
    world.ada.do(create_update.update, Customer, ids["Beech"], {"category": "formal"})
    assert sorted(told(sam)) == [("GONE", f"con_{late}"), ("GONE", f"cus_{ids['Beech']}")]
    world.ada.do(create_update.update, Customer, ids["Date"], {"category": "hot"})
    assert told(sam) == [("CREATED", f"cus_{ids['Date']}")]
    assert "Ash" in names
    assert "Date" not in names


def test_words_that_move_are_rights_that_move_where_lines_name_branches(world: World) -> None:
    ids = classified(world)
    api = Api(world)
    sam = Follower(api, "sam")
    sam.begin()
    world.system.do(create_update.update, DictionaryItem, ids["late"], {"parent_id": ids["soon"]})
    assert told(sam) == [("CHANGED", f"dit_{ids['late']}")]
    with_lines(world, "p, support, customer, view, all, category under soon, allow")
    sam.begin()

    world.system.do(create_update.update, DictionaryItem, ids["late"], {"parent_id": ids["prospect"]})

    answer = api.answer("sam", FOLLOW, since=sam.cursor)
    assert [x["extensions"]["code"] for x in answer["errors"]] == ["CHANGES_EXPIRED"]
