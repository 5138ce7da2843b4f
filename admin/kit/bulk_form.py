"""The form of a bulk change: which records, which field, which value, then its preview, then the confirmation."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from starlette.datastructures import FormData

from models import User
from models.export import ExportRange
from resolvers.bulk.previewing import MOST_COUNTED, Preview, called
from resolvers.bulk.wanted import OWNER, Given, Handover, Words, stored
from resolvers.exports.cells import Cell
from resolvers.exports.listing import Listing
from resolvers.ownership.dependents import kinds_of_dependents

from .fields import Field, Kind
from .formatting import day, number, time_text
from .labels import many
from .panel_request import PanelRequest
from .translation import Label
from .translation import gettext as _

SET, CLEAR, ADD, REMOVE = "set", "clear", "add", "remove"
HOW: dict[str, Label] = {
    SET: Label("Set to this value"),
    CLEAR: Label("Clear the field"),
    ADD: Label("Add these words"),
    REMOVE: Label("Remove these words"),
}
RELATED = tuple(kinds_of_dependents())
"""The kinds of records that may go along with customers."""
NEW_OWNER = Field(OWNER, Kind.RECORD, target=User, name=Label("New owner"))
LONGEST_REASON = 200


@dataclass(frozen=True)
class Filled:
    """What the form holds.  `key`: the field, "" until one is chosen."""

    range: ExportRange
    key: str = ""
    how: str = SET
    reason: str = ""
    related: tuple[str, ...] = tuple(kind.module for kind in RELATED)
    insist: bool = False
    lift_lock: bool = False


def filled_in(form: FormData, first: Filled, keys: Sequence[str]) -> Filled:
    """The form as it was sent."""
    range, key, how = (str(form.get(name, "")) for name in ("range", "field", "how"))
    is_asked = "related-asked" in form
    chosen = tuple(kind.module for kind in RELATED if kind.module in form.getlist("related"))
    return Filled(
        ExportRange(range) if range in tuple(ExportRange) else first.range,
        key if key in keys else first.key,
        how if how in HOW else SET,
        str(form.get("reason", ""))[: LONGEST_REASON + 1],
        chosen if is_asked else first.related,
        form.get("insist") == "y",
        form.get("lift_lock") == "y",
    )


def ways(field: Field) -> dict[str, Label]:
    """How a field may change."""
    if field.key == OWNER:
        return {}
    names = [SET, *([] if field.is_required or field.kind is Kind.YES_NO else [CLEAR])]
    names += [ADD, REMOVE] if field.kind is Kind.WORD_LIST else []
    return {name: HOW[name] for name in names}


def given_of(filled: Filled, field: Field, value: Any) -> Given | None:
    """What the form asks for; None where its value is missing."""
    if field.key == OWNER:
        return {OWNER: Handover(value, _related(filled), filled.insist, filled.lift_lock)} if value else None
    if filled.how == CLEAR:
        return {field.key: [] if field.kind in (Kind.WORD_LIST, Kind.LINES) else None}
    if value in (None, "", []):
        return None
    if filled.how in (ADD, REMOVE) and field.kind is Kind.WORD_LIST:
        return {field.key: Words(**{filled.how: tuple(value)})}
    return {field.key: value}


def _related(filled: Filled) -> tuple[str, ...] | None:
    return None if len(filled.related) == len(RELATED) else filled.related


def mark_of(listing: Listing, given: Given, reason: str) -> str:
    """By what a form that is confirmed is known as the one that was previewed."""
    content = json.dumps([listing.stored(), stored(given), reason], sort_keys=True)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:32]


# --- the preview, ready for the page ---------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """The preview in the reader's language."""

    preview: Preview
    matches: str
    refused: Sequence[tuple[str, str]]
    """(number of records, sentence)."""
    samples: Sequence[tuple[str, Sequence[tuple[str, str, str]]]]
    """(name of a record, its (label, before, after))."""
    related: Sequence[tuple[str, str, str]] = ()
    """(module, what its records are called, number of them)."""
    receiver: str = ""
    """The new owner with the customers that they hold and may hold, as far as the user may know."""


def shown(ask: PanelRequest, found: Preview) -> Shown:
    matches = number(ask, min(found.matches, MOST_COUNTED))
    return Shown(
        found,
        matches if found.is_counted else _("more than %(number)s") % {"number": matches},
        [
            (number(ask, n), refusal.say_of_many(ask.language) if n > 1 else refusal.say(ask.language))
            for refusal, n in found.refused
        ],
        [
            (each.name, [_pair(ask, found, key, each.before, each.after) for key in found.columns])
            for each in found.samples
        ],
        [(kind.module, many(kind), number(ask, n)) for kind, n in found.handing.related.items() if n]
        if found.handing
        else (),
        _receiver(ask, found),
    )


def _receiver(ask: PanelRequest, found: Preview) -> str:
    to = found.handing.receiver if found.handing else None
    if to is None or not to.is_known:
        return ""
    held = number(ask, to.held)
    if to.limit is None:
        return _("%(name)s holds customers: %(held)s.") % {"name": to.name, "held": held}
    said = {"name": to.name, "held": held, "limit": number(ask, to.limit)}
    return _("%(name)s holds customers: %(held)s of %(limit)s.") % said


def _pair(
    ask: PanelRequest, found: Preview, key: str, before: Mapping[str, Cell], after: Mapping[str, Cell]
) -> tuple[str, str, str]:
    label = called(found.columns[key], ask.language)
    return label, cell_text(ask, before.get(key)), cell_text(ask, after.get(key))


def cell_text(ask: PanelRequest, value: Cell) -> str:
    """A cell of a file as a page shows it; a dash for an empty one."""
    match value:
        case None:
            return "–"
        case datetime():
            return time_text(ask, value)
        case date():
            return day(ask, value)
        case int() | Decimal():
            return number(ask, value)
    return value
