"""Recycle bin: delete a record with its child records as one batch, restore that batch, purge for good."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import Column, Index, and_, inspect, select, update
from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import Session

from models import ENTITIES, Entity, Part, Tombstone
from models.audit.recording import guarded_update
from models.base import LIVE
from models.database.bypass import Because, bypass_policy
from models.errors import Forbidden, InBin, NotDeleted, NotFound, TakenMeanwhile, Validation
from models.pool import GRANTEE_KINDS

from ..runtime.batch import Mode, Outcome, each
from ..runtime.ids import camel, global_id
from ..runtime.inputs import line
from ..runtime.kept_files import drop_files
from ..runtime.lifecycle import rules_of
from ..runtime.merged_records import merges
from ..runtime.scope import Scope
from ..runtime.write_guard import permit
from .references import children, grants, is_granted_to, is_sibling_reference, pointing, refuse_if_used

E = TypeVar("E", bound=Entity)


def delete(
    scope: Scope, model: type[E], ids: Sequence[int], mode: Mode = Mode.BEST_EFFORT, reason: str | None = None
) -> Outcome:
    """Move records to the bin, each with its child records as one batch; returns the outcome per record.

    Problems: NOT_FOUND, FORBIDDEN, LOCKED, IN_BIN, IN_USE, VALIDATION.
    """

    def work(db: Session, id: int) -> None:
        _move_to_bin(scope, db, model, id)

    return each(scope, f"{model.module}.delete", model, ids, mode, work, reason=line(reason, "reason"))


def restore(
    scope: Scope, model: type[E], ids: Sequence[int], mode: Mode = Mode.BEST_EFFORT, reason: str | None = None
) -> Outcome:
    """Restore records from the bin, each with the child records of its batch; returns the outcome per record.

    Problems: NOT_FOUND, FORBIDDEN, NOT_DELETED, IN_BIN (the parent), TAKEN_MEANWHILE, and what the rules add, like
    DUPLICATE_FOUND without a reason.
    """

    def work(db: Session, id: int) -> None:
        row, is_seen = _from_the_bin(scope, db, model, id, to="restore")
        batch = row.delete_batch_id
        rows: list[Entity] = [row, *(part for part in children(db, row, live=False) if part.delete_batch_id == batch)]
        _refuse_without_parent(db, row)
        for part in rows:
            _refuse_if_taken(db, part, is_seen=is_seen)
        with db.no_autoflush:
            for part in rows:
                permit(db, part, "restore")
                part.deleted_at = part.deleted_by_id = part.delete_batch_id = None
            rules_of(model).restored(scope, db, row)
        db.flush()

    return each(scope, f"{model.module}.restore", model, ids, mode, work, reason=line(reason, "reason"))


def purge(
    scope: Scope,
    model: type[E],
    ids: Sequence[int],
    *,
    confirm: bool,
    skip_bin: bool = False,
    mode: Mode = Mode.BEST_EFFORT,
    reason: str | None = None,
) -> Outcome:
    """Delete records of the bin for good; returns the outcome per record.  Raises Validation without `confirm`.

    With `skip_bin` records that are not in the bin are deleted and purged in one step, under the rights to both.
    Their log entries stay, and their numbers are never given again.
    """
    if not confirm:
        raise Validation("Purging cannot be undone; confirm it.", "永久删除无法恢复，请确认。", field="confirm")
    why = line(reason, "reason")

    def work(db: Session, id: int) -> None:
        is_deleted_now = skip_bin and _delete_first(scope, model, id, why)
        try:
            row, _ = _from_the_bin(scope, db, model, id, to="purge")
        except NotFound:
            if is_deleted_now:  # the caller has just seen it
                raise scope.denied(Forbidden(action=f"{model.module}.purge"), model, id, "purge") from None
            raise
        rules_of(model).purged(scope, db, row)
        refuse_if_used(db, row, is_purge=True)
        for merged in _merged_into(db, row):
            _erase_whole(scope, db, merged)
        _erase_whole(scope, db, row)
        db.flush()

    return each(scope, f"{model.module}.purge", model, ids, mode, work, reason=why)


# --- reasons to refuse -----------------------------------------------------------------------------------


def _refuse_singleton(model: type[Entity]) -> None:
    if model.singleton:
        raise Validation("There is only one of this; it stays.", "此项有且仅有一条，不能删除。")


def _refuse_without_parent(db: Session, row: Entity) -> None:
    """Raise InBin when the parent record is in the bin too: the child comes back with it."""
    relation = type(row).cascades_with or type(row).visible_through
    if relation:
        model: type[Entity] = inspect(type(row)).relationships[relation].mapper.class_
        above = select(model).where(model.id == getattr(row, f"{relation}_id"))
        parent = db.execute(above, execution_options=bypass_policy(Because.KEEPS_RULE)).scalar_one()
        if parent.deleted_at is not None:
            raise InBin(label=parent.label, record_id=global_id(model, parent.id))


def _refuse_if_taken(db: Session, row: Entity, *, is_seen: bool) -> None:
    """Raise TakenMeanwhile when a record outside the bin has got the unique value that this one had.

    The sentence names neither the value nor the record to a caller who does not see the record.
    """
    table: Any = type(row).__table__
    for index in table.indexes:
        if not (isinstance(index, Index) and index.unique and _ignores_the_bin(index)):
            continue
        same = and_(*(column == getattr(row, column.key) for column in index.columns), table.c.deleted_at.is_(None))
        if db.execute(
            select(table.c.id).where(same, table.c.id != row.id), execution_options=bypass_policy(Because.KEEPS_RULE)
        ).first():
            last = list(index.columns)[-1]
            held = getattr(row, last.key)
            is_kind = last.foreign_keys or not is_seen
            taken = {"value": row.names.one, "value_zh": row.names.zh} if is_kind else {"value": held}
            named = {"label": row.label} if is_seen else {"label": "this record", "label_zh": "该记录"}
            record_id = global_id(type(row), row.id)
            raise TakenMeanwhile(field=camel(last.key), record_id=record_id, **named, **taken)


def _ignores_the_bin(index: Index) -> bool:
    return str(index.dialect_options["sqlite"]["where"]) == str(LIVE["sqlite_where"])


# --- steps -----------------------------------------------------------------------------------------------


def _move_to_bin(scope: Scope, db: Session, model: type[E], id: int) -> None:
    row = scope.load(db, model, id, to="delete")
    _refuse_singleton(model)
    refuse_if_used(db, row, is_purge=False)
    rows: list[Entity] = [*children(db, row, live=True), row]
    for part in rows:
        permit(db, part, "delete")
        part.deleted_at, part.deleted_by_id = scope.person.now, scope.person.id
        part.delete_batch_id = f"{scope.batch_id}-{id}"
    rules_of(model).deleted(scope, db, row)
    db.flush()


def _delete_first(scope: Scope, model: type[E], id: int, reason: str | None) -> bool:
    """Move a record to the bin under an entry of its own; False for one that lies there already."""
    try:
        with scope.write(f"{model.module}.delete", reason) as db:
            _move_to_bin(scope, db, model, id)
    except InBin:
        return False
    return True


def _from_the_bin(scope: Scope, db: Session, model: type[E], id: int, *, to: str) -> tuple[E, bool]:
    """(the deleted record with every column, although the caller may see it masked; whether they see it).

    Raises NotDeleted and as `load`; NotFound for a record outside the bin that the caller does not see.
    """
    _, is_seen, _ = scope.lookup(db, model, id, to=to)
    row = scope.load(db, model, id, to=to)
    if row.deleted_at is None:
        record_id = global_id(model, id)
        raise NotDeleted(label=row.label) if is_seen else NotFound(what=model.names, record_id=record_id)
    whole = select(model).where(model.id == id)
    options = bypass_policy(Because.FOLLOWS_CHECK, populate_existing=True)
    return db.execute(whole, execution_options=options).scalar_one(), is_seen


def _merged_into(db: Session, row: Entity) -> list[Entity]:
    """The records that became part of this one: they go with it, because what led to it would lead nowhere."""
    if not merges(type(row)):
        return []
    column: Any = type(row).__table__.c["merged_into_id"]
    merged = select(type(row)).where(column == row.id).order_by(type(row).id)
    return list(db.execute(merged, execution_options=bypass_policy(Because.FOLLOWS_CHECK)).scalars())


def _erase_whole(scope: Scope, db: Session, row: Entity) -> None:
    """Delete a record with its child records, and with those that became part of them."""
    _leave_tombstone(scope, db, row)
    parts = children(db, row, live=None)
    tombstones = [merged for part in parts for merged in _merged_into(db, part)]
    for gone in [*tombstones, *parts, row]:
        permit(db, gone, "purge")
        _erase(db, gone)
    db.flush()


def _leave_tombstone(scope: Scope, db: Session, row: Entity) -> None:
    """Write a tombstone, so that the number of the record is never given again."""
    number = row.label if type(row).named_by == "number" else None
    tombstone = Tombstone(for_module=row.module, record_id=row.id, number=number)
    tombstone.purged_at, tombstone.purged_by_id = scope.person.now, scope.person.id
    db.add(tombstone)


def _erase(db: Session, row: Entity) -> None:
    """Delete the row with its parts, and clear sibling references to it.  All of that is logged."""
    for other in ENTITIES:
        for column in pointing(other, type(row)):
            if is_sibling_reference(other, type(row), column):
                _clear_reference(db, other, column, row.id)
    for mapper in Part.__subclasses__():
        if inspect(mapper).relationships[mapper.part_of].mapper.class_ is type(row):
            mine = select(mapper).where(getattr(mapper, f"{mapper.part_of}_id") == row.id)
            for part in db.execute(mine, execution_options=bypass_policy(Because.FOLLOWS_CHECK)).scalars():
                db.delete(part)
    drop_files(db, row)
    if type(row) in GRANTEE_KINDS:
        for grant in grants():
            if not issubclass(grant, Entity):
                ended = delete_rows(grant).where(is_granted_to(grant, row))
                db.execute(ended, execution_options=bypass_policy(Because.FOLLOWS_CHECK))
    db.delete(row)


def _clear_reference(db: Session, other: type[Entity], column: Column[Any], id: int) -> None:
    referring = (
        db.execute(select(other).where(column == id), execution_options=bypass_policy(Because.FOLLOWS_CHECK))
        .scalars()
        .all()
    )
    if referring:
        table: Any = other.__table__
        clearing = update(other).where(column == id).values({column.key: None, "version": table.c.version + 1})
        guarded_update(db, clearing, other, {row.id: {column.key: id, "label": row.label} for row in referring})
        for row in referring:
            db.expire(row)
