"""Sums of opportunities per customer: per currency, of what the caller sees."""

from datetime import timedelta
from decimal import Decimal

import pytest

from models import Dictionary, DictionaryItem, Opportunity
from resolvers.customers.opportunity_sums import Sums, of_customer
from resolvers.records import create_update
from tests.support.refusals import add_line
from tests.support.world import START, World


@pytest.fixture
def customer(world: World) -> int:
    """A customer of Li with deals in two currencies: won, open, lost, without an amount, and in the bin."""
    id = world.customer("Acme", "li")
    dictionary = world.make(Dictionary, code="opportunity_stage", name="Stages")
    for key in ("early", "won", "lost"):
        world.make(DictionaryItem, dictionary_id=dictionary, key=key, label_en=key.title(), label_zh=f"{key}中")
    deals: list[tuple[str | None, str | None, str]] = [
        ("won", "100.10", "CNY"),
        ("won", "0.20", "CNY"),
        ("won", "7", "USD"),
        (None, "30", "CNY"),
        ("early", "12.34", "EUR"),
        ("early", None, "EUR"),
        ("lost", "999", "CNY"),
        ("won", "5000", "CNY"),
    ]
    for n, (stage, amount, currency) in enumerate(deals):
        world.clock.pass_by(hours=1)
        money = Decimal(amount) if amount is not None else None
        deal = world.make(Opportunity, customer_id=id, name=f"Deal {n}", stage=stage, amount=money, currency=currency)
    world.ada.do(create_update.delete, Opportunity, [deal])
    return id


def sums(world: World, login: str, id: int) -> Sums:
    return world.run(world.scope(login).read(of_customer, id))


def test_amounts_are_summed_per_currency_and_never_across(world: World, customer: int) -> None:
    found = sums(world, "li", customer)

    assert found.won == {"CNY": Decimal("100.30"), "USD": Decimal(7)}
    assert found.open == {"CNY": Decimal(30), "EUR": Decimal("12.34")}
    assert found.last_deal_at == START + timedelta(hours=3)


def test_what_the_caller_does_not_see_is_not_summed(world: World, customer: int) -> None:
    assert sums(world, "mei", customer) == Sums()
    add_line(world, "p, sales, opportunity.amount, view, all, any, deny")

    found = sums(world, "li", customer)

    assert (found.won, found.open, found.last_deal_at) == ({}, {}, START + timedelta(hours=3))
    assert sums(world, "ada", customer).won["USD"] == 7
