"""The house's own check finds every fault that is planted, names it, and finds nothing else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, insert, text, update

from models import (
    Base,
    Contact,
    Customer,
    Department,
    NumberCounter,
    OwnerLoad,
    OwnershipPeriod,
    Pool,
    QuotaCounter,
    Tombstone,
    User,
)
from models.ownership import Began
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.pool import release as releasing
from resolvers.records import create_update
from resolvers.setup.invariants import MOST, broken
from tests.support.claim_checks import change, claim, organise, used, whole
from tests.support.world import START, World

NEVER = text(
    "ALTER TABLE customer DROP CONSTRAINT ck_customer_owner_xor_pool, DROP CONSTRAINT ck_customer_lock_needs_owner"
)


def lived_in(world: World) -> World:
    """Two customers of Li's (one created, one claimed), one in the pool, one in the bin, one purged."""
    world.rule("north", daily_quota=9)
    world.customer("Created", owner="li")
    claimed, _pooled = world.customer("Claimed", pool="north"), world.customer("Pooled", pool="north")
    binned, purged = world.customer("Binned", owner="wu"), world.customer("Purged", owner="wu")
    claim(world, "li", claimed)
    world.system.do(create_update.delete, Customer, [binned, purged])
    world.system.do(create_update.purge, Customer, [purged], confirm=True)
    assert [row["number"] for row in world.rows(Customer)] == ["C2026001", "C2026002", "C2026003", "C2026004"]
    return world


@contextmanager
def planted(world: World, statement: Any) -> Iterator[list[str]]:
    """What the check finds after a change below everything that would refuse it; the change is taken back."""
    with world.backend.writer.engine.connect() as connection:
        if world.backend.dialect == "sqlite":
            connection.exec_driver_sql("PRAGMA ignore_check_constraints=on")
        else:
            connection.execute(NEVER)
        connection.execute(text("DROP INDEX uq_ownership_period_open"))
        connection.execute(statement)
        yield broken(connection)
        connection.rollback()
        if world.backend.dialect == "sqlite":
            connection.exec_driver_sql("PRAGMA ignore_check_constraints=off")


def numbered(number: str, **values: Any) -> Any:
    return update(Customer).where(Customer.number == number).values(**values)


def row(model: type[Base], *where: Any, **values: Any) -> Any:
    return update(model).where(*where).values(**values)


Plant = Callable[[dict[str, int]], Any]

FAULTS: dict[str, tuple[Plant, list[str]]] = {
    "owner and pool": (
        lambda ids: numbered("C2026001", pool_id=ids["north"], pooled_at=START),
        ["Customer C2026001 has both an owner and a pool."],
    ),
    "neither owner nor pool": (
        lambda _ids: numbered("C2026003", pool_id=None),
        ["Customer C2026003 has neither an owner nor a pool."],
    ),
    "a lock of nobody's": (
        lambda ids: numbered("C2026003", locked_by_id=ids["li"]),
        ["Customer C2026003 is locked and has no owner."],
    ),
    "no time of arrival": (
        lambda _ids: numbered("C2026003", pooled_at=None),
        ["Customer C2026003 lies in a pool since nobody knows when."],
    ),
    "a pool in the bin": (
        lambda ids: row(Pool, Pool.id == ids["north"], deleted_at=START),
        ["Customer C2026003 lies in a pool that is in the bin."],
    ),
    "no period": (
        lambda _ids: delete(OwnershipPeriod).where(OwnershipPeriod.began == Began.CREATE),
        ["Customer C2026001 has 0 open ownership periods instead of 1."],
    ),
    "two periods": (
        lambda ids: insert(OwnershipPeriod).values(
            customer_id=1, owner_id=ids["li"], began=Began.CREATE, started_at=START
        ),
        ["Customer C2026001 has 2 open ownership periods instead of 1."],
    ),
    "a period in the pool": (
        lambda ids: insert(OwnershipPeriod).values(
            customer_id=3, owner_id=ids["li"], began=Began.CREATE, started_at=START
        ),
        ["Customer C2026003 has 1 open ownership periods instead of 0."],
    ),
    "a period in the bin": (
        lambda _ids: row(OwnershipPeriod, OwnershipPeriod.customer_id == 4, ended=None, ended_at=None),
        ["Customer C2026004 has 1 open ownership periods instead of 0."],
    ),
    "a period of another": (
        lambda ids: row(OwnershipPeriod, OwnershipPeriod.customer_id == 1, owner_id=ids["wu"]),
        ["Customer C2026001 has an open ownership period of person {wu}, but its owner is {li}."],
    ),
    "a wrong department": (
        lambda ids: numbered("C2026001", department_id=ids["west"]),
        ["Customer C2026001 is kept under department {west}, but its owner belongs to {east}."],
    ),
    "a department in the pool": (
        lambda ids: numbered("C2026003", department_id=ids["west"]),
        ["Customer C2026003 is kept under department {west}, but its owner belongs to None."],
    ),
    "a wrong path": (
        lambda ids: row(Department, Department.id == ids["west"], path="/9/"),
        ["Department West has the path /9/ instead of /{house}/{west}/."],
    ),
    "a counter too high": (
        lambda ids: row(OwnerLoad, OwnerLoad.user_id == ids["li"], held=3),
        ["Person {li} holds 2 customers, but the counter shows 3."],
    ),
    "no counter": (
        lambda ids: delete(OwnerLoad).where(OwnerLoad.user_id == ids["li"]),
        ["Person {li} holds 2 customers, but the counter shows 0."],
    ),
    "a counter of somebody without any": (
        lambda ids: row(OwnerLoad, OwnerLoad.user_id == ids["wu"], held=1),
        ["Person {wu} holds 0 customers, but the counter shows 1."],
    ),
    "a quota nobody used": (
        lambda ids: row(QuotaCounter, QuotaCounter.user_id == ids["li"], used=3),  # one of them may have been purged
        ["Person {li} claimed 1 customers from pool {north} in 2026-11-24, but the counter shows 3."],
    ),
    "a counter behind its numbers": (
        lambda _ids: row(NumberCounter, NumberCounter.period == "C2026#", last=3),
        ["The number 5 of C2026# was given, but the counter shows 3."],
    ),
}


def test_nothing_is_wrong_with_a_world_that_people_made(world: World) -> None:
    assert whole(world) == []
    assert whole(lived_in(world)) == []


def test_every_planted_fault_is_found_and_named_and_nothing_else(world: World) -> None:
    lived_in(world)

    for fault, (statement, sentences) in FAULTS.items():
        with planted(world, statement(world.ids)) as found:
            assert found == [sentence.format_map(world.ids) for sentence in sentences], fault
    assert whole(world) == []


def test_purged_numbers_count_too(world: World) -> None:
    lived_in(world)
    behind = row(NumberCounter, NumberCounter.period == "C2026#", last=4)

    with planted(world, behind) as found:
        assert found == ["The number 5 of C2026# was given, but the counter shows 4."]
    with world.backend.writer.engine.begin() as connection:
        connection.execute(delete(Tombstone))
    with planted(world, behind) as found:
        assert found == []


def test_many_faults_of_a_kind_are_counted_and_not_all_listed(world: World) -> None:
    for n in range(MOST + 5):
        world.customer(str(n), owner="li")

    with planted(world, update(Customer).values(department_id=world.ids["west"])) as found:
        assert len(found) == MOST + 1
        assert found[-1] == "and 5 more like the last"


def test_a_limit_set_at_noon_and_a_zone_changed_at_night_are_no_faults(world: World) -> None:
    ids = [world.customer(str(n), pool="north") for n in range(4)]
    claim(world, "li", ids[0])
    world.rule("north", daily_quota=3, weekly_quota=3)
    claim(world, "li", ids[1])
    world.clock.pass_by(hours=9)
    claim(world, "li", ids[2])
    assert used(world, "li") == {"2026-11-24": 2, "2026-W48": 2}
    assert whole(world) == []

    organise(world, time_zone="Asia/Shanghai")  # where that last claim was on the 25th

    assert whole(world) == []
    world.clock.pass_by(days=7)
    claim(world, "li", ids[3])
    with planted(world, row(QuotaCounter, QuotaCounter.period == "2026-12-02", used=2)) as found:
        (fault,) = found
        assert fault.endswith(" in 2026-12-02, but the counter shows 2.")


def test_a_long_life_leaves_the_books_in_order(world: World) -> None:
    world.rule("north", daily_quota=9, weekly_quota=9, cooldown_days=0)
    customer, other = world.customer("A", pool="north"), world.customer("B", owner="wu")
    claim(world, "li", customer)
    world.make(Contact, customer_id=customer, name="Ms Chen", owner_id=world.ids["li"])
    world.li.do(locking.lock, [customer])
    world.lead.do(locking.unlock, [customer])
    world.li.do(transferring.transfer, [customer], world.ids["mei"])
    change(world, User, world.ids["mei"], department_id=world.ids["east"])
    change(world, Department, world.ids["east"], parent_id=world.ids["west"])
    world.clock.pass_by(days=1)
    world.mei.do(releasing.release, [customer], world.ids["south"])
    world.lead.do(create_update.delete, Customer, [other])
    world.lead.do(create_update.restore, Customer, [other])
    change(world, User, world.ids["wu"], active=False)
    world.system.do(create_update.delete, Customer, [customer])
    world.clock.pass_by(days=1)
    world.system.do(create_update.purge, Customer, [customer], confirm=True)

    assert whole(world) == []
    assert world.clock.now == START + timedelta(days=2)
