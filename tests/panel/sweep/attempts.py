"""Attempts to create a record: whether any form that a user could fill would be accepted."""

from collections.abc import Iterator

from models import Base
from resolvers.records import create_update
from tests.support.panel import Door

from .columns import pointers
from .dry_run import is_in_reach
from .forms import as_values, new_form
from .oracle import Oracle
from .tables import KINDS


def creates(oracle: Oracle, door: Door, **fixed: int) -> bool:
    """Whether a form for a new record, filled as well as the user can, is accepted."""
    if KINDS[door.model].new is None or not door.view.offers_create:
        return False
    return any(is_created(oracle, door.model, values) for values in fillings(oracle, door.model, **fixed))


def is_created(oracle: Oracle, model: type[Base], values: dict[str, object]) -> bool:
    return is_in_reach(oracle.world, oracle.login, lambda scope: create_update.create(scope, model, values))  # type: ignore[type-var]  # an entity


def fillings(oracle: Oracle, model: type[Base], **fixed: int) -> Iterator[dict[str, object]]:
    """The values of the form, with each record that the user sees in place of the one that it points to."""
    values = as_values(model, new_form(model, oracle.world)) | fixed
    target = pointers(model).get(key := "customer_id" if "customer_id" in values else "pool_id")
    if key not in values or key in fixed or target is None:
        yield values
        return
    gone = oracle.deleted(target)
    yield from ({**values, key: id} for id in sorted(oracle.ids(target) - gone))
