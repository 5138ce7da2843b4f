"""Numbers of records: the pattern language, the counter behind it, and the numbers of what is gone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import LIVE, Base, Entity, Key, Word, text_type, trait
from .input_errors import Format
from .names import Names
from .text import counted, narrow, natural_key, number_key

_TOKEN = re.compile(r"\{(YYYY|YY|MM|DD|seq:[1-9])\}")
_PIECES = re.compile(r"(\{[^}]+\})")
_LONGEST = 40
LARGEST_JUMP = 10_000
LARGEST_SEQUENCE = 10**9 - 1
"""Maximum step of the counter to a number given by hand, so that none brings it to its end."""


@dataclass(frozen=True)
class Pattern:
    """`C{YYYY}{seq:3}`: letters, parts of the date, and one sequence with its least number of digits.

    The sequence starts again whenever the part before it changes; it grows beyond its digits: C2026999, C20261000.
    """

    text: str

    def __post_init__(self) -> None:
        tokens = _TOKEN.findall(self.text)
        plain = _TOKEN.sub("", self.text)
        if sum(token.startswith("seq") for token in tokens) != 1 or not re.fullmatch(r"[A-Za-z0-9./_-]*", plain):
            raise Format(
                "A number pattern has letters, {YYYY} {YY} {MM} {DD} and exactly one {seq:3}.",
                "编号格式由字母、{YYYY} {YY} {MM} {DD} 和一个 {seq:3} 组成。",
                field="pattern",
                example="C{YYYY}{seq:3}",
            )
        if ("MM" in tokens and not {"YY", "YYYY"} & {*tokens}) or ("DD" in tokens and "MM" not in tokens):
            raise Format(
                "A number pattern with {MM} needs the year, one with {DD} the month: else its numbers come again.",
                "编号格式含 {MM} 时须有年份，含 {DD} 时须有月份，否则编号会重复。",
                field="pattern",
                example="C{YYYY}{seq:3}",
            )
        if len(self.number(date(2000, 1, 1), LARGEST_SEQUENCE)) > _LONGEST:
            raise Format(
                "A number pattern makes at most 40 characters.",
                "编号格式最多生成 40 个字符。",
                field="pattern",
                example="C{YYYY}{seq:3}",
            )

    def period(self, day: date) -> str:
        """What stays the same while the sequence counts on, `C2026#` for C{YYYY}{seq:3}."""
        return _TOKEN.sub(lambda token: _dated(token[1], day), self.text)

    def number(self, day: date, sequence: int) -> str:
        return self.of(self.period(day), sequence)

    def of(self, period: str, sequence: int) -> str:
        return period.replace("#", f"{sequence:0{self._digits}d}")

    def read(self, number: str) -> tuple[str, int] | None:
        """(period, sequence) of a number that this pattern makes on some day, None for one of another kind."""
        found = re.fullmatch("".join(self._shape()), number, re.ASCII)
        if found is None:
            return None
        sequence = found["seq"]
        if len(sequence) < self._digits or (len(sequence) > self._digits and sequence[0] == "0"):
            return None
        return f"{number[: found.start('seq')]}#{number[found.end('seq') :]}", int(sequence)

    def spelled(self, number: str) -> str:
        """A number given by hand in the letters of the pattern, if it is one that the pattern makes on some day."""
        found = re.fullmatch("".join(self._shape()), number, re.ASCII | re.IGNORECASE)
        if found is None:
            return number
        spelled, at = "", 0
        for piece in _PIECES.split(self.text):
            length = _length(piece, found)
            spelled += number[at : at + length] if piece.startswith("{") else piece
            at += length
        return spelled

    def order(self, number: str) -> str:
        """The sort key of a number: by period, then by sequence; a number of another kind sorts by its text."""
        found = self.read(self.spelled(narrow(number)))
        if found is None:
            return natural_key(number)
        period, sequence = found
        return f"{natural_key(period.replace('#', ' '))}#{counted(str(sequence))}"

    def _shape(self) -> Iterator[str]:
        """The pattern as a regular expression, piece by piece."""
        for piece in _PIECES.split(self.text):
            token = piece.strip("{}") if piece.startswith("{") else ""
            digits = {"YYYY": r"\d{4}", "YY": r"\d{2}", "MM": r"\d{2}", "DD": r"\d{2}"}
            yield r"(?P<seq>\d{1,15})" if token.startswith("seq") else digits.get(token, re.escape(piece))

    @property
    def _digits(self) -> int:
        found = re.search(r"\{seq:([1-9])\}", self.text)
        assert found is not None, "checked when the pattern was made"
        return int(found[1])


def _length(piece: str, found: re.Match[str]) -> int:
    """The number of characters of a number that a piece of the pattern stands for."""
    return len(found["seq"]) if piece.startswith("{seq") else len(piece.strip("{}"))


def _dated(token: str, day: date) -> str:
    forms = {"YYYY": f"{day.year:04d}", "YY": f"{day.year % 100:02d}", "MM": f"{day.month:02d}", "DD": f"{day.day:02d}"}
    return forms.get(token, "#")


class NumberRule(Entity):
    """By which pattern the records of a module are numbered."""

    __tablename__ = "number_rule"
    module, prefix, named_by, order = "number", "nru", "for_module", "for_module"
    names = Names("Number rule", "Number rules", zh="编号规则")
    search = ()

    for_module: Mapped[Word] = mapped_column(info=trait(immutable=True))
    """The module whose records it numbers, like `customer`."""
    pattern: Mapped[str] = mapped_column(text_type(60))
    """How a number is made: letters, `{YYYY}`, `{YY}`, `{MM}`, `{DD}` and one `{seq:3}`, like `C{YYYY}{seq:3}`."""
    largest_jump: Mapped[int] = mapped_column(default=LARGEST_JUMP, server_default=str(LARGEST_JUMP))
    """How far ahead of the sequence a number given by hand may be and still move it."""

    __table_args__ = (
        CheckConstraint("largest_jump >= 0", name="largest_jump"),
        Index("uq_number_rule_module", "for_module", unique=True, **LIVE),
    )


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
    number_key: Mapped[str | None] = mapped_column(text_type(120), info=trait(key_of="number", by=number_key))
    purged_at: Mapped[datetime]
    purged_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    __table_args__ = (
        Index("uq_tombstone_number", "for_module", "number", unique=True),
        Index("ix_tombstone_number_key", "for_module", "number_key"),
    )
