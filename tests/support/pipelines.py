"""A pipeline for tests: its words, its stages, and opportunities in them."""

from typing import Any

from models import Dictionary, DictionaryItem, Opportunity, Pipeline, PipelineStage
from models.pipeline import StageKind
from tests.support.world import World

STAGES: dict[str, dict[str, Any]] = {
    "discovery": {"probability": 10, "stale_days": 30},
    "proposal": {"probability": 40, "stale_days": 10},
    "waiting": {"probability": 20, "kind": StageKind.ON_HOLD},
    "won": {"probability": 100, "kind": StageKind.WON},
    "lost": {"kind": StageKind.LOST, "required_fields": ["lost_reason"]},
}
CHINESE = {"discovery": "需求发现", "proposal": "方案报价", "waiting": "暂缓", "won": "赢单", "lost": "输单"}


def pipeline(world: World, name: str = "Sales", stages: dict[str, dict[str, Any]] | None = None, **values: Any) -> int:
    """The id of a new pipeline with these stages; the first one makes the dictionaries, too."""
    if not world.rows(Dictionary, Dictionary.code == "opportunity_stage"):
        dictionary(world, "opportunity_stage", CHINESE)
        dictionary(world, "lost_reason", {"price": "价格", "rival": "竞争对手"})
    made = world.make(Pipeline, name=name, name_zh=f"{name}流程", **values)
    for position, (key, terms) in enumerate((stages or STAGES).items()):
        world.make(PipelineStage, pipeline_id=made, stage=key, position=position, **terms)
    return made


def dictionary(world: World, code: str, words: dict[str, str]) -> None:
    made = world.make(Dictionary, code=code, name=code)
    for position, (key, chinese) in enumerate(words.items()):
        given = {"key": key, "label_en": key.capitalize(), "label_zh": chinese, "position": position}
        world.make(DictionaryItem, dictionary_id=made, **given)


def deal(world: World, customer: int | None = None, name: str = "Deal", owner: str = "li", **values: Any) -> int:
    """The id of a new opportunity of Li, or of `owner`, at a customer of theirs."""
    of = customer if customer is not None else world.customer("Acme", owner)
    return world.make(Opportunity, customer_id=of, name=name, owner_id=world.ids[owner], **values)
