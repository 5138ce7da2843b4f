"""The pipeline of a new installation: the stages that its dictionary has, and all opportunities that are there."""

from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from models import Dictionary, DictionaryItem, Opportunity, Pipeline, PipelineStage
from models.database.bypass import Because, bypass_policy
from models.database.prepared import Prepared
from models.pipeline import StageKind

from ..records import create_update
from ..runtime.scope import Scope

_KINDS = {"won": StageKind.WON, "lost": StageKind.LOST}
_CHANCES = {"discovery": 10, "proposal": 30, "negotiation": 60, "contract": 80, "won": 100, "lost": 0}
_STALE_DAYS = {"discovery": 30, "proposal": 21, "negotiation": 21, "contract": 14}
_UNKNOWN_CHANCE = 20

_TABLE: Any = Opportunity.__table__
_UNPLACED = _TABLE.c.pipeline_id.is_(None)
_PLACE = Prepared(update(_TABLE).where(_UNPLACED), ["pipeline_id"], because=Because.KEEPS_COPY)
_WEIGH = Prepared(
    update(_TABLE).where(_TABLE.c.stage == bindparam("of"), _TABLE.c.probability.is_(None)),
    ["probability"],
    because=Because.KEEPS_COPY,
)


def first_pipeline(scope: Scope, db: Session) -> bool:
    """Make the default pipeline, and put all opportunities into it, unless there ever was a pipeline."""
    there = db.execute(select(Pipeline.id).limit(1), execution_options=bypass_policy(Because.KEEPS_RULE)).first()
    words = _stages(db)
    if there is not None or not words:
        return False
    named = {"name": "Sales", "name_zh": "标准销售", "is_default": True}
    made = create_update.create(scope, Pipeline, named)
    _PLACE.run(db, pipeline_id=made.id)  # before the stages, so that what is there follows from them
    for position, key in enumerate(words):
        create_update.create(scope, PipelineStage, {"pipeline_id": made.id, "position": position, **_terms(key)})
    for key in words:
        _WEIGH.run(db, of=key, probability=_terms(key)["probability"])
    return True


def _terms(key: str) -> dict[str, Any]:
    return {
        "stage": key,
        "kind": _KINDS.get(key, StageKind.OPEN),
        "probability": _CHANCES.get(key, _UNKNOWN_CHANCE),
        "stale_days": _STALE_DAYS.get(key),
    }


def _stages(db: Session) -> list[str]:
    """The words of the dictionary of stages, those of open stages first."""
    found = (
        select(DictionaryItem.key)
        .join(Dictionary, Dictionary.id == DictionaryItem.dictionary_id)
        .where(Dictionary.code == "opportunity_stage", Dictionary.deleted_at.is_(None))
        .where(DictionaryItem.deleted_at.is_(None), DictionaryItem.archived_at.is_(None))
        .order_by(DictionaryItem.position, DictionaryItem.id)
    )
    keys = db.execute(found, execution_options=bypass_policy(Because.KEEPS_RULE)).scalars()
    return sorted(keys, key=lambda key: [*_KINDS].index(key) + 1 if key in _KINDS else 0)
