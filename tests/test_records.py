"""Create, update, delete, restore and purge, of any entity."""

from datetime import date
from typing import Any

import pytest
from world import START, World

from models import (
    Contact,
    ContactPoint,
    Customer,
    Department,
    Dictionary,
    DictionaryItem,
    Entity,
    FollowUp,
    Opportunity,
    Organisation,
    Role,
    Tombstone,
    User,
    UserRole,
)
from models.base import columns
from models.errors import Conflict, Duplicate, Forbidden, InBin, NotFound, Refusal, Validation
from resolvers import handing, records
from resolvers.batch import Mode, Outcome
from resolvers.policy import put_in_force
from resolvers.scope import Scope


def codes(outcome: Outcome) -> list[str]:
    return [problem.code() for problem in outcome.problems]


def refused(world: World, scope: Scope, kind: type[Refusal], use_case: Any, *args: Any, **kwargs: Any) -> Any:
    """The refusal; nothing at all has changed."""
    before = world.everything()
    with pytest.raises(kind) as caught:
        scope.do(use_case, *args, **kwargs)
    assert world.everything() == before
    return caught.value


def line(world: World, text: str) -> None:
    """Add one line to the policy in force."""
    with world.house.writer.engine.begin() as connection:
        put_in_force(connection, f"{world.house.policy.text}\n{text}\n", "a test", START)
        world.house.refresh_policy(connection)


# --- create ----------------------------------------------------------------------------------------------


def test_a_new_record_holds_what_was_given_and_who_made_it_when(world: World) -> None:
    customer = world.customer("Acme")
    world.clock.pass_by(hours=1)

    made = world.li.do(
        records.create, Contact, {"customer_id": customer, "name": " Ann ", "birthday": date(1990, 2, 3)}
    )

    row = world.row(Contact, made.id)
    assert (row["name"], row["birthday"], row["is_primary"], row["version"]) == ("Ann", date(1990, 2, 3), False, 1)
    assert (row["created_at"], row["created_by_id"]) == (world.clock.now, world.ids["li"])
    assert (row["updated_at"], row["updated_by_id"]) == (world.clock.now, world.ids["li"])
    assert (row["deleted_at"], row["deleted_by_id"], row["delete_batch_id"]) == (None, None, None)


@pytest.mark.parametrize(
    ("model", "given", "field"),
    [
        (Customer, {"phone": "10086"}, "name"),
        (Customer, {"name": "  "}, "name"),
        (Contact, {"name": "Ann"}, "customerId"),
        (Role, {"code": "boss"}, "name"),
        (DictionaryItem, {"dictionary_id": 1, "label_en": "Tin"}, "key"),
        (FollowUp, {"customer_id": 1, "kind": "CALL", "content": "x"}, "happenedAt"),
    ],
)
def test_what_is_required_is_asked_for_by_its_name(
    world: World, model: type[Entity], given: dict[str, Any], field: str
) -> None:
    refusal = refused(world, world.ada, Validation, records.create, model, given)

    assert (refusal.field, refusal.say("en"), refusal.say("zh")) == (
        field,
        f"{field} is required.",
        f"{field}为必填项。",
    )


@pytest.mark.parametrize(
    "key", ["colour", "version", "created_at", "department_id", "locked_by_id", "id", "deleted_at"]
)
def test_what_is_unknown_or_kept_by_the_house_cannot_be_set(world: World, key: str) -> None:
    customer = world.customer()

    making = refused(world, world.ada, Validation, records.create, Customer, {"name": "Acme", key: 1})
    editing = refused(world, world.ada, Validation, records.update, Customer, customer, {key: 1})

    assert making.say() == editing.say()
    assert making.say().endswith("cannot be set.")
    assert making.field == {"created_at": "createdAt", "deleted_at": "deletedAt"}.get(
        key, {"department_id": "departmentId", "locked_by_id": "lockedById"}.get(key, key)
    )


@pytest.mark.parametrize(
    ("model", "key", "value"),
    [(Customer, "owner_id", 1), (Customer, "number", "X1"), (Role, "code", "boss"), (Customer, "contact_name", "Ann")],
)
def test_what_is_given_once_is_not_edited(world: World, model: type[Entity], key: str, value: Any) -> None:
    id = world.customer() if model is Customer else world.ids["sales"]

    refusal = refused(world, world.ada, Validation, records.update, model, id, {key: value})

    assert refusal.say().endswith("is only given at creation.")


def test_who_may_not_create_creates_nothing_and_the_attempt_is_logged(world: World) -> None:
    mark = world.mark()

    refusal = refused(world, world.fin, Forbidden, records.create, Customer, {"name": "Acme"})

    assert refusal.say() == "Your roles do not allow: customer.create. Ask an administrator for this right."
    (entry,) = world.log(since=mark)
    assert (entry["actor_id"], entry["action"], entry["entity"]) == (world.ids["fin"], "customer.create", "customer")
    assert (entry["outcome"], entry["record_id"], entry["changes"]) == ("DENIED", None, {})


def test_nobody_makes_a_record_that_would_be_out_of_his_reach(world: World) -> None:
    mark = world.mark()

    refused(world, world.li, Forbidden, records.create, Customer, {"name": "Acme", "owner_id": world.ids["wu"]})

    assert [entry["outcome"] for entry in world.log(since=mark)] == ["DENIED"]


def test_nobody_creates_without_being_signed_in(world: World) -> None:
    nobody = world.house.scope(None, "test")

    refusal = refused(world, nobody, Refusal, records.create, Customer, {"name": "Acme"})

    assert refusal.code() == "NOT_SIGNED_IN"


# --- references ------------------------------------------------------------------------------------------


def test_a_hidden_and_a_missing_reference_are_answered_alike(world: World) -> None:
    hidden, missing = world.customer("Secret", owner="mei"), 2_000_000_000
    answers = [
        refused(world, world.li, NotFound, records.create, Contact, {"customer_id": id, "name": "Ann"})
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


def test_a_hidden_and_a_missing_record_are_answered_alike(world: World) -> None:
    hidden, missing = world.customer("Secret", owner="mei"), 2_000_000_000
    answers = [
        refused(world, world.li, NotFound, records.update, Customer, id, {"name": "Mine"}, 1)
        for id in (hidden, missing)
    ]

    assert {x.say() for x in answers} == {"There is no such customer, or you may not see it."}
    assert [x.record_id for x in answers] == [f"cus_{hidden}", f"cus_{missing}"]


def test_a_reference_to_the_bin_is_not_found(world: World) -> None:
    customer = world.customer()
    contact = world.make(Contact, customer_id=customer, name="Ann")
    world.system.do(records.delete, Contact, [contact])
    given = {"customer_id": customer, "contact_id": contact, "name": "Deal"}

    refusal = refused(world, world.li, NotFound, records.create, Opportunity, given)

    assert refusal.field == "contactId"


# --- update ----------------------------------------------------------------------------------------------


def test_an_update_changes_what_was_given_and_nothing_else(world: World) -> None:
    customer = world.customer("Acme", phone="10086", industry="retail")
    world.clock.pass_by(minutes=5)

    world.li.do(records.update, Customer, customer, {"name": "Acme Ltd", "phone": None}, 1)

    row = world.row(Customer, customer)
    assert (row["name"], row["phone"], row["industry"], row["version"]) == ("Acme Ltd", None, "retail", 2)
    assert (row["updated_at"], row["updated_by_id"]) == (world.clock.now, world.ids["li"])


def test_an_update_without_a_change_is_none(world: World) -> None:
    customer = world.customer("Acme")
    before, mark = world.everything(), world.mark()

    world.li.do(records.update, Customer, customer, {"name": " Acme "}, 1)

    assert world.everything() == before
    assert world.log(since=mark) == []


def test_a_stale_edit_gets_a_conflict_with_the_current_values(world: World) -> None:
    customer = world.customer("Acme")
    world.li.do(records.update, Customer, customer, {"name": "Acme East", "address": "1 Pond Road"}, 1)

    refusal = refused(world, world.lead, Conflict, records.update, Customer, customer, {"name": "Acme West"}, 1)

    assert (refusal.field, refusal.record_id) == ("version", f"cus_{customer}")
    assert refusal.params["version"] == 2
    assert refusal.params["current"] == {"name": "Acme East"}
    assert refusal.say().startswith("C2026001 was changed by somebody else meanwhile.")


def test_a_conflict_shows_no_field_that_is_hidden_from_the_editor(world: World) -> None:
    customer = world.customer("Acme", pool="north", phone="13800138000")
    world.ada.do(records.update, Customer, customer, {"phone": "13900139000"}, 1)

    refusal = refused(world, world.lead, Forbidden, records.update, Customer, customer, {"phone": "1"}, 1)

    assert "139" not in str(refusal.params)


def test_a_colleague_who_sees_but_may_not_edit_changes_nothing(world: World) -> None:
    customer = world.customer("Acme", owner="wu")
    mark = world.mark()

    refusal = refused(world, world.fin, Forbidden, records.update, Customer, customer, {"name": "Mine"}, 1)

    assert refusal.params["action"] == "customer.edit"
    (entry,) = world.log(since=mark)
    assert (entry["entity"], entry["record_id"], entry["outcome"]) == ("customer", customer, "DENIED")


def test_a_locked_customer_is_edited_by_its_owner_only(world: World) -> None:
    customer = world.customer("Acme")
    world.li.do(handing.lock, [customer])

    refused(world, world.ada, NotFound, records.update, Customer, customer, {"name": "Mine"})
    world.li.do(records.update, Customer, customer, {"name": "Still mine"})

    assert world.row(Customer, customer)["name"] == "Still mine"


def test_a_record_in_the_bin_is_not_edited(world: World) -> None:
    customer = world.customer("Acme")
    world.li.do(records.delete, Customer, [customer])

    refusal = refused(world, world.lead, InBin, records.update, Customer, customer, {"name": "New"})

    assert refusal.say() == "C2026001 is in the recycle bin. Restore it first."


# --- rights on fields ------------------------------------------------------------------------------------


def test_a_field_that_one_may_not_edit_stays_as_it_is(world: World) -> None:
    customer = world.customer("Acme", level=None)
    line(world, "p, sales, customer.remark, edit, all, any, deny")
    mark = world.mark()

    refusal = refused(world, world.li, Forbidden, records.update, Customer, customer, {"name": "New", "remark": "x"})

    assert (refusal.field, refusal.params["action"]) == ("remark", "customer.remark")
    assert [(x["record_id"], x["outcome"]) for x in world.log(since=mark)] == [(customer, "DENIED")]
    world.li.do(records.update, Customer, customer, {"name": "New"})
    assert world.row(Customer, customer)["name"] == "New"


def test_a_field_that_one_may_not_edit_is_not_given_at_creation_either(world: World) -> None:
    line(world, "p, sales, customer.remark, edit, all, any, deny")

    refusal = refused(world, world.li, Forbidden, records.create, Customer, {"name": "Acme", "remark": "x"})

    assert refusal.field == "remark"
    assert world.li.do(records.create, Customer, {"name": "Acme"}).number == "C2026001"


def test_a_field_that_is_hidden_is_not_edited_blindly(world: World) -> None:
    customer = world.customer("Acme", pool="north", phone="13800138000")

    refusal = refused(world, world.lead, Forbidden, records.update, Customer, customer, {"phone": "10086"})

    assert refusal.field == "phone"


def test_a_person_edits_what_stands_apart_of_himself_only(world: World) -> None:
    refused(world, world.li, Forbidden, records.update, User, world.ids["li"], {"name": "Boss"})
    refused(world, world.li, Forbidden, records.update, User, world.ids["wu"], {"capacity": 5})


# --- delete and restore ----------------------------------------------------------------------------------


def household(world: World) -> dict[str, int]:
    """A customer of Li with two contacts, an opportunity and a follow-up."""
    customer = world.customer("Acme")
    ann = world.make(Contact, customer_id=customer, name="Ann", points=[{"kind": "PHONE", "value": "13800138000"}])
    bob = world.make(Contact, customer_id=customer, name="Bob")
    deal = world.make(Opportunity, customer_id=customer, contact_id=ann, name="Deal")
    call = world.make(
        FollowUp, customer_id=customer, contact_id=ann, kind="CALL", content="Called", happened_at=world.clock.now
    )
    return {"customer": customer, "ann": ann, "bob": bob, "deal": deal, "call": call}


def test_a_customer_goes_to_the_bin_with_what_hangs_on_it_as_one_batch(world: World) -> None:
    made, mark = household(world), world.mark()

    outcome = world.li.do(records.delete, Customer, [made["customer"]], reason="closed down")

    assert (outcome.ids, outcome.problems) == ([made["customer"]], [])
    rows = [
        world.row(model, made[name])
        for model, name in ((Customer, "customer"), (Contact, "ann"), (Contact, "bob"), (Opportunity, "deal"))
    ]
    rows.append(world.row(FollowUp, made["call"]))
    assert {row["delete_batch_id"] for row in rows} == {rows[0]["delete_batch_id"]} != {None}
    assert {(row["deleted_at"], row["deleted_by_id"]) for row in rows} == {(world.clock.now, world.ids["li"])}
    log = world.log(since=mark)
    assert {(x["action"], x["reason"]) for x in log} == {("customer.delete", "closed down")}
    assert len({x["batch_id"] for x in log}) == 1
    assert sorted(x["entity"] for x in log) == ["contact", "contact", "customer", "follow_up", "opportunity"]


def test_restore_brings_back_exactly_what_went_with_the_customer(world: World) -> None:
    made = household(world)
    world.li.do(records.delete, Contact, [made["bob"]])
    alone = world.row(Contact, made["bob"])
    world.li.do(records.delete, Customer, [made["customer"]])

    outcome = world.lead.do(records.restore, Customer, [made["customer"]])

    assert outcome.ids == [made["customer"]]
    assert world.row(Contact, made["bob"]) == alone
    for model, name in ((Customer, "customer"), (Contact, "ann"), (Opportunity, "deal"), (FollowUp, "call")):
        row = world.row(model, made[name])
        assert (row["deleted_at"], row["deleted_by_id"], row["delete_batch_id"]) == (None, None, None)


def test_a_contact_comes_back_alone_but_not_before_its_customer(world: World) -> None:
    made = household(world)
    world.li.do(records.delete, Contact, [made["bob"]])
    world.li.do(records.delete, Customer, [made["customer"]])

    outcome = world.ada.do(records.restore, Contact, [made["bob"]])

    assert codes(outcome) == ["IN_BIN"]
    world.ada.do(records.restore, Customer, [made["customer"]])
    assert world.ada.do(records.restore, Contact, [made["bob"]]).ids == [made["bob"]]


def test_a_contact_is_deleted_though_a_follow_up_mentions_it(world: World) -> None:
    made = household(world)

    assert world.li.do(records.delete, Contact, [made["ann"]]).ids == [made["ann"]]
    assert world.row(FollowUp, made["call"])["contact_id"] == made["ann"]


def test_who_may_not_delete_deletes_nothing(world: World) -> None:
    made = household(world)
    before, mark = world.everything(), world.mark()

    assert codes(world.fin.do(records.delete, Customer, [made["customer"]])) == ["FORBIDDEN"]
    assert codes(world.mei.do(records.delete, Customer, [made["customer"]])) == ["NOT_FOUND"]
    assert codes(world.mei.do(records.delete, Customer, [2_000_000_000])) == ["NOT_FOUND"]

    assert world.everything() == before
    assert [(x["outcome"], x["action"]) for x in world.log(since=mark)] == [("DENIED", "customer.delete")] * 3


def test_who_may_delete_may_not_restore_for_that(world: World) -> None:
    customer = world.customer()
    world.li.do(records.delete, Customer, [customer])
    before = world.everything()

    assert codes(world.li.do(records.restore, Customer, [customer])) == ["NOT_FOUND"]
    assert world.everything() == before


def test_what_is_not_in_the_bin_is_neither_restored_nor_purged(world: World) -> None:
    customer = world.customer()
    before = world.everything()

    assert codes(world.ada.do(records.restore, Customer, [customer])) == ["NOT_DELETED"]
    assert codes(world.ada.do(records.purge, Customer, [customer], confirm=True)) == ["NOT_DELETED"]
    assert world.everything() == before


def test_one_refusal_undoes_a_batch_that_is_all_or_nothing(world: World) -> None:
    mine, hers = world.customer(owner="li"), world.customer(owner="mei")
    before = world.everything()

    outcome = world.li.do(records.delete, Customer, [mine, hers], Mode.ALL_OR_NOTHING)

    assert (outcome.ids, codes(outcome)) == ([], ["BATCH_UNDONE", "NOT_FOUND"])
    assert world.everything() == before


def test_the_best_effort_does_what_it_can(world: World) -> None:
    mine, hers = world.customer(owner="li"), world.customer(owner="mei")

    outcome = world.li.do(records.delete, Customer, [mine, hers, mine], Mode.BEST_EFFORT)

    assert (outcome.ids, codes(outcome)) == ([mine], ["NOT_FOUND"])
    assert world.row(Customer, hers)["deleted_at"] is None


def test_a_reason_that_cannot_be_stored_is_refused(world: World) -> None:
    customer = world.customer()

    refusal = refused(world, world.li, Validation, records.delete, Customer, [customer], reason="x" * 201)

    assert refusal.field == "reason"


def test_what_others_need_is_not_deleted(world: World) -> None:
    world.customer(owner="li")

    outcome = world.ada.do(records.delete, User, [world.ids["li"]])

    assert codes(outcome) == ["IN_USE"]
    assert outcome.problems[0].params == {"label": "Li Na", "count": 1, "what": "customer"}
    assert outcome.problems[0].say("zh") == "Li Na 仍被使用（客户：1 条）。请先转移或删除这些记录。"
    assert codes(world.ada.do(records.delete, Department, [world.ids["east"]])) == ["IN_USE"]
    assert codes(world.ada.do(records.delete, Role, [world.ids["sales"]])) == ["IN_USE"]


# --- unique names and the bin (defect 21) ----------------------------------------------------------------


def test_a_name_is_taken_as_long_as_its_record_lives(world: World) -> None:
    refusal = refused(world, world.ada, Duplicate, records.create, Role, {"code": "sales", "name": "Sales"})

    assert (refusal.field, refusal.say()) == ("code", "sales is taken already. Choose another.")


def test_a_name_is_free_again_when_its_record_is_in_the_bin(world: World) -> None:
    old = world.make(Dictionary, code="colour", name="Colour")
    world.system.do(records.delete, Dictionary, [old])

    new = world.make(Dictionary, code="colour", name="Colours")

    assert new != old


def test_restore_is_refused_with_a_way_out_when_the_name_was_taken_meanwhile(world: World) -> None:
    old = world.make(Dictionary, code="colour", name="Colour")
    item = world.make(DictionaryItem, dictionary_id=old, key="red", label_en="Red")
    world.system.do(records.delete, Dictionary, [old])
    new = world.make(Dictionary, code="colour", name="Colours")
    before = world.everything()

    (problem,) = world.ada.do(records.restore, Dictionary, [old]).problems

    assert (problem.code(), problem.field, problem.record_id) == ("TAKEN_MEANWHILE", "code", f"dic_{old}")
    assert problem.say() == (
        "colour was given to another record meanwhile. Rename or delete that one, then restore colour."
    )
    assert problem.say("zh") == "colour 已被其他记录占用。请先修改或删除该记录，再恢复 colour。"
    assert world.everything() == before
    world.system.do(records.delete, Dictionary, [new])
    assert world.ada.do(records.restore, Dictionary, [old]).ids == [old]
    assert world.row(DictionaryItem, item)["deleted_at"] is None


def test_a_login_taken_meanwhile_keeps_its_former_holder_in_the_bin(world: World) -> None:
    old = world.user("zoe", "Zoe One", "sales")
    world.system.do(records.delete, User, [old])
    world.user("zoe", "Zoe Two", "sales")

    (problem,) = world.ada.do(records.restore, User, [old]).problems

    assert (problem.code(), problem.field, problem.params["value"]) == ("TAKEN_MEANWHILE", "login", "zoe")


def test_a_person_goes_with_his_roles_and_comes_back_with_them(world: World) -> None:
    zoe = world.user("zoe", "Zoe", "sales")
    (role,) = world.rows(UserRole, UserRole.user_id == zoe)

    world.ada.do(records.delete, User, [zoe])
    assert world.row(UserRole, role["id"])["deleted_at"] == world.clock.now
    world.ada.do(records.restore, User, [zoe])

    assert world.row(UserRole, role["id"])["deleted_at"] is None
    assert world.row(User, zoe)["active"] is False


# --- purge -----------------------------------------------------------------------------------------------


def test_a_purge_leaves_the_log_and_a_tombstone_and_nothing_else(world: World) -> None:
    made = household(world)
    world.li.do(records.delete, Customer, [made["customer"]])
    written = world.log(record_id=made["customer"], entity="customer")
    mark = world.mark()

    outcome = world.ada.do(records.purge, Customer, [made["customer"]], confirm=True, reason="asked to")

    assert (outcome.ids, outcome.problems) == ([made["customer"]], [])
    for model in (Customer, Contact, Opportunity, FollowUp, ContactPoint):
        assert world.rows(model) == []
    (grave,) = world.rows(Tombstone)
    assert (grave["for_module"], grave["record_id"], grave["number"]) == ("customer", made["customer"], "C2026001")
    assert (grave["purged_at"], grave["purged_by_id"]) == (world.clock.now, world.ids["ada"])
    assert world.log(record_id=made["customer"], entity="customer")[: len(written)] == written
    log = world.log(since=mark)
    assert {(x["action"], x["reason"]) for x in log} == {("customer.purge", "asked to")}
    (last,) = [x for x in log if x["entity"] == "customer"]
    assert last["changes"]["name"] == ["Acme", None]
    assert ["13800138000", None] in [x["changes"].get("phone") for x in log if x["entity"] == "contact"]


def test_a_purge_must_be_confirmed(world: World) -> None:
    customer = world.customer()
    world.li.do(records.delete, Customer, [customer])

    refusal = refused(world, world.ada, Validation, records.purge, Customer, [customer], confirm=False)

    assert refusal.field == "confirm"


def test_purging_is_a_right_of_its_own(world: World) -> None:
    customer = world.customer()
    world.li.do(records.delete, Customer, [customer])
    before = world.everything()

    assert codes(world.lead.do(records.purge, Customer, [customer], confirm=True)) == ["FORBIDDEN"]
    assert codes(world.li.do(records.purge, Customer, [customer], confirm=True)) == ["NOT_FOUND"]
    assert world.everything() == before


def test_who_may_purge_what_he_does_not_see_purges_it_whole(world: World) -> None:
    made = household(world)
    world.li.do(records.delete, Customer, [made["customer"]])
    line(world, "p, finance, customer, purge, all, deleted, allow")
    mark = world.mark()

    assert world.fin.do(records.purge, Customer, [made["customer"]], confirm=True).ids == [made["customer"]]

    (entry,) = [x for x in world.log(since=mark) if x["entity"] == "customer"]
    assert entry["changes"]["name"] == ["Acme", None]


def test_who_may_restore_what_he_does_not_see_restores_it(world: World) -> None:
    made = household(world)
    world.li.do(records.delete, Customer, [made["customer"]])
    line(world, "p, finance, customer, restore, all, deleted, allow")

    assert world.fin.do(records.restore, Customer, [made["customer"]]).ids == [made["customer"]]
    assert world.row(Contact, made["ann"])["deleted_at"] is None


def test_a_purged_contact_is_forgotten_by_those_who_mentioned_it(world: World) -> None:
    made = household(world)
    world.li.do(records.delete, Contact, [made["ann"]])
    mark = world.mark()

    assert world.ada.do(records.purge, Contact, [made["ann"]], confirm=True).ids == [made["ann"]]

    assert world.row(FollowUp, made["call"])["contact_id"] is None
    assert world.row(Opportunity, made["deal"])["contact_id"] is None
    forgotten = [x["changes"] for x in world.log(since=mark) if x["entity"] in ("follow_up", "opportunity")]
    assert forgotten == [{"contact_id": [made["ann"], None]}] * 2


def test_what_the_bin_still_names_is_not_purged(world: World) -> None:
    role = world.make(Role, code="temp", name="Temp")
    held = world.make(UserRole, user_id=world.ids["li"], role_id=role)
    world.system.do(records.delete, UserRole, [held])
    world.system.do(records.delete, Role, [role])

    assert codes(world.ada.do(records.purge, Role, [role], confirm=True)) == ["IN_USE"]
    world.ada.do(records.purge, UserRole, [held], confirm=True)
    assert world.ada.do(records.purge, Role, [role], confirm=True).ids == [role]


def test_a_person_is_never_purged_because_the_log_names_him(world: World) -> None:
    zoe = world.user("zoe", "Zoe", "sales")
    world.ada.do(records.delete, User, [zoe])
    before = world.everything()

    assert codes(world.ada.do(records.purge, User, [zoe], confirm=True)) == ["VALIDATION"]
    assert world.everything() == before


def test_a_restored_customer_can_be_purged_and_its_number_never_comes_again(world: World) -> None:
    customer = world.customer()
    world.li.do(records.delete, Customer, [customer])
    world.ada.do(records.restore, Customer, [customer])
    world.li.do(records.delete, Customer, [customer])
    world.ada.do(records.purge, Customer, [customer], confirm=True)

    refusal = refused(world, world.li, Duplicate, records.create, Customer, {"name": "New", "number": "C2026001"})

    assert (refusal.field, refusal.params["value"]) == ("number", "C2026001")


# --- one for all -----------------------------------------------------------------------------------------


def test_the_organisation_is_one_row(world: World) -> None:
    refused(world, world.ada, Validation, records.create, Organisation, {"name": "Another"})
    before = world.everything()

    assert codes(world.ada.do(records.delete, Organisation, [1])) == ["VALIDATION"]
    assert world.everything() == before


@pytest.mark.parametrize(
    "model", [model for model in Entity.__subclasses__() if model.module], ids=lambda m: m.__name__
)
def test_whoever_has_no_roles_changes_nothing_of_any_entity(world: World, model: type[Entity]) -> None:
    world.make(User, login="nil", name="Nil")
    nil, before = world.house.scope(world.house.person("nil"), "test"), world.everything()
    given = {column.key: "x" for column in columns(model) if column.key in ("name", "code")}

    for use_case, args in (
        (records.create, (model, given)),
        (records.update, (model, 1, {})),
    ):
        with pytest.raises(Refusal):
            nil.do(use_case, *args)
    for use_case, more in ((records.delete, {}), (records.restore, {}), (records.purge, {"confirm": True})):
        assert nil.do(use_case, model, [1], **more).ids == []

    assert world.everything() == before
