"""The timeline of a customer: follow-ups, plans, ownership, stages and edits in one order, as far as the caller sees them."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from models import Base, Customer, FollowUp, OwnershipPeriod, Plan
from models.base import moment_of, time_text
from models.ownership import Ended

from ..audit import history
from ..audit.history import Entry
from ..reading.pages import ListRequest, Row, page
from ..runtime.ids import LARGEST_ID
from ..runtime.scope import Scope

LARGEST_PAGE = 100
MOST_ENTRIES = 500
"""Maximum number of log entries that one page looks through for those of a kind."""
OWNERSHIP_ACTIONS = frozenset({"create", "claim", "assign", "transfer", "release", "move"})
"""Actions of the log that say the same as an ownership period."""


class EventKind(StrEnum):
    """What an event of the timeline is about."""

    FOLLOW_UP = "FOLLOW_UP"
    """A follow-up was written."""
    PLAN = "PLAN"
    """A plan was made, or ended."""
    OWNERSHIP = "OWNERSHIP"
    """The customer got or lost an owner."""
    STAGE = "STAGE"
    """The customer came into another stage."""
    EDIT = "EDIT"
    """Fields of the customer were changed."""


@dataclass(frozen=True)
class Event:
    """One event.  `row` is the follow-up, the plan or the ownership period, `entry` that of the log."""

    kind: EventKind
    at: datetime
    id: int
    row: Row | None = None
    entry: Entry | None = None
    has_ended: bool = False
    """Whether it is the end of an ownership period."""


@dataclass(frozen=True)
class Timeline:
    """A page of events, the newest first; `after` is the cursor of the next page."""

    events: list[Event]
    after: str | None


Places = Mapping[str, Any]
"""Name of a source -> the time and the id of the last event that was shown of it."""


def timeline(
    scope: Scope,
    db: Session,
    id: int,
    *,
    kinds: Collection[EventKind] = (),
    after: str | None = None,
    size: int = 20,
) -> Timeline:
    """A page of the timeline of a customer; `kinds` narrows it.  A cursor that makes no sense is the first page.

    Raises NotFound for a customer that is missing or out of sight.
    """
    history.of_record(scope, db, Customer, id, size=1)  # which refuses
    size, places = max(1, min(size, LARGEST_PAGE)), _read(after)
    wanted = [(name, find) for name, (of, find) in _SOURCES.items() if not kinds or not of.isdisjoint(kinds)]
    found = [
        (event, name)
        for name, find in wanted
        for event in find(_Asked(scope, db, id, frozenset(kinds), places.get(name), size + 1))
    ]
    found.sort(key=lambda each: (each[0].at, each[1], each[0].id), reverse=True)
    shown = found[:size]
    last = {**places, **{name: [time_text(event.at), event.id] for event, name in shown}}
    return Timeline([event for event, _ in shown], _written(last) if len(found) > size else None)


# --- sources ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Asked:
    """What a source is asked for: `size` events of the customer that come after `place`."""

    scope: Scope
    db: Session
    customer_id: int
    kinds: frozenset[EventKind]
    place: Sequence[Any] | None
    size: int

    def rows(self, model: type[Base], key: str, columns: tuple[str, ...], **more: Any) -> list[Row]:
        """The records of the customer, by the time in the column `key`, the newest first."""
        parts: list[Mapping[str, Any]] = [{"customer_id": {"eq": self.customer_id}, key: {"is_null": False}, **more}]
        if self.place is not None:
            at, id = moment_of(self.place[0]), self.place[1]
            parts.append({"or": [{key: {"lt": at}}, {"and": [{key: {"eq": at}}, {"id": {"lt": id}}]}]})
        order = ((key, True), ("id", True))
        request = ListRequest(model, (key, *columns), {"and": parts}, order=order, size=self.size, counts=False)
        found: list[Row] = page(self.scope, self.db, request).rows
        return found


def _follow_ups(asked: _Asked) -> Iterator[Event]:
    if not asked.scope.policy.ever(asked.scope.person, "view", FollowUp.module):
        return
    columns = ("kind", "content", "counts", "owner_id", "contact_id", "opportunity_id")
    for row in asked.rows(FollowUp, "happened_at", columns):
        yield Event(EventKind.FOLLOW_UP, row["happened_at"], row.id, row)


def _plans(asked: _Asked) -> Iterator[Event]:
    if not asked.scope.policy.ever(asked.scope.person, "view", Plan.module):
        return
    for row in asked.rows(Plan, "due_at", ("kind", "content", "state", "owner_id", "cancel_reason")):
        yield Event(EventKind.PLAN, row["due_at"], row.id, row)


def _began(asked: _Asked) -> Iterator[Event]:
    for row in asked.rows(OwnershipPeriod, "started_at", ("owner_id", "began", "pool_id", "reason")):
        yield Event(EventKind.OWNERSHIP, row["started_at"], row.id, row)


def _ended(asked: _Asked) -> Iterator[Event]:
    """The ends after which no other period begins at once."""
    ends = {"in": [Ended.RELEASE, Ended.DELETE, Ended.MERGE]}
    for row in asked.rows(OwnershipPeriod, "ended_at", ("owner_id", "ended", "reason"), ended=ends):
        yield Event(EventKind.OWNERSHIP, row["ended_at"], row.id, row, has_ended=True)


def _changes(asked: _Asked) -> Iterator[Event]:
    """The entries of the log about the customer: those with a change of the stage, and the other edits."""
    before, seen, found = (asked.place[1] if asked.place else LARGEST_ID), 0, 0
    while seen < MOST_ENTRIES and found < asked.size:
        entries = history.of_record(
            asked.scope, asked.db, Customer, asked.customer_id, before=before, size=LARGEST_PAGE
        ).entries
        for entry in entries:
            kind = _kind_of(entry)
            if kind is not None and (not asked.kinds or kind in asked.kinds) and found < asked.size:
                found += 1
                yield Event(kind, entry.at, entry.id, entry=entry)
        if len(entries) < LARGEST_PAGE:
            return
        before, seen = entries[-1].id, seen + len(entries)


def _kind_of(entry: Entry) -> EventKind | None:
    """What an entry is about; None for one that says what an ownership period says, or nothing that the caller sees."""
    if entry.model is not Customer or entry.action.rpartition(".")[2] in OWNERSHIP_ACTIONS:
        return None
    return EventKind.STAGE if any(change.key == "stage" for change in entry.changes) else EventKind.EDIT


_SOURCES: dict[str, tuple[frozenset[EventKind], Callable[[_Asked], Iterator[Event]]]] = {
    "f": (frozenset({EventKind.FOLLOW_UP}), _follow_ups),
    "p": (frozenset({EventKind.PLAN}), _plans),
    "b": (frozenset({EventKind.OWNERSHIP}), _began),
    "e": (frozenset({EventKind.OWNERSHIP}), _ended),
    "c": (frozenset({EventKind.STAGE, EventKind.EDIT}), _changes),
}

# --- cursors ---------------------------------------------------------------------------------------------


def _written(places: Places) -> str:
    return urlsafe_b64encode(json.dumps(places, separators=(",", ":")).encode()).decode().rstrip("=")


def _read(cursor: str | None) -> Places:
    """The places of a cursor; none of one that makes no sense."""
    try:
        text = urlsafe_b64decode((cursor or "").encode("ascii") + b"==")
        found = json.loads(text) if cursor else {}
        return {name: _checked(*place) for name, place in found.items() if name in _SOURCES}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _checked(at: str, id: int) -> list[Any]:
    """A place as it was written.  Raises ValueError, TypeError for any other."""
    if not 0 < id <= LARGEST_ID:
        raise ValueError(id)
    return [time_text(moment_of(at)), int(id)]
