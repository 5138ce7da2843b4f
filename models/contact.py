"""A person at a customer, and the numbers and addresses under which they are reached."""

import unicodedata
from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import MERGED, Entity, Line, Part, Prose, choice, text_type, trait
from .custom_field import Customised
from .customer import Customer
from .names import Names
from .people import User


class Contact(Customised, Entity):
    """A person at a customer, visible to whoever sees the customer."""

    __tablename__ = "contact"
    module, prefix, visible_through = "contact", "con", "customer"
    in_bulk = has_files = True
    names = Names("Contact", "Contacts", zh="联系人")
    beside = ("title", "customer_id")
    inherited = frozenset({"owner_id"})

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), info=trait(immutable=True))
    """The customer at which the person works; their page is seen by who sees that customer."""
    name: Mapped[Line]
    """What the person is called."""
    title: Mapped[str | None]
    """The position, like “Head of purchasing”."""
    is_primary: Mapped[bool] = mapped_column(default=False)
    """Whether it is the first contact of the customer. A customer has at most one: setting another one takes it from
    this."""
    do_not_contact: Mapped[bool] = mapped_column(default=False)
    """Whether the person does not want to be called or written to; the panel warns of it."""
    birthday: Mapped[date | None]
    """The day of birth."""
    remark: Mapped[Prose | None]
    """What users want to remember; several lines."""
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), index=True, info=trait(immutable=True))
    """The user who looks after this person; null follows the customer's owner."""
    merged_into_id: Mapped[int | None] = mapped_column(
        ForeignKey("contact.id"), info=trait(system_managed=True, historical=True)
    )
    """The contact that is the same person, since their customers were merged."""

    customer: Mapped[Customer] = relationship(foreign_keys=customer_id, lazy="raise_on_sql")
    owner: Mapped[User | None] = relationship(foreign_keys=owner_id, lazy="raise_on_sql")
    points: Mapped[list["ContactPoint"]] = relationship(
        back_populates="contact",
        order_by="ContactPoint.position",
        cascade="all, delete-orphan",
        passive_deletes=True,
        lazy="raise_on_sql",
    )

    __table_args__ = (
        Index("ix_contact_customer", "customer_id", "created_at", "id"),
        Index("ix_contact_live", "created_at", "id"),
        Index("ix_contact_name", "name"),
        Index("ix_contact_merged", "merged_into_id", **MERGED),
        Index(
            "uq_contact_primary",
            "customer_id",
            unique=True,
            sqlite_where=text("is_primary AND deleted_at IS NULL"),
            postgresql_where=text("is_primary AND deleted_at IS NULL"),
        ),
    )


class PointKind(StrEnum):
    """What kind of number or address."""

    PHONE = "PHONE"
    """A phone number; duplicates are found by its digits, whatever stands between them."""
    EMAIL = "EMAIL"
    """An e-mail address; case does not matter."""
    WECHAT = "WECHAT"
    """An account of WeChat."""
    OTHER = "OTHER"
    """Anything else, like a fax or another messenger."""


class ContactPoint(Part):
    """One phone number, e-mail or other address of a contact."""

    __tablename__ = "contact_point"
    module, prefix, visible_through, part_of = "contact", "cpt", "contact", "contact"
    names = Names("Phone or address", "Phones and addresses", zh="联系方式")

    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    """The contact who is reached by it."""
    kind: Mapped[PointKind] = choice(PointKind)
    """What sort of number or address it is."""
    value: Mapped[Line]
    """The number or address as it was typed."""
    value_key: Mapped[str] = mapped_column(text_type(200), index=True, info=trait(system_managed=True))
    """What is compared: digits of a phone number, an address in small letters."""
    position: Mapped[int] = mapped_column(default=0, info=trait(system_managed=True))
    """The place in the list of the contact, from 0."""

    contact: Mapped[Contact] = relationship(back_populates="points", lazy="raise_on_sql")

    __table_args__ = (
        CheckConstraint("value <> ''", name="value"),
        Index("ix_contact_point_contact", "contact_id", "position"),
    )


def key_of(kind: PointKind, value: str) -> str:
    """The form of an address that is compared: `+86 138-0013 8000` and `008613800138000` are one number."""
    value = unicodedata.normalize("NFKC", value)
    if kind is PointKind.PHONE:
        digits = "".join(str(unicodedata.digit(c)) for c in value if c.isdigit())
        return digits.removeprefix("00").removeprefix("86") if len(digits) > 11 else digits
    return value.strip().lower()
