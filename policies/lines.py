"""Policy text: `p` and `g` lines, read as CSV and validated with line numbers before anything believes them."""

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, product

from .branches import branch_of
from .objects import ACTIONS, FIELDS, GROUPS, MODULES, OBJECTS, is_custom_object
from .principal import is_system_role
from .words import SCOPES, STATES, parts

EFFECTS = ("allow", "deny")
KINDS = {"p": 6, "p2": 6, "g": 2}
_SYSTEM = re.compile(r"system(:[a-z0-9_.-]{1,40})?")
MOST_PROBLEMS = 100
"""So many are named at once: whoever has more has another text in hand."""
DEEPEST = 8
"""How many roles a role may have above it in a chain; with the link from a person to the first, all Casbin follows."""


@dataclass(frozen=True)
class Line:
    """One line of the policy, with its place in the text."""

    number: int
    kind: str
    columns: tuple[str, ...]

    def __str__(self) -> str:
        return ", ".join((self.kind, *self.columns))

    @property
    def roles(self) -> tuple[str, ...]:
        """The codes of the roles that the line names."""
        return self.columns[: 2 if self.kind == "g" else 1]


class InvalidPolicy(ValueError):
    """The text cannot be a policy; `problems` are sentences that begin with the line number."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))

    def said(self, language: str) -> list[str]:
        """The problems in a language; those that have no Chinese are in English."""
        return self.problems


def parse(text: str) -> list[Line]:
    """The lines of a policy text; blank lines and `#` comments are left out.  Validates nothing.

    Every line stands alone: a quote that is never closed swallows no other line.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [
        Line(number, cells[0], tuple(cells[1:]))
        for number, line in enumerate(lines, start=1)
        if line.strip() and any(cells := _cells(line)) and not cells[0].startswith("#")
    ]


def _cells(line: str) -> list[str]:
    try:
        row = next(csv.reader([line], skipinitialspace=True), [])
    except csv.Error:  # one cell of more than 128 KiB: no word is that long, so validation names the line
        row = [line[:40]]
    return [cell.strip() for cell in row] or [""]


def validate(
    lines: Iterable[Line],
    roles: Collection[str] | None = None,
    customs: Collection[str] | None = None,
    branches: Collection[str] | None = None,
) -> list[Line]:
    """The lines themselves, or InvalidPolicy with everything that is wrong.

    `roles` are the known role codes; None leaves role names unchecked.  So are `customs`, the objects that are custom
    fields, and `branches`, as `category under prospect`: a line that has been in force stays valid when its field or
    word is gone.
    """
    lines = list(lines)
    problems = [
        problem for line in lines for problem in (*_check(line, roles, customs), *_strange_branches(line, branches))
    ]
    problems += _repeats(lines)
    if not problems:
        problems += _circles(lines)
    if not problems and branches is not None:
        problems += _too_many_ways(lines)
    if problems:
        raise InvalidPolicy(problems[:MOST_PROBLEMS])
    return lines


def inheritance(lines: Iterable[Line]) -> dict[str, set[str]]:
    """Role -> roles that it takes over, one step."""
    up: dict[str, set[str]] = {}
    for line in lines:
        if line.kind == "g":
            up.setdefault(line.columns[0], set()).add(line.columns[1])
    return up


def _check(line: Line, roles: Collection[str] | None, customs: Collection[str] | None) -> Iterator[str]:
    at, size = f"line {line.number}:", KINDS.get(line.kind)
    if size is None:
        yield f"{at} unknown kind “{line.kind}”; known: {', '.join(KINDS)}"
    elif len(line.columns) != size:
        form = "role, object, action, scope, when, allow or deny" if size == 6 else "role, wider role"
        yield f"{at} a {line.kind} line has {size} columns ({form}), this one has {len(line.columns)}"
    elif line.kind == "g":
        yield from (_unknown(at, "role", r, roles) for r in line.columns if r == "*" or _is_strange(r, roles))
    else:
        role, *words, when, effect = line.columns
        if _is_strange(role, roles):
            yield _unknown(at, "role", role, roles)
        known: tuple[tuple[str, Collection[str]], ...] = (
            ("object", OBJECTS),
            ("action", (*ACTIONS, *GROUPS, "*")),
            ("scope", SCOPES),
        )
        for (what, words_known), word in zip(known, words, strict=True):
            if word in words_known:
                continue
            if what == "object" and is_custom_object(word):
                if customs is not None and word not in customs:
                    yield _unknown(at, "custom field", word, customs)
            else:
                yield _unknown(at, what, word, words_known)
        strange = (word for word, _ in parts(when) if word not in STATES and branch_of(word) is None)
        yield from (f"{_unknown(at, 'state', word, STATES)}{_OR_A_BRANCH}" for word in strange)
        if effect not in EFFECTS:
            yield _unknown(at, "effect", effect, EFFECTS)


_OR_A_BRANCH = "; or a branch, as in “category under prospect”"


def _strange_branches(line: Line, known: Collection[str] | None) -> Iterator[str]:
    """Branches that there are not among the known ones."""
    if known is None or line.kind == "g" or len(line.columns) != KINDS.get(line.kind):
        return
    for word, _ in parts(line.columns[4]):
        if (branch := branch_of(word)) is not None and word not in known:
            beside = [other.key for x in known if (other := branch_of(x)) and other.field == branch.field]
            yield _unknown(f"line {line.number}:", f"word of {branch.field}", branch.key, beside[:MOST_NAMED])


def _too_many_ways(lines: Iterable[Line]) -> Iterator[str]:
    """Objects of which too many branches are spoken under too many different conditions to compare policies exactly.

    A comparison may take twice as long with each more.
    """
    ways: dict[tuple[str, str], tuple[set[tuple[str, ...]], set[str]]] = {}
    told: set[str] = set()
    for line in lines:
        named = [x for x, _ in parts(line.columns[4]) if branch_of(x) is not None] if line.kind != "g" else []
        for place in _places(line) if named else ():
            conditions, branches = ways.setdefault(place, (set(), set()))
            _, _, _, scope, when, effect = line.columns
            conditions.add(
                (line.kind, effect, scope, *(x for x in when.split("&") if x.removeprefix("!") not in named))
            )
            branches.update(named)
            if place[0] not in told and len(branches) > MOST_BRANCHES:
                told.add(place[0])
                yield (
                    f"line {line.number}: with this line more than {MOST_BRANCHES} branches are named for {place[0]}; name "
                    "wider ones"
                )
            if place[0] not in told and min(len(conditions), len(branches)) > MOST_WAYS:
                told.add(place[0])
                yield (
                    f"line {line.number}: with this line more than {MOST_WAYS} branches are named for {place[0]}, under more "
                    f"than {MOST_WAYS} different conditions; say it with fewer scopes and states"
                )


def _places(line: Line) -> Iterator[tuple[str, str]]:
    """(module, action) of all that a line speaks about."""
    object, action = line.columns[1:3]
    modules = MODULES if object == "*" else {FIELDS.get(object, object)}
    actions = ACTIONS if action == "*" else GROUPS.get(action, (action,))
    return product(modules, actions)


MOST_WAYS = 10
"""Maximum number of branches, or else of different conditions beside them, in lines about one kind of records and action."""
MOST_BRANCHES = 100
"""Maximum number of branches in lines about one kind of records and action: tables are compared branch by branch."""
MOST_NAMED = 40
"""Maximum number of words of a dictionary that a problem names."""


def _is_strange(role: str, roles: Collection[str] | None) -> bool:
    if not role:
        return True
    if is_system_role(role):
        return not _SYSTEM.fullmatch(role)
    return roles is not None and role not in roles and role != "*"


def _unknown(at: str, what: str, word: str, known: Collection[str] | None) -> str:
    return f"{at} unknown {what} “{word}”; known: {', '.join(sorted(known or ()))}"


def _repeats(lines: list[Line]) -> list[str]:
    first: dict[tuple[str, ...], int] = {}
    problems = []
    for line in lines:
        key = (line.kind, *line.columns)
        if key in first:
            problems.append(f"line {line.number}: repeats line {first[key]}")
        first.setdefault(key, line.number)
    return problems


def _circles(lines: list[Line]) -> list[str]:
    """What is wrong with inheritance as a whole: circles, and chains that Casbin would cut off in silence."""
    links = {(line.columns[0], line.columns[1]): line.number for line in lines if line.kind == "g"}
    up, depth = inheritance(lines), 0
    while up:
        settled = {role for role, wider in up.items() if not wider & up.keys()}
        if not settled:
            return [_circle(up, links)]
        depth += 1
        if depth > DEEPEST:
            return [
                f"line {min(n for (role, _), n in links.items() if role == name)}: “{name}” inherits more than "
                f"{DEEPEST} levels deep"
                for name in sorted(settled)
            ]
        up = {role: wider for role, wider in up.items() if role not in settled}
    return []


def _circle(up: Mapping[str, set[str]], links: Mapping[tuple[str, str], int]) -> str:
    path = [min(up)]
    while path[-1] not in path[:-1]:
        path.append(min(up[path[-1]] & up.keys()))
    round = path[path.index(path[-1]) :]
    number = max(links[link] for link in pairwise(round))
    return f"line {number}: {' → '.join(round)} goes in a circle"
