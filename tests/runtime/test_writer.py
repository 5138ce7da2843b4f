"""The writer: who is answered when, what a failing use case takes with it, and how the house closes."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from structlog.testing import capture_logs

from models import AuditEntry, Customer, Event, OwnerLoad
from models.database.engines import writing_engine
from models.errors import Forbidden, Validation
from resolvers.records import create_update
from resolvers.runtime.scope import Scope
from resolvers.runtime.writer import TRIES, Unit
from tests.support.engines import at_length_on_postgresql
from tests.support.world import START, World

Call = Callable[[Unit], Any]


def note(topic: str, action: str = "x") -> Call:
    """A use case that leaves one row and says its name."""

    def call(unit: Unit) -> str:
        unit.connection.execute(insert(Event), {"at": START, "topic": topic, "action": action})
        return topic

    return call


def failing(topic: str, error: BaseException) -> Call:
    def call(unit: Unit) -> None:
        note(topic)(unit)
        raise error

    return call


def topics(world: World) -> list[str]:
    return [row["topic"] for row in world.rows(Event)]


async def answers(world: World, calls: list[Call]) -> list[Any]:
    """What each gets, an error as such; on SQLite they are one batch."""
    with world.backend.writer.hold():
        futures = [world.backend.writer.submit(call) for call in calls]
    return await asyncio.gather(*futures, return_exceptions=True)


@pytest.fixture
def other(world: World) -> Iterator[Engine]:
    """Connections of somebody else."""
    engine = writing_engine(world.backend.url)
    yield engine
    engine.dispose()


@pytest.fixture
def on_postgresql(world: World) -> World:
    if world.backend.dialect == "sqlite":
        pytest.skip("SQLite has one writer: nobody meets a rival")
    return world


@pytest.fixture
def on_sqlite(sqlite_url: str) -> Iterator[World]:
    world = World(sqlite_url)
    yield world
    world.close()


# --- batches ---------------------------------------------------------------------------------------------


def test_what_is_queued_becomes_one_commit_on_sqlite(on_sqlite: World) -> None:
    calls = [note(f"t{n}") for n in range(10)]

    found = on_sqlite.run(answers(on_sqlite, calls))

    assert found == topics(on_sqlite) == [f"t{n}" for n in range(10)]
    assert on_sqlite.backend.writer.commits == 1


def test_a_batch_has_a_largest_size(on_sqlite: World) -> None:
    on_sqlite.run(answers(on_sqlite, [note(f"t{n}") for n in range(130)]))

    assert (on_sqlite.backend.writer.commits, len(topics(on_sqlite))) == (3, 130)


def test_a_use_case_that_raises_undoes_itself_and_nobody_else(world: World) -> None:
    found = world.run(
        answers(
            world,
            [note("before"), failing("wrong", Validation("no", "否")), failing("bug", KeyError("k")), note("after")],
        )
    )

    assert [str(x) for x in found] == ["before", "no", "'k'", "after"]
    assert sorted(topics(world)) == ["after", "before"]


@at_length_on_postgresql
def test_a_broken_constraint_undoes_one_use_case_of_the_batch(world: World) -> None:
    def broken(unit: Unit) -> None:
        note("broken")(unit)
        unit.connection.execute(insert(OwnerLoad), {"user_id": 999_999, "held": 0})

    first, error, last = world.run(answers(world, [note("before"), broken, note("after")]))

    assert (first, type(error), last) == ("before", IntegrityError, "after")
    assert sorted(topics(world)) == ["after", "before"]


def deferred(world: World) -> Call:
    """A use case whose foreign key is only looked at by the COMMIT, which then fails."""

    def call(unit: Unit) -> str:
        if world.backend.dialect == "sqlite":
            unit.connection.execute(text("PRAGMA defer_foreign_keys = on"))
        note("deferred")(unit)
        unit.connection.execute(insert(OwnerLoad), {"user_id": 999_999, "held": 0})
        return "never said"

    return call


@pytest.fixture
def with_deferrable_keys(world: World) -> World:
    if world.backend.dialect == "postgresql":
        key = "ALTER TABLE owner_load ALTER CONSTRAINT fk_owner_load_user_id DEFERRABLE INITIALLY DEFERRED"
        with world.backend.writer.engine.begin() as connection:
            connection.execute(text(key))
    return world


def test_a_commit_that_fails_answers_nobody_and_the_innocent_succeed_alone(with_deferrable_keys: World) -> None:
    world, runs = with_deferrable_keys, []

    def counted(unit: Unit) -> str:
        runs.append(topics_at(unit))
        return str(note("innocent")(unit))

    found = world.run(answers(world, [counted, deferred(world), note("last")]))

    assert (found[0], type(found[1]), found[2]) == ("innocent", IntegrityError, "last")
    assert sorted(topics(world)) == ["innocent", "last"]
    if world.backend.dialect == "sqlite":
        assert (runs, world.backend.writer.commits) == ([[], []], 2)


def topics_at(unit: Unit) -> list[str]:
    return list(unit.connection.execute(select(Event.topic)).scalars())


@at_length_on_postgresql
def test_a_commit_that_fails_raises_for_who_runs_in_his_own_thread(with_deferrable_keys: World) -> None:
    world, after = with_deferrable_keys, []

    def call(unit: Unit) -> None:
        unit.after.append(lambda: after.append("told"))
        deferred(world)(unit)

    with pytest.raises(IntegrityError):
        world.backend.writer.run(call)

    assert (topics(world), after) == ([], [])


@pytest.mark.parametrize("raises", [True, False])
def test_when_sqlite_ends_the_whole_transaction_by_itself_the_innocent_run_again(
    on_sqlite: World, raises: bool
) -> None:
    """As after a full disk: then nothing of the batch counts, and what comes later must not run outside of one."""

    def rolled_back(unit: Unit) -> None:
        note("lost")(unit)
        unit.connection.connection.driver_connection.execute("ROLLBACK")  # type: ignore[union-attr]
        if raises:
            raise OSError("disk full")

    first, error, last = on_sqlite.run(answers(on_sqlite, [note("before"), rolled_back, note("after")]))

    assert (first, last) == ("before", "after")
    assert isinstance(error, Exception)
    assert topics(on_sqlite) == ["before", "after"]


@at_length_on_postgresql
def test_an_error_that_no_future_can_hold_still_reaches_its_caller(world: World) -> None:
    (error,) = world.run(answers(world, [failing("x", StopIteration())]))

    assert (type(error), str(error)) == (RuntimeError, "a use case raised StopIteration")
    assert topics(world) == []


# --- denied attempts -------------------------------------------------------------------------------------


@at_length_on_postgresql
def test_a_denied_attempt_is_logged_once_though_its_batch_had_to_run_twice(with_deferrable_keys: World) -> None:
    world, mark = with_deferrable_keys, with_deferrable_keys.mark()

    create = world.aud._bound(create_update.create, Customer, {"name": "A"})

    found = world.run(answers(world, [create, deferred(world)]))

    assert isinstance(found[0], Forbidden)
    assert [(x["outcome"], x["action"]) for x in world.log(since=mark)] == [("DENIED", "customer.create")]


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
    assert (isinstance(error, DBAPIError), len(runs)) == (True, TRIES)


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


# --- closing and loops -----------------------------------------------------------------------------------


def test_closing_finishes_what_is_queued_and_refuses_what_comes_later(world: World) -> None:
    async def ask() -> list[Any]:
        with world.backend.writer.hold():
            futures = [world.backend.writer.submit(note(f"t{n}")) for n in range(20)]
            closing = asyncio.ensure_future(world.backend.close())
            await asyncio.sleep(0.05)
            with pytest.raises(RuntimeError, match="the house is closed"):
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
    assert warned == ["a use case was done for somebody who is gone"]


@at_length_on_postgresql
def test_a_use_case_outside_the_writer_is_refused(world: World) -> None:
    with pytest.raises(RuntimeError, match=r"runs through scope\.run or scope\.do"), world.li.write("customer.edit"):
        pass
    assert world.count(AuditEntry, AuditEntry.outcome == "DENIED") == 0
