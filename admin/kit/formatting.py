"""Values as text and markup: in a cell of a list, among the facts of a record, in its history."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from models import Base, Tone
from models.custom_field import is_custom
from resolvers.reading.pages import Row, display_column
from resolvers.records.dictionaries import Word

from .fields import Field, Kind
from .labels import choice_label
from .panel_request import PanelRequest
from .translation import gettext as _

NOTHING = Markup('<span class="nothing" aria-hidden="true">–</span>')
_LOCALES = {"en": Locale.parse("en_GB"), "zh": Locale.parse("zh_CN")}
"""Parsed once, because it takes thirty times as long as to format a number."""

Address = Callable[[type[Base], int], str | None]
"""The address of a record, None if the user has no page for it."""

ColumnFormat = tuple[Field, str, str]
"""A column of a table: its field, its label, the classes of its cells."""


def column_formats(fields: Sequence[Field], widths: Mapping[str, str] | None = None) -> list[ColumnFormat]:
    """The columns of a table, computed once for all its rows.  `widths`: column -> the width that the user has chosen."""
    chosen = widths or {}
    return [(each, each.label, _classes(each, chosen.get(each.key), is_first=n == 0)) for n, each in enumerate(fields)]


def _classes(field: Field, width: str | None, *, is_first: bool) -> str:
    marks = {"first": is_first, "numeric": field.is_number, "phone": field.key == "phone", f"w-{width}": bool(width)}
    return " ".join([f"kind-{field.kind}", *(mark for mark, is_set in marks.items() if is_set)])


def cells(
    ask: PanelRequest, formats: Sequence[ColumnFormat], row: Row, address: Address, href: str | None
) -> list[tuple[str, str, Markup]]:
    """(label, classes, value) of every cell of a row.  The first one, and the name, link to `href`, if there is one."""
    return [
        (label, classes, _linked(cell(ask, field, row, address), field, href, is_first=n == 0))
        for n, (field, label, classes) in enumerate(formats)
    ]


def _linked(value: Markup, field: Field, href: str | None, *, is_first: bool) -> Markup:
    if field.kind is Kind.LONG and value is not NOTHING:
        value = Markup('<span class="clamp">%s</span>') % value
    if href and is_first:
        return Markup('<a class="open" href="%s">%s</a>') % (href, value)
    if href and value is not NOTHING and field.model is not None and field.key == display_column(field.model):
        return Markup('<a class="named" href="%s">%s</a>') % (href, value)
    return value


def cell(ask: PanelRequest, field: Field, row: Row, address: Address) -> Markup:
    """The value of a field of a row, ready for the page."""
    value = row[field.key]
    if value is None or value in ("", []):
        return NOTHING
    if field.kind is Kind.RECORD:
        return _record(field, value, row.names.get(field.key), address)
    return text(ask, field, value)


def text(ask: PanelRequest, field: Field, value: Any) -> Markup:
    """A value that points to no record, ready for the page."""
    match field.kind:
        case Kind.TIME:
            return moment(ask, value)
        case Kind.DATE:
            return Markup("<time>%s</time>") % day(ask, value)
        case Kind.MONEY | Kind.WHOLE | Kind.DECIMAL:
            return Markup('<span class="number">%s</span>') % number(ask, value, is_exact=field.kind is Kind.DECIMAL)
        case Kind.YES_NO:
            return _yes(field) if value else NOTHING
        case Kind.CHOICE:
            return badge(choice_label(value), tone_of(value))
        case Kind.WORDS:
            known = ask.words.get(field.dictionary or "", {}).get(value)
            return badge(word_label(known), known.tone) if known else badge(value, Tone.GREY)
        case Kind.WORD_LIST:
            words = ask.words.get(field.dictionary or "", {})
            shown = (key for key in value if key in words or not is_custom(key))  # a field that the user does not see
            found = ((word_label(words[key]), words[key].tone) if key in words else (key, Tone.GREY) for key in shown)
            return Markup(" ").join(badge(label, tone) for label, tone in found)
        case Kind.LINES:
            return Markup(", ").join(value)
    if kind := field.reach or (field.key if field.key in ("phone", "email") else ""):
        return reach(kind, value)
    return escape(value)


def reach(kind: str, value: str) -> Markup:
    """A phone number, an e-mail or a web address as a link; any other address as text."""
    match kind.lower():
        case "phone" if dialled := re.sub(r"[^\d+*#]", "", value):
            return Markup('<a href="tel:%s">%s</a>') % (quote(dialled, safe="+*"), value)
        case "email":
            return Markup('<a href="mailto:%s">%s</a>') % (quote(value, safe="@+"), value)
        case "link" if value.startswith(("https://", "http://")):
            return Markup('<a href="%s" target="_blank" rel="noopener noreferrer">%s</a>') % (value, value)
    return escape(value)


@lru_cache(maxsize=4096)
def badge(label: str, tone: Tone) -> Markup:
    return Markup('<span class="badge tone-%s">%s</span>') % (tone.value.lower(), label)


def tone_of(state: Enum | str) -> Tone:
    """The colour of a state: what a member of a choice means, whatever the language."""
    word = str(state.value if isinstance(state, Enum) else state)
    return Tone(word) if word in Tone.__members__ else _STATES.get(word, Tone.GREY)


_STATES = {
    "OK": Tone.GREEN,
    "DENIED": Tone.RED,
    "ADMIN": Tone.VIOLET,
    "MEMBER": Tone.BLUE,
    "CLAIM": Tone.GREEN,
    "ASSIGN": Tone.BLUE,
    "TRANSFER": Tone.BLUE,
    "RELEASE": Tone.AMBER,
    "DELETE": Tone.RED,
    "WAITING": Tone.AMBER,
    "RUNNING": Tone.BLUE,
    "DONE": Tone.GREEN,
    "FAILED": Tone.RED,
    "PENDING": Tone.AMBER,
    "REJECTED": Tone.RED,
    "APPROVED": Tone.GREEN,
}
_WARNINGS = {"locked", "do_not_contact"}


def word(ask: PanelRequest, field: Field, key: str) -> str:
    """The label of a dictionary word; its key if the dictionary no longer has it."""
    known = ask.words.get(field.dictionary or "", {}).get(key)
    return word_label(known) if known else key


def word_label(word: Word) -> str:
    """What a word is called; an archived one says that it is no longer offered."""
    return _("%(word)s (archived)") % {"word": word.label} if word.is_archived else word.label


def moment(ask: PanelRequest, at: datetime) -> Markup:
    local = ask.local(at)
    return Markup('<time datetime="%s">%s</time>') % (at.isoformat(), time_text(ask, local))


def time_text(ask: PanelRequest, local: datetime) -> str:
    """A local time as text: `24 Nov 2026 09:30`, `2026年11月24日 09:30`."""
    return _time_text(_LOCALES[ask.language], local.replace(second=0, microsecond=0, tzinfo=None))


@lru_cache(maxsize=4096)
def _time_text(locale: Locale, local: datetime) -> str:
    return f"{format_date(local.date(), 'medium', locale)} {format_datetime(local, 'HH:mm', locale=locale)}"


def day(ask: PanelRequest, at: date) -> str:
    return str(format_date(at, "medium", _LOCALES[ask.language]))


def number(ask: PanelRequest, value: int | Decimal, *, is_exact: bool = False) -> str:
    """A number with its groups: an amount with two decimals, unless `is_exact`, which has as many as it has."""
    pattern = ("#,##0.##########" if is_exact else "#,##0.00") if isinstance(value, Decimal) else "#,##0"
    return str(format_decimal(value, pattern, _LOCALES[ask.language]))


def _yes(field: Field) -> Markup:
    label = field.label if field.key in ("locked", "is_primary") else _("Yes")
    return badge(label, Tone.RED if field.key in _WARNINGS else Tone.TEAL)


def _record(field: Field, id: int, name: str | None, address: Address) -> Markup:
    if field.target is None:
        return escape(name or id)
    if name is None:
        return Markup('<span class="text-secondary">%s</span>') % _("not visible to you")
    to = address(field.target, id)
    return Markup('<a href="%s">%s</a>') % (to, name) if to else escape(name)
