"""The organisation that this installation belongs to: one row."""

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import Entity, Line, text_type, trait
from .names import Names


class Organisation(Entity):
    """Name, time zone, currency, language and the rules that hold for everybody."""

    __tablename__ = "organisation"
    module, prefix, singleton = "organisation", "org", True
    names = Names("Organisation", "Organisation", zh="组织信息")

    name: Mapped[Line] = mapped_column(default="Millpond")
    """What the organisation is called in the panel and in e-mails."""
    time_zone: Mapped[str] = mapped_column(text_type(60), default="UTC")
    """The zone of days, weeks and months, by its name of IANA, like `Asia/Shanghai`."""
    currency: Mapped[str] = mapped_column(text_type(3), default="CNY")
    """The currency of amounts that say none: three letters of ISO 4217."""
    language: Mapped[str] = mapped_column(text_type(8), default="en")
    """The language of who has chosen none: `en` or `zh`."""
    support_contact: Mapped[str | None]
    """Whom users ask for help; shown where something is refused."""
    capacity: Mapped[int | None]
    """How many customers one person may hold, unless department or person say otherwise; None is no limit."""
    contact_required: Mapped[bool] = mapped_column(default=True)
    """Whether a new customer needs the name and the phone of a contact."""
    approve_customers: Mapped[bool] = mapped_column(default=False)
    """Whether a second user has to approve each new customer before it is worked with."""
    follow_up_days_back: Mapped[int] = mapped_column(default=3650, info=trait(not_negative=True))
    """Maximum age of a follow-up when it is written, in days."""
    follow_up_days_ahead: Mapped[int] = mapped_column(default=1, info=trait(not_negative=True))
    """Maximum number of days by which the time of a follow-up may lie ahead, for clocks that differ."""
    call_counts: Mapped[bool] = mapped_column(default=True)
    """Whether follow-ups of the kind CALL count as a contact with the customer."""
    visit_counts: Mapped[bool] = mapped_column(default=True)
    """Whether follow-ups of the kind VISIT count as a contact with the customer."""
    email_counts: Mapped[bool] = mapped_column(default=True)
    """Whether follow-ups of the kind EMAIL count as a contact with the customer."""
    wechat_counts: Mapped[bool] = mapped_column(default=True)
    """Whether follow-ups of the kind WECHAT count as a contact with the customer."""
    meeting_counts: Mapped[bool] = mapped_column(default=True)
    """Whether follow-ups of the kind MEETING count as a contact with the customer."""
    note_counts: Mapped[bool] = mapped_column(default=True)
    """Whether follow-ups of the kind NOTE count as a contact with the customer."""
    follow_up_characters: Mapped[int] = mapped_column(default=2, info=trait(not_negative=True))
    """Minimum length of the text of a follow-up that counts, in characters without spaces."""
    follow_up_copy_days: Mapped[int] = mapped_column(default=30, info=trait(not_negative=True))
    """Number of days within which the same text of the same author counts once; 0 lets every text count."""
    export_rows: Mapped[int | None] = mapped_column(info=trait(not_negative=True))
    """Maximum number of rows of one export; None is no limit."""
    two_for_policy: Mapped[bool] = mapped_column(default=False)
    """Whether a second user has to activate a policy that gives a right to export, to purge or to change the policy."""

    __table_args__ = (
        CheckConstraint("id = 1", name="only_one"),
        CheckConstraint("capacity IS NULL OR capacity >= 0", name="capacity"),
    )
