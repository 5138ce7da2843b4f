"""Shares: a customer shown to a user, department or role, until a date; and requests for one."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, false, text, true
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Key, choice, text_type
from .names import Names
from .pool import GranteeKind


class ShareLevel(StrEnum):
    """Whether the other may only look or also edit."""

    VIEW = "VIEW"
    """They look at the customer."""
    EDIT = "EDIT"
    """They also change it, and add to it."""


SHARE = Names("Share", "Shares", zh="共享")
SHARE_REQUEST = Names("Request for a share", "Requests for shares", zh="共享申请")

INCLUDED = {"contact": "contacts", "opportunity": "opportunities", "followup": "follow_ups", "plan": "plans"}
"""Module of a kind of related records -> the column that says whether a share opens those of its customer.

What is not named here goes with the customer, like the periods of its stages.
"""


class Share(Base):
    """One customer shared with one person, department or role.  It ends by itself: the policy asks the clock."""

    __tablename__ = "share"

    id: Mapped[Key]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    grantee_kind: Mapped[GranteeKind] = choice(GranteeKind)
    grantee_id: Mapped[int]
    level: Mapped[ShareLevel] = choice(ShareLevel)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    granted_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    note: Mapped[str | None] = mapped_column(text_type(200))
    contacts: Mapped[bool] = mapped_column(default=True, server_default=true())
    opportunities: Mapped[bool] = mapped_column(default=True, server_default=true())
    follow_ups: Mapped[bool] = mapped_column(default=True, server_default=true())
    plans: Mapped[bool] = mapped_column(default=True, server_default=true())
    may_reshare: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether its grantee may share the customer further: not longer, not at a higher level, with no more records."""
    passed_on_from_id: Mapped[int | None] = mapped_column(index=True)
    """The share by which the granter had the customer; it ends with that one.  None where a right of the granter gave it.

    No foreign key: the share that was passed on may be deleted with its grantee, and no id is given twice.
    """
    notice_at: Mapped[datetime | None]
    """When its grantee is told next that it is about to end, or has ended; None when nothing is left to tell."""

    __table_args__ = (
        CheckConstraint("ends_at IS NULL OR starts_at < ends_at", name="period"),
        Index("ix_share_grantee", "grantee_kind", "grantee_id", "customer_id"),
        Index("ix_share_customer", "customer_id"),
        Index("ix_share_granter", "granted_by_id"),
        Index(
            "ix_share_notice",
            "notice_at",
            sqlite_where=text("notice_at IS NOT NULL"),
            postgresql_where=text("notice_at IS NOT NULL"),
        ),
    )

    @property
    def include(self) -> frozenset[str]:
        """The modules of the related records that it opens."""
        return frozenset(module for module, column in INCLUDED.items() if getattr(self, column))


class RequestState(StrEnum):
    """What became of a request for a share."""

    WAITING = "WAITING"
    """The owner has not answered yet."""
    GRANTED = "GRANTED"
    """The customer was shared."""
    DECLINED = "DECLINED"
    """It was not; `answer` says why."""


class ShareRequest(Base):
    """One user asks the owner of a customer to share it with them."""

    __tablename__ = "share_request"

    id: Mapped[Key]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    level: Mapped[ShareLevel] = choice(ShareLevel)
    reason: Mapped[str] = mapped_column(text_type(200))
    asked_at: Mapped[datetime]
    state: Mapped[RequestState] = choice(RequestState, default=RequestState.WAITING)
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    answered_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(text_type(200))
    """Why it was declined."""

    __table_args__ = (Index("ix_share_request_customer", "customer_id", "state"),)
