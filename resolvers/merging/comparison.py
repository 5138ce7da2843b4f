"""The comparison of customers that are to be merged: fields that differ, and which value stays unless another is chosen.

Fields are compared as far as the caller may see them.
Fields are the columns of the model that users set, so a new column is compared and merged by itself.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Contact, Customer, Entity
from models.base import columns, trait_of
from models.contact import PointKind, key_of
from models.custom_field import python_value
from models.errors import Validation
from models.text import fold

from ..customers.contacts import points_of
from ..records.custom_values import held_by
from ..records.field_rights import HIDDEN, open_fields
from ..runtime.ids import camel
from ..runtime.scope import Scope

PLACE = "owner"
"""The field that stands for the owner or the pool: both are kept from one customer."""
_NOT_COMPARED = {"is_primary", "customer_id", "owner_id", "pool_id", "number"}


@dataclass(frozen=True)
class Difference:
    """One field that differs: the value in each record that shows it, and the record whose value is proposed.

    `hidden`: the records whose value the caller may not see.  `choices`: the records whose value may be kept.
    """

    key: str
    values: Mapping[int, Any]
    hidden: frozenset[int]
    choices: tuple[int, ...]
    proposed: int


@dataclass(frozen=True)
class SamePerson:
    """Contacts of several customers that are one person: the first one stays."""

    ids: tuple[int, ...]
    customer_ids: tuple[int, ...]
    name: str
    differences: list[Difference] = field(default_factory=list)


@dataclass(frozen=True)
class Comparison:
    """What a merge of these customers, the winner first, would ask."""

    customers: Sequence[Customer]
    differences: list[Difference]
    people: list[SamePerson]
    numbers: Mapping[int, str | None]
    """Id -> number, None where the caller may not see it."""


def compare(scope: Scope, db: Session, customers: Sequence[Customer]) -> Comparison:
    """The comparison of customers on which the rights were checked, the winner first."""
    seen = {
        row.id: open_fields(
            scope, db, Customer, row.id, (*content(scope, Customer), "number", "owner_id", "pool_id"), ("view",)
        )
        for row in customers
    }
    numbers = {row.id: row.number if "number" in seen[row.id] else None for row in customers}
    found = [*_differences(scope, db, customers, seen), *_places(customers, seen)]
    return Comparison(customers, found, _people(scope, db, customers), numbers)


def content(scope: Scope, model: type[Entity]) -> list[str]:
    """The columns that users set, and that belong to the record itself; then its custom fields."""
    keys = [
        column.key
        for column in columns(model)
        if not (trait_of(column).system_managed or column.primary_key)
        and column.key not in _NOT_COMPARED
        and column.key not in HIDDEN
    ]
    return [*keys, *(x.word for x in scope.policy.book.all_of(model.module) if not x.is_converting)]


# --- fields ----------------------------------------------------------------------------------------------


def _differences(
    scope: Scope, db: Session, rows: Sequence[Entity], seen: Mapping[int, set[str]]
) -> Iterator[Difference]:
    """A difference for each field of which the caller sees at least two values that are not the same."""
    model, keys = type(rows[0]), content(scope, type(rows[0]))
    settable = open_fields(scope, db, model, rows[0].id, keys)
    for key in keys:
        values = {row.id: _value(scope, row, key) for row in rows if key in seen[row.id]}
        if len({_comparable(value) for value in values.values()}) > 1:
            hidden = frozenset(row.id for row in rows) - values.keys()
            yield _difference(key, values, hidden, rows[0].id, is_settable=key in settable)


def _value(scope: Scope, row: Entity, key: str) -> Any:
    custom = scope.policy.book.find(row.module, key)
    return held_by(row, key) if custom is None else python_value(custom.kind, held_by(row, key))


def _comparable(value: Any) -> Any:
    return str(value) if isinstance(value, dict | list) else value


def _difference(
    key: str, values: Mapping[int, Any], hidden: frozenset[int], winner: int, *, is_settable: bool
) -> Difference:
    """The winner's value is proposed, else the first that is filled; one that the caller may not set stays."""
    if not is_settable:
        return Difference(key, values, hidden, (winner,), winner)
    filled = (id for id, value in values.items() if value not in (None, "", False))
    return Difference(key, values, hidden, tuple(values), next(filled, winner))


def _places(customers: Sequence[Customer], seen: Mapping[int, set[str]]) -> Iterator[Difference]:
    """The owner or pool, where they differ.  A place that the caller may not see is not offered."""
    shown = {row.id: (row.owner_id, row.pool_id) for row in customers if {"owner_id", "pool_id"} <= seen[row.id]}
    if len(set(shown.values())) > 1:
        winner = customers[0].id
        hidden = frozenset(row.id for row in customers) - shown.keys()
        choices = tuple(shown) if winner in shown else (winner,)
        yield Difference(PLACE, shown, hidden, choices, winner)


# --- contacts --------------------------------------------------------------------------------------------


def _people(scope: Scope, db: Session, customers: Sequence[Customer]) -> list[SamePerson]:
    """The contacts that are one person, as far as the caller sees names, phones and addresses of both.

    Contacts of one customer are never taken for one another.
    """
    ids = [row.id for row in customers]
    asked = select(Contact).where(Contact.customer_id.in_(ids), Contact.deleted_at.is_(None))
    contacts = sorted(db.execute(asked).scalars(), key=lambda row: (ids.index(row.customer_id), row.id))
    groups = _grouped(contacts, _reached(scope, db, contacts), _names(scope, db, contacts))
    return [_person(scope, db, group) for group in groups]


def _names(scope: Scope, db: Session, contacts: Iterable[Contact]) -> dict[int, str]:
    """Id -> folded name, of the contacts whose name the caller sees and another customer has as well."""
    named: dict[str, list[Contact]] = {}
    for row in contacts:
        named.setdefault(fold(row.name), []).append(row)
    alike = [(name, row) for name, rows in named.items() if len({x.customer_id for x in rows}) > 1 for row in rows]
    return {row.id: name for name, row in alike if open_fields(scope, db, Contact, row.id, ["name"], ("view",))}


def _reached(scope: Scope, db: Session, contacts: Sequence[Contact]) -> dict[int, set[tuple[PointKind, str]]]:
    """Id -> the phones and addresses that the caller sees, as they are compared."""
    told = (PointKind.PHONE, PointKind.EMAIL)
    found = points_of(scope, db, [row.id for row in contacts])
    return {id: {(x.kind, key_of(x.kind, x.value)) for x in points if x.kind in told} for id, points in found.items()}


def _grouped(
    contacts: Sequence[Contact], reached: Mapping[int, set[tuple[PointKind, str]]], names: Mapping[int, str]
) -> list[list[Contact]]:
    """Contacts of one name that share a phone or an address with another of their group, one of each customer."""
    groups: list[list[Contact]] = []

    def is_in(group: Sequence[Contact], row: Contact) -> bool:
        shares = any(reached.get(x.id, set()) & reached.get(row.id, set()) for x in group)
        is_named_so = names[group[0].id] == names[row.id]
        return shares and is_named_so and row.customer_id not in {x.customer_id for x in group}

    for row in (row for row in contacts if row.id in names):
        group = next((group for group in groups if is_in(group, row)), None)
        groups.append([row]) if group is None else group.append(row)
    return [group for group in groups if len(group) > 1]


def _person(scope: Scope, db: Session, group: Sequence[Contact]) -> SamePerson:
    seen = {row.id: open_fields(scope, db, Contact, row.id, content(scope, Contact), ("view",)) for row in group}
    ids, customer_ids = tuple(row.id for row in group), tuple(row.customer_id for row in group)
    return SamePerson(ids, customer_ids, group[0].name, list(_differences(scope, db, group, seen)))


# --- choices ---------------------------------------------------------------------------------------------


def chosen(differences: Iterable[Difference], choices: Mapping[str, int]) -> dict[str, int]:
    """Field -> the record whose value stays.  Raises Validation for a choice that was not offered."""
    found = {x.key: x for x in differences}
    for key, id in choices.items():
        if key not in found or id not in found[key].choices:
            raise Validation(
                "Choose each value from what the preview offers; the records may have changed since.",
                "请从预览中给出的值里选择；记录可能已有变化，请重新预览。",
                field=camel(key),
            )
    return {key: choices.get(key, x.proposed) for key, x in found.items()}
