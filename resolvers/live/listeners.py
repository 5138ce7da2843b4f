"""Those who wait for changes: what waits for each of them, and how often they are told."""

import asyncio
import gc
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from models.errors import FellBehind, TooManyListeners

MOST_LISTENERS = 500
"""Maximum number of listeners of one process."""
MOST_WAITING = 500
"""Maximum number of changes that wait for a listener that does not take them."""
PAUSE = 0.25
"""Seconds between two deliveries to one listener: at most four a second."""
LOOK_SECONDS = 15.0
"""Seconds without a change after which a listener is asked whether it may still listen."""
COLLECTED_AFTER = 500
"""Number of connections and listeners that end between two full garbage collections."""
ANY_COMMIT = "*"
"""The topic of those who look for themselves after every commit."""


@dataclass(frozen=True)
class Change:
    """One event, as far as listeners need it."""

    topic: str
    record_id: int | None


class Listener:
    """One who waits for some topics.  The same change waits once, however often it happens."""

    def __init__(self, topics: Iterable[str]) -> None:
        self.topics = frozenset(topics)
        self._waiting: dict[Change, None] = {}
        self._woken = asyncio.Event()
        self._fell_behind = self._is_closed = False

    def put(self, change: Change) -> None:
        if len(self._waiting) < MOST_WAITING:
            self._waiting[change] = None
        elif change not in self._waiting:
            self._fell_behind = True
        self._woken.set()

    def close(self) -> None:
        """End it at once: the process stops."""
        self._is_closed = True
        self._woken.set()

    async def batches(self) -> AsyncIterator[list[Change]]:
        """What has changed since the last batch; an empty one where nothing has for LOOK_SECONDS.  Raises FellBehind."""
        last = 0.0
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), LOOK_SECONDS)
                await asyncio.sleep(max(0.0, last + PAUSE - time.monotonic()))
            if self._is_closed:
                return
            last = time.monotonic()
            yield self._take()

    def _take(self) -> list[Change]:
        if self._fell_behind:
            raise FellBehind
        self._woken.clear()
        changes = list(self._waiting)
        self._waiting.clear()
        return changes


class Listeners:
    """All listeners of one process, by topic."""

    def __init__(self) -> None:
        self._by_topic: dict[str, set[Listener]] = defaultdict(set)
        self._all: set[Listener] = set()
        self._ended = 0
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._all)

    @contextmanager
    def listening(self, topics: Iterable[str]) -> Iterator[Listener]:
        """A listener for as long as the block runs.  Raises TooManyListeners."""
        if len(self._all) >= MOST_LISTENERS:
            raise TooManyListeners
        listener = Listener(topics)
        if self._is_closed:
            listener.close()
        self._all.add(listener)
        for topic in listener.topics:
            self._by_topic[topic].add(listener)
        try:
            yield listener
        finally:
            self._all.discard(listener)
            for topic in listener.topics:
                self._by_topic[topic].discard(listener)
                if not self._by_topic[topic]:
                    del self._by_topic[topic]
            self.note_ended()

    def note_ended(self) -> None:
        """Have the memory of connections that ended given back, now and then.

        Their objects know each other, and a full garbage collection of a process with much in it is rare.
        """
        self._ended += 1
        if self._ended % COLLECTED_AFTER == 0:
            gc.collect()

    def wants(self, prefix: str) -> bool:
        """Whether a listener has a topic that begins so."""
        return any(topic.startswith(prefix) for topic in self._by_topic)

    def tell(self, change: Change) -> None:
        for listener in self._by_topic.get(change.topic, ()):
            listener.put(change)

    def close(self) -> None:
        """End all listeners, and those that come."""
        self._is_closed = True
        for listener in self._all:
            listener.close()
