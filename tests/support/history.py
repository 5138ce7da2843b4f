"""The log and the history of a record, as a test reads them."""

from typing import Any

from models import Customer, Entity, FollowUp, Opportunity
from resolvers.audit import history
from resolvers.audit.history import Change, Entry, Pages, Wanted
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.pool import release as releasing
from resolvers.records import create_update
from resolvers.runtime.batch import Mode
from tests.support.claim_checks import claim
from tests.support.world import START, World

SECRET = "13899997777"


def of_record(world: World, login: str, model: type[Entity], id: int, **how: Any) -> Pages:
    return world.run(world.scope(login).read(history.of_record, model, id, **how))


def log(world: World, login: str, wanted: Wanted | None = None, **how: Any) -> Pages:
    return world.run(world.scope(login).read(history.log, wanted or Wanted(), **how))


def told(it: Entry) -> dict[str, Change]:
    return {change.key: change for change in it.changes}


def actions(pages: Pages) -> list[str]:
    return [entry.action for entry in pages.entries]


def live(world: World) -> dict[str, int]:
    """Much happens: to Li's, to Mei's, which she locks, to one in a pool, and to one that is purged."""
    made = {
        name: world.customer(name, owner, pool, phone=SECRET, contact_name=f"{name}'s Ann", contact_phone=SECRET)
        for name, owner, pool in (("mine", "li", None), ("hers", "mei", None), ("pooled", None, "north"))
    }
    made["gone"] = world.customer("gone", "mei")
    deal = world.make(Opportunity, customer_id=made["mine"], name="A_Deal")
    world.make(FollowUp, customer_id=made["mine"], opportunity_id=deal, kind="CALL", content="x", happened_at=START)
    for n in range(4):
        world.clock.pass_by(minutes=1)
        world.li.do(
            create_update.update, Customer, made["mine"], {"name": f"mine {n}", "stage": ("early", "won")[n % 2]}
        )
    world.lead.do(transferring.transfer, [made["mine"]], world.ids["wu"])
    world.mei.do(locking.lock, [made["hers"]], reason="talks")
    world.li.do(locking.lock, [made["hers"], made["pooled"]], mode=Mode.BEST_EFFORT)
    world.mei.do(create_update.delete, Customer, [made["gone"]])
    world.ada.do(create_update.purge, Customer, [made["gone"]], confirm=True)
    claim(world, "li", made["pooled"])
    world.li.do(releasing.release, [made["pooled"]], pool_id=world.ids["north"])
    return made
