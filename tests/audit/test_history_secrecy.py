"""What history and log do not say: hidden fields, hidden records, names out of sight."""

from typing import Any

import pytest

from models import AuditEntry, Contact, Customer, Entity, Opportunity
from models.errors import NotFound
from resolvers.audit.history import Change, Entry, Wanted
from resolvers.customers import lock as locking
from resolvers.pool import release as releasing
from resolvers.records import create_update
from resolvers.runtime import ids as record_ids
from tests.support.claim_checks import change, claim
from tests.support.engines import at_length_on_postgresql
from tests.support.graphql import Api
from tests.support.history import SECRET, actions, live, log, of_record, told
from tests.support.refusals import add_line
from tests.support.world import START, World


def told_of(world: World, login: str, model: type[Entity], id: int) -> set[str]:
    """The names of all changes that somebody reads in the history of a record."""
    return {change.key for entry in of_record(world, login, model, id).entries for change in entry.changes}


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
    assert [x.record_id for x in log(world, "aud", Wanted(text="C2026", model=Customer)).entries] == [mine]
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


def test_a_text_finds_entries_about_what_belongs_to_a_customer_that_the_reader_may_know(world: World) -> None:
    pine, oak = world.customer("Pine Trade", "wu"), world.customer("Oak", "wu")
    ann = world.make(Contact, customer_id=pine, name="Ann")
    deal = world.make(Opportunity, customer_id=pine, name="Deal")
    world.make(Contact, customer_id=oak, name="Bob")

    def found(login: str, text: str) -> set[tuple[type[Entity] | None, int | None]]:
        return {(x.model, x.record_id) for x in log(world, login, Wanted(text=text)).entries}

    everything = {(Customer, pine), (Contact, ann), (Opportunity, deal)}
    assert found("aud", "trade pine") == found("aud", "pine") == everything
    assert found("aud", "bob") != set()

    add_line(world, "p, auditor, customer.name, view, all, any, deny")
    assert found("aud", "pine") == set()


def test_a_text_finds_nothing_about_a_contact_that_the_reader_may_not_see(world: World) -> None:
    pine = world.customer("Pine Trade", "wu")
    world.make(Contact, customer_id=pine, name="Ann")
    add_line(world, "p, auditor, contact, view, all, any, deny")

    entries = log(world, "aud", Wanted(text="pine")).entries

    assert [(x.model, x.record_id) for x in entries] == [(Customer, pine)]
