"""What has changed for a user since a cursor: records that came into sight, changed there, or are gone from it.

A follower takes a cursor, reads the lists, and then asks for changes from page to page.  A page looks at a run of log
entries that are settled.  Each record that they touch, or that became visible or invisible by them, is told as it is
now; one that cannot be seen any more is told as gone only where the user could see it at some moment since the cursor.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise, zip_longest
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from models import ENTITIES, AuditEntry, AuditSeal, Base, Customer, Share
from models.audit.entries import FOLLOWING, Outcome
from models.database.bypass import Because, bypass_policy
from models.errors import ChangesExpired, Validation

from ..runtime.scope import Scope
from ..runtime.viewer import Viewer
from . import change_cursor, redaction
from .change_cursor import Place
from .horizon import settled
from .moved_rights import given_to, refuse_if_rights_moved
from .past_facts import Judge, Lives, fact_columns, parent_of
from .share_times import ShareTimes

USUAL, MOST = 100, 200
"""Usual and maximum number of changes of a page; those of one log entry come together."""
OLDEST = timedelta(days=30)
"""Age at which a cursor has expired."""
_LOG = AuditEntry.__table__.c
_JUDGING = bypass_policy(Because.JUDGES_RIGHTS)
_MODELS: Mapping[str, type[Base]] = {model.__tablename__: model for model in ENTITIES}
_Key = tuple[type[Base], int]
_LOCKED = "locked"
_SHOWS_LOCK = (_LOCKED, "locked_by_id", "lock_expires_at")
"""What says whether a customer is locked, which no policy hides."""


class ChangeKind(StrEnum):
    """What became of a record for the user."""

    CREATED = "CREATED"
    """It came into sight."""
    CHANGED = "CHANGED"
    """Something of it changed that the user sees."""
    GONE = "GONE"
    """It left the user's sight."""


@dataclass(frozen=True)
class RecordChange:
    """What became of one record."""

    kind: ChangeKind
    model: type[Base]
    id: int


@dataclass(frozen=True)
class Changes:
    """A page of changes, and the cursor after it."""

    changes: list[RecordChange]
    cursor: str
    has_more: bool


async def changes(
    scope: Scope, since: str | None = None, first: int = USUAL, types: Sequence[str] | None = None
) -> Changes:
    """What has changed for the caller since a cursor; without one nothing, and the cursor of this moment.

    Each record comes once in a page, with what became of it in the end.  Raises Validation for a page that is too large,
    an unknown type or a text that is no cursor; ChangesExpired for a cursor that is too old, of another user, or of a
    time since which the caller's own rights have changed.
    """
    if not 1 <= first <= MOST:
        raise Validation(f"first is 1 to {MOST}.", f"first 须为 1 至 {MOST}。", field="first")
    wanted = {_kind(name) for name in types} if types is not None else None
    horizon = await settled(scope)
    return await scope.read(_changes, since, horizon, first, wanted)


def _kind(name: str) -> type[Base]:
    found = next((model for model in ENTITIES if model.__name__ == name), None)
    if found is None:
        raise Validation(f"There is no type “{name[:40]}”.", f"没有类型“{name[:40]}”。", field="types")
    return found


def _changes(
    scope: Scope, db: Session, since: str | None, horizon: int | None, first: int, wanted: set[type[Base]] | None
) -> Changes:
    now, rights = scope.now(), change_cursor.rights_of(scope)
    if since is None:
        newest = change_cursor.newest_until(db, _known(db, horizon))
        return Changes([], change_cursor.written(scope, db, Place(newest, now, rights)), has_more=False)
    place = change_cursor.read(scope, db, since)
    if place.rights != rights or now - place.at > OLDEST:
        raise ChangesExpired
    if horizon is None:
        return Changes([], since, has_more=True)
    window = _Window(db, place.position, horizon, first, scope.policy.branch_fields)
    refuse_if_rights_moved(scope, db, place, now)
    until = max(place.at, now if window.is_last else window.entries[-1].at)
    after, touched = Place(window.end, until, rights), window.touched
    _add_by_the_clock(scope, db, place.at, until, touched)
    found = _Telling(scope, db, place, now, touched).told()
    told = [change for change in found if wanted is None or change.model in wanted]
    return Changes(told, change_cursor.written(scope, db, after), has_more=not window.is_last)


def _known(db: Session, horizon: int | None) -> int:
    """The horizon; while it is not known the last one that a seal has proved, which is earlier."""
    if horizon is not None:
        return horizon
    return db.execute(select(AuditSeal.last_id).order_by(AuditSeal.id.desc()).limit(1)).scalar() or 0


# --- which records ---------------------------------------------------------------------------------------


@dataclass
class _Touched:
    """Records with the names of their fields that changed; none where only their visibility may have."""

    names: dict[_Key, set[str]] = field(default_factory=dict)

    def add(self, key: _Key, names: set[str]) -> None:
        self.names.setdefault(key, set()).update(names)


class _Window:
    """The next run of entries that touches about as many records as a page takes."""

    def __init__(self, db: Session, position: int, horizon: int, first: int, words: frozenset[str]) -> None:
        about = [_LOG.id > position, _LOG.id <= horizon, _LOG.outcome == Outcome.OK, _LOG.record_id.is_not(None)]
        asked = select(_LOG.id, _LOG.at, _LOG.entity, _LOG.record_id, _LOG.changes).where(*about)
        rows = db.execute(asked.order_by(_LOG.id).limit(first + 1), execution_options=_JUDGING).all()
        children = _children(db, [row.record_id for row in rows if _moves_children(row, words)])
        self.entries: list[Any] = []
        self.touched = _Touched()
        for row in rows[:first]:
            more = [*_touched_by(row, children, words)]
            fresh = {key for key, _ in more} - self.touched.names.keys()
            if self.entries and len(self.touched.names) + len(fresh) > first:
                break
            self.entries.append(row)
            for key, names in more:
                self.touched.add(key, names)
        self.is_last = len(self.entries) == len(rows)
        newest = change_cursor.newest_until(db, horizon)
        self.end = max(newest, position) if self.is_last else self.entries[-1].id


def _moves_children(row: Any, words: frozenset[str]) -> bool:
    """Whether an entry may have changed who sees what belongs to its record; `words` as in `fact_columns`."""
    model = _MODELS.get(row.entity)
    return model is Customer and not {*fact_columns(Customer, words)}.isdisjoint(row.changes or {})


_CHILDREN: tuple[type[Base], ...] = tuple(model for model in ENTITIES if model.visible_through)


def _children(db: Session, customers: Sequence[int]) -> dict[int, list[_Key]]:
    """Customer -> the records that are visible through it."""
    found: dict[int, list[_Key]] = {}
    for model in _CHILDREN if customers else ():
        table: Any = model.__table__
        key = table.c[parent_of(model)[1]]
        asked = select(key, table.c.id).where(key.in_(sorted({*customers}))).order_by(table.c.id)
        for customer, id in db.execute(asked, execution_options=_JUDGING):
            found.setdefault(customer, []).append((model, id))
    return found


def _touched_by(row: Any, children: Mapping[int, list[_Key]], words: frozenset[str]) -> Iterator[tuple[_Key, set[str]]]:
    """The records that an entry touches, with the names of what it changed."""
    model = _MODELS.get(row.entity)
    if model is None:
        return
    changes = row.changes or {}
    yield (model, row.record_id), set(changes)
    if _moves_children(row, words):
        for kind, id in children.get(row.record_id, ()):
            yield (kind, id), set(changes) & kind.inherited
    if model.visible_through:
        parent, key = parent_of(model)
        pair = changes.get(key)
        for id in {x for x in pair if x} if isinstance(pair, list) else set():
            yield (parent, id), set(FOLLOWING) & {*parent.__table__.c.keys()}


def _add_by_the_clock(scope: Scope, db: Session, since: datetime, until: datetime, touched: _Touched) -> None:
    """Add customers whose lock ended, or of which a share of the caller began or ended, between two moments."""
    table, share = Customer.__table__, Share.__table__
    ended = and_(table.c.locked_by_id.is_not(None), table.c.lock_expires_at > since, table.c.lock_expires_at <= until)
    found = {*db.execute(select(table.c.id).where(ended), execution_options=_JUDGING).scalars()}
    moments = (share.c.starts_at, share.c.ends_at, share.c.revoked_at)
    moved = or_(*(and_(moment > since, moment <= until) for moment in moments))
    shared = {*db.execute(select(share.c.customer_id).where(given_to(scope, share.c), moved)).scalars()}
    shared |= ShareTimes(db, since).moved
    children = _children(db, sorted(found | shared))
    for id in sorted(found | shared):
        touched.add((Customer, id), {_LOCKED} if id in found else set())
        for key in children.get(id, ()):
            touched.add(key, set())


# --- what became of them ---------------------------------------------------------------------------------


class _Telling:
    """What the caller is told of touched records."""

    def __init__(self, scope: Scope, db: Session, place: Place, now: datetime, touched: _Touched) -> None:
        self.scope, self.db, self.place, self.now, self.touched = scope, db, place, now, touched
        self.viewer = Viewer(scope.person, scope.policy, scope.language, scope.sees_many)
        self.lives = Lives(db, place.position, scope.policy.branch_fields)
        ids: dict[type[Base], set[int]] = {}
        for model, id in touched.names:
            ids.setdefault(model, set()).add(id)
        self.seen = {model: self._seen(model, found) for model, found in ids.items()}
        for model, found in ids.items():
            self.lives.load(model, found)
        customers = {id for model, id in self.lives.known() if model is Customer}
        self.judge = Judge(self.viewer, scope.person, self.lives, ShareTimes(db, place.at).of(customers))

    def told(self) -> Iterator[RecordChange]:
        """The changes, in the order of the log."""
        for (model, id), names in self.touched.names.items():
            kind = self._kind(model, id, names)
            if kind is not None:
                yield RecordChange(kind, model, id)

    def _seen(self, model: type[Base], ids: set[int]) -> set[int]:
        """Those of the records that a list of the caller shows now."""
        source, row = redaction.few(model)
        asked = select(row.id).select_from(source).where(row.id.in_(sorted(ids)), self.viewer.rows(model, row))
        if "deleted_at" in model.__table__.c:
            asked = asked.where(row.deleted_at.is_(None))
        return {*self.db.execute(asked.execution_options(policy=True)).scalars()}

    def _kind(self, model: type[Base], id: int, names: set[str]) -> ChangeKind | None:
        moments = self._moments(model, id)
        began, begins, _ = moments[0]
        if id not in self.seen[model]:
            return ChangeKind.GONE if any(self.judge.saw(model, id, *moment) for moment in moments) else None
        # A follower who was told that it is gone, meanwhile, is told that it is there again.
        if not all(self.judge.saw(model, id, at, begun, begun) for at, begun, _ in moments):
            return ChangeKind.CREATED
        before, now = (
            self.judge.hidden(model, id, began, begins),
            self.judge.hidden(model, id, moments[-1][0], self.now),
        )
        known = redaction.names_in(self.viewer, model)
        shown = {name for name in names if (name in known and name not in now) or name in _SHOWS_LOCK}
        derived = names & FOLLOWING - now
        return ChangeKind.CHANGED if shown or derived or before != now else None

    def _moments(self, model: type[Base], id: int) -> list[tuple[int, datetime, datetime]]:
        """The states since the cursor: the entry that each begins with, and from when to when it stood."""
        lives = [self.lives.of(model, id)]
        lives += [above for _, row in lives[0].states if row and (above := self.lives.above(model, row)) is not None]
        written = sorted({entry.id: entry for life in lives for entry in life.entries}.items())
        # What one act did is one step: nobody saw what lay between its entries.
        last = [e for (_, e), after in zip_longest(written, written[1:]) if after is None or not e.is_with(after[1])]
        ids, times = [self.place.position, *(e.id for e in last)], [self.place.at, *(e.at for e in last), self.now]
        points = self.judge.points(lives)
        found = []
        for n, x in enumerate(ids):
            begins, ends = times[n], max(times[n], times[n + 1])
            within = [begins, *sorted(point for point in points if begins < point < ends), ends]
            found += [(x, *between) for between in pairwise(within)]
        return found
