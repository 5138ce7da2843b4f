"""The use cases that every entity has: create, update, delete, restore, purge.

What an entity adds of its own is in its `Rules`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, func, inspect, select
from sqlalchemy.orm import Session

from models import ENTITIES, Entity, Tombstone
from models.audit import UNWALLED
from models.base import columns
from models.errors import Forbidden, InUse, NotDeleted, Validation

from .batch import Mode, Outcome, each
from .names import camel, global_id, noun
from .rules import rules_of
from .scope import Scope
from .dictionaries import check_words
from .values import clean, require
from .walls import grant

E = TypeVar("E", bound=Entity)


def create(scope: Scope, model: type[E], given: Mapping[str, Any]) -> E:
    """Make a record.  `given` are column values and the extras that the entity's rules take.

    Raises Forbidden, Validation, Duplicate, NotFound (a reference), CapacityReached and what the rules add.
    """
    rules = rules_of(model)
    with scope.write(f"{model.module}.create") as db:
        scope.allow("create", model.module)
        values, extra = _split(model, given, creating=True)
        rules.prepare(scope, db, values, extra)
        require(model, values)
        check_words(db, model, values)
        row = model(**values)
        with db.no_autoflush:
            rules.check(scope, db, row, values)
        db.add(row)
        try:
            db.flush()
        except Forbidden as refusal:
            raise scope.denied(refusal, None, None, "create", module=model.module) from None
        rules.created(scope, db, row, extra)
        return row


def update(scope: Scope, model: type[E], id: int, given: Mapping[str, Any], version: int | None = None) -> E:
    """Change the given fields of a record and nothing else.

    Raises NotFound, Forbidden, Locked, InBin, Conflict (stale `version`), Validation, Duplicate.
    """
    rules = rules_of(model)
    with scope.write(f"{model.module}.edit") as db:
        row = scope.load(db, model, id, to="edit", version=version)
        values, extra = _split(model, given, creating=False)
        _check_fields(scope, db, row, {*values, *extra})
        check_words(db, model, values)
        before = {key: getattr(row, key) for key in values}
        for key, value in values.items():
            setattr(row, key, value)
        with db.no_autoflush:
            rules.check(scope, db, row, values)
        try:
            db.flush()
        except Forbidden as refusal:
            raise scope.denied(refusal, model, id, "edit") from None
        rules.changed(scope, db, row, before, extra)
        return row


def delete(
    scope: Scope, model: type[E], ids: Sequence[int], mode: Mode = Mode.BEST_EFFORT, reason: str | None = None
) -> Outcome:
    """Move records to the bin, each with what hangs on it, as one batch that can be restored as one."""

    def work(db: Session, id: int) -> None:
        row = scope.load(db, model, id, to="delete")
        _refuse_if_used(db, row)
        for part in (*_hanging(db, row, live=True), row):
            grant(db, part, "delete")
            part.deleted_at, part.deleted_by_id = scope.person.now, scope.person.id
            part.delete_batch_id = f"{scope.batch_id}-{id}"
        rules_of(model).deleted(scope, db, row)
        db.flush()

    return each(scope, f"{model.module}.delete", model, ids, mode, work, reason=reason)


def restore(
    scope: Scope, model: type[E], ids: Sequence[int], mode: Mode = Mode.BEST_EFFORT, reason: str | None = None
) -> Outcome:
    """Bring records back from the bin, with all that went with them."""

    def work(db: Session, id: int) -> None:
        row = scope.load(db, model, id, to="restore")
        if row.deleted_at is None:
            raise NotDeleted(label=row.label)
        batch = row.delete_batch_id
        parts = [part for part in _hanging(db, row, live=False) if part.delete_batch_id == batch]
        for part in (row, *parts):
            grant(db, part, "restore")
            part.deleted_at = part.deleted_by_id = part.delete_batch_id = None
        rules_of(model).restored(scope, db, row)
        db.flush()

    return each(scope, f"{model.module}.restore", model, ids, mode, work, reason=reason)


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
        row = scope.load(db, model, id, to="purge")
        if row.deleted_at is None:
            raise NotDeleted(label=row.label)
        _bury(scope, db, row)
        rules_of(model).purged(scope, db, row)
        for part in _hanging(db, row, live=None):
            grant(db, part, "purge")
            db.delete(part)
        # The masked row lacks columns; its log entry wants every last value, and only the house sees those here.
        whole = db.execute(
            select(model).where(model.id == id), execution_options={**UNWALLED, "populate_existing": True}
        ).scalar_one()
        grant(db, whole, "purge")
        db.delete(whole)
        db.flush()

    return each(scope, f"{model.module}.purge", model, ids, mode, work, reason=reason)


# --- steps -----------------------------------------------------------------------------------------------


def _split(model: type[Entity], given: Mapping[str, Any], *, creating: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """(values for columns, extras for the rules)."""
    extras = rules_of(model).extras
    extra = {key: value for key, value in given.items() if key in extras}
    values = clean(model, {key: value for key, value in given.items() if key not in extras}, creating=creating)
    return values, extra


def _check_fields(scope: Scope, db: Session, row: Entity, keys: set[str]) -> None:
    """Raise Forbidden for a field that the person may not see or not edit in this record.  One query at most."""
    model = type(row)
    clauses: dict[str, ColumnElement[bool]] = {}
    for key in sorted(keys):
        field = key.removesuffix("_id")
        for action in ("view", "edit"):
            clause = scope.policy.guard(scope.person, model, field, model.__table__.c, action)
            if clause is not None:
                clauses[f"{field}__{action}"] = clause
    if not clauses:
        return
    question = select(*(clause.label(name) for name, clause in clauses.items())).where(model.__table__.c.id == row.id)
    answer = db.execute(question, execution_options=UNWALLED).one()
    for name, allowed in answer._mapping.items():  # noqa: SLF001  the public way to a row's names
        if not allowed:
            field = name.rpartition("__")[0]
            refusal = Forbidden(action=f"{model.module}.{field}", field=camel(field))
            raise scope.denied(refusal, model, row.id, "edit")


def children_of(model: type[Entity]) -> Iterator[tuple[type[Entity], str]]:
    """(entity that hangs on `model`, its foreign key): contacts, opportunities, follow-ups of a customer."""
    for child in ENTITIES:
        if child.through and inspect(child).relationships[child.through].mapper.class_ is model:
            yield child, f"{child.through}_id"


def _hanging(db: Session, row: Entity, *, live: bool | None) -> list[Entity]:
    """The records that hang on `row`: those alive, those in the bin, or all."""
    found: list[Entity] = []
    for child, key in children_of(type(row)):
        statement = select(child).where(getattr(child, key) == row.id)
        if live is not None:
            statement = statement.where(child.deleted_at.is_(None) if live else child.deleted_at.is_not(None))
        found += db.execute(statement.order_by(child.id), execution_options=UNWALLED).scalars()
    return found


def _refuse_if_used(db: Session, row: Entity) -> None:
    """Raise InUse when live records point to `row` that do not hang on it: a pool with customers, a person with some."""
    own = {child for child, _ in children_of(type(row))}
    for other in ENTITIES:
        for column in columns(other):
            points_here = any(key.column.table is type(row).__table__ for key in column.foreign_keys)
            if other in own or not points_here or column.key in _WHO:
                continue
            used = select(func.count()).select_from(other).where(column == row.id, other.deleted_at.is_(None))
            if count := db.execute(used, execution_options=UNWALLED).scalar_one():
                raise InUse(label=row.label, count=count, what=noun(other), record_id=global_id(type(row), row.id))


_WHO = {"created_by_id", "updated_by_id", "deleted_by_id", "locked_by_id"}
"""Columns that only say who did something: they never keep anybody from leaving."""


def _bury(scope: Scope, db: Session, row: Entity) -> None:
    """Leave a tombstone, so that the number is never given again."""
    number = row.label if type(row).named_by == "number" else None
    db.add(
        Tombstone(
            for_module=row.module,
            record_id=row.id,
            number=number,
            purged_at=scope.person.now,
            purged_by_id=scope.person.id,
        )
    )
