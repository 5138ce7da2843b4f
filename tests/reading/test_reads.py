"""Reading at the driver: at once where that is quick, on a thread where it is not, and never a change."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from sqlalchemy import bindparam, select, text

from models import Customer
from models.base import Utc
from models.database.compiled import compile_statement
from models.database.reads import PostgresReads, SqliteReads
from tests.support.world import World

SLOW = {
    "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 200000) SELECT max(x) FROM n",
    "postgresql": "SELECT count(*) FROM generate_series(1, 2000000) AS n",
}


def reading(world: World, story: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
    return world.run(story(world.backend.reads))


def test_a_statement_is_compiled_once_and_asked_with_other_values(world: World) -> None:
    ids = [world.customer(name) for name in ("One", "Two")]
    asked = select(Customer.id).where(
        Customer.name == bindparam("name"), Customer.created_at <= bindparam("now", type_=Utc())
    )
    made = compile_statement(asked, world.backend.read_engine.dialect)

    for name, id in zip(("One", "Two"), ids, strict=True):
        given = {"name": name, "now": world.clock.now}
        assert reading(world, lambda reads, given=given: reads.rows(made.text, made.values(given))) == [(id,)]
    early = {"name": "One", "now": world.clock.now.replace(year=2020)}
    assert reading(world, lambda reads: reads.rows(made.text, made.values(early))) == []


def test_nothing_can_be_written(world: World) -> None:
    id = world.customer("Acme")
    for statement in (f"UPDATE customer SET name = 'x' WHERE id = {id}", "CREATE TABLE more (id INTEGER)"):
        with pytest.raises(Exception, match=r"(?i)read.?only"):
            reading(world, lambda reads, statement=statement: reads.rows(statement))
    assert world.row(Customer, id)["name"] == "Acme"


def test_every_statement_sees_what_was_committed_before_it(world: World) -> None:
    async def story(reads: Any) -> list[int]:
        counts = []
        for n in range(3):
            counts.append((await reads.rows("SELECT count(*) FROM customer"))[0][0])
            await asyncio.to_thread(world.customer, f"Acme {n}")
        return counts

    assert reading(world, story) == [0, 1, 2]


def test_what_takes_too_long_for_the_loop_goes_to_a_thread_and_its_like_at_once(world: World) -> None:
    reads = world.backend.reads
    if not isinstance(reads, SqliteReads):
        pytest.skip("PostgreSQL runs nothing on the event loop")
    for asked in range(2):
        assert reading(world, lambda reads: reads.rows(SLOW["sqlite"])) == [(200_000,)]
        assert (reads.inline, reads.aside) == (0, asked + 1)
    reading(world, lambda reads: reads.rows("SELECT 1"))
    assert (reads.inline, reads.aside) == (1, 2)


def test_the_loop_goes_on_while_something_slow_is_read(world: World) -> None:
    async def story(reads: Any) -> int:
        slow, turns = asyncio.ensure_future(reads.rows(SLOW[world.backend.dialect])), 0
        while not slow.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert reading(world, story) > 10


def test_who_stops_waiting_stops_the_statement(world: World) -> None:
    endless = SLOW[world.backend.dialect].replace("200000", "2000000000").replace("2000000)", "2000000000)")

    async def story(reads: Any) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await reads.rows(endless)
        assert await reads.rows("SELECT 1") == [(1,)]
        await reads.close()  # waits for its threads: far longer than a test may take, unless the statement has stopped

    reading(world, story)


def test_a_mistake_in_a_statement_costs_no_connection(world: World) -> None:
    async def story(reads: Any) -> None:
        for _ in range(20):
            with pytest.raises(Exception, match="nowhere"):
                await reads.rows("SELECT * FROM nowhere")
            assert await reads.rows("SELECT 1") == [(1,)]

    reading(world, story)


def test_a_server_that_was_away_is_asked_again(world: World) -> None:
    if not isinstance(world.backend.reads, PostgresReads):
        pytest.skip("SQLite has no server")

    async def story(reads: Any) -> None:
        assert await asyncio.gather(*(reads.rows("SELECT 1") for _ in range(3))) == [[(1,)]] * 3
        with world.backend.writer.engine.connect() as connection:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(text(others))
        for _ in range(4):
            assert await reads.rows("SELECT 1") == [(1,)]

    reading(world, story)


def test_readers_let_go_and_begin_again(world: World) -> None:
    async def story(reads: Any) -> None:
        for _ in range(2):
            assert await reads.rows("SELECT 1") == [(1,)]
            await reads.close()

    reading(world, story)
