"""Many records of one kind: create, update, delete, or only judge them, in one transaction.

A row that is refused changes nothing and does not spoil the others.  Rows take effect in their order, so the second one
of two with the same number is refused.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import groupby
from typing import Any

from sqlalchemy.orm import Session

from models import Entity
from models.audit.recording import logged_as
from models.errors import Validation

from ..runtime.lifecycle import rules_of
from ..runtime.scope import Scope
from ..runtime.trial import trial
from . import creating, deleting, singly, updating
from .kinds import kind_of
from .verdicts import Change, Row, Verdict

LARGEST = 500
"""Maximum number of rows of one call: on SQLite all other writes wait for its transaction, a
millisecond for each row.  Jobs take about 100."""


def create_many(scope: Scope, model: type[Entity], rows: Sequence[Row], *, action: str | None = None) -> list[Verdict]:
    """One verdict for each row, in their order: its new record, or why there is none.  One transaction.

    `action` is what the log says was done, `customer.import`; without it, it says that the records were created.  What
    an action `….import` creates is an import: ownership periods begin by it, and follow-ups are history
    (`resolvers/customers/follow_ups.py`).  Raises Validation for more than LARGEST rows, and what `scope.write` raises
    before there is a row.
    """
    _refuse_too_many(rows)
    with scope.write(f"{model.module}.create") as db, _logged(db, action):
        return _create(scope, db, model, rows)


def update_many(
    scope: Scope, model: type[Entity], changes: Sequence[Change], *, action: str | None = None
) -> list[Verdict]:
    """The same for changes of records.  A change is an edit: it goes past no lock, and sets neither owner nor pool.

    Every field that is given is set, an empty one too.  The second change of one record finds what the first one made.
    """
    _refuse_too_many(changes)
    with scope.write(f"{model.module}.edit") as db, _logged(db, action):
        return _update(scope, db, model, changes)


def delete_many(scope: Scope, model: type[Entity], ids: Sequence[int]) -> list[Verdict]:
    """The same for moves to the recycle bin, each with its child records as one batch.  An id stands once.

    A record that only others among these use is deleted with them.
    """
    _refuse_too_many(ids)
    with scope.write(f"{model.module}.delete") as db:
        scope.hold(db, model, sorted(ids))
        rules_of(model).lock_first(db, ids, None)
        return deleting.delete(scope, db, model, ids)


def check_many(
    scope: Scope, model: type[Entity], rows: Sequence[Row | Change], *, action: str | None = None
) -> list[Verdict]:
    """The verdicts that these rows would get now, new ones and changes, and nothing is changed or logged.

    The ids of verdicts about new rows mean nothing.  Rows are judged together, so that the second one of two with the
    same number is refused; other calls know nothing of them.
    """
    verdicts: list[Verdict] = []
    _refuse_too_many(rows)
    with trial(scope, f"{model.module}.create") as db, _logged(db, action):
        for is_change, run in groupby(rows, key=lambda row: isinstance(row, tuple)):
            alike: list[Any] = list(run)
            is_last = len(verdicts) + len(alike) == len(rows)
            if is_change:
                verdicts += _update(scope, db, model, alike)
            else:
                verdicts += _create(scope, db, model, alike, is_last=is_last)
    return verdicts


# --- steps -----------------------------------------------------------------------------------------------


def _create(
    scope: Scope, db: Session, model: type[Entity], rows: Sequence[Row], *, is_last: bool = False
) -> list[Verdict]:
    kind = kind_of(model)
    if kind is None or not scope.policy.ever(scope.person, "create", model.module):
        return [singly.create(scope, model, row) for row in rows]
    return creating.create(scope, db, kind(scope, db), rows, is_last=is_last)


def _update(scope: Scope, db: Session, model: type[Entity], changes: Sequence[Change]) -> list[Verdict]:
    scope.hold(db, model, sorted({id for id, _ in changes if id}))
    if (kind := kind_of(model)) is not None:
        return updating.update(scope, db, kind(scope, db), changes)
    return [singly.update(scope, model, change) for change in changes]


def _logged(db: Session, action: str | None) -> AbstractContextManager[None]:
    return logged_as(db, action) if action is not None else nullcontext()


def _refuse_too_many(rows: Sequence[object]) -> None:
    if len(rows) > LARGEST:
        raise Validation(f"At most {LARGEST} rows at once.", f"一次最多 {LARGEST} 行。", field="rows")
