"""Rules of pools and of their members."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import OwnershipPeriod, Pool, PoolMember
from models.errors import InUse, NotFound
from models.pool import GRANTEE_KINDS

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


class PoolRules(Rules[Pool]):
    """A pool is never purged, because quota counters and ownership periods refer to it; it can be closed."""

    def purged(self, scope: Scope, db: Session, row: Pool) -> None:
        raise InUse(label=row.label, count="…", what=OwnershipPeriod.names)
