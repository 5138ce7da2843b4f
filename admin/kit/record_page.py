"""The page of one record: its facts, its commands, and tabs with related records and its history."""

from collections.abc import Collection, Mapping
from typing import Any

from markupsafe import Markup
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import Entity
from models.custom_field import is_custom
from models.errors import Merged, NotFound
from resolvers.personal.reads import holds_sensitive
from resolvers.reading.pages import Row, one
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.merged_records import merged_away
from resolvers.runtime.scope import Scope

from .commands import DETAIL
from .fields import Field, is_system_managed
from .formatting import cell
from .panel_request import PanelRequest, panel_request
from .routes import page_route
from .screen import Screen
from .translation import gettext as _

Fact = tuple[Field, Markup]
"""A field and its value, ready for the page."""


class RecordPage(Screen):
    """One record as far as the user sees it."""

    @page_route("/details/{id}", "view")
    async def details_page(self, request: Request) -> Response:
        ask = panel_request(request)
        try:
            return await self.show_record(ask, tab=request.query_params.get("tab"))
        except Merged as merged:
            return RedirectResponse(f"{self.url('details', merged.params['winner_id'])}?merged={merged.record_id}", 303)

    async def show_record(
        self, ask: PanelRequest, *, tab: str | None = None, error: str = "", status: int = 200
    ) -> Response:
        """The page of the record of the address, with a sentence above it.  Raises Merged, NotFound."""
        await ask.load_words({field.dictionary for field in self.fields(ask) if field.dictionary})
        row, extra, editable = await ask.scope.read(self._read_page, ask, self._record_id(ask.request))
        _note_read(ask, self.model, {**row.values, **extra}, row.id)
        tabs = [each for each in self.related if each.is_open_to(ask, row)]
        shown = next((each for each in tabs if each.name == tab), tabs[0] if tabs else None)
        context = {
            "error": error,
            "editable": editable,
            "row": row,
            "id": global_id(self.model, row.id),
            "name": self.name_of(row),
            "facts": self.facts(ask, row),
            "extra": extra,
            "tabs": tabs,
            "tab": shown,
            "inside": await shown.read(self, ask, row) if shown else None,
            "commands": [x for x in self.commands if DETAIL in x.where and self.is_fit(ask, x, row)],
            "merged": await self._merged(ask, row),
            "may_edit": self.offers_edit and "edit" in row.may and not row["deleted_at"],
        }
        context |= await self.details_extra(ask, row)
        return await self.render(ask, self.page_template, context, status)

    def editable_keys(self, scope: Scope, db: Session, ask: PanelRequest, row: Row) -> Collection[str]:
        """The fields of this record that the user may edit in their place."""
        return ()

    def _read_page(
        self, scope: Scope, db: Session, ask: PanelRequest, id: int
    ) -> tuple[Row, dict[str, Any], Collection[str]]:
        row, extra = self._read_one(scope, db, id)
        return row, extra, self.editable_keys(scope, db, ask, row)

    def _read_one(self, scope: Scope, db: Session, id: int) -> tuple[Row, dict[str, Any]]:
        row = one(scope, db, self.record_request(), id)
        if (row is None or row["deleted_at"]) and (
            merged := merged_away(db, scope.policy, scope.person, self.model, id)
        ):
            raise merged
        if row is None:
            raise NotFound
        return row, self.extra_values(scope, db, [row]).get(row.id, {})

    async def _merged(self, ask: PanelRequest, row: Row) -> str:
        """The sentence for a user who followed an old address: which record became part of this one; else ""."""
        id = number_of(self.model, ask.request.query_params.get("merged", ""))
        told = await ask.scope.read(_merged_into, self.model, id) if id else None
        is_here = told is not None and told.params["winner_id"] == global_id(self.model, row.id)
        return told.say_shortly(ask.language) if told is not None and is_here else ""

    async def details_extra(self, ask: PanelRequest, row: Row) -> dict[str, Any]:
        """What the template of a special page needs beside the facts."""
        return {}

    def facts(self, ask: PanelRequest, row: Row) -> list[tuple[str, list[Fact]]]:
        """(section, its facts).  An empty value is shown as such; a field that the user does not see is left out."""
        known = {field.key: field for field in self.fields(ask)}
        own = tuple(key for key in known if is_custom(key))
        rest = tuple(key for key in known if key not in own and not any(key in keys for _label, keys in self.sections))
        address = self.address(ask)
        # A value that the system manages, like who deleted the record, is shown only where there is one.
        more = [key for key in rest if row[key] is not None or not is_system_managed(self.model, key)]
        return [
            (str(label), [(known[key], cell(ask, known[key], row, address)) for key in keys if key in known])
            for label, keys in (*self.sections[:1], (_("More about it"), own), *self.sections[1:], ("", more))
        ]


def _note_read(ask: PanelRequest, model: type[Entity], shown: Mapping[str, Any], id: int) -> None:
    """Note that the user sees a phone or an e-mail address, if the page shows one."""
    if holds_sensitive(model.__tablename__, shown):
        backend = ask.scope.backend
        backend.sensitive_reads.note(ask.scope.me, "panel", model.__tablename__, id, ask.scope.now())


def _merged_into(scope: Scope, db: Session, model: type[Entity], id: int) -> Merged | None:
    return merged_away(db, scope.policy, scope.person, model, id)
