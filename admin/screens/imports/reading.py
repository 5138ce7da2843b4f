"""How the file of an import is read: what was found in it, and the choices that read it in another way."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from models import ImportBatch, ImportRow
from models.sheet_cells import text
from resolvers.imports.batches import Choices, choices_of
from resolvers.runtime.scope import Scope

from ...kit.form_values import whole_number
from ...kit.panel_request import PanelRequest
from ...kit.translation import Label

ENCODINGS: dict[str, str] = {
    "utf-8": "UTF-8",
    "gb18030": Label("Simplified Chinese"),
    "big5": Label("Traditional Chinese"),
    "utf-16": "UTF-16",
    "windows-1252": Label("Western European"),
}
DELIMITERS: dict[str, Label] = {
    ",": Label("Comma"),
    ";": Label("Semicolon"),
    "\t": Label("Tab"),
    "|": Label("Vertical bar"),
}
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
"""Delimiter -> its value in the form, because a tab would be trimmed."""
SHOWN_ROWS = 3
SHOWN_CELLS = 8
"""Rows and cells that are shown of a file, to see whether it was read well."""


async def found(ask: PanelRequest, row: ImportBatch) -> dict[str, Any]:
    """What the pages show of the file; nothing before it is read."""
    seen: Mapping[str, Any] = row.overview or {}
    chosen = choices_of(row)
    columns = [column["name"] for column in seen.get("columns", ())]
    return {
        "seen": seen,
        "chosen": chosen,
        "is_text": seen.get("kind") == "csv",
        "needs_a_look": _needs_a_look(seen, chosen),
        "encodings": ENCODINGS,
        "delimiters": {_NAMES[sign]: label for sign, label in DELIMITERS.items()},
        "delimiter": _NAMES.get(seen.get("delimiter") or "", ""),
        "first_headings": columns[:SHOWN_CELLS],
        "first_rows": await ask.scope.read(_first_rows, row.id, len(columns[:SHOWN_CELLS])) if columns else [],
    }


def choices_from(form: FormData, before: Choices) -> Choices:
    """The choices of the form, those that it does not name as before."""

    def given(name: str, old: str | None) -> str | None:
        return (str(form[name])[:200] or None) if name in form else old

    row = str(form.get("header_row", "")).strip()
    signs = {name: sign for sign, name in _NAMES.items()}
    sign = given("delimiter", None)
    is_whole = form.get("whole") == "y"
    return Choices(
        sheet=given("sheet", before.sheet),
        header_row=whole_number(row) if "header_row" in form else before.header_row,
        encoding=given("encoding", before.encoding),
        delimiter=signs.get(sign) if sign else before.delimiter,
        hidden_rows=form.get("hidden_rows") == "y" if is_whole else before.hidden_rows,
        fill_merged=form.get("fill_merged") == "y" if is_whole else before.fill_merged,
    )


# --- steps -----------------------------------------------------------------------------------------------


def _needs_a_look(seen: Mapping[str, Any], chosen: Choices) -> bool:
    """Whether something of the file may be read in another way, so that its user should see how it was."""
    several = sum(1 for sheet in seen.get("sheets", ()) if sheet["rows"]) > 1
    is_unsure = not (seen.get("encoding_sure", True) and seen.get("delimiter_sure", True))
    is_hidden = bool(seen.get("hidden_rows")) and not chosen.hidden_rows
    is_merged = bool(seen.get("merged")) and not chosen.fill_merged
    return several or is_unsure or is_hidden or is_merged


def _first_rows(_scope: Scope, db: Session, id: int, width: int) -> list[tuple[int, list[str]]]:
    """Number and first cells of the first rows."""
    asked = select(ImportRow.number, ImportRow.cells).where(ImportRow.batch_id == id)
    first = db.execute(asked.order_by(ImportRow.number).limit(SHOWN_ROWS))
    return [(number, [text(cell) for cell in [*cells, *[None] * width][:width]]) for number, cells in first]
