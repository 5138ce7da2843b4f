"""The operation log: what stands in it after changes of every kind, what never does, and that it stays as written."""

from datetime import date
from decimal import Decimal
from typing import Any

from models import (
    ENTITIES,
    AssignmentRule,
    AssignmentShare,
    CalendarDay,
    ClaimCondition,
    ClaimRule,
    Contact,
    Customer,
    CustomerStage,
    CustomField,
    Dictionary,
    DictionaryItem,
    Entity,
    FollowUp,
    NumberRule,
    Opportunity,
    Organisation,
    Pipeline,
    PipelineStage,
    Plan,
    Pool,
    ReleaseRule,
)
from models.audit.entries import SILENT
from models.audit.proof import plain
from models.base import columns
from models.contact import ContactPoint
from models.follow_up import FollowUpKind
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.pool import claim as claiming
from resolvers.records import create_update
from resolvers.runtime.scope import Scope
from tests.support.engines import at_length_on_postgresql
from tests.support.entries import NOON, changes, edit, points
from tests.support.plain import plain_entities
from tests.support.world import START, World

BEFORE = NOON.replace(month=11, day=23)


# --- what is written -------------------------------------------------------------------------------------


def test_a_change_says_who_did_what_when_through_which_door(world: World) -> None:
    id, mark = world.customer("Acme", "li"), world.mark()
    scope = world.backend.scope(world.principal("li"), "graphql", request_id="r1", batch_id="b1")

    scope.do(create_update.update, Customer, id, {"name": "Acme Ltd", "industry": "steel"})

    (said,) = world.log(since=mark)
    header = {key: said[key] for key in ("at", "actor_id", "actor_name", "behalf_id", "door", "request_id", "batch_id")}
    assert header == {
        "at": START,
        "actor_id": world.ids["li"],
        "actor_name": "Li Na",
        "behalf_id": None,
        "door": "graphql",
        "request_id": "r1",
        "batch_id": "b1",
    }
    what = {key: said[key] for key in ("action", "entity", "record_id", "label", "outcome", "reason", "changes")}
    assert what == {
        "action": "customer.edit",
        "entity": "customer",
        "record_id": id,
        "label": world.row(Customer, id)["number"],
        "outcome": "OK",
        "reason": None,
        "changes": {"name": ["Acme", "Acme Ltd"], "industry": [None, "steel"]},
    }


@at_length_on_postgresql
def test_the_records_of_one_request_share_a_batch_and_two_requests_do_not(world: World) -> None:
    ids, mark = [world.customer("A", "li"), world.customer("B", "li")], world.mark()

    world.li.do(locking.lock, ids, reason="talks")
    world.li.do(locking.unlock, ids, reason="over")

    said = [(x["action"], x["record_id"], x["reason"]) for x in world.log("customer", since=mark)]
    locked, unlocked = (
        [(f"customer.{what}", id, why) for id in ids] for what, why in (("lock", "talks"), ("unlock", "over"))
    )
    assert said == [*locked, *unlocked]
    batches = [x["batch_id"] for x in world.log("customer", since=mark)]
    assert (batches[0], batches[2]) == (batches[1], batches[3])
    assert batches[0] != batches[2]


@at_length_on_postgresql
def test_a_new_record_is_logged_with_every_value_that_it_has(world: World) -> None:
    customer, mark = world.customer("Acme", "li"), world.mark()

    id = world.make(Contact, customer_id=customer, name="Ann", is_primary=True, birthday=date(1990, 2, 28))

    (said,) = world.log(since=mark)
    assert (said["action"], said["entity"], said["record_id"], said["label"]) == (
        "contact.create",
        "contact",
        id,
        "Ann",
    )
    assert said["changes"] == {
        "customer_id": [None, customer],
        "name": [None, "Ann"],
        "is_primary": [None, True],
        "do_not_contact": [None, False],
        "birthday": [None, "1990-02-28"],
    }


def test_amounts_times_days_words_and_yes_or_no_keep_their_kind(world: World) -> None:
    customer = world.customer("Acme", "li")
    deal = world.make(
        Opportunity, customer_id=customer, name="Deal", amount=Decimal(1200), expected_close=date(2026, 12, 1)
    )
    said = {"kind": FollowUpKind.CALL, "content": "called", "happened_at": START}
    call = world.li.do(create_update.create, FollowUp, {"customer_id": customer} | said).id
    ann = world.make(Contact, customer_id=customer, name="Ann")

    assert changes(
        edit(world, "li", Opportunity, deal, amount=Decimal("1200.50"), expected_close=date(2026, 12, 24))
    ) == [{"amount": ["1200.00", "1200.50"], "expected_close": ["2026-12-01", "2026-12-24"]}]
    assert changes(edit(world, "li", FollowUp, call, kind="VISIT", happened_at=BEFORE)) == [
        {
            "kind": ["CALL", "VISIT"],
            "happened_at": ["2026-11-24T08:00:00.000Z", "2026-11-23T12:30:15.250Z"],
            "counts": [True, False],  # it lies before the time of the owner
        }
    ]
    assert changes(edit(world, "li", Contact, ann, do_not_contact=True)) == [{"do_not_contact": [False, True]}]
    assert changes(edit(world, "ada", Pool, world.ids["north"], retain_days=30)) == [{"retain_days": [None, 30]}]


@at_length_on_postgresql
def test_an_edit_to_the_same_value_leaves_no_trace(world: World) -> None:
    deal = world.make(Opportunity, customer_id=world.customer(), name="Deal", amount=Decimal(5))

    assert edit(world, "li", Opportunity, deal, amount=Decimal("5.00"), name="Deal") == []


def test_the_log_replayed_gives_every_record_of_every_kind_as_it_is(world: World) -> None:
    live_through_much(world)

    compared = {
        model.__tablename__: len(rows) for model in ENTITIES if (rows := world.rows(model)) and replays(world, model)
    }
    assert compared.keys() == {model.__tablename__ for model in ENTITIES}


def live_through_much(world: World) -> None:
    customer, pooled = world.customer("Acme", "li", contact_name="Ann"), world.customer("Stone", pool="north")
    world.rule("north", daily_quota=5)
    world.make(NumberRule, for_module="customer", pattern="K{seq:4}")
    world.make(CustomField, for_module="customer", key="size", kind="TEXT", label_en="Size")
    deal = world.make(Opportunity, customer_id=customer, name="Deal", amount=Decimal("7.10"))
    world.make(FollowUp, customer_id=customer, opportunity_id=deal, kind="NOTE", content="x", happened_at=BEFORE)
    world.li.do(claiming.claim, [pooled])
    world.li.do(locking.lock, [pooled], until=NOON)
    world.lead.do(transferring.transfer, [customer], world.ids["wu"])
    world.system.do(create_update.delete, Customer, [customer])
    world.system.do(create_update.restore, Customer, [customer])
    for model, values in ((ClaimRule, {"daily_quota": 6}), (Organisation, {"name": "Mill", "capacity": 3})):
        world.system.do(create_update.update, model, 1, values)
    north, early = {"pool_id": world.ids["north"]}, '{"stage":{"eq":"early"}}'
    world.make(Plan, customer_id=customer, kind="CALL", due_at=NOON)
    world.make(ReleaseRule, name="Rule", days=9, everybody=True, **north)
    world.make(CalendarDay, day=NOON.date(), name="Holiday")
    world.make(ClaimCondition, name="Early", condition=early, **north)
    world.make(AssignmentRule, strategy="WEIGHTED", **north)
    world.make(AssignmentShare, user_id=world.ids["li"], weight=2, **north)
    words = world.make(Dictionary, code="opportunity_stage", name="Stages")
    world.make(DictionaryItem, dictionary_id=words, key="offer", label_en="Offer", label_zh="报价")
    pipeline = world.make(Pipeline, name="Sales")
    world.make(PipelineStage, pipeline_id=pipeline, stage="offer", probability=30, required_fields=["amount"])
    world.make(CustomerStage, stage="early", next_stages=["won"])
    for kind, needed in plain_entities().items():
        if not world.rows(kind):
            world.make(kind, **needed)


def replays(world: World, model: type[Entity]) -> bool:
    """Whether the log, from the first old to the last new value of every field, ends where the rows are."""
    for row in world.rows(model):
        told: dict[str, Any] = {}
        for said in world.log(model.__tablename__, row["id"]):
            for field, (old, new) in said["changes"].items():
                assert told.get(field, old) == old, (model, row["id"], field)
                told[field] = new
        here = {column.key: plain(row[column.key]) for column in columns(model) if column.key not in SILENT}
        known = told.keys() if model is Organisation else here.keys()  # the organisation is there from the beginning
        assert {key: told.get(key) for key in known} == {key: here[key] for key in known}, (model, row["id"])
    return True


def test_a_purged_record_leaves_its_last_values_and_those_of_its_parts(world: World) -> None:
    customer = world.customer("Acme", "li")
    ann = world.make(Contact, customer_id=customer, name="Ann", points=points(("PHONE", "2001"), ("PHONE", "2002")))
    world.system.do(create_update.delete, Contact, [ann])
    mark = world.mark()

    world.system.do(create_update.purge, Contact, [ann], confirm=True)

    (said,) = world.log(since=mark)
    assert (said["action"], said["label"]) == ("contact.purge", "Ann")
    assert said["changes"] == {
        "customer_id": [customer, None],
        "name": ["Ann", None],
        "is_primary": [False, None],
        "do_not_contact": [False, None],
        "deleted_at": ["2026-11-24T08:00:00.000Z", None],
        "delete_batch_id": [said["changes"]["delete_batch_id"][0], None],
        "phone": [["2001", "2002"], None],
    }


# --- parts -----------------------------------------------------------------------------------------------


def test_several_phones_changed_at_once_are_one_field_of_the_contact_and_none_is_lost(world: World) -> None:
    customer = world.customer("Acme", "li")
    mark = world.mark()
    ann = world.make(Contact, customer_id=customer, name="Ann", points=points(("PHONE", "2001"), ("EMAIL", "a@b.cn")))
    born = [x["changes"] for x in world.log("contact", ann, since=mark)]
    assert born[-1] == {"phone": [None, "2001"], "email": [None, "a@b.cn"]}

    more = edit(world, "li", Contact, ann, points=points(("PHONE", "2002"), ("PHONE", "2003"), ("EMAIL", "a@b.cn")))
    assert changes(more) == [{"phone": ["2001", ["2002", "2003"]]}]
    assert [(x["entity"], x["record_id"], x["label"], x["action"]) for x in more] == [
        ("contact", ann, "Ann", "contact.edit")
    ]

    turned = edit(world, "li", Contact, ann, points=points(("PHONE", "2003"), ("PHONE", "2002"), ("EMAIL", "a@b.cn")))
    assert changes(turned) == [{"phone": [["2002", "2003"], ["2003", "2002"]]}]

    assert changes(edit(world, "li", Contact, ann, points=[])) == [
        {"phone": [["2003", "2002"], None], "email": ["a@b.cn", None]}
    ]


@at_length_on_postgresql
def test_a_field_and_a_phone_changed_together_stand_in_one_entry_when_written_together(world: World) -> None:
    ann = world.make(Contact, customer_id=world.customer(), name="Ann", points=points(("PHONE", "2001")))
    mark = world.mark()

    def rename(scope: Scope) -> None:
        with scope.write("contact.edit") as db:
            contact, phone = world.session(db, Contact, ann), world.session(db, ContactPoint, 1)
            contact.name, phone.value = "Anna", "2009"

    world.system.do(rename)

    (said,) = world.log(since=mark)
    assert (said["label"], said["changes"]) == ("Anna", {"name": ["Ann", "Anna"], "phone": ["2001", "2009"]})


@at_length_on_postgresql
def test_a_phone_that_moves_is_logged_at_both_contacts_also_when_they_are_not_at_hand(world: World) -> None:
    customer = world.customer()
    ann = world.make(Contact, customer_id=customer, name="Ann", points=points(("PHONE", "2001"), ("PHONE", "2002")))
    bob = world.make(Contact, customer_id=customer, name="Bob")
    mark = world.mark()

    def move(scope: Scope) -> None:
        with scope.write("contact.edit") as db:
            world.session(db, ContactPoint, 1).contact_id = bob

    world.system.do(move)

    assert [(x["record_id"], x["label"], x["changes"]) for x in world.log(since=mark)] == [
        (ann, "Ann", {"phone": [["2001", "2002"], "2002"]}),
        (bob, "Bob", {"phone": [None, "2001"]}),
    ]
