"""Seals, and changes below the triggers."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, insert, text

from models import AuditEntry, AuditSeal
from models.audit.entries import Signature, entry
from resolvers.audit import seal, verification
from resolvers.audit.seal import Horizon
from resolvers.audit.verification import Report
from tests.support.world import START, World

SIGNATURE = Signature(None, "system:test", "test", "r", "b", "customer.edit")


def sealed(world: World, horizon: Horizon | None = None) -> int:
    """Let the sealer look once, or without a horizon of an earlier look until all is sealed; gives how many it sealed.

    Two looks are enough, unless a transaction in another database of the same server is open: PostgreSQL counts those.
    """
    if horizon is not None:
        return look_at(world, horizon)
    horizon, end = Horizon(), time.monotonic() + 5
    laid = look_at(world, horizon) + look_at(world, horizon)
    while _is_unsealed(world) and time.monotonic() < end:
        time.sleep(0.02)
        laid += look_at(world, horizon)
    return laid


def _is_unsealed(world: World) -> bool:
    return world.mark() > max((row["last_id"] for row in world.rows(AuditSeal)), default=0)


def look_at(world: World, horizon: Horizon) -> int:
    with world.backend.writer.engine.begin() as connection:
        return seal.seal(connection, world.clock.now, horizon)


def verified(world: World) -> Report:
    with world.backend.writer.engine.begin() as connection:
        return verification.verify(connection)


def problems(world: World) -> list[str]:
    return verified(world).problems


def three_seals(world: World) -> list[dict[str, Any]]:
    """Seals over the beginning, over three changes and over two more."""
    sealed(world)
    for count in (3, 2):
        for _ in range(count):
            world.customer("Acme")
        sealed(world)
    return world.rows(AuditSeal)


def draw(connection: Connection, *record_ids: int) -> None:
    """Write entries in the open transaction of a rival: their ids are drawn, and nobody sees them."""
    rows = [entry(SIGNATURE, START, "customer", id, {}) for id in record_ids]
    connection.execute(insert(AuditEntry.__table__), rows)


@contextmanager
def below_the_triggers(world: World) -> Iterator[Connection]:
    """What the owner of the database can do."""
    with world.backend.writer.engine.begin() as connection:
        if world.backend.dialect == "postgresql":
            for table in ("audit_entry", "audit_seal"):
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        else:
            names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
            for name in names:
                connection.execute(text(f"DROP TRIGGER {name}"))
        yield connection
