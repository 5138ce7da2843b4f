"""A scope: who asks, through which door, with which rights.  Every use case takes one first."""

import asyncio
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from models import ADD_EVENT, Entity
from models.audit.entries import Changes, Signature
from models.database.engines import WriteSession
from models.errors import Conflict, Forbidden, InBin, NotFound, NotSignedIn, OnlyLooking, PasswordMustChange, Refusal
from policies import Principal, Snapshot, whenever

from .as_of_now import InForce, as_of_now
from .budgets import Costly
from .constraint_errors import translated
from .denied_attempts import note_denial
from .enqueue import enqueue
from .ids import global_id, table_of
from .policy_proof import Unproved
from .record_lookup import FROM_THE_BIN, WITHOUT_SEEING, lock_rows, look_up, masked, why_not
from .services import Services
from .viewer import Viewer
from .write_guard import checked
from .writer import Unit

E = TypeVar("E", bound=Entity)
T = TypeVar("T")

PROOFS_TRIED = 3
"""Maximum number of runs of a use case whose policy needs another proof, because roles were given meanwhile."""


class Scope:
    """One person at one door.  A scope serves one use case at a time; `run` makes a copy for each."""

    def __init__(
        self,
        backend: Services,
        principal: Principal | None,
        door: str,
        *,
        request_id: str | None = None,
        batch_id: str | None = None,
        address: str | None = None,
        agent: str | None = None,
        token: str | None = None,
        language: str | None = None,
    ) -> None:
        """`batch_id` joins several runs in the log, else each is a batch; `language` is that of callers before sign-in."""
        self.backend, self.door = backend, door[:20]
        self.address, self.agent, self.token, self._spoken = address, agent, token, language or "en"
        self.request_id = (request_id or secrets.token_hex(8))[:40]
        self._given_batch = batch_id[:20] if batch_id else None
        self.batch_id = self._given_batch or secrets.token_hex(8)
        self.policy: Snapshot = backend.policy
        self._principal = principal
        self._unit: Unit | None = None
        self._tolerates_one_time_password = False
        self.is_trial = False
        """Whether attempts leave no trace, because nothing that is done will stay (`trial.py`)."""
        self._in_force: InForce | None = None

    @property
    def principal(self) -> Principal | None:
        """The principal as signed in, whether or not they may go on; `person` for everything that is done."""
        return self._principal

    @property
    def person(self) -> Principal:
        """The principal, who must be there.  Raises NotSignedIn; PasswordMustChange for a password of one use."""
        if self._principal is None:
            raise NotSignedIn
        if self._principal.must_change_password:
            raise PasswordMustChange
        return self._principal

    @property
    def me(self) -> int:
        """The id of the person.  Raises NotSignedIn, also for the system itself, which owns nothing."""
        if self.person.id is None:
            raise NotSignedIn
        return self.person.id

    @cached_property
    def viewer(self) -> Viewer:
        """The person as a viewer, `whenever` they read: the read guard gives a statement the time of the request."""
        return Viewer(whenever(self.person), self.policy, self.language, self.sees_many)

    @cached_property
    def sees_many(self) -> bool:
        """Whether the person sees so many customers that lists are walked: a hint to the planner."""
        return self._principal is not None and self.backend.selectivity.known(self._principal, self.policy)

    @property
    def language(self) -> str:
        """That of the account; before sign-in the one that the request asks for."""
        return self._principal.language if self._principal else self._spoken

    def now(self) -> datetime:
        return self.backend.clock()

    async def run(self, use_case: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """The result of a use case that ran on a writer thread, after its COMMIT."""
        self.backend.budgets.check(self._principal.id if self._principal else None, Costly.DENIALS)
        call = self._bound(use_case, *args, **kwargs)
        for _ in range(PROOFS_TRIED):
            try:
                return await self.backend.writer.submit(call)  # type: ignore[no-any-return]
            except Unproved as policy:
                await asyncio.to_thread(policy.prove)
        raise Conflict(label="The policy", label_zh="策略", field="text")

    def do(self, use_case: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """The same in this thread, for the command line, the demo and tests."""
        call = self._bound(use_case, *args, **kwargs)
        for _ in range(PROOFS_TRIED):
            try:
                return self.backend.writer.run(call)  # type: ignore[no-any-return]
            except Unproved as policy:
                policy.prove()
        raise Conflict(label="The policy", label_zh="策略", field="text")

    async def read(self, reading: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """The result of `reading(scope, db, …)`.  Its session sees what the person may view and cannot write."""
        info = {"principal": self._principal and self.person, "policy": self.policy, "sees_many": self.sees_many}
        async with self.backend.sessions(info=info) as db:
            return await db.run_sync(lambda session: reading(self, session, *args, **kwargs))

    def _bound(self, use_case: Callable[..., T], *args: Any, **kwargs: Any) -> Callable[[Unit], T]:
        def call(unit: Unit) -> T:
            person = None if self._principal is None else self._principal.at(self.now())
            person, newest = as_of_now(unit.connection, person, self.token)
            return use_case(self._copy(unit, person, newest), *args, **kwargs)

        return call

    def _copy(
        self, unit: Unit | None, person: Principal | None, newest: InForce | None = None, *, tolerant: bool = False
    ) -> "Scope":
        tolerant = tolerant or self._tolerates_one_time_password
        if person is not None and tolerant:
            person = replace(person, must_change_password=False)
        request = {"address": self.address, "agent": self.agent, "token": self.token, "batch_id": self._given_batch}
        request["language"] = self._spoken
        copy = Scope(self.backend, person, self.door, request_id=self.request_id, **request)
        copy.policy, copy._unit, copy._in_force = self.policy, unit, newest
        copy._tolerates_one_time_password = tolerant
        return copy

    def allowing_one_time_password(self) -> "Scope":
        """The same scope for what a person with a password of one use may do: change it, or sign out."""
        return self._copy(self._unit, self._principal, tolerant=True)

    @contextmanager
    def write(self, action: str, reason: str | None = None) -> Iterator[Session]:
        """The transaction of one use case; `action` names it in policy and log.

        Inside another `write` it is a savepoint of that one, with the same person and its own action in the log.
        A refusal for lack of rights is logged, wherever it was raised.
        """
        if self._unit is None:
            raise RuntimeError("a use case runs through scope.run or scope.do")
        self.refuse_view_as()
        outer = self._unit.session
        try:
            with self._nested(outer, action, reason) if outer is not None else self._outermost(action, reason) as db:
                yield db
        except Refusal as refusal:
            if refusal.denies and not refusal.noted:
                self._note(refusal, self._signature(action, reason), table_of(action.partition(".")[0]), None, {})
            raise

    def outer_transaction(self) -> Connection:
        """The open transaction, for what stays when later sessions in it are rolled back."""
        assert self._unit is not None, "a use case runs through scope.run or scope.do"
        self._unit.is_used = True
        return self._unit.connection

    def refuse_view_as(self) -> None:
        """Raise OnlyLooking for a user who views as another."""
        if self._principal is not None and self._principal.viewed_by is not None:
            raise OnlyLooking(name=self._principal.name)

    @contextmanager
    def _outermost(self, action: str, reason: str | None) -> Iterator[Session]:
        assert self._unit is not None
        self.policy = self.backend.follow_policy(self._unit.connection, self._in_force)
        self._in_force = None  # a later transaction of this scope asks again: what was revoked cannot write
        info = {
            "principal": self.person,
            "policy": self.policy,
            "sees_many": self.sees_many,
            "signature": self._signature(action, reason),
            "now": self.person.now,
        }
        session = WriteSession(
            self._unit.connection, join_transaction_mode=self._unit.join(), expire_on_commit=False, info=info
        )
        with session as db:
            self._unit.session = db
            try:
                with db.begin(), translated(db):
                    yield db
                    db.flush()
            finally:
                self._unit.session = None

    @contextmanager
    def _nested(self, db: Session, action: str, reason: str | None) -> Iterator[Session]:
        before = db.info["signature"]
        with db.begin_nested(), translated(db):
            db.info["signature"] = self._signature(action, reason or before.reason)
            try:
                yield db
                db.flush()
            finally:
                db.info["signature"] = before

    def _signature(self, action: str, reason: str | None) -> Signature:
        me = self.person
        return Signature(me.id, me.name, self.door, self.request_id, self.batch_id, action, reason=reason)

    def load(self, db: Session, model: type[E], id: int, *, to: str, version: int | None = None) -> E:
        """The record, locked for this transaction, on which the user may do `to`.  The one way to a record.

        NotFound for a missing record, and for one that the user may neither see nor do this to.  A record that they may
        unlock, restore or purge without seeing it comes masked.  A record in the bin is restored or purged, else InBin.
        """
        row, seen, may = self.lookup(db, model, id, to=to)
        if row is None or not (seen or to in WITHOUT_SEEING):
            raise self.denied(NotFound(what=model.names, record_id=global_id(model, id) if id else None), model, id, to)
        if row.deleted_at is not None and to not in FROM_THE_BIN:
            raise InBin(label=row.label, record_id=global_id(model, id))
        if not may:
            raise self.denied(why_not(self.person, row, to), model, id, to)
        if version is not None and row.version != version:
            raise Conflict(label=row.label, record_id=global_id(model, id), field="version", version=row.version)
        checked(db, row, to)
        return row if seen else masked(db, model, id)

    def lookup(self, db: Session, model: type[E], id: int, *, to: str) -> tuple[E | None, bool, bool]:
        """(row or None, may it be seen, may `to` be done to it), without a judgement and without a trace in the log."""
        return look_up(db, self.policy, self.person, model, id, to)

    def hold(self, db: Session, model: type[Entity], ids: Sequence[int]) -> None:
        """Lock the rows in the order of their ids, so that two batches never wait for each other in a circle."""
        if self.backend.dialect == "postgresql" and len(ids) > 1:
            lock_rows(db, model, ids)

    def allow(self, action: str, module: str) -> None:
        """Raise Forbidden unless some line lets the person do this to some record."""
        if not self.policy.ever(self.person, action, module):
            raise self.denied(Forbidden(action=f"{module}.{action}"), None, None, action, module=module)

    def denied(
        self,
        refusal: Refusal,
        model: type[Entity] | None,
        id: int | None,
        to: str,
        *,
        module: str = "",
        changes: Changes | None = None,
    ) -> Refusal:
        """`refusal` itself, after the attempt was noted: it is logged even when the use case is undone."""
        if self._unit is not None:
            signature = db.info["signature"] if (db := self._unit.session) else self._signature(f"{module}.{to}", None)
            self._note(refusal, signature, model.__tablename__ if model else table_of(module), id, changes or {})
        return refusal

    def _note(self, refusal: Refusal, by: Signature, subject: str, id: int | None, changes: Changes) -> None:
        assert self._unit is not None
        refusal.noted = True
        if self.is_trial:
            return
        note_denial(self._unit.denied, by, self.now(), subject, id if id and id > 0 else None, changes)
        self.backend.budgets.take(by.actor_id, Costly.DENIALS)

    def tell(self, db: Session, topic: str, record_id: int | None) -> None:
        """Write an event about `topic`.  It exists exactly if the change does."""
        ADD_EVENT.run(db, at=self.now(), topic=topic, action=db.info["signature"].action, record_id=record_id)

    def later(self, kind: str, arguments: Mapping[str, Any], **options: Any) -> int:
        """Enqueue a job in the open transaction; returns its id.  `options` are those of `enqueue`."""
        return enqueue(self.outer_transaction(), self.person.id, self.now(), kind, arguments, **options)

    def after_commit(self, call: Callable[[], None]) -> None:
        """Do something outside the database, once the change is durable."""
        if self._unit is not None:
            self._unit.after.append(call)
