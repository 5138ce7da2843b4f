"""Shares as they were: which customer each was of at which time, with the merges that took them along."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models import Base, MergeRecord, Share
from models.pool import GranteeKind
from models.share import INCLUDED, ShareLevel


@dataclass(frozen=True)
class PastShare:
    """A share of one customer while it was of that customer: from `begins` on, before `ends`.

    `is_taken`: a merge took it along at `ends`, together with the entry of that moment, before which it was in force.
    """

    kind: GranteeKind
    grantee_id: int
    level: ShareLevel
    begins: datetime
    ends: datetime | None
    is_taken: bool = False
    include: frozenset[str] = frozenset(INCLUDED)

    def opens(self, below: type[Base] | None) -> bool:
        """Whether it opens these child records of its customer; the customer itself always."""
        return below is None or below.module not in INCLUDED or below.module in self.include

    def is_in_force(self, moment: datetime) -> bool:
        has_ended = self.ends is not None and (moment > self.ends if self.is_taken else moment >= self.ends)
        return self.begins <= moment and not has_ended


class _Move(NamedTuple):
    """A share that a merge, or its undoing, took from one customer to another."""

    at: datetime
    share_id: int
    old: int
    new: int


class ShareTimes:
    """The shares of customers since a moment."""

    def __init__(self, db: Session, since: datetime) -> None:
        self.db, self.since = db, since
        record: Any = MergeRecord.__table__.c
        asked = select(record.at, record.undone_at, record.changes).order_by(record.id)
        rows = db.execute(asked.where(or_(record.at > since, record.undone_at > since))).all()
        self._moves = sorted(move for row in rows for move in _moves_of(row) if move.at > since)

    @property
    def moved(self) -> set[int]:
        """The customers from which or to which a share went."""
        return {id for move in self._moves for id in (move.old, move.new)}

    def of(self, customers: Collection[int]) -> dict[int, list[PastShare]]:
        """Customer -> its shares at any time since the moment."""
        c: Any = Share.__table__.c
        went = {move.share_id for move in self._moves if move.old in customers or move.new in customers}
        asked = select(Share.__table__).where(or_(c.customer_id.in_(sorted(customers)), c.id.in_(sorted(went))))
        found: dict[int, list[PastShare]] = {}
        for row in self.db.execute(asked) if customers else ():
            for customer, share in self._times_of(row):
                found.setdefault(customer, []).append(share)
        return found

    def _times_of(self, row: Any) -> Iterator[tuple[int, PastShare]]:
        """(customer, the share while it was of that one), the latest first."""
        ends = min((x for x in (row.ends_at, row.revoked_at) if x is not None), default=None)
        customer, until, is_taken = row.customer_id, ends, False
        include = frozenset(module for module, column in INCLUDED.items() if getattr(row, column))
        for move in reversed([move for move in self._moves if move.share_id == row.id]):
            begins = max(row.starts_at, move.at)
            yield customer, PastShare(row.grantee_kind, row.grantee_id, row.level, begins, until, is_taken, include)
            is_taken = ends is None or move.at < ends
            customer, until = move.old, move.at if is_taken else ends
        yield customer, PastShare(row.grantee_kind, row.grantee_id, row.level, row.starts_at, until, is_taken, include)


def _moves_of(row: Any) -> Iterator[_Move]:
    for note in row.changes.get("notes", row.changes) if isinstance(row.changes, dict) else row.changes:
        if note[:2] == ["set", "share"] and "customer_id" in note[3]:
            old, new = note[3]["customer_id"]
            yield _Move(row.at, note[2], old, new)
            if row.undone_at is not None:
                yield _Move(row.undone_at, note[2], new, old)
