"""The sealer beside the server: it seals within a short while, outlives a database that is away, and ends when told."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from models import AuditSeal
from resolvers.audit.verification import verify
from resolvers.runtime.seal_files import SealFiles
from tasks import sealer
from tests.support.engines import at_length_on_postgresql
from tests.support.sealing import below_the_triggers
from tests.support.world import World

EVERYTHING = "SELECT count(*) FROM audit_entry WHERE id > (SELECT coalesce(max(last_id), 0) FROM audit_seal)"


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealer, "EVERY_SECONDS", 0.02)


def unsealed(world: World) -> int:
    with world.backend.writer.engine.connect() as connection:
        return int(connection.execute(text(EVERYTHING)).scalar_one())


async def until(met: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether it came true within that time."""
    for _ in range(int(seconds / 0.02)):
        if met():
            return True
        await asyncio.sleep(0.02)
    return False


def beside(world: World, story: Callable[[], Awaitable[Any]], sealers: int = 1) -> Any:
    """Tell a story while sealers run, and cancel them at its end."""

    async def tell() -> Any:
        tasks = [asyncio.ensure_future(sealer.keep_sealed(world.backend)) for _ in range(sealers)]
        try:
            return await story()
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert [type(x) for x in ended] == [asyncio.CancelledError] * sealers

    return world.run(tell())


def problems(world: World) -> list[str]:
    with world.backend.writer.engine.connect() as connection:
        return verify(connection).problems


def test_what_people_do_is_sealed_a_moment_later(world: World) -> None:
    async def story() -> None:
        assert await until(lambda: unsealed(world) == 0)
        seals = world.count(AuditSeal)
        await asyncio.to_thread(world.customer, "Acme")
        assert await until(lambda: unsealed(world) == 0)
        assert world.count(AuditSeal) == seals + 1

    beside(world, story)

    assert problems(world) == []


@at_length_on_postgresql
def test_while_nothing_happens_nothing_is_written(world: World) -> None:
    async def story() -> tuple[int, int]:
        assert await until(lambda: unsealed(world) == 0)
        await asyncio.sleep(0.1)
        before = world.backend.writer.commits
        await asyncio.sleep(0.2)
        return before, world.backend.writer.commits

    before, after = beside(world, story)
    assert before == after


def test_several_sealers_lay_one_row_of_seals(world: World) -> None:
    async def story() -> None:
        for number in range(10):
            await asyncio.to_thread(world.customer, f"Acme {number}")
        assert await until(lambda: unsealed(world) == 0)

    beside(world, story, sealers=3)

    spans = [(row["first_id"], row["last_id"]) for row in world.rows(AuditSeal)]
    assert [first for first, _ in spans] == [1, *(last + 1 for _, last in spans[:-1])]
    assert problems(world) == []


def test_it_outlives_a_database_that_is_away_and_mentions_it_once(world: World) -> None:
    def rename(before: str, after: str) -> None:
        with world.backend.writer.engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))

    async def story() -> None:
        assert await until(lambda: unsealed(world) == 0)
        await asyncio.to_thread(rename, "audit_seal", "away")
        await asyncio.sleep(0.3)
        await asyncio.to_thread(rename, "away", "audit_seal")
        await asyncio.to_thread(world.customer, "Acme")
        assert await until(lambda: unsealed(world) == 0)

    with capture_logs() as logs:
        beside(world, story)

    said = [line["event"] for line in logs]
    assert said == ["sealing waits for the database", "the database is back, sealing goes on"]
    assert problems(world) == []


def test_who_cancels_it_while_it_seals_can_close_the_house_at_once(world: World) -> None:
    async def story() -> None:
        with world.backend.writer.hold():
            task = asyncio.ensure_future(sealer.keep_sealed(world.backend))
            await asyncio.sleep(0.1)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
        await world.backend.close()

    world.run(story())

    assert world.backend.dialect == "postgresql" or unsealed(world) == 0
    assert problems(world) == []


def test_it_anchors_what_it_seals_and_never_a_log_that_was_cut_off(world: World, tmp_path: Path) -> None:
    files = world.backend.seal_files = SealFiles(tmp_path / "key", tmp_path / "anchor")

    def newest() -> int:
        return max((row["id"] for row in world.rows(AuditSeal)), default=0)

    def anchored() -> bool:
        found = files.read_anchor()
        return found is not None and unsealed(world) == 0 and found.seal_id == newest()

    async def story() -> None:
        await asyncio.sleep(0.1)
        await asyncio.to_thread(files.add_key)  # until there is one, nothing is sealed
        assert await until(anchored)
        await asyncio.to_thread(world.customer, "Acme")
        assert await until(anchored)
        with below_the_triggers(world) as connection:
            connection.execute(text("DELETE FROM audit_seal WHERE id = (SELECT max(id) FROM audit_seal)"))
        before = files.read_anchor()
        await asyncio.to_thread(world.customer, "Later")
        assert await until(lambda: unsealed(world) == 0)
        await asyncio.sleep(0.2)
        assert files.read_anchor() == before

    with capture_logs() as logs:
        beside(world, story)

    missing, forged = logs
    assert missing["event"].startswith("There is no key of the operation log")
    assert forged["event"] == "the operation log contradicts its anchor"
    assert forged["problem"].startswith(("the log was cut off: ", "the log was written anew: "))
    assert {row["key_id"] for row in world.rows(AuditSeal)} == {key.id for key in files.read_keys().values()}
