"""Nothing waits for ever on PostgreSQL: not for a row, not for a statement, not for a server that has gone silent."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from models import Customer
from models.database.patience import Patience
from models.errors import Busy
from resolvers.runtime.backend import Backend
from resolvers.runtime.writer import Unit
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.world import World

PATIENCE = Patience(row=1, statement=0.6, answer=1, idle=1, silence=1)
HEALED_SECONDS = 15
SLEEP_SECONDS = 30
ASLEEP = f"SELECT pg_sleep({SLEEP_SECONDS})"


@pytest.fixture
def on_postgresql(world: World) -> World:
    if world.backend.dialect == "sqlite":
        pytest.skip("SQLite has no server that could go away")
    return world


@contextmanager
def held(world: World, customer: int) -> Iterator[None]:
    """A transaction of another process that has locked this customer."""
    engine = create_engine(make_url(world.backend.url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        connection.execute(text("SELECT id FROM customer WHERE id = :id FOR UPDATE"), {"id": customer})
        yield
    engine.dispose()


def remark(customer: int, said: str) -> Callable[[Unit], str]:
    def call(unit: Unit) -> str:
        changed = text("UPDATE customer SET remark = :said WHERE id = :id")
        unit.connection.execute(changed, {"said": said, "id": customer})
        return said

    return call


def run(url: str, work: Callable[[Backend], Any], patience: Patience = PATIENCE) -> Any:
    """The result of `work` with a backend that has little patience."""

    async def running() -> Any:
        backend = Backend(url, patience=patience)
        try:
            return await asyncio.wait_for(work(backend), 60)
        finally:
            await backend.close()

    return asyncio.run(running())


async def timed(waiting: Any) -> tuple[Any, float]:
    """(what came of it, seconds)."""
    began = time.monotonic()
    (found,) = await asyncio.gather(waiting, return_exceptions=True)
    return found, time.monotonic() - began


def test_a_writer_that_waits_for_a_row_keeps_no_other_from_theirs(on_postgresql: World) -> None:
    wanted, free = on_postgresql.customer("Wanted"), on_postgresql.customer("Free")

    async def both(backend: Backend) -> tuple[list[Any], list[Any]]:
        waiting = [timed(backend.writer.submit(remark(wanted, "late"))) for _ in range(16)]
        others = [timed(backend.writer.submit(remark(free, str(n)))) for n in range(8)]
        found = await asyncio.gather(*waiting, *others)
        return found[:16], found[16:]

    with held(on_postgresql, wanted):
        late, soon = run(on_postgresql.backend.url, both, Patience(row=2, statement=10))

    assert {type(found) for found, _ in late} == {Busy}
    assert [found for found, _ in soon] == [str(n) for n in range(8)]
    assert max(seconds for _, seconds in soon) < min(seconds for _, seconds in late)
    assert on_postgresql.row(Customer, wanted)["remark"] is None


def test_a_row_that_is_free_in_time_is_waited_for(on_postgresql: World) -> None:
    customer = on_postgresql.customer("Wanted")

    async def wait(backend: Backend) -> str:
        with held(on_postgresql, customer):
            waiting = backend.writer.submit(remark(customer, "in time"))
            await asyncio.sleep(0.6)
            assert not waiting.done()
        return str(await waiting)

    assert run(on_postgresql.backend.url, wait, Patience(row=20, statement=30, answer=40)) == "in time"


def test_a_statement_that_takes_too_long_is_ended_with_a_sentence(on_postgresql: World) -> None:
    async def sleep(backend: Backend) -> tuple[Any, Any]:
        written = await timed(backend.writer.submit(lambda unit: unit.connection.execute(text(ASLEEP))))
        read = await timed(backend.reads.rows(ASLEEP))
        return written, read

    (written, took), (read, took_to_read) = run(on_postgresql.backend.url, sleep)

    assert isinstance(written, Busy)
    assert isinstance(read, Exception)
    assert max(took, took_to_read) < SLEEP_SECONDS


@pytest.mark.parametrize("fault", ["swallow", pytest.param("swallow answers", marks=pytest.mark.long), "reset"])
def test_a_second_without_network_heals_by_itself(on_postgresql: World, fault: Any) -> None:
    customer = on_postgresql.customer("Wanted")

    async def through(proxy: FaultProxy, backend: Backend) -> float:
        async def both(said: str) -> None:
            await backend.writer.submit(remark(customer, said))
            await backend.reads.rows("SELECT 1")
            assert await backend.ready()

        await both("before")
        proxy.set(fault)
        meanwhile = [asyncio.ensure_future(timed(both(f"meanwhile {n}"))) for n in range(12)]
        await asyncio.sleep(1)
        proxy.set("none")
        began = time.monotonic()
        while isinstance((await timed(both("after")))[0], Exception):
            assert time.monotonic() - began < HEALED_SECONDS
            await asyncio.sleep(0.1)
        healed = time.monotonic() - began
        await asyncio.gather(*meanwhile)
        return healed

    with fault_proxy(on_postgresql.backend.url) as proxy:
        healed = run(proxy.url, lambda backend: through(proxy, backend))

    assert healed < HEALED_SECONDS
    remark_now = str(on_postgresql.row(Customer, customer)["remark"])
    assert remark_now == "after" or remark_now.startswith("meanwhile")


@pytest.mark.long
def test_the_write_probe_tells_how_long_nothing_was_written(on_postgresql: World) -> None:
    async def probe(proxy: FaultProxy, backend: Backend) -> tuple[float, float, float]:
        sound = await backend.write_age()
        proxy.set("refuse")
        backend._probe._succeeded -= 60
        broken = await backend.write_age()
        proxy.set("none")
        ages = []
        for _ in range(30):
            await asyncio.sleep(0.1)
            ages.append(await backend.write_age())
        return sound, broken, min(ages)

    with fault_proxy(on_postgresql.backend.url) as proxy:
        sound, broken, healed = run(proxy.url, lambda backend: probe(proxy, backend))

    assert sound < 5
    assert broken > 60
    assert healed < 5


def test_the_write_probe_writes_on_sqlite_as_well(world: World) -> None:
    age = world.run(world.backend.write_age())

    assert 0 <= age < 5
