"""What the list of people shows beside each of them: roles held and the last sign-in, as far as the caller sees them."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Role, SignInAttempt, UserRole

from ..reading.clauses import in_force
from ..runtime.scope import Scope


def roles_of(scope: Scope, db: Session, ids: Iterable[int]) -> dict[int, list[tuple[str, str | None]]]:
    """User id -> (English name, Chinese name if any) of each role held now, by code."""
    now, columns = scope.viewer.person.now, UserRole.__table__.c
    held = select(UserRole.user_id, Role.name, Role.name_zh).join(Role, Role.id == UserRole.role_id)
    held = held.where(UserRole.user_id.in_([*ids]), UserRole.deleted_at.is_(None), Role.deleted_at.is_(None))
    held = held.where(in_force(columns.starts_at, columns.ends_at, now)).order_by(Role.code)
    found: dict[int, list[tuple[str, str | None]]] = {}
    for id, name, name_zh in db.execute(held):
        found.setdefault(id, []).append((name, name_zh))
    return found


def last_sign_ins(db: Session, ids: Iterable[int]) -> dict[int, datetime]:
    """User id -> time of the last sign-in that succeeded; without an entry: none, or none that the caller sees."""
    attempt = SignInAttempt
    asked = select(attempt.user_id, func.max(attempt.at)).where(attempt.ok, attempt.user_id.in_([*ids]))
    rows = db.execute(asked.where(attempt.user_id.is_not(None)).group_by(attempt.user_id))
    return {row[0]: row[1] for row in rows if row[0] is not None}
