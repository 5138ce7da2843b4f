"""The same rows one by one and in bulk: what is answered, and what is left in the tables."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import (
    AuditEntry,
    Base,
    Contact,
    ContactPoint,
    Customer,
    Entity,
    Event,
    FollowUp,
    NotDuplicate,
    NumberCounter,
    Opportunity,
    OwnerLoad,
    OwnershipPeriod,
    Role,
    SearchDoc,
)
from models.audit.entries import Outcome
from models.audit.recording import logged_as
from models.duplicate_key import DuplicateKey
from models.errors import Refusal
from models.search import SPAN
from resolvers.bulk import many
from resolvers.bulk.verdicts import Verdict
from resolvers.records import create_update
from resolvers.runtime.scope import Scope
from tests.support.world import World

TABLES: tuple[type[Base], ...] = (
    *(Customer, Contact, ContactPoint, Opportunity, FollowUp, AuditEntry, OwnershipPeriod, SearchDoc, DuplicateKey),
    *(NumberCounter, OwnerLoad, NotDuplicate, Event, Role),
)
_PLACED = (Customer, Contact, Opportunity, FollowUp, Role)
_OF_PAIR = {"first_id": "customer", "second_id": "customer"}
_NAMED = {"customer_id": "customer", "contact_id": "contact", "opportunity_id": "opportunity"}
_PASSING = {"salt", "values_hash", "hash", "batch_id", "request_id", "action"}
"""Columns of an entry that differ between two runs, or name the way."""


class _Undo(Exception):
    """Leaves the transaction."""


@dataclass
class Told:
    """What one way came to: an answer for each row, and the tables afterwards with ids as places in their order."""

    answers: list[Any]
    tables: dict[str, list[str]]
    denied: list[Any]


def answer(refusal: Refusal | None) -> Any:
    """What a user learns: code, field, sentence in both languages and parameters."""
    if refusal is None:
        return None
    return refusal.code(), refusal.field, refusal.say("en"), refusal.say("zh"), repr(refusal.params)


def both(
    world: World, login: str, model: type[Entity], rows: Sequence[Any], action: str | None = None
) -> tuple[Told, Told]:
    """(one by one, in bulk), each undone afterwards; a row (id, fields) is a change, an id alone a deletion."""

    def singly(scope: Scope, db: Session) -> list[Verdict]:
        with logged_as(db, action) if action else nullcontext():
            return [_single(scope, model, row) for row in rows]

    def bulk(scope: Scope, _db: Session) -> list[Verdict]:
        return in_bulk(scope, model, rows, action=action)

    return _undone(world, login, model, singly), _undone(world, login, model, bulk)


def same(world: World, login: str, model: type[Entity], rows: Sequence[Any], action: str | None = None) -> Told:
    """What bulk says and leaves, after asserting that it is what rows one by one say and leave."""
    single, bulk = both(world, login, model, rows, action)
    pairs = zip(rows, single.answers, bulk.answers, strict=True)
    different = [pair for pair in pairs if pair[1] != pair[2]]
    assert different == [], different
    found = differences(single.tables, bulk.tables)
    assert found == {}, found
    assert bulk.denied == single.denied
    return bulk


def codes_of(told: Told) -> list[str | None]:
    return [refused and refused[0] for refused, _ in told.answers]


def in_bulk(scope: Scope, model: type[Entity], rows: Sequence[Any], **how: Any) -> list[Verdict]:
    if rows and isinstance(rows[0], int):
        return many.delete_many(scope, model, rows)
    if rows and isinstance(rows[0], tuple):
        return many.update_many(scope, model, rows, **how)
    return many.create_many(scope, model, rows, **how)


def _single(scope: Scope, model: type[Entity], row: Any) -> Verdict:
    if isinstance(row, int):
        refused = create_update.delete(scope, model, [row]).problems
        return Verdict(None, refused[0]) if refused else Verdict(row)
    try:
        made = (
            create_update.update(scope, model, *row)
            if isinstance(row, tuple)
            else create_update.create(scope, model, row)
        )
    except Refusal as refusal:
        return Verdict(None, refusal)
    notices = tuple(made.notices)
    made.notices.clear()
    return Verdict(made.id, None, notices)


def _undone(world: World, login: str, model: type[Entity], work: Callable[[Scope, Session], list[Verdict]]) -> Told:
    told: list[Told] = []

    def use(scope: Scope) -> None:
        with scope.write(f"{model.module}.create") as db:
            first = {table: _last(db, table) for table in TABLES}
            verdicts = work(scope, db)
            db.flush()
            answers = [(answer(x.refusal), [answer(notice) for notice in x.notices]) for x in verdicts]
            denied = [(x["action"], x["entity"], x["changes"]) for x in scope._unit.denied]  # type: ignore[union-attr]
            told.append(Told(answers, dump(db, first), denied))
            raise _Undo

    with suppress(_Undo):
        world.scope(login).do(use)
    return told[0]


# --- tables ----------------------------------------------------------------------------------------------


def _last(db: Session, model: type[Base]) -> int:
    table: Any = model.__table__
    if "id" not in table.c:
        return 0
    return db.connection().execute(select(func.max(table.c.id))).scalar() or 0


def dump(db: Session, first: dict[type[Base], int]) -> dict[str, list[str]]:
    """Table -> its rows as texts, those of a log entry without what two runs never share."""
    places: dict[str, dict[int, int]] = {}
    for model in _PLACED:
        table: Any = model.__table__
        ids = db.connection().execute(select(table.c.id).where(table.c.id > first[model]).order_by(table.c.id))
        places[model.__tablename__] = {id: -place for place, id in enumerate(ids.scalars(), start=1)}
    return {model.__tablename__: _texts(db, model, first[model], places) for model in TABLES}


def _texts(db: Session, model: type[Base], last: int, places: dict[str, dict[int, int]]) -> list[str]:
    table: Any = model.__table__
    read = select(table) if model is not AuditEntry else select(table).where(table.c.outcome == Outcome.OK)
    rows = [dict(row) for row in db.connection().execute(read).mappings()]
    if model is AuditEntry:
        rows = _joined(rows, last)
    return sorted(json.dumps(_plain(model, row, last, places), default=str, sort_keys=True) for row in rows)


def _joined(rows: list[dict[str, Any]], last: int) -> list[dict[str, Any]]:
    """The entries, those about what became of one record in one run as one: a new contact and its phones."""
    found: dict[Any, dict[str, Any]] = {}
    for row in sorted(rows, key=itemgetter("id")):
        key = (row["entity"], row["record_id"], row["reason"]) if row["id"] > last else row["id"]
        before = found.setdefault(key, {**row, "changes": {}})["changes"]
        for name, (old, new) in row["changes"].items():
            before[name] = [before.get(name, [old])[0], new]
    return list(found.values())


def _plain(model: type[Base], row: dict[str, Any], last: int, places: dict[str, dict[int, int]]) -> dict[str, Any]:
    own = places.get(model.__tablename__, {})
    if model is AuditEntry:
        row = {
            key: value for key, value in row.items() if key not in _PASSING and not (key == "id" and row["id"] > last)
        }
        if row["label"] == str(row["record_id"]):
            row["label"] = "its id"
        row["record_id"] = places.get(row["entity"], {}).get(row["record_id"], row["record_id"])
        row["changes"] = {key: [_placed(key, x, places) for x in pair] for key, pair in row["changes"].items()}
        if "delete_batch_id" in row["changes"]:
            row["changes"]["delete_batch_id"] = [_taken_by(x) for x in row["changes"]["delete_batch_id"]]
    if "delete_batch_id" in row:
        row["delete_batch_id"] = _taken_by(row["delete_batch_id"])
    if model is Event and row["id"] > last:
        row = {"topic": row["topic"], "record_id": places["customer"].get(row["record_id"], row["record_id"])}
    if model in (SearchDoc, DuplicateKey):
        doc = row.pop("id", None) or row.pop("doc_id")
        row["of"] = [_placed(key, id, places) for key, id in zip(_NAMED, divmod(doc, SPAN), strict=False)]
    if model is not AuditEntry and "id" in row and row["id"] > last:
        row["id"] = own.get(row["id"])
    return {key: _placed(key, value, places) for key, value in row.items()}


def _taken_by(batch: str | None) -> str | None:
    """The record that took others along into the bin, without the batch of the run."""
    return batch and batch.partition("-")[2]


def _placed(key: str, value: Any, places: dict[str, dict[int, int]]) -> Any:
    of = places.get(_NAMED.get(key) or _OF_PAIR.get(key, ""), {})
    return of.get(value, value) if isinstance(value, int) else value


def differences(one: dict[str, list[str]], other: dict[str, list[str]]) -> dict[str, tuple[list[str], list[str]]]:
    """Table -> the rows that only one of two dumps has; empty for equal ones."""
    found = {table: (_without(one[table], other[table]), _without(other[table], one[table])) for table in one}
    return {table: pair for table, pair in found.items() if any(pair)}


def _without(rows: list[str], others: list[str]) -> list[str]:
    return list((Counter(rows) - Counter(others)).elements())
