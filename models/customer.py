"""A customer has an owner, or lies in a pool."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, and_, or_, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import LIVE, MERGED, Entity, Line, choice, long_text, sort_key, text_type, trait
from .custom_field import Customised
from .errors import AlreadyInPool, InThatPool, NotApproved, NotInPool, NotLocked
from .names import Names
from .people import User
from .pool import Pool
from .text import natural_key, number_key

_HELD: dict[str, Any] = {
    "sqlite_where": text("locked_by_id IS NOT NULL"),
    "postgresql_where": text("locked_by_id IS NOT NULL"),
}
_IN_POOL: dict[str, Any] = {
    "sqlite_where": text("deleted_at IS NULL AND pool_id IS NOT NULL"),
    "postgresql_where": text("deleted_at IS NULL AND pool_id IS NOT NULL"),
}
_POOLED: dict[str, Any] = {
    "sqlite_where": text("deleted_at IS NULL AND pooled_at IS NOT NULL"),
    "postgresql_where": text("deleted_at IS NULL AND pooled_at IS NOT NULL"),
}
_PLANNED: dict[str, Any] = {
    "sqlite_where": text("deleted_at IS NULL AND next_follow_up_at IS NOT NULL"),
    "postgresql_where": text("deleted_at IS NULL AND next_follow_up_at IS NOT NULL"),
}
_PENDING: dict[str, Any] = {
    "sqlite_where": text("deleted_at IS NULL AND approval = 'PENDING'"),
    "postgresql_where": text("deleted_at IS NULL AND approval = 'PENDING'"),
}
_DATED: dict[str, Any] = {
    "sqlite_where": text("deleted_at IS NULL AND release_due_at IS NOT NULL"),
    "postgresql_where": text("deleted_at IS NULL AND release_due_at IS NOT NULL"),
}


class Approval(StrEnum):
    """Where a new customer stands that a second user has to approve."""

    PENDING = "PENDING"
    """It waits for a second user; until then it is not claimed, assigned, transferred or merged, and gets no
    opportunity."""
    REJECTED = "REJECTED"
    """It was declined, with a reason; whoever may edit it corrects it and submits it again."""
    APPROVED = "APPROVED"
    """It was approved, and is worked with like any other."""


class Customer(Customised, Entity):
    """A company or person that we sell to."""

    __tablename__ = "customer"
    module, prefix, named_by, order = "customer", "cus", "number", "-created_at"
    in_bulk = has_files = True
    names = Names("Customer", "Customers", zh="客户")
    search, beside = ("number", "name"), ("number", "owner_id", "pool_id")

    number: Mapped[str] = mapped_column(text_type(40), unique=True, info=trait(immutable=True, generated=True))
    """The number that users see and say, like `C2026001`; unique, whatever its case or width. The numbering makes it.
    """
    number_key: Mapped[str | None] = mapped_column(
        text_type(120), info=trait(system_managed=True, key_of="number", by=number_key), sort_order=98
    )
    """What is compared, so that c2026001 and C2026001 are one number."""
    number_order: Mapped[str] = sort_key("number", by=natural_key, length=240)
    """What is sorted: the numbering sets the period and the sequence of a number."""
    name: Mapped[Line]
    """What the company or person is called. Not unique: the duplicate check says whether another one may be the same.
    """
    stage: Mapped[str | None] = mapped_column(text_type(40), info=trait(dictionary="stage"))
    """How far the relation is. Which stages may follow, and what they ask for, say the `customerStages`."""
    industry: Mapped[str | None] = mapped_column(text_type(40), info=trait(dictionary="industry"))
    """The branch of business."""
    source: Mapped[str | None] = mapped_column(text_type(40), info=trait(dictionary="source"))
    """How the organisation came to know it."""
    region: Mapped[str | None] = mapped_column(text_type(40), info=trait(dictionary="region"))
    """Where it is."""
    level: Mapped[str | None] = mapped_column(text_type(40), info=trait(dictionary="level"))
    """How important it is to the organisation."""
    category: Mapped[str | None] = mapped_column(text_type(40), info=trait(dictionary="category"))
    """What kind of customer it is, in a tree of words."""
    phone: Mapped[str | None] = mapped_column(text_type(40))
    """A phone number of the company itself, kept as it was typed; duplicates are found by its digits."""
    email: Mapped[str | None] = mapped_column(text_type(200))
    """An e-mail address of the company itself."""
    registration_number: Mapped[str | None] = mapped_column(text_type(40))
    """The number under which a register knows the company: in China the unified social credit code."""
    address: Mapped[str | None] = mapped_column(text_type(400))
    """The postal address, on one line."""
    latest_need: Mapped[str | None] = mapped_column(long_text())
    """What the customer asked for last; several lines."""
    remark: Mapped[str | None] = mapped_column(long_text())
    """What users want to remember; several lines."""

    owner_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), info=trait(immutable=True))
    """The user who looks after it; null while it lies in a pool. Claim, assignment, transfer and release change it."""
    pool_id: Mapped[int | None] = mapped_column(ForeignKey("pool.id"), info=trait(immutable=True))
    """The pool in which it lies; null while it has an owner. A new customer given neither belongs to who creates it."""
    department_id: Mapped[int | None] = mapped_column(
        ForeignKey("department.id"), info=trait(system_managed=True, derived=True)
    )
    """The owner's department, kept beside the owner; null in a pool."""
    pooled_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True))
    """When it came into its present pool; null while it has an owner."""
    claimed_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True))
    """When its present owner got it, by whatever way; null in a pool."""
    locked_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("app_user.id"), info=trait(system_managed=True, historical=True)
    )
    """The user who has locked it; also after `lockExpiresAt`, so ask `locked` whether it is locked now."""
    locked_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True))
    """When it was locked."""
    lock_reason: Mapped[str | None] = mapped_column(text_type(200), info=trait(system_managed=True))
    """Why it was locked, in the words of who did it."""
    lock_expires_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True))
    """When the lock ends by itself; null for one that lasts until it is unlocked."""
    last_follow_up_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True, derived=True))
    """The time of the newest follow-up that counts as a contact."""
    last_follow_up_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("app_user.id"), info=trait(system_managed=True, derived=True, historical=True)
    )
    """The user who did that follow-up."""
    next_follow_up_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True, derived=True))
    """When the earliest open plan is due."""
    exempt_until: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True, derived=True))
    """The moment from which the days of release rules count at the earliest: the end of a lock."""
    extended_until: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True))
    """The moment before which no release rule takes it, because its owner has put off the release."""
    extensions: Mapped[int] = mapped_column(default=0, info=trait(system_managed=True))
    """How often the present owner has put off the release."""
    has_open_opportunity: Mapped[bool] = mapped_column(default=False, info=trait(system_managed=True, derived=True))
    """Whether it has an opportunity that is neither won nor lost."""
    last_opportunity_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True, derived=True))
    """The last moment at which an opportunity was opened, changed or closed."""
    last_deal_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True, derived=True))
    """The last moment at which an opportunity was won."""
    release_due_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True, derived=True))
    """When it goes back to the pool unless something is done; null where no release rule takes it."""
    release_rule_id: Mapped[int | None] = mapped_column(
        ForeignKey("release_rule.id"), info=trait(system_managed=True, derived=True, historical=True)
    )
    """The rule that sets the date."""
    approval: Mapped[Approval | None] = choice(Approval, info=trait(system_managed=True))
    """Where the approval of a new customer stands; null where nobody has to approve it."""
    approval_reason: Mapped[str | None] = mapped_column(text_type(200), info=trait(system_managed=True))
    """Why it was rejected."""
    approval_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True))
    """When it was submitted last, or was decided about."""
    approval_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("app_user.id"), info=trait(system_managed=True, historical=True)
    )
    """Who submitted it last while it is pending, and afterwards who decided."""
    merged_into_id: Mapped[int | None] = mapped_column(
        ForeignKey("customer.id"), info=trait(system_managed=True, historical=True)
    )
    """The customer that this one became part of, at the end of all merges.  Such a row is in the bin, and stays there."""

    owner: Mapped[User | None] = relationship(foreign_keys=owner_id, lazy="raise_on_sql")
    pool: Mapped[Pool | None] = relationship(foreign_keys=pool_id, lazy="raise_on_sql")

    __table_args__ = (
        CheckConstraint("(owner_id IS NULL) <> (pool_id IS NULL)", name="owner_xor_pool"),
        CheckConstraint("locked_by_id IS NULL OR owner_id IS NOT NULL", name="lock_needs_owner"),
        Index("ix_customer_live", "created_at", "id", **LIVE),
        Index("ix_customer_updated", "updated_at", "id", **LIVE),
        Index("ix_customer_owner", "owner_id", "created_at", "id", **LIVE),
        Index("ix_customer_owner_stage", "owner_id", "stage", "created_at", "id", **LIVE),
        Index("ix_customer_department", "department_id", "created_at", "id", **LIVE),
        Index("ix_customer_pool", "pool_id", "pooled_at", "id", **_IN_POOL),
        Index("ix_customer_pooled", "pooled_at", "id", **_POOLED),
        Index("ix_customer_pending", "created_at", "id", **_PENDING),
        Index("ix_customer_release", "release_due_at", "id", **_DATED),
        Index("ix_customer_owner_release", "owner_id", "release_due_at", "id", **_DATED),
        Index("ix_customer_stage", "stage", "created_at", "id", **LIVE),
        Index("ix_customer_last_follow_up", "last_follow_up_at", "id", **LIVE),
        Index("ix_customer_owner_last_follow_up", "owner_id", "last_follow_up_at", "id", **LIVE),
        Index("ix_customer_next_follow_up", "next_follow_up_at", "id", **_PLANNED),
        Index("ix_customer_owner_next_follow_up", "owner_id", "next_follow_up_at", "id", **_PLANNED),
        Index("ix_customer_name", "name"),
        Index("uq_customer_number_key", "number_key", unique=True),
        Index("ix_customer_locked", "locked_by_id", **_HELD),
        Index("ix_customer_merged", "merged_into_id", **MERGED),
    )

    @property
    def in_pool(self) -> bool:
        return self.pool_id is not None

    def is_locked(self, now: datetime) -> bool:
        """Locked means locked until now: an expired lock is none, whether or not a job has tidied it up."""
        return self.locked_by_id is not None and (self.lock_expires_at is None or self.lock_expires_at > now)

    def assign_to(self, user: User, at: datetime) -> None:
        """Make `user` the owner, out of whatever pool or hands it was in.  A lock of the former owner lifts."""
        self.owner_id, self.department_id, self.pool_id = user.id, user.department_id, None
        self.pooled_at, self.claimed_at = None, at
        self._begin_days()
        self._lift_lock()

    def return_to_pool(self, pool: Pool, at: datetime) -> None:
        """Put it into `pool`.  Raises AlreadyInPool."""
        if self.in_pool:
            raise AlreadyInPool(label=self.label)
        self.owner_id, self.department_id, self.pool_id = None, None, pool.id
        self.pooled_at, self.claimed_at = at, None
        self._begin_days()
        self._lift_lock()

    def move_to_pool(self, pool: Pool, at: datetime) -> None:
        """Put it out of its pool into `pool`, where its time begins anew.  Raises NotInPool, InThatPool."""
        self.must_be_pooled()
        if self.pool_id == pool.id:
            raise InThatPool(label=self.label, pool=pool.name)
        self.pool_id, self.pooled_at = pool.id, at

    def lock(self, by: int, at: datetime, reason: str | None, until: datetime | None) -> None:
        """Close it for all users but its owner.  Raises AlreadyInPool, because a lock needs an owner."""
        if self.owner_id is None:
            raise AlreadyInPool(label=self.label)
        self.locked_by_id, self.locked_at, self.lock_reason, self.lock_expires_at = by, at, reason, until

    def unlock(self) -> None:
        """Open it again.  Raises NotLocked."""
        if self.locked_by_id is None:
            raise NotLocked(label=self.label)
        self._lift_lock()

    def must_be_pooled(self) -> None:
        """Raise NotInPool for a customer with an owner."""
        if not self.in_pool:
            raise NotInPool(label=self.label)

    def must_be_approved(self) -> None:
        """Raise NotApproved for a customer that waits for approval, or was rejected."""
        if self.approval in (Approval.PENDING, Approval.REJECTED):
            raise NotApproved(label=self.label)

    def extend(self, until: datetime) -> None:
        """Put off its release until then."""
        self.extended_until, self.extensions = until, self.extensions + 1

    def _begin_days(self) -> None:
        """Begin the days of release rules anew, for a new owner or a pool."""
        self.exempt_until, self.extended_until, self.extensions = None, None, 0

    def _lift_lock(self) -> None:
        self.locked_by_id = self.locked_at = self.lock_reason = self.lock_expires_at = None


def locked(row: object, now: object) -> ColumnElement[bool]:
    """`Customer.is_locked` in SQL; `row` is the class or anything with its columns.  Never NULL."""
    by, until = row.locked_by_id, row.lock_expires_at  # type: ignore[attr-defined]
    return and_(by.is_not(None), or_(until.is_(None), until > now))
