"""Stage periods: in which stage a customer or an opportunity was from when to when.

They are written with the log entry that says the stage has changed, so every way to a stage leads here.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, and_, bindparam, insert, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from .audit.recording import STAGED
from .base import Base, Key, text_type, trait
from .customer import Customer
from .database.bypass import Because
from .database.prepared import Prepared
from .names import Names
from .opportunity import Opportunity
from .people import User
from .stage_terms import is_renaming

_OPEN: dict[str, Any] = {
    "unique": True,
    "sqlite_where": text("ended_at IS NULL"),
    "postgresql_where": text("ended_at IS NULL"),
}


class CustomerStagePeriod(Base):
    """The time of a customer in one stage."""

    __tablename__ = "customer_stage_period"
    module, prefix, visible_through = "customer", "csp", "customer"
    names = Names("Time in a stage", "Stage history", zh="客户阶段记录")

    id: Mapped[Key]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    """The customer who was in the stage."""
    stage: Mapped[str] = mapped_column(text_type(40), info=trait(dictionary="stage"))
    """The stage at that time."""
    started_at: Mapped[datetime]
    """When it came into the stage."""
    ended_at: Mapped[datetime | None]
    """When it left the stage; null while it is there."""
    by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), info=trait(historical=True))
    """The user who put it there."""

    customer: Mapped[Customer] = relationship(lazy="raise_on_sql")
    by: Mapped[User | None] = relationship(foreign_keys=by_id, lazy="raise_on_sql")

    __table_args__ = (
        Index("ix_customer_stage_period_record", "customer_id", "id"),
        Index("uq_customer_stage_period_open", "customer_id", **_OPEN),
    )


class OpportunityStagePeriod(Base):
    """The time of an opportunity in one stage."""

    __tablename__ = "opportunity_stage_period"
    module, prefix, visible_through = "opportunity", "osp", "opportunity"
    names = Names("Time in a stage", "Stage history", zh="商机阶段记录")

    id: Mapped[Key]
    opportunity_id: Mapped[int] = mapped_column(ForeignKey("opportunity.id", ondelete="CASCADE"))
    """The opportunity that was in the stage."""
    stage: Mapped[str] = mapped_column(text_type(40), info=trait(dictionary="opportunity_stage"))
    """The stage at that time."""
    started_at: Mapped[datetime]
    """When it came into the stage."""
    ended_at: Mapped[datetime | None]
    """When it left the stage; null while it is there."""
    by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), info=trait(historical=True))
    """The user who put it there."""

    opportunity: Mapped[Opportunity] = relationship(lazy="raise_on_sql")
    by: Mapped[User | None] = relationship(foreign_keys=by_id, lazy="raise_on_sql")

    __table_args__ = (
        Index("ix_opportunity_stage_period_record", "opportunity_id", "id"),
        Index("uq_opportunity_stage_period_open", "opportunity_id", **_OPEN),
    )


class _Periods:
    """The statements over one of the two tables."""

    def __init__(self, model: type[Base], key: str) -> None:
        table: Any = model.__table__
        is_open = and_(table.c[key] == bindparam("of"), table.c.ended_at.is_(None))
        self.key = key
        self.rename = Prepared(update(table).where(is_open), ["stage"], because=Because.KEEPS_COPY)
        self.end = Prepared(update(table).where(is_open), ["ended_at"], because=Because.KEEPS_COPY)
        self.begin = Prepared(insert(table), [key, "stage", "started_at", "by_id"], because=Because.KEEPS_COPY)


_PERIODS = {
    Customer.__tablename__: _Periods(CustomerStagePeriod, "customer_id"),
    Opportunity.__tablename__: _Periods(OpportunityStagePeriod, "opportunity_id"),
}


def _write(session: Session, noted: Iterable[tuple[str, int, Mapping[str, list[Any]]]]) -> None:
    """End and begin the periods of these records: (table, id, changes as the log has them)."""
    now, by = session.info["now"], session.info["signature"].actor_id
    connection = session.connection()
    for table, periods in _PERIODS.items():
        staged = [(id, *changes["stage"]) for name, id, changes in noted if name == table and "stage" in changes]
        moved = [(id, old, new) for id, old, new in staged if old != new]
        if is_renaming(session):
            if moved:
                periods.rename.run_each(connection, [{"of": id, "stage": new} for id, _, new in moved])
            continue
        if ended := [{"of": id, "ended_at": now} for id, old, _ in moved if old is not None]:
            periods.end.run_each(connection, ended)
        if begun := [(id, new) for id, _, new in moved if new is not None]:
            rows = [{periods.key: id, "stage": new, "started_at": now, "by_id": by} for id, new in begun]
            periods.begin.run_each(connection, rows)


STAGED.append(_write)
