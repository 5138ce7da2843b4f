"""Bulk changes: one change of all records of a selection, or of all that a filter finds, carried out by a job.

Which records those are is found once, in one state of the database.  Each record is changed by the rules of single
changes, with the rights that the maker has at that moment, and all entries of the log have one batch.
"""

from collections.abc import MutableMapping, Sequence
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from models import BulkChange, BulkItem, Entity
from models.bulk_change import BulkKind, BulkState, ItemState

from ..exports import reading
from ..exports.listing import Listing, read
from ..exports.said import in_words
from ..jobs.kinds import Progress
from ..runtime.inputs import line
from ..runtime.read_beside import as_they_are, read_beside
from ..runtime.scope import Scope
from . import undoing, wanted
from .bookkeeping import ACTION, laid, lay_down, log, new_change, next_items, note, start, tell_maker
from .judging import Became, carry_out
from .wanted import OWNER, Given, Handover

MOST_AT_ONCE = 200
"""Maximum number of records of one transaction."""
LAID_AT_ONCE = 1_000
_FOUND = "found"


def begin(scope: Scope, model: type[Entity], chosen: Listing, given: Given, reason: str | None = None) -> int:
    """The id of a new bulk change of the records of a list.  A list of `ids` alone is a selection.

    Raises Forbidden; Validation for a field or value that no record could have, and for nothing to change.
    """
    reason = line(reason, "reason")
    wanted.check(scope, model, given, chosen)
    with scope.write(ACTION, reason) as db:
        is_transfer = isinstance(given.get(OWNER), Handover)
        row = new_change(
            scope,
            entity=model.__name__,
            kind=BulkKind.TRANSFER if is_transfer else BulkKind.CHANGE,
            given=wanted.stored(given),
            reason=reason,
            listing=None if chosen.ids else chosen.stored(),
            said=in_words(scope, db, model, chosen),
        )
        db.add(row)
        db.flush()
        if chosen.ids:
            lay_down(db, row, [(model.__name__, id) for id in chosen.ids], 1)
            row.state, row.total = BulkState.RUNNING, len(chosen.ids)
        start(scope, row)
        log(scope, db, row, {"filter": [None, row.said], "fields": [None, sorted(given)]})
        return row.id


# --- the job ---------------------------------------------------------------------------------------------


def prepare(scope: Scope, id: int, memory: MutableMapping[str, Any]) -> None:
    """Find the records once, outside the transaction and in one state of the database."""
    if _FOUND in memory:
        return
    now = as_they_are(scope)
    found = read_beside(now, now.backend.url, _found, id, steadily=True)
    if found is not None:
        now.do(_begin_anew, id)
    memory[_FOUND] = found


def _begin_anew(scope: Scope, id: int) -> None:
    """Forget what a worker that was lost has laid down: nothing was changed yet."""
    with scope.write(ACTION) as db:
        row = db.get(BulkChange, id, with_for_update=True)
        if row is not None and row.state is BulkState.FINDING:
            db.execute(delete(BulkItem).where(BulkItem.change_id == id))


def _found(scope: Scope, db: Session, id: int) -> list[tuple[str, int]] | None:
    """The records of a change; None where they are found already."""
    row = db.get(BulkChange, id)
    if row is None or row.state is not BulkState.FINDING:
        return None
    if row.kind is BulkKind.UNDO:
        return undoing.records_of(db, row.undoes or "")
    model = wanted.takes_part(row.entity)
    listed = reading.found(scope, db, model, read(row.listing or {}), right="view")
    return [(row.entity, each) for ids in listed for each in ids]


def carry_on(scope: Scope, db: Session, id: int, size: int, memory: MutableMapping[str, Any]) -> Progress:
    """Lay down the next records that were found, or change the next ones."""
    row = db.get(BulkChange, id, with_for_update=True)
    if row is None or row.ended_at is not None:
        return Progress(0, more=False)
    if row.state is BulkState.FINDING:
        return _lay_down(db, row, memory)
    scope.batch_id = row.batch_id
    items = next_items(db, id, max(1, min(size, MOST_AT_ONCE)))
    became = _became(scope, db, row, items)
    note(db, id, [(item.number, each) for item, each in zip(items, became, strict=True)])
    failed = sum(each.state in (ItemState.REFUSED, ItemState.KEPT) for each in became)
    is_last = not items
    if is_last:
        row.state, row.ended_at = BulkState.DONE, scope.now()
        tell_maker(scope, db, row)
    return Progress(0, done=len(items) - failed, failed=failed, more=not is_last)


def _lay_down(db: Session, row: BulkChange, memory: MutableMapping[str, Any]) -> Progress:
    found: Sequence[tuple[str, int]] = memory[_FOUND] or []
    at = laid(db, row.id)
    lay_down(db, row, found[at : at + LAID_AT_ONCE], at + 1)
    if at + LAID_AT_ONCE >= len(found):
        row.state, row.total = BulkState.RUNNING, len(found)
    return Progress(0, total=len(found))


def _became(scope: Scope, db: Session, row: BulkChange, items: Sequence[Any]) -> list[Became]:
    if not items:
        return []
    if row.kind is BulkKind.UNDO:
        return undoing.take_back(scope, db, row, items)
    ids = [item.record_id for item in items]
    return carry_out(scope, db, wanted.takes_part(row.entity), ids, wanted.restored(row.given), row.reason)
