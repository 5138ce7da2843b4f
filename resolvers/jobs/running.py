"""Running a job: chunk after chunk, each one commit with its progress, until it is done, refused, stopped or put off."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from models.errors import Busy, JobBroke, JobOwnerLeft, JobWorkerLost, NotFound, NotSignedIn, Refusal
from models.job import LONGEST_SENTENCE, JobState
from policies import system

from ..runtime import principals
from ..runtime.backend import Backend
from ..runtime.scope import Scope
from ..runtime.writer import Unit
from . import queue
from .kinds import CHUNK_SECONDS, FIRST_SIZE, KINDS, LARGEST_SIZE, Kind, Progress, Work
from .queue import LEASE, MAX_FAILURES, Taken

BUSY_SECONDS = 0.2
"""Pause after a database that had no time, which is no failure of the job."""
_log = structlog.get_logger("millpond.jobs")


class Run:
    """One job in the hands of this worker, from its taking until it is let go."""

    def __init__(self, backend: Backend, taken: Taken, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """`is_stopping`: whether the worker has to let go of the job after the chunk."""
        self.backend, self.taken, self.kind = backend, taken, KINDS[taken.kind]
        self._is_stopping = is_stopping
        self._tries, self._position, self._size = taken.tries, taken.position, FIRST_SIZE
        self._memory: dict[str, Any] = {}

    def run(self) -> None:
        """Do all of it.  What goes wrong ends in the row of the job, and never in an exception."""
        if self._tries >= MAX_FAILURES:
            self._end(JobWorkerLost())
            return
        try:
            self._run_chunks()
        except Refusal as refusal:
            self._end(JobOwnerLeft() if isinstance(refusal, NotSignedIn) else refusal)
        except Exception:  # noqa: BLE001  logged, and the worker goes on with other jobs
            _log.exception("a job broke", job=self.taken.id, kind=self.kind.name, failures=self._tries + 1)
            self._put_off()

    def _run_chunks(self) -> None:
        scope = self._scope()
        while True:
            try:
                if not self._advance(scope):
                    return
            except Busy:
                time.sleep(BUSY_SECONDS)
            if self._is_stopping():
                self._write(lambda unit: queue.put_back(unit.connection, self.taken, self.backend.clock(), self._tries))
                return

    def _scope(self) -> Scope:
        """The scope of the user who started it, or of the clock.  Each transaction reads the user's rights anew."""
        if self.taken.actor_id is None:
            return _clock(self.backend, f"system:{self.kind.role or self.kind.name}", self.kind)
        with self.backend.writer.engine.connect() as connection:
            try:
                person = principals.by_id(connection, self.taken.actor_id, self.backend.clock())
            except NotFound:
                raise JobOwnerLeft from None
        return self.backend.scope(person, "job", request_id=f"job_{self.taken.id}").allowing_one_time_password()

    def _advance(self, scope: Scope) -> bool:
        """Do the next chunk; False when there is none, or the job is not this worker's any more."""
        work = Work(self.taken.arguments, self._position, self._size, self._memory)
        if self.kind.ready is not None:
            with self._beating():
                work.prepared = self.kind.ready(scope, work)
        began = time.monotonic()
        work.until = began + CHUNK_SECONDS
        progress: Progress | None = scope.do(_chunk, self.taken, self.kind, work)
        if progress is None:
            return False
        self._position, self._tries = progress.position, 0
        self._size = _next_size(self._size, progress.done + progress.failed, time.monotonic() - began)
        return progress.more

    @contextmanager
    def _beating(self) -> Iterator[None]:
        """Give a sign of life now and then, while no chunk does."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(LEASE.total_seconds() / 4):
                self._write(lambda unit: queue.beat(unit.connection, self.taken, self.backend.clock()))

        beating = threading.Thread(target=beat, name="beating", daemon=True)
        beating.start()
        try:
            yield
        finally:
            over.set()
            beating.join()

    # -- the end -----------------------------------------------------------------------------------------

    def _put_off(self) -> None:
        """Try again later; park the job after MAX_FAILURES."""
        failures, now = self._tries + 1, self.backend.clock()
        if failures >= MAX_FAILURES:
            self._end(JobBroke())
            return
        due = now + self.kind.delay(failures)
        self._write(lambda unit: queue.put_back(unit.connection, self.taken, due, failures))

    def _end(self, refusal: Refusal) -> None:
        english, chinese = (refusal.say(language)[:LONGEST_SENTENCE] for language in ("en", "zh"))
        why, now = (refusal.code(), english, chinese), self.backend.clock()
        self._write(lambda unit: queue.end(unit.connection, self.taken, now, JobState.FAILED, why))

    def _write(self, call: Callable[[Unit], object]) -> None:
        """A statement of the queue.  When the database has no time the lease runs out, and the job is taken again."""
        try:
            self.backend.writer.run(call)
        except Exception as failure:  # noqa: BLE001  the worker goes on with other jobs
            _log.warning("a job was left to its lease", job=self.taken.id, cause=type(failure).__name__)


def _clock(backend: Backend, role: str, kind: Kind) -> Scope:
    """A scope of the clock in this role, under the lines for it.

    Where no line gives the role the right of the kind, as in a policy from before the role, it is the system itself.
    """
    verb, module = kind.right
    narrow = Scope(backend, system(role, backend.clock(), alone=True), "system")
    return narrow if backend.policy.ever(narrow.person, verb, module) else backend.system(role)


def _chunk(scope: Scope, taken: Taken, kind: Kind, work: Work) -> Progress | None:
    """One chunk and its progress, in one transaction; None when the job was taken over, or asked to stop."""
    verb, module = kind.right
    with scope.write(kind.action) as db:
        is_asked_to_stop = queue.hold(db, taken)
        if is_asked_to_stop is None:
            return None
        if is_asked_to_stop:
            queue.end(db, taken, scope.now(), JobState.CANCELLED)
            return None
        scope.allow(verb, module)
        progress = kind.chunk(scope, db, work)
        db.flush()
        queue.advance(db, taken, scope.now(), progress.position, progress.done, progress.failed, progress.total)
        if not progress.more:
            queue.end(db, taken, scope.now(), JobState.DONE)
    return progress


def _next_size(size: int, records: int, seconds: float) -> int:
    """How many records should take CHUNK_SECONDS, at most twice as many as before."""
    if records == 0:
        return size
    fits = int(records * CHUNK_SECONDS / max(seconds, 0.0001))
    return max(1, min(fits, 2 * size, LARGEST_SIZE))
