"""The short ways of the write side: statements given to the driver as they are, and flushes without a unit of work."""

from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import bindparam, event, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from models import Customer, Event, OwnershipPeriod
from models.database.bypass import Because
from models.database.prepared import Prepared
from models.ownership import Began, Ended
from resolvers.ownership import periods
from resolvers.runtime.scope import Scope
from tests.support.world import START, World

BECAUSE = Because.FOLLOWS_CHECK
EVENTS: Any = Event.__table__
PERIODS: Any = OwnershipPeriod.__table__
TELL = Prepared(insert(EVENTS), ["at", "topic", "action", "record_id"])


def test_rows_come_back_as_the_columns_mean_them(world: World) -> None:
    customer = world.customer(owner="li")
    asked = select(PERIODS.c.began, PERIODS.c.started_at, PERIODS.c.ended).where(
        PERIODS.c.customer_id == bindparam("c")
    )

    with world.backend.writer.engine.connect() as connection:
        found = Prepared(asked, because=BECAUSE).rows(connection, c=customer)
        assert found == [tuple(row) for row in connection.execute(asked, {"c": customer})]
        assert found == [(Began.CREATE, START, None)]
        assert Prepared(asked, because=BECAUSE).first(connection, c=0) is None


def test_what_is_changed_is_counted_and_each_set_of_values_is_one_row(world: World) -> None:
    rows = [{"at": START, "topic": topic, "action": "x", "record_id": None} for topic in ("a", "b", "b")]
    rename = Prepared(update(EVENTS).where(EVENTS.c.topic == bindparam("old")), ["topic"])

    with world.backend.writer.engine.begin() as connection:
        TELL.run_each(connection, rows)
        assert rename.run(connection, old="b", topic="c") == 2
        assert rename.run(connection, old="b", topic="c") == 0

    assert [row["topic"] for row in world.rows(Event, EVENTS.c.action == "x")] == ["a", "c", "c"]


def test_what_the_database_refuses_is_the_error_that_sqlalchemy_raises(world: World) -> None:
    with world.backend.writer.engine.connect() as connection, pytest.raises(IntegrityError) as refused:
        TELL.run(connection, at=START, topic=None, action="x", record_id=None)
    assert "INSERT INTO event" in (refused.value.statement or "")


def test_a_value_that_is_missing_is_an_error_before_the_database_is_asked(world: World) -> None:
    with world.backend.writer.engine.connect() as connection, pytest.raises(KeyError):
        TELL.run(connection, at=START, topic="t", action="x")


def test_a_column_with_a_default_must_be_given_its_value(world: World) -> None:
    table: Any = Customer.__table__
    with world.backend.writer.engine.connect() as connection, pytest.raises(AssertionError, match="default"):
        Prepared(insert(table), ["name"], because=BECAUSE).run(connection, name="Acme")


def test_it_sees_what_the_session_was_still_to_write(world: World) -> None:
    customer = world.customer("Old", owner="li")
    asked = select(Customer.__table__.c.name).where(Customer.__table__.c.id == bindparam("id"))
    name = Prepared(asked, because=BECAUSE)

    def use_case(scope: Scope) -> Any:
        with scope.write("customer.edit") as db:
            scope.load(db, Customer, customer, to="edit").name = "New"
            return name.first(db, id=customer)

    assert world.li.do(use_case) == ("New",)


def test_a_change_does_not_flush_what_the_session_was_still_to_write(world: World) -> None:
    """A use case flushes where one can see it; the periods of ownership are no other place."""
    customer = world.customer("Old", owner="li")

    def use_case(scope: Scope) -> None:
        with scope.write("customer.edit") as db:
            row = scope.load(db, Customer, customer, to="edit")
            row.name = "New"
            TELL.run(db, at=START, topic="t", action="x", record_id=None)
            TELL.run_each(db, [{"at": START, "topic": "t", "action": "x", "record_id": None}])
            periods.end(db, customer, Ended.TRANSFER, START)
            periods.begin(db, row, Began.TRANSFER, START)
            assert list(db.dirty) == [row]
            db.flush()
            assert not list(db.dirty)

    world.li.do(use_case)

    assert world.row(Customer, customer)["name"] == "New"
    assert len(world.rows(OwnershipPeriod, PERIODS.c.customer_id == customer)) == 2


def test_a_savepoint_that_falls_takes_it_back(world: World) -> None:
    """A session begins its savepoints lazily; what goes past the session must lie inside them all the same."""

    def use_case(scope: Scope) -> None:
        with scope.write("customer.edit") as db:
            TELL.run(db, at=START, topic="kept", action="x", record_id=None)
            with suppress(ZeroDivisionError), scope.write("customer.edit") as inner:
                TELL.run(inner, at=START, topic="undone", action="x", record_id=None)
                raise ZeroDivisionError

    world.li.do(use_case)

    assert [row["topic"] for row in world.rows(Event, EVENTS.c.action == "x")] == ["kept"]


def test_a_use_case_that_goes_on_after_a_fallen_write_keeps_the_next_and_can_still_lose_it(world: World) -> None:
    def use_case(scope: Scope, *, fails: bool) -> None:
        for topic in ("first", "second", "third"):
            with suppress(ZeroDivisionError), scope.write("customer.edit") as db:
                TELL.run(db, at=START, topic=topic, action="x", record_id=None)
                _ = 1 / (topic == "second")
        if fails:
            raise LookupError

    with pytest.raises(LookupError):
        world.li.do(use_case, fails=True)
    assert world.rows(Event, EVENTS.c.action == "x") == []

    world.li.do(use_case, fails=False)
    assert [row["topic"] for row in world.rows(Event, EVENTS.c.action == "x")] == ["second"]


# --- flushes ---------------------------------------------------------------------------------------------


def _statements(world: World, use_case: Any, scope: Scope) -> list[str]:
    """What SQLAlchemy itself sends meanwhile; what is prepared it never hears of."""
    heard: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        heard.append(statement)

    event.listen(world.backend.writer.engine, "before_cursor_execute", hear)
    try:
        scope.do(use_case)
    finally:
        event.remove(world.backend.writer.engine, "before_cursor_execute", hear)
    return heard


def test_changed_columns_are_written_the_short_way_and_logged_like_any_change(world: World) -> None:
    customer = world.customer("Old", owner="li")
    mark, before = world.mark(), world.row(Customer, customer)

    def use_case(scope: Scope) -> None:
        with scope.write("customer.edit") as db:
            row = scope.load(db, Customer, customer, to="edit")
            row.name, row.remark = "New", None  # the second changes nothing
            db.flush()
            assert row.version == before["version"] + 1
            row.name = "Newer"

    heard = _statements(world, use_case, world.li)

    after = world.row(Customer, customer)
    assert not [statement for statement in heard if statement.startswith("UPDATE customer")]
    assert (after["name"], after["version"]) == ("Newer", before["version"] + 2)
    assert after["updated_by_id"] == world.ids["li"]
    assert [x["changes"] for x in world.log(since=mark)] == [{"name": ["Old", "New"]}, {"name": ["New", "Newer"]}]


def test_a_record_that_has_another_version_by_now_is_not_overwritten(world: World) -> None:
    customer = world.customer("Old", owner="li")
    table: Any = Customer.__table__

    def use_case(scope: Scope) -> None:
        with scope.write("customer.edit") as db:
            row = scope.load(db, Customer, customer, to="edit")
            rival = update(table).where(table.c.id == customer).values(version=table.c.version + 1)
            db.connection().execute(rival)
            row.name = "New"
            with pytest.raises(StaleDataError):
                db.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        world.li.do(use_case)
    assert world.row(Customer, customer)["name"] == "Old"


def test_a_fallen_savepoint_gives_records_back_as_they_were(world: World) -> None:
    customer = world.customer("Old", owner="li")

    def use_case(scope: Scope) -> str:
        with scope.write("customer.edit") as db:
            row = scope.load(db, Customer, customer, to="edit")
            with suppress(ZeroDivisionError), scope.write("customer.edit") as inner:
                row.name = "New"
                inner.flush()
                raise ZeroDivisionError
            return scope.load(db, Customer, customer, to="edit").name

    assert world.li.do(use_case) == "Old"
    assert world.row(Customer, customer)["name"] == "Old"
