"""One row by the single use case, in a savepoint of the open transaction.

It decides every row about which the questions for many rows (`creating.py`) leave a doubt, so that a refusal is the same
either way.
"""

from models import Entity, User
from models.errors import Refusal

from ..people.onboarding import create_with_roles
from ..records import create_update, recycle_bin
from ..runtime.scope import Scope
from .verdicts import Change, Row, Verdict


def create(scope: Scope, model: type[Entity], row: Row) -> Verdict:
    """The verdict of `create_update.create`; a new user may come with `roles`, a list of ids."""
    try:
        record = _created(scope, model, row)
    except Refusal as refusal:
        return Verdict(None, refusal)
    return _done(record)


def update(scope: Scope, model: type[Entity], change: Change) -> Verdict:
    """The verdict of `create_update.update`."""
    id, given = change
    try:
        record = create_update.update(scope, model, id, given)
    except Refusal as refusal:
        return Verdict(None, refusal)
    return _done(record)


def delete(scope: Scope, model: type[Entity], id: int) -> Verdict:
    """The verdict of `recycle_bin.delete`."""
    refused = recycle_bin.delete(scope, model, [id]).problems
    return Verdict(None, refused[0]) if refused else Verdict(id)


def _created(scope: Scope, model: type[Entity], row: Row) -> Entity:
    if model is User and "roles" in row:
        return create_with_roles(scope, {key: value for key, value in row.items() if key != "roles"}, row["roles"])
    return create_update.create(scope, model, row)


def _done(record: Entity) -> Verdict:
    notices = tuple(record.notices)
    record.notices.clear()  # the next row may be about the same record
    return Verdict(record.id, None, notices)
