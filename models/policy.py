"""The stored policy: the lines in force, revisions, drafts."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Hash, Key, Prose, text_type
from .names import Names


class PolicyLine(Base):
    """One line of the policy in force, in the columns that every Casbin tool reads."""

    __tablename__ = "casbin_rule"

    id: Mapped[Key]
    ptype: Mapped[str] = mapped_column(text_type(8))
    v0: Mapped[str] = mapped_column(text_type(100), default="")
    v1: Mapped[str] = mapped_column(text_type(100), default="")
    v2: Mapped[str] = mapped_column(text_type(100), default="")
    v3: Mapped[str] = mapped_column(text_type(100), default="")
    v4: Mapped[str] = mapped_column(text_type(100), default="")
    v5: Mapped[str] = mapped_column(text_type(100), default="")

    __table_args__ = (UniqueConstraint("ptype", "v0", "v1", "v2", "v3", "v4", "v5"),)


class PolicyRevision(Base):
    """One state of the whole policy: the text, who made it, and why.

    `parent` is the revision that it changed, `back_to` the one whose text it brings back.  `review` is what its author
    read before it took effect, in short.
    """

    __tablename__ = "policy_revision"
    names = Names("Revision", "Revisions", zh="版本")

    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    reason: Mapped[Prose]
    text: Mapped[Prose]
    hash: Mapped[Hash]
    """SHA-256 of the text; a revision that was written by hand does not have it, and is not taken."""
    parent: Mapped[int | None]
    back_to: Mapped[int | None]
    review: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    proof: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """What Casbin judged before the revision took effect, and `by` which code; None for a text written by hand."""


class PolicyDraft(Base):
    """A policy that a user is working on, or that a new version brings.  It has no effect."""

    __tablename__ = "policy_draft"
    names = Names("Draft", "Drafts", zh="草稿")

    id: Mapped[Key]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), unique=True)
    """None for the one draft of the system: lines about what is new in this version."""
    base: Mapped[int]
    """The revision that it began with."""
    text: Mapped[Prose]
    at: Mapped[datetime]


class PolicyWord(Base):
    """A module, `customer`, or an action, `.claim`, about which this installation has the starter lines or was offered them."""

    __tablename__ = "policy_word"

    word: Mapped[str] = mapped_column(text_type(60), primary_key=True)
    at: Mapped[datetime]
