"""The operation log: who changed what, from what to what.  The flush writes it, so that no use case can forget it.

Every entry carries a hash of its own content.  No chain runs through the transactions of writers, because it
would serialise them; the seals make one afterwards (`resolvers/audit/seal.py`).  The database refuses to change or delete
an entry by trigger.  Values are hashed apart from the rest and with a salt, so that they can be erased one day and the
entry still be proved.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ..base import Base, Hash, Key, Word, choice, text_type
from ..names import Names
from .append_only import append_only_statements as append_only_statements
from .proof import entry_hash, values_hash
from .proof import plain as plain

Changes = dict[str, list[Any]]
"""Field -> [old, new], JSON values: numbers and booleans as such, times and amounts as text."""

FOLLOWING = frozenset(
    {
        "exempt_until",
        "has_open_opportunity",
        "last_deal_at",
        "last_follow_up_at",
        "last_follow_up_by_id",
        "last_opportunity_at",
        "next_follow_up_at",
        "rehearsed_terms",
        "release_due_at",
        "release_rule_id",
        "stage_changed_at",
        "stale_at",
        "state",
    }
)
"""Columns that repeat what other records and rules come to; those have entries of their own."""
SILENT = FOLLOWING | {"version", "created_at", "created_by_id", "updated_at", "updated_by_id", "deleted_by_id", "id"}
"""Columns whose changes the entry says by itself, or that follow from others."""


class Outcome(StrEnum):
    """Whether it was done, or refused for lack of rights."""

    OK = "OK"
    """It was done."""
    DENIED = "DENIED"
    """It was refused for lack of rights, and nothing changed."""


DOORS = {
    "command line": "A command of the terminal.",
    "demo": "The invention of demo data.",
    "download": "A download of a file.",
    "graphql": "This API.",
    "job": "A job in the background.",
    "mail": "The sending of e-mails.",
    "panel": "A page of the panel.",
    "system": "The system itself.",
    "upload": "An upload of a file.",
}
"""Where changes come in, and what each place is."""


class AuditEntry(Base):
    """One change of one record, or one attempt that was refused for lack of rights."""

    __tablename__ = "audit_entry"
    module, prefix = "audit", "aud"
    names = Names("Log entry", "Operation log", zh="日志记录", zh_many="操作日志")
    policy_columns: ClassVar[dict[str, str]] = {"owner_id": "actor_id"}

    id: Mapped[Key]
    at: Mapped[datetime]
    """When it happened."""
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    """The user who did it; null for the clock and for commands."""
    actor_name: Mapped[str] = mapped_column(text_type(200))
    """The name of the actor at that time; `system:…` for the clock and for commands."""
    behalf_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    """The person in whose place the actor worked."""
    door: Mapped[str] = mapped_column(text_type(20))
    """The way by which it came: the panel, the API, the command line, or a job."""
    request_id: Mapped[str] = mapped_column(text_type(40))
    """The same for all entries of one request; the answer has it in the header `X-Request-Id`."""
    batch_id: Mapped[str] = mapped_column(text_type(40))
    """The same for all entries of one batch; `undo` takes it."""
    action: Mapped[str] = mapped_column(text_type(60))
    """What was done, by module and action, like `customer.claim`."""
    entity: Mapped[Word]
    """The kind of record."""
    record_id: Mapped[int | None]
    label: Mapped[str | None]
    outcome: Mapped[Outcome] = choice(Outcome)
    """Whether it was done, or denied for lack of rights."""
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
        Index(
            "ix_audit_entry_denied",
            "id",
            sqlite_where=text("outcome = 'DENIED'"),
            postgresql_where=text("outcome = 'DENIED'"),
        ),
    )


class AuditSeal(Base):
    """A hash over a run of entries and over the seal before it, under a key that the database does not hold."""

    __tablename__ = "audit_seal"

    id: Mapped[Key]
    at: Mapped[datetime]
    previous_hash: Mapped[Hash]
    first_id: Mapped[int]
    last_id: Mapped[int]
    count: Mapped[int]
    hash: Mapped[Hash]
    key_id: Mapped[str | None] = mapped_column(text_type(16))
    """Which key signed it; None for a seal that was laid before there were keys."""


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
