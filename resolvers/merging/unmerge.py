"""Undoing a merge: everything that still is as the merge left it goes back, and the rest is named."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.orm import Session

from models import Contact, ContactPoint, Customer, Entity, FormerName, MergeRecord, OwnershipPeriod
from models.audit.column_values import stored
from models.audit.entries import plain
from models.base import column_of
from models.custom_field import is_custom
from models.database.sqlalchemy_internals import former_values
from models.errors import Locked, Merged, NotFound, Validation
from models.names import Names
from models.search import refresh

from ..ownership.capacity import lock_capacities
from ..records.custom_values import held_by, may_come_back, put_into
from ..runtime.batch import Note
from ..runtime.ids import global_id
from ..runtime.inputs import line
from ..runtime.record_lookup import why_not
from ..runtime.scope import Scope
from ..runtime.write_guard import action_of, permit
from . import pairs, places
from .kept import Kept, KeptReason
from .merge import former_ids
from .moves import ENTITY_OF, TABLE_OF, hanging, siblings_of
from .statements import anew, run

MERGE = Names("Merge", "Merges", zh="合并")
_RECORD = MergeRecord.__table__.c
_PLACE = frozenset(places.KEYS)


@dataclass(frozen=True)
class Unmerge:
    """A merge that is undone: its id, the customer that had stayed, those that are whole again, and what stays as it is."""

    id: int
    winner_id: int
    restored_ids: list[int]
    kept: list[Note]


@dataclass
class _Undoing:
    """The undoing of one merge."""

    scope: Scope
    db: Session
    winner: Customer
    losers: Sequence[Customer]
    kept: list[Kept] = field(default_factory=list)

    @property
    def customers(self) -> list[Customer]:
        return [self.winner, *self.losers]


def unmerge(
    scope: Scope, *, merge_id: int | None = None, winner_id: int | None = None, reason: str | None = None
) -> Unmerge:
    """Undo a merge, or the last one of a customer; merges into one customer are undone in reverse order.

    What was changed since stays as it is.  Raises NotFound, Forbidden, Locked, InBin, Validation (undone already, or
    a later merge is in the way), CapacityReached.
    """
    reason = line(reason, "reason")
    with scope.write("customer.unmerge", reason) as db:
        known = _record(db, merge_id, winner_id)
        ids = [known.winner_id, *known.loser_ids]
        scope.hold(db, Customer, ids)
        lock_capacities(db, ids, None)
        winner = _winner(scope, db, known.winner_id)
        record = _record(db, known.id, None)
        _refuse_out_of_order(db, record)
        undoing = _Undoing(scope, db, winner, _customers(db, record.loser_ids))
        names = former_ids(db, ids)
        _undo(undoing, record.changes["notes"])
        _forget_names(db, former_ids(db, ids) - names)
        refresh(db, ids)
        _check_rights(undoing)
        told = [note for kept in undoing.kept for note in kept.notes(scope, db)]
        done: dict[str, Any] = {"undone_at": scope.person.now, "undone_by_id": scope.person.id}
        done["changes"] = {**record.changes, "kept": told}
        db.execute(update(MergeRecord).where(MergeRecord.id == record.id).values(**done))
        return Unmerge(record.id, winner.id, [row.id for row in undoing.losers], told)


# --- which merge -----------------------------------------------------------------------------------------


def _record(db: Session, merge_id: int | None, winner_id: int | None) -> Any:
    """The merge with this id, or the last one of a customer that is not undone.  Raises NotFound."""
    asked = select(MergeRecord.__table__).order_by(_RECORD.id.desc()).limit(1)
    if merge_id is not None:
        asked = asked.where(_RECORD.id == merge_id)
    else:
        asked = asked.where(_RECORD.winner_id == winner_id, _RECORD.undone_at.is_(None))
    found = db.execute(asked).first()
    if found is None:
        raise NotFound(what=MERGE, record_id=global_id(MergeRecord, merge_id) if merge_id else None)
    return found


def _winner(scope: Scope, db: Session, id: int) -> Customer:
    try:
        winner = scope.load(db, Customer, id, to="merge")
    except Merged as later:
        if later.params["winner"] is None:
            raise
        raise Validation(
            f"{later.params['label']} was merged into {later.params['winner']} later. Undo that merge first.",
            f"{later.params['label']} 之后又合并到 {later.params['winner']}，请先撤销那次合并。",
        ) from None
    if winner.is_locked(scope.person.now):
        raise Locked(label=winner.label, record_id=global_id(Customer, id))
    return winner


def _refuse_out_of_order(db: Session, record: Any) -> None:
    if record.undone_at is not None:
        raise Validation("This merge is undone already.", "该合并已撤销。")
    later = select(_RECORD.id).where(
        _RECORD.winner_id == record.winner_id, _RECORD.id > record.id, _RECORD.undone_at.is_(None)
    )
    if db.execute(later.limit(1)).first() is not None:
        raise Validation(
            "Others were merged into this customer later. Undo the last merge first.",
            "该客户之后又有其他合并，请先撤销最近一次合并。",
        )


def _customers(db: Session, ids: Sequence[int]) -> list[Customer]:
    asked = select(Customer).where(Customer.id.in_(ids)).order_by(Customer.id)
    return anew(db, asked)


def _check_rights(undoing: _Undoing) -> None:
    """Raise what `load` raises for a customer that, whole again, the caller may not merge."""
    scope, db = undoing.scope, undoing.db
    for row in undoing.losers:
        there, seen, may = scope.lookup(db, Customer, row.id, to="merge")
        if there is None or not seen:
            raise scope.denied(NotFound(what=Customer.names), Customer, row.id, "merge")
        if not may:
            raise scope.denied(why_not(scope.person, there, "merge"), Customer, row.id, "merge")


# --- undoing ---------------------------------------------------------------------------------------------


def _undo(undoing: _Undoing, notes: Sequence[Any]) -> None:
    db = undoing.db
    before, told_apart = [undoing.winner.owner_id], list[tuple[Any, Any]]()
    for row in undoing.customers:
        permit(db, row, action_of(db))
    with db.no_autoflush:  # a customer may have two primary contacts until all is in place
        for kind, table, id, what in reversed(notes):
            if kind == "made":
                _take_back(db, table, id, what)
            elif kind == "pair":
                told_apart.append((id, what))
            elif table in ENTITY_OF:
                _restore_record(undoing, ENTITY_OF[table], id, what)
            else:
                _restore_row(db, table, id, what)
        for row in undoing.losers:
            places.return_to_owner(undoing.scope, db, row)
            _keep_one_primary(undoing, row)
    db.flush()
    for pair, said in told_apart:
        pairs.take_back(db, pair, said)
    places.recount(db, before, [row.owner_id for row in undoing.customers])
    for row in undoing.customers:
        places.settle_period(undoing.scope, db, row)
    _part_siblings(undoing)
    db.flush()


def _restore_record(undoing: _Undoing, model: type[Entity], id: int, changes: Mapping[str, Any]) -> None:
    """Set the columns of a record back that still hold what the merge put there."""
    row = run(undoing.db, select(model).where(model.id == id)).scalar_one_or_none()
    if row is None:
        undoing.kept.append(Kept(model, id, KeptReason.PURGED))
        return
    permit(undoing.db, row, action_of(undoing.db))
    same = {
        key
        for key, (old, new) in changes.items()
        if plain(held_by(row, key)) == new and may_come_back(undoing.scope, model, key, old)
    }
    if not _PLACE.isdisjoint(changes) and not _PLACE & changes.keys() <= same and model is Customer:
        same -= _PLACE  # owner, pool and their times mean one thing together
    _permit_targets(undoing.db, model, [(key, changes[key][0]) for key in same])
    for key in same:
        put_into(row, key, changes[key][0] if is_custom(key) else stored(column_of(model, key), changes[key][0]))
    if changed := tuple(key for key in changes if key not in same):
        undoing.kept.append(Kept(model, id, KeptReason.CHANGED, changed))


def _permit_targets(db: Session, model: type[Entity], values: Sequence[tuple[str, Any]]) -> None:
    """Let a record point again to what it pointed to, whether or not the caller sees that."""
    for key, id in values:
        if is_custom(key):
            continue
        for foreign in column_of(model, key).foreign_keys:
            target = ENTITY_OF.get(foreign.column.table.name)
            asked = select(target).where(target.id == id) if target is not None and id is not None else None
            if asked is not None:
                found = run(db, asked).scalar_one_or_none()
                if found is not None:
                    permit(db, found, action_of(db))


def _restore_row(db: Session, name: str, id: int, changes: Mapping[str, Any]) -> None:
    """The same for a row of a table that is no entity: all of its columns, or none."""
    table = TABLE_OF[name]
    as_left = and_(*(_is(table.c[key], new) for key, (_old, new) in changes.items()))
    old = {key: stored(table.c[key], old) for key, (old, _new) in changes.items()}
    where = and_(table.c.id == id, as_left)
    if table is OwnershipPeriod.__table__ and old.get("ended", "") is None and _has_open_period(db, id):
        return
    run(db, update(table).where(where).values(**old))


def _is(column: Any, value: Any) -> Any:
    return column.is_(None) if value is None else column == stored(column, value)


def _has_open_period(db: Session, id: int) -> bool:
    """Whether the customer of this period has another owner by now."""
    table: Any = OwnershipPeriod.__table__
    of, other = table.alias(), table.alias()
    asked = select(other.c.id).join(of, of.c.customer_id == other.c.customer_id)
    asked = asked.where(of.c.id == id, other.c.ended_at.is_(None))
    return run(db, asked).first() is not None


def _take_back(db: Session, table: str, id: int, value: str) -> None:
    """Delete a row that the merge made, unless it holds something else by now."""
    if table == "former_name":
        _forget_names(db, {id})
        return
    asked = select(ContactPoint).where(ContactPoint.id == id, ContactPoint.value == value)
    point = run(db, asked).scalar_one_or_none()
    if point is not None:
        db.delete(point)


def _forget_names(db: Session, ids: set[int]) -> None:
    db.execute(delete(FormerName).where(FormerName.id.in_(ids)))


def _keep_one_primary(undoing: _Undoing, customer: Customer) -> None:
    """Of two primary contacts that go back to a customer, the one that was chosen since the merge stays primary."""
    found = [row for row in undoing.db if isinstance(row, Contact) and row.customer_id == customer.id]
    primary = [row for row in found if row.is_primary and row.deleted_at is None]
    primary.sort(key=lambda row: (not _was_primary(row), row.id))
    for row in primary[1:]:
        row.is_primary = False
        undoing.kept.append(Kept(Contact, row.id, KeptReason.CHANGED, ("is_primary",)))


def _was_primary(row: Contact) -> bool:
    """Whether a contact was a primary one, and no tombstone, before this undoing."""
    former = former_values(row)
    return bool(former.get("is_primary", row.is_primary)) and former.get("deleted_at", row.deleted_at) is None


# --- records of different customers ----------------------------------------------------------------------


def _part_siblings(undoing: _Undoing) -> None:
    """Clear references between records that now belong to different customers: both were made to fit since the merge."""
    db, ids = undoing.db, [row.id for row in undoing.customers]
    for model, row_id, key in [*_crossing(db, ids)]:
        asked = select(model).where(model.id == row_id)
        row = run(db, asked).scalar_one()
        permit(db, row, action_of(db))
        setattr(row, key, None)
        undoing.kept.append(Kept(model, row_id, KeptReason.PARTED, (key,)))


def _crossing(db: Session, ids: Sequence[int]) -> Iterator[tuple[type[Entity], int, str]]:
    """(entity, id, foreign key) of references from a record of one of these customers to one of another customer."""
    for target, owner in hanging():
        for model, column in siblings_of(target):
            here, there = model.__table__, target.__table__.alias()
            if owner.key not in here.c:
                continue
            asked = select(here.c.id).join(there, there.c.id == here.c[column.key])
            asked = asked.where(here.c[owner.key] != there.c[owner.key])
            asked = asked.where(or_(here.c[owner.key].in_(ids), there.c[owner.key].in_(ids))).order_by(here.c.id)
            for id in run(db, asked).scalars():
                yield model, id, column.key
