"""Open opportunities: which they are, as a condition, and how many there are in each stage."""

from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models import Opportunity

from ..ownership.release_dates import LOST, WON
from ..reading.clauses import value
from ..reading.conditions import Condition
from ..runtime.scope import Scope

OPEN: Condition = {"or": [{"stage": {"isNull": True}}, {"not": {"stage": {"in": [WON, LOST]}}}]}
"""The condition of an open opportunity: neither won nor lost; without a stage it is open."""


def by_stage(scope: Scope, db: Session) -> dict[str | None, int]:
    """Stage -> number of open opportunities that the caller sees; None is the key where a stage is missing or hidden."""
    stage: Any = value(scope.viewer, Opportunity, Opportunity, "stage")
    counted = select(stage.label("stage"), func.count(Opportunity.id).label("held")).where(
        Opportunity.deleted_at.is_(None)
    )
    counted = counted.where(or_(stage.is_(None), stage.not_in([WON, LOST]))).group_by(stage)
    return {row.stage: row.held for row in db.execute(counted)}
