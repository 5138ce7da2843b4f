"""Opportunities on their way: to move one to another stage, to win one, to lose one."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from models import Opportunity
from models.audit.recording import logged_as
from models.errors import NoSuchStage
from models.pipeline import StageKind
from models.stage_terms import book_of

from ..records import create_update
from ..records.field_rights import open_fields
from ..runtime.inputs import required
from ..runtime.scope import Scope
from .stages import today

_OVER = {StageKind.WON: ("won", "赢单"), StageKind.LOST: ("lost", "输单")}


def move(
    scope: Scope, id: int, stage: str | None, version: int | None = None, given: Mapping[str, Any] | None = None
) -> Opportunity:
    """The opportunity in another stage.  `given`: values that the stage asks for, by key.

    Raises Conflict where the stage has changed since `version`, and what `update` raises: StageNotInPipeline,
    StepNotAllowed, FieldsMissing.
    """
    if stage is None:
        raise required("stage")
    return _changed(scope, "step", id, {**(given or {}), "stage": stage}, version)


def win(
    scope: Scope,
    id: int,
    *,
    amount: Decimal | None = None,
    closed_on: date | None = None,
    version: int | None = None,
) -> Opportunity:
    """The opportunity as won: with the amount, unless it has one, and the day, today unless it is given.

    Raises NoSuchStage, Validation (no amount, unless the user sees none), and what `move` raises.
    """
    given = {"amount": amount} if amount is not None else {}
    return _close(scope, id, StageKind.WON, {**given, "closed_on": closed_on or today(scope)}, version)


def lose(
    scope: Scope,
    id: int,
    *,
    reason: str | None,
    remark: str | None = None,
    closed_on: date | None = None,
    version: int | None = None,
) -> Opportunity:
    """The opportunity as lost, for a reason of the dictionary `lost_reason`; the day is today unless it is given.

    Raises NoSuchStage, Validation (no reason), and what `move` raises.
    """
    if not reason:
        raise required("lost_reason")
    given = {"remark": remark} if remark else {}
    return _close(
        scope, id, StageKind.LOST, {**given, "lost_reason": reason, "closed_on": closed_on or today(scope)}, version
    )


# --- steps -----------------------------------------------------------------------------------------------


def _close(scope: Scope, id: int, kind: StageKind, given: dict[str, Any], version: int | None) -> Opportunity:
    verb = "win" if kind is StageKind.WON else "lose"
    with scope.write(f"opportunity.{verb}") as db:
        row = scope.load(db, Opportunity, id, to="edit")
        is_free = kind is StageKind.WON and row.amount is None and given.get("amount") is None
        if is_free and open_fields(scope, db, Opportunity, id, ["amount"], ("view",)):
            raise required("amount")
        return _changed(scope, verb, id, {**given, "stage": _stage_of(db, row, kind)}, version)


def _stage_of(db: Session, row: Opportunity, kind: StageKind) -> str:
    """The stage of this kind in the pipeline of the opportunity: the one that it is in, else the first."""
    pipeline = book_of(db).of(row.pipeline_id)
    if book_of(db).terms(row.pipeline_id, row.stage).kind is kind and row.stage is not None:
        return row.stage
    found = pipeline.first(kind) if pipeline is not None else kind.value.lower()
    if found is None:
        said = dict(zip(("kind", "kind_zh"), _OVER[kind], strict=True))
        raise NoSuchStage(field="stage", pipeline=pipeline.name, pipeline_zh=pipeline.name_zh, **said)  # type: ignore[union-attr]  # found without one
    return found


def _changed(scope: Scope, action: str, id: int, given: dict[str, Any], version: int | None) -> Opportunity:
    """Change the opportunity as an edit does, and call it `action` in the log."""
    with scope.write(f"opportunity.{action}") as db, logged_as(db, f"opportunity.{action}"):
        return create_update.update(scope, Opportunity, id, given, version)
