"""Other transactions and other processes beside the writer."""

import asyncio
import threading
from typing import Any

import pytest
from sqlalchemy import Engine, text, update
from sqlalchemy.exc import DBAPIError

from models import Customer
from models.database.engines import writing_engine
from models.errors import Busy
from resolvers.runtime.writer import TRIES, Unit
from tests.support.world import World
from tests.support.writer import Call, answers, note, topics


@pytest.fixture
def on_postgresql(world: World) -> World:
    if world.backend.dialect == "sqlite":
        pytest.skip("SQLite has one writer: nobody meets a rival")
    return world


# --- rivals on PostgreSQL --------------------------------------------------------------------------------


def holding(first: int, second: int, meet: threading.Barrier, runs: list[int]) -> Call:
    """Write to two customers, waiting in between until the rival has his first one: a circle, at the first run."""

    def call(unit: Unit) -> int:
        runs.append(first)
        for id in (first, second):
            unit.connection.execute(
                update(Customer.__table__).where(Customer.__table__.c.id == id).values(remark=str(first))
            )
            if id == first and runs.count(first) == 1:
                meet.wait(10)
        return first

    return call


def test_two_that_wait_for_each_other_both_succeed(on_postgresql: World) -> None:
    a, b = (on_postgresql.customer(name) for name in "AB")
    meet, runs = threading.Barrier(2), list[int]()

    found = on_postgresql.run(answers(on_postgresql, [holding(a, b, meet, runs), holding(b, a, meet, runs)]))

    assert found == [a, b]
    assert len(runs) == 3, "one of the two was undone and ran again"
    remarks = [on_postgresql.row(Customer, id)["remark"] for id in (a, b)]
    assert remarks in ([str(a)] * 2, [str(b)] * 2), "the one that came last wrote both"


def failing_with(state: str, times: int, runs: list[str]) -> Call:
    def call(unit: Unit) -> str:
        runs.append(state)
        note(f"run {len(runs)}")(unit)
        if len(runs) <= times:
            unit.connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$"))
        return "done"

    return call


@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_a_serialisation_failure_is_tried_again_from_the_beginning(on_postgresql: World, state: str) -> None:
    world = on_postgresql
    assert world.run(answers(world, [failing_with(state, 2, [])])) == ["done"]
    assert world.backend.writer.run(failing_with(state, 2, [])) == "done"
    assert topics(world) == ["run 3", "run 3"]

    runs: list[str] = []
    (error,) = world.run(answers(world, [failing_with(state, TRIES, runs)]))
    assert (isinstance(error, Busy), isinstance(error.__cause__, DBAPIError), len(runs)) == (True, True, TRIES)


@pytest.mark.long
def test_another_error_of_the_database_is_not_tried_again(on_postgresql: World) -> None:
    runs: list[str] = []

    (error,) = on_postgresql.run(answers(on_postgresql, [failing_with("P0001", 9, runs)]))

    assert (isinstance(error, DBAPIError), len(runs), topics(on_postgresql)) == (True, 1, [])


def test_a_connection_lost_before_the_commit_is_no_loss(on_postgresql: World, other: Engine) -> None:
    runs: list[int] = []

    def call(unit: Unit) -> str:
        runs.append(unit.connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
        note("once")(unit)
        if len(runs) == 1:
            with other.connect() as connection:
                connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": runs[0]})
        return str(note("twice")(unit))

    assert on_postgresql.run(answers(on_postgresql, [call])) == ["twice"]
    assert (len(runs), runs[0] != runs[1], topics(on_postgresql)) == (2, True, ["once", "twice"])


# --- the file held by another process (SQLite) -----------------------------------------------------------


def test_a_file_that_somebody_else_holds_is_waited_for(on_sqlite: World) -> None:
    other = writing_engine(on_sqlite.backend.url)
    with other.connect() as connection, connection.begin() as held:

        async def ask() -> Any:
            future = on_sqlite.backend.writer.submit(note("patient"))
            await asyncio.sleep(0.2)
            assert not future.done()
            held.commit()
            return await future

        assert on_sqlite.run(ask()) == "patient"
    other.dispose()
