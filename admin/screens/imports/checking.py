"""The step that checks rows: what is good and bad, and what a confirmation would do."""

from typing import Any

from sqlalchemy.orm import Session

from models import ImportBatch
from resolvers.imports import applying
from resolvers.imports.advance import Outlook, outlook
from resolvers.imports.targets import target_of
from resolvers.runtime.scope import Scope

from ...kit.panel_request import PanelRequest
from .words import consequences as said


async def found(ask: PanelRequest, row: ImportBatch) -> dict[str, Any]:
    """What the page shows."""
    reasons = await ask.scope.read(_reasons, row)
    return {"reasons": reasons[:50], **await consequences(ask, row)}


async def consequences(ask: PanelRequest, row: ImportBatch) -> dict[str, Any]:
    """What a confirmation would do, in numbers and in words."""
    now: Outlook = await ask.scope.read(_outlook, row)
    return {"outlook": now, "consequences": said(ask, target_of(row.target), now)}


def _outlook(scope: Scope, db: Session, row: ImportBatch) -> Outlook:
    return outlook(db, row)


def _reasons(scope: Scope, db: Session, row: ImportBatch) -> Any:
    return applying.reasons(scope, db, row)
