"""Contacts of customers: transfer, phones and addresses, and the primary contact."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from models import Contact, ContactPoint, Customer, Entity
from models.audit.recording import guarded_update
from models.choice_names import choice_said
from models.contact import PointKind, key_of
from models.database.bypass import Because, bypass_policy
from models.errors import ShareFirst, TooMany, Validation
from policies import Facts, Principal, Snapshot

from ..access.explain import facts_of
from ..duplicates.enforcement import REASON, refuse_duplicate_contact, refuse_duplicate_restored, traits_before
from ..people.people import active_user
from ..reading.clauses import visible, with_parents
from ..runtime import principals
from ..runtime.gathering import Gathering
from ..runtime.ids import global_id
from ..runtime.inputs import line, not_offered, refused, required
from ..runtime.lifecycle import Rules, is_new
from ..runtime.points import check_point as check_point
from ..runtime.scope import Scope

MOST_POINTS = 20


class Point(NamedTuple):
    """A phone number, an e-mail address or another way to reach a contact, with its kind."""

    kind: PointKind
    value: str


class ContactRules(Rules[Contact]):
    """A customer has at most one primary contact: making one primary takes the mark from the other."""

    extra_inputs: ClassVar[frozenset[str]] = frozenset({"points", REASON})

    def check(self, scope: Scope, db: Session, row: Contact, values: dict[str, Any]) -> None:
        if is_new(row) and values.get("owner_id") is not None:
            check_looks_after(scope, db, values["owner_id"], row.customer_id)
        if values.get("is_primary"):
            _demote_primary(db, row)

    def prepare(self, scope: Scope, db: Session, values: dict[str, Any], extra: dict[str, Any]) -> None:
        points_given(extra.get("points") or ())

    def created(self, scope: Scope, db: Session, row: Contact, extra: dict[str, Any]) -> None:
        set_points(db, row, extra.get("points") or ())
        refuse_duplicate_contact(scope, db, row, extra.get(REASON))

    def changed(self, scope: Scope, db: Session, row: Contact, before: dict[str, Any], extra: dict[str, Any]) -> None:
        was = traits_before(db, row, before) if "points" in extra or "name" in before else None
        are_changed = "points" in extra and set_points(db, row, extra["points"] or ())
        if was is not None:
            refuse_duplicate_contact(scope, db, row, extra.get(REASON), was)
        if are_changed:
            note_points(db, row, before)

    def restored(self, scope: Scope, db: Session, row: Contact) -> None:
        refuse_duplicate_restored(scope, db, row)
        if row.is_primary and _primary_of(db, row.customer_id, but=row.id) is not None:
            row.is_primary = False


def note_points(db: Session, row: Contact, before: Mapping[str, Any]) -> None:
    """Let a contact whose points have changed be a changed record, though no column of its own has."""
    if all(getattr(row, key) == value for key, value in before.items()):
        flag_modified(row, "updated_at")
        db.flush()


def check_looks_after(
    scope: Scope,
    db: Session,
    user_id: int,
    customer_id: int,
    *,
    field: str = "ownerId",
    model: type[Entity] = Contact,
) -> int:
    """The id of the user, who is active, sees the customer, and may work with a record of `model` at it.

    Raises NotFound, ShareFirst, Validation.

    A user never becomes the owner of a record of a customer that they cannot see.  Of a customer whom the caller cannot
    see nothing is said here: the write guard refuses the reference.
    """
    assignee = active_user(scope, db, user_id)
    if assignee.id == scope.person.id or not _is_seen(db, customer_id):
        return assignee.id
    if not scope.backend.may_see(db, assignee.id, Customer, customer_id):
        raise ShareFirst(assignee.name, global_id(Customer, customer_id), field=field)
    person, customer = (
        principals.by_id(db.connection(), assignee.id, scope.person.now),
        facts_of_customer(scope, db, customer_id),
    )
    if not looks_after(scope.policy, person, customer, model):
        raise Validation(
            f"{assignee.name} may not work with {model.names.nouns} at this customer.",
            f"{assignee.name} 无权处理该客户的{model.names.zh}。",
            field=field,
        )
    return assignee.id


def _is_seen(db: Session, customer_id: int) -> bool:
    return db.execute(select(Customer.id).where(Customer.id == customer_id)).first() is not None


def looks_after(policy: Snapshot, person: Principal, customer: Facts, model: type[Entity] = Contact) -> bool:
    """Whether a user sees the customer and may change a record of `model` at it that they own."""
    own = replace(customer, owner_id=person.id, created_by_id=person.id, deleted=False)
    return policy.may(person, "view", Customer.module, customer) and policy.may(person, "edit", model.module, own)


def facts_of_customer(scope: Scope, db: Session, customer_id: int) -> Facts:
    return facts_of(db, Customer, customer_id, scope.person) or Facts()


def points_of(scope: Scope, db: Session, contact_ids: Sequence[int]) -> dict[int, list[Point]]:
    """Contact id -> the phones and addresses that the caller may see, in their stored order.  One query."""
    viewer, e = scope.viewer, with_parents(ContactPoint)[1]
    statement = visible(viewer, ContactPoint, e.contact_id, e.kind, e.value).where(e.contact_id.in_(contact_ids))
    found: dict[int, list[Point]] = {}
    for contact_id, kind, value in db.execute(statement.order_by(e.contact_id, e.position)):
        found.setdefault(contact_id, []).append(Point(kind, value))
    return found


# --- phones and addresses --------------------------------------------------------------------------------


def set_points(db: Session, contact: Contact, given: Iterable[dict[str, Any]]) -> bool:
    """Replace the phones and addresses of a contact by these, in this order; returns whether that changed anything.

    The first one of a kind is the main one.
    """
    wanted = points_given(given)
    points = db.execute(
        select(ContactPoint).where(ContactPoint.contact_id == contact.id),
        execution_options=bypass_policy(Because.FOLLOWS_CHECK),
    ).scalars()
    have = {(point.kind, point.value): point for point in points}
    for gone in have.keys() - set(wanted):
        db.delete(have[gone])
    for position, (kind, value) in enumerate(wanted):
        point = have.get((kind, value)) or ContactPoint(contact_id=contact.id, kind=kind, value=value)
        point.value_key, point.position = key_of(kind, value), position
        db.add(point)
    is_new = bool(db.deleted or db.new or any(db.is_modified(point) for point in have.values()))
    db.flush()
    return is_new


def points_given(given: Iterable[dict[str, Any]]) -> list[tuple[PointKind, str]]:
    """The phones and addresses of a request.  Raises Validation, which carries what is wrong with each of them."""
    given, wanted, found = [*given], [], Gathering()
    if len(given) > MOST_POINTS:
        raise refused(TooMany, "points", max=MOST_POINTS)
    for place, item in enumerate(given):
        try:
            wanted.append(_point(item))
            _refuse_repeated(wanted)
        except Validation as refusal:
            found.note(refusal.at(place, *refusal.below or ("value",)))
    found.settle()
    return wanted


def _refuse_repeated(points: Sequence[tuple[PointKind, str]]) -> None:
    """Raise Validation for the last one where it stands twice, written in the same way or another."""
    kind, value = points[-1]
    if (kind, key_of(kind, value)) in {(kind, key_of(kind, value)) for kind, value in points[:-1]}:
        raise Validation(
            f"“{value}” is there already; leave it out once.", f"“{value}”重复，请删除一个。", field="points"
        )


def _point(item: dict[str, Any]) -> tuple[PointKind, str]:
    try:
        kind = PointKind(item.get("kind", ""))
    except ValueError:
        raise not_offered("points", [choice_said(kind) for kind in PointKind]).at("kind") from None
    value = line(item.get("value"), "points")
    if value is None:
        raise required("points")
    check_point(kind, value)
    return kind, value


def _demote_primary(db: Session, row: Contact) -> None:
    """Take the mark from the former primary contact before the new one is written: the database allows one at a time."""
    other = _primary_of(db, row.customer_id, but=row.id)
    if other is None:
        return
    table, user_id = Contact.__table__, db.info["principal"].id
    demoting = update(Contact).where(table.c.id == other.id)
    demoting = demoting.values(
        is_primary=False, version=table.c.version + 1, updated_at=db.info["now"], updated_by_id=user_id
    )
    guarded_update(db, demoting, Contact, {other.id: {"is_primary": True, "label": other.label}})
    db.expire(other)


def with_primary(db: Session, customer_ids: Collection[int]) -> set[int]:
    """Those among these customers that have a primary contact."""
    primary = select(Contact.customer_id).where(
        Contact.customer_id.in_(customer_ids), Contact.is_primary, Contact.deleted_at.is_(None)
    )
    return set(db.execute(primary, execution_options=bypass_policy(Because.KEEPS_RULE)).scalars())


def _primary_of(db: Session, customer_id: int | None, *, but: int | None) -> Contact | None:
    primary = select(Contact).where(
        Contact.customer_id == customer_id, Contact.is_primary, Contact.deleted_at.is_(None), Contact.id != (but or 0)
    )
    return db.execute(primary, execution_options=bypass_policy(Because.KEEPS_RULE)).scalar_one_or_none()
