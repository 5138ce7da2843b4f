"""Idempotency keys: a repeated request gets the first one's answer and does nothing."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from models import Entity, IdempotencyKey
from models.audit.entries import plain
from models.database.prepared import Prepared, upsert
from models.errors import KeyReused, NotFound, Required, TooLong

from .batch import Outcome
from .ids import global_id
from .inputs import refused
from .scope import Scope
from .stored_refusals import restored_refusal, stored_refusal

KEPT = timedelta(days=2)
"""Time for which a key and its answer are kept."""


def run_once(
    scope: Scope,
    key: str | None,
    action: str,
    arguments: Mapping[str, Any],
    call: Callable[[Scope], Outcome],
    model: type[Entity] | None = None,
) -> Outcome:
    """`call(scope)`, or the answer that the same request of this person got before.

    `model` is the entity of the ids in the outcome: a record that was purged since becomes the problem NOT_FOUND.

    The answer is stored in the transaction of the work itself, so neither exists without the other.  A concurrent
    request with the same key waits for it.  Raises KeyReused when the key came with another request.
    """
    if key is None:
        return call(scope)
    if not 1 <= len(key) <= 100 or not key.isprintable():
        said = "An idempotency key has 1 to 100 characters.", "幂等键须为 1 至 100 个字符。"
        raise refused(TooLong if key else Required, "idempotency_key", *said, max=100)
    scope.refuse_view_as()
    fingerprint, connection = _fingerprint(action, arguments), scope.outer_transaction()
    if not _reserve(scope, connection, key, action, fingerprint):
        return _answer(scope, connection, key, fingerprint, model)
    outcome = call(scope)
    _ANSWER.run(connection, whose=scope.me, which=key, answer=_stored(outcome))
    return outcome


def _reserve(scope: Scope, connection: Connection, key: str, action: str, fingerprint: str) -> bool:
    """Reserve the key; False when it is taken.  On PostgreSQL this waits for a concurrent request.

    An expired key is taken over.  One request in sixteen deletes the other expired keys of this person.
    """
    me, now = scope.me, scope.now()
    if fingerprint.startswith("0"):
        _FORGET.run(connection, whose=me, before=now - KEPT)
    taken = {"user_id": me, "key": key, "action": action, "fingerprint": fingerprint, "answer": {}, "at": now}
    return _reserving(upsert(connection.dialect)).first(connection, **taken, before=now - KEPT) is not None


_KEYS: Any = IdempotencyKey.__table__
_FORGET = Prepared(delete(_KEYS).where(_KEYS.c.at < bindparam("before"), _KEYS.c.user_id == bindparam("whose")))
_ANSWER = Prepared(
    update(_KEYS).where(_KEYS.c.user_id == bindparam("whose"), _KEYS.c.key == bindparam("which")), ["answer"]
)

_ANSWERED = Prepared(
    select(_KEYS.c.fingerprint, _KEYS.c.answer).where(
        _KEYS.c.user_id == bindparam("whose"), _KEYS.c.key == bindparam("which")
    )
)


@cache
def _reserving(insert: Any) -> Prepared:
    """Returns no row when the key is taken."""
    given = {column.key: bindparam(column.key, type_=column.type) for column in _KEYS.c}
    added = insert(_KEYS).values(given)
    anew = {name: added.excluded[name] for name in ("action", "fingerprint", "answer", "at")}
    where = _KEYS.c.at < bindparam("before")
    taken = added.on_conflict_do_update(index_elements=["user_id", "key"], set_=anew, where=where)
    return Prepared(taken.returning(_KEYS.c.key))


def _answer(scope: Scope, connection: Connection, key: str, fingerprint: str, model: type[Entity] | None) -> Outcome:
    ((stored_fingerprint, answer),) = _ANSWERED.rows(connection, whose=scope.me, which=key)
    if stored_fingerprint != fingerprint:
        raise KeyReused(field="idempotencyKey")
    ids, problems = answer["ids"], [restored_refusal(problem) for problem in answer["problems"]]
    if model is None:
        return Outcome(ids, problems)
    there = _there(connection, model, ids)
    gone = [NotFound(what=model.names, record_id=global_id(model, id)) for id in ids if id not in there]
    return Outcome([id for id in ids if id in there], [*problems, *gone])


def _there(connection: Connection, model: type[Entity], ids: Sequence[int]) -> set[int]:
    """Which of these records exist, in the bin or not."""
    column = model.__table__.c.id
    return set(connection.execute(select(column).where(column.in_(ids))).scalars())


def _fingerprint(action: str, arguments: Mapping[str, Any]) -> str:
    text = json.dumps([action, arguments], sort_keys=True, default=lambda value: str(plain(value)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _stored(outcome: Outcome) -> dict[str, Any]:
    return {"ids": outcome.ids, "problems": [stored_refusal(refusal) for refusal in outcome.problems]}


def single(row: Entity) -> Outcome:
    """The outcome of a use case over one record, with what it tells beside it."""
    for notice in row.notices:
        notice.record_id = global_id(type(row), row.id)
    return Outcome([row.id], row.notices)
