"""Many moves to the recycle bin: loaded, judged and flushed together; what is left in doubt the single use case decides.

The flush is the one of single deletions, with its guard, log and indexes, once for all records of a call.
"""

from collections.abc import Sequence

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from models import Entity
from models.errors import Refusal
from models.pool import GRANTEE_KINDS

from ..records.references import children_of_many, used_among
from ..runtime.lifecycle import rules_of
from ..runtime.record_lookup import look_up_many
from ..runtime.scope import Scope
from ..runtime.write_guard import checked, permit
from . import singly
from .verdicts import Verdict


def delete(scope: Scope, db: Session, model: type[Entity], ids: Sequence[int]) -> list[Verdict]:
    """One verdict for each record, in their order.  The rows are locked.

    Records that are in doubt come last, so that one which only others among them use is deleted, too.
    """
    done = _moved(scope, db, model, ids)
    return [Verdict(id) if id in done else singly.delete(scope, model, id) for id in ids]


def _moved(scope: Scope, db: Session, model: type[Entity], ids: Sequence[int]) -> set[int]:
    """Those that were moved to the bin together."""
    if model.singleton or model in GRANTEE_KINDS:  # what is granted to users, departments and roles goes with them
        return set()
    used = used_among(db, model, {*ids})
    rows = look_up_many(db, scope.policy, scope.person, model, {*ids} - used, "delete")
    try:
        with db.begin_nested():
            _move(scope, db, model, rows)
    except (Refusal, IntegrityError, StaleDataError):  # of which the single use case finds the record
        return set()
    return {*rows}


def _move(scope: Scope, db: Session, model: type[Entity], rows: dict[int, Entity]) -> None:
    parts = [*children_of_many(db, model, rows)] if rows else []
    for part, parent in [*parts, *((row, id) for id, row in rows.items())]:
        permit(db, part, "delete")
        part.deleted_at, part.deleted_by_id = scope.person.now, scope.person.id
        part.delete_batch_id = f"{scope.batch_id}-{parent}"
    for row in rows.values():
        row.notices.clear()
        checked(db, row, "delete")
    rules_of(model).deleted_all(scope, db, [*rows.values()])
    db.flush()
