"""The page of one record: its facts, its commands, and what hangs on it in tabs."""

from typing import Any

from markupsafe import Markup
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from models.errors import NotFound
from resolvers.reading.pages import Row, one
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope

from .commands import DETAIL
from .fields import Field, is_kept
from .formatting import cell
from .panel_request import PanelRequest, panel_request
from .screen import Screen, served

Shown = tuple[Field, Markup]


class RecordPage(Screen):
    """One record as far as the person may see it."""

    @served("/details/{id}", "view")
    async def details_page(self, request: Request) -> Response:
        ask = panel_request(request)
        await ask.load_words({each.dictionary for each in self.fields(ask) if each.dictionary})
        row, more = await ask.scope.read(self._read_one, self._asked_id(request))
        tabs = [each for each in self.related if each.is_open_to(ask, row)]
        tab = next((each for each in tabs if each.name == request.query_params.get("tab")), tabs[0] if tabs else None)
        context = {
            "row": row,
            "id": global_id(self.model, row.id),
            "name": self.name_of(row),
            "facts": self.facts(ask, row),
            "extra": more,
            "tabs": tabs,
            "tab": tab,
            "inside": await tab.read(self, ask, row) if tab else None,
            "commands": [x for x in self.commands if DETAIL in x.where and x.fits(row)],
            "may_edit": self.is_edited and "edit" in row.may and not row["deleted_at"],
        }
        return await self.render(ask, self.page_template, {**context, **await self.details_extra(ask, row)})

    def _read_one(self, scope: Scope, db: Session, id: int) -> tuple[Row, dict[str, Any]]:
        row = one(scope, db, self.asked_one(), id)
        if row is None:
            raise NotFound
        return row, self.enrich(scope, db, [row]).get(row.id, {})

    async def details_extra(self, ask: PanelRequest, row: Row) -> dict[str, Any]:
        """What the template of a special page needs beside the facts."""
        return {}

    def facts(self, ask: PanelRequest, row: Row) -> list[tuple[str, list[Shown]]]:
        """(section, its fields with their values), empty ones shown as such, hidden ones left out."""
        known = {each.key: each for each in self.fields(ask)}
        rest = tuple(key for key in known if not any(key in keys for _label, keys in self.sections))
        address = self.address(ask)
        # What the house keeps, like who deleted it, is of interest when there is any.
        more = [key for key in rest if row[key] is not None or not is_kept(self.model, key)]
        return [
            (str(label), [(known[key], cell(ask, known[key], row, address)) for key in keys if key in known])
            for label, keys in (*self.sections, ("", more))
        ]
