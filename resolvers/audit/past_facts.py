"""What the policy asked about records at every moment since a place in the log, read from the log backwards.

A record that is not visible now may have been so a moment ago.  Its present columns, with the old values of its entries
put back one after another, say whose it was, in which pool it lay and whether it was there at all.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from models import AuditEntry, Base, Customer
from models.audit.entries import Outcome
from models.base import moment_of
from models.database.bypass import Because, bypass_policy
from policies import Principal, Snapshot
from policies.branches import Held, dictionary_of, held_by
from policies.words import Facts

from ..runtime.viewer import Viewer
from .redaction import names_in
from .share_times import PastShare

_LOG = AuditEntry.__table__.c
_WHO = ("owner_id", "department_id", "created_by_id", "pool_id")
_LOCK = ("locked_by_id", "lock_expires_at")
_JUDGING = bypass_policy(Because.JUDGES_RIGHTS)
Row = Mapping[str, Any]
"""The columns of a record that the policy asks about."""


@cache
def fact_columns(model: type[Base], words: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """The columns that decide who may see a record.  `words`: the fields by whose branches the policy decides."""
    named = [model.policy_columns.get(name, name) for name in _WHO]
    found = ["id", *named, "deleted_at", *_LOCK, "created_at"]
    parent = [parent_of(model)[1]] if model.visible_through else []
    named = [key for key in sorted(words) if dictionary_of(model, key) is not None]
    return tuple(dict.fromkeys(key for key in (*found, *parent, *named) if key in model.__table__.c))


@cache
def parent_of(model: type[Base]) -> tuple[type[Base], str]:
    """(the model through which records are visible, the foreign key to it)."""
    relation = inspect(model).relationships[model.visible_through]
    ((mine, _),) = relation.local_remote_pairs or ()
    return relation.mapper.class_, str(mine.key)


@dataclass(frozen=True)
class Entry:
    """An entry about one record."""

    id: int
    at: datetime
    batch: str
    changes: Mapping[str, Any]

    def is_with(self, other: "Entry") -> bool:
        """Whether both were written by one act."""
        return (self.batch, self.at) == (other.batch, other.at)


@dataclass
class Life:
    """A record since a place in the log: its states in the order of time, None while it was not there.

    A state begins with the entry whose id stands beside it; the first one with the place itself.
    """

    states: list[tuple[int, Row | None]]
    entries: list[Entry] = field(default_factory=list)

    def at(self, id: int) -> Row | None:
        """The state after the entries up to this id."""
        return next((state for begins, state in reversed(self.states) if begins <= id), self.states[0][1])


class Lives:
    """The lives of records since `position`; reads at creation of each kind, rows before entries.

    `words`: the fields with words about whose branches the policy asks.
    """

    def __init__(self, db: Session, position: int, words: frozenset[str] = frozenset()) -> None:
        self.db, self.position, self.words = db, position, words
        self._lives: dict[tuple[type[Base], int], Life] = {}

    def load(self, model: type[Base], ids: Collection[int]) -> None:
        """Read records that were not read before, and those through which they were visible."""
        fresh = sorted({id for id in ids if (model, id) not in self._lives})
        if not fresh:
            return
        rows = self._rows(model, fresh)
        entries, first = self._entries(model, fresh)
        for id in fresh:
            found = entries.get(id, [])
            self._lives[model, id] = Life(_states(id, rows.get(id), found, self.position, first.get(id)), found)
        if model.visible_through:
            parent, key = parent_of(model)
            states = [state for id in fresh for _, state in self._lives[model, id].states]
            self.load(parent, {state[key] for state in states if state is not None and state.get(key)})

    def known(self) -> Collection[tuple[type[Base], int]]:
        """All records that were read."""
        return self._lives.keys()

    def of(self, model: type[Base], id: int) -> Life:
        return self._lives[model, id]

    def above(self, model: type[Base], row: Row) -> Life | None:
        """The life of the record through which one is visible."""
        if not model.visible_through:
            return None
        parent, key = parent_of(model)
        return self._lives.get((parent, row.get(key) or 0))

    def _rows(self, model: type[Base], ids: Sequence[int]) -> dict[int, Row]:
        table: Any = model.__table__
        asked = select(*(table.c[key] for key in fact_columns(model, self.words))).where(table.c.id.in_(ids))
        return {row.id: row._asdict() for row in self.db.execute(asked, execution_options=_JUDGING)}

    def _entries(self, model: type[Base], ids: Sequence[int]) -> tuple[dict[int, list[Entry]], dict[int, int]]:
        """(the entries of each record since the place, the id of its first entry of all)."""
        about = [_LOG.entity == model.__tablename__, _LOG.record_id.in_(ids), _LOG.outcome == Outcome.OK]
        asked = select(_LOG.id, _LOG.record_id, _LOG.at, _LOG.batch_id, _LOG.changes).where(
            *about, _LOG.id > self.position
        )
        found: dict[int, list[Entry]] = {}
        for id, record, at, batch, changes in self.db.execute(asked.order_by(_LOG.id), execution_options=_JUDGING):
            found.setdefault(record, []).append(Entry(id, at, batch, changes or {}))
        first = select(_LOG.record_id, func.min(_LOG.id)).where(*about).group_by(_LOG.record_id)
        return found, {record: id for record, id in self.db.execute(first, execution_options=_JUDGING)}  # noqa: C416


def _states(
    id: int, row: Row | None, entries: Sequence[Entry], position: int, first: int | None
) -> list[tuple[int, Row | None]]:
    """The states of a record, from its present row back to the place."""
    state: Row | None = row
    states: list[tuple[int, Row | None]] = []
    for entry in reversed(entries):
        states.append((entry.id, state))
        if entry.id == first and _made_then(row, entry):
            state = None
        else:
            state = {
                "id": id,
                **(state or {}),
                **{key: pair[0] for key, pair in entry.changes.items() if _is_pair(pair)},
            }
    states.append((position, state))
    return states[::-1]


def _made_then(row: Row | None, entry: Entry) -> bool:
    """Whether a record began with its first entry; some are put in without one."""
    made = row.get("created_at") if row is not None else None
    return made is None or made >= entry.at - timedelta(seconds=1)


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2


# --- judging ---------------------------------------------------------------------------------------------


class Judge:
    """What one person could see of records, state by state."""

    def __init__(
        self, viewer: Viewer, person: Principal, lives: Lives, shares: Mapping[int, Sequence[PastShare]]
    ) -> None:
        self.viewer, self.person, self.lives, self.shares = viewer, person, lives, shares
        self.policy: Snapshot = viewer.policy
        self._branches: dict[tuple[Any, ...], frozenset[Held]] = {}

    def saw(self, model: type[Base], id: int, at: int, begins: datetime, ends: datetime) -> bool:
        """Whether they could see it in the list after the entry `at`, at some moment between these two."""
        return any(seen for seen, _ in self._looks(model, id, at, begins, ends))

    def hidden(self, model: type[Base], id: int, at: int, moment: datetime) -> frozenset[str]:
        """The names of the fields that were hidden from them then."""
        for _, facts in self._looks(model, id, at, moment, moment):
            words = names_in(self.viewer, model).items()
            may_be = [(name, word) for name, word in words if self.policy.may_hide(self.person, model, word)]
            return frozenset(
                name for name, word in may_be if not self.policy.may(self.person, "view", model.module, facts, word)
            )
        return frozenset()

    def points(self, lives: Sequence[Life]) -> set[datetime]:
        """The moments at which the clock alone changed who could see these records: ends of locks, shares that began or ended."""
        rows = [row for life in lives for _, row in life.states if row is not None]
        ends = {_moment(row.get("lock_expires_at")) for row in rows}
        shares = [share for row in rows for share in self.shares.get(row["id"], ())]
        return {x for x in (*ends, *(y for share in shares for y in (share.begins, share.ends))) if x is not None}

    def _looks(
        self, model: type[Base], id: int, at: int, begins: datetime, ends: datetime
    ) -> Iterator[tuple[bool, Facts]]:
        """Whether it could be seen, and its facts, for each state that the clock gave it between these moments."""
        row = self.lives.of(model, id).at(at)
        if row is None:
            return
        for moment in dict.fromkeys((begins, ends)):
            facts, above = self._facts(model, row, at, moment)
            may = self.policy.may(self.person, "view", model.module, facts)
            if above is not None:
                may = may and self.policy.may(self.person, "view", parent_of(model)[0].module, above)
            yield may and row.get("deleted_at") is None, facts

    def _facts(
        self, model: type[Base], row: Row, at: int, moment: datetime, below: type[Base] | None = None
    ) -> tuple[Facts, Facts | None]:
        """(the facts of a state, those of the record through which it was visible).  `below` is as in `facts_of`."""
        own: dict[str, Any] = {name: row.get(model.policy_columns.get(name, name)) for name in _WHO}
        found = Facts(**own, deleted=row.get("deleted_at") is not None, branches=self._held(model, row))
        if model is Customer:
            return replace(found, locked=_is_locked(row, moment), shares=self._shares(row["id"], moment, below)), None
        if not model.visible_through:
            return found, None
        life = self.lives.above(model, row)
        whole = life.at(at) if life is not None else None
        above = self._facts(parent_of(model)[0], whole, at, moment, model)[0] if whole is not None else Facts()
        merged: dict[str, Any] = {name: own[name] if own[name] is not None else getattr(above, name) for name in _WHO}
        merged["created_by_id"] = own["created_by_id"]
        words = {(name, key) for name, key in above.branches if dictionary_of(model, name) is None}
        branches = found.branches | words
        return replace(found, **merged, locked=above.locked, shares=above.shares, branches=branches), above

    def _held(self, model: type[Base], row: Row) -> frozenset[Held]:
        """The branches in which a state lay, in the tree of now: with words that moved, rights have moved."""
        words = tuple((key, row[key]) for key in sorted(self.lives.words) if row.get(key) is not None)
        known = model, *words
        if words and known not in self._branches:
            self._branches[known] = held_by(self.lives.db, model, SimpleNamespace(**dict(words)))
        return self._branches.get(known, frozenset())

    def _shares(self, customer: int, moment: datetime, below: type[Base] | None) -> frozenset[Any]:
        given = (x for x in self.shares.get(customer, ()) if x.is_in_force(moment) and x.opens(below))
        return frozenset((x.kind, x.grantee_id, x.level) for x in given)


def _is_locked(row: Row, moment: datetime) -> bool:
    ends = _moment(row.get("lock_expires_at"))
    return row.get("locked_by_id") is not None and (ends is None or ends > moment)


def _moment(value: Any) -> datetime | None:
    """A moment of a row, or of the log, which holds it as text."""
    return moment_of(value) if isinstance(value, str) else value
