"""A record as it was, on the tab of its history: the moment that an address names, and its facts then and now."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from models import Entity
from models.audit.proof import plain
from models.errors import Refusal
from resolvers.audit.as_of import AsOf, PastValue, as_of
from resolvers.audit.history import Change, Entry
from resolvers.audit.redaction import names_in
from resolvers.reading.pages import Row
from resolvers.records.restore_field import restorable_keys

from .fields import HIDDEN
from .labels import field_label
from .panel_request import PanelRequest


@dataclass(frozen=True)
class PastFact:
    """A field then and now, with its label; `may_restore`: whether the user may edit it back."""

    label: str
    value: PastValue
    may_restore: bool


@dataclass(frozen=True)
class Past:
    """A record as it was: `facts` are those that are not empty, then or now, the changed ones first."""

    state: AsOf
    facts: list[PastFact]

    def address(self, at: datetime | None) -> str | None:
        """The query of the tab at another moment of the history."""
        return f"?tab=history&at={moment_text(at)}#related" if at is not None else None


def moment_of(ask: PanelRequest, text: str) -> datetime | None:
    """The moment of an address or of an input for a local time; None for anything else."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo is not None else ask.moment(found)
    except (ValueError, OverflowError):
        return None


def moment_text(at: datetime) -> str:
    """A moment as it stands in an address, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def past_of(ask: PanelRequest, model: type[Entity], row: Row, at: datetime) -> tuple[Past | None, str]:
    """(the record as it was, "") or (None, the sentence why there is nothing to show)."""
    try:
        state: AsOf = await ask.scope.read(as_of, model, row.id, at)
    except Refusal as refusal:
        return None, refusal.say(ask.language)
    open_keys = restorable(ask, model, row)
    found = [
        PastFact(field_label(model, it.key), it, it.key in open_keys and it.is_known and it.has_changed)
        for it in state.values
        if it.key not in HIDDEN and not (_is_empty(it.value) and _is_empty(it.now) and it.is_known)
    ]
    return Past(state, sorted(found, key=lambda fact: not fact.value.has_changed)), ""


def restorable(ask: PanelRequest, model: type[Entity], row: Row) -> Collection[str]:
    """The fields of a record that a button of its history offers to restore."""
    if "edit" not in row.may or row["deleted_at"] is not None:
        return ()
    words = names_in(ask.scope.viewer, model)
    keys = restorable_keys(ask.scope.policy.book, model)
    return [key for key in keys if ask.edits(model.module, words[key])]


def is_restorable(entry: Entry, change: Change, row: Row, open_keys: Collection[str]) -> bool:
    """Whether a button beside this change makes sense: not at the beginning, and not for the value that is there."""
    if change.key not in open_keys or entry.action.endswith((".create", ".import")):
        return False
    return change.key not in row.values or bool(plain(row[change.key]) != change.old)


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", []) or value is False
