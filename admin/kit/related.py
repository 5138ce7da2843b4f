"""The tabs on the page of a record: related records and its history, read when the tab is opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models import Base
from models.base import LIVE
from resolvers.reading.clauses import COMPUTED
from resolvers.reading.offers import may_create
from resolvers.reading.pages import ListRequest, Page, Row, page
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope

from .declared import Order, RecordScreen, Related
from .fields import Field, Kind, field_of
from .formatting import cell, cells, column_formats
from .panel_request import PanelRequest

MOST_ROWS = 20
"""Maximum number of rows of a tab."""


@dataclass(frozen=True, kw_only=True)
class RelatedTable(Related):
    """The records of `model` whose `key` points to this one, in the order of the model unless `order` says another."""

    model: type[Base]
    key: str
    columns: tuple[str, ...]
    order: Order = ()

    def mistake(self) -> str | None:
        known = {*self.model.__table__.c.keys(), *(key for model, key in COMPUTED if model is self.model)}
        unknown = [key for key in (self.key, *self.columns, *(key for key, _ in self.order)) if key not in known]
        return (
            f"has the tab “{self.name}” with the column “{unknown[0]}”, which {self.model.__name__} has not"
            if unknown
            else None
        )

    def is_open_to(self, ask: PanelRequest, row: Row) -> bool:
        return ask.may(f"{self.model.module}.view")

    async def read(self, view: RecordScreen, ask: PanelRequest, row: Row) -> dict[str, Any]:
        screen = view.panel.view_of(self.model)
        fields = self._visible_fields(ask)
        await ask.load_words({field.dictionary for field in fields if field.dictionary})
        found, extra = await ask.scope.read(_read, self._request(fields, row, screen), screen)
        return {
            "fields": fields,
            "rows": self._lines(view, screen, ask, fields, found.rows, extra),
            "more": found.after is not None,
            "extra": screen.extra_columns(ask) if screen else [],
            **self._links(view, screen, row, adds=await self._may_add(screen, ask, row, found.rows)),
        }

    async def _may_add(self, screen: RecordScreen | None, ask: PanelRequest, row: Row, there: Sequence[Row]) -> bool:
        """Whether the user could create one more record that points to this one."""
        if screen is None or not screen.offers_create or row["deleted_at"] or row.values.get("active") is False:
            return False
        if there and self._is_single():
            return False
        given = {self.key: row.id}
        if (above := f"{self.model.visible_through}_id") not in given and row[above] is not None:
            given[above] = row[above]
        if self.key == "owner_id":
            given["department_id"] = row["department_id"]
        return await may_create(ask.scope, self.model, given)

    def _visible_fields(self, ask: PanelRequest) -> list[Field]:
        fields = [field_of(self.model, key) for key in self.columns]
        columns = self.model.__table__.c
        return [x for x in fields if ask.sees(self.model.module, x.word) or x.key not in columns]

    def _request(self, fields: Sequence[Field], row: Row, screen: RecordScreen | None) -> ListRequest:
        keys = [*(field.key for field in fields), *(screen.always if screen is not None else ())]
        keys += ["deleted_at"] if "deleted_at" in self.model.__table__.c else []
        return ListRequest(
            self.model,
            tuple(dict.fromkeys(keys)),
            {self.key: {"eq": row.id}},
            order=self.order,
            size=MOST_ROWS,
            binned=None if row["deleted_at"] else False,
            may=("edit",),
            counts=False,
        )

    def _lines(
        self,
        view: RecordScreen,
        screen: RecordScreen | None,
        ask: PanelRequest,
        fields: list[Field],
        rows: list[Row],
        extra: dict[int, Any],
    ) -> list[dict[str, Any]]:
        """The rows as the template draws them, long texts below the cells.  The first cell links to the record unless it
        links to another one."""
        model, address = self.model, view.address(ask)
        formats = column_formats([each for each in fields if each.kind is not Kind.LONG])
        long = [each for each in fields if each.kind is Kind.LONG]
        is_linked = bool(fields) and fields[0].kind is not Kind.RECORD
        return [
            {
                "row": each,
                "edit": screen.url("edit", global_id(model, each.id)) if screen and self._is_open(each) else None,
                "cells": cells(ask, formats, each, address, address(model, each.id) if is_linked else None),
                "said": [(x.label, cell(ask, x, each, address)) for x in long if each[x.key]],
                "extra": extra.get(each.id, {}),
            }
            for each in rows
        ]

    def _is_single(self) -> bool:
        """Whether at most one record points to this one, like the claim rule of a pool."""
        table: Any = self.model.__table__
        unique = (x for x in table.indexes if x.unique and x.dialect_options["sqlite"]["where"] is LIVE["sqlite_where"])
        return any(index.columns.keys() == [self.key] for index in unique)

    @staticmethod
    def _is_open(row: Row) -> bool:
        """Whether the user may edit the record: one in the bin is restored first."""
        return "edit" in row.may and row["deleted_at"] is None

    def _links(self, view: RecordScreen, screen: RecordScreen | None, row: Row, *, adds: bool) -> dict[str, str | None]:
        """The addresses of the whole list and of a new record that points to this one."""
        if screen is None:
            return {"all": None, "add": None}
        id = global_id(view.model, row.id)
        return {
            "all": f"{screen.url('list')}?f_{self.key}={id}",
            "add": f"{screen.url('create')}?{self.key}={id}" if adds else None,
        }


def _read(
    scope: Scope, db: Session, request: ListRequest, screen: RecordScreen | None
) -> tuple[Page, dict[int, dict[str, Any]]]:
    found = page(scope, db, request)
    return found, screen.extra_values(scope, db, found.rows) if screen is not None else {}
