"""What Millpond uses of SQLAlchemy beyond its public API: each point, so that an upgrade tells what has moved."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import pytest
from sqlalchemy import ForeignKey, Select, bindparam, create_engine, event, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    mapped_column,
    relationship,
    selectinload,
    with_loader_criteria,
)

from models.base import Utc
from models.database import sqlalchemy_internals as internals

THEN = datetime(2026, 11, 28, tzinfo=UTC)
SQLITE = sqlite.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own
PSYCOPG: Any = postgresql.psycopg.dialect()
ASYNCPG: Any = postgresql.asyncpg.dialect()


class Base(DeclarativeBase):
    """Tables of this test alone, which no guard and no log knows of."""


class Pond(Base):
    """What fish live in."""

    __tablename__ = "pond"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    made: Mapped[datetime | None] = mapped_column(Utc)
    fish: Mapped[list["Fish"]] = relationship(back_populates="pond")


class Fish(Base):
    """What lives in a pond."""

    __tablename__ = "fish"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(default="nameless")
    pond_id: Mapped[int | None] = mapped_column(ForeignKey("pond.id"))
    pond: Mapped[Pond | None] = relationship(back_populates="fish")


PONDS: Any = Pond.__table__
FISH: Any = Fish.__table__


@pytest.fixture
def db() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine, expire_on_commit=False) as session:
        session.add(Pond(id=1, name="North", made=THEN))
        session.commit()
        yield session
    engine.dispose()


@pytest.fixture
def pond(db: Session) -> Pond:
    return db.get_one(Pond, 1)


def test_sqlalchemy_is_the_version_that_was_read() -> None:
    assert version("sqlalchemy").startswith("2.1.")


# --- compiled statements ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "text", "names"),
    [
        (SQLITE, "IN (?, ?) AND pond.name = ? AND pond.made < ?", ["id_1_1", "id_1_2", "name", "made_1"]),
        (ASYNCPG, "IN ($3::INTEGER, $4::INTEGER)", ["name", "made_1", "id_1_1", "id_1_2"]),
        (PSYCOPG, "pond.name = %(name)s::VARCHAR", ["id_1_1", "id_1_2", "made_1", "name"]),
    ],
)
def test_a_compiled_statement_names_its_parameters_in_their_order(
    dialect: Dialect, text: str, names: list[str]
) -> None:
    asked = select(PONDS.c.id).where(PONDS.c.id.in_([3, 4]), PONDS.c.name == bindparam("name"), PONDS.c.made < THEN)

    made = internals.compile_for(dialect, asked)

    assert text in made.text
    assert made.is_positional is (dialect is not PSYCOPG)
    assert [x.name for x in made.parameters if made.is_positional] == (names if made.is_positional else [])
    assert sorted(x.name for x in made.parameters) == sorted(names)
    by_name = {x.name: x for x in made.parameters}
    assert [x.name for x in made.parameters if x.is_required] == ["name"]
    assert (by_name["id_1_1"].value, by_name["id_1_2"].value, by_name["made_1"].value) == (3, 4, THEN)
    process = by_name["made_1"].process
    assert process is not None
    assert process(THEN) == ("2026-11-28T00:00:00.000Z" if dialect is SQLITE else THEN)


def test_a_compiled_statement_knows_the_types_of_its_columns() -> None:
    made = internals.compile_for(SQLITE, select(PONDS.c.made, func.count(PONDS.c.id)))

    assert [type(x) for x in made.types] == [Utc, type(func.count().type)]
    assert internals.compile_for(SQLITE, update(PONDS), ["name"]).types == ()


def test_a_default_that_python_would_fill_in_is_noticed() -> None:
    with pytest.raises(AssertionError, match="default"):
        internals.compile_for(SQLITE, insert(FISH), ["id"])
    assert internals.compile_for(SQLITE, insert(FISH).inline(), ["id", "name"]).parameters[1].name == "name"


def test_an_insert_tells_whether_it_returns_rows() -> None:
    assert not internals.returns_rows(insert(PONDS))
    assert internals.returns_rows(insert(PONDS).returning(PONDS.c.id))


def test_an_update_tells_which_columns_it_sets() -> None:
    assert internals.columns_set(update(PONDS)) == []
    assert internals.columns_set(update(PONDS).values(name="x").values({PONDS.c.made: THEN})) == ["name", "made"]


def test_an_error_of_the_driver_becomes_that_of_sqlalchemy(db: Session) -> None:
    connection, text = db.connection(), "INSERT INTO pond (id, name) VALUES (?, ?)"
    cursor: Any = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]  # it is open
    with pytest.raises(sqlite3.IntegrityError) as failed:
        cursor.execute(text, (2, "North"))
    with pytest.raises(IntegrityError) as refused:
        internals.raise_database_error(connection, failed.value, text, (2, "North"), cursor)
    assert (refused.value.statement, refused.value.params) == (text, (2, "North"))
    assert "UNIQUE" in str(refused.value.orig)


# --- the unit of work ------------------------------------------------------------------------------------


def test_a_session_needs_a_flush_while_something_waits_and_none_is_under_way(db: Session, pond: Pond) -> None:
    assert not internals.needs_flush(db)
    pond.name = "South"
    assert internals.needs_flush(db)
    assert internals.while_flushing(db, internals.needs_flush) is False
    with pytest.raises(ZeroDivisionError):
        internals.while_flushing(db, lambda _: bool(1 / 0))
    assert internals.needs_flush(db)


def test_no_query_flushes_while_the_session_counts_as_flushing(db: Session, pond: Pond) -> None:
    heard: list[str] = []
    event.listen(db.get_bind(), "before_cursor_execute", lambda _c, _k, statement, *_: heard.append(statement))
    pond.name = "South"

    internals.while_flushing(db, lambda session: bool(session.execute(select(PONDS.c.id)).all()))
    assert [text[:6] for text in heard] == ["SELECT"]
    db.execute(select(PONDS.c.id))
    assert [text[:6] for text in heard] == ["SELECT", "UPDATE", "SELECT"]


def test_the_listeners_of_a_flush_are_called_with_what_they_take(db: Session) -> None:
    heard: list[Any] = []
    event.listen(db, "before_flush", lambda session, context, rows: heard.append((session, context, rows)))
    event.listen(db, "after_flush", lambda session, context: heard.append((session, context)))

    internals.notify_before_flush(db)
    internals.notify_after_flush(db)

    assert heard == [(db, None, None), (db, None)]


def test_a_record_that_was_written_by_hand_is_clean_and_a_savepoint_gives_it_back(db: Session, pond: Pond) -> None:
    with db.begin_nested() as savepoint:
        pond.name = "South"
        with db.no_autoflush:
            db.execute(update(PONDS).values(name="South"))
        internals.mark_flushed(db, [internals.inspect(pond)])
        assert (list(db.dirty), dict(internals.former_values(pond))) == ([], {})
        savepoint.rollback()

    assert pond.name == "North"


def test_a_loaded_record_is_attached_as_it_is(db: Session, pond: Pond) -> None:
    db.expunge(pond)
    internals.attach_loaded(db, pond)

    assert pond in db
    assert (list(db.new), list(db.dirty)) == ([], [])
    pond.name = "South"
    db.flush()
    assert db.execute(select(PONDS.c.name)).scalar_one() == "South"


def test_a_record_knows_what_its_attributes_held_before(pond: Pond) -> None:
    assert dict(internals.former_values(pond)) == {}
    pond.name, pond.made = "South", None
    pond.name = "West"
    assert dict(internals.former_values(pond)) == {"name": "North", "made": THEN}


def test_an_attribute_can_be_told_to_load_its_former_value(db: Session, pond: Pond) -> None:
    attribute: Any = Pond.name
    assert attribute.impl.active_history is False
    internals.keep_former_value(attribute)
    try:
        db.expire(pond)
        pond.name = "South"
        assert dict(internals.former_values(pond)) == {"name": "North"}
    finally:
        attribute.impl.active_history = False


def test_what_was_put_into_a_column_or_relation_is_told_without_loading(db: Session, pond: Pond) -> None:
    fish = Fish(id=1, pond=pond)
    db.add(fish)
    assert list(internals.added_values(fish, "pond")) == [pond]
    assert list(internals.added_values(fish, "pond_id")) == []
    db.commit()
    db.expire(fish)
    heard: list[Any] = []
    event.listen(db.get_bind(), "before_cursor_execute", lambda *_: heard.append(_))
    assert list(internals.added_values(fish, "pond")) == list(internals.added_values(fish, "pond_id")) == []
    assert heard == []
    fish.pond_id = 7
    assert list(internals.added_values(fish, "pond_id")) == [7]


# --- what a statement is made of -------------------------------------------------------------------------


def test_a_statement_tells_whether_it_has_loader_options() -> None:
    assert not internals.has_loader_options(select(Pond))
    assert not internals.has_loader_options(insert(PONDS))
    assert internals.has_loader_options(select(Pond).options(selectinload(Pond.fish)))


def test_the_joins_of_a_statement() -> None:
    on = FISH.c.pond_id == PONDS.c.id
    by_relation, by_clause, full = internals.joins_of(
        select(Pond).join(Pond.fish).join(FISH, on).join(FISH.alias(), on, full=True)
    )

    assert (by_relation.onclause, by_relation.clauses) == (None, [])
    assert by_clause.clauses == [FISH, on]
    assert [join.is_full for join in (by_relation, by_clause, full)] == [False, False, True]


def test_the_parts_of_a_statement_beside_its_joins() -> None:
    shown, tested = PONDS.c.name, PONDS.c.id == 1
    parts = list(internals.parts_beside_joins(select(shown).join(FISH, FISH.c.pond_id == PONDS.c.id).where(tested)))

    assert any(part is shown for part in parts)
    assert any(part is tested or tested in part.get_children() for part in parts)
    assert not [part for part in parts if part is FISH]


OTHER = aliased(Pond)


@pytest.mark.parametrize(
    ("statement", "sources"),
    [
        (select(Pond), {Pond}),
        (select(Pond.name, OTHER.id), {Pond, OTHER}),
        (select(func.count()).select_from(Fish), {Fish}),
        (select(Fish.id).join(Fish.pond), {Fish, Pond}),
        (select(Fish.id).join(OTHER, OTHER.id == Fish.pond_id), {Fish, OTHER}),
        (select(Fish.id).outerjoin(Pond, Pond.id == Fish.pond_id), {Fish, Pond}),
        (select(PONDS.c.id), set()),
    ],
)
def test_the_mapped_sources_are_those_that_get_criteria(statement: Select[Any], sources: set[Any]) -> None:
    found = list(internals.mapped_sources(statement))

    assert {source.selectable for source in found} == {internals.inspect(source).selectable for source in sources}
    criteria = [with_loader_criteria(model, model.id == 77, include_aliases=True) for model in (Pond, Fish)]
    with_criteria = statement.options(*criteria).compile(dialect=SQLITE)
    assert str(with_criteria).count(".id = ?") == len(sources)


def test_what_a_subquery_correlates_with() -> None:
    outer, inner = frozenset([PONDS, FISH]), select(FISH.c.id).where(FISH.c.pond_id == PONDS.c.id)

    assert internals.correlated_with(inner, outer) == outer
    assert internals.correlated_with(inner.correlate(PONDS), outer) == {PONDS}
    assert internals.correlated_with(inner.correlate(None), outer) == frozenset()
    assert internals.correlated_with(inner.correlate_except(FISH), outer) == {PONDS}
