"""Pools: who sits in them, by which rules one claims from them, and the counters that keep those rules exact."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import LIVE, Base, Entity, Line, Prose, choice, text_type, trait
from .names import Names
from .people import Department, Role, User


class OnExpire(StrEnum):
    """What happens to a customer whose days in a pool are over."""

    NOTIFY = "NOTIFY"
    """It stays, and the administrators of the pool are told."""
    MOVE_TO_POOL = "MOVE_TO_POOL"
    """It moves to the pool `expirePool`."""
    AUTO_ASSIGN = "AUTO_ASSIGN"
    """A member gets it by the pool's assignment rule; where nobody can take it, it is tried again every day."""
    ARCHIVE = "ARCHIVE"
    """It moves to the archive pool `expirePool`."""
    RECYCLE_BIN = "RECYCLE_BIN"
    """It goes into the recycle bin, from which it can be restored."""


class Pool(Entity):
    """A place for customers nobody works on."""

    __tablename__ = "pool"
    module, prefix, order = "pool", "poo", "name"
    names = Names("Pool", "Pools", zh="公海", zh_many="公海设置")
    policy_columns: ClassVar[dict[str, str]] = {"pool_id": "id"}

    name: Mapped[Line]
    """What the pool is called; unique outside the recycle bin."""
    description: Mapped[Prose | None]
    """For whom the pool is, and what lies there; several lines."""
    enabled: Mapped[bool] = mapped_column(default=True)
    """Whether it is in use. Customers are neither put into a pool that is switched off nor claimed from it."""
    priority: Mapped[int] = mapped_column(default=0)
    """When several pools could take a customer, the highest wins; the older one among equals."""
    retain_days: Mapped[int | None]
    """Number of days that a customer may stay before the pool's rule acts; null for ever."""
    on_expire: Mapped[OnExpire] = choice(OnExpire, default=OnExpire.NOTIFY)
    """What happens to a customer when those days are over."""
    expire_pool_id: Mapped[int | None] = mapped_column(ForeignKey("pool.id"))
    """The pool that MOVE_TO_POOL and ARCHIVE move to."""
    notice_days: Mapped[int | None]
    """Number of days before that on which the administrators of the pool are reminded; null for never."""
    is_archive: Mapped[bool] = mapped_column(default=False)
    """Whether customers only lie here: they are assigned or moved, and never claimed."""

    __table_args__ = (
        CheckConstraint("retain_days IS NULL OR retain_days > 0", name="retain_days"),
        CheckConstraint("notice_days IS NULL OR notice_days > 0", name="notice_days"),
        Index("uq_pool_name", "name", unique=True, **LIVE),
    )


class GranteeKind(StrEnum):
    """To whom a seat or a share is given."""

    USER = "USER"
    """One user."""
    DEPARTMENT = "DEPARTMENT"
    """All users of a department and of those below it."""
    ROLE = "ROLE"
    """All users who hold a role now."""


GRANTEE_KINDS: dict[type[Entity], GranteeKind] = {
    User: GranteeKind.USER,
    Department: GranteeKind.DEPARTMENT,
    Role: GranteeKind.ROLE,
}
"""The entities whose records may be given a seat or a share."""


class Seat(StrEnum):
    """What a member of a pool may do there: look, claim, or administer."""

    VIEWER = "VIEWER"
    """They see the customers of the pool, and claim none."""
    MEMBER = "MEMBER"
    """They see and claim customers, and may be given some."""
    ADMIN = "ADMIN"
    """They also assign, move and look after the pool, and see its report."""


class PoolMember(Entity):
    """A seat in a pool: for a person, for a department with all below it, or for a role."""

    __tablename__ = "pool_member"
    module, prefix, named_by = "pool", "pme", "id"
    names = Names("Seat", "Seats", zh="成员身份", zh_many="公海成员")
    search = ()

    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"), index=True, info=trait(immutable=True))
    """The pool in which the seat is."""
    grantee_kind: Mapped[GranteeKind] = choice(GranteeKind, info=trait(immutable=True))
    """Whether `granteeId` names a user, a department or a role."""
    grantee_id: Mapped[int] = mapped_column(info=trait(immutable=True))
    """The user, department or role; `granteeKind` says which of the three."""
    seat: Mapped[Seat] = choice(Seat, default=Seat.MEMBER)
    """What the seat allows."""

    pool: Mapped[Pool] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        Index("uq_pool_member_live", "pool_id", "grantee_kind", "grantee_id", unique=True, **LIVE),
        Index("ix_pool_member_grantee", "grantee_kind", "grantee_id"),
    )


class ClaimRule(Entity):
    """By which numbers one may claim from a pool; a number left out is no limit."""

    __tablename__ = "claim_rule"
    module, prefix, named_by = "pool", "clr", "id"
    names = Names("Claim rule", "Claim rules", zh="领取规则")
    search = ()

    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"), info=trait(immutable=True))
    """The pool for which the rule holds; a pool has at most one."""
    daily_quota: Mapped[int | None]
    """Number of customers that a user may claim from the pool in a day of the organisation's time zone; null is no
    limit."""
    weekly_quota: Mapped[int | None]
    """Number of customers that a user may claim from the pool from Monday to Sunday; null is no limit."""
    capacity: Mapped[int | None]
    """Number of customers from which on a user claims no more from this pool, whatever their own limit."""
    cooldown_days: Mapped[int | None]
    """Number of days before a former owner may claim the same customer again."""
    protect_days: Mapped[int | None]
    """Number of days for which a new arrival may only be assigned, not claimed."""
    daily_view_limit: Mapped[int | None]
    """Number of pooled customers whose page a user may open in a day."""

    pool: Mapped[Pool] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        Index("uq_claim_rule_live", "pool_id", unique=True, **LIVE),
        CheckConstraint("daily_quota IS NULL OR daily_quota >= 0", name="daily_quota"),
        CheckConstraint("weekly_quota IS NULL OR weekly_quota >= 0", name="weekly_quota"),
        CheckConstraint("capacity IS NULL OR capacity >= 0", name="capacity"),
        CheckConstraint("cooldown_days IS NULL OR cooldown_days >= 0", name="cooldown_days"),
        CheckConstraint("protect_days IS NULL OR protect_days >= 0", name="protect_days"),
        CheckConstraint("daily_view_limit IS NULL OR daily_view_limit >= 0", name="daily_view_limit"),
    )

    def cooled_at(self, ended_at: datetime) -> datetime:
        """When a former owner, whose time ended then, may claim again."""
        return ended_at + timedelta(days=self.cooldown_days or 0)

    def open_at(self, pooled_at: datetime) -> datetime:
        """When a customer that arrived then may be claimed."""
        return pooled_at + timedelta(days=self.protect_days or 0)


class QuotaCounter(Base):
    """How many customers a person has claimed from a pool in one day or week; changed by guarded statements only."""

    __tablename__ = "quota_counter"

    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), primary_key=True)
    period: Mapped[str] = mapped_column(text_type(12), primary_key=True)
    """`2026-11-24` for a day, `2026-W48` for a week, in the organisation's time zone."""
    used: Mapped[int]

    __table_args__ = (CheckConstraint("used >= 0", name="used"),)


class OwnerLoad(Base):
    """How many customers a person holds, the bin left out; changed by guarded statements only."""

    __tablename__ = "owner_load"

    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), primary_key=True, autoincrement=False)
    held: Mapped[int] = mapped_column(default=0)

    __table_args__ = (CheckConstraint("held >= 0", name="held"),)
