"""A pasted table of people: its lines as persons to create, each with the sentences of what is wrong with it."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import User
from models.database.bypass import Because, bypass_policy
from models.errors import Duplicate, Forbidden, Refusal, Validation
from models.text import fold, seen
from policies.review import excesses

from ..access.excess_refusals import refuse_excess
from ..runtime.batch import LARGEST
from ..runtime.scope import Scope
from .directory import Directory, directory
from .people import login_of

COLUMNS = {
    "name": ("name", "full name", "姓名", "名字", "名称", "人员"),
    "login": ("login", "account", "user name", "username", "账号", "帐号", "登录名", "用户名"),
    "department": ("department", "team", "部门"),
    "roles": ("roles", "role", "角色"),
    "email": ("email", "e-mail", "mail", "邮箱", "电子邮箱", "邮件"),
}
"""The columns in the order that a table without a heading has, and what a heading may call them."""
_SEPARATORS = "\t", ",", "，", ";", "；"
_BETWEEN_ROLES = re.compile(r"[;；、,，+|]")


@dataclass(frozen=True)
class PastedPerson:
    """A line as it was pasted.  `line` counts from 1."""

    line: int
    name: str = ""
    login: str = ""
    department: str = ""
    roles: str = ""
    email: str = ""

    @property
    def role_names(self) -> list[str]:
        return [name for part in _BETWEEN_ROLES.split(self.roles) if (name := part.strip())]


@dataclass
class CheckedPerson:
    """A line with what it comes to, and what is wrong with it."""

    pasted: PastedPerson
    login: str = ""
    department_id: int | None = None
    roles: dict[str, int] = field(default_factory=dict)
    """Code -> id of each role."""
    problems: list[Refusal] = field(default_factory=list)


def pasted_people(text: str) -> list[PastedPerson]:
    """The lines of a table, as a spreadsheet or a text file has them.  Raises Validation for none or too many.

    Columns are separated by tabs, commas or semicolons.  A heading may change their order.
    """
    lines = seen(text).splitlines()
    separator = next((x for x in _SEPARATORS if any(x in line for line in lines)), "\t")
    cells = [(number, [x.strip() for x in row]) for number, row in enumerate(_split(lines, separator), 1)]
    cells = [(number, row) for number, row in cells if any(row)]
    columns = list(COLUMNS)
    if cells and (heading := _heading(cells[0][1])):
        columns, cells = heading, cells[1:]
    if not 1 <= len(cells) <= LARGEST:
        raise Validation(
            f"Paste a table of 1 to {LARGEST} people.",
            f"请粘贴 1 至 {LARGEST} 人的表格。",
            field="table",
            count=len(cells),
        )
    return [
        PastedPerson(number, **{key: cell for key, cell in zip(columns, row, strict=False) if key})
        for number, row in cells
    ]


def check_people(scope: Scope, db: Session, people: Sequence[PastedPerson]) -> list[CheckedPerson]:
    """Each person with department and roles found, and every sentence against taking them in.  Four queries."""
    known, found = directory(db), []
    for person in people:
        checked = CheckedPerson(person)
        checked.problems = list(_problems(checked, known))
        found.append(checked)
    _check_logins(db, found)
    _check_roles(scope, db, found)
    return found


# --- steps -----------------------------------------------------------------------------------------------


def _split(lines: list[str], separator: str) -> Iterator[list[str]]:
    """The cells of each line; a quoted cell may hold the separator, and no line runs into the next."""
    for line in lines:
        yield next(csv.reader([line], delimiter=separator), [])


def _heading(cells: list[str]) -> list[str] | None:
    """The column of each cell, "" for one without a meaning, if this line is a heading."""
    words = {word: key for key, words in COLUMNS.items() for word in words}
    found = [words.get(fold(cell), "") for cell in cells]
    return found if {"name", "login"} <= set(found) and len(set(found) - {""}) == len([x for x in found if x]) else None


def _problems(checked: CheckedPerson, known: Directory) -> Iterator[Refusal]:
    """Fill in what is understood; what is not is a refusal."""
    pasted = checked.pasted
    if not pasted.name:
        yield Validation("The name is missing.", "缺少姓名。", field="name")
    try:
        checked.login = login_of(pasted.login)
    except Refusal as refusal:
        yield refusal
    if pasted.department:
        try:
            checked.department_id = known.department(pasted.department)
        except Refusal as refusal:
            yield refusal
    for name in pasted.role_names:
        try:
            code = known.role(name)
            checked.roles[code] = known.role_ids[code]
        except Refusal as refusal:
            yield refusal


def _check_logins(db: Session, people: Sequence[CheckedPerson]) -> None:
    """Refuse logins that stand twice in the table, or that are taken."""
    counted = Counter(person.login for person in people if person.login)
    asked = select(User.login).where(User.login.in_(sorted(counted)), User.deleted_at.is_(None))
    taken = set(db.execute(asked, execution_options=bypass_policy(Because.KEEPS_RULE)).scalars())
    for person in people:
        if person.login in taken:
            person.problems.append(Duplicate(field="login", value=person.login))
        elif counted[person.login] > 1:
            person.problems.append(
                Validation(
                    f"The login {person.login} stands in the table {counted[person.login]} times.",
                    f"表格中有 {counted[person.login]} 个账号 {person.login}。",
                    field="login",
                )
            )


def _check_roles(scope: Scope, db: Session, people: Sequence[CheckedPerson]) -> None:
    """Refuse roles that the caller may not give."""
    refusals: dict[frozenset[str], Refusal | None] = {}
    for person in people:
        roles = frozenset(person.roles)
        if roles not in refusals:
            refusals[roles] = _refusal(scope, db, roles)
        if (refusal := refusals[roles]) is not None:
            person.problems.append(refusal)


def _refusal(scope: Scope, db: Session, roles: frozenset[str]) -> Refusal | None:
    if not roles:
        return None
    if not scope.policy.ever(scope.person, "create", "role"):
        return Forbidden(action="role.create", field="role")
    try:
        refuse_excess(db, excesses(scope.policy, scope.policy, {(frozenset(), roles)}, scope.person.roles))
    except Refusal as refusal:
        return refusal
    return None
