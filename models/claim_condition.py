"""Conditions of claims: which customers of a pool may be claimed or assigned, by their fields and by the person."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import LIVE, Entity, Line, Prose, choice, trait
from .names import Names
from .pool import GranteeKind, Pool


class Effect(StrEnum):
    """What a condition does to the customers that match it."""

    OPENS = "OPENS"
    """They may be claimed; those that match no condition of this kind may not."""
    RESERVES = "RESERVES"
    """Only the grantee gets them; all other customers are left alone."""


class Covers(StrEnum):
    """Which ways out of the pool a condition is about."""

    BOTH = "BOTH"
    """Claims and assignments."""
    CLAIM = "CLAIM"
    """Claims alone."""
    ASSIGN = "ASSIGN"
    """Assignments alone, by hand and automatic."""


class ClaimCondition(Entity):
    """A condition under which customers of a pool are claimed and assigned."""

    __tablename__ = "claim_condition"
    module, prefix = "pool", "clc"
    names = Names("Claim condition", "Claim conditions", zh="领取条件")
    search = ()

    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"), info=trait(immutable=True))
    """The pool whose customers it is about."""
    name: Mapped[Line]
    """What a refusal calls the condition."""
    effect: Mapped[Effect] = choice(Effect, default=Effect.OPENS)
    """Whether it opens customers to the grantee, or reserves them."""
    covers: Mapped[Covers] = choice(Covers, default=Covers.BOTH)
    """Which ways out of the pool it is about."""
    grantee_kind: Mapped[GranteeKind | None] = choice(GranteeKind, nullable=True, info=trait(immutable=True))
    """Whether `granteeId` names a user, a department or a role; null for everybody."""
    grantee_id: Mapped[int | None] = mapped_column(info=trait(immutable=True))
    """The user, department or role to which it applies; null for everybody."""
    condition: Mapped[Prose] = mapped_column(info=trait(condition_of="customer"))
    """A filter as JSON in a text, about fields of the customer alone: `{"level": {"in": ["a"]}}`."""

    pool: Mapped[Pool] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        CheckConstraint("(grantee_kind IS NULL) = (grantee_id IS NULL)", name="grantee_whole"),
        Index("ix_claim_condition_pool", "pool_id", **LIVE),
        Index("uq_claim_condition_name", "pool_id", "name", unique=True, **LIVE),
        Index(
            "ix_claim_condition_grantee",
            "grantee_kind",
            "grantee_id",
            sqlite_where=text("grantee_id IS NOT NULL"),
            postgresql_where=text("grantee_id IS NOT NULL"),
        ),
    )
