"""Who owned a customer from when to when: the single truth for cooldown, history and time to claim."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, Key, choice, text_type
from .customer import Customer
from .names import Names
from .people import User
from .pool import Pool


class Began(StrEnum):
    """How somebody became the owner."""

    CREATE = "CREATE"
    CLAIM = "CLAIM"
    ASSIGN = "ASSIGN"
    TRANSFER = "TRANSFER"
    RESTORE = "RESTORE"
    IMPORT = "IMPORT"


class Ended(StrEnum):
    """How somebody ceased to be the owner."""

    RELEASE = "RELEASE"
    TRANSFER = "TRANSFER"
    DELETE = "DELETE"
    MERGE = "MERGE"


class OwnershipPeriod(Base):
    """One person's time with one customer."""

    __tablename__ = "ownership_period"
    module, prefix, visible_through = "customer", "own", "customer"
    names = Names("Ownership", "Ownership history", zh="归属记录")

    id: Mapped[Key]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    owner_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    pool_id: Mapped[int | None] = mapped_column(ForeignKey("pool.id"))
    """The pool it came from, if it came from one."""
    pooled_at: Mapped[datetime | None]
    """When it had come into that pool."""
    began: Mapped[Began] = choice(Began)
    started_at: Mapped[datetime]
    ended: Mapped[Ended | None] = choice(Ended, nullable=True)
    ended_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(text_type(200))

    customer: Mapped[Customer] = relationship(lazy="raise_on_sql")
    owner: Mapped[User] = relationship(foreign_keys=owner_id, lazy="raise_on_sql")
    pool: Mapped[Pool | None] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        CheckConstraint("(ended IS NULL) = (ended_at IS NULL)", name="ended_whole"),
        Index(
            "uq_ownership_period_open",
            "customer_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_ownership_period_pool", "pool_id", "started_at"),
        Index("ix_ownership_period_pooled", "pool_id", "pooled_at"),
        Index("ix_ownership_period_customer", "customer_id", "ended_at"),
        Index("ix_ownership_period_owner", "owner_id", "customer_id", "ended_at"),
    )
