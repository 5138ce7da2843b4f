"""Policy text: `p` and `g` lines, read as CSV and validated with line numbers before anything believes them."""

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from .words import ACTIONS, GROUPS, OBJECTS, SCOPES, STATES, parts

EFFECTS = ("allow", "deny")
KINDS = {"p": 6, "p2": 6, "g": 2}
DEEPEST = 9
"""How many roles deep inheritance may go; Casbin itself stops at ten without a word."""


@dataclass(frozen=True)
class Line:
    """One line of the policy, with its place in the text."""

    number: int
    kind: str
    columns: tuple[str, ...]

    def __str__(self) -> str:
        return ", ".join((self.kind, *self.columns))


class InvalidPolicy(ValueError):
    """The text cannot be a policy; `problems` are sentences that begin with the line number."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def parse(text: str) -> list[Line]:
    """The lines of a policy text; blank lines and `#` comments are left out.  Validates nothing."""
    rows = csv.reader(io.StringIO(text), skipinitialspace=True)
    return [
        Line(rows.line_num, row[0].strip(), tuple(cell.strip() for cell in row[1:]))
        for row in rows
        if row and row[0].strip() and not row[0].lstrip().startswith("#")
    ]


def validate(lines: Iterable[Line], roles: Collection[str] | None = None) -> list[Line]:
    """The lines themselves, or InvalidPolicy with everything that is wrong.

    `roles` are the known role codes; None leaves role names unchecked.
    """
    lines = list(lines)
    problems = [problem for line in lines for problem in _check(line, roles)]
    problems += _repeats(lines)
    if not problems:
        problems += _too_deep(inheritance(lines))
    if problems:
        raise InvalidPolicy(problems)
    return lines


def inheritance(lines: Iterable[Line]) -> dict[str, set[str]]:
    """Role -> roles that it takes over, one step."""
    up: dict[str, set[str]] = {}
    for line in lines:
        if line.kind == "g":
            up.setdefault(line.columns[0], set()).add(line.columns[1])
    return up


def _check(line: Line, roles: Collection[str] | None) -> Iterator[str]:
    at, size = f"line {line.number}:", KINDS.get(line.kind)
    if size is None:
        yield f"{at} unknown kind “{line.kind}”; known: {', '.join(KINDS)}"
    elif len(line.columns) != size:
        form = "role, object, action, scope, when, allow or deny" if size == 6 else "role, wider role"
        yield f"{at} a {line.kind} line has {size} columns ({form}), this one has {len(line.columns)}"
    elif line.kind == "g":
        yield from (_unknown(at, "role", role, roles) for role in line.columns if _is_strange(role, roles))
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
            if word not in words_known:
                yield _unknown(at, what, word, words_known)
        yield from (_unknown(at, "state", word, STATES) for word, _ in parts(when) if word not in STATES)
        if effect not in EFFECTS:
            yield _unknown(at, "effect", effect, EFFECTS)


def _is_strange(role: str, roles: Collection[str] | None) -> bool:
    if not role:
        return True
    return roles is not None and role not in roles and role not in ("*", "system") and not role.startswith("system:")


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


def _too_deep(up: Mapping[str, set[str]]) -> list[str]:
    problems: list[str] = []
    depth: dict[str, int] = {}

    def measure(role: str, path: tuple[str, ...]) -> int:
        if role in path:
            circle = " → ".join([*path[path.index(role) :], role])
            problems.append(f"g: {circle} goes in a circle")
            return 0
        if role not in depth:
            depth[role] = 1 + max((measure(wider, (*path, role)) for wider in sorted(up.get(role, ()))), default=0)
        return depth[role]

    for role in sorted(up):
        if measure(role, ()) > DEEPEST and not problems:
            problems.append(f"g: “{role}” inherits more than {DEEPEST} levels deep")
    return problems
