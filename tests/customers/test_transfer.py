"""Handing customers to another owner."""

import re
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import insert

from models import Contact, Customer, Event, FollowUp, Opportunity, OwnershipPeriod, User
from models.errors import Forbidden, NotEligible, Validation
from models.follow_up import FollowUpKind
from resolvers.customers import transfer as transferring
from resolvers.ownership import assignees
from resolvers.records import create_update
from resolvers.runtime.batch import Mode, Outcome
from resolvers.runtime.scope import Scope
from tests.panel.sweep.dry_run import is_in_reach
from tests.support.claim_checks import (
    MISSING,
    change,
    codes,
    held,
    owner,
    periods,
    refused_like_missing,
    the,
    unchanged,
    used,
    whole,
)
from tests.support.panel import Panel
from tests.support.world import PEOPLE, START, World


def transfer(world: World, by: str, to: str, *ids: int, **how: object) -> Outcome:
    outcome: Outcome = world.scope(by).do(transferring.transfer, list(ids), world.ids[to], **how)
    return outcome


def test_a_transfer_changes_the_owner_and_neither_stage_nor_anything_else(world: World) -> None:
    customer = world.customer(owner="li", stage="won", remark="since 2019", level=None)
    before = world.row(Customer, customer)
    world.clock.pass_by(days=2)

    assert transfer(world, "li", "mei", customer, reason="moved west").ids == [customer]

    after = world.row(Customer, customer)
    now = START + timedelta(days=2)
    assert {key: after[key] for key in after if after[key] != before[key]} == {
        "owner_id": world.ids["mei"],
        "department_id": world.ids["west"],
        "claimed_at": now,
        "version": 2,
        "updated_at": now,
        "updated_by_id": world.ids["li"],
    }
    assert (held(world, "li"), held(world, "mei"), used(world, "mei"), whole(world)) == (0, 1, {}, [])


def test_the_history_goes_on_where_it_was(world: World) -> None:
    customer = world.customer(owner="li")
    world.clock.pass_by(days=2)
    transfer(world, "li", "wu", customer, reason="holiday")
    world.clock.pass_by(days=1)
    transfer(world, "wu", "li", customer)

    li, wu = world.ids["li"], world.ids["wu"]
    assert periods(world, customer) == [
        (li, "CREATE", "TRANSFER"),
        (wu, "TRANSFER", "TRANSFER"),
        (li, "TRANSFER", None),
    ]
    first, second, third = world.rows(OwnershipPeriod)
    assert (first["reason"], first["ended_at"], second["started_at"]) == ("holiday", *[START + timedelta(days=2)] * 2)
    assert (second["reason"], third["started_at"]) == (None, START + timedelta(days=3))
    assert [row["pool_id"] for row in (first, second, third)] == [None, None, None]


def test_a_transfer_is_one_entry_for_the_customer_and_both_owners_are_told(world: World) -> None:
    customer = world.customer(owner="li")
    mark, events = world.mark(), world.count(Event)

    transfer(world, "lead", "wu", customer, reason="load")

    (entry,) = world.log(since=mark)
    assert (entry["action"], entry["actor_id"], entry["reason"]) == ("customer.transfer", world.ids["lead"], "load")
    assert entry["changes"] == {"owner_id": [world.ids["li"], world.ids["wu"]]}
    told = [(x["topic"], x["action"], x["record_id"]) for x in world.rows(Event)[events:]]
    assert told == [(f"user:{world.ids[x]}", "customer.transfer", customer) for x in ("wu", "li")]


def test_contacts_and_opportunities_of_the_former_owner_follow_each_time_in_a_batch(world: World) -> None:
    li, lead = world.ids["li"], world.ids["lead"]
    customers = [world.customer(name, owner="li") for name in "AB"]
    for customer in customers:
        world.make(Contact, customer_id=customer, name="Mine", owner_id=li)
        world.make(Contact, customer_id=customer, name="Lead's", owner_id=lead)
        world.make(Contact, customer_id=customer, name="Nobody's")
        world.make(Opportunity, customer_id=customer, name="Mine", owner_id=li, stage=None)
    other = world.make(Contact, customer_id=world.customer("Stays", owner="li"), name="Stays", owner_id=li)
    mark = world.mark()

    assert transfer(world, "li", "wu", *customers).ids == customers

    wu = world.ids["wu"]
    for customer in customers:
        contacts = {row["name"]: row["owner_id"] for row in world.rows(Contact, Contact.customer_id == customer)}
        assert contacts == {"Mine": wu, "Lead's": lead, "Nobody's": None}
        assert [row["owner_id"] for row in world.rows(Opportunity, Opportunity.customer_id == customer)] == [wu]
    assert world.row(Contact, other)["owner_id"] == li
    log = [(x["entity"], x["action"]) for x in world.log(since=mark)]
    assert sorted(log) == sorted([(kind, "customer.transfer") for kind in ("customer", "contact", "opportunity")] * 2)


def test_follow_ups_stay_their_authors_and_the_heir_sees_them(world: World) -> None:
    customer = world.customer(owner="li")
    done = world.li.do(
        create_update.create,
        FollowUp,
        {"customer_id": customer, "kind": FollowUpKind.CALL, "content": "Hi", "happened_at": START},
    ).id
    before = world.row(FollowUp, done)

    transfer(world, "li", "wu", customer)

    assert world.row(FollowUp, done) == before
    seen = world.run(world.wu.read(_contents))
    gone = world.run(world.li.read(_contents))
    assert (seen, gone) == (["Hi"], [])


def _contents(_scope: object, db: object) -> list[str]:
    from sqlalchemy import select

    return list(db.execute(select(FollowUp.content)).scalars())  # type: ignore[attr-defined]


def test_the_heir_needs_room(world: World) -> None:
    change(world, User, world.ids["wu"], capacity=1)
    first, second = world.customer("A", owner="li"), world.customer("B", owner="li")

    outcome = transfer(world, "li", "wu", first, second)

    assert (outcome.ids, [p.code() for p in outcome.problems]) == ([first], ["CAPACITY_REACHED"])
    assert (owner(world, second), held(world, "li"), held(world, "wu"), whole(world)) == (world.ids["li"], 1, 1, [])


def test_all_or_nothing_means_nothing_when_the_room_ends_half_way(world: World) -> None:
    change(world, User, world.ids["wu"], capacity=1)
    ids = [world.customer(name, owner="li") for name in "ABC"]
    world.make(Contact, customer_id=ids[0], name="Mine", owner_id=world.ids["li"])

    with unchanged(world):
        outcome = transfer(world, "li", "wu", *ids, mode=Mode.ALL_OR_NOTHING)

    assert codes(outcome) == ["BATCH_UNDONE", "CAPACITY_REACHED", "CAPACITY_REACHED"]


def test_some_people_are_no_heirs(world: World) -> None:
    world.user("gone", "Gus One", "sales", "east")
    change(world, User, world.ids["gone"], active=False)
    customer = world.customer(owner="li")

    for to, code, sentence in (
        ("li", "VALIDATION", "Li Na owns C2026001 already."),
        ("gone", "VALIDATION", "Gus One is no longer active."),
        ("rolf", "NOT_ELIGIBLE", "Rolf Vik cannot receive this customer: no right to see customers of his own."),
    ):
        with unchanged(world):
            refusal = the(transfer(world, "li", to, customer))
        assert (refusal.code(), refusal.say(), refusal.field) == (code, sentence, "userId")


def test_an_unknown_heir_is_not_found(world: World) -> None:
    customer = world.customer(owner="li")

    for id in (MISSING, 0):
        with unchanged(world):
            refusal = the(world.li.do(transferring.transfer, [customer], id))
        told = (refusal.code(), refusal.field, refusal.say())
        assert told == ("NOT_FOUND", "userId", "There is no such person, or you may not see it.")


def test_a_colleagues_customer_is_like_a_missing_one(world: World) -> None:
    foreign, elsewhere = world.customer(owner="wu"), world.customer(pool="south")

    for hidden in (foreign, elsewhere):
        refused_like_missing(world, "li", transferring.transfer, hidden, world.ids["li"])


def test_a_pooled_customer_is_claimed_or_assigned_not_transferred(world: World) -> None:
    customer = world.customer(pool="north")
    mark = world.mark()

    for login in ("li", "lead", "ada"):
        with unchanged(world):
            assert codes(transfer(world, login, "wu", customer)) == ["ALREADY_IN_POOL"]
    assert world.log(since=mark) == []


def test_who_may_look_may_not_hand_on(world: World) -> None:
    customer = world.customer(owner="li")

    for login in ("fin", "sam", "aud"):
        mark = world.mark()
        with unchanged(world):
            assert codes(transfer(world, login, "wu", customer)) == ["FORBIDDEN"]
        assert [(x["actor_id"], x["outcome"]) for x in world.log(since=mark)] == [(world.ids[login], "DENIED")]


def test_a_customer_in_the_bin_is_restored_first(world: World) -> None:
    customer = world.customer(owner="li")
    world.li.do(create_update.delete, Customer, [customer])

    with unchanged(world):
        assert codes(transfer(world, "lead", "wu", customer)) == ["IN_BIN"]
    refused_like_missing(world, "li", transferring.transfer, customer, world.ids["wu"])


def test_a_lead_hands_on_within_her_team_and_even_out_of_it(world: World) -> None:
    customer = world.customer(owner="li")

    assert transfer(world, "lead", "wu", customer).ids == [customer]
    assert transfer(world, "lead", "mei", customer).ids == [customer]
    refused_like_missing(world, "lead", transferring.transfer, customer, world.ids["li"])


def test_who_moves_meanwhile_takes_the_customer_to_the_new_department(world: World) -> None:
    customer = world.customer(owner="li")
    transfer(world, "li", "wu", customer)

    change(world, User, world.ids["wu"], department_id=world.ids["west"])

    assert world.row(Customer, customer)["department_id"] == world.ids["west"]
    assert whole(world) == []


# --- who may work with it --------------------------------------------------------------------------------


def test_only_people_who_may_work_with_customers_of_theirs_are_accepted(world: World) -> None:
    customer = world.customer(owner="li")
    change(world, User, world.ids["mei"], absent_until=START + timedelta(days=2))

    for login, to, said in (
        ("li", "fin", "Finn Ray cannot receive this customer: no right to work with customers of their own."),
        ("lead", "sam", "Sam Ode cannot receive this customer: no right to work with customers of their own."),
        ("ada", "aud", "Audrey Oh cannot receive this customer: no right to work with customers of their own."),
        ("ada", "mei", "Mei Lin cannot receive this customer: absent."),
    ):
        with unchanged(world):
            refusal = the(transfer(world, login, to, customer))
        assert (refusal.code(), refusal.say(), refusal.field) == ("NOT_ELIGIBLE", said, "userId")
    world.clock.pass_by(days=2)
    assert transfer(world, "ada", "mei", customer).ids == [customer]


def test_an_administrator_may_insist_with_a_reason(world: World) -> None:
    customer = world.customer(owner="li")
    change(world, User, world.ids["wu"], absent_until=START + timedelta(days=2), capacity=0)

    with unchanged(world), pytest.raises(Validation) as refused:
        transfer(world, "ada", "fin", customer, insist=True)
    assert (refused.value.field, refused.value.say("zh")) == ("reason", "请填写指定该人员的原因。")
    for login in ("li", "lead"):
        with unchanged(world):
            assert codes(transfer(world, login, "fin", customer, insist=True, reason="why not")) == ["FORBIDDEN"]
    for to, code in (("rolf", "NOT_ELIGIBLE"), ("wu", "CAPACITY_REACHED")):
        with unchanged(world):
            assert codes(transfer(world, "ada", to, customer, insist=True, reason="she asked")) == [code]
    mark = world.mark()

    assert transfer(world, "ada", "fin", customer, insist=True, reason="he collects").ids == [customer]

    assert owner(world, customer) == world.ids["fin"]
    assert [entry["reason"] for entry in world.log(since=mark)] == ["he collects"]
    assert whole(world) == []


@pytest.mark.parametrize("login", ["li", "lead", "ada"])
def test_the_people_offered_are_those_whom_an_attempt_accepts(world: World, login: str) -> None:
    """Absent and full ones are marked, and come last."""
    world.user("zoe", "Zoe Ye", "sales", "west")
    world.user("bo", "Bo Gone", "sales", "west")
    change(world, User, world.ids["bo"], active=False)
    change(world, User, world.ids["mei"], absent_until=START + timedelta(days=2))
    change(world, User, world.ids["zoe"], capacity=0)
    customer = world.customer(owner="li")
    world.customer(owner="wu")

    found = world.run(world.scope(login).read(assignees.owner_candidates, [customer]))

    people = {x: world.ids[x] for x in (*PEOPLE, "zoe", "bo")}
    accepted = {
        id for to, id in people.items() if is_in_reach(world, login, partial(attempt, customer, id)) and to != "li"
    }
    refused_by_state = {world.ids["mei"], world.ids["zoe"]}
    fit = [x.id for x in found if x.is_fit]
    assert {x for x in fit if x not in refused_by_state} == accepted - refused_by_state
    assert [(x.name, x.is_absent, x.is_full) for x in found if x.is_fit][-2:] == [
        ("Zoe Ye", False, True),
        ("Mei Lin", True, False),
    ]
    assert [x.name for x in found if not x.is_fit] == (
        ["Audrey Oh", "Finn Ray", "Rolf Vik", "Sam Ode"] if login == "ada" else []
    )
    assert world.ids["li"] not in {x.id for x in found}


def attempt(customer: int, to: int, scope: Scope) -> Outcome:
    """Transfer, judged by the right alone: somebody who may not work with it counts as out of reach."""
    outcome = transferring.transfer(scope, [customer], to)
    for problem in outcome.problems:
        if isinstance(problem, NotEligible) and problem.params["reason"] != "absent":
            raise Forbidden(action="customer.transfer")
    for problem in outcome.problems:
        if isinstance(problem, Validation):
            raise Forbidden(action="customer.transfer")
    return outcome


def test_the_offer_does_not_end_after_the_first_hundred_users(world: World) -> None:
    rows = [
        {"login": f"none{n}", "name": f"None {n}", "language": "en", "active": True, "version": 1}
        | {"created_at": START, "updated_at": START}
        for n in range(120)
    ]
    with world.backend.writer.engine.begin() as connection:
        connection.execute(insert(User), rows)
    world.user("zoe", "Zoe Ye", "sales", "west")
    customer = world.customer(owner="li")

    found = world.run(world.li.read(assignees.owner_candidates, [customer]))

    assert "Zoe Ye" in [x.name for x in found]


def test_nobody_is_offered_for_what_one_may_not_transfer(world: World) -> None:
    customer, pooled = world.customer(owner="li"), world.customer(pool="north")

    for login, id in (("wu", customer), ("fin", customer), ("li", pooled), ("ada", pooled)):
        assert world.run(world.scope(login).read(assignees.owner_candidates, [id])) == [], login


@pytest.mark.parametrize(
    ("language", "marks"), [("en", ("absent", "full", "may not work with it")), ("zh", ("休假中", "已满", "无权处理"))]
)
def test_the_dialog_marks_who_is_absent_full_or_unfit(world: World, language: str, marks: tuple[str, ...]) -> None:
    world.system.do(create_update.update, User, world.ids["ada"], {"language": language})
    change(world, User, world.ids["mei"], absent_until=START + timedelta(days=2))
    change(world, User, world.ids["wu"], capacity=0)
    customer = world.customer(owner="li")
    panel = Panel(world)

    options = dict(
        re.findall(
            r'<option value="usr_(\d+)">([^<]+)</option>',
            panel.of("ada").get(f"/admin/customer/ask/transfer?ids=cus_{customer}").text,
        )
    )
    said = {login: options.get(str(world.ids[login]), "") for login in ("mei", "wu", "fin")}
    assert [mark in text for mark, text in zip(marks, said.values(), strict=True)] == [True] * 3
    of_li = panel.of("li").get(f"/admin/customer/ask/transfer?ids=cus_{customer}").text
    assert (f'value="usr_{world.ids["fin"]}"' in of_li, 'name="insist"' in of_li) == (False, False)
    insisted = {"ids": f"cus_{customer}", "user_id": f"usr_{world.ids['fin']}", "insist": "y", "reason": "he collects"}
    panel.of("ada").post("/admin/customer/do/transfer", insisted)
    assert owner(world, customer) == world.ids["fin"]


def test_a_colleagues_load_is_told_to_those_only_who_may_see_it(world: World) -> None:
    world.customer(owner="wu")
    customer = world.customer(owner="li")

    def known(login: str) -> dict[str, bool]:
        found = world.run(world.scope(login).read(assignees.owner_candidates, [customer]))
        return {x.name: x.is_known for x in found if x.name in ("Wu Wei", "Mei Lin")}

    assert known("li") == {"Wu Wei": False, "Mei Lin": False}
    assert known("lead") == {"Wu Wei": True, "Mei Lin": False}
    assert known("ada") == {"Wu Wei": True, "Mei Lin": True}
