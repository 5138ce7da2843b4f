"""A purge takes a record for good, and what may be purged."""

from models import (
    Contact,
    ContactPoint,
    Customer,
    Dictionary,
    DictionaryItem,
    FollowUp,
    Opportunity,
    Role,
    Tombstone,
    User,
    UserRole,
)
from models.errors import Duplicate, Validation
from resolvers.records import create_update
from tests.support.engines import at_length_on_postgresql
from tests.support.recycle_bin import codes, household
from tests.support.refusals import add_line, refused
from tests.support.world import World

# --- purge -----------------------------------------------------------------------------------------------


def test_a_purge_leaves_the_log_and_a_tombstone_and_nothing_else(world: World) -> None:
    made = household(world)
    world.li.do(create_update.delete, Customer, [made["customer"]])
    written = world.log(record_id=made["customer"], entity="customer")
    mark = world.mark()

    outcome = world.ada.do(create_update.purge, Customer, [made["customer"]], confirm=True, reason="asked to")

    assert (outcome.ids, outcome.problems) == ([made["customer"]], [])
    for model in (Customer, Contact, Opportunity, FollowUp, ContactPoint):
        assert world.rows(model) == []
    (tombstone,) = world.rows(Tombstone)
    assert (tombstone["for_module"], tombstone["record_id"], tombstone["number"]) == (
        "customer",
        made["customer"],
        "C2026001",
    )
    assert (tombstone["purged_at"], tombstone["purged_by_id"]) == (world.clock.now, world.ids["ada"])
    assert world.log(record_id=made["customer"], entity="customer")[: len(written)] == written
    log = world.log(since=mark)
    assert {(x["action"], x["reason"]) for x in log} == {("customer.purge", "asked to")}
    (last,) = [x for x in log if x["entity"] == "customer"]
    assert last["changes"]["name"] == ["Acme", None]
    assert ["13800138000", None] in [x["changes"].get("phone") for x in log if x["entity"] == "contact"]


def test_a_pooled_customer_is_deleted_for_good_in_one_confirmed_step(world: World) -> None:
    customer, kept = world.customer(pool="north"), world.customer(pool="north")
    mark = world.mark()

    outcome = world.ada.do(create_update.purge, Customer, [customer], confirm=True, skip_bin=True, reason="a test")

    assert (outcome.ids, outcome.problems) == ([customer], [])
    assert [row["id"] for row in world.rows(Customer)] == [kept]
    told = [x["action"] for x in world.log(since=mark) if x["entity"] == "customer"]
    assert told == ["customer.delete", "customer.purge"]
    (tombstone,) = world.rows(Tombstone)
    assert tombstone["record_id"] == customer


def test_who_may_delete_and_not_purge_leaves_all_where_it_was(world: World) -> None:
    customer = world.customer(owner="li")
    before = world.everything()

    outcome = world.li.do(create_update.purge, Customer, [customer], confirm=True, skip_bin=True)

    assert codes(outcome) == ["FORBIDDEN"]
    assert world.everything() == before


def test_what_lies_in_the_bin_already_is_purged_all_the_same(world: World) -> None:
    customer = world.customer(owner="li")
    world.li.do(create_update.delete, Customer, [customer])

    assert world.ada.do(create_update.purge, Customer, [customer], confirm=True, skip_bin=True).ids == [customer]
    assert world.rows(Customer) == []


@at_length_on_postgresql
def test_a_purge_must_be_confirmed(world: World) -> None:
    customer = world.customer()
    world.li.do(create_update.delete, Customer, [customer])

    refusal = refused(world, world.ada, Validation, create_update.purge, Customer, [customer], confirm=False)

    assert refusal.field == "confirm"


def test_purging_is_a_right_of_its_own(world: World) -> None:
    customer = world.customer()
    world.li.do(create_update.delete, Customer, [customer])
    before = world.everything()

    assert codes(world.lead.do(create_update.purge, Customer, [customer], confirm=True)) == ["FORBIDDEN"]
    assert codes(world.li.do(create_update.purge, Customer, [customer], confirm=True)) == ["NOT_FOUND"]
    assert world.everything() == before


def test_who_may_purge_what_he_does_not_see_purges_it_whole(world: World) -> None:
    made = household(world)
    world.li.do(create_update.delete, Customer, [made["customer"]])
    add_line(world, "p, finance, customer, purge, all, deleted, allow")
    mark = world.mark()

    assert world.fin.do(create_update.purge, Customer, [made["customer"]], confirm=True).ids == [made["customer"]]

    (entry,) = [x for x in world.log(since=mark) if x["entity"] == "customer"]
    assert entry["changes"]["name"] == ["Acme", None]


@at_length_on_postgresql
def test_who_may_restore_what_he_does_not_see_restores_it(world: World) -> None:
    made = household(world)
    world.li.do(create_update.delete, Customer, [made["customer"]])
    add_line(world, "p, finance, customer, restore, all, deleted, allow")

    assert world.fin.do(create_update.restore, Customer, [made["customer"]]).ids == [made["customer"]]
    assert world.row(Contact, made["ann"])["deleted_at"] is None


def test_a_purged_contact_is_forgotten_by_those_who_mentioned_it(world: World) -> None:
    made = household(world)
    world.li.do(create_update.delete, Contact, [made["ann"]])
    mark = world.mark()

    assert world.ada.do(create_update.purge, Contact, [made["ann"]], confirm=True).ids == [made["ann"]]

    assert world.row(FollowUp, made["call"])["contact_id"] is None
    assert world.row(Opportunity, made["deal"])["contact_id"] is None
    forgotten = [x["changes"] for x in world.log(since=mark) if x["entity"] in ("follow_up", "opportunity")]
    assert forgotten == [{"contact_id": [made["ann"], None]}] * 2


def test_what_the_bin_still_names_is_not_purged(world: World) -> None:
    role = world.make(Role, code="temp", name="Temp")
    held = world.make(UserRole, user_id=world.ids["li"], role_id=role)
    world.system.do(create_update.delete, UserRole, [held])
    world.system.do(create_update.delete, Role, [role])

    assert codes(world.ada.do(create_update.purge, Role, [role], confirm=True)) == ["IN_USE"]
    world.ada.do(create_update.purge, UserRole, [held], confirm=True)
    assert world.ada.do(create_update.purge, Role, [role], confirm=True).ids == [role]


@at_length_on_postgresql
def test_a_person_is_never_purged_because_the_log_names_him(world: World) -> None:
    zoe = world.user("zoe", "Zoe", "sales")
    world.ada.do(create_update.delete, User, [zoe])
    before = world.everything()

    assert codes(world.ada.do(create_update.purge, User, [zoe], confirm=True)) == ["VALIDATION"]
    assert world.everything() == before


@at_length_on_postgresql
def test_a_restored_customer_can_be_purged_and_its_number_never_comes_again(world: World) -> None:
    customer = world.customer()
    world.li.do(create_update.delete, Customer, [customer])
    world.ada.do(create_update.restore, Customer, [customer])
    world.li.do(create_update.delete, Customer, [customer])
    world.ada.do(create_update.purge, Customer, [customer], confirm=True)

    refusal = refused(world, world.li, Duplicate, create_update.create, Customer, {"name": "New", "number": "C2026001"})

    assert (refusal.field, refusal.params["value"]) == ("number", "C2026001")


@at_length_on_postgresql
def test_a_dictionary_is_purged_with_its_words_however_they_hang_together(world: World) -> None:
    colour = world.make(Dictionary, code="colour", name="Colour")
    above = None
    for key in ("warm", "red", "scarlet"):
        above = world.make(DictionaryItem, dictionary_id=colour, key=key, label_en=key, parent_id=above)
    world.ada.do(create_update.delete, Dictionary, [colour])

    assert codes(world.ada.do(create_update.restore, DictionaryItem, [above])) == ["IN_BIN"]
    assert world.ada.do(create_update.purge, Dictionary, [colour], confirm=True).ids == [colour]
    assert world.rows(DictionaryItem, DictionaryItem.dictionary_id == colour) == []


def test_a_word_that_records_hold_is_not_deleted(world: World) -> None:
    customer = world.customer(industry="steel")
    (item,) = world.rows(DictionaryItem, DictionaryItem.key == "steel")
    before = world.everything()

    outcome = world.ada.do(create_update.delete, DictionaryItem, [item["id"]])

    assert outcome.problems[0].params == {"label": "steel", "count": 1, "what": "customer", "what_zh": "客户"}
    assert world.everything() == before
    world.li.do(create_update.update, Customer, customer, {"industry": None})
    assert world.ada.do(create_update.delete, DictionaryItem, [item["id"]]).ids == [item["id"]]
