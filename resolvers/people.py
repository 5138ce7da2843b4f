"""People and departments: the tree, and what follows when somebody moves or leaves."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import ApiToken, Customer, Department, OwnerLoad, SignInSession, User
from models.audit import UNWALLED
from models.errors import Duplicate, InUse, NotFound, Validation

from .rules import Rules, rules_for
from .scope import Scope
from .walls import grant

_QUIET = {**UNWALLED, "synchronize_session": False}


def active_user(scope: Scope, db: Session, user_id: int) -> User:
    """Somebody who can be given work.  Raises NotFound for the unknown, Validation for those who have left."""
    user = db.execute(select(User).where(User.id == user_id, User.deleted_at.is_(None))).scalar_one_or_none()
    if user is None:
        raise NotFound(what="person", field="userId")
    if not user.active:
        raise Validation(f"{user.name} is no longer active.", f"{user.name} 已停用。", field="userId")
    grant(db, user, "view")
    return user


class DepartmentRules(Rules[Department]):
    """Departments are a tree: nobody is below himself, and every path is true."""

    def check(self, scope: Scope, db: Session, row: Department, values: dict[str, Any]) -> None:
        if row.id is not None and values.get("parent_id") is not None:
            parent = _department(db, values["parent_id"])
            if f"/{row.id}/" in parent.path:
                raise Validation("A department cannot be below itself.", "部门不能成为自己的下级。", field="parentId")

    def created(self, scope: Scope, db: Session, row: Department, extra: dict[str, Any]) -> None:
        row.path = self._path(db, row)
        db.flush()

    def changed(
        self, scope: Scope, db: Session, row: Department, before: dict[str, Any], extra: dict[str, Any]
    ) -> None:
        if "parent_id" not in before or before["parent_id"] == row.parent_id:
            return
        old, new = row.path, self._path(db, row)
        below = select(Department).where(Department.path.startswith(old)).order_by(Department.path)
        for department in db.execute(below, execution_options=UNWALLED).scalars():
            grant(db, department, "edit")
            department.path = new + department.path.removeprefix(old)
        db.flush()

    def _path(self, db: Session, row: Department) -> str:
        above = _department(db, row.parent_id).path if row.parent_id is not None else "/"
        return f"{above}{row.id}/"


class UserRules(Rules[User]):
    """A person's customers follow to the new department; who is deactivated is out at once."""

    def check(self, scope: Scope, db: Session, row: User, values: dict[str, Any]) -> None:
        if "language" in values and values["language"] not in ("en", "zh"):
            raise Validation("language must be en or zh.", "language 必须是 en 或 zh。", field="language")
        if "login" in values:
            row.login = values["login"] = values["login"].lower()
            taken = select(User.id).where(User.login == row.login, User.deleted_at.is_(None), User.id != (row.id or 0))
            if db.execute(taken, execution_options=UNWALLED).first() is not None:
                raise Duplicate(field="login", value=row.login)

    def created(self, scope: Scope, db: Session, row: User, extra: dict[str, Any]) -> None:
        db.add(OwnerLoad(user_id=row.id, held=0))

    def changed(self, scope: Scope, db: Session, row: User, before: dict[str, Any], extra: dict[str, Any]) -> None:
        if "department_id" in before and before["department_id"] != row.department_id:
            _move_customers(scope, db, row)
        if before.get("active") and not row.active:
            end_access(scope, db, row.id)

    def deleted(self, scope: Scope, db: Session, row: User) -> None:
        if row.id == scope.person.id:
            raise InUse(label=row.label, count=1, what="session", record_id=None)
        row.active = False
        end_access(scope, db, row.id)

    def purged(self, scope: Scope, db: Session, row: User) -> None:
        raise InUse(label=row.label, count="some", what="log entries")


def end_access(scope: Scope, db: Session, user_id: int) -> None:
    """Revoke every session and token of a person."""
    for key in (SignInSession, ApiToken):
        live = update(key).where(key.user_id == user_id, key.revoked_at.is_(None))
        db.execute(live.values(revoked_at=scope.person.now), execution_options=_QUIET)


def _move_customers(scope: Scope, db: Session, user: User) -> None:
    """The department beside the owner is a copy; it is no change that anybody made to a customer."""
    table = Customer.__table__
    db.execute(
        update(table).where(table.c.owner_id == user.id).values(department_id=user.department_id),
        execution_options=UNWALLED,
    )


def _department(db: Session, id: int) -> Department:
    found = db.execute(select(Department).where(Department.id == id), execution_options=UNWALLED).scalar_one_or_none()
    if found is None:
        raise NotFound(what="department", field="parentId")
    return found


rules_for(Department, DepartmentRules())
rules_for(User, UserRules())
