"""The backend: engines, the policy in force, the writer, and the owners of tokens.  One per process."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog
from cachetools import LRUCache
from sqlalchemy import Connection, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session

import resolvers
from models import Base, PolicyRevision, utcnow
from models.custom_field import Book
from models.database.engines import ReadSession, is_sqlite, reading_engine, writing_engine
from models.database.patience import Patience
from models.database.prepared import Prepared
from models.database.reads import reads_of
from policies import InvalidPolicy, Principal, Snapshot, system
from policies.questions import Roles

from . import policy_proof, principals
from .as_of_now import InForce
from .budgets import Budgets
from .field_book import EDITION, read_book
from .file_store import FileStore
from .mail_server import MailServer
from .policy_store import Stored, foreign_text, newest
from .principals import Entrances, Identity
from .scope import Scope
from .seal_files import SealFiles
from .selectivity import SelectivityCache
from .sensitive_reads import SensitiveReads
from .waker import Waker
from .write_probe import WriteProbe
from .writer import Writer

_log = structlog.get_logger("millpond.backend")
MAX_CACHED_IDENTITIES = 2_000
"""Maximum number of tokens whose owner is cached."""
_NEWEST = Prepared(select(func.max(PolicyRevision.number), EDITION))


class Backend:
    """Everything that use cases need of their process.  `start` before the first request, `close` at the end."""

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], datetime] = utcnow,
        threads: int = 8,
        entrances: Entrances | None = None,
        seal_files: SealFiles | None = None,
        patience: Patience | None = None,
        budgets: Budgets | None = None,
        mail_server: MailServer | None = None,
        files: FileStore | None = None,
        import_limits: Mapping[str, Any] | None = None,
        file_limits: Mapping[str, Any] | None = None,
        yields: bool = False,
    ) -> None:
        """`import_limits`: see `tasks/sheets/limits.py`.  `file_limits`: `mib`, `types`.  `yields`: others write first."""
        resolvers.load()
        self.budgets, self.mail_server = budgets or Budgets(), mail_server
        self.url, self.clock, self.entrances = url, clock, entrances or Entrances()
        self.seal_files, self.files = seal_files or SealFiles(), files or FileStore.beside(url)
        self.import_limits, self.file_limits = dict(import_limits or {}), dict(file_limits or {})
        self.dialect = "sqlite" if is_sqlite(url) else "postgresql"
        rows = patience.row if patience is not None and self.dialect == "postgresql" else None
        self.writer = Writer(writing_engine(url, size=threads, patience=patience, yields=yields), threads, rows)
        self._probe, self.sensitive_reads = WriteProbe(self.writer), SensitiveReads(lambda: self.writer)
        self.read_engine = reading_engine(url, patience=patience)
        self.reads = reads_of(url, self.read_engine)
        self.sessions = async_sessionmaker(
            self.read_engine, class_=AsyncSession, sync_session_class=ReadSession, expire_on_commit=False
        )
        self.selectivity = SelectivityCache(self.reads, self.read_engine.dialect)
        self.policy = Snapshot("", book=Book())
        self._failure: InvalidPolicy | None = None
        self._refused_revision = 0
        self._taking = threading.Lock()
        self._foreign: str | None = None
        self._noting: dict[tuple[type[Base], int], asyncio.Task[None]] = {}
        self._identities: LRUCache[str, Identity] = LRUCache(MAX_CACHED_IDENTITIES)

    # -- life --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take over the policy.  Casbin judges it in this process, even when a proof is on record."""
        self.writer.waker = Waker(self.url if self.dialect == "postgresql" else None)
        async with self.read_engine.connect() as connection:
            stored = await connection.run_sync(newest)
            self.take_book(await connection.run_sync(read_book))
            sets = await connection.run_sync(policy_proof.role_sets, self.clock())
        await asyncio.to_thread(self.take_policy, replace(stored, is_proved=False), sets)
        if not stored.is_proved and 0 < stored.number == self.policy.revision:
            await self._record_proof(stored, sets)

    def open(self) -> "Backend":
        """`start` for the command line and tests."""
        with self.writer.engine.connect() as connection:
            self.refresh_policy(connection)
        return self

    async def close(self) -> None:
        if self._noting:
            await asyncio.wait(self._noting.values(), timeout=5)
        await asyncio.to_thread(self.writer.close)
        await self.stop_reading()

    async def stop_reading(self) -> None:
        """Close the connections that read, because they belong to the event loop that opened them."""
        await self.reads.close()
        await self.read_engine.dispose()

    async def ready(self) -> bool:
        """Whether the database answers."""
        async with self.read_engine.connect() as connection:
            return bool((await connection.execute(text("SELECT 1"))).scalar_one() == 1)

    async def write_age(self) -> float:
        """Seconds since the last write that succeeded; a new one is tried unless that was just now."""
        return await self._probe.age()

    # -- policy ------------------------------------------------------------------------------------------

    @property
    def policy_problems(self) -> list[str]:
        """Why the newest revision is not in force; nothing when it is."""
        return self.policy_problems_in("en")

    def policy_problems_in(self, language: str) -> list[str]:
        return self._failure.said(language) if self._failure is not None else []

    async def catch_up(self) -> None:
        """Take over what is in force.  A revision without a proof is proved on a thread: the event loop goes on."""
        async with self.read_engine.connect() as connection:
            self.take_book(await connection.run_sync(read_book, self.policy.book))
            stored, sets = await connection.run_sync(self._unknown)
        if stored.is_proved or self._is_known(stored.number):
            self.take_policy(stored)
        else:
            await asyncio.to_thread(self.take_policy, stored, sets)

    def refresh_policy(self, connection: Connection) -> None:
        """The same inside a transaction, which waits for the proof.  Not for the event loop."""
        self.take_book(read_book(connection, self.policy.book))
        self.take_policy(*self._unknown(connection))

    def take_policy(self, stored: Stored, sets: frozenset[Roles] = frozenset()) -> None:
        """Judge by this revision from now on.  The last good one stays when this one cannot be a policy, or when Casbin and
        the cells differ on it for one of these role sets.

        A snapshot never changes, so a request goes on with the one it began with.  A revision that is older than the one
        in force is ignored.
        """
        if self._is_known(stored.number):
            return
        policy, failure = policy_proof.judged(stored, sets, self.policy.text)
        with self._taking:
            if self._is_known(stored.number):
                return
            self._failure = failure
            if policy is not None:
                self.policy = Snapshot(policy.text, policy.revision, book=self.policy.book)
            else:
                self._refused_revision = stored.number
        if failure is not None:
            _log.error("the newest policy cannot be one", revision=stored.number, problems=failure.problems)

    def take_book(self, book: Book) -> None:
        """Know these custom fields from now on, whether newer or undone; what is kept for the former ones is dropped."""
        with self._taking:
            if book != self.policy.book:
                self.policy = Snapshot(self.policy.text, self.policy.revision, book=book)

    def _is_known(self, number: int) -> bool:
        """Whether a revision, or a later one, has been taken or refused."""
        return number <= max(self.policy.revision, self._refused_revision)

    def _unknown(self, connection: Connection) -> tuple[Stored, frozenset[Roles]]:
        """The newest revision, and the role sets in use where this process has to prove it."""
        stored = newest(connection)
        if stored.is_proved or self._is_known(stored.number):
            return stored, frozenset()
        return stored, policy_proof.role_sets(connection, self.clock())

    async def _record_proof(self, stored: Stored, sets: frozenset[Roles]) -> None:
        """Store that this code has proved the revision: commands and other processes then need no proof of their own."""
        proof = policy_proof.proved(self.policy, sets)
        try:
            await self.writer.submit(
                lambda unit: policy_proof.record(unit.connection, stored.number, proof, stored.text)
            )
        except Exception:  # noqa: BLE001  it only saves time
            _log.warning("the proof of the policy was not recorded", exc_info=True)

    def follow_policy(self, connection: Connection, in_force: InForce | None = None) -> Snapshot:
        """The policy for a transaction, with its custom fields: the newest that it can see.  Some microseconds when known.

        `in_force` is what the transaction sees, where it has asked already.
        """
        if in_force is None:
            number, edition = _NEWEST.rows(connection)[0]
            in_force = number or 0, edition or ""
        if in_force != (self.policy.revision, self.policy.book.revision):
            self.refresh_policy(connection)
        return self.policy

    async def policy_state(self) -> str | None:
        """The problem of the stored policy, without its text; None when there is none.  For health checks.

        A process without requests takes over a new revision here.
        """
        await self.catch_up()
        async with self.read_engine.connect() as connection:
            return await connection.run_sync(self.look_after_policy)

    def look_after_policy(self, connection: Connection) -> str | None:
        """The same after a new revision was taken over.  A problem is logged once."""
        stored = newest(connection)
        foreign = foreign_text(connection)
        if foreign is not None and foreign != self._foreign:
            _log.error("casbin_rule was changed by hand; that has no effect", revision=stored.number)
        self._foreign = foreign
        if stored.number > self.policy.revision:
            kept = f"revision {self.policy.revision} stays in force" if self.policy.revision else "everything is denied"
            return f"revision {stored.number} cannot be in force; {kept}"
        if not stored.is_whole:
            return f"the text of revision {stored.number} was changed by hand; what was activated stays in force"
        return None if foreign is None else "casbin_rule was changed by hand; that has no effect"

    # -- people ------------------------------------------------------------------------------------------

    async def principal_of(
        self, token: str, address: str | None = None, agent: str | None = None, *, is_use: bool = True
    ) -> Principal | None:
        """The owner of a session or API token; None when it is unknown, ended or revoked, or its owner inactive.

        `is_use` False: a page that waits for changes keeps no session alive.
        """
        now, key = self.clock(), principals.kind_of_key(token)
        asked = principals.token_statement(key, self.read_engine.dialect)
        values = principals.token_values(token, now, self.entrances)
        rows = await self.reads.rows(asked.text, asked.values(values))
        if not rows:
            self._identities.pop(values["hash"], None)
            return None
        found = principals.identity_of(rows[0], now, key)
        if (found.revision, found.edition) != (self.policy.revision, self.policy.book.revision):
            await self.catch_up()
        if found.stale and is_use:
            self.note_seen(found, now)
        sees_many = await self.selectivity.look(found.principal, self.policy)
        self._identities[values["hash"]] = replace(found, sees_many=sees_many)
        return found.principal

    def cached_identity(self, hash: str) -> Identity | None:
        """The owner of a token at its last use.  It allows nothing before the database has confirmed it."""
        return self._identities.get(hash)

    def person(self, login: str) -> Principal:
        """The person with this login, for the command line and tests.  Raises NotFound."""
        with self.writer.engine.connect() as connection:
            return principals.by_login(connection, login, self.clock())

    def may_see(self, db: Session, user_id: int, model: type[Base], id: int) -> bool:
        """Whether another user may view a record, asked before the record is handed to them."""
        principal = principals.by_id(db.connection(), user_id, self.clock())
        statement = select(model.__table__.c.id).where(
            model.__table__.c.id == id, self.policy.where(principal, "view", model, model.__table__.c, by_row=True)
        )
        return db.execute(statement.execution_options(policy=True)).first() is not None

    def scope(self, principal: Principal | None, door: str, **request: str | None) -> Scope:
        return Scope(self, principal, door, **request)

    def system(self, name: str) -> Scope:
        """A scope of the system itself, like `system:demo`.  It acts under policy lines like any user."""
        return Scope(self, system(name, self.clock()), "system")

    def note_seen(self, found: Identity, now: datetime) -> None:
        """Note the use of a token in the background.  A failure only delays the note until the next use."""
        if (found.key, found.key_id) in self._noting:
            return

        async def note() -> None:
            try:
                await self.writer.submit(lambda unit: principals.seen(unit.connection, found, now))
            except Exception:  # noqa: BLE001  the request goes on without the note
                _log.warning("the use of a key was not noted", exc_info=True)
            finally:
                self._noting.pop((found.key, found.key_id), None)

        self._noting[found.key, found.key_id] = asyncio.ensure_future(note())
