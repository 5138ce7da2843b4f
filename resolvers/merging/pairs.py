"""Pairs of customers that were told apart: those of a customer that becomes part of another one follow to it.

A note is `["pair", "not_duplicate", [first, second], {"to": [first, second] or None, at, by_id, reason}]`; `to` is the pair
that the merge made of it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Table, and_, delete, insert, or_, select
from sqlalchemy.orm import Session

from models import Customer, NotDuplicate
from models.audit.entries import plain
from models.base import moment_of

from .moves import Moves
from .statements import run

_PAIRS = cast("Table", NotDuplicate.__table__)
_c = _PAIRS.c


def follow(moves: Moves, winner_id: int, loser_ids: Sequence[int]) -> None:
    """Let the winner be told apart from whom these were.  A pair among the merged ones themselves ends."""
    db, merged = moves.db, {winner_id, *loser_ids}
    named = or_(_c.first_id.in_(loser_ids), _c.second_id.in_(loser_ids))
    for row in run(db, select(_PAIRS).where(named).order_by(_c.first_id, _c.second_id)).mappings().all():
        pair = row["first_id"], row["second_id"]
        others = [id for id in pair if id not in merged]
        to = _ordered(winner_id, others[0]) if others else None
        run(db, delete(_PAIRS).where(_is(pair)))
        if to is not None and _has(db, to):
            to = None
        if to is not None:
            run(db, insert(_PAIRS).values({**row, "first_id": to[0], "second_id": to[1]}))
        said = {"to": to, "at": plain(row["at"]), "by_id": row["by_id"], "reason": row["reason"]}
        moves.notes.append(["pair", _PAIRS.name, list(pair), said])


def take_back(db: Session, pair: Sequence[int], said: Mapping[str, Any]) -> None:
    """Put a pair back as it was, unless one of the two is gone for good or became part of another one since."""
    if said["to"] is not None:
        run(db, delete(_PAIRS).where(_is(said["to"])))
    there = select(Customer.id).where(Customer.id.in_(pair), Customer.merged_into_id.is_(None))
    if len(run(db, there).all()) == len(pair) and not _has(db, pair):
        by = {"at": moment_of(said["at"]), "by_id": said["by_id"], "reason": said["reason"]}
        run(db, insert(_PAIRS).values(first_id=pair[0], second_id=pair[1], **by))


def _is(pair: Sequence[int]) -> Any:
    return and_(_c.first_id == pair[0], _c.second_id == pair[1])


def _has(db: Session, pair: Sequence[int]) -> bool:
    return run(db, select(_c.first_id).where(_is(pair))).first() is not None


def _ordered(one: int, other: int) -> tuple[int, int]:
    return min(one, other), max(one, other)
