"""One row by the single use case, in a savepoint of the open transaction.

It decides every row about which the questions for many rows (`creating.py`) leave a doubt, so that a refusal is the same
either way.
"""

from models import Entity
from models.errors import Refusal

from ..records import create_update, recycle_bin
from ..runtime.scope import Scope
from .verdicts import Change, Row, Verdict


def create(scope: Scope, model: type[Entity], row: Row) -> Verdict:
    """The verdict of `create_update.create`."""
    try:
        record = create_update.create(scope, model, row)
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


def _done(record: Entity) -> Verdict:
    notices = tuple(record.notices)
    record.notices.clear()  # the next row may be about the same record
    return Verdict(record.id, None, notices)
