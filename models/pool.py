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
    MOVE_TO_POOL = "MOVE_TO_POOL"
    AUTO_ASSIGN = "AUTO_ASSIGN"
    ARCHIVE = "ARCHIVE"
    RECYCLE_BIN = "RECYCLE_BIN"


class Pool(Entity):
    """A place for customers nobody works on."""

    __tablename__ = "pool"
    module, prefix, order = "pool", "poo", "name"
    names = Names("Pool", "Pools", zh="公海", zh_many="公海设置")
    policy_columns: ClassVar[dict[str, str]] = {"pool_id": "id"}

    name: Mapped[Line]
    description: Mapped[Prose | None]
    enabled: Mapped[bool] = mapped_column(default=True)
    priority: Mapped[int] = mapped_column(default=0)
    """When several pools could take a customer, the highest wins; the older one among equals."""
    retain_days: Mapped[int | None]
    """How many days a customer may stay before the pool's rule acts; None is for ever."""
    on_expire: Mapped[OnExpire] = choice(OnExpire, default=OnExpire.NOTIFY)
    """What the rule does then."""
    expire_pool_id: Mapped[int | None] = mapped_column(ForeignKey("pool.id"))
    """The pool that MOVE_TO_POOL and ARCHIVE move to."""
    notice_days: Mapped[int | None]
    """How many days before that the administrators of the pool are reminded; None is never."""
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
    DEPARTMENT = "DEPARTMENT"
    ROLE = "ROLE"


GRANTEE_KINDS: dict[type[Entity], GranteeKind] = {
    User: GranteeKind.USER,
    Department: GranteeKind.DEPARTMENT,
    Role: GranteeKind.ROLE,
}
"""The entities whose records may be given a seat or a share."""


class Seat(StrEnum):
    """What a member of a pool may do there: look, claim, or administer."""

    VIEWER = "VIEWER"
    MEMBER = "MEMBER"
    ADMIN = "ADMIN"


class PoolMember(Entity):
    """A seat in a pool: for a person, for a department with all below it, or for a role."""

    __tablename__ = "pool_member"
    module, prefix, named_by = "pool", "pme", "id"
    names = Names("Seat", "Seats", zh="成员身份", zh_many="公海成员")
    search = ()

    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"), index=True, info=trait(immutable=True))
    grantee_kind: Mapped[GranteeKind] = choice(GranteeKind, info=trait(immutable=True))
    grantee_id: Mapped[int] = mapped_column(info=trait(immutable=True))
    """The number of the person, department or role; which of the three says `grantee_kind`."""
    seat: Mapped[Seat] = choice(Seat, default=Seat.MEMBER)

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
    daily_quota: Mapped[int | None]
    weekly_quota: Mapped[int | None]
    capacity: Mapped[int | None]
    """Number of customers from which on a user claims no more from this pool, whatever their own limit."""
    cooldown_days: Mapped[int | None]
    """Number of days before a former owner may claim the same customer again."""
    protect_days: Mapped[int | None]
    """How long a new arrival may only be assigned, not claimed."""
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
