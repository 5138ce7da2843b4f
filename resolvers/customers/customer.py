"""Rules of customers: number, owner or pool, capacity, ownership period and primary contact."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Approval, Contact, ContactPoint, Customer, Organisation, Pool, User
from models.contact import PointKind, key_of
from models.database.bypass import Because, bypass_policy
from models.errors import InBin, Validation
from models.ownership import Began, Ended

from ..duplicates.enforcement import REASON, refuse_duplicate_customer, refuse_duplicate_restored
from ..ownership.capacity import lock_capacities, release_capacities, reserve_capacity
from ..ownership.periods import begin, end_all
from ..people.people import active_user
from ..records.numbering import accept, next_number, pattern_of
from ..runtime.form_terms import FormTerms, given
from ..runtime.gathering import Gathering
from ..runtime.ids import global_id
from ..runtime.inputs import line, required
from ..runtime.lifecycle import Rules
from ..runtime.scope import Scope
from ..runtime.write_guard import is_import, permit_create
from .approval import is_asked_for, pending, tell_approvers, wait_again
from .contacts import check_point
from .stages import check_customer, needed_in_stages

_CONTACT = ("contact_name", "contact_phone", "contact_email", "contact_title")


class CustomerRules(Rules[Customer]):
    """A new customer gets a number, an owner or a pool, and its primary contact.

    Capacity and ownership period of an owned customer end with its deletion and begin again with its return.
    """

    extra_inputs: ClassVar[frozenset[str]] = frozenset((*_CONTACT, REASON))
    create_only_inputs: ClassVar[frozenset[str]] = frozenset(_CONTACT)
    form: ClassVar[FormTerms] = FormTerms(
        required_when={"contact_name": given("contact_phone", "contact_email", "contact_title")},
        excluding=(("owner_id", "pool_id"),),
        mine=frozenset({"owner_id"}),
    )

    def form_terms(self, scope: Scope, db: Session) -> FormTerms:
        needed = ("contact_name", "contact_phone") if contact_is_needed(db) else ()
        return self.form.needing(needed, needed_in_stages(scope, db, Customer))

    def prepare(self, scope: Scope, db: Session, values: dict[str, Any], extra: dict[str, Any]) -> None:
        found = Gathering()
        with found.noting():
            place(scope, values, partial(active_user, scope, db), partial(check_open, db))
        with found.noting():
            check_contact(extra, is_needed=contact_is_needed(db))
        with found.noting():
            self._number(scope, db, values, extra)
        found.settle()
        if is_asked_for(scope, db):
            values.update(pending(scope))

    def _number(self, scope: Scope, db: Session, values: dict[str, Any], extra: dict[str, Any]) -> None:
        if values.get("number"):
            values["number"], extra["notice"] = accept(db, "customer", values["number"])
        else:
            values["number"] = next_number(scope, db, "customer")
        values["number_order"] = pattern_of(db, "customer").order(values["number"])

    def check(self, scope: Scope, db: Session, row: Customer, values: dict[str, Any]) -> None:
        check_reach(values)
        check_customer(scope, db, row, values)

    def created(self, scope: Scope, db: Session, row: Customer, extra: dict[str, Any]) -> None:
        refuse_duplicate_customer(scope, db, row, extra)
        if extra.get("notice"):
            row.notices.append(extra["notice"])
        if row.owner_id is not None:
            reserve_capacity(db, active_user(scope, db, row.owner_id))
            begin(db, row, began_by(db), scope.person.now)
        else:
            scope.tell(db, f"pool:{row.pool_id}", row.id)
        if extra.get("contact_name"):
            _add_contact(db, row, extra)
        if row.approval is Approval.PENDING and not is_import(db):
            tell_approvers(scope, db, row)

    def changed(self, scope: Scope, db: Session, row: Customer, before: dict[str, Any], extra: dict[str, Any]) -> None:
        refuse_duplicate_customer(scope, db, row, extra, before)

    def lock_first(self, db: Session, ids: Sequence[int], assignee_id: int | None) -> None:
        """Lock the capacity counters of the owners and of the assignee, in the order of user ids."""
        lock_capacities(db, ids, assignee_id)

    def deleted(self, scope: Scope, db: Session, row: Customer) -> None:
        self.deleted_all(scope, db, [row])

    def deleted_all(self, scope: Scope, db: Session, rows: Sequence[Customer]) -> None:
        owners = {row.id: row.owner_id for row in rows if row.owner_id is not None}
        for row in rows:
            if row.id in owners:
                row.locked_by_id = row.locked_at = row.lock_reason = row.lock_expires_at = None
            else:
                scope.tell(db, f"pool:{row.pool_id}", row.id)
        end_all(db, dict.fromkeys(owners), Ended.DELETE, scope.person.now)
        release_capacities(db, Counter(owners.values()))

    def restored(self, scope: Scope, db: Session, row: Customer) -> None:
        """Give the customer back to its owner, or to the caller when that user has left meanwhile.

        The days of release rules begin anew, because nobody could work on it in the bin.  One that waits for approval
        goes on waiting: its new owner has submitted it then, so another user decides.
        """
        refuse_duplicate_restored(scope, db, row)
        if row.owner_id is not None:
            former = row.owner_id
            owner = active_user(scope, db, former if is_active(db, former) else scope.me)
            row.owner_id, row.department_id = owner.id, owner.department_id
            row.exempt_until = scope.person.now
            reserve_capacity(db, owner)
            begin(db, row, Began.RESTORE, scope.person.now)
            if owner.id != former and row.approval is Approval.PENDING:
                wait_again(scope, db, row)
        else:
            check_open(db, row.pool_id)
            scope.tell(db, f"pool:{row.pool_id}", row.id)


def place(
    scope: Scope, values: dict[str, Any], owner_of: Callable[[int], User], check_pool: Callable[[int], None]
) -> None:
    """Set owner or pool: the creator owns the customer unless they name another owner or a pool.

    `owner_of` and `check_pool` look them up, or refuse them.
    """
    owner_id, pool_id = values.get("owner_id"), values.get("pool_id")
    if owner_id is not None and pool_id is not None:
        raise Validation(
            "A customer has an owner or lies in a pool, not both.", "客户只能有负责人或在公海中。", field="poolId"
        )
    if pool_id is not None:
        check_pool(pool_id)  # the write guard refuses a hidden pool, like every hidden reference
        values["pooled_at"] = scope.person.now
        return
    owner = owner_of(owner_id if owner_id is not None else _creator(scope))
    values.update(owner_id=owner.id, department_id=owner.department_id, claimed_at=scope.person.now)


def contact_is_needed(db: Session) -> bool:
    """Whether the organisation takes no customer without a contact."""
    needed = select(Organisation.contact_required)
    return bool(db.execute(needed, execution_options=bypass_policy(Because.APPLIES_TO_ALL)).scalar())


def check_contact(extra: dict[str, Any], *, is_needed: bool) -> None:
    """Clean the inputs of the contact that comes with a new customer, in place.  Raises Validation."""
    found, given = Gathering(), any(extra.get(key) for key in _CONTACT)
    for key in _CONTACT:
        said, extra[key] = extra.get(key), None
        with found.noting():
            extra[key] = line(said, key)
    for kind, key in ((PointKind.PHONE, "contact_phone"), (PointKind.EMAIL, "contact_email")):
        if extra[key]:
            with found.noting():
                check_point(kind, extra[key], key)
    for key in ("contact_name", "contact_phone"):
        if (is_needed or (given and key == "contact_name")) and not extra[key]:
            found.note(required(key))
    found.settle()


def check_reach(values: Mapping[str, Any]) -> None:
    """Raise Validation for a phone or an address of the customer itself that cannot be one."""
    found = Gathering()
    for field, kind in (("phone", PointKind.PHONE), ("email", PointKind.EMAIL)):
        if values.get(field):
            with found.noting():
                check_point(kind, values[field], field)
    found.settle()


def began_by(db: Session) -> Began:
    """How the owner of a new customer became that."""
    return Began.IMPORT if is_import(db) else Began.CREATE


def _creator(scope: Scope) -> int:
    if scope.person.id is None:
        raise Validation("A customer needs an owner or a pool.", "客户须有负责人或移入公海。", field="ownerId")
    return scope.person.id


def is_active(db: Session, user_id: int) -> bool:
    active = select(User.id).where(User.id == user_id, User.active, User.deleted_at.is_(None))
    return db.execute(active, execution_options=bypass_policy(Because.KEEPS_RULE)).first() is not None


def check_open(db: Session, pool_id: int | None) -> None:
    """Raise InBin or Validation for a visible pool that accepts no customers."""
    pool = db.execute(select(Pool).where(Pool.id == pool_id)).scalar_one_or_none()
    if pool is not None and pool.deleted_at is not None:
        raise InBin(label=pool.name, record_id=global_id(Pool, pool.id), field="poolId")
    if pool is not None and not pool.enabled:
        raise Validation(f"The pool {pool.name} is closed.", f"公海 {pool.name} 已停用。", field="poolId")


def _add_contact(db: Session, customer: Customer, extra: dict[str, Any]) -> None:
    """Create the primary contact of a new customer from its extra inputs, with its phone and its address."""
    permit_create(db, Contact)
    contact = Contact(**first_contact(customer.id, extra))
    contact.points = [ContactPoint(**point) for point in first_points(extra)]
    db.add(contact)
    db.flush()


def first_contact(customer_id: int, extra: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of the primary contact of a new customer."""
    return {
        "customer_id": customer_id,
        "name": extra["contact_name"],
        "title": extra["contact_title"],
        "is_primary": True,
    }


def first_points(extra: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The columns of its phone and its address."""
    for kind, key in ((PointKind.PHONE, "contact_phone"), (PointKind.EMAIL, "contact_email")):
        if value := extra[key]:
            yield {"kind": kind, "value": value, "value_key": key_of(kind, value), "position": 0}
