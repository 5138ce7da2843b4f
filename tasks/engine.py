"""The engine: lets schedules fire, takes jobs that are due and runs them.

Another engine can carry the same rows in its place: `resolvers/` enqueues jobs and declares what a chunk does, and this
file alone decides when and where that runs.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

from resolvers.jobs import queue, schedules
from resolvers.jobs.kinds import KINDS
from resolvers.jobs.queue import Taken
from resolvers.jobs.running import Run
from resolvers.records.organisation import zone_of
from resolvers.runtime.backend import Backend
from resolvers.runtime.writer import Unit


class Engine:
    """One worker under one name, which no other process uses at the same time."""

    def __init__(
        self,
        backend: Backend,
        name: str,
        is_stopping: Callable[[], bool] = lambda: False,
        kinds: Collection[str] | None = None,
    ) -> None:
        """`kinds`: the only kinds of jobs that it takes."""
        self.backend, self.name, self._is_stopping, self._kinds = backend, name, is_stopping, kinds
        self._next: dict[str, datetime] = {}
        """Kind -> the next moment of its schedule, before which the database is not asked."""

    def run_due(self, limit: int = 1_000) -> int:
        """Run everything that is due now, at most `limit` jobs; returns how many."""
        self.fire()
        for count in range(limit):
            if self._is_stopping() or not self.run_one():
                return count
        return limit

    def run_one(self) -> bool:
        """Take the next job and run it; False when none is due."""
        taken: Taken | None = self.backend.writer.run(self._take)
        if taken is not None:
            Run(self.backend, taken, self._is_stopping).run()
        return taken is not None

    def give_up(self, workers: Sequence[str]) -> None:
        """Have the jobs of workers that are gone taken at once, without a wait for their lease."""
        for worker in workers:
            self.backend.writer.run(partial(_give_up, worker))

    def _take(self, unit: Unit) -> Taken | None:
        return queue.take(
            unit.connection, self.name, self.backend.clock(), sorted(KINDS if self._kinds is None else self._kinds)
        )

    def fire(self) -> None:
        """Enqueue the jobs of schedules whose moment has come."""
        now = self.backend.clock()
        for kind in KINDS.values():
            schedule = kind.schedule
            if schedule is None or now < self._next.get(kind.name, now):
                continue
            name = kind.name

            def call(unit: Unit, name: str = name, schedule: schedules.Schedule = schedule) -> datetime:
                zone = ZoneInfo(zone_of(unit.connection))
                schedules.fire(unit.connection, name, schedule, now, zone)
                return schedule.next(now, zone)

            self._next[name] = self.backend.writer.run(call).astimezone(UTC)


def _give_up(worker: str, unit: Unit) -> None:
    queue.give_up(unit.connection, worker)
