"""What has become of an import: its rows by what happened to them, examples beside their records, and its undoing."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from models import ImportBatch
from models.import_batch import RowState
from resolvers.imports import applying
from resolvers.runtime.scope import Scope

from ...kit.formatting import number
from ...kit.panel_request import PanelRequest
from ...kit.translation import gettext
from .words import ROW_STATES

_ = gettext
MOST_REASONS = 50
"""Maximum number of rows whose reasons the page shows."""
ORDER: Sequence[RowState] = (
    RowState.CREATED,
    RowState.UPDATED,
    RowState.SAME,
    RowState.SKIPPED,
    RowState.BAD,
    RowState.FAILED,
    RowState.GOOD,
    RowState.STAGED,
    RowState.UNDONE,
    RowState.KEPT,
)
"""In which order the page counts what has become of rows."""


async def found(ask: PanelRequest, row: ImportBatch) -> dict[str, Any]:
    """What the page shows."""
    counts, reasons = await ask.scope.read(_read, row)
    shown = [(state, counts[state]) for state in ORDER if counts.get(state)]
    return {
        "counts": [(ROW_STATES[state], number(ask, count)) for state, count in shown],
        "reasons": reasons[:MOST_REASONS],
        "more_reasons": number(ask, len(reasons) - MOST_REASONS) if len(reasons) > MOST_REASONS else "",
        "error": "",
    }


def _read(scope: Scope, db: Session, row: ImportBatch) -> tuple[Any, list[dict[str, Any]]]:
    return applying.counts(db, row), applying.reasons(scope, db, row)
