"""Custom fields: what an organisation adds to its records by itself.  Their values lie in one JSON column, `custom`.

A definition is a row.  All definitions together are a `Book`, which never changes: the snapshot of the policy holds one,
so whatever is kept for a policy (plans, clauses, cells) is kept for a book, too.
"""

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import CheckConstraint, Index, Table, event
from sqlalchemy.orm import Mapped, Session, mapped_column, validates

from .base import LIVE, Base, Entity, Hash, Line, Word, choice, json_type, long_text, moment_of, time_text, trait
from .database.bypass import Because, bypass_policy
from .database.prepared import upsert
from .field_names import FieldWord
from .input_errors import Format
from .names import Names

PREFIX = "custom."
"""What stands before the key of a custom field among the columns: `custom.satisfaction`."""
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


class CustomKind(StrEnum):
    """What a custom field holds."""

    TEXT = "TEXT"
    """One line of text."""
    LONG_TEXT = "LONG_TEXT"
    """Text of several lines."""
    NUMBER = "NUMBER"
    """A number with at most 6 decimals."""
    MONEY = "MONEY"
    """An amount in the currency of the organisation, with 2 decimals."""
    DATE = "DATE"
    """A day."""
    MOMENT = "MOMENT"
    """A day and a time."""
    YES_NO = "YES_NO"
    """Yes, no or empty."""
    SINGLE_CHOICE = "SINGLE_CHOICE"
    """One word of a dictionary."""
    MULTIPLE_CHOICE = "MULTIPLE_CHOICE"
    """Several words of a dictionary."""
    PHONE = "PHONE"
    """A phone number."""
    EMAIL = "EMAIL"
    """An e-mail address."""
    LINK = "LINK"
    """The address of a page, with `https://` or `http://`."""
    PERSON = "PERSON"
    """A user."""
    REFERENCE = "REFERENCE"
    """A record of another kind, which `target` names."""


CHOICES = frozenset({CustomKind.SINGLE_CHOICE, CustomKind.MULTIPLE_CHOICE})
"""The kinds whose options are the words of a dictionary."""
LINKS = frozenset({CustomKind.PERSON, CustomKind.REFERENCE})
"""The kinds that hold the id of another record."""
UNSORTED = frozenset({CustomKind.LONG_TEXT, CustomKind.MULTIPLE_CHOICE})
"""The kinds by which no list is ordered, and which no index serves."""


class CustomField(Entity):
    """The definition of one custom field of one kind of records."""

    __tablename__ = "custom_field"
    module, prefix, named_by, order = "customfield", "fld", "label_en", "position"
    names = Names("Custom field", "Custom fields", zh="自定义字段")
    search = ("key", "label_en", "label_zh")

    for_module: Mapped[Word] = mapped_column(info=trait(immutable=True))
    """The module whose records have the field: `customer`."""
    key: Mapped[Word] = mapped_column(info=trait(immutable=True, generated=True))
    """The name under which values are stored.  Neither a new label nor a new kind changes it."""
    kind: Mapped[CustomKind] = choice(CustomKind, info=trait(immutable=True))
    """What it holds.  Another kind is a command of its own, because stored values have to become values of it."""
    label_en: Mapped[Line] = mapped_column(info=trait(generated=True))
    """Its name; the Chinese one where no English one is given."""
    label_zh: Mapped[str | None]
    """Its Chinese name; the English one where no Chinese one is given."""
    help_en: Mapped[str | None] = mapped_column(long_text())
    """What a form says below the field, in English."""
    help_zh: Mapped[str | None] = mapped_column(long_text())
    """What a form says below the field, in Chinese."""
    is_required: Mapped[bool] = mapped_column(default=False)
    """Whether users who see the field have to fill it in new records."""
    position: Mapped[int] = mapped_column(default=0)
    """The place in forms and on pages."""
    dictionary: Mapped[Word | None] = mapped_column(info=trait(immutable=True))
    """The code of the dictionary whose words are the options of a choice."""
    target: Mapped[Word | None] = mapped_column(info=trait(immutable=True))
    """The module of the records that a REFERENCE holds."""
    is_searchable: Mapped[bool] = mapped_column(default=False)
    """Whether lists are filtered and ordered by it so often that it is worth an index."""
    searchable_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True))
    """When the index was complete."""
    converting_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True))
    """Since when a job makes stored values those of its present kind; None where all of them are."""
    retired_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True))
    """Since when no form offers it.  Its values stay."""

    __table_args__ = (Index("uq_custom_field_key", "for_module", "key", unique=True, **LIVE),)

    @validates("key")
    def _check_key(self, _name: str, key: str) -> str:
        """Refuse a key that cannot stand in SQL, in policy lines and in addresses as it is.  Raises Validation."""
        if not is_key(key):
            english = "A key has at most 40 small letters, digits and underscores, and begins with a letter."
            chinese = "键由小写字母、数字和下划线组成，以字母开头，最多 40 个字符。"
            raise Format(english, chinese, field="key", example="net_score")
        return key


def is_key(text: str) -> bool:
    """Whether a text can be the key of a custom field."""
    return _KEY.fullmatch(text) is not None


class FieldBook(Base):
    """One row that changes with every definition, so that each process knows when to read them anew."""

    __tablename__ = "field_book"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    edition: Mapped[Hash]
    """Random, so that what was undone is never taken for what is in force."""

    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)


class UnconvertedValue(Base):
    """A stored value that is still one of the former kind of its field: nobody is shown it until a job writes `becomes` in its place."""

    __tablename__ = "unconverted_value"
    field_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    record_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    becomes: Mapped[Any] = mapped_column(json_type(), nullable=False)


class Customised:
    """The trait of an entity that has custom fields: the column that holds their values, by key, as JSON."""

    custom: Mapped[dict[str, Any] | None] = mapped_column(
        json_type(), info=trait(system_managed=True, holds_custom=True), sort_order=99
    )


@dataclass(frozen=True)
class Custom:
    """The definition of one custom field, as all but its editor need it."""

    id: int
    module: str
    key: str
    kind: CustomKind
    label_en: str
    label_zh: str | None = None
    help_en: str | None = None
    help_zh: str | None = None
    is_required: bool = False
    position: int = 0
    dictionary: str | None = None
    target: str | None = None
    is_searchable: bool = False
    is_retired: bool = False
    is_converting: bool = False  # whether some records still hold a value of its former kind

    @property
    def word(self) -> str:
        """What it is called among the columns, and in the log: `custom.satisfaction`."""
        return f"{PREFIX}{self.key}"

    @property
    def named(self) -> FieldWord:
        """The same word with its names, for refusals."""
        return FieldWord(self.word, (self.label("en"), self.label("zh")))

    @property
    def object(self) -> str:
        """What policy lines call it: `customer.custom.satisfaction`."""
        return f"{self.module}.{self.word}"

    @property
    def is_list(self) -> bool:
        """Whether it holds a list of words."""
        return self.kind is CustomKind.MULTIPLE_CHOICE

    @property
    def is_sorted(self) -> bool:
        """Whether lists can be ordered by it."""
        return self.kind not in UNSORTED

    def label(self, language: str) -> str:
        """Its name in a language."""
        return (self.label_zh if language.startswith("zh") else None) or self.label_en

    def help(self, language: str) -> str | None:
        """What a form says below it, in a language."""
        return (self.help_zh if language.startswith("zh") else None) or self.help_en


@dataclass(frozen=True)
class Book:
    """All custom fields of one edition, retired ones included.  It never changes."""

    fields: Mapping[tuple[str, str], Custom] = field(default_factory=dict, compare=False)
    """(module, key) -> field, in the order of forms."""
    revision: str = ""
    """The edition; empty before the first definition."""

    @classmethod
    def made(cls, fields: Iterable[Custom], revision: str = "") -> "Book":
        """The book of these fields."""
        ordered = sorted(fields, key=lambda x: (x.module, x.position, x.id))
        return cls({(x.module, x.key): x for x in ordered}, revision)

    def of(self, module: str) -> tuple[Custom, ...]:
        """The fields of a module in the order of forms, retired ones left out."""
        return tuple(x for x in self.fields.values() if x.module == module and not x.is_retired)

    def all_of(self, module: str) -> tuple[Custom, ...]:
        """The same with retired ones, which records may still hold."""
        return tuple(x for x in self.fields.values() if x.module == module)

    def find(self, module: str, word: str) -> Custom | None:
        """The field that is called `custom.<key>` among the columns of a module, a retired one, too; else None."""
        return self.fields.get((module, word.removeprefix(PREFIX))) if is_custom(word) else None


def is_custom(word: str) -> bool:
    """Whether a word among the columns of an entity means a custom field, known or not."""
    return word.startswith(PREFIX)


class ManyValues(str):
    """What stands for several values that were given of one field; use cases refuse it."""


class FormerKind(str):
    """What stands for a value of a kind that the field had before; use cases refuse it."""


# --- values ----------------------------------------------------------------------------------------------


def stored_value(value: Any) -> Any:
    """A cleaned value as the column and the log hold it: numbers, amounts, days and times as text."""
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else value


def python_value(kind: CustomKind, stored: Any) -> Any:
    """The value that `stored_value` wrote: Decimal, date, datetime, bool, text, list of keys, id."""
    if stored is None:
        return None
    if kind in (CustomKind.NUMBER, CustomKind.MONEY):
        return Decimal(stored)
    if kind is CustomKind.DATE:
        return date.fromisoformat(stored)
    return moment_of(stored) if kind is CustomKind.MOMENT else stored


def past_value(kind: CustomKind, stored: Any) -> Any:
    """The same for what the log holds, whose field may have had another kind then: a FormerKind for what is no value."""
    try:
        return python_value(kind, stored)
    except (ValueError, TypeError, ArithmeticError):
        return FormerKind()


# --- the edition -----------------------------------------------------------------------------------------


@event.listens_for(Session, "after_flush")
def _begin_edition(session: Session, _context: object) -> None:
    """Begin a new edition in the transaction that changes a definition, whichever use case does."""
    if any(isinstance(row, CustomField) for row in (*session.new, *session.dirty, *session.deleted)):
        book = cast("Table", FieldBook.__table__)
        connection, edition = session.connection(), secrets.token_hex(16)
        begun = upsert(connection.dialect)(book).values(id=1, edition=edition)
        begun = begun.on_conflict_do_update(index_elements=["id"], set_={"edition": edition})
        connection.execute(begun, execution_options=bypass_policy(Because.APPLIES_TO_ALL))
