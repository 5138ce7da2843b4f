"""What a user should know of an import before they confirm it: the same file twice, dates that can be read in two ways."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models import ImportBatch
from resolvers.imports import batches
from resolvers.imports.batches import Earlier, choices_of
from resolvers.imports.date_columns import Order, decide_dates
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope

from ...kit.formatting import day, number, time_text
from ...kit.panel_request import PanelRequest
from ...kit.routes import BASE
from ...kit.translation import gettext, listed, ngettext
from .words import ORDERS

_ = gettext


@dataclass(frozen=True)
class Notice:
    """A sentence, with a link, or with a form that changes the order of dates of a column."""

    text: str
    link: tuple[str, str] | None = None
    """(address, label)."""
    change: tuple[int, str, str] | None = None
    """(place of a column, order of its dates, label of the button)."""


async def found(ask: PanelRequest, row: ImportBatch) -> list[Notice]:
    """The notices of a checked import, the weightiest first."""
    earlier: list[Earlier] = await ask.scope.read(_earlier, row)
    return [*_came_before(ask, earlier), *_dates(ask, row), *_left_out(ask, row)]


def _earlier(scope: Scope, db: Session, row: ImportBatch) -> list[Earlier]:
    return batches.came_before(scope, db, row)


def _came_before(ask: PanelRequest, earlier: list[Earlier]) -> list[Notice]:
    if not earlier:
        return []
    last = earlier[0]
    at = time_text(ask, ask.local(last.at))
    text = _("The same file was imported already: %(at)s, %(rows)s rows.") % {"at": at, "rows": number(ask, last.rows)}
    return [Notice(text, (f"{BASE}/imports/{global_id(ImportBatch, last.id)}", _("To that import")))]


def _dates(ask: PanelRequest, row: ImportBatch) -> list[Notice]:
    """Columns whose dates can all be read in two ways: how they were read, and a button for the other way."""
    notices, names = [], _names(row)
    for place, example in (row.options.get("undecided") or {}).items():
        read = decide_dates([example], ask.language)
        order = (row.options.get("dates") or {}).get(place)
        if read.by_day is None or read.by_month is None or order not in (Order.DAY_FIRST, Order.MONTH_FIRST):
            continue
        other = Order.MONTH_FIRST if order == Order.DAY_FIRST else Order.DAY_FIRST
        at, instead = (read.by_day, read.by_month) if order == Order.DAY_FIRST else (read.by_month, read.by_day)
        text = _("The dates of “%(column)s” are read %(order)s: “%(text)s” is %(day)s.")
        given = {
            "column": names.get(int(place), ""),
            "order": ORDERS[Order(order)],
            "text": example,
            "day": day(ask, at),
        }
        button = _("No, it is %(day)s") % {"day": day(ask, instead)}
        notices.append(Notice(text % given, change=(int(place), other, button)))
    return notices


def _left_out(ask: PanelRequest, row: ImportBatch) -> list[Notice]:
    seen: dict[str, Any] = row.overview or {}
    notices = []
    hidden = seen.get("hidden_rows", 0)
    if hidden and not choices_of(row).hidden_rows:
        text = ngettext("%(num)s hidden row is not imported.", "%(num)s hidden rows are not imported.", hidden)
        notices.append(Notice(text % {"num": number(ask, hidden)}))
    mapped = {int(place) for place in row.mapping or {}}
    columns = [x["name"] for x in seen.get("columns", ()) if x["index"] not in mapped and x["filled"]]
    if columns:
        text = ngettext(
            "%(num)s column is left out: %(names)s.", "%(num)s columns are left out: %(names)s.", len(columns)
        )
        notices.append(Notice(text % {"num": len(columns), "names": listed(columns[:8])}))
    return notices


def _names(row: ImportBatch) -> dict[int, str]:
    return {each["index"]: each["name"] for each in (row.overview or {}).get("columns", ())}
