"""The policy as a table: what a role may do with a kind of record, and how far; and what a click into it changes.

A cell speaks about one role, one object and one action.  Only the plain scopes stand on the ladder that a click climbs;
whatever else lines say (shares, pools, states, denies) is shown and left alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models import Dictionary
from models.actions import BY_NAME
from models.base import columns

from .edit import replaced
from .lines import Line, parse
from .objects import APART, FIELDS, LISTED, MODULE_OF, MODULES, RIGHTS, field_name, is_done_to
from .snapshot import Snapshot

LADDER = ("own", "team", "subtree", "all")
"""The scopes that a click goes through, after none."""
COLUMNS = tuple(action.name for action in RIGHTS if action.is_column)
"""All actions that cells speak about, in the order of the table."""
FIELD_STATES = ("edit", "view", "hidden")
"""What a role may do with a field of a record that it may edit."""


@dataclass(frozen=True)
class Cell:
    """What a role may do: by its own lines, and by those of wider roles, of all users, or about more than this.

    `own` and `inherited` are the widest plain scope, None for none; `source` is the line that gives the inherited one; `more`
    are other scopes that allow it, `denies` and `lines` whole lines.
    """

    object: str
    action: str
    own: str | None
    inherited: str | None
    source: Line | None
    more: tuple[str, ...]
    denies: tuple[str, ...]
    lines: tuple[str, ...]
    changed: bool

    @property
    def next(self) -> str | None:
        """Where a click leads: one step up the ladder, from its top back to none."""
        at = LADDER.index(self.own) + 1 if self.own else 0
        return LADDER[at] if at < len(LADDER) else None


@dataclass(frozen=True)
class FieldCell:
    """What a role may do with one field; `bound` by lines that a click here does not change."""

    field: str
    state: str
    separate_right: bool
    bound: tuple[str, ...]
    changed: bool


# --- looking ---------------------------------------------------------------------------------------------


def actions_of(module: str) -> tuple[str, ...]:
    """The actions on records of a module that a use case asks for."""
    shown = (action for action in RIGHTS if action.is_column and module in (action.rows or (module,)))
    return tuple(action.name for action in shown if is_done_to(action, module))


def grid(policy: Snapshot, base: Snapshot, role: str) -> dict[str, dict[str, Cell]]:
    """Module -> action -> cell; `base` is the policy that changes are marked against."""
    return {
        module: {action: _cell(policy, base, role, module, action) for action in actions_of(module)}
        for module in modules()
    }


def modules() -> list[str]:
    """The rows of the table, in their order."""
    ordered = [*dict.fromkeys(MODULE_OF.values()), *sorted(MODULES - set(MODULE_OF.values()))]
    return [module for module in ordered if actions_of(module)]


def fields(policy: Snapshot, base: Snapshot, role: str, module: str) -> list[FieldCell]:
    """The fields of a module that users set, and what the role may do with each."""
    customs = (x.object for x in policy.book.of(module))
    return [_field(policy, base, role, field) for field in (*_settable(module), *customs)]


# --- changing --------------------------------------------------------------------------------------------


def with_scope(text: str, role: str, object: str, action: str, scope: str | None) -> str:
    """The text in which the role may do it as far as `scope`, None for not at all, by lines of its own."""
    gone = [x for x in parse(text) if _is_own(x, role, object, action) and x.columns[3] in LADDER]
    states = {line.columns[4] for line in gone}
    when = states.pop() if len(states) == 1 else BY_NAME[action].when
    return replaced(text, gone, [f"p, {role}, {object}, {action}, {scope}, {when}, allow"] if scope else [], role)


def with_field(text: str, role: str, field: str, state: str) -> str:
    """The text in which the role may `edit` a field, only `view` it, or has it `hidden`."""
    gone = [line for line in parse(text) if _is_about_field(line, role, field)]
    wanted = _APART_LINES[state] if field in APART else _FIELD_LINES[state]
    effect = "allow" if field in APART else "deny"
    return replaced(text, gone, [f"p, {role}, {field}, {action}, all, any, {effect}" for action in wanted], role)


# --- steps -----------------------------------------------------------------------------------------------

_FIELD_LINES: dict[str, tuple[str, ...]] = {"edit": (), "view": ("edit",), "hidden": ("view", "edit")}
_APART_LINES: dict[str, tuple[str, ...]] = {"edit": ("view", "edit"), "view": ("view",), "hidden": ()}


def _cell(policy: Snapshot, base: Snapshot, role: str, object: str, action: str) -> Cell:
    lines = policy.cell(frozenset({role}), object, action).lines
    allows = [line for line in lines if line.columns[5] == "allow"]
    mine = [line for line in allows if _is_own(line, role, object, action)]
    others = [line for line in allows if line not in mine]
    inherited = _widest(others)
    return Cell(
        object,
        action,
        _widest(mine),
        inherited,
        next((line for line in others if line.columns[3] == inherited), None),
        tuple(dict.fromkeys(line.columns[3] for line in allows if line.columns[3] not in LADDER)),
        tuple(str(line) for line in lines if line.columns[5] == "deny"),
        tuple(str(line) for line in lines),
        {x.columns for x in lines} != {x.columns for x in base.cell(frozenset({role}), object, action).lines},
    )


def _widest(lines: Iterable[Line]) -> str | None:
    found = [line.columns[3] for line in lines if line.columns[3] in LADDER]
    return max(found, key=LADDER.index, default=None)


def _is_own(line: Line, role: str, object: str, action: str) -> bool:
    return line.kind == "p" and line.columns[:3] == (role, object, action) and line.columns[5:] == ("allow",)


def _is_about_field(line: Line, role: str, field: str) -> bool:
    return (
        line.kind == "p"
        and line.columns[:2] == (role, field)
        and line.columns[2] in ("view", "edit")
        and line.columns[3:5] == ("all", "any")
    )


def _field(policy: Snapshot, base: Snapshot, role: str, field: str) -> FieldCell:
    lines = [line for action in ("view", "edit") for line in policy.cell(frozenset({role}), field, action).lines]
    about = [line for line in dict.fromkeys(lines) if line.columns[1] == field]
    mine = [line.columns[2] for line in about if _is_about_field(line, role, field)]
    then = [x for action in ("view", "edit") for x in base.cell(frozenset({role}), field, action).lines]
    return FieldCell(
        field,
        _state(mine, is_apart=field in APART),
        field in APART,
        tuple(str(line) for line in about if not _is_about_field(line, role, field)),
        {x.columns for x in about} != {x.columns for x in then if x.columns[1] == field},
    )


def _state(mine: Sequence[str], *, is_apart: bool) -> str:
    lines = _APART_LINES if is_apart else _FIELD_LINES
    return next((state for state, actions in lines.items() if set(actions) == set(mine)), "hidden")


def _settable(module: str) -> list[str]:
    """The fields of a module that say something about a record: no key, none that the system manages."""
    model = next((model for model, of in MODULE_OF.items() if of == module), None)
    if model is None:
        return []
    words = [f"{module}.{field_name(x.key)}" for x in columns(model) if x.key not in _STAMPS]
    return [*words, *(f"{module}.{name}" for name in LISTED.values() if f"{module}.{name}" in FIELDS)]


_STAMPS = {column.key for column in columns(Dictionary)} - {"code", "name", "name_zh"}
"""What every entity has: its key, version, who made and changed it, when."""
