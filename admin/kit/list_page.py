"""The list of a screen, and the lookup by which search boxes of other forms find its records."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from sqlalchemy.orm import Session
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from models.errors import Refusal
from resolvers.reading.pages import LARGEST_PAGE, ListRequest, Page, Row, display_column, page, parent_of
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope
from resolvers.views.saved_views import View

from .bulk_page import BulkPage
from .commands import LIST, ROW, Command
from .condition_words import words_for
from .fields import Field, Kind, field_of
from .finding import find
from .formatting import ColumnFormat, cells, column_formats
from .lists import ListState, default_filters, filterable_customs
from .panel_request import PanelRequest, panel_request
from .routes import page_route
from .screen import names_in
from .search_page import SearchPage
from .view_page import ViewPage

MOST_FOUND = 20
"""Maximum number of records that a search box offers."""
MOST_AT_ONCE = 2_000
"""Maximum number of rows of a list without pages."""
MOST_COLUMNS = 8
"""Maximum number of columns of a list that declares none."""


class ListPage(BulkPage, SearchPage, ViewPage):
    """Rows under the rights of the user, narrowed and ordered by the address."""

    lookup_filter: ClassVar[Mapping[str, Any]] = {}
    """The filter of the records to which other forms may point."""
    told_apart_by: ClassVar[str] = ""
    """The column that choosers show beside the name, because names may be equal: the number of a customer."""

    @page_route("/list", "view")
    async def list_page(self, request: Request) -> Response:
        return await self.show_list(panel_request(request))

    async def show_list(self, ask: PanelRequest, status: int = 200, **more: Any) -> Response:
        """The list that the address asks for; `more` is for the template."""
        request, views = ask.request, await self.views_for(ask)
        state = self.list_state(ask, self.view_in(ask, views))
        await ask.load_words({field.dictionary for field in self.fields(ask) if field.dictionary})
        words = await words_for(ask, self.model, state.condition)
        for each in state.filters:
            if (target := each.field.target) is not None and each.field.kind is Kind.RECORD:
                each.take(await find(self.panel, ask, request.query_params, f"f_{each.key}", target))
        try:
            found, extra = await ask.scope.read(self._read_list, state)
        except Refusal:
            return RedirectResponse(state.url(), 303)  # the cursor is of another order: show the first page
        formats = column_formats(state.columns, ask.preferences.widths.get(self.identity, {}))
        rows = [self._line(ask, formats, row, extra.get(row.id, {})) for row in found.rows]
        context = {"state": state, "page": found, "rows": rows, "bulk": self.list_commands(ask, found.rows)}
        context |= {"views": views, "words": words, "share_choices": {}, "view_error": "", "typed": "", **more}
        if state.saved is not None and state.saved.is_mine:
            context["share_choices"] = await self.share_choices(ask)
        if state.kept.density:
            context["preferences"] = replace(ask.preferences, density=state.kept.density)
        return await self.render(ask, self.list_page_template, {**context, **await self.list_extra(ask, state)}, status)

    def list_state(self, ask: PanelRequest, saved: View | None, query: QueryParams | None = None) -> ListState:
        return ListState(self, ask, saved, query)

    def _read_list(self, scope: Scope, db: Session, state: ListState) -> tuple[Page, dict[int, dict[str, Any]]]:
        wanted = state.list_request()
        found = self._whole(scope, db, wanted) if self.is_whole else page(scope, db, wanted)
        if not found.rows and (wanted.after or wanted.before):  # everything there was deleted or is narrowed away
            found = page(scope, db, replace(wanted, after=None, before=None, last=bool(wanted.after)))
        for each in state.filters:
            each.names |= names_in(scope, db, each.field.target, each.values) if each.field.kind is Kind.RECORD else {}
        return found, self.extra_values(scope, db, found.rows)

    def _whole(self, scope: Scope, db: Session, wanted: ListRequest) -> Page:
        """All pages of the list as one, up to MOST_AT_ONCE rows."""
        found = page(scope, db, replace(wanted, size=LARGEST_PAGE))
        rows = [*found.rows]
        while found.after and len(rows) < MOST_AT_ONCE:
            found = page(scope, db, replace(wanted, after=found.after, size=LARGEST_PAGE, counts=False))
            rows += found.rows
        return Page(rows, len(rows), found.after, None)

    async def list_extra(self, ask: PanelRequest, state: ListState) -> dict[str, Any]:
        """What the template of a special list needs beside the rows."""
        return {}

    def _line(
        self, ask: PanelRequest, formats: Sequence[ColumnFormat], row: Row, extra: Mapping[str, Any]
    ) -> dict[str, Any]:
        """A row as the template draws it."""
        href = self.record_url(row)
        return {
            "row": row,
            "id": global_id(self.model, row.id),
            "name": self.name_of(row),
            "href": href,
            "cells": cells(ask, formats, row, self.address(ask), href),
            "extra": [(label, extra.get(key, "")) for key, label in self.extra_columns(ask)],
            "commands": [x for x in self.commands if ROW in x.where and self.is_fit(ask, x, row)],
            "links": self.row_links(ask, extra),
            "fits": [x.name for x in self.commands if LIST in x.where and self.is_fit(ask, x, row)],
        }

    def row_links(self, ask: PanelRequest, extra: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        """(icon, label, address) of forms that open in the drawer, beside a row with these extra values."""
        return []

    def columns_for(self, ask: PanelRequest) -> list[Field]:
        """The columns that the user has chosen, in their order, else those of the screen."""
        known = {field.key: field for field in self.fields(ask)}
        chosen = [key for key in ask.preferences.columns.get(self.identity, ()) if key in known]
        keys = chosen or [key for key in self.columns or self.default_columns() if key in known]
        first = display_column(self.model)
        if first in known and first not in keys and not self.columns:
            keys = [first, *keys]
        return [known[key] for key in keys]

    def default_columns(self) -> tuple[str, ...]:
        short = [key for key in self.keys() if field_of(self.model, key).kind not in (Kind.LONG, Kind.POINTS)]
        left_out = {"created_by_id", "updated_by_id", "deleted_by_id", "deleted_at", "created_at"}
        return tuple(key for key in short if key not in left_out)[:MOST_COLUMNS]

    def filter_keys(self, ask: PanelRequest) -> list[str]:
        declared = self.filters if self.filters is not None else default_filters(self.model)
        keys = dict.fromkeys((*declared, *filterable_customs(self.model)))
        return [key for key in keys if self.is_seen(ask, key)]

    def list_commands(self, ask: PanelRequest, rows: Sequence[Row]) -> list[Command]:
        """The commands above the list: those that fit some row of this page."""
        return [x for x in self.commands if LIST in x.where and any(self.is_fit(ask, x, row) for row in rows)]

    @page_route("/lookup", "view")
    async def lookup(self, request: Request) -> Response:
        """The records that a chooser offers: `[{"value": "usr_3", "text": "Li Na", "more": "li"}]`.

        `more` tells namesakes apart.  The parent of the records, like the customer of contacts, narrows them if the
        address names it.
        """
        ask, parent = panel_request(request), parent_of(self.model)
        query = request.query_params
        found = await self.find_records(ask, query.get("q", ""), query.get(parent[1], "") if parent else "")
        return JSONResponse(found, headers={"cache-control": "no-store"})

    async def find_records(self, ask: PanelRequest, text: str, parent: str = "") -> list[dict[str, str]]:
        """What a chooser offers for a text: the best matches, or the first records without one.  `parent`: an id."""
        wanted = ListRequest(
            self.model,
            self._title_columns(),
            filter={**self.lookup_filter, **self._narrowed(parent)},
            search=text[:100],
            size=MOST_FOUND,
            counts=False,
            best_first=True,
        )
        try:
            found = await ask.scope.read(page, wanted)
        except Refusal:
            return []
        named = [(row, self.name_of(row)) for row in found.rows]
        return [
            {"value": global_id(self.model, row.id), "text": name, "more": self._more(row, name)} for row, name in named
        ]

    def _title_columns(self) -> tuple[str, ...]:
        """The columns of the name in either language, and of what is shown beside it."""
        first = display_column(self.model)
        chinese = f"{first.removesuffix('_en')}_zh"
        keys = (first, chinese if chinese in self.model.__table__.c else "", self.model.named_by, self.told_apart_by)
        return tuple(dict.fromkeys(key for key in keys if key))

    def _narrowed(self, named: str) -> dict[str, Any]:
        """The filter for the parent with this id; an unknown one has no records."""
        parent = parent_of(self.model)
        return {parent[1]: {"eq": number_of(parent[0], named)}} if parent is not None and named else {}

    def _more(self, row: Row, name: str) -> str:
        said = row[self.told_apart_by] if self.told_apart_by else None
        return str(said) if said and str(said) != name else ""
