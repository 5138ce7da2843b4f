"""Automatic assignment: who gets a customer, who is passed over, what is kept of it, and that no turn is given twice."""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Barrier, get_ident
from typing import Any

import pytest

from models import (
    AssignmentDecision,
    AssignmentRule,
    AssignmentShare,
    AssignmentState,
    ClaimCondition,
    Customer,
    Notice,
    Pool,
    User,
)
from models.errors import RuleMissing, Validation
from models.pool import Seat
from resolvers.people import accounts
from resolvers.pool import auto_assign as assigning
from resolvers.pool import claim as claiming
from resolvers.pool import decisions
from resolvers.pool import release as releasing
from resolvers.pool.auto_assign import assignment_preview, auto_assign
from resolvers.pool.decisions import decisions_of
from resolvers.records import create_update
from resolvers.runtime.batch import Mode, Outcome
from tests.support.claim_checks import change, codes, held, owner, periods, the, unchanged, used, whole
from tests.support.graphql import Api
from tests.support.world import World


def rule(world: World, strategy: str = "ROUND_ROBIN", pool: str = "north") -> int:
    return world.make(AssignmentRule, pool_id=world.ids[pool], strategy=strategy)


def share(world: World, login: str, weight: int = 1, wanted: Any = None, pool: str = "north") -> int:
    given = {"pool_id": world.ids[pool], "user_id": world.ids[login], "weight": weight}
    return world.make(AssignmentShare, **given, condition=json.dumps(wanted) if wanted else None)


def customers(world: World, count: int, **values: Any) -> list[int]:
    return [world.customer(f"C{n}", pool="north", **values) for n in range(count)]


def assigned(world: World, *ids: int, by: str = "lead", **how: Any) -> Outcome:
    outcome: Outcome = world.scope(by).do(auto_assign, list(ids), **how)
    return outcome


def owners(world: World, ids: list[int]) -> list[str]:
    logins = {world.ids[login]: login for login in ("li", "wu", "mei", "lead")}
    return [logins.get(owner(world, id) or 0, "") for id in ids]


def reasons(world: World, id: int) -> dict[str, str]:
    """Login -> reason of the latest decision about a customer."""
    latest = world.rows(AssignmentDecision, AssignmentDecision.customer_id == id)[-1]
    logins = {world.ids[login]: login for login in ("li", "wu", "mei", "lead")}
    return {logins[x["user"]]: x["reason"] for x in latest["candidates"]}


def test_members_get_customers_in_turn_across_requests(world: World) -> None:
    rule(world)
    ids = customers(world, 7)
    everybody = owners(world, ids)

    for id in ids:
        assert assigned(world, id).ids == [id]

    found = owners(world, ids)
    assert everybody == [""] * 7
    assert set(found) == {"li", "wu", "lead"}
    assert (found[:3], len(set(found[:3]))) == (found[3:6], 3)
    assert periods(world, ids[0]) == [(owner(world, ids[0]), "ASSIGN", None)]
    assert used(world, "li") == {}
    assert whole(world) == []


def test_weights_are_kept_exactly_over_a_batch(world: World) -> None:
    rule(world, "WEIGHTED")
    share(world, "li", 3)
    share(world, "lead", 0)
    ids = customers(world, 8)

    assert assigned(world, *ids).ids == ids

    found = owners(world, ids)
    assert (found.count("li"), found.count("wu"), found.count("lead")) == (6, 2, 0)
    assert found[:4].count("wu") == found[4:].count("wu") == 1
    assert reasons(world, ids[0])["lead"] == "NO_SHARE"


def test_the_fewest_held_and_the_most_left(world: World) -> None:
    share(world, "lead", 0)
    for n in range(2):
        world.customer(f"Mine {n}", owner="li")
    made = rule(world, "LEAST_LOADED")
    ids = customers(world, 5)
    assert assigned(world, *ids[:3]).ids == ids[:3]
    assert owners(world, ids[:2]) == ["wu", "wu"]
    change(world, User, world.ids["li"], capacity=20)
    change(world, User, world.ids["wu"], capacity=5)

    change(world, AssignmentRule, made, strategy="CAPACITY_LEFT")
    assigned(world, *ids[3:])

    assert owners(world, ids[3:]) == ["li", "li"]


def test_absent_full_filtered_and_former_owners_are_passed_over_and_the_reasons_kept(world: World) -> None:
    rule(world)
    world.rule("north", cooldown_days=7)
    world.seat("north", "mei")
    share(world, "mei", 1, {"stage": {"eq": "won"}})
    change(world, User, world.ids["lead"], absent_until=world.clock.now.replace(year=2027))
    change(world, User, world.ids["wu"], capacity=1)
    world.customer("Full", owner="wu")
    left = world.customer("Left", owner="li")
    world.li.do(releasing.release, [left])

    refusal = the(assigned(world, left))

    assert refusal.say() == (
        f"None of the 4 members of the pool can take {world.row(Customer, left)['number']} now, so it stays in the pool."
    )
    assert reasons(world, left) == {"lead": "ABSENT", "li": "COOLDOWN", "wu": "FULL", "mei": "FILTERED"}
    assert owner(world, left) is None
    (decision,) = world.rows(AssignmentDecision)
    assert (decision["chosen_id"], decision["actor_id"]) == (None, world.ids["lead"])
    world.clock.pass_by(days=8)
    assert assigned(world, left).ids == [left]
    assert owners(world, [left]) == ["li"]


def test_nobody_fits_it_stays_and_the_administrators_of_the_pool_are_told(world: World) -> None:
    rule(world)
    world.seat("north", "ada", Seat.ADMIN)
    for login in ("li", "wu", "lead", "ada"):
        share(world, login, 0)
    (id,) = customers(world, 1)

    assert codes(assigned(world, id)) == ["NOBODY_FITS"]

    told = [row["receiver_id"] for row in world.rows(Notice) if row["kind"] == "not_assigned"]
    assert told == [world.ids["ada"]]  # the lead did it and knows
    assert whole(world) == []


def test_defect_19_who_has_left_gets_nothing_and_is_named_while_a_share_is_there(world: World) -> None:
    """SuiteCRM's round robin gives to dismissed staff."""
    rule(world)
    share(world, "wu", 5)
    ids = customers(world, 6)
    assigned(world, *ids[:3])
    world.ada.do(accounts.set_active, [world.ids["wu"]], active=False)

    assert assigned(world, *ids[3:]).ids == ids[3:]

    assert "wu" not in owners(world, ids[3:])
    assert reasons(world, ids[3])["wu"] == "INACTIVE"


def test_who_lost_the_seat_is_passed_over(world: World) -> None:
    rule(world)
    share(world, "mei", 9)  # without a seat in this pool
    ids = customers(world, 3)
    assert assigned(world, *ids).ids == ids
    assert reasons(world, ids[0])["mei"] == "NO_SEAT"


def test_conditions_of_the_pool_hold_for_each_candidate(world: World) -> None:
    rule(world)
    given = {"name": "Early", "condition": '{"stage":{"eq":"early"}}', "effect": "RESERVES"}
    kept = {"grantee_kind": "USER", "grantee_id": world.ids["wu"]}
    world.make(ClaimCondition, pool_id=world.ids["north"], **given, **kept)
    ids = customers(world, 2, stage="early")

    assigned(world, *ids)

    assert owners(world, ids) == ["wu", "wu"]
    assert reasons(world, ids[0])["li"] == "CONDITION"


def test_a_pool_without_a_rule_or_closed_assigns_nothing(world: World) -> None:
    (id,) = customers(world, 1)
    with unchanged(world):
        assert the(assigned(world, id)).say().startswith("The pool has no rule for automatic assignment.")
    rule(world)
    change(world, Pool, world.ids["north"], enabled=False)
    with unchanged(world):
        assert the(assigned(world, id)).say().startswith("The pool is closed")


def test_all_or_nothing_gives_no_turn(world: World) -> None:
    rule(world)
    ids = customers(world, 2)
    with unchanged(world):
        outcome = assigned(world, *ids, 999_999, mode=Mode.ALL_OR_NOTHING)
    assert outcome.ids == []


def test_a_member_who_may_not_assign_is_refused(world: World) -> None:
    rule(world)
    (id,) = customers(world, 1)
    with unchanged(world):
        assert codes(assigned(world, id, by="li")) == ["FORBIDDEN"]


def test_a_preview_says_what_the_assignment_then_does_and_gives_no_turn(world: World) -> None:
    rule(world, "LEAST_LOADED")
    world.customer("One", owner="wu")
    ids = customers(world, 6)
    for strategy in ("LEAST_LOADED", "WEIGHTED"):
        change(world, AssignmentRule, 1, strategy=strategy)
        part = ids[:3] if strategy == "LEAST_LOADED" else ids[3:]
        with unchanged(world):
            for _ in range(2):
                said = world.run(world.lead.read(assignment_preview, world.ids["north"], part))
        assigned(world, *part)
        assert [x.chosen for x in said] == [owner(world, id) for id in part]
        stored = [row["candidates"] for row in world.rows(AssignmentDecision)][-3:]
        assert [[c.stored() for c in x.candidates] for x in said] == stored
    assert world.run(world.lead.read(assignment_preview, world.ids["north"], ids)) == []
    with pytest.raises(Validation):
        world.run(world.lead.read(assignment_preview, world.ids["north"], list(range(300))))


def test_a_preview_without_a_rule_says_so(world: World) -> None:
    with pytest.raises(RuleMissing):
        world.run(world.lead.read(assignment_preview, world.ids["north"], customers(world, 1)))


# --- what is told of it ----------------------------------------------------------------------------------


def test_the_decision_is_shown_with_the_customer_and_its_candidates_to_who_may_assign(world: World) -> None:
    rule(world)
    share(world, "lead", 0)
    ids = customers(world, 1)
    assigned(world, *ids)
    login = owners(world, ids)[0]
    assert login in ("li", "wu")

    (to_lead,) = world.run(world.lead.read(decisions_of, ids[0]))
    (to_owner,) = world.run(world.scope(login).read(decisions_of, ids[0]))

    assert (to_lead.chosen, {x.reason.value for x in to_lead.candidates}) == (
        world.ids[login],
        {"CHOSEN", "FITS", "NO_SHARE"},
    )
    assert to_owner.chosen == world.ids[login]
    assert to_owner.candidates == ()
    assert world.run(world.mei.read(decisions_of, ids[0])) == []  # she does not see the customer


def test_numbers_are_shown_to_who_may_see_them_alone(world: World) -> None:
    rule(world)
    ids = customers(world, 1)
    assigned(world, *ids)
    world.seat("north", "mei", Seat.ADMIN)
    other = world.customer("X", pool="north")
    assigned(world, other, by="mei")

    (shown,) = world.run(world.ada.read(decisions_of, other))
    assert all(x.held is not None for x in shown.candidates)
    known = {x.user_id: x.held for x in _preview(world, "mei", customers(world, 1))}
    assert known[world.ids["mei"]] is not None
    assert known[world.ids["li"]] is None


def _preview(world: World, login: str, ids: list[int]) -> Any:
    def read(scope: Any, db: Any) -> Any:
        found = assignment_preview(scope, db, world.ids["north"], ids)
        return decisions.shown(scope, db, [(x, None, None) for x in found])[0].candidates

    return world.run(world.scope(login).read(read))


def test_graphql_assigns_previews_and_shows(api: Api, world: World) -> None:
    rule(world)
    (id,) = customers(world, 1)
    asked = f'{{ assignmentPreview(poolId: "poo_{world.ids["north"]}", ids: ["cus_{id}"]) {{ chosen {{ login }} candidates {{ reason }} }} }}'
    (said,) = api.ask("lead", asked)["assignmentPreview"]

    done = api.change("lead", "autoAssign", {"ids": [f"cus_{id}"]}, "ids problems { code }")

    assert done == {"ids": [f"cus_{id}"], "problems": []}
    shown = api.ask(
        "ada",
        f'{{ assignmentDecisions(customerId: "cus_{id}") {{ strategy chosen {{ login }} actor {{ login }} pool {{ name }} customer {{ id }} candidates {{ user {{ login }} reason weight }} }} }}',
    )["assignmentDecisions"]
    assert shown[0]["chosen"] == said["chosen"]
    assert (shown[0]["strategy"], shown[0]["actor"], shown[0]["pool"]) == (
        "ROUND_ROBIN",
        {"login": "lead"},
        {"name": "North"},
    )
    assert sorted(x["reason"] for x in shown[0]["candidates"]) == ["CHOSEN", "FITS", "FITS"]


# --- at once ---------------------------------------------------------------------------------------------


def test_defect_19_two_workers_never_give_the_same_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frappe reads the last user without a lock, so two workers give to the same one.  Here both stand before the turn."""
    rule(world)
    both, locked = Barrier(2, timeout=20), assigning._locked_turns
    waited: set[int] = set()

    def together(db: Any, pool_id: int) -> Any:
        if world.backend.dialect == "postgresql" and get_ident() not in waited:
            waited.add(get_ident())
            both.wait()
        return locked(db, pool_id)

    monkeypatch.setattr(assigning, "_locked_turns", together)
    ids = customers(world, 6)

    with ThreadPoolExecutor(2) as workers:
        answers = list(workers.map(lambda part: assigned(world, *part).ids, (ids[::2], ids[1::2])))

    assert sorted(id for part in answers for id in part) == ids
    counts = {login: owners(world, ids).count(login) for login in ("li", "wu", "lead")}
    assert counts == {"li": 2, "wu": 2, "lead": 2}
    in_order = [row["chosen_id"] for row in world.rows(AssignmentDecision)]
    assert all(a != b for a, b in pairwise(in_order))
    assert world.rows(AssignmentState)[0]["turn"] == 6
    assert [held(world, login) for login in counts] == [2, 2, 2]
    assert whole(world) == []


def test_a_claim_and_an_assignment_of_one_customer_have_one_winner(world: World) -> None:
    rule(world)
    (id,) = customers(world, 1)
    with ThreadPoolExecutor(2) as workers:
        claimed = workers.submit(lambda: world.li.do(claiming.claim, [id]))
        given = workers.submit(lambda: assigned(world, id))
        outcomes = [claimed.result(), given.result()]
    assert sorted(len(x.ids) for x in outcomes) == [0, 1]
    assert len(periods(world, id)) == 1
    assert whole(world) == []


def test_a_deleted_rule_ends_automatic_assignment(world: World) -> None:
    made = rule(world)
    world.ada.do(create_update.delete, AssignmentRule, [made])
    assert the(assigned(world, *customers(world, 1))).code() == "RULE_MISSING"


def test_defect_4_an_assignment_leaves_the_quota_of_claims_alone(world: World) -> None:
    """Cordys counts a customer that an administrator assigned against the claims of the day."""
    rule(world)
    world.rule("north", daily_quota=1)
    ids = customers(world, 4)
    for login in ("wu", "lead"):
        share(world, login, 0)

    assert assigned(world, *ids[:3]).ids == ids[:3]

    assert (owners(world, ids[:3]), used(world, "li")) == (["li"] * 3, {})
    assert world.li.do(claiming.claim, [ids[3]]).ids == [ids[3]]
