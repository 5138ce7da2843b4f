"""The duplicate check at save: a certain duplicate is entered only with a reason, and one of two that save at once wins."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import ARRAY, BigInteger, bindparam, func, select
from sqlalchemy.orm import Session

from models import Contact, Customer, Entity
from models.database.prepared import Prepared
from models.duplicate_key import CUSTOMER_TRAITS, customer_traits, traits_of_contacts
from models.duplicates import Finding, KeyKind, Traits, Verdict, kind_of
from models.errors import DuplicateFound, DuplicateRefused

from ..runtime.ids import global_id
from ..runtime.scope import Scope
from .check import told
from .lookup import find
from .told_apart import remember, told_apart_from

REASON = "duplicate_reason"
"""The extra input that says why a record is entered although one like it is there."""
_EXACT = (
    KeyKind.REGISTRATION,
    KeyKind.EMAIL,
    KeyKind.NAME,
    KeyKind.SOUND,
    KeyKind.PHONE,
    KeyKind.PERSON,
)
"""The keys for which two transactions wait for each other."""
_LOCK = Prepared(
    select(func.pg_advisory_xact_lock(func.unnest(bindparam("keys", type_=ARRAY(BigInteger)), type_=BigInteger)))
)


def refuse_duplicate_customer(
    scope: Scope, db: Session, row: Customer, extra: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> None:
    """Raise DuplicateFound, DuplicateRefused for a new customer, or one whose change makes it a duplicate.

    `before`: the former values of a customer that was changed.  `extra`: the inputs of a new one's contact.
    """
    if before is not None and all(getattr(row, key) == before.get(key, getattr(row, key)) for key in CUSTOMER_TRAITS):
        return
    asked = traits_of_new({key: getattr(row, key) for key in CUSTOMER_TRAITS}, extra)
    was = before and customer_traits(*(before.get(key, getattr(row, key)) for key in CUSTOMER_TRAITS))
    _refuse(scope, db, row, asked, was or None, extra.get(REASON))


def traits_of_new(values: Mapping[str, Any], extra: Mapping[str, Any]) -> Traits:
    """By what a new customer is compared: its own columns, and the inputs of the contact that comes with it."""
    own = customer_traits(*(values.get(key) for key in CUSTOMER_TRAITS))
    phones, emails = (tuple(filter(None, [extra.get(key)])) for key in ("contact_phone", "contact_email"))
    return Traits(own.name, own.phones + phones, own.emails + emails, own.registration)


def refuse_duplicate_contact(
    scope: Scope, db: Session, row: Contact, reason: str | None, was: Traits | None = None
) -> None:
    """The same for a contact, whose points are written already; `was`: its traits before the change."""
    asked = _traits(db, row)
    if asked != was:
        _refuse(scope, db, row, asked, was, reason)


def refuse_duplicate_restored(scope: Scope, db: Session, row: Customer | Contact) -> None:
    """The same for a record that comes back from the bin; the reason is that of the use case.

    Customers from which this one was told apart do not count.  The caller may not see the record, so nothing in it
    unmasks the name of another one.
    """
    asked = (
        _traits(db, row) if isinstance(row, Contact) else customer_traits(*(getattr(row, x) for x in CUSTOMER_TRAITS))
    )
    found = _certain(scope, db, row, asked)
    if isinstance(row, Customer):
        apart = {id for pair in told_apart_from(db, row.id) for id in pair}
        found = [x for x in found if x.that not in apart]
    _ask_for_reason(scope, db, row, Traits(), found, db.info["signature"].reason)


def traits_before(db: Session, row: Contact, before: Mapping[str, Any]) -> Traits:
    """The traits of a contact before a change of these columns, while its points are as they were."""
    return replace(_traits(db, row), name=before.get("name", row.name))


def _traits(db: Session, row: Contact) -> Traits:
    return next(traits for _, traits in traits_of_contacts(db, Contact.id == row.id))


def _refuse(scope: Scope, db: Session, row: Entity, asked: Traits, was: Traits | None, reason: str | None) -> None:
    found = _certain(scope, db, row, asked)
    if found and was is not None:
        known = {x.that for x in find(db, type(row), was, row.id) if x.verdict.is_certain}
        found = [x for x in found if x.that not in known]
    _ask_for_reason(scope, db, row, asked, found, reason)


def _certain(scope: Scope, db: Session, row: Entity, asked: Traits) -> list[Finding[int]]:
    """The certain duplicates."""
    hold_keys(scope, db, [asked])
    return [x for x in find(db, type(row), asked, row.id) if x.verdict.is_certain]


def hold_keys(scope: Scope, db: Session, asked: Iterable[Traits]) -> None:
    """Let whoever saves one of the same keys wait until this transaction ends."""
    if scope.backend.dialect == "postgresql":
        exact = {key for each in asked for key in each.hashed_keys if kind_of(key) in _EXACT}
        _LOCK.rows(db, keys=sorted(exact))


def _ask_for_reason(
    scope: Scope, db: Session, row: Entity, asked: Traits, found: list[Finding[int]], reason: str | None
) -> None:
    if found and not (reason and reason.strip() and not _is_final(found)):
        raise _refusal(scope, db, row, asked, found)
    if isinstance(row, Customer):
        remember(scope, db, ((row.id, x.that) for x in found), reason)


def _is_final(found: Iterable[Finding[int]]) -> bool:
    return any(x.verdict is Verdict.REFUSED for x in found)


def _refusal(
    scope: Scope, db: Session, row: Entity, asked: Traits, found: list[Finding[int]]
) -> DuplicateFound | DuplicateRefused:
    match = told(scope, db, type(row), asked, found)[0]
    kind = DuplicateRefused if _is_final(found) else DuplicateFound
    label = " ".join(filter(None, (match.number, match.name)))
    return kind(
        label=label,
        field="name",
        record_id=global_id(type(row), match.id) if match.id else None,
        count=len(found),
    )
