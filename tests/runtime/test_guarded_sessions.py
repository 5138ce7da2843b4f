"""The read wall around whole sessions: relations, sessions that others make, and a read side that cannot write."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, joinedload, lazyload, selectinload, subqueryload

from models import Contact, Customer, Opportunity
from models.database.engines import ReadSession, WriteSession
from resolvers.customers import lock as locking
from resolvers.reading import pages
from resolvers.reading.clauses import open_to
from resolvers.reading.pages import ListRequest
from resolvers.runtime import read_guard
from resolvers.runtime.scope import Scope
from tests.support.reading_as import SIDES, Reading, furnish, seen_by
from tests.support.world import AS_STORED, World


@pytest.fixture
def stock(world: World) -> dict[str, int]:
    return furnish(world)


@pytest.mark.parametrize("side", SIDES)
def test_get_and_the_old_query_are_filtered_too(world: World, stock: dict[str, int], side: str) -> None:
    def look(db: Session) -> tuple[Any, ...]:
        return (
            db.get(Customer, stock["Hers"]),
            db.get(Customer, stock["Mine"]).name,
            db.query(Customer).count(),
            db.scalars(select(Customer.name).order_by(Customer.name)).all(),
        )

    assert seen_by(world, side, world.principal("li"), look) == (None, "Mine", 2, ["Mine", "Pooled"])


def _points(load: Any, db: Session) -> dict[str, list[str]]:
    rows = db.execute(select(Contact).options(load(Contact.points))).unique().scalars()
    return {row.name: [point.value for point in row.points] for row in rows}


def _pools(load: Any, db: Session) -> dict[str, str | None]:
    rows = db.execute(select(Customer).options(load(Customer.pool))).unique().scalars()
    return {row.name: row.pool and row.pool.name for row in rows}


def _deals(load: Any, db: Session) -> dict[str, tuple[Contact | None, str]]:
    both = select(Opportunity).options(load(Opportunity.contact), load(Opportunity.customer))
    return {row.name: (row.contact, row.customer.name) for row in db.execute(both).unique().scalars()}


EAGER = {"selectin": selectinload, "joined": joinedload, "subquery": subqueryload, "lazy": lazyload}


@pytest.mark.usefixtures("stock")
@pytest.mark.parametrize("side", SIDES)
def test_what_a_relation_brings_in_is_filtered_however_it_is_loaded(world: World, side: str) -> None:
    li, fin = world.principal("li"), world.principal("fin")
    for how, load in EAGER.items():
        points, pools, deals = (partial(look, load) for look in (_points, _pools, _deals))

        assert seen_by(world, side, li, points) == {"Ann of Mine": ["2000"], "Ann of Pooled": []}, how
        assert [seen_by(world, side, fin, points)[f"Ann of {name}"] for name in ("Mine", "Hers", "Pooled")] == [
            ["2000"],
            ["2001"],
            ["2002"],
        ], how
        assert seen_by(world, side, li, pools) == {"Mine": None, "Pooled": "North"}, how
        assert seen_by(world, side, fin, pools) == {"Mine": None, "Hers": None, "Pooled": None}, how
        assert seen_by(world, side, li, deals) == {"Deal": (None, "Mine")}, how


@pytest.mark.usefixtures("stock")
@pytest.mark.parametrize("side", SIDES)
def test_relations_of_relations_are_filtered(world: World, side: str) -> None:
    def look(db: Session) -> list[str | None]:
        pool = joinedload(Contact.customer).selectinload(Customer.pool)
        rows = db.execute(select(Contact).options(pool).order_by(Contact.id)).scalars()
        return [row.customer.pool and row.customer.pool.name for row in rows]

    assert seen_by(world, side, world.principal("li"), look) == [None, "North"]
    assert seen_by(world, side, world.principal("fin"), look) == [None, None, None]


# --- sessions that others make ---------------------------------------------------------------------------


@pytest.fixture
def as_li(world: World) -> Iterator[None]:
    token = read_guard.current.set((world.principal("li"), world.backend.policy))
    yield
    read_guard.current.reset(token)


def _names(db: Session) -> list[str]:
    return list(db.scalars(select(Customer.name).order_by(Customer.name)))


@pytest.mark.usefixtures("stock")
@pytest.mark.parametrize("kind", [ReadSession, WriteSession])
def test_a_session_belongs_to_whoever_was_there_when_it_was_made(world: World, kind: type[Session]) -> None:
    engine, policy = world.backend.writer.engine, world.backend.policy
    li, ada = world.principal("li"), world.principal("ada")
    with kind(engine) as nobodys:
        token = read_guard.current.set((li, policy))
        with kind(engine) as hers, kind(engine, info={"principal": ada, "policy": policy}) as adas:
            read_guard.current.reset(token)

            assert (_names(hers), hers.close()) == (["Mine", "Pooled"], None)
            assert (_names(adas), adas.close()) == (["Hers", "Mine", "Pooled"], None)
            token = read_guard.current.set((li, policy))
            assert _names(nobodys) == []
            read_guard.current.reset(token)


@pytest.mark.usefixtures("stock", "as_li")
def test_an_asynchronous_session_takes_the_current_principal(world: World) -> None:
    async def look() -> list[str]:
        async with world.backend.sessions() as db:
            found = list(await db.scalars(select(Customer.name).order_by(Customer.name)))
        await world.backend.stop_reading()
        return found

    assert asyncio.run(look()) == ["Mine", "Pooled"]


# --- the read side never writes --------------------------------------------------------------------------

WRITES = (
    "UPDATE customer SET name = 'X'",
    "DELETE FROM share",
    "INSERT INTO event (at, topic, action) VALUES ('2026-01-01T00:00:00.000Z', 'x', 'x')",
    "DROP TABLE share",
)


@pytest.mark.usefixtures("stock")
def test_the_database_itself_refuses_writes_on_the_reading_engine(world: World) -> None:
    before = world.everything()

    async def write(statement: str) -> None:
        try:
            async with world.backend.read_engine.begin() as connection:
                await connection.execute(text(statement))
        finally:
            await world.backend.stop_reading()

    for statement in WRITES:
        with pytest.raises(DBAPIError, match=r"readonly database|read-only transaction"):
            asyncio.run(write(statement))
    assert world.everything() == before


def test_raw_sql_that_passes_the_wall_cannot_write_on_the_read_side_either(world: World, stock: dict[str, int]) -> None:
    def write(db: Session) -> None:
        db.execute(text("UPDATE customer SET name = 'X'"), execution_options=AS_STORED)

    with pytest.raises(DBAPIError, match=r"readonly database|read-only transaction"):
        seen_by(world, "read", world.principal("ada"), write)
    assert world.row(Customer, stock["Mine"])["name"] == "Mine"


def test_a_read_session_flushes_nothing(world: World, stock: dict[str, int]) -> None:
    def rename(db: Session) -> None:
        db.get(Customer, stock["Mine"]).name = "X"
        db.flush()

    with pytest.raises(RuntimeError, match="the read side does not write"):
        seen_by(world, "read", world.principal("li"), rename)


@pytest.mark.parametrize("side", SIDES)
def test_the_old_bulk_methods_which_skip_every_wall_are_closed(world: World, side: str) -> None:
    calls: list[Reading] = [
        lambda db: db.bulk_save_objects([Customer(name="X")]),
        lambda db: db.bulk_insert_mappings(Customer, [{"name": "X"}]),
        lambda db: db.bulk_update_mappings(Customer, [{"id": 1, "name": "X"}]),
    ]
    for call in calls:
        with pytest.raises(RuntimeError, match="bulk methods skip the policy"):
            seen_by(world, side, world.principal("ada"), call)


def test_clauses_of_one_request_serve_the_next_at_the_time_of_that_one(world: World) -> None:
    locked = world.customer("Locked", "li")
    until = world.clock.now + timedelta(hours=1)
    world.li.do(locking.lock, [locked], until=until)
    asked = ListRequest(Customer, ("name", "locked"), search="Locked")

    def both(scope: Scope, db: Session) -> tuple[int, int]:
        rows = pages.page(scope, db, asked).rows
        return len(rows), len(db.execute(select(Customer.id)).all())

    before = world.lead
    assert world.run(before.read(both)) == (0, 0), "it is hidden from Li's lead"
    world.clock.pass_by(hours=2)
    after = world.lead
    assert world.run(after.read(both)) == (1, 1), "and shown once the lock has ended"
    assert open_to(after.viewer, "view", Customer) is open_to(before.viewer, "view", Customer)


def test_only_sessions_have_postgresql_plan_each_statement_for_its_values(world: World) -> None:
    if world.backend.dialect != "postgresql":
        pytest.skip("SQLite plans no other way")

    def mode(_scope: Scope, db: Session) -> str:
        return str(db.execute(text("SHOW plan_cache_mode"), execution_options=AS_STORED).scalar())

    assert world.run(world.li.read(mode)) == "force_custom_plan"
    assert world.run(world.backend.reads.rows("SHOW plan_cache_mode")) == [("auto",)]
