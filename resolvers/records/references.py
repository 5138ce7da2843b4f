"""References between records: child records, grants to a user, department or role, and what keeps a record in use."""

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Column, Select, and_, func, inspect, or_, select
from sqlalchemy.orm import Session

from models import ENTITIES, Base, Entity
from models.base import columns, trait_of
from models.database.bypass import Because, bypass_policy
from models.errors import InUse
from models.pool import GRANTEE_KINDS

from ..runtime.ids import global_id


def children_of(model: type[Entity]) -> Iterator[tuple[type[Entity], str]]:
    """(child entity of `model`, its foreign key): contacts, opportunities and follow-ups of a customer."""
    for child in ENTITIES:
        relation = child.cascades_with or child.visible_through
        if relation and inspect(child).relationships[relation].mapper.class_ is model:
            yield child, f"{relation}_id"


def children(db: Session, row: Entity, *, live: bool | None) -> list[Entity]:
    """The child records of `row` and its seats: those outside the bin, those in it, or (None) all."""
    found: list[Entity] = []
    for child, every in _statements(row):
        wanted = every.order_by(child.id)
        if live is not None:
            wanted = wanted.where(child.deleted_at.is_(None) if live else child.deleted_at.is_not(None))
        found += db.execute(wanted, execution_options=bypass_policy(Because.FOLLOWS_CHECK)).scalars()
    return found


def children_of_many(db: Session, model: type[Entity], ids: Collection[int]) -> Iterator[tuple[Entity, int]]:
    """(child record outside the bin, its parent) of these records, in the order of `children`, without grants."""
    for child, key in children_of(model):
        wanted = select(child).where(getattr(child, key).in_(ids), child.deleted_at.is_(None)).order_by(child.id)
        for found in db.execute(wanted, execution_options=bypass_policy(Because.FOLLOWS_CHECK)).scalars():
            yield found, getattr(found, key)


def live_parents(db: Session, model: type[Entity], ids: Collection[int]) -> set[int]:
    """Those among these records that have a child record outside the bin."""
    found: set[int] = set()
    for child, key in children_of(model) if ids else ():
        column = child.__table__.c[key]
        asked = select(column).where(column.in_(ids), child.__table__.c.deleted_at.is_(None)).distinct()
        found.update(db.execute(asked, execution_options=bypass_policy(Because.KEEPS_RULE)).scalars())
    return found


def touched_parents(db: Session, model: type[Entity], ids: Collection[int]) -> set[int]:
    """Those among these records of whose child records one came later than the record, or was changed or deleted."""
    found: set[int] = set()
    parent: Any = model.__table__.c
    for child, key in children_of(model) if ids else ():
        c: Any = child.__table__.c
        asked = select(c[key]).join_from(child.__table__, model.__table__, parent.id == c[key]).where(c[key].in_(ids))
        asked = asked.where(or_(c.created_at != parent.created_at, c.version != 1)).distinct()
        found.update(db.execute(asked, execution_options=bypass_policy(Because.KEEPS_RULE)).scalars())
    return found


def _statements(row: Entity) -> Iterator[tuple[type[Entity], Select[Any]]]:
    for child, key in children_of(type(row)):
        yield child, select(child).where(getattr(child, key) == row.id)
    for grant in grants():
        if issubclass(grant, Entity) and type(row) in GRANTEE_KINDS:
            yield grant, select(grant).where(is_granted_to(grant, row))


def grants() -> Iterator[type[Base]]:
    """The tables that grant something to a user, a department or a role: seats in pools, and shares."""
    for mapper in Base.registry.mappers:
        if "grantee_id" in mapper.columns:
            yield mapper.class_


def is_granted_to(grant: type[Base], row: Entity) -> Any:
    """The condition of grants to this user, department or role."""
    table: Any = grant.__table__
    return and_(table.c.grantee_kind == GRANTEE_KINDS[type(row)], table.c.grantee_id == row.id)


# --- in use ----------------------------------------------------------------------------------------------


def refuse_if_used(db: Session, row: Entity, *, is_purge: bool) -> None:
    """Raise InUse while other records refer to this one: a pool with customers, a user who owns some.

    References from records in the bin count for a purge only.
    """
    for other, column in _references_to(type(row)):
        refuse_if_any(db, row, other, column == row.id, is_purge=is_purge)


def used_among(db: Session, model: type[Entity], ids: Collection[int]) -> set[int]:
    """Those among these records that `refuse_if_used` refuses to move to the bin.  One query for each kind of reference."""
    used: set[int] = set()
    for other, column in _references_to(model):
        found = select(column).where(column.in_(ids), other.deleted_at.is_(None)).distinct()
        used.update(db.execute(found, execution_options=bypass_policy(Because.KEEPS_RULE)).scalars())
    return used


def refuse_if_any(db: Session, row: Entity, other: type[Entity], condition: Any, *, is_purge: bool) -> None:
    """Raise InUse while records of `other` meet the condition, which says that they use `row`."""
    used = select(func.count()).select_from(other).where(condition)
    if not is_purge:
        used = used.where(other.deleted_at.is_(None))
    if count := db.execute(used, execution_options=bypass_policy(Because.KEEPS_RULE)).scalar_one():
        raise InUse(label=row.label, count=count, what=other.names, record_id=global_id(type(row), row.id))


def _references_to(model: type[Entity]) -> Iterator[tuple[type[Entity], Column[Any]]]:
    """(entity, column) of every reference that keeps a record of `model`.

    References of child records, of history (`created_by_id`) and between siblings do not count.
    """
    own = {child for child, _ in children_of(model)}
    for other in ENTITIES:
        for column in pointing(other, model) if other not in own else ():
            if not trait_of(column).historical and not is_sibling_reference(other, model, column):
                yield other, column


def pointing(other: type[Entity], model: type[Entity]) -> Iterator[Column[Any]]:
    """The foreign keys of `other` that point to `model`."""
    for column in columns(other):
        if any(key.column.table is model.__table__ for key in column.foreign_keys):
            yield column


def is_sibling_reference(other: type[Entity], model: type[Entity], column: Column[Any]) -> bool:
    """Whether an optional reference points to a record of the same parent: a follow-up to its contact."""
    return bool(column.nullable and model.visible_through and other.visible_through == model.visible_through)
