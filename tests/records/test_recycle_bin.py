"""The recycle bin: delete with what hangs on a record, restore exactly that, purge for good."""

from models import (
    Contact,
    Customer,
    Department,
    Dictionary,
    DictionaryItem,
    FollowUp,
    Opportunity,
    Role,
    User,
    UserRole,
)
from models.errors import Duplicate, Validation
from resolvers.records import create_update
from resolvers.runtime.batch import Mode
from tests.support.engines import at_length_on_postgresql
from tests.support.recycle_bin import codes, household
from tests.support.refusals import refused
from tests.support.world import World


def test_a_customer_goes_to_the_bin_with_what_hangs_on_it_as_one_batch(world: World) -> None:
    made, mark = household(world), world.mark()

    outcome = world.li.do(create_update.delete, Customer, [made["customer"]], reason="closed down")

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
    world.li.do(create_update.delete, Contact, [made["bob"]])
    alone = world.row(Contact, made["bob"])
    world.li.do(create_update.delete, Customer, [made["customer"]])

    outcome = world.lead.do(create_update.restore, Customer, [made["customer"]])

    assert outcome.ids == [made["customer"]]
    assert world.row(Contact, made["bob"]) == alone
    for model, name in ((Customer, "customer"), (Contact, "ann"), (Opportunity, "deal"), (FollowUp, "call")):
        row = world.row(model, made[name])
        assert (row["deleted_at"], row["deleted_by_id"], row["delete_batch_id"]) == (None, None, None)


@at_length_on_postgresql
def test_a_contact_comes_back_alone_but_not_before_its_customer(world: World) -> None:
    made = household(world)
    world.li.do(create_update.delete, Contact, [made["bob"]])
    world.li.do(create_update.delete, Customer, [made["customer"]])

    outcome = world.ada.do(create_update.restore, Contact, [made["bob"]])

    assert codes(outcome) == ["IN_BIN"]
    world.ada.do(create_update.restore, Customer, [made["customer"]])
    assert world.ada.do(create_update.restore, Contact, [made["bob"]]).ids == [made["bob"]]


@at_length_on_postgresql
def test_a_contact_is_deleted_though_a_follow_up_mentions_it(world: World) -> None:
    made = household(world)

    assert world.li.do(create_update.delete, Contact, [made["ann"]]).ids == [made["ann"]]
    assert world.row(FollowUp, made["call"])["contact_id"] == made["ann"]


def test_who_may_not_delete_deletes_nothing(world: World) -> None:
    made = household(world)
    before, mark = world.everything(), world.mark()

    assert codes(world.fin.do(create_update.delete, Customer, [made["customer"]])) == ["FORBIDDEN"]
    assert codes(world.mei.do(create_update.delete, Customer, [made["customer"]])) == ["NOT_FOUND"]
    assert codes(world.mei.do(create_update.delete, Customer, [2_000_000_000])) == ["NOT_FOUND"]

    assert world.everything() == before
    assert [(x["outcome"], x["action"]) for x in world.log(since=mark)] == [("DENIED", "customer.delete")] * 3


@at_length_on_postgresql
def test_who_may_delete_may_not_restore_for_that(world: World) -> None:
    customer = world.customer()
    world.li.do(create_update.delete, Customer, [customer])
    before = world.everything()

    assert codes(world.li.do(create_update.restore, Customer, [customer])) == ["NOT_FOUND"]
    assert world.everything() == before


@at_length_on_postgresql
def test_what_is_not_in_the_bin_is_neither_restored_nor_purged(world: World) -> None:
    customer = world.customer()
    before = world.everything()

    assert codes(world.ada.do(create_update.restore, Customer, [customer])) == ["NOT_DELETED"]
    assert codes(world.ada.do(create_update.purge, Customer, [customer], confirm=True)) == ["NOT_DELETED"]
    assert world.everything() == before


def test_one_refusal_undoes_a_batch_that_is_all_or_nothing(world: World) -> None:
    mine, hers = world.customer(owner="li"), world.customer(owner="mei")
    before = world.everything()

    outcome = world.li.do(create_update.delete, Customer, [mine, hers], Mode.ALL_OR_NOTHING)

    assert (outcome.ids, codes(outcome)) == ([], ["BATCH_UNDONE", "NOT_FOUND"])
    assert world.everything() == before


@at_length_on_postgresql
def test_the_best_effort_does_what_it_can(world: World) -> None:
    mine, hers = world.customer(owner="li"), world.customer(owner="mei")

    outcome = world.li.do(create_update.delete, Customer, [mine, hers, mine], Mode.BEST_EFFORT)

    assert (outcome.ids, codes(outcome)) == ([mine], ["NOT_FOUND"])
    assert world.row(Customer, hers)["deleted_at"] is None


@at_length_on_postgresql
def test_a_reason_that_cannot_be_stored_is_refused(world: World) -> None:
    customer = world.customer()

    refusal = refused(world, world.li, Validation, create_update.delete, Customer, [customer], reason="x" * 201)

    assert refusal.field == "reason"


@at_length_on_postgresql
def test_what_others_need_is_not_deleted(world: World) -> None:
    world.customer(owner="li")

    outcome = world.ada.do(create_update.delete, User, [world.ids["li"]])

    assert codes(outcome) == ["IN_USE"]
    assert outcome.problems[0].params == {"label": "Li Na", "count": 1, "what": "customer", "what_zh": "客户"}
    assert outcome.problems[0].say("zh") == "Li Na 仍被使用（客户：1 条）。请先转移或删除这些记录。"
    assert codes(world.ada.do(create_update.delete, Department, [world.ids["east"]])) == ["IN_USE"]
    assert codes(world.ada.do(create_update.delete, Role, [world.ids["sales"]])) == ["IN_USE"]


# --- unique names and the bin (defect 21) ----------------------------------------------------------------


@at_length_on_postgresql
def test_a_name_is_taken_as_long_as_its_record_lives(world: World) -> None:
    refusal = refused(world, world.ada, Duplicate, create_update.create, Role, {"code": "sales", "name": "Sales"})

    assert (refusal.field, refusal.say()) == ("code", "sales is taken already. Choose another.")


@at_length_on_postgresql
def test_a_name_is_free_again_when_its_record_is_in_the_bin(world: World) -> None:
    old = world.make(Dictionary, code="colour", name="Colour")
    world.system.do(create_update.delete, Dictionary, [old])

    new = world.make(Dictionary, code="colour", name="Colours")

    assert new != old


def test_restore_is_refused_with_a_way_out_when_the_name_was_taken_meanwhile(world: World) -> None:
    old = world.make(Dictionary, code="colour", name="Colour")
    item = world.make(DictionaryItem, dictionary_id=old, key="red", label_en="Red")
    world.system.do(create_update.delete, Dictionary, [old])
    new = world.make(Dictionary, code="colour", name="Colours")
    before = world.everything()

    (problem,) = world.ada.do(create_update.restore, Dictionary, [old]).problems

    assert (problem.code(), problem.field, problem.record_id) == ("TAKEN_MEANWHILE", "code", f"dic_{old}")
    assert problem.say() == (
        "colour was given to another record meanwhile. Rename or delete that one, then restore colour."
    )
    assert problem.say("zh") == "colour 已被其他记录占用。请先修改或删除该记录，再恢复 colour。"
    assert world.everything() == before
    world.system.do(create_update.delete, Dictionary, [new])
    assert world.ada.do(create_update.restore, Dictionary, [old]).ids == [old]
    assert world.row(DictionaryItem, item)["deleted_at"] is None


def test_a_login_taken_meanwhile_keeps_its_former_holder_in_the_bin(world: World) -> None:
    old = world.user("zoe", "Zoe One", "sales")
    world.system.do(create_update.delete, User, [old])
    world.user("zoe", "Zoe Two", "sales")

    (problem,) = world.ada.do(create_update.restore, User, [old]).problems

    assert (problem.code(), problem.field, problem.params["value"]) == ("TAKEN_MEANWHILE", "login", "zoe")


@at_length_on_postgresql
def test_a_person_goes_with_his_roles_and_comes_back_with_them(world: World) -> None:
    zoe = world.user("zoe", "Zoe", "sales")
    (role,) = world.rows(UserRole, UserRole.user_id == zoe)

    world.ada.do(create_update.delete, User, [zoe])
    assert world.row(UserRole, role["id"])["deleted_at"] == world.clock.now
    world.ada.do(create_update.restore, User, [zoe])

    assert world.row(UserRole, role["id"])["deleted_at"] is None
    assert world.row(User, zoe)["active"] is False
