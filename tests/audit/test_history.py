"""The log as people read it: in words, page by page, and nothing in it that the reader may not see in the record."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, update

from models import AuditEntry, Contact, Customer, DictionaryItem, Entity, FollowUp, Opportunity, User
from models.audit.entries import Outcome
from models.errors import Forbidden, NotFound, NotSignedIn, Refusal, Validation
from resolvers.audit import history
from resolvers.audit.history import Change, Entry, Pages, Wanted
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.people import tokens
from resolvers.pool import release as releasing
from resolvers.records import create_update
from resolvers.runtime import ids as record_ids
from resolvers.runtime.batch import Mode
from tests.support.claim_checks import MISSING, change, claim
from tests.support.engines import at_length_on_postgresql
from tests.support.graphql import Api
from tests.support.refusals import add_line
from tests.support.world import START, World

SECRET = "13899997777"


def of_record(world: World, login: str, model: type[Entity], id: int, **how: Any) -> Pages:
    return world.run(world.scope(login).read(history.of_record, model, id, **how))


def log(world: World, login: str, wanted: Wanted | None = None, **how: Any) -> Pages:
    return world.run(world.scope(login).read(history.log, wanted or Wanted(), **how))


def told(it: Entry) -> dict[str, Change]:
    return {change.key: change for change in it.changes}


def told_of(world: World, login: str, model: type[Entity], id: int) -> set[str]:
    """The names of all changes that somebody reads in the history of a record."""
    return {change.key for entry in of_record(world, login, model, id).entries for change in entry.changes}


def actions(pages: Pages) -> list[str]:
    return [entry.action for entry in pages.entries]


# --- what it says ----------------------------------------------------------------------------------------


def test_the_history_of_a_record_says_who_did_what_newest_first(world: World) -> None:
    id = world.customer("Acme", "li")
    world.clock.pass_by(hours=1)
    world.scope("li", "panel").do(locking.lock, [id], reason="talks")

    pages = of_record(world, "li", Customer, id)

    newest, first = pages.entries
    assert replace(newest, id=0, batch_id="", changes=[]) == Entry(
        id=0,
        at=START + timedelta(hours=1),
        actor_id=world.ids["li"],
        actor="Li Na",
        door="panel",
        action="customer.lock",
        model=Customer,
        record_id=id,
        label=world.row(Customer, id)["number"],
        reason="talks",
        outcome=Outcome.OK,
        batch_id="",
        is_visible=True,
        changes=[],
    )
    assert told(newest)["locked_by_id"] == Change("locked_by_id", None, world.ids["li"], None, "Li Na")
    assert told(newest)["locked_at"] == Change("locked_at", None, "2026-11-24T09:00:00.000Z")
    assert (first.action, first.actor_id, first.actor) == ("customer.create", None, "system:test")
    assert (pages.newer, pages.older) == (None, None)
    assert newest.batch_id == world.log("customer", id)[-1]["batch_id"]


def test_keys_are_told_in_words_of_the_readers_language(world: World) -> None:
    id = world.customer("Acme", "li", stage="early")
    change(world, Customer, id, stage="won", name="Acme Ltd")
    world.lead.do(transferring.transfer, [id], world.ids["wu"])

    transfer, edit, create = of_record(world, "lead", Customer, id).entries

    li, wu, east = (world.ids[name] for name in ("li", "wu", "east"))
    assert told(transfer)["owner_id"] == Change("owner_id", li, wu, "Li Na", "Wu Wei")
    assert told(create)["department_id"] == Change("department_id", None, east, None, "East")
    assert edit.changes == [
        Change("name", "Acme", "Acme Ltd"),
        Change("stage", "early", "won", "Early", "Won"),
    ]
    chinese = world.backend.scope(replace(world.principal("lead"), language="zh"), "test")
    _, edit, _ = world.run(chinese.read(history.of_record, Customer, id)).entries
    assert told(edit)["stage"] == Change("stage", "early", "won", "early中", "won中")


@at_length_on_postgresql
def test_a_word_that_the_dictionary_has_forgotten_is_told_as_it_is(world: World) -> None:
    id = world.customer("Acme", "li", stage="early", industry="steel")
    item = DictionaryItem.__table__
    with world.backend.writer.engine.begin() as connection:
        connection.execute(update(item).where(item.c.key == "early").values(deleted_at=START))
        connection.execute(update(item).where(item.c.key == "steel").values(label_zh=None))

    chinese = world.backend.scope(replace(world.principal("li"), language="zh"), "test")
    (create,) = world.run(chinese.read(history.of_record, Customer, id)).entries

    assert told(create)["stage"] == Change("stage", None, "early", None, "early")
    assert told(create)["industry"] == Change("industry", None, "steel", None, "Steel"), "rather English than nothing"


def test_parts_are_told_as_fields_of_their_whole(world: World) -> None:
    points = [{"kind": "PHONE", "value": "2001"}, {"kind": "EMAIL", "value": "a@b.cn"}]
    ann = world.make(Contact, customer_id=world.customer("Acme", "li"), name="Ann", points=points)
    world.li.do(create_update.update, Contact, ann, {"points": [*points, {"kind": "PHONE", "value": "2002"}]})

    edit, born, _ = of_record(world, "li", Contact, ann).entries

    assert edit.changes == [Change("phone", "2001", ["2001", "2002"])]
    assert born.changes == [Change("email", None, "a@b.cn"), Change("phone", None, "2001")]


def test_what_was_refused_stands_in_the_log_and_not_in_the_history(world: World) -> None:
    id = world.customer("Acme", "mei")
    world.li.do(locking.lock, [id])
    with pytest.raises(Forbidden):
        world.aud.do(create_update.create, Customer, {"name": "Mine"})

    assert actions(of_record(world, "mei", Customer, id)) == ["customer.create"]
    refused = log(world, "ada", Wanted(outcome=Outcome.DENIED)).entries
    assert [(x.action, x.model, x.record_id, x.is_visible, x.changes) for x in refused] == [
        ("customer.create", Customer, None, True, []),
        ("customer.lock", Customer, id, True, []),
    ]


@at_length_on_postgresql
def test_what_is_no_kind_of_record_has_no_model_and_what_is_no_field_no_meaning(world: World) -> None:
    world.li.do(tokens.create_token, "robot")
    with pytest.raises(NotFound):
        world.li.do(tokens.revoke_token, MISSING)

    refused, made = log(world, "aud", size=2).entries

    assert (refused.model, refused.record_id, refused.is_visible, refused.changes) == (None, None, True, [])
    assert (made.action, made.model, made.changes) == ("session.token", User, [Change("token", None, "robot")])


# --- what it does not say --------------------------------------------------------------------------------


def test_a_phone_that_the_pool_hides_stays_hidden_in_the_history_of_customer_and_contact(world: World) -> None:
    id = world.customer("Acme", "li", phone=SECRET, contact_name="Ann", contact_phone=SECRET)
    (ann,) = (row["id"] for row in world.rows(Contact))
    change(world, Customer, id, phone="1001")
    assert "phone" in told_of(world, "li", Customer, id) & told_of(world, "li", Contact, ann)
    world.li.do(releasing.release, [id], pool_id=world.ids["north"])

    for login, sees in (("li", False), ("wu", False), ("sam", True)):
        for model, record in ((Customer, id), (Contact, ann)):
            keys = told_of(world, login, model, record)
            assert ("name" in keys, "phone" in keys) == (True, sees), (login, model)
        assert (SECRET in repr(of_record(world, login, Customer, id))) is sees

    claim(world, "wu", id)
    assert "phone" in told_of(world, "wu", Customer, id) & told_of(world, "wu", Contact, ann)


def test_a_record_that_the_reader_does_not_see_has_no_name(world: World) -> None:
    id = world.customer("Acme", pool="north")
    ann = world.make(Contact, customer_id=id, name="Ann")
    deal = world.make(Opportunity, customer_id=id, name="Deal", contact_id=ann)
    north = world.ids["north"]

    def named(login: str, model: type[Entity], id: int, key: str) -> Change:
        return told(of_record(world, login, model, id).entries[-1])[key]

    assert named("li", Customer, id, "pool_id") == Change("pool_id", None, north, None, "North")
    assert named("fin", Customer, id, "pool_id") == Change("pool_id", None, north, None, None)
    assert named("li", Opportunity, deal, "contact_id") == Change("contact_id", None, ann, None, "Ann")
    add_line(world, "p, *, contact.name, view, pool, in_pool, deny")
    assert named("li", Opportunity, deal, "contact_id") == Change("contact_id", None, ann, None, None)
    assert named("fin", Opportunity, deal, "contact_id") == Change("contact_id", None, ann, None, "Ann")


def test_of_a_record_out_of_sight_the_log_tells_that_something_was_done_and_no_more(world: World) -> None:
    open_, locked = world.customer("Open", "mei"), world.customer("Secret", "mei", phone=SECRET)
    ann = world.make(Contact, customer_id=locked, name="Ann Secret")
    world.mei.do(locking.lock, [locked], reason="Secret talks")
    number = world.row(Customer, locked)["number"]

    for model, id, done in (
        (Customer, locked, ["customer.lock", "customer.create"]),
        (Contact, ann, ["contact.create"]),
    ):
        pages = log(world, "aud", Wanted(model=model, record_id=id))
        assert actions(pages) == done
        assert [(x.is_visible, x.label, x.reason, x.changes) for x in pages.entries] == [(False, None, None, [])] * len(
            done
        )
        assert "Secret" not in repr(pages)
        assert SECRET not in repr(pages)
    for text in (number, "Ann Secret"):
        assert log(world, "aud", Wanted(text=text)).entries == []
    assert [x.record_id for x in log(world, "aud", Wanted(text=number[:5])).entries] == [open_]


def test_a_name_that_is_hidden_is_no_label_and_is_found_by_nobody(world: World) -> None:
    world.seat("north", "aud")
    pooled, mine = world.customer("Acme", pool="north"), world.customer("Beta", "mei")
    add_line(world, "p, *, customer.number, view, pool, in_pool, deny")
    add_line(world, "p, *, contact.name, view, pool, in_pool, deny")
    ann = world.make(Contact, customer_id=pooled, name="Ann")
    bob = world.make(Contact, customer_id=mine, name="Bob Ann")
    numbers = [world.row(Customer, id)["number"] for id in (pooled, mine)]

    labels = {(x.model, x.record_id): x.label for x in log(world, "aud").entries[:4]}

    assert labels == {
        (Customer, pooled): None,
        (Customer, mine): numbers[1],
        (Contact, ann): None,
        (Contact, bob): "Bob Ann",
    }
    assert [x.record_id for x in log(world, "aud", Wanted(text="C2026")).entries] == [mine]
    assert [x.record_id for x in log(world, "aud", Wanted(text="ann", model=Contact)).entries] == [bob]
    assert [x.record_id for x in log(world, "ada", Wanted(text="ann", model=Contact)).entries] == [bob, ann]
    assert of_record(world, "aud", Customer, pooled).entries[0].label is None


def test_a_purged_record_is_nobodys_secret_but_what_pools_hide_stays_hidden(world: World) -> None:
    id = world.customer("Gone", "mei", phone=SECRET)
    number = world.row(Customer, id)["number"]
    world.mei.do(locking.lock, [id], reason="talks")
    world.mei.do(locking.unlock, [id])
    world.mei.do(create_update.delete, Customer, [id])
    world.ada.do(create_update.purge, Customer, [id], confirm=True)

    pages = log(world, "aud", Wanted(text=number))

    assert actions(pages) == [f"customer.{what}" for what in ("purge", "delete", "unlock", "lock", "create")]
    assert {(x.is_visible, x.label) for x in pages.entries} == {(True, number)}
    assert pages.entries[3].reason == "talks"
    assert told(pages.entries[-1])["name"] == Change("name", None, "Gone")
    assert SECRET not in repr(pages)
    with pytest.raises(NotFound):
        of_record(world, "aud", Customer, id)


@at_length_on_postgresql
def test_fields_of_the_log_itself_can_be_hidden(world: World) -> None:
    id = world.customer("Acme", "li", phone="1001")
    world.li.do(locking.lock, [id], reason="talks")
    world.li.do(locking.unlock, [id], reason="over")
    number = world.row(Customer, id)["number"]
    for field in ("label", "reason", "changes", "actor"):
        add_line(world, f"p, auditor, audit.{field}, view, all, any, deny")

    (unlocked, *_) = log(world, "aud", Wanted(model=Customer)).entries
    assert (unlocked.label, unlocked.reason, unlocked.changes, unlocked.actor_id) == (None, None, [], None)
    for wanted in (Wanted(text=number), Wanted(actor_id=world.ids["li"])):
        assert log(world, "aud", wanted).entries == []
        assert log(world, "ada", wanted).entries != []

    add_line(world, "p, auditor, audit.record, view, all, any, deny")
    mark = Wanted(model=Customer, since=START)
    world.li.do(locking.lock, [id], reason="talks")
    assert {(x.record_id, x.is_visible) for x in log(world, "aud", mark).entries} == {(None, False)}, "locked as before"

    add_line(world, "p, auditor, audit.action, view, own, any, deny")
    assert log(world, "aud").entries != []
    add_line(world, "p, auditor, audit.action, view, all, any, deny")
    assert log(world, "aud").entries == [], "an entry without its action is none"


@pytest.mark.long
def test_everybody_reads_what_the_api_tells_him(world: World, api: Api) -> None:
    live(world)
    query = "{ auditEntries(first: 100) { nodes { id recordId label reason changes { field } } } }"

    for login in ("aud", "ada"):
        nodes = api.ask(login, query)["auditEntries"]["nodes"]
        entries = log(world, login, size=100).entries
        assert len(entries) == len(world.log())
        assert [_as_api(entry) for entry in entries] == nodes, login
    for login in ("li", "lead", "sam"):
        rows = api.ask(
            login, f"{{ customers {{ nodes {{ id history(first: 30) {query[26:-1].replace('auditEntries', '')} }} }} }}"
        )
        for row in rows["customers"]["nodes"]:
            id = record_ids.number_of(Customer, row["id"])
            assert [_as_api(x) for x in of_record(world, login, Customer, id, size=30).entries] == row["history"][
                "nodes"
            ]


def _as_api(entry: Entry) -> dict[str, Any]:
    record = record_ids.global_id(entry.model, entry.record_id) if entry.model and entry.record_id else None
    fields = sorted(change.key for change in entry.changes)
    return {
        "id": record_ids.global_id(AuditEntry, entry.id),
        "recordId": record,
        "label": entry.label,
        "reason": entry.reason,
        "changes": [{"field": record_ids.camel(field)} for field in fields],
    }


def live(world: World) -> dict[str, int]:
    """Much happens: to Li's, to Mei's, which she locks, to one in a pool, and to one that is purged."""
    made = {
        name: world.customer(name, owner, pool, phone=SECRET, contact_name=f"{name}'s Ann", contact_phone=SECRET)
        for name, owner, pool in (("mine", "li", None), ("hers", "mei", None), ("pooled", None, "north"))
    }
    made["gone"] = world.customer("gone", "mei")
    deal = world.make(Opportunity, customer_id=made["mine"], name="A_Deal")
    world.make(FollowUp, customer_id=made["mine"], opportunity_id=deal, kind="CALL", content="x", happened_at=START)
    for n in range(4):
        world.clock.pass_by(minutes=1)
        world.li.do(
            create_update.update, Customer, made["mine"], {"name": f"mine {n}", "stage": ("early", "won")[n % 2]}
        )
    world.lead.do(transferring.transfer, [made["mine"]], world.ids["wu"])
    world.mei.do(locking.lock, [made["hers"]], reason="talks")
    world.li.do(locking.lock, [made["hers"], made["pooled"]], mode=Mode.BEST_EFFORT)
    world.mei.do(create_update.delete, Customer, [made["gone"]])
    world.ada.do(create_update.purge, Customer, [made["gone"]], confirm=True)
    claim(world, "li", made["pooled"])
    world.li.do(releasing.release, [made["pooled"]], pool_id=world.ids["north"])
    return made


# --- who may read ----------------------------------------------------------------------------------------


def test_a_hidden_record_and_a_missing_one_have_no_history_alike(world: World) -> None:
    hidden = world.customer("Acme", "mei")

    def refusal(id: int) -> tuple[Any, ...]:
        with pytest.raises(NotFound) as caught:
            of_record(world, "li", Customer, id)
        it: Refusal = caught.value
        assert it.record_id == (record_ids.global_id(Customer, id) if 0 < id <= record_ids.LARGEST_ID else None)
        return it.field, it.params, it.say("en"), it.say("zh")

    alike = {repr(refusal(id)) for id in (hidden, MISSING, 0, -1, 10**12)}
    assert len(alike) == 1
    assert "There is no such customer" in alike.pop()


def test_whoever_sees_a_record_reads_its_history_and_only_the_log_needs_a_right(world: World) -> None:
    id = world.customer("Acme", "li")

    assert len(of_record(world, "li", Customer, id).entries) == 1
    with pytest.raises(Forbidden) as caught:
        log(world, "li")
    assert caught.value.params == {"action": "audit.view"}
    nobody = world.backend.scope(None, "test")
    for call, args in ((history.of_record, (Customer, id)), (history.log, (Wanted(),))):
        with pytest.raises(NotSignedIn):
            world.run(nobody.read(call, *args))


def test_somebody_who_may_view_his_own_entries_reads_those(world: World) -> None:
    mine, hers = world.customer("Acme", "li"), world.customer("Beta", "mei")
    change(world, Customer, mine, name="Acme Ltd")
    world.li.do(locking.lock, [mine])
    world.mei.do(locking.lock, [hers])
    add_line(world, "p, sales, audit, view, own, any, allow")

    assert [(x.action, x.record_id) for x in log(world, "li").entries] == [("customer.lock", mine)]
    assert log(world, "li", Wanted(actor_id=world.ids["mei"])).entries == []


# --- filters ---------------------------------------------------------------------------------------------

Fits = Callable[[Any], bool]
ALL, NONE = (lambda _: True), (lambda _: False)


def filters(world: World, made: dict[str, int]) -> dict[str, tuple[Wanted, Fits]]:
    """What can be wanted, and which rows of the log fit."""
    mine, li = made["mine"], world.ids["li"]
    second, third, fourth = (START + timedelta(minutes=n) for n in (2, 3, 4))
    batch = world.log("customer", mine)[-1]["batch_id"]
    several = {"actor_id": li, "model": Customer, "record_id": mine, "action": "customer.edit", "text": "C2026"}
    return {
        "everything": (Wanted(), ALL),
        "what is no word": (Wanted(action="\0", batch_id=" ", text="\0"), ALL),
        "a person": (Wanted(actor_id=li), lambda row: row["actor_id"] == li),
        "nobody": (Wanted(actor_id=10**12), NONE),
        "a kind": (Wanted(model=Contact), lambda row: row["entity"] == "contact"),
        "a record": (
            Wanted(model=Customer, record_id=mine),
            lambda row: (row["entity"], row["record_id"]) == ("customer", mine),
        ),
        "a number": (Wanted(record_id=mine), lambda row: row["record_id"] == mine),
        "an action": (Wanted(action="customer.lock"), lambda row: row["action"] == "customer.lock"),
        "a module": (Wanted(action="customer"), lambda row: row["action"].startswith("customer.")),
        "a part of a module": (Wanted(action="custom"), NONE),
        "a verb": (Wanted(action=".create"), lambda row: row["action"].endswith(".create")),
        "refusals": (Wanted(outcome=Outcome.DENIED), lambda row: row["outcome"] == "DENIED"),
        "a time": (Wanted(since=second, until=fourth), lambda row: second <= row["at"] < fourth),
        "a batch": (Wanted(batch_id=batch), lambda row: row["batch_id"] == batch),
        "a label": (Wanted(text=" mINE's "), lambda row: row["label"] == "mine's Ann"),
        "a stroke": (Wanted(text="_"), lambda row: "_" in (row["label"] or "")),
        "all at once": (
            Wanted(**several, outcome=Outcome.OK, since=third),
            lambda row: row["action"] == "customer.edit" and row["at"] >= third,
        ),
    }


def test_every_filter_finds_what_fits_and_nothing_else(world: World) -> None:
    made = live(world)
    rows = world.log()[::-1]
    assert len(rows) < 200

    for name, (wanted, fits) in filters(world, made).items():
        found = [it.id for it in log(world, "ada", wanted, size=200).entries]
        assert found == [row["id"] for row in rows if fits(row)], name
        assert bool(found) is (fits is not NONE), name


@at_length_on_postgresql
def test_a_text_too_long_is_refused(world: World) -> None:
    with pytest.raises(Validation):
        log(world, "ada", Wanted(text="x" * 101))


# --- pages -----------------------------------------------------------------------------------------------


def walk(read: Callable[..., Pages]) -> list[list[int]]:
    """The ids of every page there and back; the way back shows the very same pages."""
    there, at = [], read()
    assert at.newer is None
    while True:
        there.append(at)
        if at.older is None:
            break
        at = read(before=at.older)
    back = [at]
    while at.newer is not None:
        at = read(after=at.newer)
        back.append(at)
    assert [page.entries for page in back[::-1]] == [page.entries for page in there]
    assert [page.older for page in back[::-1]] == [page.older for page in there]
    return [[entry.id for entry in page.entries] for page in there]


def test_pages_lead_there_and_back_without_a_gap(world: World) -> None:
    made = live(world)
    ids = [row["id"] for row in world.log()[::-1]]
    mine = [row["id"] for row in world.log("customer", made["mine"])[::-1]]

    for size in (1, 2, 3, len(mine), 50):
        pages = walk(lambda size=size, **at: of_record(world, "lead", Customer, made["mine"], size=size, **at))
        assert pages == [mine[n : n + size] for n in range(0, len(mine), size)]
    assert walk(lambda **at: log(world, "ada", size=40, **at)) == [ids[n : n + 40] for n in range(0, len(ids), 40)]
    verbs = walk(lambda **at: log(world, "ada", Wanted(action=".create"), size=40, **at))
    assert [id for page in verbs for id in page] == [
        row["id"] for row in world.log()[::-1] if row["action"].endswith(".create")
    ]


@at_length_on_postgresql
def test_a_page_beyond_the_end_is_empty_and_a_page_has_a_size(world: World) -> None:
    newest = world.mark()

    for at in ({"before": -(10**12)}, {"before": 1}, {"after": 10**12}, {"after": newest}):
        assert log(world, "ada", **at) == Pages([], None, None)
    assert [len(log(world, "ada", size=size).entries) for size in (-1, 0, 1)] == [1, 1, 1]
    assert log(world, "ada", before=10**12, size=3).entries == log(world, "ada", size=3).entries


@pytest.mark.long
def test_a_page_takes_the_same_number_of_statements_whatever_its_size(world: World) -> None:
    id = world.customer("Acme", "li", stage="early")
    change(world, Customer, id, stage="won")
    with counted(world) as few:
        of_record(world, "lead", Customer, id)
        log(world, "ada", Wanted(model=Customer))
    for n in range(12):
        other = world.customer(f"Other {n}", ("li", "wu", "mei")[n % 3], stage="early")
        change(world, Customer, other, stage="won")
        change(world, Customer, id, stage=("early", "won")[n % 2])

    with counted(world) as many:
        assert len(of_record(world, "lead", Customer, id).entries) > 10
        assert len(log(world, "ada", Wanted(model=Customer)).entries) > 30

    assert len(many) == len(few) == 10, "entries, sight, people, departments, words; twice"


@contextmanager
def counted(world: World) -> Iterator[list[str]]:
    """The statements that are read with meanwhile."""
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT"):
            said.append(statement)

    engine = world.backend.read_engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield said
    event.remove(engine, "before_cursor_execute", note)
