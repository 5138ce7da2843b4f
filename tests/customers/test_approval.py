"""Approval of new customers: what waits, who decides, and what is refused meanwhile."""

from typing import Any

import pytest
from sqlalchemy import update

from models import Approval, Customer, Notice, Opportunity, Organisation
from models.errors import NotApproved, Validation
from resolvers.bulk.many import create_many
from resolvers.customers import approval, transfer
from resolvers.merging.merge import merge
from resolvers.people import accounts
from resolvers.pool import assign, auto_assign, claim
from resolvers.pool.claim_preview import claim_preview
from resolvers.records import create_update, recycle_bin
from resolvers.runtime.batch import Outcome
from tests.support.claim_checks import codes, unchanged
from tests.support.graphql import Api
from tests.support.panel import Panel, rows_in
from tests.support.world import World


@pytest.fixture(autouse=True)
def asked_for(world: World) -> None:
    world.system.do(create_update.update, Organisation, 1, {"approve_customers": True})


def entered(world: World, login: str = "li", **values: Any) -> int:
    """A customer that a user has entered."""
    return int(world.scope(login).do(create_update.create, Customer, {"name": "Acme", **values}).id)


def state(world: World, id: int) -> Any:
    return world.row(Customer, id)["approval"]


def does(world: World, login: str, use_case: Any, *arguments: Any) -> Outcome:
    found: Outcome = world.scope(login).do(use_case, *arguments)
    return found


def told(world: World, login: str) -> list[str]:
    return [row["kind"] for row in world.rows(Notice) if row["receiver_id"] == world.ids[login]]


def test_a_second_user_approves_and_then_it_is_a_customer_as_all_others(world: World) -> None:
    id, other = entered(world), world.customer(owner="li")

    assert (state(world, id), told(world, "lead"), told(world, "wu")) == (Approval.PENDING, ["to_approve"], [])
    with unchanged(world):
        assert codes(does(world, "li", transfer.transfer, [id], world.ids["wu"])) == ["NOT_APPROVED"]
        with pytest.raises(NotApproved) as refused:
            world.li.do(create_update.create, Opportunity, {"customer_id": id, "name": "Mill"})
        with pytest.raises(NotApproved):
            world.ada.do(merge, id, [other])
    assert refused.value.field == "customerId"
    assert codes(does(world, "li", approval.approve, [id])) == ["FORBIDDEN"]

    assert does(world, "lead", approval.approve, [id]).ids == [id]

    row = world.row(Customer, id)
    assert (row["approval"], row["approval_by_id"]) == (Approval.APPROVED, world.ids["lead"])
    assert told(world, "li") == ["approved"]
    assert world.log("customer", id)[-1]["action"] == "customer.approve"
    assert does(world, "li", transfer.transfer, [id], world.ids["wu"]).ids == [id]
    assert codes(does(world, "lead", approval.approve, [id])) == ["NOT_PENDING"]


def test_nobody_approves_what_they_have_entered_or_submitted(world: World) -> None:
    mine, theirs = entered(world, "lead"), entered(world)
    with unchanged(world):
        assert codes(does(world, "lead", approval.approve, [mine])) == ["OWN_APPROVAL"]
        assert codes(does(world, "lead", approval.reject, [mine], "no")) == ["OWN_APPROVAL"]
    does(world, "ada", approval.reject, [theirs], "Which company?")
    does(world, "lead", approval.submit, [theirs])

    assert codes(does(world, "lead", approval.approve, [theirs])) == ["OWN_APPROVAL"]
    assert does(world, "ada", approval.approve, [theirs]).ids == [theirs]


def test_a_rejected_customer_is_corrected_and_submitted_again(world: World) -> None:
    id = entered(world)
    with pytest.raises(Validation, match="Say why"):
        world.lead.do(approval.reject, [id], " ")

    assert does(world, "lead", approval.reject, [id], "Which company?").ids == [id]

    row = world.row(Customer, id)
    assert (row["approval"], row["approval_reason"]) == (Approval.REJECTED, "Which company?")
    assert told(world, "li") == ["rejected"]
    assert codes(does(world, "li", transfer.transfer, [id], world.ids["wu"])) == ["NOT_APPROVED"]
    world.li.do(create_update.update, Customer, id, {"name": "Acme Ltd"})
    assert does(world, "li", approval.submit, [id]).ids == [id]
    assert (state(world, id), world.row(Customer, id)["approval_reason"]) == (Approval.PENDING, None)
    assert codes(does(world, "li", approval.submit, [id])) == ["NOT_REJECTED"]
    assert [x["action"] for x in world.log("customer", id)][-3:] == [
        "customer.reject",
        "customer.edit",
        "customer.submit",
    ]


def test_a_pending_customer_in_a_pool_is_neither_claimed_nor_assigned(world: World) -> None:
    id = entered(world, "ada", pool_id=world.ids["north"])
    with unchanged(world):
        assert codes(does(world, "li", claim.claim, [id])) == ["NOT_APPROVED"]
        assert codes(does(world, "lead", assign.assign, [id], world.ids["li"])) == ["NOT_APPROVED"]
        assert codes(does(world, "lead", auto_assign.auto_assign, [id])) == ["NOT_APPROVED"]
    assert offered(world, "ada", id) == set()
    (preview,) = world.run(world.li.read(claim_preview, [id]))
    assert [check.rule for check in preview.checks if not check.passed] == ["APPROVAL"]
    with world.backend.writer.engine.begin() as connection:
        connection.execute(update(Customer).values(approval=Approval.APPROVED))
    assert offered(world, "ada", id) == {"assign", "auto-assign", "claim"}


def offered(world: World, login: str, id: int) -> set[str]:
    """Which ways out of its pool the page of a customer offers."""
    page = Panel(world).of(login).get(f"/admin/customer/details/cus_{id}").text
    return {name for name in ("claim", "assign", "auto-assign") if f"do/{name}" in page or f"ask/{name}" in page}


def test_many_at_once_wait_as_well_and_the_system_enters_what_it_likes(world: World) -> None:
    rows = [{"name": f"Pine {n}"} for n in range(3)]
    ids = [x.id for x in world.li.do(create_many, Customer, rows, action="customer.import")]

    assert {state(world, id) for id in ids} == {Approval.PENDING}
    assert told(world, "lead") == []
    assert state(world, world.customer("Oak", owner="li")) is None


def test_the_api_and_the_panel_show_decide_and_refuse(world: World) -> None:
    api, id = Api(world), entered(world)
    which = {"ids": [f"cus_{id}"]}
    shown = "ids customers { approval approvalReason } problems { code }"
    page = Panel(world).of("lead").get(f"/admin/customer/details/cus_{id}").text
    assert "Waits for approval" in page
    assert "do/approve" in page
    assert rows_in(Panel(world).of("lead").get("/admin/customer/list?tab=approve").text) == [f"cus_{id}"]

    assert api.change("lead", "rejectCustomers", {**which, "reason": "Which?"}, shown) == {
        "ids": [f"cus_{id}"],
        "customers": [{"approval": "REJECTED", "approvalReason": "Which?"}],
        "problems": [],
    }
    mine = Panel(world).of("li").get(f"/admin/customer/details/cus_{id}").text
    assert "Rejected: Which?" in mine
    assert "do/submit" in mine
    assert "ask/transfer" not in mine
    assert api.change("li", "submitCustomers", which, shown)["customers"][0]["approval"] == "PENDING"
    assert api.change("lead", "approveCustomers", which, shown)["customers"][0]["approval"] == "APPROVED"
    assert "ask/transfer" in Panel(world).of("li").get(f"/admin/customer/details/cus_{id}").text
    again = api.change("lead", "approveCustomers", which, shown)
    assert [x["code"] for x in again["problems"]] == ["NOT_PENDING"]


def test_without_the_setting_nothing_waits_but_what_waited_before(world: World) -> None:
    waiting = entered(world)
    world.system.do(create_update.update, Organisation, 1, {"approve_customers": False})
    assert rows_in(Panel(world).of("lead").get("/admin/customer/list?tab=approve").text) == [f"cus_{waiting}"]
    assert does(world, "lead", approval.approve, [waiting]).ids == [waiting]

    id = entered(world)

    assert (state(world, id), told(world, "lead")) == (None, ["to_approve"])
    assert "To approve" not in Panel(world).of("lead").get("/admin/customer/list").text


def test_one_whose_owner_has_left_waits_on_when_it_is_restored(world: World) -> None:
    id = entered(world)
    world.ada.do(create_update.delete, Customer, [id])
    world.ada.do(accounts.set_active, [world.ids["li"]], active=False)

    world.user("bea", "Bea Ross", "administrator")
    world.ada.do(recycle_bin.restore, Customer, [id])

    row = world.row(Customer, id)
    assert (row["owner_id"], row["approval"]) == (world.ids["ada"], Approval.PENDING)
    assert codes(does(world, "ada", approval.approve, [id])) == ["OWN_APPROVAL"]
    assert "to_approve" in [
        x["kind"] for x in world.rows(Notice) if x["receiver_id"] == world.ids["bea"] and x["record_id"] == id
    ]
    assert codes(does(world, "ada", transfer.transfer, [id], world.ids["wu"])) == ["NOT_APPROVED"]
    assert does(world, "bea", approval.approve, [id]).ids == [id]
    assert state(world, id) == Approval.APPROVED
