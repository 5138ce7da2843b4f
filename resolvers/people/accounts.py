"""User accounts: create a user with roles and first password in one step, give and take roles, activate."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Department, Role, User, UserRole
from models.errors import Duplicate, Forbidden, NotFound, RoleToSelf

from ..access.grant_limits import RefusedTogether, judged_together
from ..records import create_update
from ..runtime.batch import Mode, Note, Outcome, each
from ..runtime.scope import Scope
from . import passwords, sign_in
from .directory import directory

RolesOfMany = Callable[[Scope, Sequence[int], Sequence[int], Mode], Outcome]
"""`give_roles` or `take_roles`: (scope, ids of users, ids of roles, mode)."""


@dataclass(frozen=True)
class Member:
    """One line of the list of users; roles as codes in alphabetical order."""

    login: str
    name: str
    roles: tuple[str, ...]
    department: str | None
    active: bool


def create_account(
    scope: Scope,
    login: str,
    hashed: str,
    *,
    name: str | None = None,
    roles: Sequence[str] = (),
    department: str | None = None,
    language: str = "en",
    one_time: bool = True,
) -> User:
    """Create a user who signs in with the password behind `hashed`.  Roles and department are as `directory` knows them.

    Raises Validation (login, an unknown role, several departments of a name), NotFound (department), Duplicate (login),
    Forbidden.
    """
    login = sign_in.login_of(login)
    with scope.write("user.create") as db:
        given: dict[str, Any] = {"login": login, "name": name or login, "language": language}
        if department is not None:
            given["department_id"] = directory(db).department(department)
        user = create_update.create(scope, User, given)
        for code in dict.fromkeys(roles):
            give_role(scope, login, code)
        passwords.set_password(scope, login, hashed, one_time=one_time)
        return user


def give_role(scope: Scope, login: str, code: str) -> None:
    """Give a user a role from now on.  Raises NotFound, Validation, Duplicate when the user holds it already."""
    with scope.write("role.create") as db:
        known = directory(db)
        user_id, code = _user(db, login), known.role(code)
        role_id = known.role_ids[code]
        if _holding(db, user_id, role_id):
            raise Duplicate(field="role", value=f"The role {code} of {login}", value_zh=f"{login} 的角色 {code}")
        create_update.create(scope, UserRole, {"user_id": user_id, "role_id": role_id})


def take_role(scope: Scope, login: str, code: str) -> None:
    """Take a role from a user, at once.  Raises NotFound when the user does not hold it."""
    with scope.write("role.delete") as db:
        known = directory(db)
        code = known.role(code)
        held = _holding(db, _user(db, login), known.role_ids[code])
        if not held:
            raise NotFound(what=Role.names.called(f"{code} of {login}", f"{code}（{login}）"), field="role")
        for problem in create_update.delete(scope, UserRole, held).problems:
            raise problem


def give_roles(scope: Scope, ids: Sequence[int], role_ids: Sequence[int], mode: Mode = Mode.BEST_EFFORT) -> Outcome:
    """Give users roles from now on; what they hold already stays as it is, which a note counts.

    Problems: NOT_FOUND, FORBIDDEN, IN_BIN, ROLE_TO_SELF, BEYOND_CEILING, NEEDS_SECOND.
    """
    held: set[int] = set()

    def work(db: Session, id: int) -> None:
        _check_may(scope, "create")
        if id == scope.person.id:
            raise scope.denied(RoleToSelf(), UserRole, None, "create")
        for role_id in dict.fromkeys(role_ids):
            if _holding(db, id, role_id):
                held.add(id)
            else:
                create_update.create(scope, UserRole, {"user_id": id, "role_id": role_id})

    outcome = _together(scope, "role.create", ids, mode, work)
    if count := len(held.intersection(outcome.ids)):
        outcome.notes.append(Note(f"{count} held it already.", f"其中 {count} 人已有此角色。"))
    return outcome


def take_roles(scope: Scope, ids: Sequence[int], role_ids: Sequence[int], mode: Mode = Mode.BEST_EFFORT) -> Outcome:
    """Take roles from users, at once; a note counts the users who did not hold them.

    Problems: NOT_FOUND, FORBIDDEN, ADMINISTRATORS_BOUND, LAST_ADMINISTRATOR.
    """
    without: set[int] = set()

    def work(db: Session, id: int) -> None:
        _check_may(scope, "delete")
        held = [found for role_id in dict.fromkeys(role_ids) for found in _holding(db, id, role_id)]
        if not held:
            scope.load(db, User, id, to="view")
            without.add(id)
            return
        for problem in create_update.delete(scope, UserRole, held).problems:
            problem.record_id = None  # the record of the batch is the user
            raise problem

    outcome = _together(scope, "role.delete", ids, mode, work)
    if count := len(without.intersection(outcome.ids)):
        outcome.notes.append(Note(f"{count} did not hold it.", f"其中 {count} 人没有此角色。"))
    return outcome


def set_active(scope: Scope, ids: Sequence[int], *, active: bool) -> Outcome:
    """Activate or deactivate users; a deactivated user loses access at once.

    Problems: NOT_FOUND, FORBIDDEN, IN_BIN, VALIDATION.
    """

    def work(_db: Session, id: int) -> None:
        create_update.update(scope, User, id, {"active": active})

    return each(scope, "user.edit", User, ids, Mode.BEST_EFFORT, work)


def roster(_scope: Scope, db: Session) -> list[Member]:
    """All visible users, ordered by login; roles only where the caller may view those.  Two queries."""
    roles: dict[int, list[str]] = defaultdict(list)
    held = select(UserRole.user_id, Role.code).join(Role, Role.id == UserRole.role_id)
    for user_id, code in db.execute(held.where(UserRole.deleted_at.is_(None)).order_by(Role.code)):
        roles[user_id].append(code)
    people = select(User.id, User.login, User.name, Department.name, User.active).outerjoin(User.department)
    found = db.execute(people.where(User.deleted_at.is_(None)).order_by(User.login))
    return [Member(login, name, tuple(roles[id]), team, active) for id, login, name, team, active in found]


# --- steps -----------------------------------------------------------------------------------------------


def _together(
    scope: Scope, action: str, ids: Sequence[int], mode: Mode, work: Callable[[Session, int], None]
) -> Outcome:
    """Change the roles of these users: judged together, and if that is refused one by one, to find out whose."""
    if len(ids) == 1:
        return each(scope, action, User, ids, mode, work)
    with scope.write(action):
        try:
            with scope.write(action) as db, judged_together(scope, db):
                return each(scope, action, User, ids, mode, work)
        except RefusedTogether:
            return each(scope, action, User, ids, mode, work)


def _check_may(scope: Scope, action: str) -> None:
    """Raise Forbidden also where nothing would change: without the right, a role held already is a refusal too."""
    if not scope.policy.ever(scope.person, action, UserRole.module):
        raise scope.denied(Forbidden(action=f"{UserRole.module}.{action}"), UserRole, None, action)


def _user(db: Session, login: str) -> int:
    found = db.execute(select(User.id).where(User.login == login.lower(), User.deleted_at.is_(None))).scalar()
    if found is None:
        raise NotFound(what=User.names, field="login")
    return found


def _holding(db: Session, user_id: int, role_id: int) -> list[int]:
    live = select(UserRole.id).where(UserRole.user_id == user_id, UserRole.role_id == role_id)
    return list(db.execute(live.where(UserRole.deleted_at.is_(None))).scalars())
