"""Helpers for tests of the recycle bin."""

from models import (
    Contact,
    FollowUp,
    Opportunity,
)
from resolvers.runtime.batch import Outcome
from tests.support.world import World


def codes(outcome: Outcome) -> list[str]:
    return [problem.code() for problem in outcome.problems]


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
