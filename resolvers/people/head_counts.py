"""Head counts: how many people work in each department, as far as the caller sees them."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import User

from ..reading.clauses import value
from ..runtime.scope import Scope


def head_counts(scope: Scope, db: Session) -> dict[int, int]:
    """Department id -> number of active people in it whom the caller sees, without those of departments below."""
    department: Any = value(scope.viewer, User, User, "department_id")
    counted = select(department.label("department_id"), func.count(User.id).label("heads"))
    counted = counted.where(User.active, User.deleted_at.is_(None), department.is_not(None)).group_by(department)
    return {row.department_id: row.heads for row in db.execute(counted)}
