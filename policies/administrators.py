"""What no change of rights may do to administrators.

It takes nothing from them that they may grant, and binds them to no denial of another role.  Otherwise a role manager could keep every administrator from setting the policy right again.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .logic import NEVER, cases_of_pair, witness
from .review import Roles, can_administer, may_hand_out, may_use, possible, touched
from .snapshot import Snapshot
from .tables import Table


class Binding(NamedTuple):
    """What administrators with these roles would lose, in one case: a right to grant, or one that another role denies."""

    roles: Roles
    object: str
    action: str
    when: tuple[str, ...]


def bindings(before: Snapshot, after: Snapshot, sets: Iterable[tuple[Roles, Roles]]) -> Iterator[Binding]:
    """What administrators among `sets`, (roles before, roles after), would lose and have to keep."""
    for old, new in sorted(set(sets), key=lambda pair: [sorted(roles) for roles in pair]):
        if not can_administer(before, old):
            continue
        for object, action in sorted(touched(before, after, old, new)):
            lost = may_hand_out(before, old, object, action) & ~may_hand_out(after, new, object, action)
            lost |= _denied_by_others(after, old, new, object, action) & may_use(before, old, object, action)
            if (found := witness(lost, possible(object))) is not None:
                yield Binding(new, object, action, found)


def _denied_by_others(policy: Snapshot, old: Roles, new: Roles, object: str, action: str) -> Table:
    """The cases that denials of roles close which are inherited, or which an administrator did not hold before."""
    table: Table = NEVER
    for line in policy.cell(new, object, action).lines:
        role, _, _, scope, when, effect = line.columns
        if effect == "deny" and role not in old and role != "*":
            table |= cases_of_pair(scope, when)
    return table
