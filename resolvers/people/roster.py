"""What the list of people shows beside each of them: roles held and the last sign-in, as far as the caller sees them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Role, SignInAttempt, User

from ..reading.clauses import role_codes
from ..runtime.scope import Scope


def roles_of(scope: Scope, db: Session, ids: Iterable[int]) -> dict[int, list[tuple[str, str | None]]]:
    """User id -> (English name, Chinese name if any) of each role held now, by code."""
    person, role = User.__table__, Role.__table__
    held: Any = select(role.c.name, role.c.name_zh, person.c.id).join_from(
        person, role, role.c.code.in_(role_codes(scope.viewer, person.c.id))
    )
    found: dict[int, list[tuple[str, str | None]]] = {}
    for name, name_zh, id in db.execute(held.where(person.c.id.in_([*ids])).order_by(role.c.code)):
        found.setdefault(id, []).append((name, name_zh))
    return found


def last_sign_ins(scope: Scope, db: Session, ids: Iterable[int]) -> dict[int, datetime]:
    """User id -> time of the last sign-in that succeeded; without an entry: none, or none that the caller sees."""
    attempt = SignInAttempt.__table__
    asked = select(attempt.c.user_id, func.max(attempt.c.at)).where(attempt.c.ok, attempt.c.user_id.in_([*ids]))
    asked = asked.where(scope.viewer.rows(SignInAttempt, attempt.c)).group_by(attempt.c.user_id)
    return dict(db.execute(asked))
