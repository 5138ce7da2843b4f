"""Which records the rows of an import change: found by the key that its user has chosen, among what they see."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models import Contact, ContactPoint, Customer, Entity
from models.contact import PointKind, key_of
from models.errors import Refusal
from models.keys import keys_of
from models.text import fold, name_key

from ..runtime.inputs import invalid
from ..runtime.scope import Scope
from .row_values import RowValues
from .targets import Target

Key = tuple[str, ...]


def find_existing(
    scope: Scope, db: Session, target: Target, key: Key, rows: Sequence[RowValues]
) -> list[int | Refusal | None]:
    """For each row the one record with its key, None where there is none, or a refusal where several have it.

    One statement.  Records in the bin, and those that the caller does not see, are not there.
    """
    wanted = [_given(key, row) for row in rows]
    complete = [each for each in wanted if None not in each]
    found = _by_key(scope, db, target.model, key, complete) if complete else {}
    return [None if None in each else _one(key, found.get(each, ())) for each in wanted]


def _given(key: Key, row: RowValues) -> tuple[Any, ...]:
    """The key as a row gives it, compared without case and width."""
    return tuple(_folded(_value(name, row)) for name in key)


def _value(name: str, row: RowValues) -> Any:
    kind = {"phone": PointKind.PHONE, "email": PointKind.EMAIL}.get(name)
    if name not in row.values and kind is not None:
        points = row.values.get("points") or ()
        return next((point["value"] for point in points if point["kind"] == kind), None)
    return row.values.get(name)


def _folded(value: Any) -> Any:
    return fold(value) if isinstance(value, str) else value


def _one(key: Key, ids: Sequence[int]) -> int | Refusal | None:
    if len(ids) > 1:
        return invalid(
            key[-1], f"belongs to {len(ids)} records: choose another key", f"对应 {len(ids)} 条记录，请选择其他查找列"
        )
    return ids[0] if ids else None


def _by_key(
    scope: Scope, db: Session, model: type[Entity], key: Key, wanted: Sequence[tuple[Any, ...]]
) -> Mapping[tuple[Any, ...], Sequence[int]]:
    columns = [_column(scope, model, name) for name in key]
    narrow = [_narrowed(model, name, {each[at] for each in wanted}) for at, name in enumerate(key)]
    asked = select(model.id, *columns).where(model.deleted_at.is_(None), *(x for x in narrow if x is not None))
    if model is Contact and set(key) & {"phone", "email"}:
        return _by_point(db, key, wanted)
    found: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for id, *values in db.execute(asked):
        found[tuple(_folded(value) for value in values)].append(id)
    return found


def _column(scope: Scope, model: type[Entity], name: str) -> Any:
    """The column as the caller sees it; a hidden value finds nothing."""
    return scope.viewer.value(model, model, name) if name in model.__table__.c else model.id


def _narrowed(model: type[Entity], name: str, values: set[Any]) -> Any:
    """A condition that the database answers by an index; the comparison itself is that of folded texts."""
    columns: Any = model.__table__.c
    texts = {value for value in values if isinstance(value, str)}
    if name.endswith("_id"):
        return columns[name].in_(sorted(values))
    if model is Customer and name == "name":
        return columns["name_key"].in_(sorted({name_key(text) for text in texts}))
    for stored, source, made in keys_of(model):
        if source == name and stored in columns and name == "number":
            return columns[stored].in_(sorted({made(text) for text in texts}))
    if name in columns and model is Customer:
        return or_(columns[name].in_(sorted(texts)), columns[name].in_(sorted({text.upper() for text in texts})))
    return None


def _by_point(db: Session, key: Key, wanted: Sequence[tuple[Any, ...]]) -> Mapping[tuple[Any, ...], Sequence[int]]:
    """Contacts of a customer by a phone or an address."""
    kind = PointKind.PHONE if "phone" in key else PointKind.EMAIL
    keys = {(customer, key_of(kind, text)): (customer, text) for customer, text in wanted}
    asked = (
        select(Contact.id, Contact.customer_id, ContactPoint.value_key)
        .join(ContactPoint, ContactPoint.contact_id == Contact.id)
        .where(Contact.deleted_at.is_(None), ContactPoint.kind == kind)
        .where(Contact.customer_id.in_(sorted({customer for customer, _ in keys})))
        .where(ContactPoint.value_key.in_(sorted({text for _, text in keys})))
    )
    found: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for id, customer_id, value_key in db.execute(asked):
        if (named := keys.get((customer_id, value_key))) is not None and id not in found[named]:
            found[named].append(id)
    return found
