"""Former names: the names and numbers under which a customer was known, by which it is still found."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, ForeignKey, Index, bindparam, cast, event, exists, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from .base import Base, Key, Line, choice, text_type
from .customer import Customer
from .database.prepared import Prepared
from .database.sqlalchemy_internals import former_values
from .text import KEY_BYTES, fold


class NameKind(StrEnum):
    """What the customer was called by."""

    NAME = "NAME"
    """A name that the record had, as people wrote it."""
    NUMBER = "NUMBER"
    """A number that the record had before a merge or a change."""


class FormerName(Base):
    """A name or number that a customer had, or that a customer had which was merged into it.

    Who may see the customer's name, or its number, may see the former ones.
    """

    __tablename__ = "former_name"

    id: Mapped[Key]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    kind: Mapped[NameKind] = choice(NameKind)
    value: Mapped[Line]
    value_key: Mapped[str] = mapped_column(text_type(KEY_BYTES))
    """What is compared: `comparable` of the value."""
    at: Mapped[datetime]
    """When it ceased to be the name."""

    __table_args__ = (
        Index("ix_former_name_customer", "customer_id", "kind", "value_key"),
        Index("ix_former_name_key", "value_key"),
    )


def remember(at: Session | Connection, customer_id: int, kind: NameKind, value: str, when: datetime) -> None:
    """Keep a former name, once for each form in which names are compared."""
    _REMEMBERING.run(at, customer_id=customer_id, kind=kind, value=value, value_key=comparable(value), at=when)


def comparable(value: str) -> str:
    """The form in which former names are compared, short enough for an index."""
    return fold(value).encode()[:KEY_BYTES].decode(errors="ignore")


_TABLE: Any = FormerName.__table__
_GIVEN = {
    key: cast(bindparam(key, type_=_TABLE.c[key].type), _TABLE.c[key].type)
    for key in ("customer_id", "kind", "value", "value_key", "at")
}
_KNOWN = exists().where(*(_TABLE.c[key] == _GIVEN[key] for key in ("customer_id", "kind", "value_key")))
_REMEMBERING = Prepared(insert(_TABLE).from_select([*_GIVEN], select(*_GIVEN.values()).where(~_KNOWN)))


@event.listens_for(Session, "after_flush")
def _remember_renames(session: Session, _context: object) -> None:
    """Keep the former name of each customer that this flush renames."""
    for row, value in _renamed(session):
        remember(session, row.id, NameKind.NAME, value, session.info["now"])


def _renamed(session: Session) -> Iterator[tuple[Customer, str]]:
    for row in session.dirty:
        if isinstance(row, Customer):
            former = former_values(row).get("name")
            if isinstance(former, str) and former != row.name:
                yield row, former
