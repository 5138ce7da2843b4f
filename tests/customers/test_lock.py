"""Locking and unlocking: who is kept out of what, until when, and who may open it unseen."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, inspect, select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from models import Base, Contact, Customer, Event, FollowUp, Opportunity, Share
from models.errors import NotFound, Refusal, Validation
from models.follow_up import FollowUpKind
from models.pool import GranteeKind
from models.share import ShareLevel
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.pool import release as releasing
from resolvers.records import create_update
from resolvers.runtime.batch import Outcome
from resolvers.runtime.policy_store import current_text, put_in_force
from resolvers.runtime.scope import Scope
from tests.support.claim_checks import codes, organise, refused_like_missing, the, unchanged, whole
from tests.support.world import START, World

HOUR = timedelta(hours=1)
OTHERS = ("wu", "lead", "ada", "fin", "aud")


def lock(world: World, by: str, *ids: int, **how: Any) -> Outcome:
    outcome: Outcome = world.scope(by).do(locking.lock, list(ids), **how)
    return outcome


def unlock(world: World, by: str, *ids: int, **how: Any) -> Outcome:
    outcome: Outcome = world.scope(by).do(locking.unlock, list(ids), **how)
    return outcome


def seen(world: World, login: str, model: type[Base]) -> int:
    """How many records of a kind somebody sees."""

    def count(_scope: Scope, db: Session) -> int:
        return db.execute(select(func.count()).select_from(model)).scalar_one()

    found: int = world.run(world.scope(login).read(count))
    return found


def furnished(world: World) -> int:
    """A customer of Li's with everything that can hang on one, shared with Wu for editing."""
    customer = world.customer(owner="li")
    share(world, customer, "wu", ShareLevel.EDIT)
    contact = world.make(
        Contact, customer_id=customer, name="Ms Chen", points=[{"kind": "PHONE", "value": "13800138000"}]
    )
    chance = world.make(Opportunity, customer_id=customer, name="Deal", owner_id=world.ids["wu"])
    world.make(
        FollowUp,
        customer_id=customer,
        contact_id=contact,
        opportunity_id=chance,
        kind=FollowUpKind.CALL,
        content="Hi",
        happened_at=START,
        owner_id=world.ids["wu"],
    )
    return customer


def share(world: World, customer: int, login: str, level: ShareLevel) -> None:
    with world.backend.writer.engine.begin() as connection:
        connection.execute(
            Share.__table__.insert(),  # type: ignore[attr-defined]
            {
                "customer_id": customer,
                "grantee_kind": GranteeKind.USER,
                "grantee_id": world.ids[login],
                "level": level,
                "starts_at": START,
            },
        )


def test_a_lock_is_written_down_with_its_reason_and_end_and_logged(world: World) -> None:
    customer = world.customer(owner="li")
    mark = world.mark()

    assert lock(world, "li", customer, reason=" signing ", until=START + HOUR).ids == [customer]

    row = world.row(Customer, customer)
    assert (row["locked_by_id"], row["locked_at"]) == (world.ids["li"], START)
    assert (row["lock_reason"], row["lock_expires_at"]) == ("signing", START + HOUR)
    (entry,) = world.log(since=mark)
    assert (entry["action"], entry["reason"]) == ("customer.lock", "signing")
    assert entry["changes"]["locked_by_id"] == [None, world.ids["li"]]
    assert whole(world) == []


def test_from_then_on_others_see_neither_the_customer_nor_what_hangs_on_it(world: World) -> None:
    customer = furnished(world)
    kinds = (Customer, Contact, Opportunity, FollowUp)
    for login in OTHERS:
        assert [seen(world, login, kind) for kind in kinds] == [1, 1, 1, 1], login

    lock(world, "li", customer)

    for login in OTHERS:
        assert [seen(world, login, kind) for kind in kinds] == [0, 0, 0, 0], login
    assert [seen(world, "li", kind) for kind in kinds] == [1, 1, 1, 1]


def test_from_then_on_others_change_neither_the_customer_nor_what_hangs_on_it(world: World) -> None:
    customer = furnished(world)
    (contact,), (chance,) = world.rows(Contact), world.rows(Opportunity)
    lock(world, "li", customer)

    attempts: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
        (create_update.update, (Customer, customer, {"name": "Mine"})),
        (create_update.update, (Contact, contact["id"], {"name": "Mine"})),
        (create_update.update, (Opportunity, chance["id"], {"name": "Mine"})),
        (create_update.create, (Contact, {"customer_id": customer, "name": "New"})),
        (create_update.create, (Opportunity, {"customer_id": customer, "name": "New"})),
        (
            create_update.create,
            (FollowUp, {"customer_id": customer, "kind": "CALL", "content": "x", "happened_at": START}),
        ),
    ]
    for login in ("wu", "lead", "ada"):
        for call, arguments in attempts:
            with unchanged(world), pytest.raises(Refusal) as refused:
                world.scope(login).do(call, *arguments)
            assert refused.value.code() in ("NOT_FOUND", "FORBIDDEN"), (login, call, arguments)
            assert "Acme" not in refused.value.say()
        refused_like_missing(world, login, releasing.release, customer)
        refused_like_missing(world, login, transferring.transfer, customer, world.ids["wu"])
        with unchanged(world):
            assert codes(world.scope(login).do(create_update.delete, Customer, [customer])) == ["NOT_FOUND"]
    world.li.do(create_update.update, Customer, customer, {"name": "Still mine"})
    assert world.row(Customer, customer)["name"] == "Still mine"


def test_an_expired_lock_is_none_from_that_moment_on(world: World) -> None:
    customer = world.customer(owner="li")
    lock(world, "li", customer, until=START + HOUR)

    world.clock.now = START + HOUR - timedelta(milliseconds=1)
    assert (seen(world, "fin", Customer), seen(world, "lead", Customer)) == (0, 0)
    world.clock.pass_by(milliseconds=1)
    assert (seen(world, "fin", Customer), seen(world, "lead", Customer)) == (1, 1)
    with unchanged(world):
        assert codes(unlock(world, "li", customer)) == ["NOT_LOCKED"]
        assert codes(unlock(world, "lead", customer)) == ["NOT_LOCKED"]
    assert world.lead.do(transferring.transfer, [customer], world.ids["wu"]).ids == [customer]
    assert world.row(Customer, customer)["locked_by_id"] is None


def test_a_lock_ends_in_the_future_and_within_reason(world: World) -> None:
    customer = world.customer(owner="li")

    for until in (START, START - HOUR, START.replace(tzinfo=None), START.replace(year=9999)):
        with unchanged(world), pytest.raises(Validation) as refused:
            lock(world, "li", customer, until=until)
        assert (refused.value.field, refused.value.say()) == ("until", "The end of a lock lies in the future.")


def test_a_lock_needs_an_owner(world: World) -> None:
    customer = world.customer(pool="north")

    for login in ("li", "lead", "ada"):
        with unchanged(world):
            assert codes(lock(world, login, customer)) == ["ALREADY_IN_POOL"]


def test_only_the_owner_locks_his_customer(world: World) -> None:
    customer = world.customer(owner="li")

    refused_like_missing(world, "wu", locking.lock, customer)
    for login in ("lead", "fin", "aud"):
        with unchanged(world):
            assert codes(lock(world, login, customer)) == ["FORBIDDEN"]


def test_a_lead_opens_a_lock_unseen_and_that_is_logged_and_the_owner_told(world: World) -> None:
    customer = world.customer(owner="li", phone="010-1234")
    lock(world, "li", customer, reason="mine", until=START + HOUR)
    mark, events = world.mark(), world.count(Event)

    assert unlock(world, "lead", customer, reason="Li is ill").ids == [customer]

    row = world.row(Customer, customer)
    assert [row[key] for key in ("locked_by_id", "locked_at", "lock_reason", "lock_expires_at")] == [None] * 4
    assert (row["owner_id"], row["phone"], row["name"]) == (world.ids["li"], "010-1234", "Acme")
    (entry,) = world.log(since=mark)
    assert (entry["action"], entry["actor_id"], entry["reason"]) == ("customer.unlock", world.ids["lead"], "Li is ill")
    assert entry["changes"]["locked_by_id"] == [world.ids["li"], None]
    told = [(x["topic"], x["action"], x["record_id"]) for x in world.rows(Event)[events:]]
    assert told == [(f"user:{world.ids['li']}", "customer.unlock", customer)]
    assert seen(world, "lead", Customer) == 1


def test_who_opens_his_own_lock_is_not_told_so(world: World) -> None:
    customer = world.customer(owner="li")
    lock(world, "li", customer)
    events = world.count(Event)

    assert unlock(world, "li", customer).ids == [customer]
    assert world.count(Event) == events


def test_before_unlocking_only_number_owner_and_state_are_readable(world: World) -> None:
    customer = world.customer(owner="li", phone="010-1234", remark="secret")
    lock(world, "li", customer, reason="mine")

    def look(scope: Scope) -> dict[str, Any]:
        with scope.write("customer.unlock") as db:
            row = scope.load(db, Customer, customer, to="unlock")
            return {x.key: _read(row, x.key) for x in inspect(Customer).column_attrs}

    values = world.lead.do(look)

    readable = {key for key, value in values.items() if value != "hidden"}
    assert readable == {
        "id",
        "number",
        "owner_id",
        "version",
        *("locked_by_id", "locked_at", "lock_reason", "lock_expires_at"),
        *("deleted_at", "deleted_by_id", "delete_batch_id", "updated_at", "updated_by_id"),
    }
    assert (values["number"], values["owner_id"]) == ("C2026001", world.ids["li"])


def _read(row: Customer, key: str) -> Any:
    try:
        return getattr(row, key)
    except InvalidRequestError:
        return "hidden"


def test_who_may_not_unlock_finds_nothing(world: World) -> None:
    customer = world.customer(owner="li")
    lock(world, "li", customer)
    elsewhere = world.customer(owner="mei")
    lock(world, "mei", elsewhere)

    for login in ("wu", "mei", "fin", "sam"):
        refused_like_missing(world, login, locking.unlock, customer)
    refused_like_missing(world, "lead", locking.unlock, elsewhere)
    assert unlock(world, "ada", customer, elsewhere).ids == [customer, elsewhere]


def test_what_is_not_locked_cannot_be_unlocked(world: World) -> None:
    customer = world.customer(owner="li")

    for login in ("li", "lead", "ada"):
        with unchanged(world):
            assert the(unlock(world, login, customer)).say() == "C2026001 is not locked."
    with unchanged(world):
        assert codes(unlock(world, "fin", customer)) == ["FORBIDDEN"]


def test_a_lock_lifts_when_its_owner_hands_the_customer_on(world: World) -> None:
    customer = world.customer(owner="li")
    lock(world, "li", customer, reason="mine")

    assert world.li.do(transferring.transfer, [customer], world.ids["wu"]).ids == [customer]

    row = world.row(Customer, customer)
    assert [row[key] for key in ("locked_by_id", "locked_at", "lock_reason", "lock_expires_at")] == [None] * 4
    assert seen(world, "lead", Customer) == 1


def test_a_softer_house_rule_lets_others_read_what_they_may_not_change(world: World) -> None:
    customer = world.customer(owner="li")
    with world.backend.writer.engine.begin() as connection:
        text = current_text(connection).replace(
            "customer, touch, others, locked, deny", "customer, write, others, locked, deny"
        )
        put_in_force(connection, text, "softer", START)
        world.backend.refresh_policy(connection)
    lock(world, "li", customer)

    assert seen(world, "lead", Customer) == 1
    with unchanged(world):
        refusal = the(world.lead.do(transferring.transfer, [customer], world.ids["wu"]))
    assert refusal.say() == "C2026001 is locked by its owner. Ask the owner, or somebody who may unlock it."


def test_a_locked_customer_of_nobody_cannot_be_stored(world: World) -> None:
    organise(world, capacity=5)
    customer = world.customer(pool="north")
    with world.backend.writer.engine.connect() as connection, pytest.raises(Exception, match="lock_needs_owner"):
        connection.execute(
            Customer.__table__.update().where(Customer.id == customer).values(locked_by_id=world.ids["li"])  # type: ignore[attr-defined]
        )
    with pytest.raises(NotFound):
        world.wu.do(create_update.update, Customer, world.customer(owner="li"), {"name": "x"})
