"""What a caller is answered, when, and in which loop; nesting and closing."""

import asyncio
import threading
from collections.abc import Awaitable
from typing import Any

import pytest
from sqlalchemy import Engine, select
from structlog.testing import capture_logs

from models import AuditEntry, Customer, Event
from models.errors import Validation
from resolvers.records import create_update
from resolvers.runtime.scope import Scope
from resolvers.runtime.writer import Unit
from tests.support.engines import at_length_on_postgresql
from tests.support.world import World
from tests.support.writer import answers, note, topics

# --- answers ---------------------------------------------------------------------------------------------


def test_nobody_is_answered_before_everybody_else_can_see_his_change(world: World, other: Engine) -> None:
    seen: dict[str, list[str]] = {}

    def look(answered: "asyncio.Future[str]") -> None:
        with other.connect() as connection:
            seen[answered.result()] = list(connection.execute(select(Event.topic)).scalars())

    async def ask() -> None:
        with world.backend.writer.hold():
            futures = [world.backend.writer.submit(note(topic)) for topic in "abc"]
            for future in futures:
                future.add_done_callback(look)
        await asyncio.gather(*futures)

    world.run(ask())

    assert sorted(seen) == ["a", "b", "c"]
    assert [topic for topic, rows in seen.items() if topic not in rows] == []


@at_length_on_postgresql
def test_what_follows_a_commit_runs_on_the_loop_after_it_and_after_the_answer(world: World) -> None:
    told: list[Any] = []

    def use_case(scope: Scope) -> str:
        with scope.write("customer.create") as db:
            scope.tell(db, "pool:1", None)
            scope.after_commit(lambda: told.append((threading.current_thread(), topics(world))))
            return "done"

    assert world.run(world.system.run(use_case)) == "done"
    world.run(asyncio.sleep(0))

    assert told == [(threading.current_thread(), ["pool:1"])]


@at_length_on_postgresql
def test_nothing_follows_a_use_case_that_was_undone(world: World) -> None:
    told: list[str] = []

    def refused(scope: Scope) -> None:
        scope.after_commit(lambda: told.append("told"))
        raise Validation("no", "否")

    with pytest.raises(Validation):
        world.run(world.system.run(refused))
    with pytest.raises(Validation):
        world.system.do(refused)
    world.run(asyncio.sleep(0))

    assert told == []


@at_length_on_postgresql
def test_what_breaks_after_the_commit_loses_neither_the_answer_nor_what_follows_too(world: World) -> None:
    told: list[str] = []

    def use_case(scope: Scope) -> str:
        scope.after_commit(lambda: 1 / 0)  # type: ignore[arg-type,return-value]
        scope.after_commit(lambda: told.append("told"))
        return "done"

    with capture_logs() as logs:
        assert world.run(world.system.run(use_case)) == "done"
        world.run(asyncio.sleep(0))
        assert world.system.do(use_case) == "done"

    assert told == ["told", "told"]
    assert [line["event"] for line in logs] == ["what should follow a commit broke"] * 2


def test_a_caller_who_goes_away_harms_nobody_and_his_change_stands(world: World) -> None:
    told: list[str] = []

    def use_case(unit: Unit) -> None:
        note("his")(unit)
        unit.after.append(lambda: told.append("told"))

    async def leave() -> str:
        with world.backend.writer.hold():
            gone = asyncio.ensure_future(_awaiting(world.backend.writer.submit(use_case)))
            hers = world.backend.writer.submit(note("hers"))
            await asyncio.sleep(0)
            gone.cancel()
            await asyncio.wait([gone])
        answer: str = await hers
        for _ in range(200):
            if told:
                break
            await asyncio.sleep(0.01)
        return answer

    assert world.run(leave()) == "hers"
    assert (sorted(topics(world)), told) == (["hers", "his"], ["told"])


async def _awaiting(future: Awaitable[Any]) -> Any:
    return await future


# --- nesting ---------------------------------------------------------------------------------------------


@at_length_on_postgresql
def test_a_use_case_inside_another_is_a_savepoint_of_it(world: World) -> None:
    id = world.customer("Acme")

    def outer(scope: Scope) -> None:
        create_update.update(scope, Customer, id, {"name": "Outer"})
        with scope.write("customer.edit"):
            create_update.update(scope, Customer, id, {"phone": "123"})
            with pytest.raises(Validation):
                create_update.update(scope, Customer, id, {"name": None})
            with pytest.raises(ZeroDivisionError):
                half_done(scope, id)
            create_update.update(scope, Customer, id, {"email": "a@b.cn"})

    world.system.do(outer)

    row = world.row(Customer, id)
    assert (row["name"], row["phone"], row["email"], row["remark"]) == ("Outer", "123", "a@b.cn", None)


def half_done(scope: Scope, id: int) -> None:
    with scope.write("customer.edit"):
        create_update.update(scope, Customer, id, {"remark": "half"})
        raise ZeroDivisionError


# --- closing and loops -----------------------------------------------------------------------------------


def test_closing_finishes_what_is_queued_and_refuses_what_comes_later(world: World) -> None:
    async def ask() -> list[Any]:
        with world.backend.writer.hold():
            futures = [world.backend.writer.submit(note(f"t{n}")) for n in range(20)]
            closing = asyncio.ensure_future(world.backend.close())
            await asyncio.sleep(0.05)
            with pytest.raises(RuntimeError, match="the writer is closed"):
                world.backend.writer.submit(note("late"))
        await closing
        return await asyncio.gather(*futures)

    assert world.run(ask()) == [f"t{n}" for n in range(20)]
    assert len(topics(world)) == 20
    world.backend.writer.close()  # twice is once


def test_several_loops_are_each_answered_in_their_own(world: World) -> None:
    found: dict[int, list[Any]] = {}

    async def ask(loop: int) -> list[Any]:
        def own(unit: Unit) -> str:
            unit.after.append(lambda: threads.setdefault(threading.current_thread().name, []).append(loop))
            return str(note(f"{loop}")(unit))

        answers = await asyncio.gather(*(world.backend.writer.submit(own) for _ in range(5)))
        await asyncio.sleep(0)
        return answers

    threads: dict[str, list[int]] = {}
    running = [
        threading.Thread(target=lambda n=n: found.update({n: asyncio.run(ask(n))}), name=f"loop {n}") for n in range(3)
    ]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(20)

    assert found == {n: [str(n)] * 5 for n in range(3)}
    assert threads == {f"loop {n}": [n] * 5 for n in range(3)}
    assert world.count(Event) == 15


def test_a_loop_that_has_ended_keeps_nobody_from_his_answer(on_sqlite: World) -> None:
    world = on_sqlite

    async def leave() -> None:
        world.backend.writer.submit(note("his"))

    with capture_logs() as logs, world.backend.writer.hold():
        gone = asyncio.new_event_loop()
        gone.run_until_complete(leave())
        gone.close()

    with capture_logs() as more:
        assert world.run(answers(world, [note("hers")])) == ["hers"]
        world.backend.writer.close()
    assert sorted(topics(world)) == ["hers", "his"]
    warned = [line["event"] for line in (*logs, *more) if line["log_level"] == "warning"]
    assert warned == ["a use case was done for a caller who is gone"]


@at_length_on_postgresql
def test_a_use_case_outside_the_writer_is_refused(world: World) -> None:
    with pytest.raises(RuntimeError, match=r"runs through scope\.run or scope\.do"), world.li.write("customer.edit"):
        pass
    assert world.count(AuditEntry, AuditEntry.outcome == "DENIED") == 0
