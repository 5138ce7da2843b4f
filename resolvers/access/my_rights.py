"""What the caller may do at all: the actions of every kind of records, and of parts of the system."""

from collections.abc import Mapping, Sequence

from models import ENTITIES, AuditEntry, Base
from policies.objects import RIGHTS, SYSTEM_MODULES, is_done_to

from ..reading.offers import offers
from ..runtime.scope import Scope


async def rights_of_caller(scope: Scope) -> Mapping[type[Base] | str, Sequence[str]]:
    """Model, or module of a part of the system -> the actions that the caller may do to some of its records.

    `create` is among them where a new record would be accepted.  Kinds without an action are left out.  One statement.
    """
    drafted = (await offers(scope, ())).drafted
    kinds: tuple[type[Base], ...] = (*ENTITIES, AuditEntry)
    places: list[tuple[type[Base] | str, str]] = [(model, model.module) for model in kinds]
    places += [(module, module) for module in SYSTEM_MODULES]
    found = {place: _actions(scope, place, module, drafted) for place, module in places}
    return {place: actions for place, actions in found.items() if actions}


def _actions(scope: Scope, place: type[Base] | str, module: str, drafted: frozenset[type[Base]]) -> list[str]:
    names = (x.name for x in RIGHTS if is_done_to(x, module) and (x.name != "create" or place in drafted))
    return [name for name in names if scope.policy.ever(scope.person, name, module)]
