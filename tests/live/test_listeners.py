"""Listeners and the tail: what waits is bounded, deliveries have pauses, and an id that commits late is not lost."""

import asyncio
import random

import pytest

from models.errors import FellBehind, TooManyListeners
from resolvers.live import listeners
from resolvers.live.listeners import MOST_WAITING, Change, Listeners
from resolvers.live.tail import Tail


def test_a_listener_that_takes_nothing_is_told_so_and_holds_no_more_than_its_limit() -> None:
    async def test() -> None:
        told = Listeners()
        with told.listening(["pool:1"]) as slow:
            for n in range(MOST_WAITING):
                told.tell(Change("pool:1", n))
                told.tell(Change("pool:1", n))  # the same again waits once
            batches = slow.batches()
            assert len(await anext(batches)) == MOST_WAITING
            for n in range(MOST_WAITING + 1):
                told.tell(Change("pool:1", n))
            with pytest.raises(FellBehind):
                await anext(batches)
        assert len(told) == 0
        told.tell(Change("pool:1", 1))  # which nobody hears

    asyncio.run(test())


def test_what_happens_between_two_deliveries_comes_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, "PAUSE", 0.05)

    async def test() -> None:
        told = Listeners()
        with told.listening(["pool:1", "user:2"]) as one:
            batches = one.batches()
            told.tell(Change("pool:1", 1))
            assert await anext(batches) == [Change("pool:1", 1)]
            told.tell(Change("pool:1", 2))
            later = asyncio.ensure_future(anext(batches))
            await asyncio.sleep(0)
            told.tell(Change("user:2", None))
            told.tell(Change("pool:9", 3))  # of another topic
            assert await later == [Change("pool:1", 2), Change("user:2", None)]

    asyncio.run(test())


def test_places_are_limited_and_a_process_that_stops_ends_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, "MOST_LISTENERS", 1)

    async def test() -> None:
        told = Listeners()
        with told.listening(["a"]) as one:
            with pytest.raises(TooManyListeners), told.listening(["a"]):
                pass
            waiting = asyncio.ensure_future(anext(one.batches(), None))
            await asyncio.sleep(0)
            told.close()
            assert await waiting is None
        with told.listening(["a"]) as late:
            assert await anext(late.batches(), None) is None

    asyncio.run(test())


def test_each_id_is_read_once_in_whatever_order_transactions_commit() -> None:
    chance = random.Random(17)
    for _ in range(50):
        order, tail, read, there = list(range(1, 40)), Tail(0, has_gaps=True), [], set()
        chance.shuffle(order)
        rolled_back = set(order[:5])
        for id in order[5:]:
            there.add(id)
            if chance.random() < 0.5:  # the reader looks now, as the statement of the hub does
                asked = sorted(x for x in there if x > tail.last or x in tail.missing)
                read += [row[0] for row in tail.take([(x, "t", None) for x in asked])]
        asked = sorted(x for x in there if x > tail.last or x in tail.missing)
        read += [row[0] for row in tail.take([(x, "t", None) for x in asked])]

        assert sorted(read) == sorted(there)
        assert set(tail.missing) <= rolled_back


def test_without_gaps_nothing_is_remembered() -> None:
    tail = Tail(3, has_gaps=False)

    assert tail.take([(7, "t", None)]) == [(7, "t", None)]
    assert (tail.last, tail.missing) == (7, [])
