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
    """They created it."""
    CLAIM = "CLAIM"
    """They claimed it from a pool."""
    ASSIGN = "ASSIGN"
    """It was assigned to them out of a pool, by a user or automatically."""
    TRANSFER = "TRANSFER"
    """It was transferred to them from another owner."""
    RESTORE = "RESTORE"
    """It came back to them out of the recycle bin."""
    IMPORT = "IMPORT"
    """An import gave it to them."""


class Ended(StrEnum):
    """How somebody ceased to be the owner."""

    RELEASE = "RELEASE"
    """It went to a pool, by a user or by a rule."""
    TRANSFER = "TRANSFER"
    """It was transferred to another owner."""
    DELETE = "DELETE"
    """It went into the recycle bin."""
    MERGE = "MERGE"
    """It became part of another customer."""


class OwnershipPeriod(Base):
    """One person's time with one customer."""

    __tablename__ = "ownership_period"
    module, prefix, visible_through = "customer", "own", "customer"
    names = Names("Ownership", "Ownership history", zh="归属记录")

    id: Mapped[Key]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    """The customer who was owned."""
    owner_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    """The user who owned it."""
    pool_id: Mapped[int | None] = mapped_column(ForeignKey("pool.id"))
    """The pool it came from, if it came from one."""
    pooled_at: Mapped[datetime | None]
    """When it had come into that pool."""
    began: Mapped[Began] = choice(Began)
    """In which way they got it."""
    started_at: Mapped[datetime]
    """When they got it."""
    ended: Mapped[Ended | None] = choice(Ended, nullable=True)
    """In which way they lost it; null while it is theirs."""
    ended_at: Mapped[datetime | None]
    """When they lost it; null while it is theirs."""
    reason: Mapped[str | None] = mapped_column(text_type(200))
    """Why they lost it, in the words of who did it."""

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
