"""Which records the rows of an import change: found by the key that its user has chosen, among what they see."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
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
    wanted = [given_key(key, row) for row in rows]
    complete = [each for each in wanted if None not in each]
    phones = {said for row in rows if isinstance(said := row.values.get("phone"), str)}
    found = _by_key(scope, db, target.model, key, complete, phones) if complete else {}
    apart = _apart(db, target.model, rows, [found.get(each, ()) for each in wanted])
    return [None if None in each else _one(key, ids) for each, ids in zip(wanted, apart, strict=True)]


def given_key(key: Key, row: RowValues) -> tuple[Any, ...]:
    """The key as a row gives it, compared without case and width, phones by their digits; None for what it does not give."""
    return tuple(_compared(name, _value(name, row)) for name in key)


def _value(name: str, row: RowValues) -> Any:
    kind = _KINDS.get(name)
    if name not in row.values and kind is not None:
        points = row.values.get("points") or ()
        return next((point["value"] for point in points if point["kind"] == kind), None)
    return row.values.get(name)


def _compared(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    kind = _KINDS.get(name)
    return (key_of(kind, value) if kind else "") or fold(value)


_KINDS = {"phone": PointKind.PHONE, "email": PointKind.EMAIL}


def _one(key: Key, ids: Sequence[int]) -> int | Refusal | None:
    if len(ids) > 1:
        return invalid(
            key[-1], f"belongs to {len(ids)} records: choose another key", f"对应 {len(ids)} 条记录，请选择其他查找列"
        )
    return ids[0] if ids else None


def _apart(
    db: Session, model: type[Entity], rows: Sequence[RowValues], found: Sequence[Sequence[int]]
) -> list[Sequence[int]]:
    """Of namesakes among contacts the ones that have a phone or an address of the row.  One statement where there are any."""
    several = {id for ids in found if len(ids) > 1 for id in ids}
    if model is not Contact or not several:
        return [*found]
    asked = select(ContactPoint.contact_id, ContactPoint.kind, ContactPoint.value_key)
    held: dict[int, set[tuple[PointKind, str]]] = defaultdict(set)
    for id, kind, value_key in db.execute(asked.where(ContactPoint.contact_id.in_(sorted(several)))):
        held[id].add((kind, value_key))
    return [_with_a_point(ids, held, row) if len(ids) > 1 else ids for ids, row in zip(found, rows, strict=True)]


def _with_a_point(ids: Sequence[int], held: Mapping[int, set[tuple[PointKind, str]]], row: RowValues) -> Sequence[int]:
    """Those that have one of the points of a row; all of them where none, or a row without points, has."""
    points = {(point["kind"], key_of(point["kind"], point["value"])) for point in row.values.get("points") or ()}
    return [id for id in ids if held[id] & points] or ids


def _by_key(
    scope: Scope,
    db: Session,
    model: type[Entity],
    key: Key,
    wanted: Sequence[tuple[Any, ...]],
    phones: Collection[str],
) -> Mapping[tuple[Any, ...], Sequence[int]]:
    columns = [_column(scope, model, name) for name in key]
    narrow = [_narrowed(model, name, {each[at] for each in wanted}, phones) for at, name in enumerate(key)]
    asked = select(model.id, *columns).where(model.deleted_at.is_(None), *(x for x in narrow if x is not None))
    if model is Contact and set(key) & {"phone", "email"}:
        return _by_point(db, key, wanted)
    found: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for id, *values in db.execute(asked):
        found[tuple(_compared(name, value) for name, value in zip(key, values, strict=True))].append(id)
    return found


def _column(scope: Scope, model: type[Entity], name: str) -> Any:
    """The column as the caller sees it; a hidden value finds nothing."""
    return scope.viewer.value(model, model, name) if name in model.__table__.c else model.id


def _narrowed(model: type[Entity], name: str, values: set[Any], phones: Collection[str]) -> Any:
    """A condition that the database answers by an index; the comparison itself is that of folded texts.

    `phones`: as the rows spell them.
    """
    columns: Any = model.__table__.c
    texts = {value for value in values if isinstance(value, str)}
    if name.endswith("_id"):
        return columns[name].in_(sorted(values))
    if model is Customer and name == "name":
        return columns["name_key"].in_(sorted({name_key(text) for text in texts}))
    for stored, source, made in keys_of(model):
        if source == name and stored in columns and name == "number":
            return columns[stored].in_(sorted({made(text) for text in texts}))
    if model is Customer and name == "phone":
        return columns[name].in_(sorted({*phones, *(spelt for text in texts for spelt in _phone_spellings(text))}))
    if name in columns and model is Customer:
        return or_(columns[name].in_(sorted(texts)), columns[name].in_(sorted({text.upper() for text in texts})))
    return None


def _phone_spellings(digits: str) -> Iterator[str]:
    """The usual ways to write a phone with these digits, under which a customer may have it."""
    cuts = [(3, 7)] if len(digits) == 11 and digits.startswith("1") else [(3,), (4,)] if digits.startswith("0") else []
    yield digits
    for between in (" ", "-"):
        yield from (between.join(_parts(digits, cut)) for cut in cuts)
    if cuts == [(3, 7)]:
        yield from (f"{before}{digits}" for before in ("+86", "+86 ", "86", "0086"))


def _parts(text: str, cut: Sequence[int]) -> list[str]:
    return [text[start:end] for start, end in zip((0, *cut), (*cut, None), strict=True)]


def _by_point(db: Session, key: Key, wanted: Sequence[tuple[Any, ...]]) -> Mapping[tuple[Any, ...], Sequence[int]]:
    """Contacts of a customer by a phone or an address."""
    kind = PointKind.PHONE if "phone" in key else PointKind.EMAIL
    keys = {*wanted}
    asked = (
        select(Contact.id, Contact.customer_id, ContactPoint.value_key)
        .join(ContactPoint, ContactPoint.contact_id == Contact.id)
        .where(Contact.deleted_at.is_(None), ContactPoint.kind == kind)
        .where(Contact.customer_id.in_(sorted({customer for customer, _ in keys})))
        .where(ContactPoint.value_key.in_(sorted({text for _, text in keys})))
    )
    found: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for id, customer_id, value_key in db.execute(asked):
        if (named := (customer_id, value_key)) in keys and id not in found[named]:
            found[named].append(id)
    return found
