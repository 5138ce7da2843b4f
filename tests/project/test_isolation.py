"""Tests share databases, sessions and compiled statements, and learn nothing of one another."""

from pathlib import Path

import pytest
from sqlalchemy import text

from models import Customer
from models.database.engines import writing_engine
from tests.support.databases import Prepared
from tests.support.groups import TOGETHER, group_of
from tests.support.terminal import ROOT
from tests.support.world import World


def content(url: str) -> tuple[object, ...]:
    """All rows, the log, and the ids that the next records have."""
    world = World(url)
    try:
        before = world.everything(), world.log()
        return *before, world.customer("Next", "li"), world.mark()
    finally:
        world.close()


def test_what_a_test_has_changed_is_put_back(url: str, small_world: Prepared, tmp_path: Path) -> None:
    engine = "sqlite" if url.startswith("sqlite") else "postgresql"
    before = content(url)
    world = World(url := small_world.copy(engine, tmp_path))
    world.customer("Acme", "li")
    with world.backend.writer.engine.begin() as connection:
        connection.execute(text("UPDATE app_user SET name = 'X' WHERE login = 'li'"))
        connection.execute(text("DELETE FROM pool_member"))
    world.close()
    assert content(url) != before

    assert content(small_world.copy(engine, tmp_path)) == before


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "change", ["ALTER TABLE customer ADD COLUMN more text", "DROP TABLE share CASCADE", "DROP SCHEMA seed CASCADE"]
)
def test_after_a_change_of_tables_the_database_is_a_new_copy(
    url: str, change: str, small_world: Prepared, tmp_path: Path
) -> None:
    before, engine = content(url), writing_engine(url)
    with engine.begin() as connection:
        connection.execute(text(change))
    engine.dispose()

    assert content(small_world.copy("postgresql", tmp_path)) == before


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_session_that_is_used_again_is_as_a_new_one(url: str) -> None:
    engine = writing_engine(url)
    _, named = engine.dialect.create_connect_args(engine.url)
    session = engine.dialect.connect(**named)
    session.execute("SET work_mem = '1MB'; CREATE TEMP TABLE mine (n int); SELECT pg_advisory_lock(1)")
    session.commit()
    session.execute("DELETE FROM pool_member")
    for _ in range(2):  # the second time by mistake
        engine.dialect.do_close(session)

    again, another = (engine.dialect.connect(**named) for _ in range(2))

    assert again is session
    assert another is not session
    asked = "SELECT current_setting('work_mem'), to_regclass('pg_temp.mine'), count(*) FROM pool_member"
    assert again.execute(asked).fetchone() == ("4MB", None, 4)
    mine = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    assert again.execute(mine).fetchone() == (0,)
    for each in (again, another):
        engine.dialect.do_terminate(each)


def test_engines_share_what_is_compiled_and_nothing_else(url: str) -> None:
    one, two = writing_engine(url), writing_engine(url)
    query = Customer.__table__.select()
    with one.connect() as connection:
        compiled = connection.execute(query).context.compiled
    with two.connect() as connection:
        assert connection.execute(query).context.compiled is compiled

    assert one.pool is not two.pool
    assert one.dialect is two.dialect
    one.dispose()
    two.dispose()


def test_what_shares_a_browser_or_a_demo_runs_on_one_worker() -> None:
    files = {f"tests/{file}" for together in TOGETHER.values() for file in together}

    assert [file for file in files if not (ROOT / file).is_file()] == []
    assert {group_of(f"{file}::test_it[sqlite]") for file in files} == TOGETHER.keys()
    assert group_of("tests/panel/test_words.py::test_it[a]") == "tests/panel/test_words.py::test_it[a]"
    tests = ROOT.glob("tests/**/test_*.py")
    browsing = {path for path in tests if "\nfrom tests.support.browser import" in path.read_text(encoding="utf-8")}
    assert {path.relative_to(ROOT).as_posix() for path in browsing} == {f"tests/{file}" for file in TOGETHER["browser"]}
