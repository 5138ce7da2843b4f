"""Merging customers: what stays, what moves, who may, and what is left of the others."""

from typing import Any

import pytest

from models import (
    Base,
    Contact,
    ContactPoint,
    Customer,
    Dictionary,
    DictionaryItem,
    FollowUp,
    FormerName,
    NotDuplicate,
    Opportunity,
    User,
)
from models.errors import CapacityReached, Forbidden, InBin, Locked, Merged, NotFound, QuotaReached, Validation
from resolvers.audit.history import of_record
from resolvers.customers.lock import lock
from resolvers.customers.transfer import transfer
from resolvers.duplicates.told_apart import tell_apart
from resolvers.merging.merge import Choices, merge
from resolvers.merging.moves import FOLLOWING, STAYING
from resolvers.merging.moves import hanging as hanging_entities
from resolvers.merging.unmerge import unmerge
from resolvers.pool.claim import claim
from resolvers.records import create_update
from resolvers.runtime.ids import global_id
from tests.support.claim_checks import change, codes, held, owner, periods, refused_like_missing, unchanged, whole
from tests.support.graphql import Api
from tests.support.merging import compared, contact, follow_up, hanging, merged, shared, state, undone
from tests.support.refusals import add_line, refused
from tests.support.world import World


@pytest.fixture
def two(world: World) -> tuple[int, int]:
    """Two customers that are one, of Li and of Wu, with a primary contact each; Ann is at both."""
    first = world.customer("Otter Ltd", "li", phone="021 1000", stage="won")
    second = world.customer("Otter", "wu", email="a@otter.example", stage="early", region="east")
    contact(world, first, "Ann", "138 0013 8000", title="Buyer", is_primary=True)
    contact(world, second, "ann", "+86 13800138000", title="Director", is_primary=True)
    return first, second


def test_fields_come_from_the_winner_unless_it_is_empty_or_another_is_chosen(
    world: World, two: tuple[int, int]
) -> None:
    first, second = two
    found = {x.key: x for x in compared(world, first, second).differences}
    assert {key: x.proposed for key, x in found.items()} == {
        "name": first,
        "stage": first,
        "region": second,
        "phone": first,
        "email": second,
        "owner": first,
    }
    assert found["stage"].values == {first: "won", second: "early"}

    merged(world, first, second, fields={"stage": second})

    row = world.row(Customer, first)
    shown = {key: row[key] for key in ("name", "stage", "region", "phone", "email")}
    assert shown == {
        "name": "Otter Ltd",
        "stage": "early",
        "region": "east",
        "phone": "021 1000",
        "email": "a@otter.example",
    }
    assert whole(world) == []


def test_everything_that_hangs_on_the_other_comes_along(world: World, two: tuple[int, int]) -> None:
    first, second = two
    stages = world.make(Dictionary, code="opportunity_stage", name="Stages")
    world.make(DictionaryItem, dictionary_id=stages, key="won", label_en="Won", label_zh="赢单")
    deal = world.make(Opportunity, customer_id=second, name="Deal", amount=100, stage="won")
    called = follow_up(world, second, opportunity_id=deal)
    gone = contact(world, second, "Left")
    world.scope("ada").do(create_update.delete, Contact, [gone])
    shared(world, second, "mei")

    merged(world, first, second, reason="One company")

    left, moved = hanging(world, second), hanging(world, first)
    assert left == {
        "contact": [left["contact"][0]],
        "opportunity": [],
        "follow_up": [],
        "share": [],
        "ownership_period": [],
    }
    assert (moved["opportunity"], moved["follow_up"], len(moved["share"])) == ([deal], [called], 1)
    assert gone in moved["contact"]
    assert world.row(Opportunity, deal)["stage"] == "won"
    assert world.row(FollowUp, called)["opportunity_id"] == deal
    assert whole(world) == []


def test_a_contact_that_is_at_both_becomes_one_with_the_title_that_was_chosen(
    world: World, two: tuple[int, int]
) -> None:
    first, second = two
    mine, theirs = (row["id"] for row in world.rows(Contact))
    called = follow_up(world, second, contact_id=theirs)
    change_points(world, theirs, "13800138000", "021 555 0001")

    (person,) = compared(world, first, second).people
    assert (person.ids, [x.key for x in person.differences]) == ((mine, theirs), ["name", "title"])
    merged(world, first, second, contacts={mine: {"title": theirs}})

    assert world.row(Contact, mine)["title"] == "Director"
    assert [row["is_primary"] for row in world.rows(Contact, Contact.customer_id == first)] == [True]
    assert [x["value"] for x in world.rows(ContactPoint, ContactPoint.contact_id == mine)] == [
        "138 0013 8000",
        "021 555 0001",
    ]
    assert world.row(FollowUp, called)["contact_id"] == mine
    assert world.row(Contact, theirs)["merged_into_id"] == mine
    asked = Api(world).ask("ada", "query($id: ID!) { node(id: $id) { id } }", id=global_id(Contact, theirs))
    assert asked == {"node": {"id": global_id(Contact, mine)}}


def test_contacts_of_one_name_without_a_shared_number_stay_two(world: World) -> None:
    first, second = world.customer("A", "li"), world.customer("B", "li")
    kept = contact(world, first, "Ann", "138 0013 8000")
    other = contact(world, second, "Ann", "138 0013 8001", is_primary=True)

    assert compared(world, first, second).people == []
    merged(world, first, second)

    assert hanging(world, first)["contact"] == [kept, other]
    assert world.row(Contact, other)["is_primary"]


def test_one_primary_contact_stays(world: World) -> None:
    ids = [world.customer(name, "li") for name in "ABC"]
    for id in ids[1:]:
        contact(world, id, f"P{id}", is_primary=True)

    merged(world, *ids)

    found = world.rows(Contact, Contact.customer_id == ids[0])
    assert [row["is_primary"] for row in found] == [True, False]


# --- owners and pools ------------------------------------------------------------------------------------


def test_the_periods_of_both_owners_stay_in_the_history(world: World, two: tuple[int, int]) -> None:
    first, second = two
    li, wu = world.ids["li"], world.ids["wu"]

    merged(world, first, second)

    assert periods(world, first) == [(li, "CREATE", None), (wu, "CREATE", "MERGE")]
    assert (owner(world, first), held(world, "li"), held(world, "wu")) == (li, 1, 0)


def test_the_owner_of_the_other_may_be_chosen(world: World, two: tuple[int, int]) -> None:
    first, second = two
    li, wu = world.ids["li"], world.ids["wu"]
    deal = world.make(Opportunity, customer_id=first, name="Deal", owner_id=li)

    merged(world, first, second, fields={"owner": second})

    assert periods(world, first) == [(li, "CREATE", "MERGE"), (wu, "CREATE", None)]
    assert (owner(world, first), held(world, "li"), held(world, "wu")) == (wu, 0, 1)
    assert world.row(Opportunity, deal)["owner_id"] == wu
    assert whole(world) == []


def test_a_pooled_customer_that_becomes_part_of_ones_own_counts_as_a_claim(world: World) -> None:
    add_line(world, "p, sales, customer, merge, pool_member, in_pool, allow")
    world.rule("north", daily_quota=1)
    mine, *pooled = world.customer("A", "li"), world.customer("B", pool="north"), world.customer("C", pool="north")

    merged(world, mine, pooled[0], by="li")

    refused(world, world.scope("li"), QuotaReached, merge, mine, [pooled[1]])
    assert periods(world, mine)[-1] == (world.ids["li"], "CLAIM", "MERGE")
    assert whole(world) == []


# --- who may ---------------------------------------------------------------------------------------------


def test_a_customer_out_of_sight_is_merged_like_a_missing_one(world: World, two: tuple[int, int]) -> None:
    first, second = two
    for hidden in (second, 999_999):
        refusal = refused(world, world.scope("li"), NotFound, merge, first, [hidden])
        assert refusal.record_id == global_id(Customer, hidden)
    with pytest.raises(NotFound):
        compared(world, first, second, by="li")


def test_a_role_without_the_right_is_refused(world: World, two: tuple[int, int]) -> None:
    first, second = two
    refused(world, world.scope("fin"), Forbidden, merge, first, [second])
    with pytest.raises(Forbidden):
        compared(world, first, second, by="fin")


def test_a_locked_customer_is_refused(world: World, two: tuple[int, int]) -> None:
    first, second = two
    other = world.customer("Third", "li")
    world.scope("li").do(lock, [first])

    refused(world, world.scope("li"), Locked, merge, other, [first])
    with pytest.raises(Locked):
        compared(world, other, first, by="li")
    refused(world, world.scope("lead"), NotFound, merge, second, [first])


def test_a_customer_in_the_bin_or_itself_or_too_many_are_refused(world: World) -> None:
    ids = [world.customer(str(n), "li") for n in range(6)]
    world.scope("ada").do(create_update.delete, Customer, [ids[5]])

    refused(world, world.scope("ada"), InBin, merge, ids[0], [ids[5]])
    for losers in ([], [ids[0]], ids[1:], [ids[0], ids[1]]):
        if len(losers) != 5:
            refused(world, world.scope("ada"), Validation, merge, ids[0], losers)
    refused(world, world.scope("ada"), Validation, merge, ids[0], [*ids[1:5], 999_999])


def test_a_choice_that_is_not_offered_is_refused(world: World, two: tuple[int, int]) -> None:
    first, second = two
    for fields in ({"number": second}, {"level": second}, {"stage": 999_999}, {"merged_into": first}):
        refused(world, world.scope("ada"), Validation, merge, first, [second], Choices(fields))
    refused(world, world.scope("ada"), Validation, merge, first, [second], Choices({}, {999_999: {"title": 1}}))


def test_a_hidden_field_is_neither_shown_nor_overwritten(world: World) -> None:
    add_line(world, "p, sales_lead, customer.phone, view, subtree, any, deny")
    first, second = world.customer("A", "li"), world.customer("A", "wu", phone="021 7777", remark="Old")

    found = compared(world, first, second, by="lead").differences
    assert [x.key for x in found] == ["remark", "owner"]
    merged(world, first, second, by="lead")

    assert (world.row(Customer, first)["phone"], world.row(Customer, first)["remark"]) == (None, "Old")
    assert world.row(Customer, second)["phone"] == "021 7777"


def test_a_field_that_the_caller_may_not_set_stays_the_winners(world: World) -> None:
    add_line(world, "p, sales, customer.remark, edit, own, any, deny")
    first, second = world.customer("A", "li"), world.customer("A", "li", remark="Other")

    refused(world, world.scope("li"), Validation, merge, first, [second], Choices({"remark": second}))
    merged(world, first, second, by="li")

    assert world.row(Customer, first)["remark"] is None


def test_contacts_whose_numbers_the_caller_does_not_see_are_never_taken_for_one(world: World) -> None:
    add_line(world, "p, sales, contact.points, view, own, any, deny")
    first, second = world.customer("A", "li"), world.customer("A", "li")
    for id in (first, second):
        contact(world, id, "Ann", "138 0013 8000")

    assert compared(world, first, second, by="li").people == []
    assert len(compared(world, first, second, by="ada").people) == 1


# --- tombstones ------------------------------------------------------------------------------------------

BY_ID = "query($id: ID!) { node(id: $id) { id } customer(id: $id) { id number } }"
BY_NUMBER = "query($number: String!) { customer(number: $number) { id } }"


def test_old_id_and_number_lead_to_the_winner_for_who_sees_it(world: World, two: tuple[int, int]) -> None:
    first, second = two
    number, api = world.row(Customer, second)["number"], Api(world)
    merged(world, first, second)
    third = world.customer("Third", "li")
    merged(world, third, first)

    for login, id in (("li", third), ("ada", third), ("mei", None)):
        wanted = {"id": global_id(Customer, id)} if id else None
        for gone in (first, second):
            found = api.ask(login, BY_ID, id=global_id(Customer, gone))
            assert found["node"] == wanted
            assert (found["customer"] or {}).get("id") == (wanted or {}).get("id")
        assert api.ask(login, BY_NUMBER, number=number.lower()) == {"customer": wanted}


def test_a_tombstone_is_in_no_list_and_no_bin(world: World, two: tuple[int, int]) -> None:
    first, second = two
    merged(world, first, second)
    asked = "{ live: customers { totalCount nodes { id } } gone: customers(bin: true) { nodes { id } } contacts(bin: true) { nodes { id } } }"

    found = Api(world).ask("ada", asked.replace("totalCount", ""))

    assert found["live"]["nodes"] == [{"id": global_id(Customer, first)}]
    assert (found["gone"]["nodes"], found["contacts"]["nodes"]) == ([], [])


@pytest.mark.parametrize("what", ["edit", "claim", "lock", "restore", "purge", "merge"])
def test_doing_something_to_a_tombstone_names_the_winner(world: World, two: tuple[int, int], what: str) -> None:
    first, second = two
    numbers = [world.row(Customer, id)["number"] for id in (second, first)]
    merged(world, first, second)
    calls: dict[str, Any] = {
        "edit": (create_update.update, Customer, second, {"name": "X"}),
        "claim": (claim, [second]),
        "lock": (lock, [second]),
        "restore": (create_update.restore, Customer, [second]),
        "merge": (merge, world.customer("Third", "li"), [second]),
    }
    if what == "purge":
        outcome = world.scope("ada").do(create_update.purge, Customer, [second], confirm=True)
        (problem,) = outcome.problems
    else:
        problem = done_or_refused(world, "ada", *calls[what])

    assert isinstance(problem, Merged)
    assert problem.say("en") == f"{numbers[0]} was merged into {numbers[1]}. Work with {numbers[1]} instead."
    assert problem.params["winner_id"] == global_id(Customer, first)


def test_a_tombstone_whose_winner_is_out_of_sight_is_like_a_missing_record(world: World, two: tuple[int, int]) -> None:
    first, second = two
    merged(world, first, second)

    refused_like_missing(world, "mei", claim, second)
    refused_like_missing(world, "wu", lock, second)


def test_numbers_of_merged_customers_are_not_given_again(world: World, two: tuple[int, int]) -> None:
    first, second = two
    number = world.row(Customer, second)["number"]
    merged(world, first, second)

    for call in (lambda: None, lambda: purge(world, first)):
        call()
        with pytest.raises(Exception, match=number):
            world.customer("New", "li", number=number)
    assert world.count(Customer) == 0
    assert world.count(FormerName) == 0
    assert whole(world) == []


def test_the_winner_has_the_former_names_of_the_others(world: World, two: tuple[int, int]) -> None:
    first, second = two
    number = world.row(Customer, second)["number"]
    world.scope("ada").do(create_update.update, Customer, second, {"name": "Otter Brothers"})

    merged(world, first, second)

    kept = {row["value"] for row in world.rows(FormerName, FormerName.customer_id == first)}
    assert kept == {number, "Otter", "Otter Brothers"}


def test_the_history_of_the_winner_has_that_of_the_others(world: World, two: tuple[int, int]) -> None:
    first, second = two
    merged(world, first, second, reason="One company")

    told = [(x.action, x.record_id) for x in world.run(world.scope("li").read(of_record, Customer, first)).entries]

    assert sorted(told) == sorted(
        [("customer.create", first), ("customer.create", second), ("customer.merge", first), ("customer.merge", second)]
    )


HISTORY = """query ($id: ID!) { customer(id: $id) { history(first: 50) { totalCount nodes {
  action recordId label reason changes { field } } } } }"""


@pytest.mark.parametrize("login", ["li", "lead", "ada"])
def test_graphql_tells_the_history_of_the_winner_as_the_panel_does(world: World, login: str) -> None:
    """With the entries of who became part of it, without the phone that the pool of one of them hid."""
    first, third = world.customer("Otter Ltd", "li", phone="021 1000"), world.customer("Otter", "li", phone="021 3000")
    second = world.customer("Otters", pool="north", phone="021 2000")
    merged(world, first, second, third, reason="One company")
    for _ in range(2):
        world.li.do(create_update.update, Customer, first, {"remark": f"Seen {_}"})
    last = world.customer("Heron", "li")
    merged(world, last, first)

    panel = world.run(world.scope(login).read(of_record, Customer, last, size=50)).entries
    api = Api(world).ask(login, HISTORY, id=f"cus_{last}")["customer"]["history"]

    def told(action: str, record: str, label: str | None, reason: str | None, keys: list[str]) -> tuple[Any, ...]:
        return (
            action.upper().replace(".", "_"),
            record,
            label,
            reason,
            sorted(key.replace("_", "").lower() for key in keys),
        )

    shown = [
        told(x["action"], x["recordId"], x["label"], x["reason"], [y["field"] for y in x["changes"]])
        for x in api["nodes"]
    ]
    assert shown == [told(x.action, f"cus_{x.record_id}", x.label, x.reason, [y.key for y in x.changes]) for x in panel]
    assert api["totalCount"] == len(panel) == 12
    assert {record for _, record, *_ in shown} == {f"cus_{id}" for id in (first, second, third, last)}
    assert all("phone" not in keys for _, record, _, _, keys in shown if record == f"cus_{second}")


def test_every_table_about_customers_moves_or_is_said_to_stay() -> None:
    about = {
        column.table.name
        for table in Base.metadata.sorted_tables
        for column in table.c
        if any(key.column.table.name == "customer" for key in column.foreign_keys)
    }
    moves = {model.__tablename__ for model, _key in hanging_entities()} | {model.__tablename__ for model in FOLLOWING}

    assert about - moves - STAYING == set()


# --- undone ----------------------------------------------------------------------------------------------


def test_undoing_at_once_restores_everything(world: World, two: tuple[int, int]) -> None:
    first, second = two
    theirs = world.rows(Contact)[1]["id"]
    deal = world.make(Opportunity, customer_id=second, name="Deal", contact_id=theirs, owner_id=world.ids["wu"])
    follow_up(world, second, opportunity_id=deal, contact_id=theirs)
    change_points(world, theirs, "13800138000", "021 555 0001")
    shared(world, second, "mei")
    before, loads = state(world), (held(world, "li"), held(world, "wu"))

    for fields in ({}, {"owner": second, "name": second, "stage": second}):
        done = merged(world, first, second, fields=fields)
        told = undone(world, done.id)
        assert (told.restored_ids, told.kept) == ([second], [])
        assert state(world) == before
        assert (held(world, "li"), held(world, "wu")) == loads
        assert world.rows(FormerName) == []
        assert whole(world) == []


def test_what_was_changed_since_stays_and_is_named(world: World, two: tuple[int, int]) -> None:
    first, second = two
    mine, theirs = (row["id"] for row in world.rows(Contact))
    change_points(world, theirs, "13800138000", "021 555 0001")
    done = merged(world, first, second, fields={"stage": second}, contacts={mine: {"title": theirs}})
    world.scope("ada").do(create_update.update, Customer, first, {"stage": "won"})
    world.scope("ada").do(create_update.update, Contact, mine, {"title": "Owner"})
    new = follow_up(world, first, "Since")

    told = undone(world, done.id)

    number, name = (world.row(Customer, first)[key] for key in ("number", "name"))
    assert [note.english for note in told.kept] == [
        f"Customer {number} {name}: stage was changed since and stays as it is.",
        "Contact Ann: title was changed since and stays as it is.",
    ]
    assert (world.row(Customer, first)["stage"], world.row(Customer, second)["stage"]) == ("won", "early")
    assert (world.row(Contact, mine)["title"], world.row(Contact, theirs)["title"]) == ("Owner", "Director")
    assert hanging(world, first)["follow_up"] == [new]
    assert whole(world) == []


def test_references_between_records_that_part_are_cleared_and_named(world: World) -> None:
    first, second = world.customer("A", "li"), world.customer("B", "li")
    ann = contact(world, second, "Ann")
    done = merged(world, first, second)
    called = follow_up(world, first, "Since", contact_id=ann)

    told = undone(world, done.id)

    assert (world.row(Contact, ann)["customer_id"], world.row(FollowUp, called)["contact_id"]) == (second, None)
    assert [note.english for note in told.kept] == [
        f"Follow-up {called}: contact is empty now, because both belong to different customers."
    ]


def test_the_owner_gets_the_customer_back_only_within_their_capacity(world: World, two: tuple[int, int]) -> None:
    first, second = two
    done = merged(world, first, second)
    world.customer("Other", "wu")
    change(world, User, world.ids["wu"], capacity=1)

    with unchanged(world), pytest.raises(CapacityReached):
        undone(world, done.id)

    change(world, User, world.ids["wu"], capacity=2)
    undone(world, done.id)
    assert (owner(world, second), held(world, "wu")) == (world.ids["wu"], 2)
    assert whole(world) == []


def test_the_caller_gets_the_customer_of_an_owner_who_has_left(world: World, two: tuple[int, int]) -> None:
    first, second = two
    done = merged(world, first, second)
    change(world, User, world.ids["wu"], active=False)

    undone(world, done.id)

    assert owner(world, second) == world.ids["ada"]
    assert periods(world, second)[-1] == (world.ids["ada"], "RESTORE", None)
    assert whole(world) == []


def test_a_winner_that_was_handed_on_stays_with_its_new_owner(world: World, two: tuple[int, int]) -> None:
    first, second = two
    done = merged(world, first, second, fields={"owner": second})
    world.scope("ada").do(transfer, [first], world.ids["mei"])

    told = undone(world, done.id)

    assert (owner(world, first), owner(world, second)) == (world.ids["mei"], world.ids["wu"])
    assert told.kept[0].english.endswith("owner was changed since and stays as it is.")
    assert whole(world) == []


def test_merges_are_undone_in_reverse_order(world: World, two: tuple[int, int]) -> None:
    first, second = two
    third, fourth = world.customer("Third", "li"), world.customer("Fourth", "li")
    before = state(world)
    one, other, last = merged(world, first, second), merged(world, first, third), merged(world, fourth, first)
    numbers = [world.row(Customer, id)["number"] for id in (first, fourth)]

    told = refused(world, world.scope("ada"), Validation, unmerge, merge_id=one.id).say("en")
    assert told == f"{numbers[0]} was merged into {numbers[1]} later. Undo that merge first."
    undone(world, last.id)
    told = refused(world, world.scope("ada"), Validation, unmerge, merge_id=one.id).say("zh")
    assert told == "该客户之后又有其他合并，请先撤销最近一次合并。"
    undone(world, other.id)
    undone(world, one.id)
    told = refused(world, world.scope("ada"), Validation, unmerge, merge_id=one.id).say("en")
    assert told == "This merge is undone already."

    assert state(world) == before


def test_undoing_needs_the_right_on_all_that_comes_back(world: World, two: tuple[int, int]) -> None:
    first, second = two
    done = merged(world, first, second)

    refused(world, world.scope("li"), NotFound, unmerge, merge_id=done.id)
    refused(world, world.scope("mei"), NotFound, unmerge, merge_id=done.id)
    refused(world, world.scope("fin"), Forbidden, unmerge, merge_id=done.id)
    refused(world, world.scope("ada"), NotFound, unmerge, merge_id=999_999)
    undone(world, done.id, by="lead")


def test_a_purged_record_stays_purged(world: World, two: tuple[int, int]) -> None:
    first, second = two
    called = follow_up(world, second)
    done = merged(world, first, second)
    world.scope("ada").do(create_update.delete, FollowUp, [called])
    world.scope("ada").do(create_update.purge, FollowUp, [called], confirm=True)

    told = undone(world, done.id)

    assert [note.english for note in told.kept] == ["Follow-up deleted for good since: it stays deleted."]


# --- helpers ---------------------------------------------------------------------------------------------


def done_or_refused(world: World, by: str, use_case: Any, *args: Any) -> Any:
    try:
        outcome = world.scope(by).do(use_case, *args)
    except Merged as refusal:
        return refusal
    assert codes(outcome) == ["MERGED"]
    return outcome.problems[0]


def change_points(world: World, contact: int, *phones: str) -> None:
    points = [{"kind": "PHONE", "value": phone} for phone in phones]
    world.scope("ada").do(create_update.update, Contact, contact, {"points": points})


def purge(world: World, customer: int) -> None:
    world.scope("ada").do(create_update.delete, Customer, [customer])
    assert world.scope("ada").do(create_update.purge, Customer, [customer], confirm=True).ids == [customer]


# --- told apart ------------------------------------------------------------------------------------------


def apart(world: World) -> set[tuple[int, int, str | None]]:
    return {(row["first_id"], row["second_id"], row["reason"]) for row in world.rows(NotDuplicate)}


def test_pairs_told_apart_follow_to_the_winner_and_come_back(world: World, two: tuple[int, int]) -> None:
    first, second = two
    third, fourth = world.customer("Heron", owner="li"), world.customer("Crane", owner="li")
    for pair, reason in (
        ([second, third], "two towns"),
        ([first, second], "at first"),
        ([first, fourth], "known"),
        ([second, fourth], "both"),
    ):
        world.ada.do(tell_apart, pair, reason)
    before = apart(world)

    done = merged(world, first, second)
    assert apart(world) == {(first, third, "two towns"), (first, fourth, "known")}

    world.ada.do(unmerge, merge_id=done.id)
    assert apart(world) == before


def test_a_pair_with_a_customer_that_is_gone_meanwhile_does_not_come_back(world: World, two: tuple[int, int]) -> None:
    first, second = two
    third = world.customer("Heron", owner="li")
    world.ada.do(tell_apart, [second, third], "two towns")
    done = merged(world, first, second)
    world.ada.do(create_update.delete, Customer, [third])
    world.ada.do(create_update.purge, Customer, [third], confirm=True)

    world.ada.do(unmerge, merge_id=done.id)

    assert apart(world) == set()
