"""The recycle bin: delete as one batch with what hangs on a record, restore that batch, purge for good."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Column, Index, and_, func, inspect, select, update
from sqlalchemy.orm import Session

from models import ENTITIES, Entity, Part, Tombstone
from models.audit.entries import guarded_update
from models.base import LIVE, columns, trait_of
from models.database.bypass import Because, bypass_policy
from models.errors import InBin, InUse, NotDeleted, TakenMeanwhile, Validation

from ..runtime.batch import Mode, Outcome, each
from ..runtime.ids import camel, global_id
from ..runtime.inputs import line
from ..runtime.lifecycle import rules_of
from ..runtime.scope import Scope
from ..runtime.write_guard import permit

E = TypeVar("E", bound=Entity)


def delete(
    scope: Scope, model: type[E], ids: Sequence[int], mode: Mode = Mode.BEST_EFFORT, reason: str | None = None
) -> Outcome:
    """Move records to the bin, each with what hangs on it, as one batch that can be restored as one."""

    def work(db: Session, id: int) -> None:
        row = scope.load(db, model, id, to="delete")
        _refuse_the_only_one(model)
        _refuse_if_used(db, row, is_purge=False)
        rows: list[Entity] = [*_hanging(db, row, live=True), row]
        for part in rows:
            permit(db, part, "delete")
            part.deleted_at, part.deleted_by_id = scope.person.now, scope.person.id
            part.delete_batch_id = f"{scope.batch_id}-{id}"
        rules_of(model).deleted(scope, db, row)
        db.flush()

    return each(scope, f"{model.module}.delete", model, ids, mode, work, reason=line(reason, "reason"))


def restore(
    scope: Scope, model: type[E], ids: Sequence[int], mode: Mode = Mode.BEST_EFFORT, reason: str | None = None
) -> Outcome:
    """Bring records back from the bin, with all that went with them."""

    def work(db: Session, id: int) -> None:
        row = _from_the_bin(scope, db, model, id, to="restore")
        batch = row.delete_batch_id
        rows: list[Entity] = [row, *(part for part in _hanging(db, row, live=False) if part.delete_batch_id == batch)]
        _refuse_without_whole(db, row)
        for part in rows:
            _refuse_if_taken(db, part)
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
    mode: Mode = Mode.BEST_EFFORT,
    reason: str | None = None,
) -> Outcome:
    """Delete records of the bin for good.  Their log stays, and their numbers are never given again."""
    if not confirm:
        raise Validation("Purging cannot be undone; confirm it.", "永久删除无法恢复，请确认。", field="confirm")

    def work(db: Session, id: int) -> None:
        row = _from_the_bin(scope, db, model, id, to="purge")
        rules_of(model).purged(scope, db, row)
        _refuse_if_used(db, row, is_purge=True)
        _leave_tombstone(scope, db, row)
        rows: list[Entity] = [*_hanging(db, row, live=None), row]
        for part in rows:
            permit(db, part, "purge")
            _erase(db, part)
        db.flush()

    return each(scope, f"{model.module}.purge", model, ids, mode, work, reason=line(reason, "reason"))


# --- what hangs on a record ------------------------------------------------------------------------------


def children_of(model: type[Entity]) -> Iterator[tuple[type[Entity], str]]:
    """(entity that hangs on `model`, its foreign key): contacts, opportunities, follow-ups of a customer."""
    for child in ENTITIES:
        relation = child.cascades_with or child.visible_through
        if relation and inspect(child).relationships[relation].mapper.class_ is model:
            yield child, f"{relation}_id"


def _hanging(db: Session, row: Entity, *, live: bool | None) -> list[Entity]:
    """The records that hang on `row`: those alive, those in the bin, or all."""
    found: list[Entity] = []
    for child, key in children_of(type(row)):
        statement = select(child).where(getattr(child, key) == row.id)
        if live is not None:
            statement = statement.where(child.deleted_at.is_(None) if live else child.deleted_at.is_not(None))
        found += db.execute(
            statement.order_by(child.id), execution_options=bypass_policy(Because.FOLLOWS_CHECK)
        ).scalars()
    return found


# --- what stands in the way ------------------------------------------------------------------------------


def _refuse_the_only_one(model: type[Entity]) -> None:
    if model.singleton:
        raise Validation("There is only one of this; it stays.", "此项有且仅有一条，不能删除。")


def _refuse_if_used(db: Session, row: Entity, *, is_purge: bool) -> None:
    """Raise InUse while other records need this one: a pool with customers, a person with some.

    In the bin it may still be named by others there; only a purge asks about those too.
    """
    for other, column in _references_to(type(row)):
        used = select(func.count()).select_from(other).where(column == row.id)
        if not is_purge:
            used = used.where(other.deleted_at.is_(None))
        if count := db.execute(used, execution_options=bypass_policy(Because.KEEPS_RULE)).scalar_one():
            raise InUse(label=row.label, count=count, what=other.names, record_id=global_id(type(row), row.id))


def _references_to(model: type[Entity]) -> Iterator[tuple[type[Entity], Column[Any]]]:
    """Every column by which records need one of `model`: not what hangs on it, and not who did something."""
    hanging = {child for child, _ in children_of(model)}
    for other in ENTITIES:
        for column in _pointing(other, model) if other not in hanging else ():
            if not trait_of(column).historical and not _is_aside(other, model, column):
                yield other, column


def _pointing(other: type[Entity], model: type[Entity]) -> Iterator[Column[Any]]:
    for column in columns(other):
        if any(key.column.table is model.__table__ for key in column.foreign_keys):
            yield column


def _is_aside(other: type[Entity], model: type[Entity], column: Column[Any]) -> bool:
    """Whether a record merely mentions one that hangs on the same whole: a follow-up the contact it was with."""
    return bool(column.nullable and model.visible_through and other.visible_through == model.visible_through)


def _refuse_without_whole(db: Session, row: Entity) -> None:
    """Raise InBin when the record that this one hangs on is itself in the bin: it comes back with that one."""
    relation = type(row).cascades_with or type(row).visible_through
    if relation:
        model: type[Entity] = inspect(type(row)).relationships[relation].mapper.class_
        above = select(model).where(model.id == getattr(row, f"{relation}_id"))
        whole = db.execute(above, execution_options=bypass_policy(Because.KEEPS_RULE)).scalar_one()
        if whole.deleted_at is not None:
            raise InBin(label=whole.label, record_id=global_id(model, whole.id))


def _refuse_if_taken(db: Session, row: Entity) -> None:
    """Raise TakenMeanwhile when a living record has got the name that this one had."""
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
            taken = {"value": row.names.one, "value_zh": row.names.zh} if last.foreign_keys else {"value": held}
            record_id = global_id(type(row), row.id)
            raise TakenMeanwhile(field=camel(last.key), label=row.label, record_id=record_id, **taken)


def _ignores_the_bin(index: Index) -> bool:
    return str(index.dialect_options["sqlite"]["where"]) == str(LIVE["sqlite_where"])


# --- steps -----------------------------------------------------------------------------------------------


def _from_the_bin(scope: Scope, db: Session, model: type[E], id: int, *, to: str) -> E:
    """The record with every column: what the person sees of it is masked, what is done to it needs the whole."""
    row = scope.load(db, model, id, to=to)
    if row.deleted_at is None:
        raise NotDeleted(label=row.label)
    whole = select(model).where(model.id == id)
    return db.execute(
        whole, execution_options=bypass_policy(Because.FOLLOWS_CHECK, populate_existing=True)
    ).scalar_one()


def _leave_tombstone(scope: Scope, db: Session, row: Entity) -> None:
    """Leave a tombstone, so that the number is never given again."""
    number = row.label if type(row).named_by == "number" else None
    tombstone = Tombstone(for_module=row.module, record_id=row.id, number=number)
    tombstone.purged_at, tombstone.purged_by_id = scope.person.now, scope.person.id
    db.add(tombstone)


def _erase(db: Session, row: Entity) -> None:
    """Delete the row with its parts; who merely mentioned it does so no longer.  All of that is logged."""
    for other in ENTITIES:
        for column in _pointing(other, type(row)):
            if _is_aside(other, type(row), column):
                _forget(db, other, column, row.id)
    for mapper in Part.__subclasses__():
        if inspect(mapper).relationships[mapper.part_of].mapper.class_ is type(row):
            mine = select(mapper).where(getattr(mapper, f"{mapper.part_of}_id") == row.id)
            for part in db.execute(mine, execution_options=bypass_policy(Because.FOLLOWS_CHECK)).scalars():
                db.delete(part)
    db.delete(row)


def _forget(db: Session, other: type[Entity], column: Column[Any], id: int) -> None:
    mentioning = (
        db.execute(select(other).where(column == id), execution_options=bypass_policy(Because.FOLLOWS_CHECK))
        .scalars()
        .all()
    )
    if mentioning:
        table: Any = other.__table__
        let_go = update(other).where(column == id).values({column.key: None, "version": table.c.version + 1})
        guarded_update(db, let_go, other, {row.id: {column.key: id, "label": row.label} for row in mentioning})
        for row in mentioning:
            db.expire(row)
