"""The hashes that prove what the operation log says, and the one JSON form of a value that they are taken over."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson

from ..base import time_text

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


def plain(value: Any) -> Any:
    """A value as JSON holds it: times and amounts as text, enums as their word."""
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return value.value if isinstance(value, StrEnum) else value


def values_hash(row: Mapping[str, Any]) -> str:
    """SHA-256 over salt, label, reason and changes."""
    return _sha256([row["salt"], row["label"], row["reason"], row["changes"]])


ERASED = "erased_entries"
"""The name under which the entry of an erasure lists the entries whose values it has blanked."""
ERASING = ("contact.erase",)
"""The actions that blank entries."""
BLANK: dict[str, Any] = {"label": None, "reason": None, "changes": {}, "salt": ""}
"""What is left of the values of an entry that was erased.  No entry is written without salt, so it cannot be born so."""


def is_blank(row: Mapping[str, Any]) -> bool:
    """Whether the values of an entry were erased."""
    return all(row[key] == value for key, value in BLANK.items())


def entry_hash(row: Mapping[str, Any]) -> str:
    """SHA-256 over the header and `values_hash`, as canonical JSON."""
    return _sha256([*(plain(row[name]) for name in _HEADER), row["values_hash"]])


def seal_hash(
    previous: str,
    at: datetime,
    first_id: int,
    last_id: int,
    hashes: Iterable[tuple[int, str]],
    secret: bytes | None = None,
) -> tuple[str, int]:
    """(hash over the previous seal, the seal's time and span, and each `id:hash`; number of entries).

    The hash is an HMAC-SHA256 under `secret`; without a secret it is a plain SHA-256, which anyone can make anew.
    """
    digest, count = hmac.new(secret, digestmod=hashlib.sha256) if secret is not None else hashlib.sha256(), 0
    digest.update(f"{previous}|{time_text(at)}|{first_id}|{last_id}".encode())
    for id, hash in hashes:
        digest.update(f"|{id}:{hash}".encode())
        count += 1
    return digest.hexdigest(), count


def _sha256(value: Any) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
