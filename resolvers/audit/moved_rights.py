"""Whether the rights of a user were others in between, although they are now what they were at a place in the log.

Then nobody can say what they saw meanwhile, and a follower of changes has to begin anew.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from models import AuditEntry, Base, PoolMember, UserRole
from models.audit.entries import Outcome
from models.database.bypass import Because, bypass_policy
from models.errors import ChangesExpired
from models.pool import GranteeKind

from ..runtime.scope import Scope
from .change_cursor import Place

_LOG = AuditEntry.__table__.c
_JUDGING = bypass_policy(Because.JUDGES_RIGHTS)


def refuse_if_rights_moved(scope: Scope, db: Session, place: Place, now: datetime) -> None:
    """Raise ChangesExpired where the caller had other rights in between, even if they are now what they were."""
    kinds = ["app_user", "user_role", "role", "department", "pool_member"]
    kinds += ["dictionary", "dictionary_item"] if scope.policy.branch_fields else []
    asked = select(_LOG.entity, _LOG.record_id, _LOG.changes).where(_LOG.id > place.position, _LOG.entity.in_(kinds))
    entries = db.execute(asked.where(_LOG.outcome == Outcome.OK), execution_options=_JUDGING).all()
    if any(_moved_rights(scope, db, row) for row in entries):
        raise ChangesExpired
    held: Any = UserRole.__table__.c
    moments = [and_(moment > place.at, moment <= now) for moment in (held.starts_at, held.ends_at)]
    ended = select(held.id).where(held.user_id == scope.person.id, or_(*moments)).limit(1)
    if db.execute(ended, execution_options=_JUDGING).first() is not None:
        raise ChangesExpired


def _moved_rights(scope: Scope, db: Session, row: Any) -> bool:
    changed = {*(row.changes or {})}
    match row.entity:
        case "app_user":
            return row.record_id == scope.person.id and not changed.isdisjoint(
                {"department_id", "deleted_at", "active"}
            )
        case "role":
            return not changed.isdisjoint({"code", "deleted_at"}) and row.record_id in scope.person.role_ids
        case "department":
            return any(pair[0] is not None for key, pair in row.changes.items() if key in ("parent_id", "deleted_at"))
        case "dictionary" | "dictionary_item":  # words that moved have taken records along, of which nothing is logged
            new = any(key in changed and row.changes[key][0] is None for key in ("key", "code"))
            return not new and not changed.isdisjoint({"parent_id", "dictionary_id", "key", "code", "deleted_at"})
        case "user_role":
            return _is_mine(db, UserRole, row.record_id, UserRole.__table__.c.user_id == scope.person.id)
        case _:
            return _is_mine(db, PoolMember, row.record_id, given_to(scope, PoolMember.__table__.c))


def _is_mine(db: Session, model: type[Base], id: int, mine: Any) -> bool:
    """Whether a role or seat is the caller's; one that was purged may have been."""
    asked = select(mine).where(model.__table__.c.id == id)
    found = db.execute(asked, execution_options=_JUDGING).scalar()
    return found is None or bool(found)


def given_to(scope: Scope, c: Any) -> Any:
    """Condition: something was given to the caller, to a department of theirs or to one of their roles."""
    p = scope.person
    mine = {
        GranteeKind.USER: [p.id],
        GranteeKind.DEPARTMENT: sorted(p.departments),
        GranteeKind.ROLE: sorted(p.role_ids),
    }
    return or_(*(and_(c.grantee_kind == kind, c.grantee_id.in_(ids)) for kind, ids in mine.items()))
