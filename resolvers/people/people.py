"""Rules of users, departments and roles: the tree of departments, and the effects when a user moves or leaves."""

import re
from dataclasses import replace
from typing import Any, cast

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session

from models import ApiToken, Customer, Department, Organisation, OwnerLoad, Role, SignInSession, User, UserRole
from models.audit.recording import guarded_update
from models.database.bypass import Because, bypass_policy
from models.database.prepared import Prepared, attach
from models.errors import Format, InBin, InUse, NotFound, RoleToSelf, Validation
from models.names import Names

from ..access.grant_limits import Held, guard, guard_account, guard_places, holdings, is_judged_later
from ..access.standings import chart
from ..runtime.ids import global_id
from ..runtime.inputs import ENDS_BEFORE, check_language
from ..runtime.lifecycle import Rules, is_new
from ..runtime.scope import Scope
from ..runtime.write_guard import permit

RESERVED = frozenset({"system", "nobody", "anybody", "everybody", "anonymous", "millpond"})
"""Logins and role codes that a reader would take for the application itself or for everyone."""
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
_ROLE = re.compile(r"[a-z][a-z0-9_]{1,39}")
_QUIET = {"synchronize_session": False}
_POLICY_LINES = Names("Policy line", "Policy lines", zh="策略行")


def active_user(scope: Scope, db: Session, user_id: int) -> User:
    """The active user with this id.  Raises NotFound for an unknown user, Validation for an inactive one.

    The row is locked: the user cannot be deactivated or moved to another department before this transaction ends.
    """
    user: User | None
    if user_id == scope.person.id:  # a user may always see their own record
        row = _MYSELF.first(db, id=user_id)
        user = attach(db, User, row) if row else None
    else:
        user = db.execute(_THERE, {"id": user_id}, execution_options={"populate_existing": True}).scalar_one_or_none()
    if user is None:
        raise NotFound(what=User.names, field="userId")
    if not user.active:
        raise Validation(f"{user.name} is no longer active.", f"{user.name} 已停用。", field="userId")
    permit(db, user, "view")
    return user


_PERSON = User.__table__
_MYSELF = Prepared(
    select(_PERSON).where(_PERSON.c.id == bindparam("id"), _PERSON.c.deleted_at.is_(None)).with_for_update(read=True),
    because=Because.COUNTS_OWN_RECORDS,
)
_THERE = select(User).where(User.id == bindparam("id"), User.deleted_at.is_(None)).with_for_update(read=True)


def login_of(text: str) -> str:
    """A login in its stored form: trimmed, in lower case.  Raises Validation."""
    login = text.strip().lower()
    if not _LOGIN.fullmatch(login):
        raise Format(
            "A login has 2 to 40 letters, digits, dots or dashes.",
            "账号由 2 至 40 个字母、数字、点或横线组成。",
            field="login",
            example="li.na",
        )
    if login in RESERVED:
        raise Validation(f"The login {login} is reserved.", f"账号 {login} 为保留字。", field="login")
    return login


class DepartmentRules(Rules[Department]):
    """Departments are a tree: none is below itself, and every `path` matches the parents."""

    def check(self, scope: Scope, db: Session, row: Department, values: dict[str, Any]) -> None:
        if is_new(row) or values.get("parent_id") is None:
            return
        _lock_tree(db)
        if f"/{row.id}/" in _department(db, values["parent_id"]).path:
            raise Validation("A department cannot be below itself.", "部门不能成为自己的下级。", field="parentId")

    def created(self, scope: Scope, db: Session, row: Department, extra: dict[str, Any]) -> None:
        row.path = self._path(db, row)
        db.flush()

    def changed(
        self, scope: Scope, db: Session, row: Department, before: dict[str, Any], extra: dict[str, Any]
    ) -> None:
        if "parent_id" not in before or before["parent_id"] == row.parent_id:
            return
        stood = chart(scope, db)
        old, new = row.path, self._path(db, row)
        below = select(Department).where(Department.path.startswith(old)).order_by(Department.path)
        for department in db.execute(below, execution_options=bypass_policy(Because.FOLLOWS_CHECK)).scalars():
            permit(db, department, "edit")
            department.path = new + department.path.removeprefix(old)
        db.flush()
        guard_places(scope, db, lambda _: stood)

    def _path(self, db: Session, row: Department) -> str:
        above = _department(db, row.parent_id).path if row.parent_id is not None else "/"
        return f"{above}{row.id}/"


class UserRules(Rules[User]):
    """A user's customers move to the new department with them; a deactivated user loses access at once."""

    def prepare(self, scope: Scope, db: Session, values: dict[str, Any], extra: dict[str, Any]) -> None:
        if values.get("language") is None:
            everyone = bypass_policy(Because.APPLIES_TO_ALL)
            language = db.execute(select(Organisation.language).limit(1), execution_options=everyone)
            values["language"] = language.scalar() or "en"

    def check(self, scope: Scope, db: Session, row: User, values: dict[str, Any]) -> None:
        if "language" in values:
            check_language(values["language"])
        if "login" in values:
            row.login = values["login"] = login_of(values["login"])
        if row.id == scope.person.id and row.active is False:
            raise Validation("You cannot deactivate yourself.", "不能停用自己的账号。", field="active")

    def created(self, scope: Scope, db: Session, row: User, extra: dict[str, Any]) -> None:
        db.add(OwnerLoad(user_id=row.id, held=0))

    def changed(self, scope: Scope, db: Session, row: User, before: dict[str, Any], extra: dict[str, Any]) -> None:
        if "department_id" in before and before["department_id"] != row.department_id:
            _guard_move(scope, db, row, before["department_id"])
            _move_customers(scope, db, row, before["department_id"])
        if "login" in before and before["login"] != row.login:
            guard_account(scope, db, row.id)
        if "active" in before and before["active"] != row.active:
            _guard_activation(scope, db, row, was_active=before["active"])
        if before.get("active") and not row.active:
            end_access(scope, db, row.id)

    def deleted(self, scope: Scope, db: Session, row: User) -> None:
        if row.id == scope.person.id:
            raise Validation("You cannot delete yourself.", "不能删除自己。")
        was_active, row.active = row.active, False
        lost = holdings(db, scope.person.now, [row.id], active=False, batch=row.delete_batch_id)
        guard(scope, db, lost if was_active else {}, [row.id])
        end_access(scope, db, row.id)

    def purged(self, scope: Scope, db: Session, row: User) -> None:
        raise Validation(
            f"{row.name} stays in the bin: the operation log names this person.",
            f"{row.name} 须保留在回收站中：操作日志引用了此人。",
        )


class RoleRules(Rules[Role]):
    """A role's code can stand in a policy line, and is no name of the application itself."""

    def check(self, scope: Scope, db: Session, row: Role, values: dict[str, Any]) -> None:
        if "code" in values and (not _ROLE.fullmatch(values["code"]) or values["code"] in RESERVED):
            raise Format(
                "The code of a role has 2 to 40 small letters, digits or underscores, and is no reserved word.",
                "角色代码由 2 至 40 个小写字母、数字或下划线组成，且不能是保留字。",
                field="code",
                example="sales_lead",
            )

    def deleted(self, scope: Scope, db: Session, row: Role) -> None:
        """Raise InUse while the policy names the role: another role of this code would get its rights."""
        if count := sum(row.code in line.roles for line in scope.policy.lines):
            raise InUse(label=row.name, count=count, what=_POLICY_LINES)

    def restored(self, scope: Scope, db: Session, row: Role) -> None:
        """Judge the rights that the holders of a restored role get back."""
        db.flush()
        held = holdings(db, scope.person.now)
        holders = {id: roles for id, roles in held.items() if any(x.role == row.code for x in roles)}
        guard(scope, db, {id: [x for x in roles if x.role != row.code] for id, roles in holders.items()}, [*holders])


class UserRoleRules(Rules[UserRole]):
    """A role is given for a time that is not empty, by a user who may grant the rights that it brings."""

    def check(self, scope: Scope, db: Session, row: UserRole, values: dict[str, Any]) -> None:
        if row.starts_at is not None and row.ends_at is not None and row.starts_at >= row.ends_at:
            raise Validation(*ENDS_BEFORE, field="endsAt")

    def created(self, scope: Scope, db: Session, row: UserRole, extra: dict[str, Any]) -> None:
        self._refuse_myself(scope, row)
        self._guard(scope, db, row, had=None)

    def changed(self, scope: Scope, db: Session, row: UserRole, before: dict[str, Any], extra: dict[str, Any]) -> None:
        self._refuse_myself(scope, row)
        starts, ends = (before.get(key, getattr(row, key)) for key in ("starts_at", "ends_at"))
        self._guard(scope, db, row, had=Held(self._code(db, row), starts, ends))

    def deleted(self, scope: Scope, db: Session, row: UserRole) -> None:
        self._guard(scope, db, row, had=Held(self._code(db, row), row.starts_at, row.ends_at))

    def restored(self, scope: Scope, db: Session, row: UserRole) -> None:
        db.flush()
        gone = select(Role.name).where(Role.id == row.role_id, Role.deleted_at.is_not(None))
        if (name := db.execute(gone, execution_options=bypass_policy(Because.KEEPS_RULE)).scalar()) is not None:
            raise InBin(label=name, record_id=global_id(Role, row.role_id))
        self._refuse_myself(scope, row)
        self._guard(scope, db, row, had=None)

    def _refuse_myself(self, scope: Scope, row: UserRole) -> None:
        """Raise RoleToSelf when the caller gives themselves a role, or changes when they hold it."""
        if row.user_id == scope.person.id:
            raise RoleToSelf

    def _guard(self, scope: Scope, db: Session, row: UserRole, *, had: Held | None) -> None:
        """Compare the user's roles now with those that they would hold with `had` in place of this row.

        Raises BeyondCeiling, GrantsToSelf, AdministratorsBound, LastAdministrator.
        """
        if is_judged_later(db, row.user_id):
            return
        has = Held(self._code(db, row), row.starts_at, row.ends_at)
        now = holdings(db, scope.person.now, [row.user_id]).get(row.user_id, [])
        others = [held for held in now if held != has]
        guard(scope, db, {row.user_id: [*others, had] if had is not None else others}, [row.user_id])

    def _code(self, db: Session, row: UserRole) -> str:
        named = select(Role.code).where(Role.id == row.role_id)
        return str(db.execute(named, execution_options=bypass_policy(Because.JUDGES_RIGHTS)).scalar_one())


def _guard_move(scope: Scope, db: Session, row: User, department_id: int | None) -> None:
    """Judge what a user reaches in another department than `department_id`."""
    if row.active:
        held = holdings(db, scope.person.now, [row.id])
        guard(scope, db, held, [row.id], lambda now: now.moved(row.id, department_id))


def _guard_activation(scope: Scope, db: Session, row: User, *, was_active: bool) -> None:
    """Judge the rights that an activated user gets, and that a deactivated one was not the last administrator."""
    held = holdings(db, scope.person.now, [row.id], active=False)
    if was_active:
        guard(scope, db, held, [row.id])
    else:
        guard(scope, db, {}, [row.id], lambda now: replace(now, away=row.id))


def end_access(scope: Scope, db: Session, user_id: int) -> None:
    """Revoke every session and token of a user, and the sessions in which they view as another user."""
    for key, whose in ((SignInSession, SignInSession.user_id), (ApiToken, ApiToken.user_id)):
        live = update(key).where(whose == user_id, key.revoked_at.is_(None))
        db.execute(live.values(revoked_at=scope.person.now), execution_options=_QUIET)
    view_as = update(SignInSession).where(SignInSession.looker_id == user_id, SignInSession.revoked_at.is_(None))
    db.execute(view_as.values(revoked_at=scope.person.now), execution_options=_QUIET)


def _move_customers(scope: Scope, db: Session, user: User, before: int | None) -> None:
    """Copy the user's new department to their customers, each with a log entry and a version of its own."""
    table = cast("Table", Customer.__table__)
    mine = select(table.c.id).where(table.c.owner_id == user.id).order_by(table.c.id).with_for_update()
    ids = db.execute(mine, execution_options=bypass_policy(Because.KEEPS_COPY)).scalars().all()
    values = {"department_id": user.department_id, "version": table.c.version + 1}
    moving = (
        update(table)
        .where(table.c.owner_id == user.id)
        .values(values | {"updated_at": scope.person.now, "updated_by_id": scope.person.id})
    )
    guarded_update(db, moving, Customer, {id: {"department_id": before} for id in ids})


def _lock_tree(db: Session) -> None:
    """Lock all departments until the transaction ends, because two valid moves together could make a circle."""
    everything = select(Department.id).order_by(Department.id).with_for_update()
    db.execute(everything, execution_options=bypass_policy(Because.LOCKS_ROWS)).all()


def _department(db: Session, id: int) -> Department:
    found = db.execute(
        select(Department).where(Department.id == id), execution_options=bypass_policy(Because.KEEPS_RULE)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound(what=Department.names, field="parentId")
    return found
