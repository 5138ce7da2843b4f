"""The writer: who is answered when, what a failing use case takes with it, and how the house closes."""

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from models import Customer, Event, OwnerLoad
from models.errors import Forbidden, Validation
from resolvers.records import create_update
from resolvers.runtime.writer import Unit
from tests.support.engines import at_length_on_postgresql
from tests.support.world import World
from tests.support.writer import Call, answers, note, topics


def failing(topic: str, error: BaseException) -> Call:
    def call(unit: Unit) -> None:
        note(topic)(unit)
        raise error

    return call


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
