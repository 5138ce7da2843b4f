"""The tabs of a record's page: what hangs on it and what became of it, read when the tab is opened."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from models import Base
from models.errors import NotFound
from resolvers.audit import history
from resolvers.reading.pages import Asked, Page, Row, page
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope

from .fields import Kind, field_of
from .formatting import cells, heads
from .panel_request import PanelRequest
from .translation import Label

if TYPE_CHECKING:
    from .screen import Screen

SHOWN = 20


@dataclass(frozen=True)
class Related:
    """One tab.  `template` draws what `read` gives."""

    name: str
    label: str
    icon: str = "list"
    template: str = "related/table.html"

    def is_open_to(self, ask: PanelRequest, row: Row) -> bool:
        return True

    async def read(self, view: "Screen", ask: PanelRequest, row: Row) -> dict[str, Any]:
        raise NotImplementedError


@dataclass(frozen=True)
class RelatedTable(Related):
    """The records of `model` whose `key` points to this one: the newest by the model's own order."""

    model: type[Base] | None = None
    key: str = ""
    columns: tuple[str, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()

    def is_open_to(self, ask: PanelRequest, row: Row) -> bool:
        return self.model is not None and ask.may(f"{self.model.module}.view")

    async def read(self, view: "Screen", ask: PanelRequest, row: Row) -> dict[str, Any]:
        assert self.model is not None, "a table has a model"
        model = self.model
        shown: Screen | None = view.panel.view_of(model)
        fields = [field_of(model, key) for key in self.columns]
        fields = [each for each in fields if ask.sees(model.module, each.word) or each.key not in model.__table__.c]
        await ask.load_words({each.dictionary for each in fields if each.dictionary})
        filter_, binned = {self.key: {"eq": row.id}}, None if row["deleted_at"] else False
        keys = tuple(dict.fromkeys([*(each.key for each in fields), *(shown.always if shown is not None else ())]))
        asked = Asked(model, keys, filter_, order=self.order, size=SHOWN, binned=binned, may=("edit",), counts=False)
        found, more = await ask.scope.read(_read, asked, shown)
        address = view.address(ask)
        whole = global_id(view.model, row.id)
        url: Any = shown.url if shown is not None else lambda *_path: None
        columns = heads(fields)
        leads = bool(fields) and fields[0].kind is not Kind.RECORD  # which is a link of its own
        lines = [
            {
                "row": each,
                "edit": url("edit", global_id(model, each.id)) if "edit" in each.may else None,
                "cells": cells(ask, columns, each, address, address(model, each.id) if leads else None),
                "extra": more.get(each.id, {}),
            }
            for each in found.rows
        ]
        makes = shown is not None and shown.is_made and ask.may(f"{model.module}.create") and not row["deleted_at"]
        return {
            "fields": fields,
            "rows": lines,
            "more": found.after is not None,
            "all": f"{url('list')}?f_{self.key}={whole}" if shown is not None else None,
            "add": f"{url('create')}?{self.key}={whole}" if makes else None,
            "extra": shown.extra_columns(ask) if shown else [],
        }


def _read(scope: Scope, db: Session, asked: Asked, view: "Screen | None") -> tuple[Page, dict[int, Any]]:
    found = page(scope, db, asked)
    return found, view.enrich(scope, db, found.rows) if view is not None else {}


@dataclass(frozen=True)
class RelatedHistory(Related):
    """What was done to the record, in words, the newest first."""

    template: str = "related/history.html"

    async def read(self, view: "Screen", ask: PanelRequest, row: Row) -> dict[str, Any]:
        query = ask.request.query_params
        given = {name: query.get(name, "") for name in ("before", "after")}
        at = {name: int(text) for name, text in given.items() if text.isascii() and text.isdecimal() and len(text) < 10}
        try:
            pages = await ask.scope.read(
                history.of_record, view.model, row.id, size=SHOWN, **dict(list(at.items())[:1])
            )
        except NotFound:
            return {"entries": [], "older": None, "newer": None}
        return {"entries": pages.entries, "older": pages.older, "newer": pages.newer}


HISTORY = RelatedHistory("history", Label("History"), "history")
"""The last tab of most records."""
