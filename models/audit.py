"""The operation log: who changed what, from what to what.  Written by the flush, so that nobody can forget it.

Every entry carries a hash of its own content.  No chain runs through the writers' transactions, it would
serialise them; the seals do that afterwards (`resolvers/seal.py`).  The database refuses to change or delete
an entry by trigger.  Values are hashed apart from the rest and with a salt: when a person's data are erased
one day, the values go and the entry can still be proved.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, cast

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    Table,
    Update,
    event,
    insert,
    inspect,
)
from sqlalchemy.orm import InstanceState, Mapped, Session, mapped_column
from sqlalchemy.orm.util import identity_key

from .base import Base, Entity, Hash, Key, Part, Word, choice, text_type, time_text

Changes = dict[str, list[Any]]
"""Field -> [old, new], JSON values: numbers and booleans as such, times and amounts as text."""

SILENT = frozenset({"version", "created_at", "created_by_id", "updated_at", "updated_by_id", "deleted_by_id", "id"})
"""Columns that say nothing which the entry itself does not say."""

UNWALLED = {"unwalled": True}
"""Execution option of the few statements that reach protected tables below the policy: the log's own."""


class Outcome(StrEnum):
    """Whether it was done, or refused for lack of rights."""

    OK = "OK"
    DENIED = "DENIED"


class AuditEntry(Base):
    """One change of one record, or one attempt that was refused for lack of rights."""

    __tablename__ = "audit_entry"
    module, prefix = "audit", "aud"
    facts: ClassVar[dict[str, str]] = {"owner_id": "actor_id"}

    id: Mapped[Key]
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    actor_name: Mapped[str] = mapped_column(text_type(200))
    """The name at that time; `system:demo` and its like are nobody's row."""
    behalf_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    """The person in whose place the actor worked."""
    door: Mapped[str] = mapped_column(text_type(20))
    request_id: Mapped[str] = mapped_column(text_type(40))
    batch_id: Mapped[str] = mapped_column(text_type(40))
    action: Mapped[str] = mapped_column(text_type(60))
    entity: Mapped[Word]
    record_id: Mapped[int | None]
    label: Mapped[str | None]
    outcome: Mapped[Outcome] = choice(Outcome)
    reason: Mapped[str | None] = mapped_column(text_type(400))
    changes: Mapped[dict[str, Any]] = mapped_column(JSON)
    salt: Mapped[str] = mapped_column(text_type(32))
    values_hash: Mapped[Hash]
    hash: Mapped[Hash]

    __table_args__ = (
        Index("ix_audit_entry_record", "entity", "record_id", "id"),
        Index("ix_audit_entry_actor", "actor_id", "at"),
        Index("ix_audit_entry_action", "action", "at"),
        Index("ix_audit_entry_batch", "batch_id"),
        Index("ix_audit_entry_at", "at", "id"),
    )


class AuditSeal(Base):
    """A hash over a run of entries and over the seal before it."""

    __tablename__ = "audit_seal"

    id: Mapped[Key]
    at: Mapped[datetime]
    previous_hash: Mapped[Hash]
    first_id: Mapped[int]
    last_id: Mapped[int]
    count: Mapped[int]
    hash: Mapped[Hash]


_insert = insert(cast("Table", AuditEntry.__table__))


@dataclass(frozen=True)
class Signature:
    """Who acts, through which door, in which request: the part of an entry that the records do not know."""

    actor_id: int | None
    actor_name: str
    door: str
    request_id: str
    batch_id: str
    action: str
    behalf_id: int | None = None
    reason: str | None = None


def entry(
    signature: Signature,
    at: datetime,
    entity: str,
    record_id: int | None,
    changes: Changes,
    *,
    label: str | None = None,
    outcome: Outcome = Outcome.OK,
    salt: str | None = None,
) -> dict[str, Any]:
    """One row for `audit_entry`, complete with its hashes."""
    row: dict[str, Any] = {
        "at": at,
        "actor_id": signature.actor_id,
        "actor_name": signature.actor_name,
        "behalf_id": signature.behalf_id,
        "door": signature.door,
        "request_id": signature.request_id,
        "batch_id": signature.batch_id,
        "action": signature.action,
        "entity": entity,
        "record_id": record_id,
        "label": label,
        "outcome": outcome,
        "reason": signature.reason,
        "changes": changes,
        "salt": salt or secrets.token_hex(8),
    }
    row["values_hash"] = values_hash(row)
    row["hash"] = entry_hash(row)
    return row


_HEADER = (
    "at",
    "actor_id",
    "actor_name",
    "behalf_id",
    "door",
    "request_id",
    "batch_id",
    "action",
    "entity",
    "record_id",
    "outcome",
)


def values_hash(row: Mapping[str, Any]) -> str:
    """SHA-256 over salt, label, reason and changes."""
    return _sha256([row["salt"], row["label"], row["reason"], row["changes"]])


def entry_hash(row: Mapping[str, Any]) -> str:
    """SHA-256 over the header and `values_hash`, as canonical JSON."""
    return _sha256([*(plain(row[name]) for name in _HEADER), row["values_hash"]])


def seal_hash(previous: str, first_id: int, last_id: int, hashes: Iterable[tuple[int, str]]) -> tuple[str, int]:
    """(SHA-256 over the previous seal and each `id:hash`, number of entries)."""
    digest, count = hashlib.sha256(f"{previous}|{first_id}|{last_id}".encode()), 0
    for id, hash in hashes:
        digest.update(f"|{id}:{hash}".encode())
        count += 1
    return digest.hexdigest(), count


def _sha256(value: Any) -> str:
    return hashlib.sha256(_CANONICAL.encode(value).encode()).hexdigest()


_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def plain(value: Any) -> Any:
    """A value as JSON holds it."""
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return value.value if isinstance(value, StrEnum) else value


def record(session: Session, row: Entity | Part, changes: Changes) -> None:
    """Write down that `row` was changed so, in the open transaction.  The only way into the log for changes."""
    session.info.setdefault("entries", []).append((row, changes))


def write_entries(session: Session) -> None:
    """Insert what `record` has gathered, in one statement."""
    gathered = session.info.pop("entries", [])
    if not gathered:
        return
    signature, now = session.info["signature"], session.info["now"]
    rows = [entry(signature, now, *_subject(row), changes, label=_label(session, row)) for row, changes in gathered]
    session.execute(_insert, rows, execution_options=UNWALLED)


def _subject(row: Entity | Part) -> tuple[str, int]:
    """(entity, record id) under which a row is logged: a part under its whole."""
    if isinstance(row, Part):
        return _whole_of(type(row)).__tablename__, getattr(row, f"{row.part_of}_id")
    return row.__tablename__, row.id


def _label(session: Session, row: Entity | Part) -> str | None:
    """How the record is called; a part by its whole's name, when that is at hand."""
    if isinstance(row, Entity):
        return row.label[:200]
    whole = _whole_of(type(row))
    found = session.identity_map.get(identity_key(whole, getattr(row, f"{row.part_of}_id")))
    return found.label[:200] if found is not None else None


def _whole_of(part: type[Part]) -> type[Entity]:
    whole: type[Entity] = inspect(part).relationships[part.part_of].mapper.class_
    return whole


@event.listens_for(Session, "after_flush")
def _log_the_flush(session: Session, _context: object) -> None:
    touched = [row for row in (*session.new, *session.dirty, *session.deleted) if isinstance(row, Entity | Part)]
    if not touched:
        return
    if "signature" not in session.info:
        raise RuntimeError("records may only change inside scope.write(action)")
    for row in touched:
        changes = _changes(row, born=row in session.new, gone=row in session.deleted)
        if changes:
            record(session, row, changes)
    write_entries(session)


def _changes(row: Entity | Part, *, born: bool, gone: bool) -> Changes:
    pairs = dict(_pairs(row, born=born, gone=gone))
    if not isinstance(row, Part):
        return pairs
    # A part shows as one field of its whole: {"phone": ["138…", null]}.
    before, after = (pairs.get("value", [None, None])) if pairs else (None, None)
    kind = str(plain(getattr(row, "kind", type(row).__tablename__))).lower()
    return {kind: [before, after]} if before != after else {}


def _pairs(row: Entity | Part, *, born: bool, gone: bool) -> Iterator[tuple[str, list[Any]]]:
    """(field, [old, new]): what changed, at birth every value, at the end every last value."""
    state: InstanceState[Entity | Part] = inspect(row)
    for attribute in state.mapper.column_attrs:
        if attribute.key in SILENT or attribute.key in state.unloaded:
            continue
        if born or gone:
            value = plain(getattr(row, attribute.key))
            if value is not None:
                yield attribute.key, [None, value] if born else [value, None]
            continue
        history = state.attrs[attribute.key].history
        if history.has_changes():
            old, new = (next(iter(side or ()), None) for side in (history.deleted, history.added))
            if plain(old) != plain(new):
                yield attribute.key, [plain(old), plain(new)]


def guarded_update(
    session: Session, statement: Update, model: type[Entity], before: Mapping[int, Mapping[str, Any]]
) -> list[int]:
    """Run an UPDATE of an entity for hot and bulk paths, and log it.  Gives the ids that were changed.

    `statement` carries its own guards and its policy clause; `before` holds the old values by id, for the
    columns that it sets.
    """
    keys = [column if isinstance(column, str) else column.key for column in statement._values or {}]  # noqa: SLF001  no public way to the SET list
    fields = [model.__table__.c[key] for key in keys if key not in SILENT]
    rows = session.execute(statement.returning(model.__table__.c.id, *fields), execution_options=UNWALLED).all()
    signature, now = session.info["signature"], session.info["now"]
    entries = []
    for id, *values in rows:
        old = before.get(id, {})
        pairs = {c.key: [plain(old.get(c.key)), plain(v)] for c, v in zip(fields, values, strict=True)}
        changed = {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
        entries.append(entry(signature, now, model.__tablename__, id, changed, label=old.get("label")))
    if entries:
        session.execute(_insert, entries, execution_options=UNWALLED)
    return [row.id for row in rows]


APPEND_ONLY: tuple[type[Base], ...] = (AuditEntry, AuditSeal)


def append_only(table: str) -> dict[str, list[str]]:
    """The statements that make the database refuse to change or delete rows of `table`, by dialect."""
    sqlite = [
        f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    ]
    # INSERT OR REPLACE deletes without a word to the triggers above.
    replaced = f"EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"  # noqa: S608  the names are our own
    sqlite.append(
        f"CREATE TRIGGER {table}_replace BEFORE INSERT ON {table} WHEN {replaced} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )
    postgresql = [
        (
            f"CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
        ),
        (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
        ),
    ]
    return {"sqlite": sqlite, "postgresql": postgresql}


ORDERED_IDS = (
    "ALTER TABLE audit_entry ALTER COLUMN id SET DEFAULT "
    "CASE WHEN pg_current_xact_id() IS NOT NULL THEN nextval('audit_entry_id_seq') END"
)
"""PostgreSQL: a transaction gets its own number before it draws an entry's.  The sealer relies on it: once every
transaction up to a number has ended, no entry below the sequence's state of then can still appear."""


def house_rules(dialect: str) -> list[str]:
    """Everything about the log that a table definition cannot say, as statements for `dialect`."""
    triggers = [line for model in APPEND_ONLY for line in append_only(model.__tablename__)[dialect]]
    return [*triggers, ORDERED_IDS] if dialect == "postgresql" else triggers


@event.listens_for(Base.metadata, "after_create")
def _enforce(_target: Table, connection: Any, **_: Any) -> None:
    for line in house_rules(connection.dialect.name):
        connection.exec_driver_sql(line)
