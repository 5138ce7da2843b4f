"""The opportunities of the demo: two pipelines, and the way of each opportunity through the stages of one."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from models import (
    CustomerStagePeriod,
    Dictionary,
    DictionaryItem,
    Opportunity,
    OpportunityStagePeriod,
    Pipeline,
    PipelineStage,
)
from models.base import clip
from models.database.bypass import Because, bypass_policy
from models.pipeline import StageKind
from models.stage_terms import PipelineTerms, StageTerms, book_of
from resolvers.records import create_update
from resolvers.runtime.scope import Scope

from .land import ZONE, Land
from .ledger import born, changed

Row = dict[str, Any]
_WORDS = (("bidding", "Bidding", "招投标", 15), ("on_hold", "On hold", "暂缓", 17))
_PROJECTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("discovery", {"probability": 5, "stale_days": 60}),
    ("proposal", {"probability": 20, "stale_days": 45, "required_fields": ["amount"]}),
    ("bidding", {"probability": 40, "stale_days": 60, "required_fields": ["amount", "expected_close"]}),
    ("negotiation", {"probability": 60, "stale_days": 30}),
    ("contract", {"probability": 85, "stale_days": 21, "next_stages": ["won", "lost", "on_hold"]}),
    ("on_hold", {"probability": 10, "kind": StageKind.ON_HOLD, "stale_days": 90}),
    ("won", {"probability": 100, "kind": StageKind.WON}),
    ("lost", {"probability": 0, "kind": StageKind.LOST, "required_fields": ["lost_reason"]}),
)
_REASONS = ("price", "competitor", "no_budget", "no_need", "no_answer", "timing")
LARGE = 300_000
"""The amount from which on an opportunity is a project."""


@dataclass(frozen=True)
class Ways:
    """The two pipelines of the demo."""

    usual: PipelineTerms
    projects: PipelineTerms


def pipelines(scope: Scope) -> Ways:
    """The default pipeline, and a new one for large projects with a stage for tenders."""
    with scope.write("organisation.demo") as db:
        asked = select(Dictionary.id).where(Dictionary.code == "opportunity_stage")
        words = db.execute(asked, execution_options=bypass_policy(Because.KEEPS_RULE)).scalar_one()
        for key, english, chinese, position in _WORDS:
            given = {"dictionary_id": words, "key": key, "label_en": english, "label_zh": chinese}
            create_update.create(scope, DictionaryItem, given | {"position": position})
        named = {"name": "Projects and tenders", "name_zh": "大项目与招投标", "position": 1}
        made = create_update.create(scope, Pipeline, named)
        for position, (key, terms) in enumerate(_PROJECTS):
            given = {"pipeline_id": made.id, "stage": key, "position": position, **terms}
            create_update.create(scope, PipelineStage, given)
        book = book_of(db)
        usual = book.of(None)
        assert usual is not None, "an installation has a default pipeline"
        return Ways(usual, book.pipelines[made.id])


def walk(land: Land, deal: Row, owner_id: int, at: datetime, last: str) -> None:
    """Let a new opportunity go from its first stage at `at` to `last`, with its log and its times in stages."""
    rng = random.Random(deal["id"])  # noqa: S311  nothing secret is made of it, and other draws stay as they are
    pipeline = land.ways.projects if deal["amount"] >= LARGE else land.ways.usual
    path = [*_path(rng, pipeline, last)]
    span = min(land.now - at, timedelta(days=rng.randrange(10, 200)))
    moments = sorted(clip(at + span * rng.random()) for _ in path[1:])
    deal.update(pipeline_id=pipeline.id, **_facts(path[0], at, at))
    _note(land, deal, owner_id, at, "create", born(deal))
    for stage, moment in zip(path[1:], moments, strict=True):
        _end_period(land, deal, moment)
        new = {"stage": stage.key, **_logged(rng, stage, moment, deal)}
        told = changed(deal, new)
        deal.update(_facts(stage, moment, moment))
        deal.update(version=deal["version"] + 1, updated_at=moment, updated_by_id=owner_id)
        verb = {StageKind.WON: "win", StageKind.LOST: "lose"}.get(stage.kind, "step")
        _note(land, deal, owner_id, moment, verb, told)


def _path(rng: random.Random, pipeline: PipelineTerms, last: str) -> Iterator[StageTerms]:
    """The stages up to `last`, in order; what is lost or waits leaves the way somewhere."""
    keys = [key for key, stage in pipeline.stages.items() if stage.kind is StageKind.OPEN]
    if "bidding" in keys and last == "contract" and rng.random() < 0.3:
        last = "on_hold"
    if last in keys:
        yield from (pipeline.stages[key] for key in keys[: keys.index(last) + 1])
        return
    most = len(keys) if last == "won" else rng.randrange(1, len(keys) + 1)
    yield from (pipeline.stages[key] for key in keys[:most])
    yield pipeline.stages[last]


def _facts(stage: StageTerms, since: datetime, at: datetime) -> Row:
    """What the log does not tell of a stage."""
    return {"state": stage.kind, "stage_changed_at": at, "stale_at": stage.stale_at(since)}


def _logged(rng: random.Random, stage: StageTerms, at: datetime, deal: Row) -> Row:
    """What the log tells beside the stage."""
    day = at.astimezone(ZoneInfo(ZONE)).date() if stage.kind.is_over else None
    reason = rng.choice(_REASONS) if stage.kind is StageKind.LOST else None
    close = day if stage.kind.is_over else deal["expected_close"]
    return {"probability": stage.probability, "closed_on": day, "lost_reason": reason, "expected_close": close}


def _note(land: Land, deal: Row, by: int, at: datetime, verb: str, changes: Any) -> None:
    land.ledger.note(at, f"opportunity.{verb}", Opportunity, deal, changes, by)
    period = {"opportunity_id": deal["id"], "stage": deal["stage"], "started_at": at, "ended_at": None, "by_id": by}
    land.periods[deal["id"]] = period
    land.ledger.add(OpportunityStagePeriod, period)


def _end_period(land: Land, deal: Row, at: datetime) -> None:
    land.periods[deal["id"]]["ended_at"] = at


def stay(land: Land, customer: Row, by: int, at: datetime) -> None:
    """Note since when a new customer is in its stage."""
    period = {"customer_id": customer["id"], "stage": customer["stage"], "started_at": at, "ended_at": None}
    land.ledger.add(CustomerStagePeriod, {**period, "by_id": by})
