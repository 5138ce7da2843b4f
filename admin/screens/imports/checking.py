"""The step that checks rows: what is wrong and why, what can be mended at once, and what a confirmation would do."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session
from starlette.datastructures import FormData, QueryParams

from models import DictionaryItem, ImportBatch
from models.import_batch import RowState
from resolvers.imports import looking
from resolvers.imports.advance import Outlook, outlook
from resolvers.imports.applying import counts
from resolvers.imports.fields import FieldKind
from resolvers.imports.judging import CORRECTABLE
from resolvers.imports.looking import ShownRow, WrongValue
from resolvers.imports.mapping import fields_of
from resolvers.imports.targets import target_of
from resolvers.runtime.scope import Scope

from ...kit.form_values import whole_number
from ...kit.formatting import number
from ...kit.panel_request import PanelRequest
from ...kit.translation import gettext
from . import notices
from .words import consequences as said
from .words import row_badge, row_state

ON_A_PAGE = 50
MOST_FIXES = 12
"""Maximum number of distinct wrong values that are offered to be mended at once."""
FILTERS: dict[str, tuple[RowState, ...]] = {
    "wrong": (RowState.BAD,),
    "good": (RowState.GOOD,),
    "skipped": (RowState.SKIPPED,),
    "all": (),
}


async def found(ask: PanelRequest, row: ImportBatch, here: str, form: FormData | None = None) -> dict[str, Any]:
    """What the page shows; `form`: a row that was posted and refused."""
    asked = ask.request.query_params if form is None else QueryParams([(k, str(v)) for k, v in form.multi_items()])
    numbers: Mapping[RowState, int] = await ask.scope.read(_counts, row)
    state = _filter(asked.get("state", ""), numbers)
    after = whole_number(asked.get("after", "")) or 0
    edited = whole_number(asked.get("edit", "")) if form is None else whole_number(asked.get("number", ""))
    saved = whole_number(asked.get("saved", "")) if form is None else None
    left = whole_number(asked.get("row", "")) if form is None else None
    rows, has_more = await ask.scope.read(_rows, row, FILTERS[state], after, edited or saved or left)
    fixes: list[WrongValue] = await ask.scope.read(_wrong_values, row) if numbers.get(RowState.BAD) else []
    words: frozenset[int] = await ask.scope.read(_of_dictionaries, row)
    place = {"state": state, **({"after": str(after)} if after else {})}
    shown = [_shown(each, here, place, (edited, saved, left), asked.get("cell", ""), form) for each in rows]
    return {
        **await consequences(ask, row),
        "filters": _filters(ask, here, state, numbers),
        "filter": place,
        "rows": shown,
        "columns": shown[0]["cells"] if shown else (),
        "next": f"{here}?{urlencode({**place, 'after': rows[-1].number})}" if has_more and rows else "",
        "first": f"{here}?{urlencode({'state': state})}" if after else "",
        "fixes": fixes,
        "may_learn": words if ask.may(f"{DictionaryItem.module}.edit") else frozenset(),
        "notices": await notices.found(ask, row),
        "staged": numbers.get(RowState.STAGED, 0),
        "bad": numbers.get(RowState.BAD, 0),
    }


async def consequences(ask: PanelRequest, row: ImportBatch) -> dict[str, Any]:
    """What a confirmation would do, in numbers and in words."""
    now: Outlook = await ask.scope.read(outlook, row)
    return {"outlook": now, "consequences": said(ask, target_of(row.target), now)}


def edits_from(form: FormData, shown: ShownRow | None) -> dict[int, str]:
    """Place -> text, of the cells of a posted row that say something else than before."""
    before = {cell.place: cell.text for cell in shown.cells} if shown else {}
    typed = {place: str(form[f"c{place}"]).replace("\r\n", "\n") for place in before if f"c{place}" in form}
    return {place: text for place, text in typed.items() if text.strip() != before[place].strip()}


def one_row(scope: Scope, db: Session, row: ImportBatch, at: int) -> ShownRow | None:
    """The row with this number."""
    rows = looking.rows(scope, db, row, after=at - 1, first=1)
    return rows[0] if rows and rows[0].number == at else None


def back_to(form: FormData, **more: str) -> str:
    """The part of the list that a form came from, as the query of the page."""
    kept = {key: str(form[key])[:20] for key in ("state", "after") if form.get(key)}
    return urlencode({**kept, **more})


# --- reads -----------------------------------------------------------------------------------------------


def _counts(_scope: Scope, db: Session, row: ImportBatch) -> Mapping[RowState, int]:
    return counts(db, row)


def _rows(
    scope: Scope, db: Session, row: ImportBatch, states: Sequence[RowState], after: int, wanted: int | None
) -> tuple[list[ShownRow], bool]:
    """One page of rows, with the wanted one among them whatever its state; and whether more follow."""
    found = looking.rows(scope, db, row, states=states, after=after, first=ON_A_PAGE + 1)
    page = found[:ON_A_PAGE]
    if wanted and wanted > after and wanted not in {each.number for each in page}:
        page = sorted([*page, *filter(None, [one_row(scope, db, row, wanted)])], key=lambda each: each.number)
    return page, len(found) > ON_A_PAGE


def _wrong_values(scope: Scope, db: Session, row: ImportBatch) -> list[WrongValue]:
    return looking.wrong_values(scope, db, row, first=MOST_FIXES)


def _of_dictionaries(scope: Scope, db: Session, row: ImportBatch) -> frozenset[int]:
    """The places of columns that hold words of dictionaries."""
    words = {each.key for each in fields_of(scope, db, target_of(row.target)) if each.kind is FieldKind.WORD}
    return frozenset(int(place) for place, key in (row.mapping or {}).items() if key in words)


# --- what is shown ---------------------------------------------------------------------------------------


def _shown(
    each: ShownRow,
    here: str,
    place: Mapping[str, str],
    named: tuple[int | None, int | None, int | None],
    cell: str,
    form: FormData | None,
) -> dict[str, Any]:
    """A row as the template draws it.  `named`: the row that is being edited, the one just saved, the one just left."""
    edited, saved, left = named
    is_written = each.state not in CORRECTABLE
    is_edited, at = each.number == edited and not is_written, f"{here}?{urlencode({**place, 'edit': each.number})}"
    cells = [
        {
            "place": x.place,
            "heading": x.heading,
            "text": str(form.get(f"c{x.place}", x.text)) if form is not None and is_edited else x.text,
            "is_edited": x.is_edited,
            "wrong": [p for p in each.problems if p.place == x.place],
            "warned": [p for p in each.warnings if p.place == x.place],
            "href": f"{at}&cell={x.place}#r{each.number}",
        }
        for x in each.cells
        if x.field is not None
    ]
    first = next((x["place"] for x in cells if x["wrong"]), cells[0]["place"] if cells else 0)
    return {
        "number": each.number,
        "state": row_badge(each.state),
        "kind": _KINDS.get(each.state, "is-warned" if each.warnings else "is-good"),
        "is_skipped": each.state is RowState.SKIPPED,
        "is_saved": each.number == saved,
        "has_focus": each.number in (saved, left),
        "is_editing": is_edited,
        "is_written": is_written,
        "cells": cells,
        "now": first if (asked := whole_number(cell)) is None else asked,
        "href": f"{at}#r{each.number}",
        "leave": f"{here}?{urlencode({**place, 'row': each.number})}#r{each.number}",
        "wrong": [p for p in each.problems if p.place is None],
        "warned": [p for p in each.warnings if p.place is None],
    }


_KINDS = {RowState.BAD: "is-bad", RowState.SKIPPED: "is-skipped", RowState.STAGED: "is-staged"}


def _filter(asked: str, numbers: Mapping[RowState, int]) -> str:
    if asked in FILTERS:
        return asked
    return "wrong" if numbers.get(RowState.BAD) else "all"


def _filters(
    ask: PanelRequest, here: str, state: str, numbers: Mapping[RowState, int]
) -> list[tuple[str, bool, str, str]]:
    """(address, whether it is the present one, label, count) of each filter of rows."""
    found = []
    for name, states in FILTERS.items():
        count = sum(numbers.get(each, 0) for each in states or numbers)
        label = row_state(*states) if states else gettext("All rows")
        found.append((f"{here}?state={name}", name == state, label, number(ask, count)))
    return found
