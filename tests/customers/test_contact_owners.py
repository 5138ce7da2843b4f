"""Who looks after contacts, opportunities and follow-ups."""

import re
from functools import partial
from typing import Any

import pytest

from models import Contact, FollowUp, Opportunity, Share, User
from models.errors import Forbidden, NotFound, Validation
from models.pool import GranteeKind
from models.share import ShareLevel
from resolvers.customers import lock as locking
from resolvers.customers import transfer, transfer_related
from resolvers.reading.pages import ListRequest, one
from resolvers.records import create_update
from resolvers.runtime.batch import Outcome
from resolvers.runtime.scope import Scope
from tests.panel.sweep.dry_run import is_in_reach
from tests.support.contacts import contact
from tests.support.engines import at_length_on_postgresql
from tests.support.panel import Panel
from tests.support.refusals import refused
from tests.support.world import PEOPLE, World


def codes(outcome: Outcome) -> list[str]:
    return [problem.code() for problem in outcome.problems]


# --- who looks after them (CON-08) -----------------------------------------------------------------------


def test_a_contact_is_handed_to_somebody_who_sees_the_customer(world: World) -> None:
    ids = [contact(world, world.customer(), name) for name in ("Ann", "Bob")]
    mark = world.mark()

    outcome = world.li.do(transfer_related.transfer, Contact, ids, world.ids["lead"], reason="holiday")

    assert (outcome.ids, outcome.problems) == (ids, [])
    assert [world.row(Contact, id)["owner_id"] for id in ids] == [world.ids["lead"]] * 2
    log = world.log(since=mark)
    assert [(x["action"], x["reason"], x["changes"]) for x in log] == [
        ("contact.transfer", "holiday", {"owner_id": [None, world.ids["lead"]]})
    ] * 2


def test_nobody_is_given_a_contact_whose_customer_he_cannot_see(world: World) -> None:
    ann = contact(world, world.customer())
    before = world.everything()

    (problem,) = world.li.do(transfer_related.transfer, Contact, [ann], world.ids["mei"]).problems

    assert (problem.code(), problem.field, problem.record_id) == ("SHARE_FIRST", "userId", f"con_{ann}")
    assert problem.say() == "Mei Lin cannot see this customer. Share the customer first."
    assert problem.say("zh") == "Mei Lin 无权查看该客户，请先共享客户。"
    assert world.everything() == before


def test_a_share_is_enough_to_be_given_a_contact(world: World) -> None:
    customer = world.customer()
    ann = contact(world, customer)
    with world.backend.writer.engine.begin() as connection:
        connection.execute(
            Share.__table__.insert().values(  # type: ignore[attr-defined]
                customer_id=customer,
                grantee_kind=GranteeKind.USER,
                grantee_id=world.ids["mei"],
                level=ShareLevel.VIEW,
                starts_at=world.clock.now,
            )
        )

    assert world.li.do(transfer_related.transfer, Contact, [ann], world.ids["mei"]).ids == [ann]


def test_nobody_is_given_a_contact_that_he_sees_and_may_not_work_with(world: World) -> None:
    ann = contact(world, world.customer())
    before = world.everything()

    (problem,) = world.li.do(transfer_related.transfer, Contact, [ann], world.ids["fin"]).problems

    assert (problem.code(), problem.field) == ("VALIDATION", "userId")
    assert problem.say() == "Finn Ray may not work with contacts at this customer."
    assert problem.say("zh") == "Finn Ray 无权处理该客户的联系人。"
    assert world.everything() == before


@pytest.mark.parametrize("login", ["li", "lead", "fin"])
def test_the_people_offered_for_a_contact_are_those_whom_an_attempt_accepts(world: World, login: str) -> None:
    ann = contact(world, world.customer())
    page = Panel(world).of(login).get("/admin/contact/ask/transfer", {"ids": f"con_{ann}"}).text

    offered = {int(id) for id in re.findall(r'<option value="usr_(\d+)"', page)}

    accepted = {id for id in (world.ids[x] for x in PEOPLE) if is_in_reach(world, login, partial(attempt, ann, id))}
    assert offered == accepted
    assert bool(offered) is (login != "fin")


def attempt(contact_id: int, to: int, scope: Scope) -> Outcome:
    outcome = transfer_related.transfer(scope, Contact, [contact_id], to)
    if any(isinstance(problem, Validation) for problem in outcome.problems):
        raise Forbidden(action="contact.transfer")
    return outcome


@at_length_on_postgresql
def test_who_may_not_transfer_hands_on_nothing(world: World) -> None:
    ann = contact(world, world.customer())
    before = world.everything()

    assert codes(world.fin.do(transfer_related.transfer, Contact, [ann], world.ids["fin"])) == ["FORBIDDEN"]
    assert codes(world.mei.do(transfer_related.transfer, Contact, [ann], world.ids["mei"])) == ["NOT_FOUND"]
    assert codes(world.li.do(transfer_related.transfer, Contact, [ann], 999)) == ["NOT_FOUND"]
    world.ada.do(create_update.update, User, world.ids["wu"], {"active": False})
    assert codes(world.li.do(transfer_related.transfer, Contact, [ann], world.ids["wu"])) == ["VALIDATION"]

    assert world.everything()["contact"] == before["contact"]


@at_length_on_postgresql
@pytest.mark.parametrize(
    ("model", "more"),
    [
        (Contact, {"name": "Ann"}),
        (Opportunity, {"name": "Deal"}),
        (FollowUp, {"kind": "CALL", "content": "Called", "happened_at": None}),
    ],
)
def test_nothing_is_created_for_somebody_who_cannot_see_the_customer(
    world: World, model: Any, more: dict[str, Any]
) -> None:
    given = {"customer_id": world.customer(), "owner_id": world.ids["mei"], **more}
    if "happened_at" in given:
        given["happened_at"] = world.clock.now

    refusal = refused(world, world.li, Validation, create_update.create, model, given)

    assert refusal.field == "ownerId"


@at_length_on_postgresql
def test_a_contact_of_a_locked_customer_is_out_of_reach(world: World) -> None:
    customer = world.customer()
    ann = contact(world, customer)
    world.li.do(locking.lock, [customer])

    refused(world, world.ada, NotFound, create_update.update, Contact, ann, {"name": "Mine"})
    assert codes(world.ada.do(transfer_related.transfer, Contact, [ann], world.ids["ada"])) == ["NOT_FOUND"]


# --- opportunities and follow-ups ------------------------------------------------------------------------


@at_length_on_postgresql
def test_whoever_writes_it_down_looks_after_it(world: World) -> None:
    deal = world.li.do(create_update.create, Opportunity, {"customer_id": world.customer(), "name": "Deal"})

    row = world.row(Opportunity, deal.id)
    assert (row["owner_id"], row["currency"]) == (world.ids["li"], "CNY")


@at_length_on_postgresql
@pytest.mark.parametrize(("given", "stored"), [("eur", "EUR"), ("USD", "USD")])
def test_a_currency_has_three_letters(world: World, given: str, stored: str) -> None:
    values = {"customer_id": world.customer(), "name": "Deal", "currency": given}

    assert world.li.do(create_update.create, Opportunity, values).currency == stored
    refusal = refused(world, world.li, Validation, create_update.create, Opportunity, {**values, "currency": "€"})
    assert refusal.field == "currency"


@at_length_on_postgresql
def test_a_contact_of_another_customer_does_not_belong_into_a_deal(world: World) -> None:
    ann, other = contact(world, world.customer()), world.customer()
    given = {"customer_id": other, "name": "Deal", "contact_id": ann}

    refusal = refused(world, world.li, Validation, create_update.create, Opportunity, given)

    assert (refusal.field, refusal.say()) == ("contactId", "Contact belongs to another customer.")


@at_length_on_postgresql
def test_a_hidden_contact_in_a_deal_is_not_found(world: World) -> None:
    hidden = world.make(Contact, customer_id=world.customer(owner="mei"), name="Ann")
    given = {"customer_id": world.customer(), "name": "Deal"}

    answers = [
        refused(world, world.li, NotFound, create_update.create, Opportunity, {**given, "contact_id": id})
        for id in (hidden, 999)
    ]

    assert {(x.field, x.say()) for x in answers} == {("contactId", "There is no such contact, or you may not see it.")}


def test_the_owner_that_a_contact_shows_follows_its_customer(world: World) -> None:
    """On its page too, and nothing is written at the contact."""
    customer = world.customer(owner="li")
    id = contact(world, customer, "Ann")
    browser = Panel(world).of("ada")
    for login in ("li", "wu"):
        if login == "wu":
            world.lead.do(transfer.transfer, [customer], world.ids["wu"], reason="territory")
        row = world.run(world.ada.read(one, ListRequest(Contact, ("owner_id",)), id))
        assert row is not None
        assert (row["owner_id"], world.row(Contact, id)["owner_id"]) == (world.ids[login], None)
        page = browser.get(f"/admin/contact/details/con_{id}").text
        assert (
            f"/admin/user/details/usr_{world.ids[login]}" in page[page.index("Owner and notes") : page.index("Remark")]
        )
