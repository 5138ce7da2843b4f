"""What has become of an import: its rows by what happened to them, examples beside their records, and what stayed behind."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from models import ImportBatch
from models.import_batch import ImportState, RowState
from resolvers.imports import applying, looking
from resolvers.imports.looking import Sample, ShownRow
from resolvers.imports.targets import target_of
from resolvers.runtime.scope import Scope

from ...kit.formatting import number
from ...kit.panel_request import PanelRequest
from .words import NOT_UNDONE, row_badge, row_state

MOST_BEHIND = 100
"""Maximum number of rows whose reasons the page shows."""
EXAMPLES = 5
ORDER: Sequence[RowState] = (
    RowState.CREATED,
    RowState.UPDATED,
    RowState.SAME,
    RowState.UNDONE,
    RowState.KEPT,
    RowState.SKIPPED,
    RowState.BAD,
    RowState.FAILED,
    RowState.GOOD,
    RowState.STAGED,
)
"""In which order the page counts what has become of rows."""
BEHIND = (RowState.BAD, RowState.FAILED, RowState.KEPT)
WRITTEN = (RowState.CREATED, RowState.UPDATED)


async def found(ask: PanelRequest, row: ImportBatch, panel: Any) -> dict[str, Any]:
    """What the page shows."""
    counts: Mapping[RowState, int] = await ask.scope.read(_counts, row)
    is_undone = row.state is ImportState.UNDONE
    states = (*BEHIND, *WRITTEN) if is_undone else BEHIND
    total = sum(counts.get(state, 0) for state in states)
    rows: list[ShownRow] = await ask.scope.read(_behind, row, states) if total else []
    is_written = any(counts.get(state) for state in looking.APPLIED) and not is_undone
    examples: list[Sample] = await ask.scope.read(_examples, row) if is_written else []
    model = target_of(row.target).model
    return {
        "may_try_again": is_undone and any(counts.get(state) for state in WRITTEN),
        "left": counts.get(RowState.GOOD, 0) if row.state is ImportState.PARTLY else 0,
        "counts": [
            (_said(state, is_undone=is_undone), number(ask, counts[state])) for state in ORDER if counts.get(state)
        ],
        "behind": [
            {
                "number": each.number,
                "state": row_badge(each.state),
                "name": _name(each),
                "sentences": [problem.sentence for problem in each.problems],
                "href": panel.address(ask, model, each.record_id) if each.record_id else None,
            }
            for each in rows
        ],
        "more_behind": number(ask, total - len(rows)) if total > len(rows) else "",
        "examples": [(each, panel.address(ask, model, each.record_id)) for each in examples],
    }


# --- steps -----------------------------------------------------------------------------------------------


def _counts(_scope: Scope, db: Session, row: ImportBatch) -> Mapping[RowState, int]:
    return applying.counts(db, row)


def _behind(scope: Scope, db: Session, row: ImportBatch, states: Sequence[RowState]) -> list[ShownRow]:
    return looking.rows(scope, db, row, states=states, first=MOST_BEHIND)


def _examples(scope: Scope, db: Session, row: ImportBatch) -> list[Sample]:
    return looking.samples(scope, db, row, EXAMPLES)


def _said(state: RowState, *, is_undone: bool) -> str:
    """What a state is called; after an undoing a row that is still written could not be undone."""
    return str(NOT_UNDONE) if is_undone and state in WRITTEN else row_state(state)


def _name(row: ShownRow) -> str:
    """By what a person knows a row: its first cell that holds something."""
    return next((cell.text for cell in row.cells if cell.field is not None and cell.text), "")
