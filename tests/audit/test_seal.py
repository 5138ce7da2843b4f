"""Seals over the operation log: what they cover, what they prove, and when they wait."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from millpond.database import look
from models import AuditSeal
from models.audit.proof import seal_hash
from resolvers.audit import malformed_rows, seal
from resolvers.audit.seal import FIRST, Horizon
from tests.support.engines import at_length_on_postgresql
from tests.support.sealing import draw, look_at, problems, sealed, three_seals, verified
from tests.support.world import START, World


def settled(world: World, horizon: Horizon) -> int:
    """Let the sealer look again with the horizon of an earlier look until it seals something; gives how much."""
    end = time.monotonic() + 10
    while not (laid := look_at(world, horizon)) and time.monotonic() < end:
        time.sleep(0.02)
    return laid


# --- laying ----------------------------------------------------------------------------------------------


def test_seals_cover_everything_in_order_each_over_the_one_before(world: World) -> None:
    newest = world.mark()
    world.clock.pass_by(seconds=5)

    first, second, third = three_seals(world)

    assert (first["first_id"], first["last_id"], first["previous_hash"]) == (1, newest, FIRST)
    assert (second["first_id"], second["last_id"], second["count"]) == (newest + 1, newest + 3, 3)
    assert (third["first_id"], third["last_id"], third["count"]) == (newest + 4, newest + 5, 2)
    assert (second["previous_hash"], third["previous_hash"]) == (first["hash"], second["hash"])
    assert first["at"] == START + timedelta(seconds=5)
    hashes = [(row["id"], row["hash"]) for row in world.log(since=newest + 3)]
    assert (third["hash"], 2) == seal_hash(second["hash"], third["at"], newest + 4, newest + 5, hashes)

    report = verified(world)
    assert (report.entries, report.seals, report.problems) == (newest + 5, 3, [])


@at_length_on_postgresql
def test_nothing_new_gives_no_new_seal(world: World) -> None:
    sealed(world)

    assert sealed(world) == 0
    assert world.count(AuditSeal) == 1


def test_a_long_backlog_becomes_several_seals(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "LARGEST", 20)
    monkeypatch.setattr(malformed_rows, "PAGE", 7)
    newest = world.mark()

    assert sealed(world) == newest

    full, rest = divmod(newest, 20)
    assert [row["count"] for row in world.rows(AuditSeal)] == [*[20] * full, *([rest] if rest else [])]
    report = verified(world)
    assert (report.entries, report.problems) == (newest, [])


def test_whether_a_seal_is_due_is_seen_without_writing(world: World) -> None:
    assert look(world.backend.url, seal.is_due)
    sealed(world)
    assert not look(world.backend.url, seal.is_due)
    world.customer("Acme")
    assert look(world.backend.url, seal.is_due)


def test_of_two_sealers_at_the_same_moment_one_does_nothing(world: World) -> None:
    if world.backend.dialect == "sqlite":
        pytest.skip("SQLite lets one writer in at a time")
    horizon, newest = Horizon(), world.mark()
    sealed(world, horizon)
    until = time.monotonic() + 10

    with world.backend.writer.engine.begin() as first:
        while not (laid := seal.seal(first, world.clock.now, horizon)) and time.monotonic() < until:
            time.sleep(0.02)
        assert laid == newest
        assert sealed(world, Horizon()) == 0
        assert sealed(world, Horizon(drawn=newest, transaction=1)) == 0

    assert [row["count"] for row in world.rows(AuditSeal)] == [newest]


def test_who_draws_early_and_commits_late_is_sealed_with_his_entries_and_never_without(
    world: World, rivals: Engine
) -> None:
    horizon = Horizon()
    assert (sealed(world, horizon), settled(world, horizon)) == (0, world.mark())
    newest = world.mark()

    with rivals.connect() as late, late.begin():
        draw(late, 1, 2)
        world.customer("Acme")  # draws later, is there at once
        for _ in range(4):
            assert sealed(world, horizon) == 0
            assert problems(world) == []
    assert [row["id"] for row in world.log(since=newest)] == [newest + 1, newest + 2, newest + 3]

    assert settled(world, horizon) == 3
    last = world.rows(AuditSeal)[-1]
    assert (last["first_id"], last["last_id"], last["count"]) == (newest + 1, newest + 3, 3)
    assert problems(world) == []


def test_who_has_a_transaction_number_and_draws_after_the_first_look_is_waited_for(
    world: World, rivals: Engine
) -> None:
    horizon, newest = Horizon(), world.mark()
    with rivals.connect() as late, late.begin():
        late.execute(text("SELECT pg_current_xact_id()"))
        assert sealed(world, horizon) == 0
        draw(late, 1)
        assert sealed(world, horizon) == 0

    assert settled(world, horizon) == newest
    assert settled(world, horizon) == 1
    assert problems(world) == []


def test_who_begins_after_the_first_look_is_not_waited_for_and_comes_with_the_next_seal(
    world: World, rivals: Engine
) -> None:
    horizon, newest = Horizon(), world.mark()
    assert sealed(world, horizon) == 0
    with rivals.connect() as late, late.begin():
        draw(late, 1)
        assert settled(world, horizon) == newest

    assert (settled(world, horizon), sealed(world, horizon)) == (1, 0)
    assert problems(world) == []


def test_ids_of_a_transaction_that_was_rolled_back_are_a_gap_and_no_alarm(world: World, rivals: Engine) -> None:
    sealed(world)
    newest = world.mark()
    with rivals.connect() as undone, undone.begin() as transaction:
        draw(undone, 1, 2)
        transaction.rollback()
    world.customer("Acme")

    assert sealed(world) == 1

    last = world.rows(AuditSeal)[-1]
    assert (last["first_id"], last["last_id"], last["count"]) == (newest + 1, newest + 3, 1)
    assert problems(world) == []
