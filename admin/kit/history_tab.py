"""The tab with the history of a record: what happened, and the record as it was at a moment."""

from dataclasses import dataclass
from typing import Any

from models import Entity
from models.errors import NotFound
from resolvers.audit import history
from resolvers.reading.pages import Row

from .declared import RecordScreen, Related
from .panel_request import PanelRequest
from .past import is_restorable, moment_of, moment_text, past_of, restorable
from .related import MOST_ROWS
from .translation import Label
from .translation import gettext as _


@dataclass(frozen=True)
class RelatedHistory(Related):
    """The log entries of the record, the newest first; with a moment in the address the record as it was then."""

    template: str = "related/history.html"

    async def read(self, view: RecordScreen, ask: PanelRequest, row: Row) -> dict[str, Any]:
        query = ask.request.query_params
        given = {name: query.get(name, "") for name in ("before", "after")}
        at = {name: int(text) for name, text in given.items() if text.isascii() and text.isdecimal() and len(text) < 10}
        first = dict(list(at.items())[:1])
        try:
            pages = await ask.scope.read(history.of_record, view.model, row.id, size=MOST_ROWS, **first)
        except NotFound:
            return {"entries": [], "older": None, "newer": None}
        model = view.model
        open_keys = restorable(ask, model, row) if issubclass(model, Entity) else ()
        shown: dict[str, Any] = {"entries": pages.entries, "older": pages.older, "newer": pages.newer}
        return {
            **shown,
            "back": {
                (entry.id, change.key)
                for entry in pages.entries
                for change in entry.changes
                if is_restorable(entry, change, row, open_keys)
            },
            "moment_text": moment_text,
            **await self._past(view, ask, row),
        }

    async def _past(self, view: RecordScreen, ask: PanelRequest, row: Row) -> dict[str, Any]:
        """The record as it was at the moment of the address, and what its input holds."""
        text = ask.request.query_params.get("at", "")
        when = moment_of(ask, text) if text else None
        local = ask.local(when or ask.scope.now()).replace(tzinfo=None).isoformat(timespec="seconds")
        shown: dict[str, Any] = {"past": None, "said": "", "local": local}
        if text and when is None:
            shown["said"] = _("This is no moment. Choose a day and a time.")
        elif when is not None and issubclass(view.model, Entity):
            shown["past"], shown["said"] = await past_of(ask, view.model, row, when)
        return shown


HISTORY = RelatedHistory("history", Label("History"), "history")
"""The last tab of most records."""
