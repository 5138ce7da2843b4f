"""A record as it was: at every moment the log gives what was there, and nothing that the reader may not see now."""

import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import JSON, update

from models import AuditEntry, Contact, Customer, Entity, FollowUp, Opportunity
from models.audit.parts import kinds_of_parts, stored_parts
from models.audit.proof import plain
from models.custom_field import CustomKind
from models.errors import NotFound, Refusal, Validation
from resolvers.audit import as_of
from resolvers.audit.as_of import AsOf, told_fields
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.records import create_update
from resolvers.records.restore_field import restore_field
from tests.support.custom_fields import define
from tests.support.refusals import add_line
from tests.support.sealing import below_the_triggers
from tests.support.world import START, World


def then(world: World, login: str, model: type[Entity], id: int, at: datetime) -> AsOf:
    return world.run(world.scope(login).read(as_of.as_of, model, id, at))


def values(past: AsOf) -> dict[str, Any]:
    return {it.key: it.value for it in past.values}


def copy_of(world: World, model: type[Entity], id: int) -> dict[str, Any]:
    """What is stored of a record now, by its names in the log."""
    row = {key: plain(value) for key, value in world.row(model, id).items()}
    found: dict[str, Any] = {key: row.get(key) for key in told_fields(model)}
    with world.backend.writer.engine.connect() as connection:
        for part, _names in kinds_of_parts(model):
            found |= {name: values for _id, name, values in stored_parts(connection, part, id, id)}
    return found


# --- random edits ----------------------------------------------------------------------------------------


class Edits:
    """Random edits of random records, each of which passes the rules of single edits."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.dice = world, random.Random(seed)
        self.customers = [world.customer(f"Acme {n}", "li", contact_name="Ann") for n in range(3)]
        contacts = [row["id"] for row in world.rows(Contact, Contact.customer_id.in_(self.customers))]
        deals = [
            world.make(Opportunity, customer_id=id, name="Deal", owner_id=world.ids["li"]) for id in self.customers
        ]
        visits = [
            world.make(FollowUp, customer_id=id, kind="CALL", content="x", happened_at=START) for id in self.customers
        ]
        self.records: list[tuple[type[Entity], int]] = [
            *((Customer, id) for id in self.customers),
            *((Contact, id) for id in contacts),
            *((Opportunity, id) for id in deals),
            *((FollowUp, id) for id in visits),
        ]

    def step(self) -> tuple[type[Entity], int]:
        """One edit, transfer, lock and unlock, deletion or return from the bin, and of which record."""
        model, id = self.dice.choice(self.records)
        lead, way = self.world.ada, self.dice.random()
        if self.world.row(model, id)["deleted_at"] is not None:
            lead.do(create_update.restore, model, [id])
        elif model is Customer and way < 0.1:
            lead.do(transferring.transfer, [id], self.world.ids[self.dice.choice(["li", "wu", "mei"])])
        elif model is Customer and way < 0.2:
            lead.do(locking.lock, [id], "talks")
            lead.do(locking.unlock, [id], "over")  # at once, because nobody else sees a locked customer
        elif model is Contact and way < 0.3:
            lead.do(create_update.delete, model, [id])
        else:
            lead.do(create_update.update, model, id, self.given(model))
        return model, id

    def given(self, model: type[Entity]) -> dict[str, Any]:
        dice = self.dice
        choices: Mapping[type[Entity], Mapping[str, Any]] = {
            Customer: {
                "name": f"Acme {dice.randrange(99)}",
                "phone": dice.choice([None, "138 0013 8000", "139 0013 9000"]),
                "stage": dice.choice([None, "early", "won"]),
                "latest_need": dice.choice([None, "Steel\n钢"]),
            },
            Contact: {
                "title": dice.choice([None, "Ms", "经理"]),
                "birthday": dice.choice([None, date(1980, 2, 29)]),
                "points": [
                    {"kind": kind, "value": f"{n}{dice.randrange(99)}@x.org" if kind == "EMAIL" else f"13800138{n:03}"}
                    for n, kind in enumerate(dice.choices(["PHONE", "EMAIL"], k=dice.randrange(4)))
                ],
            },
            Opportunity: {
                "amount": dice.choice([None, Decimal("0.10"), Decimal("12000.5")]),
                "expected_close": dice.choice([None, date(2027, 1, dice.randrange(1, 28))]),
            },
            FollowUp: {
                "content": f"Said {dice.randrange(99)}",
                "happened_at": START - timedelta(minutes=dice.randrange(999), milliseconds=dice.randrange(999)),
            },
        }
        some = dice.sample(sorted(choices[model]), dice.randrange(1, len(choices[model]) + 1))
        return {key: choices[model][key] for key in some}


def live_and_look_back(world: World, edits: int, seed: int) -> None:
    """Make edits, and compare each with the copy that was taken after it, and some records that were not edited then."""
    random_edits, copies = Edits(world, seed), []
    touched: set[tuple[datetime, type[Entity], int]] = set()
    for _ in range(edits):
        world.clock.pass_by(seconds=random_edits.dice.choice([0, 0.001, 1, 4000]))
        touched.add((world.clock(), *random_edits.step()))
        copies = [it for it in copies if it[0] != world.clock()]  # several edits of one moment: the last one counts
        copies += [(world.clock(), model, id, copy_of(world, model, id)) for model, id in random_edits.records]
    world.clock.pass_by(seconds=1)
    others = [it for it in copies if it[:3] not in touched]
    looked = [it for it in copies if it[:3] in touched] + random_edits.dice.sample(others, edits // 3)
    assert len(looked) == len(touched) + edits // 3
    for at, model, id, copy in looked:
        assert values(then(world, "ada", model, id, at)) == copy, (at, model, id)


def test_sixty_random_edits_look_back_at_what_was_there(world: World) -> None:
    live_and_look_back(world, 60, seed=7)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.sampled(sqlite=1, postgresql=1)
def test_a_thousand_random_edits_look_back_at_what_was_there(world: World, seed: int) -> None:
    live_and_look_back(world, 250, seed)


# --- moments ---------------------------------------------------------------------------------------------


@pytest.fixture
def edited(world: World) -> int:
    """A customer with three names: at START, one hour later, and one hour after that."""
    id = world.customer("One", "li", phone="138 0013 8000")
    for name in ("Two", "Three"):
        world.clock.pass_by(hours=1)
        world.li.do(create_update.update, Customer, id, {"name": name})
    world.clock.pass_by(hours=1)
    return id


def test_the_moments_around_lead_from_entry_to_entry(world: World, edited: int) -> None:
    past = then(world, "li", Customer, edited, START + timedelta(minutes=90))

    hour = timedelta(hours=1)
    assert (past["name"], past.since, past.earlier, past.later) == ("Two", START + hour, START, START + 2 * hour)
    assert [it.key for it in past.values if it.has_changed] == ["name"]
    first, last = (then(world, "li", Customer, edited, at) for at in (START, START + 3 * hour))
    assert (first["name"], first.earlier, last["name"], last.later) == ("One", None, "Three", None)
    assert not [it.key for it in last.values if it.has_changed]


@pytest.mark.parametrize(("at", "words"), [(-1, "was not there yet"), (10_801, "is yet to come")])
def test_a_moment_without_a_record_is_refused_by_a_sentence(world: World, edited: int, at: int, words: str) -> None:
    with pytest.raises(Validation) as refused:
        then(world, "li", Customer, edited, START + timedelta(seconds=at))

    assert words in refused.value.say("en")
    assert refused.value.say("zh").endswith("的时间。")
    assert refused.value.field == "asOf"


def test_a_moment_without_a_zone_is_utc(world: World, edited: int) -> None:
    past = then(world, "li", Customer, edited, (START + timedelta(hours=1)).replace(tzinfo=None))

    assert (past["name"], past.at) == ("Two", datetime(2026, 11, 24, 9, 0, tzinfo=UTC))


def test_two_writers_that_overtook_each_other_come_in_the_order_in_which_they_wrote(world: World, edited: int) -> None:
    *_, second, third = world.log("customer", edited)
    with below_the_triggers(world) as connection:
        connection.execute(update(AuditEntry).where(AuditEntry.id == third["id"]).values(at=START))

    past = then(world, "li", Customer, edited, second["at"])
    assert (past["name"], past.later) == ("Three", None)
    assert then(world, "li", Customer, edited, START)["name"] == "One"


# --- rights ----------------------------------------------------------------------------------------------


def test_a_record_that_the_reader_no_longer_sees_is_not_found_at_any_moment(world: World, edited: int) -> None:
    world.lead.do(transferring.transfer, [edited], world.ids["mei"])

    for id in (edited, 999_999, 0, -1):
        with pytest.raises(NotFound):
            then(world, "li", Customer, id, START)


def test_a_field_that_is_hidden_now_is_hidden_then(world: World, edited: int) -> None:
    add_line(world, "p, sales, customer.phone, view, all, any, deny")

    assert "phone" not in values(then(world, "li", Customer, edited, START))
    assert values(then(world, "ada", Customer, edited, START))["phone"] == "138 0013 8000"


def test_a_name_that_the_reader_may_not_see_is_left_out(world: World) -> None:
    hidden = world.customer("Hidden", "mei")
    mine = world.customer("Mine", "li")
    contact = world.make(Contact, customer_id=mine, name="Ann")
    _pretend(world, contact, "customer_id", hidden)

    past = then(world, "li", Contact, contact, START)

    (pointer,) = (it for it in past.values if it.key == "customer_id")
    assert (pointer.value, pointer.name, pointer.name_now) == (hidden, None, "Mine")


def _pretend(world: World, contact: int, key: str, value: int) -> None:
    """Let the log say that a contact began elsewhere."""
    (entry,) = world.log("contact", contact)
    said = {**entry["changes"], key: [None, value]}
    with below_the_triggers(world) as connection:
        connection.execute(update(AuditEntry).where(AuditEntry.id == entry["id"]).values(changes=said))


def test_what_was_erased_from_the_log_is_said_and_never_made_up(world: World, edited: int) -> None:
    _first, second, _third = world.log("customer", edited)
    with below_the_triggers(world) as connection:
        connection.execute(update(AuditEntry).where(AuditEntry.id == second["id"]).values(changes=JSON.NULL))

    past = then(world, "li", Customer, edited, START)

    (name,) = (it for it in past.values if it.key == "name")
    (phone,) = (it for it in past.values if it.key == "phone")
    assert (past.untold, name.is_known, name.value, name.has_changed) == (1, False, None, True)
    assert (phone.is_known, phone.value, phone.has_changed) == (True, "138 0013 8000", False)


# --- custom fields ---------------------------------------------------------------------------------------


def test_custom_fields_have_a_past_that_can_be_restored(world: World) -> None:
    define(world, "area", CustomKind.NUMBER)
    define(world, "visited", CustomKind.DATE)
    id = world.customer("Acme", "li")
    first = {"custom.area": Decimal("12.5"), "custom.visited": date(2026, 2, 28)}
    for values in (first, {"custom.area": Decimal(7), "custom.visited": None}):
        world.clock.pass_by(hours=1)
        world.li.do(create_update.update, Customer, id, values)

    past = then(world, "li", Customer, id, START + timedelta(minutes=90))

    assert (past["custom.area"], past["custom.visited"]) == ("12.5", "2026-02-28")
    assert {it.key for it in past.values if it.has_changed} == {"custom.area", "custom.visited"}
    for key in first:
        world.li.do(restore_field, Customer, id, key, at=past.at)
    assert world.row(Customer, id)["custom"] == {"area": "12.5", "visited": "2026-02-28"}


def test_a_custom_field_that_is_hidden_now_is_hidden_then(world: World) -> None:
    define(world, "area", CustomKind.NUMBER)
    id = world.customer("Acme", "li")
    world.li.do(create_update.update, Customer, id, {"custom.area": Decimal(7)})
    add_line(world, "p, sales, customer.custom.area, view, all, any, deny")

    assert "custom.area" not in values(then(world, "li", Customer, id, world.clock()))
    with pytest.raises(Refusal):
        world.li.do(restore_field, Customer, id, "custom.area", at=world.clock())
