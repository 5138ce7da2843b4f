"""Names of users in answers about rights: only to callers who may see them."""

from typing import Any

from sqlalchemy import ColumnElement, case, null, select
from sqlalchemy.orm import Session

from models import User
from models.database.bypass import Because, bypass_policy

from ..runtime.scope import Scope


def seen(scope: Scope) -> ColumnElement[bool]:
    """The users whom the caller may see."""
    return scope.policy.where(scope.person, "view", User)


def shown_name(scope: Scope) -> ColumnElement[Any]:
    """The name of a user, NULL where the caller may not see it."""
    named = scope.policy.guarded(scope.person, User, "name", User, User.__table__.c.name)
    return case((seen(scope), named), else_=null())


def or_somebody(scope: Scope, name: str | None) -> str:
    """A name, or that it is a user whose name is hidden."""
    return name or ("某用户" if scope.language.startswith("zh") else "a user")


def name_of(scope: Scope, db: Session, user_id: int) -> str | None:
    """The name of a user as the caller sees it; None for a user out of sight.  A hidden name is `or_somebody`."""
    asked = select(User.id, shown_name(scope).label("name")).where(User.id == user_id, seen(scope))
    row = db.execute(asked, execution_options=bypass_policy(Because.JUDGES_RIGHTS)).first()
    return None if row is None else or_somebody(scope, row.name)
