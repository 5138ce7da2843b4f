"""Create and update, of any entity; and that whoever has no roles changes nothing of any."""

from datetime import date
from typing import Any

import pytest

from models import (
    Contact,
    Customer,
    DictionaryItem,
    Entity,
    FollowUp,
    Opportunity,
    Organisation,
    Role,
    User,
)
from models.base import columns
from models.errors import Conflict, Forbidden, InBin, NotFound, Refusal, Validation
from resolvers.customers import lock as locking
from resolvers.records import create_update
from resolvers.runtime.batch import Outcome
from resolvers.runtime.scope import Scope
from tests.support.engines import at_length_on_postgresql
from tests.support.refusals import add_line, refused
from tests.support.world import World


def codes(outcome: Outcome) -> list[str]:
    return [problem.code() for problem in outcome.problems]


# --- create ----------------------------------------------------------------------------------------------


def test_a_new_record_holds_what_was_given_and_who_made_it_when(world: World) -> None:
    customer = world.customer("Acme")
    world.clock.pass_by(hours=1)

    made = world.li.do(
        create_update.create, Contact, {"customer_id": customer, "name": " Ann ", "birthday": date(1990, 2, 3)}
    )

    row = world.row(Contact, made.id)
    assert (row["name"], row["birthday"], row["is_primary"], row["version"]) == ("Ann", date(1990, 2, 3), False, 1)
    assert (row["created_at"], row["created_by_id"]) == (world.clock.now, world.ids["li"])
    assert (row["updated_at"], row["updated_by_id"]) == (world.clock.now, world.ids["li"])
    assert (row["deleted_at"], row["deleted_by_id"], row["delete_batch_id"]) == (None, None, None)


@at_length_on_postgresql
@pytest.mark.parametrize(
    ("model", "given", "field", "english", "chinese"),
    [
        (Customer, {"phone": "10086"}, "name", "Name", "名称"),
        (Customer, {"name": "  "}, "name", "Name", "名称"),
        (Contact, {"name": "Ann"}, "customerId", "Customer", "客户"),
        (Role, {"code": "boss"}, "name", "Name", "名称"),
        (DictionaryItem, {"dictionary_id": 1, "label_en": "Tin"}, "key", "Key", "键"),
        (
            FollowUp,
            {"customer_id": 1, "kind": "CALL", "content": "x"},
            "happenedAt",
            "Time of the follow-up",
            "跟进时间",
        ),
    ],
)
def test_what_is_required_is_asked_for_by_its_name(
    world: World, model: type[Entity], given: dict[str, Any], field: str, english: str, chinese: str
) -> None:
    refusal = refused(world, world.ada, Validation, create_update.create, model, given)

    assert (refusal.field, refusal.say("en"), refusal.say("zh")) == (
        field,
        f"{english} is required.",
        f"{chinese}为必填项。",
    )


@at_length_on_postgresql
@pytest.mark.parametrize(
    "key", ["colour", "version", "created_at", "department_id", "locked_by_id", "id", "deleted_at"]
)
def test_what_is_unknown_or_kept_by_the_house_cannot_be_set(world: World, key: str) -> None:
    customer = world.customer()

    permit_create = refused(world, world.ada, Validation, create_update.create, Customer, {"name": "Acme", key: 1})
    editing = refused(world, world.ada, Validation, create_update.update, Customer, customer, {key: 1})

    assert permit_create.say() == editing.say()
    assert permit_create.say().endswith("cannot be set.")
    assert permit_create.field == {"created_at": "createdAt", "deleted_at": "deletedAt"}.get(
        key, {"department_id": "departmentId", "locked_by_id": "lockedById"}.get(key, key)
    )


@at_length_on_postgresql
@pytest.mark.parametrize(
    ("model", "key", "value"),
    [(Customer, "owner_id", 1), (Customer, "number", "X1"), (Role, "code", "boss"), (Customer, "contact_name", "Ann")],
)
def test_what_is_given_once_is_not_edited(world: World, model: type[Entity], key: str, value: Any) -> None:
    id = world.customer() if model is Customer else world.ids["sales"]

    refusal = refused(world, world.ada, Validation, create_update.update, model, id, {key: value})

    assert refusal.say().endswith("is only given at creation.")


@at_length_on_postgresql
def test_who_may_not_create_creates_nothing_and_the_attempt_is_logged(world: World) -> None:
    mark = world.mark()

    refusal = refused(world, world.fin, Forbidden, create_update.create, Customer, {"name": "Acme"})

    assert refusal.say() == "Your roles do not allow: create (customers). Ask an administrator for this right."
    (entry,) = world.log(since=mark)
    assert (entry["actor_id"], entry["action"], entry["entity"]) == (world.ids["fin"], "customer.create", "customer")
    assert (entry["outcome"], entry["record_id"], entry["changes"]) == ("DENIED", None, {})


@at_length_on_postgresql
def test_nobody_makes_a_record_that_would_be_out_of_his_reach(world: World) -> None:
    mark = world.mark()

    refused(world, world.li, Forbidden, create_update.create, Customer, {"name": "Acme", "owner_id": world.ids["wu"]})

    assert [entry["outcome"] for entry in world.log(since=mark)] == ["DENIED"]


@at_length_on_postgresql
def test_one_attempt_is_one_entry_however_deep_it_was_made(world: World) -> None:
    mark = world.mark()

    def nested(scope: Scope) -> None:
        with scope.write("customer.import"), scope.write("customer.import"):
            create_update.create(scope, Customer, {"name": "Acme"})

    refused(world, world.fin, Forbidden, nested)

    assert [(x["action"], x["outcome"]) for x in world.log(since=mark)] == [("customer.create", "DENIED")]


@at_length_on_postgresql
def test_nobody_creates_without_being_signed_in(world: World) -> None:
    nobody = world.backend.scope(None, "test")

    refusal = refused(world, nobody, Refusal, create_update.create, Customer, {"name": "Acme"})

    assert refusal.code() == "UNAUTHENTICATED"


# --- references ------------------------------------------------------------------------------------------


def test_a_hidden_and_a_missing_reference_are_answered_alike(world: World) -> None:
    hidden, missing = world.customer("Secret", owner="mei"), 2_000_000_000
    mark = world.mark()
    answers = [
        refused(world, world.li, NotFound, create_update.create, Contact, {"customer_id": id, "name": "Ann"})
        for id in (hidden, missing, 0)
    ]

    assert {(x.say("en"), x.say("zh"), x.field, x.record_id) for x in answers} == {
        (
            "There is no such customer, or you may not see it.",
            "该客户不存在，或您无权查看。",
            "customerId",
            None,
        )
    }
    log = [(x["action"], x["entity"], x["record_id"], x["outcome"]) for x in world.log(since=mark)]
    assert log == [("contact.create", "contact", None, "DENIED")] * 3


def test_nobody_learns_who_sees_a_record_that_they_do_not_see(world: World) -> None:
    hidden = world.customer("Secret", owner="mei")
    answers = set()
    for customer in (hidden, 2_000_000_000):
        for owner in ("mei", "lead"):
            given = {"customer_id": customer, "name": "Ann", "owner_id": world.ids[owner]}
            problem = refused(world, world.li, NotFound, create_update.create, Contact, given)
            answers.add(tuple((type(x), x.field, x.say()) for x in problem.all))
    assert len(answers) == 1, "whether a colleague sees it is not told"


@at_length_on_postgresql
def test_a_hidden_and_a_missing_record_are_answered_alike(world: World) -> None:
    hidden, missing = world.customer("Secret", owner="mei"), 2_000_000_000
    answers = [
        refused(world, world.li, NotFound, create_update.update, Customer, id, {"name": "Mine"}, 1)
        for id in (hidden, missing)
    ]

    assert {x.say() for x in answers} == {"There is no such customer, or you may not see it."}
    assert [x.record_id for x in answers] == [f"cus_{hidden}", f"cus_{missing}"]


@at_length_on_postgresql
def test_a_reference_to_the_bin_is_not_found(world: World) -> None:
    customer = world.customer()
    contact = world.make(Contact, customer_id=customer, name="Ann")
    world.system.do(create_update.delete, Contact, [contact])
    given = {"customer_id": customer, "contact_id": contact, "name": "Deal"}

    refusal = refused(world, world.li, NotFound, create_update.create, Opportunity, given)

    assert refusal.field == "contactId"


# --- update ----------------------------------------------------------------------------------------------


def test_an_update_changes_what_was_given_and_nothing_else(world: World) -> None:
    customer = world.customer("Acme", phone="10086", industry="retail")
    world.clock.pass_by(minutes=5)

    world.li.do(create_update.update, Customer, customer, {"name": "Acme Ltd", "phone": None}, 1)

    row = world.row(Customer, customer)
    assert (row["name"], row["phone"], row["industry"], row["version"]) == ("Acme Ltd", None, "retail", 2)
    assert (row["updated_at"], row["updated_by_id"]) == (world.clock.now, world.ids["li"])


@at_length_on_postgresql
def test_an_update_without_a_change_is_none(world: World) -> None:
    customer = world.customer("Acme")
    before, mark = world.everything(), world.mark()

    world.li.do(create_update.update, Customer, customer, {"name": " Acme "}, 1)

    assert world.everything() == before
    assert world.log(since=mark) == []


def test_a_stale_edit_gets_a_conflict_with_the_current_values(world: World) -> None:
    customer = world.customer("Acme")
    world.li.do(create_update.update, Customer, customer, {"name": "Acme East", "address": "1 Pond Road"}, 1)

    refusal = refused(world, world.lead, Conflict, create_update.update, Customer, customer, {"name": "Acme West"}, 1)

    assert (refusal.field, refusal.record_id) == ("version", f"cus_{customer}")
    assert refusal.params["version"] == 2
    assert (refusal.params["current"], refusal.params["given"]) == ({"name": "Acme East"}, {"name": "Acme West"})
    assert refusal.say().startswith("C2026001 was changed by somebody else meanwhile.")


@at_length_on_postgresql
def test_a_conflict_shows_no_field_that_is_hidden_from_the_editor(world: World) -> None:
    customer = world.customer("Acme", pool="north", phone="13800138000")
    world.ada.do(create_update.update, Customer, customer, {"phone": "13900139000"}, 1)

    refusal = refused(world, world.lead, Forbidden, create_update.update, Customer, customer, {"phone": "1"}, 1)

    assert [(type(each), "139" in str(each.params)) for each in refusal.all] == [(Forbidden, False)]


def test_a_colleague_who_sees_but_may_not_edit_changes_nothing(world: World) -> None:
    customer = world.customer("Acme", owner="wu")
    mark = world.mark()

    refusal = refused(world, world.fin, Forbidden, create_update.update, Customer, customer, {"name": "Mine"}, 1)

    assert refusal.params["action"] == "customer.edit"
    (entry,) = world.log(since=mark)
    assert (entry["entity"], entry["record_id"], entry["outcome"]) == ("customer", customer, "DENIED")


@at_length_on_postgresql
def test_a_locked_customer_is_edited_by_its_owner_only(world: World) -> None:
    customer = world.customer("Acme")
    world.li.do(locking.lock, [customer])

    refused(world, world.ada, NotFound, create_update.update, Customer, customer, {"name": "Mine"})
    world.li.do(create_update.update, Customer, customer, {"name": "Still mine"})

    assert world.row(Customer, customer)["name"] == "Still mine"


@at_length_on_postgresql
def test_a_record_in_the_bin_is_not_edited(world: World) -> None:
    customer = world.customer("Acme")
    world.li.do(create_update.delete, Customer, [customer])

    refusal = refused(world, world.lead, InBin, create_update.update, Customer, customer, {"name": "New"})

    assert refusal.say() == "C2026001 is in the recycle bin. Restore it first."


# --- rights on fields ------------------------------------------------------------------------------------


def test_a_field_that_one_may_not_edit_stays_as_it_is(world: World) -> None:
    customer = world.customer("Acme", level=None)
    add_line(world, "p, sales, customer.remark, edit, all, any, deny")
    mark = world.mark()

    refusal = refused(
        world, world.li, Forbidden, create_update.update, Customer, customer, {"name": "New", "remark": "x"}
    )

    assert (refusal.field, refusal.params["action"]) == ("remark", "customer.remark")
    assert [(x["record_id"], x["outcome"]) for x in world.log(since=mark)] == [(customer, "DENIED")]
    world.li.do(create_update.update, Customer, customer, {"name": "New"})
    assert world.row(Customer, customer)["name"] == "New"


@at_length_on_postgresql
def test_a_field_that_one_may_not_edit_is_not_given_at_creation_either(world: World) -> None:
    add_line(world, "p, sales, customer.remark, edit, all, any, deny")

    refusal = refused(world, world.li, Forbidden, create_update.create, Customer, {"name": "Acme", "remark": "x"})

    assert refusal.field == "remark"
    assert world.li.do(create_update.create, Customer, {"name": "Acme"}).number == "C2026001"


@at_length_on_postgresql
def test_a_field_that_is_hidden_is_not_edited_blindly(world: World) -> None:
    customer = world.customer("Acme", pool="north", phone="13800138000")

    refusal = refused(world, world.lead, Forbidden, create_update.update, Customer, customer, {"phone": "10086"})

    assert refusal.field == "phone"


@at_length_on_postgresql
def test_a_person_edits_what_stands_apart_of_himself_only(world: World) -> None:
    refused(world, world.li, Forbidden, create_update.update, User, world.ids["li"], {"name": "Boss"})
    refused(world, world.li, Forbidden, create_update.update, User, world.ids["wu"], {"capacity": 5})


# --- one for all -----------------------------------------------------------------------------------------


@at_length_on_postgresql
def test_the_organisation_is_one_row(world: World) -> None:
    refused(world, world.ada, Validation, create_update.create, Organisation, {"name": "Another"})
    before = world.everything()

    assert codes(world.ada.do(create_update.delete, Organisation, [1])) == ["VALIDATION"]
    assert world.everything() == before


@pytest.mark.parametrize(
    "model", [model for model in Entity.__subclasses__() if model.module], ids=lambda m: m.__name__
)
def test_whoever_has_no_roles_changes_nothing_of_any_entity(world: World, model: type[Entity]) -> None:
    world.make(User, login="nil", name="Nil")
    nil, before = world.backend.scope(world.backend.person("nil"), "test"), world.everything()
    given = {column.key: "x" for column in columns(model) if column.key in ("name", "code")}

    for use_case, args in (
        (create_update.create, (model, given)),
        (create_update.update, (model, 1, {})),
    ):
        with pytest.raises(Refusal):
            nil.do(use_case, *args)
    for use_case, more in (
        (create_update.delete, {}),
        (create_update.restore, {}),
        (create_update.purge, {"confirm": True}),
    ):
        assert nil.do(use_case, model, [1], **more).ids == []

    assert world.everything() == before
