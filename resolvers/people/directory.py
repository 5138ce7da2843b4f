"""What people type for departments and roles: a name, a path of names or a code, in any case and width.

A name that several departments have is refused with the paths that tell them apart.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Department, Role
from models.errors import NotFound, Refusal, Validation
from models.text import fold

from ..runtime.scope import Scope

K = TypeVar("K")
STEP = " / "
"""What stands between the names of a path: `Sales / East`."""
MOST_NAMED = 10
"""Maximum number of candidates that a refusal names."""


@dataclass(frozen=True)
class Directory:
    """The departments and roles that the caller sees, by what may be typed for them.

    `places`: id -> path in names.  `titles`: code of a role -> its names.
    """

    places: Mapping[int, str]
    titles: Mapping[str, tuple[str, ...]]
    role_ids: Mapping[str, int]
    departments: Mapping[str, list[int]]
    roles: Mapping[str, list[str]]

    def department(self, typed: str) -> int:
        """The id of the department with this name or path.  Raises NotFound, Validation with the candidates."""
        found = self.departments.get(folded(typed), [])
        if not found:
            raise NotFound(what=Department.names.called(typed.strip()), field="department")
        if len(found) > 1:
            raise _ambiguous(typed, "departments", "部门", sorted(self.places[id] for id in found), "department")
        return found[0]

    def role(self, typed: str) -> str:
        """The code of the role with this code or name.  Raises Validation with what may be chosen."""
        found = self.roles.get(folded(typed), [])
        if not found:
            choices = ", ".join(sorted(self.titles)) or "none yet; run millpond migrate"
            raise Validation(
                f"There is no role {typed}. Choose one of: {choices}.",
                f"没有角色 {typed}，可选：{choices}。",
                field="role",
            )
        if len(found) > 1:
            raise _ambiguous(typed, "roles", "角色", sorted(found), "role")
        return found[0]


def directory(db: Session) -> Directory:
    """The directory as the caller sees it: two queries."""
    rows = db.execute(select(Department.id, Department.name, Department.path).where(Department.deleted_at.is_(None)))
    named = {id: (name, path) for id, name, path in rows}
    places = _places(named)
    asked = select(Role.id, Role.code, Role.name, Role.name_zh).where(Role.deleted_at.is_(None)).order_by(Role.code)
    roles = db.execute(asked).all()
    titles = {role.code: tuple(filter(None, (role.name, role.name_zh))) for role in roles}
    return Directory(
        places,
        titles,
        {role.code: role.id for role in roles},
        _index((id, [name, places[id]]) for id, (name, _) in named.items()),
        _index((code, [code, *names]) for code, names in titles.items()),
    )


def roles_and_departments(_scope: Scope, db: Session) -> Directory:
    """The directory, for `scope.read`."""
    return directory(db)


def folded(typed: str) -> str:
    """A typed name or path in the form in which names are compared."""
    return "/".join(step.strip() for step in fold(typed).split("/"))


# --- steps -----------------------------------------------------------------------------------------------


def _places(named: Mapping[int, tuple[str, str]]) -> dict[int, str]:
    """Id -> the path in names, as far as the departments above are seen."""
    steps = {id: [int(x) for x in path.split("/") if x] for id, (_, path) in named.items()}
    return {id: STEP.join(named[x][0] for x in above if x in named) for id, above in steps.items()}


def _index(entries: Iterable[tuple[K, Iterable[str]]]) -> dict[str, list[K]]:
    found: dict[str, list[K]] = defaultdict(list)
    for key, spellings in entries:
        for spelling in dict.fromkeys(map(folded, spellings)):
            found[spelling].append(key)
    return found


def _ambiguous(typed: str, many: str, many_zh: str, candidates: list[str], field: str) -> Refusal:
    named = list(_shown(candidates))
    return Validation(
        f"Several {many} are called {typed}. Name one of: {'; '.join(named)}.",
        f"有多个{many_zh}名为 {typed}，请写明其中一个：{'；'.join(named)}。",
        field=field,
    )


def _shown(candidates: list[str]) -> Iterator[str]:
    yield from candidates[:MOST_NAMED]
    if len(candidates) > MOST_NAMED:
        yield "…"
