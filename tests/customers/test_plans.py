"""Plans: completed with their result, cancelled, put off, handed on with the customer; and when their owner is reminded."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from models import Comment, Customer, FollowUp, Plan
from models.errors import Forbidden, InBin, NotFound, PlanEnded, Validation
from models.next_contact import fill_next_contacts, stale_next_contacts
from models.notice import Notice
from models.plan import PlanState
from resolvers.customers import comments, plans
from resolvers.customers.transfer import transfer
from resolvers.merging.merge import merge
from resolvers.merging.unmerge import unmerge
from resolvers.pool.release import release
from resolvers.records import create_update
from tests.support.engines import at_length_on_postgresql
from tests.support.refusals import refused
from tests.support.world import World

DAY = timedelta(days=1)


def planned(world: World, customer: int, by: str = "li", ahead: timedelta = DAY, **values: Any) -> int:
    given = {"customer_id": customer, "kind": "CALL", "due_at": world.clock.now + ahead, **values}
    return world.scope(by).do(create_update.create, Plan, given).id  # type: ignore[no-any-return]


def next_at(world: World, customer: int) -> datetime | None:
    found: datetime | None = world.row(Customer, customer)["next_follow_up_at"]
    return found


def test_a_plan_is_completed_by_its_result_and_the_next_one_begins(world: World) -> None:
    customer = world.customer(owner="li")
    plan = planned(world, customer, content="Ask for the drawings")
    world.clock.pass_by(hours=2)
    then = world.clock.now + 7 * DAY

    world.li.do(plans.complete, plan, {"content": "They send them on Monday"}, then, "Look at the drawings")

    row, (result,) = world.row(Plan, plan), world.rows(FollowUp)
    assert (row["state"], row["ended_at"], row["result_id"]) == (PlanState.DONE, world.clock.now, result["id"])
    assert (result["customer_id"], result["kind"], result["happened_at"]) == (customer, "CALL", world.clock.now)
    (after,) = world.rows(Plan, Plan.id != plan)
    assert (after["due_at"], after["content"], after["owner_id"]) == (then, "Look at the drawings", world.ids["li"])
    assert world.row(Customer, customer)["last_follow_up_at"] == world.clock.now
    assert next_at(world, customer) == then
    assert "plan.complete" in {entry["action"] for entry in world.log("plan", plan)}


def test_a_plan_without_a_result_stays_open(world: World) -> None:
    plan = planned(world, world.customer(owner="li"))

    refused(world, world.li, Validation, plans.complete, plan, {"content": "  "})
    refused(world, world.li, Validation, plans.complete, plan, {"content": "Done"}, world.clock.now - DAY)

    assert world.row(Plan, plan)["state"] == PlanState.OPEN


def test_a_plan_ends_once(world: World) -> None:
    plan = planned(world, world.customer(owner="li"))
    world.li.do(plans.cancel, plan, "They called first")

    for again, given in ((plans.cancel, ()), (plans.complete, ({"content": "Done"},))):
        refused(world, world.li, PlanEnded, again, plan, *given)
    refused(world, world.li, PlanEnded, plans.reschedule, plan, world.clock.now + DAY)
    refused(world, world.li, PlanEnded, create_update.update, Plan, plan, {"content": "New"})
    assert world.row(Plan, plan)["cancel_reason"] == "They called first"


def test_only_its_owner_and_their_lead_end_a_plan(world: World) -> None:
    plan = planned(world, world.customer(owner="li"))

    refused(world, world.mei, NotFound, plans.cancel, plan)
    refused(world, world.sam, Forbidden, plans.complete, plan, {"content": "Done"})
    refused(world, world.aud, Forbidden, plans.reschedule, plan, world.clock.now + DAY)
    world.lead.do(plans.cancel, plan)


@at_length_on_postgresql
@pytest.mark.parametrize("ahead", [timedelta(minutes=-1), timedelta(days=3651)])
def test_a_plan_lies_ahead_and_not_beyond_ten_years(world: World, ahead: timedelta) -> None:
    given = {"customer_id": world.customer(owner="li"), "kind": "CALL", "due_at": world.clock.now + ahead}

    assert refused(world, world.li, Validation, create_update.create, Plan, given).field == "dueAt"


def test_the_next_contact_is_the_earliest_open_plan_on_every_way(world: World) -> None:
    customer, other = world.customer("One", owner="li"), world.customer("Two", owner="li")
    now = world.clock.now
    late, early = planned(world, customer, ahead=5 * DAY), planned(world, customer, ahead=2 * DAY)
    assert next_at(world, customer) == now + 2 * DAY

    world.li.do(plans.reschedule, early, now + 6 * DAY)
    assert next_at(world, customer) == now + 5 * DAY
    world.li.do(plans.cancel, late)
    assert next_at(world, customer) == now + 6 * DAY
    merged = world.ada.do(merge, other, [customer])
    assert (next_at(world, customer), next_at(world, other)) == (None, now + 6 * DAY)
    world.ada.do(unmerge, merge_id=merged.id)
    assert (next_at(world, customer), next_at(world, other)) == (now + 6 * DAY, None)
    world.ada.do(create_update.delete, Plan, [early])
    assert next_at(world, customer) is None
    world.ada.do(create_update.restore, Plan, [early])
    assert next_at(world, customer) == now + 6 * DAY
    world.ada.do(create_update.delete, Plan, [early])
    world.ada.do(create_update.purge, Plan, [early], confirm=True)
    with world.backend.writer.engine.begin() as connection:
        assert list(stale_next_contacts(connection)) == []
        connection.execute(Customer.__table__.update().values(next_follow_up_at=now))
        assert len(list(stale_next_contacts(connection))) == 2
        assert fill_next_contacts(connection) == 2


def test_open_plans_go_with_the_customer_and_end_with_a_release(world: World) -> None:
    customer = world.customer(owner="li")
    done, open_ = planned(world, customer), planned(world, customer)
    theirs = planned(world, customer, by="lead")
    world.li.do(plans.complete, done, {"content": "Done"})

    world.ada.do(transfer, [customer], world.ids["wu"])
    handed = world.row(Plan, open_)
    assert (handed["owner_id"], handed["handed_over_by_id"]) == (world.ids["wu"], world.ids["li"])
    assert world.row(Plan, done)["owner_id"] == world.ids["li"]
    assert world.row(Plan, theirs)["owner_id"] == world.ids["lead"]

    world.ada.do(release, [customer], world.ids["north"])
    ended = world.row(Plan, open_)
    assert (ended["state"], ended["ended_at"], ended["remind_at"]) == (PlanState.RELEASED, world.clock.now, None)
    assert world.row(Plan, theirs)["state"] == PlanState.OPEN


def test_a_merge_into_a_pooled_customer_ends_the_open_plans(world: World) -> None:
    pooled, mine = world.customer("One", pool="north"), world.customer("Two", owner="li")
    plan = planned(world, mine)

    merged = world.ada.do(merge, pooled, [mine])
    assert world.row(Plan, plan)["state"] == PlanState.RELEASED
    world.ada.do(unmerge, merge_id=merged.id)

    assert world.row(Plan, plan)["state"] == PlanState.OPEN
    assert next_at(world, mine) == world.row(Plan, plan)["due_at"]


# --- comments --------------------------------------------------------------------------------------------


def test_a_comment_stands_with_its_follow_up_and_the_author_is_told(world: World) -> None:
    customer = world.customer(owner="li")
    call = world.li.do(
        create_update.create,
        FollowUp,
        {"customer_id": customer, "kind": "CALL", "content": "Called", "happened_at": world.clock.now},
    ).id

    world.lead.do(comments.comment, call, "Send the price list")
    world.li.do(comments.comment, call, "Sent")

    assert [(x["value"], x["author_id"]) for x in world.rows(Comment)] == [
        ("Send the price list", world.ids["lead"]),
        ("Sent", world.ids["li"]),
    ]
    told = [(x["kind"], x["receiver_id"]) for x in world.rows(Notice)]
    assert told == [("commented", world.ids["li"]), ("commented", world.ids["lead"])]
    assert world.log("follow_up", call)[-1]["changes"] == {
        "comment": ["Send the price list", ["Send the price list", "Sent"]]
    }
    refused(world, world.aud, Forbidden, comments.comment, call, "x")
    refused(world, world.mei, NotFound, comments.comment, call, "x")
    refused(world, world.li, Validation, comments.comment, call, " ")


def test_a_comment_is_removed_by_its_author_alone_and_goes_with_its_follow_up(world: World) -> None:
    call = world.make(FollowUp, customer_id=world.customer(), kind="CALL", content="Hi", happened_at=world.clock.now)
    world.lead.do(comments.comment, call, "One")
    world.lead.do(comments.comment, call, "Two")
    one, two = (row["id"] for row in world.rows(Comment))

    refused(world, world.li, NotFound, comments.remove_comment, one)
    world.lead.do(comments.remove_comment, one)
    assert [row["id"] for row in world.rows(Comment)] == [two]
    world.ada.do(create_update.delete, FollowUp, [call])
    refused(world, world.lead, InBin, comments.remove_comment, two)
    world.ada.do(create_update.purge, FollowUp, [call], confirm=True)
    assert world.count(Comment) == 0
