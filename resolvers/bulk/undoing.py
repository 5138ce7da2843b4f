"""The undoing of a batch of the operation log: edits get their old values, transferred records their former owners.

What the batch did is read from the log, so a single request of the API is undone like a change of many records.  A record is
undone, kept because somebody has changed the same fields since, or stays with the reason why it could not be undone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import AuditEntry, BulkChange, BulkItem, Contact, Entity
from models.audit.entries import Changes, Outcome
from models.base import columns
from models.bulk_change import BulkKind, BulkState, ItemState
from models.custom_field import is_custom
from models.database.bypass import Because, bypass_policy
from models.errors import NotFound, Refusal, Validation
from models.names import Names

from ..records.form_schema import settable
from ..runtime.inputs import line
from ..runtime.record_lookup import lock_rows
from ..runtime.scope import Scope
from .bookkeeping import ACTION, log, new_change, start
from .changes import BY_NAME, made_of
from .judging import Became, versions
from .restoring import POINT_FIELDS, changed_since, gone_since, put_back
from .taking_back_owners import LOCK, return_locks, return_owners

BATCH = Names("Batch", "Batches", zh="批次")
EDIT, TRANSFER = "edit", "transfer"
UNDOABLE = (EDIT, TRANSFER, "step", "win", "lose")
"""Actions that an undoing takes back; what followed from them follows again."""
_E: Any = AuditEntry.__table__.c
_LOG = bypass_policy(Because.FOLLOWS_CHECK)
_MODELS = {model.__tablename__: model for model in BY_NAME.values()}
_LONGEST = 40


def undo(scope: Scope, batch_id: str, reason: str | None = None) -> int:
    """The id of the bulk change that undoes a batch, which a job carries out.  Asked twice, it is undone once.

    Asked again, what could not be undone is tried again.  Raises NotFound for a batch that is not there, or is somebody
    else's and the caller may not read the log; Validation for one that is not finished, or holds nothing to undo.
    """
    reason = line(reason, "reason") or ("撤销" if scope.language.startswith("zh") else "Undone")
    with scope.write(ACTION, reason) as db:
        entity = _first_entity(scope, db, batch_id[:_LONGEST])
        again = select(BulkChange).where(BulkChange.undoes == batch_id).with_for_update()
        row = db.execute(again).scalars().first()
        if row is not None:
            _try_again(scope, db, row)
            return row.id
        said = _ended(scope, db, batch_id)
        row = new_change(
            scope, entity=entity.__name__, kind=BulkKind.UNDO, given={}, reason=reason, listing=None, said=said
        )
        row.undoes = batch_id
        db.add(row)
        db.flush()
        start(scope, row)
        log(scope, db, row, {"batch_id": [None, batch_id]})
        return row.id


def _ended(scope: Scope, db: Session, batch_id: str) -> str:
    """What the bulk change with this batch is about, "" for another batch.  One that was stopped never goes on after it."""
    asked = select(BulkChange).where(BulkChange.batch_id == batch_id).with_for_update()
    row = db.execute(asked).scalars().first()
    if row is None:
        return ""
    (made,) = made_of(db, [row])
    if made.is_open:
        raise Validation(
            "This change is still running. Stop it first, or wait.", "该修改仍在进行，请先停止或等待完成。"
        )
    row.state, row.ended_at = made.state, row.ended_at or scope.now()
    return row.said


def _try_again(scope: Scope, db: Session, row: BulkChange) -> None:
    """Let what could not be undone wait once more, or an undoing that was stopped or has failed go on.

    It is carried out with the rights of who asks now, and stays with who asked first.
    """
    if made_of(db, [row])[0].may_go_on:
        start(scope, row)
    if row.state is not BulkState.DONE:
        return
    failed = (BulkItem.change_id == row.id, BulkItem.state == ItemState.REFUSED)
    if db.execute(select(func.count()).select_from(BulkItem).where(*failed)).scalar_one():
        db.execute(update(BulkItem).where(*failed).values(state=ItemState.OPEN, problem=None))
        row.state, row.ended_at = BulkState.RUNNING, None
        start(scope, row)


def _first_entity(scope: Scope, db: Session, batch_id: str) -> type[Entity]:
    """The kind of record that a batch changed first.  Raises NotFound, Validation."""
    there = select(_E.actor_id).where(_E.batch_id == batch_id).limit(1)
    actor = db.execute(there, execution_options=_LOG).first()
    mine = actor is not None and actor[0] == scope.me
    if actor is None or not (mine or scope.policy.ever(scope.person, "view", AuditEntry.module)):
        raise NotFound(what=BATCH)
    first = next(iter(records_of(db, batch_id, most=1)), None)
    if first is None:
        raise Validation(
            "This batch has no edit and no transfer that could be undone.", "该批次中没有可撤销的修改或转移。"
        )
    return BY_NAME[first[0]]


# --- what a batch did ------------------------------------------------------------------------------------


def records_of(db: Session, batch_id: str, most: int | None = None) -> list[tuple[str, int]]:
    """(name of the model, id) of the records that a batch edited or transferred, the last one first."""
    asked = select(_E.entity, _E.record_id, func.max(_E.id).label("last")).where(*_undoable(batch_id))
    asked = asked.group_by(_E.entity, _E.record_id).order_by(func.max(_E.id).desc()).limit(most)
    return [(_MODELS[row.entity].__name__, row.record_id) for row in db.execute(asked, execution_options=_LOG)]


def _undoable(batch_id: str) -> Iterator[Any]:
    """The entries about what was edited or transferred itself; what followed from it follows again."""
    yield from (_E.batch_id == batch_id, _E.outcome == Outcome.OK, _E.record_id.is_not(None))
    yield (
        _E.entity.concat(":")
        .concat(_E.action)
        .in_([f"{table}:{model.module}.{verb}" for table, model in _MODELS.items() for verb in UNDOABLE])
    )


@dataclass
class Done:
    """What a batch did to one record: field -> [old, new], and whether its owner changed by a transfer."""

    changes: Changes = field(default_factory=dict)
    is_transfer: bool = False


def done_to(db: Session, batch_id: str, model: type[Entity], ids: Sequence[int]) -> dict[int, Done]:
    """Record -> what a batch did to it, from the first old values to the last new ones."""
    asked = select(_E.record_id, _E.action, _E.changes).where(*_undoable(batch_id))
    asked = asked.where(_E.entity == model.__tablename__, _E.record_id.in_(ids)).order_by(_E.id)
    found: dict[int, Done] = {}
    for id, action, changes in db.execute(asked, execution_options=_LOG):
        done = found.setdefault(id, Done())
        done.is_transfer |= action.endswith(f".{TRANSFER}")
        for key, (old, new) in changes.items():
            done.changes[key] = [done.changes.get(key, [old])[0], new]
    return {id: Done(_real(done.changes), done.is_transfer) for id, done in found.items()}


def _real(changes: Changes) -> Changes:
    """Without what came back to its old value within the batch."""
    return {key: pair for key, pair in changes.items() if pair[0] != pair[1]}


def changed_later(db: Session, model: type[Entity], ids: Sequence[int], batch_id: str, but: str) -> dict[int, set[str]]:
    """Record -> the fields that were changed after the batch, whatever their values are now.  `but`: a batch that does not count."""
    mine = select(_E.record_id, func.max(_E.id).label("last")).where(
        _E.batch_id == batch_id, _E.entity == model.__tablename__, _E.record_id.in_(ids), _E.outcome == Outcome.OK
    )
    last = mine.group_by(_E.record_id).subquery()
    later = select(_E.record_id, _E.changes).join(last, last.c.record_id == _E.record_id)
    later = later.where(_E.entity == model.__tablename__, _E.id > last.c.last, _E.outcome == Outcome.OK)
    found: dict[int, set[str]] = {}
    for id, changes in db.execute(later.where(_E.batch_id != but), execution_options=_LOG):
        found.setdefault(id, set()).update(changes)
    return found


# --- back to what was ------------------------------------------------------------------------------------


def take_back(scope: Scope, db: Session, row: BulkChange, items: Sequence[Any]) -> list[Became]:
    """What has become of these records of an undoing, in their order."""
    found: dict[tuple[str, int], Became] = {}
    for entity in dict.fromkeys(item.entity for item in items):
        ids = [item.record_id for item in items if item.entity == entity]
        for each in _taken_back(scope, db, row, BY_NAME[entity], ids):
            found[entity, each.id] = each
    return [found[item.entity, item.record_id] for item in items]


def _taken_back(
    scope: Scope, db: Session, row: BulkChange, model: type[Entity], ids: Sequence[int]
) -> Iterator[Became]:
    batch_id, reason = row.undoes or "", row.reason or ""
    if scope.backend.dialect == "postgresql":
        lock_rows(db, model, ids)
    live = versions(db, model, ids, live=True)
    did = done_to(db, batch_id, model, ids)
    later = changed_later(db, model, ids, batch_id, row.batch_id)
    edits: list[tuple[int, Mapping[str, Any]]] = []
    owners: dict[int, int | None] = {}
    locks: dict[int, Mapping[str, Any]] = {}
    for id in ids:
        done = did.get(id, Done())
        if id not in live:
            yield Became(id, ItemState.KEPT, gone_since())
        elif not later.get(id, set()).isdisjoint(model.with_partners(_own(model, done))):
            yield Became(id, ItemState.KEPT, changed_since())
        elif done.is_transfer:
            owners[id] = done.changes.get("owner_id", [None])[0]
            if "locked_by_id" not in later.get(id, ()):
                locks[id] = {key: pair[0] for key, pair in done.changes.items() if key in LOCK}
        elif refusal := _not_undoable(model, done):
            yield Became(id, ItemState.REFUSED, refusal)
        else:
            edits.append((id, {key: done.changes[key][0] for key in _own(model, done)}))
    with scope.write(f"{model.module}.{EDIT}", reason):
        verdicts = put_back(scope, db, model, edits, reason)
    for (id, _values), verdict in zip(edits, verdicts, strict=True):
        yield _became(id, verdict.refusal)
    returned = return_owners(scope, db, model, owners, batch_id, row.batch_id, reason)
    back = {id: locks[id] for id, refusal in returned.items() if refusal is None and locks.get(id)}
    for id, refused in {**returned, **return_locks(scope, back, reason)}.items():
        yield _became(id, refused)


def _became(id: int, refusal: Refusal | None) -> Became:
    return Became(id, ItemState.DONE if refusal is None else ItemState.REFUSED, refusal)


def _own(model: type[Entity], done: Done) -> set[str]:
    """The fields that users set themselves: what the system kept beside them follows by itself."""
    if done.is_transfer:
        return {"owner_id"}
    free = {*settable(model, creating=False)}
    parts = POINT_FIELDS if model is Contact else frozenset()
    return {key for key in done.changes if key in free or key in parts or is_custom(key)}


def _not_undoable(model: type[Entity], done: Done) -> Refusal | None:
    known = {column.key for column in columns(model)}
    if any(key not in known and key not in _own(model, done) for key in done.changes):
        return Validation(
            "It has changed in a field that there is no longer, so change it by hand.",
            "所修改的字段已不存在，请手动修改。",
        )
    if not _own(model, done):
        return Validation("There is nothing here that could be undone.", "没有可撤销的内容。")
    return None
