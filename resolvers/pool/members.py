"""Rules of the members of a pool."""

from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import PoolMember
from models.errors import NotFound
from models.pool import GRANTEE_KINDS, Seat

from ..access.grant_limits import guard_places
from ..access.standings import Grantee
from ..runtime.lifecycle import Rules
from ..runtime.scope import Scope

GRANTEES = {kind: model for model, kind in GRANTEE_KINDS.items()}
"""Kind of grantee -> the model whose records may be members of a pool."""


class SeatRules(Rules[PoolMember]):
    """A member of a pool is a user, department or role that exists."""

    def check(self, scope: Scope, db: Session, row: PoolMember, values: dict[str, Any]) -> None:
        if "grantee_id" in values:
            model = GRANTEES[row.grantee_kind]
            there = select(model.id).where(model.id == row.grantee_id, model.deleted_at.is_(None))
            if db.execute(there).first() is None:
                raise NotFound(what=model.names, field="granteeId")

    def created(self, scope: Scope, db: Session, row: PoolMember, extra: dict[str, Any]) -> None:
        _guard_seat(scope, db, row, had=None, has=row.seat)

    def changed(
        self, scope: Scope, db: Session, row: PoolMember, before: dict[str, Any], extra: dict[str, Any]
    ) -> None:
        _guard_seat(scope, db, row, had=before.get("seat", row.seat), has=row.seat)

    def deleted(self, scope: Scope, db: Session, row: PoolMember) -> None:
        db.flush()
        _guard_seat(scope, db, row, had=row.seat, has=None)

    def restored(self, scope: Scope, db: Session, row: PoolMember) -> None:
        db.flush()
        _guard_seat(scope, db, row, had=None, has=row.seat)


def _guard_seat(scope: Scope, db: Session, row: PoolMember, *, had: Seat | None, has: Seat | None) -> None:
    """Judge what users reach by a seat that was `had` and is `has`.  Raises as `guard`."""
    sat, sits = (_as_chart(row, seat) for seat in (had, has))
    if sat != sits:
        guard_places(scope, db, lambda now: replace(now, seats=now.seats - sits | sat))


def _as_chart(row: PoolMember, seat: Seat | None) -> frozenset[tuple[Grantee, int, Seat]]:
    return frozenset() if seat is None else frozenset({((row.grantee_kind, row.grantee_id), row.pool_id, seat)})
