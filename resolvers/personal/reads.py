"""The list of sensitive reads, for who may read the whole operation log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import SensitiveRead, User
from models.errors import Forbidden
from models.sensitive_read import GUARDED
from policies.cells import ALL

from ..runtime.scope import Scope

LARGEST_PAGE = 200
_READS: Any = SensitiveRead.__table__


@dataclass(frozen=True)
class Read:
    """One sensitive read, with the name of the user who read."""

    row: SensitiveRead
    reader: str | None


def holds_sensitive(entity: str, values: Mapping[str, Any]) -> bool:
    """Whether what a page shows of a record is sensitive."""
    return any(values.get(key) for key in GUARDED.get(entity, ()))


def sensitive_reads(
    scope: Scope,
    db: Session,
    *,
    entity: str | None = None,
    record_id: int | None = None,
    reader_id: int | None = None,
    until: datetime | None = None,
    first: int = 50,
) -> list[Read]:
    """Sensitive reads, the newest first: of one record or one reader where they are given, until a time.

    Raises Forbidden for who may not read the whole log.
    """
    if ALL not in scope.policy.cell(scope.person.roles, "audit", "view").allow:
        raise Forbidden(action="audit.view")
    wanted = select(SensitiveRead)
    if entity is not None:
        wanted = wanted.where(_READS.c.entity == entity, _READS.c.record_id == record_id)
    if reader_id is not None:
        wanted = wanted.where(_READS.c.reader_id == reader_id)
    if until is not None:
        wanted = wanted.where(_READS.c.at <= until)
    rows = db.execute(wanted.order_by(_READS.c.id.desc()).limit(max(0, min(first, LARGEST_PAGE)))).scalars().all()
    people = db.execute(select(User.id, User.name).where(User.id.in_({row.reader_id for row in rows})))
    names = {user.id: user.name for user in people}
    return [Read(row, names.get(row.reader_id)) for row in rows]
