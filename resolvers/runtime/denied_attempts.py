"""Denied attempts of one use case: one line of the log for each kind, with the number of attempts."""

from datetime import datetime
from typing import Any

from models.audit.entries import Changes, Outcome, Signature, entry

ATTEMPTS = "attempts"
"""The name of their number in the log."""


def note_denial(
    rows: list[dict[str, Any]],
    signature: Signature,
    now: datetime,
    entity: str,
    record_id: int | None,
    changes: Changes | None = None,
) -> None:
    """Add an attempt to the rows for the log.  The line of several attempts names the first record.

    An attempt that says what it wanted to change has a line of its own.
    """
    if changes:
        rows.append(entry(signature, now, entity, record_id, changes, outcome=Outcome.DENIED))
        return
    for n, row in enumerate(rows):
        if _is_alike(row, signature, entity):
            attempts = row["changes"].get(ATTEMPTS, [None, 1])[1] + 1
            rows[n] = _row(signature, row["at"], entity, row["record_id"], attempts)
            return
    rows.append(_row(signature, now, entity, record_id, 1))


def _row(signature: Signature, at: datetime, entity: str, record_id: int | None, attempts: int) -> dict[str, Any]:
    changes = {ATTEMPTS: [None, attempts]} if attempts > 1 else {}
    return entry(signature, at, entity, record_id, changes, outcome=Outcome.DENIED)


def _is_alike(row: dict[str, Any], signature: Signature, entity: str) -> bool:
    same = (row["action"], row["entity"], row["actor_id"]) == (signature.action, entity, signature.actor_id)
    return same and row["changes"].keys() <= {ATTEMPTS}
