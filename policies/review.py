"""What a new policy would change, for whom, and whether its author may hand that out.  Exact, and without any data.

People with the same roles behave alike, so everything is asked once per set of roles.  Of two policies only the
lines that differ for such a set are looked at.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from models import Base, Customer

from .branches import branch_of, may_lie_under
from .lines import Line
from .logic import ATOMS, NEVER, POSSIBLE, Rights, cases, literal, witness
from .objects import ACTIONS, APART, FIELDS, GROUPS, MODULE_OF, MODULES, SYSTEM_MODULES
from .snapshot import Snapshot
from .tables import Table, outside_of

Roles = frozenset[str]
KEEPING = (
    *(("policy", action) for action in ("view", "edit", "review", "activate")),
    *((object, action) for object in ("role", "role.user", "role.role") for action in ("view", "create", "edit")),
    *((object, action) for object in ("user", "user.login", "user.active") for action in ("view", "create", "edit")),
)
"""What makes an administrator: the last user who may do all of this to everything, and may grant it, has to stay."""


@dataclass(frozen=True)
class Change:
    """What becomes of some actions on some objects for whoever holds exactly one of these sets of roles.

    The objects are of one kind: the same cases can occur with each.
    """

    roles: tuple[Roles, ...]
    objects: tuple[str, ...]
    actions: tuple[str, ...]
    before: Rights
    after: Rights

    @property
    def gained(self) -> Table:
        return self._table(self.after) & ~self._table(self.before)

    @property
    def lost(self) -> Table:
        return self._table(self.before) & ~self._table(self.after)

    def _table(self, rights: Rights) -> Table:
        return cases_with(self.objects[0], *rights)


class Excess(NamedTuple):
    """A right that somebody would gain, in the case of the witness, and that the author may not hand out."""

    roles: Roles
    object: str
    action: str
    when: tuple[str, ...]
    as_ceiling: bool
    """Whether it is a right to hand out, not to use."""


# --- what one may do and hand out ------------------------------------------------------------------------


def may_use(policy: Snapshot, roles: Roles, object: str, action: str) -> Table:
    """The cases in which these roles may do it."""
    cell = policy.cell(roles, object, action)
    return cases_with(object, cell.allow, cell.deny)


def may_hand_out(policy: Snapshot, roles: Roles, object: str, action: str) -> Table:
    """The cases in which these roles may let others do it: what they may do, and what a `p2` line adds or denies."""
    ceiling = policy.ceiling(roles, object, action)
    more, less = (cases_with(object, pairs, frozenset()) for pairs in (ceiling.allow, ceiling.deny))
    return (may_use(policy, roles, object, action) | more) & ~less & possible(object)


def can_administer(policy: Snapshot, roles: Roles) -> bool:
    """Whether a user with these roles can set everything else right again: by their rights and by what they may grant."""
    return all(
        asked(policy, roles, *right) == possible(right[0]) for right in KEEPING for asked in (may_use, may_hand_out)
    )


# --- comparing -------------------------------------------------------------------------------------------


def changes(old: Snapshot, new: Snapshot, sets: Iterable[Roles]) -> list[Change]:
    """What `new` would change for these sets of roles, alike things together, in the order of the objects."""
    alike: dict[tuple[str, Rights, Rights, Roles], list[str]] = {}
    for roles in sorted(set(sets), key=sorted):
        for object, action in _touched(old, new, roles, "p"):
            before, after = _rights(old, roles, object, action), _rights(new, roles, object, action)
            if cases_with(object, *before) ^ cases_with(object, *after) and not _goes_with_module(
                old, new, roles, object, action
            ):
                alike.setdefault((object, before, after, roles), []).append(action)
    return _gathered(alike)


def excesses(
    before: Snapshot,
    after: Snapshot,
    sets: Iterable[tuple[Roles, Roles]],
    author: Roles,
    limit: Callable[[Snapshot, Roles, str, str], Table] | None = None,
) -> Iterator[Excess]:
    """What goes beyond the author's `may_hand_out` by the policy `before`, as far as a user gains it.

    `sets` are (roles before, roles after) of all users concerned.  `limit` is what the author may let others use,
    `may_use` for gains of their own.
    """
    limit = limit or may_hand_out
    for old, new in sorted(set(sets), key=lambda pair: [sorted(roles) for roles in pair]):
        for object, action in sorted(touched(before, after, old, new)):
            for asked, as_ceiling in ((may_use, False), (may_hand_out, True)):
                gained = asked(after, new, object, action) & ~asked(before, old, object, action)
                too_much = gained and gained & ~(may_hand_out if as_ceiling else limit)(before, author, object, action)
                if too_much and (found := witness(too_much, possible(object))) is not None:
                    yield Excess(new, object, action, found, as_ceiling)
                    break


# --- steps -----------------------------------------------------------------------------------------------


def cases_with(object: str, allow: frozenset[tuple[str, str]], deny: frozenset[tuple[str, str]]) -> Table:
    """The cases in which a cell says yes of records of an object."""
    return outside_of(cases(allow, deny), lambda word: _lies_under(object, word)) & possible(object)


@cache
def _lies_under(object: str, word: str) -> bool:
    """Whether some record of an object has the field of a branch, or belongs to one that has."""
    module, branch = FIELDS.get(object, object), branch_of(word)
    models = [model for model, of in MODULE_OF.items() if of == module]
    return branch is not None and any(may_lie_under(model, branch.field) for model in models)


@cache
def possible(object: str) -> Table:
    """The cases that can occur with records of an object; a dictionary has no owner, so nobody owns one."""
    module = FIELDS.get(object, object)
    if module not in MODULES or module in SYSTEM_MODULES:
        return POSSIBLE
    table: Table = NEVER
    models = [model for model, of in MODULE_OF.items() if of == module]
    for model in models:
        cases: Table = POSSIBLE
        for atom in set(ATOMS) - _facts_of(model):
            cases &= literal(f"!{atom}")
        table |= cases
    return table


def _facts_of(model: type[Base]) -> set[str]:
    """The words that can be true of a record of this model."""
    known = {
        "owner_id": {"own"},
        "created_by_id": {"created"},
        "department_id": {"team", "subtree"},
        "pool_id": {"pool", "pool_member", "pool_admin", "in_pool"},
        "deleted_at": {"deleted"},
    }
    found = {
        word
        for fact, words in known.items()
        if model.policy_columns.get(fact, fact) in model.__table__.c
        for word in words
    }
    if model is Customer:
        found |= {"locked", "shared", "shared_edit"}
    if model.visible_through:
        whole = getattr(model, model.visible_through).property.mapper.class_
        found |= _facts_of(whole) - {"created", "deleted"} | (
            _facts_of(whole) if whole.module == model.module else set()
        )
    return found


def _rights(policy: Snapshot, roles: Roles, object: str, action: str) -> Rights:
    cell = policy.cell(roles, object, action)
    return Rights(cell.allow, cell.deny)


def _touched(
    old: Snapshot, new: Snapshot, before: Roles, kind: str, after: Roles | None = None
) -> set[tuple[str, str]]:
    """(object, action) about which different lines speak before and after."""
    then, now = _lines(old, before, kind), _lines(new, before if after is None else after, kind)
    different = [line for key, line in (then | now).items() if (key in then) != (key in now)]
    return covered(different, named(old) | named(new))


def touched(before: Snapshot, after: Snapshot, old: Roles, new: Roles) -> set[tuple[str, str]]:
    """(object, action) about which lines of use or of granting speak differently to these roles."""
    return _touched(before, after, old, "p", new) | _touched(before, after, old, "p2", new)


def spoken(policy: Snapshot, roles: Roles) -> set[tuple[str, str]]:
    """(object, action) about which lines of use or of granting speak to these roles."""
    lines = [line for kind in ("p", "p2") for line in _lines(policy, roles, kind).values()]
    return covered(lines, named(policy))


def _lines(policy: Snapshot, roles: Roles, kind: str) -> dict[tuple[str, ...], Line]:
    mine = policy.closure(roles)
    return {line.columns: line for line in policy.lines if line.kind == kind and line.columns[0] in mine}


def named(policy: Snapshot) -> frozenset[str]:
    """The fields of which some line speaks; all others are as their module."""
    return frozenset(x.columns[1] for x in policy.lines if x.kind != "g" and x.columns[1] in FIELDS)


def covered(lines: Iterable[Line], apart: Iterable[str]) -> set[tuple[str, str]]:
    """Everything that these lines speak about: objects, their fields that may differ from them, and single actions."""
    fields = {*apart, *APART}
    found: set[tuple[str, str]] = set()
    for line in lines:
        object, action = line.columns[1:3]
        objects = {object}
        if object == "*":
            objects = {*MODULES, *fields}
        elif object in MODULES:
            objects |= {field for field in fields if FIELDS[field] == object and field not in APART}
        actions = ACTIONS if action == "*" else GROUPS.get(action, (action,))
        found |= {(one, verb) for one in objects for verb in actions}
    return found


def _goes_with_module(old: Snapshot, new: Snapshot, roles: Roles, object: str, action: str) -> bool:
    """Whether a field only follows its module, which is said already."""
    module = FIELDS.get(object)
    return module is not None and all(
        _rights(policy, roles, object, action) == _rights(policy, roles, module, action) for policy in (old, new)
    )


def _gathered(alike: Mapping[tuple[str, Rights, Rights, Roles], list[str]]) -> list[Change]:
    """Alike changes in one: first the actions of an object, then the sets of roles, then the objects."""
    by_roles: dict[tuple[str, tuple[str, ...], Rights, Rights], list[Roles]] = {}
    for (object, before, after, roles), actions in alike.items():
        ordered = tuple(sorted(actions, key=ACTIONS.index))
        by_roles.setdefault((object, ordered, before, after), []).append(roles)
    by_objects: dict[tuple[tuple[Roles, ...], tuple[str, ...], Rights, Rights, Table], list[str]] = {}
    for (object, actions_, before, after), sets in by_roles.items():
        by_objects.setdefault((tuple(sets), actions_, before, after, possible(object)), []).append(object)
    found = [
        Change(sets, tuple(sorted(x)), actions, before, after)
        for (sets, actions, before, after, _), x in by_objects.items()
    ]
    return sorted(found, key=lambda x: (x.objects, [ACTIONS.index(a) for a in x.actions], [sorted(r) for r in x.roles]))
