"""Jobs in tests: kinds that a test declares, and an engine that runs what is due at once, by the world's clock."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, Job
from models.database.bypass import Because, bypass_policy
from models.errors import Refusal
from models.names import Names
from resolvers.jobs import queue, running
from resolvers.jobs.kinds import KINDS, Chunk, Kind, Progress, Work
from resolvers.records import create_update
from resolvers.runtime.scope import Scope
from tasks.engine import Engine
from tests.support.world import World


def remark(scope: Scope, db: Session, work: Work) -> Progress:
    """Set the remark of the next customers, `chunk` at a time, by the plain use case."""
    c, done, failed = Customer.__table__.c, 0, 0
    size = work.arguments.get("chunk", work.size)
    after = select(c.id).where(c.id > work.position).order_by(c.id).limit(size)
    ids = db.execute(after, execution_options=bypass_policy(Because.KEEPS_RULE)).scalars().all()
    for id in ids:
        try:
            create_update.update(scope, Customer, id, {"remark": work.arguments["remark"]})
            done += 1
        except Refusal:
            failed += 1
    return Progress(ids[-1] if ids else work.position, done, failed, more=len(ids) == size)


def enqueue(scope: Scope, kind: str, arguments: Mapping[str, Any] = MappingProxyType({}), **options: Any) -> int:
    """A use case that does nothing but enqueue a job."""
    with scope.write("customer.edit"):
        return scope.later(kind, arguments, **options)


class Jobs:
    """The jobs of a world."""

    kinds = KINDS
    nothing = Progress(0, more=False)

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self._monkeypatch = world, monkeypatch
        for name in list(KINDS):
            monkeypatch.delitem(KINDS, name)  # those of `tasks/` have tests of their own
        self.logged: list[str] = []
        monkeypatch.setattr(running, "_log", self)  # tracebacks cost half a second each
        self.declare("remark", remark, "customer.edit")

    def declare(self, name: str, chunk: Chunk, action: str = "customer.edit", **options: Any) -> None:
        """Declare a kind for this test."""
        kind = Kind(name, Names(f"Test {name}", f"Test {name}", zh=f"测试 {name}"), action, chunk, **options)
        self._monkeypatch.setitem(KINDS, name, kind)

    def exception(self, sentence: str, **_: object) -> None:
        self.logged.append(sentence)

    warning = info = exception

    def take(self, worker: str, kind: str = "remark") -> queue.Taken | None:
        """Take a job as a worker of this name does."""
        now = self.world.clock.now
        taken: queue.Taken | None = self.world.backend.writer.run(
            lambda unit: queue.take(unit.connection, worker, now, [kind])
        )
        return taken

    def enqueue(self, kind: str, arguments: Mapping[str, Any] | None = None, by: str = "li", **options: Any) -> int:
        """The id of a job that a user enqueues in a use case of its own."""

        return self.world.scope(by).do(enqueue, kind, arguments or {}, **options)

    def run_due(self, name: str = "w0", limit: int = 1_000) -> int:
        """Run what is due at the moment of the world's clock; returns how many jobs."""
        return Engine(self.world.backend, name).run_due(limit)

    def row(self, id: int) -> dict[str, Any]:
        return self.world.row(Job, id)

    def told(self, id: int, *columns: str) -> tuple[Any, ...]:
        row = self.row(id)
        return tuple(row[column] for column in columns)

    def remarks(self, ids: Sequence[int]) -> list[str | None]:
        return [self.world.row(Customer, id)["remark"] for id in ids]
