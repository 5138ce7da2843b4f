"""The check at start: every right that code or the starter lines ask for is an action that is done to its module."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from models.actions import BY_NAME, KIND, MADE, TABLE, Action
from models.declaration import Misdeclared

from .lines import Line, parse
from .objects import FIELDS, GROUPS, MODULES, is_done_to

_WHERE = "models/actions.py"


class UnknownRight(Misdeclared):
    """Something asks for a right that no policy line can give; each problem is a sentence that begins with its place."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def check_rights(declared: Iterable[tuple[str, str]], *, is_granted: bool = False) -> None:
    """Raise UnknownRight unless all rights are known; `is_granted` as in `problem_with`.

    `declared` are pairs of a right, `customer.claim`, and the place that asks for it, `schema/mutations/pool.py: claim`.
    """
    wrong = [
        (right, place, problem) for right, place in declared if (problem := problem_with(right, is_granted=is_granted))
    ]
    if wrong:
        raise UnknownRight([f"{place} asks for the right “{right}”, but {problem}." for right, place, problem in wrong])


def problem_with(right: str, *, is_granted: bool = False) -> str | None:
    """What is wrong with a right, as the second half of a sentence; None for a known one.

    `is_granted`: it has to be one that policy lines grant.
    """
    module, dot, verb = right.partition(".")
    if not dot:
        return "a right is module.action"
    if module not in MODULES:
        return f"there is no module “{module}”; known: {', '.join(sorted(MODULES))}"
    if verb not in BY_NAME:
        return f"{_WHERE} has no action “{verb}”; known: {', '.join(action.name for action in TABLE)}"
    if not _may_be_asked(BY_NAME[verb], module):
        return f"{_WHERE} says that “{verb}” is done to {', '.join(BY_NAME[verb].to)}"
    if is_granted and not BY_NAME[verb].is_right:
        return f"{_WHERE} says that no policy line grants “{verb}”"
    return None


def _may_be_asked(action: Action, module: str) -> bool:
    """Whether an action is done to a module; a kind with one row shares the pages of those that are created."""
    to = tuple(KIND if kinds == MADE else kinds for kinds in action.to)
    return is_done_to(replace(action, to=to), module)


def check_lines(text: str, file: str) -> None:
    """Raise UnknownRight unless each line of a policy text that names a single action names one that its object knows."""
    check_rights(((right, f"{file}:{line.number}") for line in parse(text) for right in _named(line)), is_granted=True)


def _named(line: Line) -> Iterator[str]:
    """The right that a line names; groups and wildcards hold for any."""
    if line.kind == "g" or len(line.columns) < 3:
        return
    _, object, action = line.columns[:3]
    if action not in ("*", *GROUPS) and object != "*":
        yield f"{FIELDS.get(object, object)}.{action}"
