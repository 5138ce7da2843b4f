"""Numbers of records: the pattern language, the counter behind it, and the numbers of what is gone."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import LIVE, Base, Entity, Key, Word, text_type, trait
from .errors import Validation

_TOKEN = re.compile(r"\{(YYYY|YY|MM|DD|seq:[1-9])\}")


@dataclass(frozen=True)
class Pattern:
    """`C{YYYY}{seq:3}`: letters, parts of the date, and one sequence with its least number of digits.

    The sequence starts again whenever the part before it changes; it grows beyond its digits: C2026999, C20261000.
    """

    text: str

    def __post_init__(self) -> None:
        if len(re.findall(r"\{seq:[1-9]\}", self.text)) != 1 or re.search(r"[{}]", _TOKEN.sub("", self.text)):
            raise Validation(
                "A number pattern has letters, {YYYY} {YY} {MM} {DD} and exactly one {seq:3}.",
                "编号规则由字母、{YYYY} {YY} {MM} {DD} 和一个 {seq:3} 组成。",
                field="pattern",
            )

    def period(self, day: date) -> str:
        """What stays the same while the sequence counts on, `C2026` for C{YYYY}{seq:3}."""
        return _TOKEN.sub(lambda token: _dated(token[1], day), self.text)

    def number(self, day: date, sequence: int) -> str:
        digits = int(self._sequence()[1])
        return self.period(day).replace("#", f"{sequence:0{digits}d}")

    def sequence_of(self, number: str, day: date) -> int | None:
        """The sequence inside a number of this day's period, None when the number is of another kind."""
        before, after = self.period(day).split("#")
        found = re.fullmatch(re.escape(before) + r"(\d{1,15})" + re.escape(after), number)
        return int(found[1]) if found else None

    def _sequence(self) -> re.Match[str]:
        found = re.search(r"\{seq:([1-9])\}", self.text)
        assert found is not None, "checked when the pattern was made"
        return found


def _dated(token: str, day: date) -> str:
    forms = {"YYYY": f"{day.year:04d}", "YY": f"{day.year % 100:02d}", "MM": f"{day.month:02d}", "DD": f"{day.day:02d}"}
    return forms.get(token, "#")


class NumberRule(Entity):
    """By which pattern the records of a module are numbered."""

    __tablename__ = "number_rule"
    module, prefix, named_by, order = "number", "nru", "for_module", "for_module"
    search = ()

    for_module: Mapped[Word] = mapped_column(info=trait(once=True))
    pattern: Mapped[str] = mapped_column(text_type(60))

    __table_args__ = (Index("uq_number_rule_module", "for_module", unique=True, **LIVE),)


class NumberCounter(Base):
    """The last sequence given in a period; updated in the transaction that uses it, so no number is lost or doubled."""

    __tablename__ = "number_counter"

    for_module: Mapped[Word] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(text_type(60), primary_key=True)
    last: Mapped[int]


class Tombstone(Base):
    """What stays of a purged record: its number, which is never given again."""

    __tablename__ = "tombstone"

    id: Mapped[Key]
    for_module: Mapped[Word]
    record_id: Mapped[int]
    number: Mapped[str | None] = mapped_column(text_type(40))
    purged_at: Mapped[datetime]
    purged_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    __table_args__ = (Index("uq_tombstone_number", "for_module", "number", unique=True),)
