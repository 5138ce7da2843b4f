"""Automatic assignment: its strategy in each pool, the shares of its members, whose turn it is, and what it decided."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import LIVE, Base, Entity, Key, Prose, choice, trait
from .names import Names
from .people import User
from .pool import Pool

LARGEST_WEIGHT = 1_000


class Strategy(StrEnum):
    """Who gets the next customer."""

    ROUND_ROBIN = "ROUND_ROBIN"
    """One after the other, in the same order again and again."""
    WEIGHTED = "WEIGHTED"
    """In turn, by the weight of the shares: twice the weight, twice the customers."""
    LEAST_LOADED = "LEAST_LOADED"
    """The member who holds the fewest customers."""
    CAPACITY_LEFT = "CAPACITY_LEFT"
    """The member who may hold the most further customers."""


class AssignmentRule(Entity):
    """By which strategy customers of a pool are assigned automatically."""

    __tablename__ = "assignment_rule"
    module, prefix, named_by = "pool", "asr", "id"
    names = Names("Assignment rule", "Assignment rules", zh="自动分配规则")
    search = ()

    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"), info=trait(immutable=True))
    """The pool for which the rule holds; a pool has at most one."""
    strategy: Mapped[Strategy] = choice(Strategy, default=Strategy.ROUND_ROBIN)
    """Who gets the next customer."""

    pool: Mapped[Pool] = relationship(lazy="raise_on_sql")

    __table_args__ = (Index("uq_assignment_rule_live", "pool_id", unique=True, **LIVE),)


class AssignmentShare(Entity):
    """What one member of a pool takes part with in its automatic assignment."""

    __tablename__ = "assignment_share"
    module, prefix, named_by = "pool", "ash", "id"
    names = Names("Assignment share", "Assignment shares", zh="分配份额")
    search = ()

    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"), info=trait(immutable=True))
    """The pool in which the share is."""
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), index=True, info=trait(immutable=True))
    """The member whose share it is."""
    weight: Mapped[int] = mapped_column(default=1)
    """Number of customers in each round of WEIGHTED; 0 leaves the member out of every strategy."""
    condition: Mapped[Prose | None] = mapped_column(info=trait(condition_of="customer"))
    """The customers that the member takes: a filter as JSON in a text, as that of a claim condition; null for all."""

    pool: Mapped[Pool] = relationship(lazy="raise_on_sql")
    user: Mapped[User] = relationship(foreign_keys=user_id, lazy="raise_on_sql")

    __table_args__ = (
        CheckConstraint(f"weight >= 0 AND weight <= {LARGEST_WEIGHT}", name="weight"),
        Index("uq_assignment_share_live", "pool_id", "user_id", unique=True, **LIVE),
    )


class AssignmentState(Base):
    """How far the turns of a pool are.  Its row is locked from the choice to the commit, so each turn is given once."""

    __tablename__ = "assignment_state"

    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id", ondelete="CASCADE"), primary_key=True)
    turn: Mapped[int] = mapped_column(default=0)
    """Number of customers assigned so far."""
    members: Mapped[dict[str, Any]]
    """User id -> [credit, turn of the last customer]."""


class AssignmentDecision(Base):
    """Why a customer was assigned to a user automatically, or to none.  Read by `resolvers/pool/decisions.py` alone."""

    __tablename__ = "assignment_decision"

    id: Mapped[Key]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"))
    strategy: Mapped[Strategy] = choice(Strategy)
    chosen_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    """The user who started it; None for the clock."""
    candidates: Mapped[list[Any]] = mapped_column(JSON)
    """[{user, reason, held, limit, weight}] for each member of the pool."""
    at: Mapped[datetime]

    __table_args__ = (
        Index("ix_assignment_decision_customer", "customer_id", "id"),
        Index("ix_assignment_decision_pool", "pool_id", "at"),
    )


class Reason(StrEnum):
    """Why a member of a pool was chosen for a customer, or was not."""

    CHOSEN = "CHOSEN"
    """They got the customer."""
    FITS = "FITS"
    """They could take it, and it was the turn of another one."""
    INACTIVE = "INACTIVE"
    """Their account is switched off."""
    NO_SEAT = "NO_SEAT"
    """They have no seat as a member or administrator of the pool."""
    ABSENT = "ABSENT"
    """They are absent."""
    NO_SHARE = "NO_SHARE"
    """The weight of their share is 0."""
    FILTERED = "FILTERED"
    """The condition of their share does not match."""
    CONDITION = "CONDITION"
    """A condition of the pool stands against it."""
    COOLDOWN = "COOLDOWN"
    """They owned the customer not long ago."""
    FULL = "FULL"
    """They hold as many customers as they may."""
