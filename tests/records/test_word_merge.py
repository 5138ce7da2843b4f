"""Merging words of a dictionary: everything that holds one follows, and the undoing takes back what nobody touched."""

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import update

from models import (
    ClaimCondition,
    Customer,
    CustomerStagePeriod,
    Dictionary,
    DictionaryItem,
    Opportunity,
    OpportunityStagePeriod,
    Pipeline,
    PipelineStage,
    ReleaseRule,
    SavedView,
    WordMerge,
    WordMove,
)
from models.custom_field import CustomKind
from models.errors import Forbidden, Validation
from models.word_merge import MovedState
from resolvers.jobs import control
from resolvers.merging import word_merge, word_unmerge
from resolvers.merging.word_merge import merge_words
from resolvers.merging.word_unmerge import PastWordMerge, past_word_merge, unmerge_words
from resolvers.records import create_update
from resolvers.views import saved_views
from resolvers.views.settings import ViewSettings
from tests.support.custom_fields import define
from tests.support.jobs import Jobs
from tests.support.pipelines import deal, pipeline
from tests.support.world import START, World

MATCHES = {"and": [{"industry": {"in": ["steel", "retail"]}}, {"not": {"industry": {"eq": "steel"}}}]}


def word(world: World, key: str) -> int:
    (found,) = world.rows(DictionaryItem, DictionaryItem.key == key)
    return int(found["id"])


def industry(world: World, id: int) -> Any:
    return world.row(Customer, id)["industry"]


def past(world: World, id: int) -> PastWordMerge:
    found = world.run(world.ada.read(past_word_merge, id))
    assert found is not None
    return found


@pytest.fixture
def jobs(world: World, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    found = Jobs(world, monkeypatch)
    found.declare("merge_words", word_merge.go_on, "dictionary.edit")
    found.declare("unmerge_words", word_unmerge.go_on, "dictionary.edit")
    return found


def test_everything_that_holds_a_word_follows_and_comes_back(world: World) -> None:
    steel, retail = word(world, "steel"), word(world, "retail")
    world.system.do(create_update.update, DictionaryItem, steel, {"aliases": ["钢厂", "Metal"]})
    whole = world.row(DictionaryItem, steel)["dictionary_id"]
    below = world.make(DictionaryItem, dictionary_id=whole, key="wire", label_en="Wire", parent_id=steel)
    mine, other = world.customer(owner="li", industry="steel"), world.customer(industry="internet")
    binned = world.customer(owner="wu", industry="steel")
    world.ada.do(create_update.delete, Customer, [binned])
    values = {
        "pool_id": world.ids["east"],
        "name": "Mills",
        "condition": json.dumps({"industry": {"under": ["steel"]}}),
    }
    condition = world.make(ClaimCondition, **values)
    rule = world.make(ReleaseRule, pool_id=world.ids["east"], name="Mills", days=30, industries=["steel", "retail"])
    world.li.do(saved_views.save_view, Customer, "Mills", ViewSettings(condition=MATCHES))
    before = world.everything()

    id = world.ada.do(merge_words, retail, steel, "one is enough")

    assert [industry(world, x) for x in (mine, other, binned)] == ["retail", "internet", "retail"]
    assert json.loads(world.row(ClaimCondition, condition)["condition"]) == {"industry": {"under": ["retail"]}}
    assert world.row(ReleaseRule, rule)["industries"] == ["retail"]
    (stored,) = world.rows(SavedView)
    assert stored["settings"]["condition"] == {
        "and": [{"industry": {"in": ["retail"]}}, {"not": {"industry": {"eq": "retail"}}}]
    }
    assert world.row(DictionaryItem, below)["parent_id"] == retail
    assert world.row(DictionaryItem, retail)["aliases"] == ["Steel", "steel中", "钢厂", "Metal"]
    assert world.row(DictionaryItem, steel)["archived_at"] == world.clock.now
    logged = world.log("customer", mine)[-1]
    assert (logged["action"], logged["changes"], logged["reason"]) == (
        "dictionary.merge_words",
        {"industry": ["steel", "retail"]},
        "one is enough",
    )
    assert (past(world, id).moved, past(world, id).is_busy) == (6, False)

    world.ada.do(unmerge_words, id)

    assert (past(world, id).kept, past(world, id).is_undone) == ([], True)
    assert _differing(world, before) <= NOTED


GROWING = ("version", "updated_at", "updated_by_id")
NOTED = {"word_merge", "word_move", "event", "release_book"}


def _differing(world: World, before: dict[str, Any]) -> set[str]:
    """The tables whose rows are others than before, but for what grows with each change."""
    return {table for table, rows in world.everything().items() if _plain(rows) != _plain(before[table])}


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k not in GROWING} for row in rows]


def test_the_undoing_says_what_it_leaves(world: World) -> None:
    first, second, third = (world.customer(name, owner="li", industry="steel") for name in ("Ash", "Beech", "Cedar"))
    id = world.ada.do(merge_words, word(world, "retail"), word(world, "steel"))
    world.li.do(create_update.update, Customer, first, {"remark": "Other"})
    world.li.do(create_update.update, Customer, second, {"industry": "internet"})
    for again in ("internet", "retail"):  # somebody says that it is this one
        world.li.do(create_update.update, Customer, third, {"industry": again})

    world.ada.do(unmerge_words, id)

    assert [industry(world, x) for x in (first, second, third)] == ["steel", "internet", "retail"]
    note, other = past(world, id).kept
    assert "Cedar" in other.say() or world.row(Customer, third)["number"] in other.say()
    number = world.row(Customer, second)["number"]
    assert note.say().endswith("industry was changed since and stays as it is.")
    assert note.say("zh").endswith("行业之后有改动，保持现状。")
    assert number in note.say() or "Beech" in note.say()
    with pytest.raises(Validation, match="undone already"):
        world.ada.do(unmerge_words, id)


def test_what_is_too_much_for_one_transaction_follows_in_a_job_and_goes_back_in_one(
    world: World, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word_merge, "AT_ONCE", 2)
    monkeypatch.setattr(word_unmerge, "AT_ONCE", 2)
    ids = [world.customer(owner="li", industry="steel") for _ in range(5)]
    id = world.ada.do(merge_words, word(world, "retail"), word(world, "steel"))

    assert past(world, id).is_busy
    with pytest.raises(Validation, match="still under way"):
        world.ada.do(unmerge_words, id)
    jobs.run_due()

    assert {industry(world, x) for x in ids} == {"retail"}
    assert (past(world, id).moved, past(world, id).is_busy) == (5, False)
    world.ada.do(unmerge_words, id)
    jobs.run_due()
    assert {industry(world, x) for x in ids} == {"steel"}
    assert world.count(WordMove, WordMove.state == MovedState.UNDONE) == 5
    assert not past(world, id).is_busy


def test_what_a_job_left_half_done_is_taken_back_and_goes_no_further(
    world: World, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word_merge, "AT_ONCE", 2)
    monkeypatch.setattr(word_unmerge, "AT_ONCE", 1)
    ids = [world.customer(owner="li", industry="steel") for _ in range(4)]
    id = world.ada.do(merge_words, word(world, "retail"), word(world, "steel"))
    world.ada.do(control.cancel, world.row(WordMerge, id)["job_id"])
    jobs.run_due()
    merging = world.row(WordMerge, id)["job_id"]
    assert (sorted(industry(world, x) for x in ids), past(world, id).is_busy) == (["retail"] * 2 + ["steel"] * 2, False)

    world.ada.do(unmerge_words, id)
    world.ada.do(control.cancel, world.row(WordMerge, id)["job_id"])
    world.ada.do(control.resume, merging)
    jobs.run_due()
    assert sorted(industry(world, x) for x in ids) == ["retail"] + ["steel"] * 3
    assert (past(world, id).is_busy, past(world, id).is_left) == (False, True)

    world.ada.do(unmerge_words, id)
    jobs.run_due()
    assert {industry(world, x) for x in ids} == {"steel"}
    assert (past(world, id).is_busy, past(world, id).is_left, past(world, id).kept) == (False, False, [])
    with pytest.raises(Validation, match="undone already"):
        world.ada.do(unmerge_words, id)


@pytest.mark.parametrize(
    ("winner", "loser", "said"),
    [
        ("retail", "retail", "A word cannot be merged with itself."),
        ("retail", "won", "Retail and Won stand in different dictionaries."),
        ("gone", "retail", "Gone is archived, so nothing becomes part of it. Bring it back first."),
        ("child", "retail", "Child stands below Retail. Move it out first."),
    ],
)
def test_words_that_cannot_become_one_are_refused(world: World, winner: str, loser: str, said: str) -> None:
    retail = world.row(DictionaryItem, word(world, "retail"))
    values = {"dictionary_id": retail["dictionary_id"], "parent_id": retail["id"]}
    world.make(DictionaryItem, **values, key="child", label_en="Child")
    world.make(DictionaryItem, **values, key="gone", label_en="Gone", archived_at=world.clock.now)
    before = world.everything()

    with pytest.raises(Validation) as caught:
        world.ada.do(merge_words, word(world, winner), word(world, loser))

    assert caught.value.say() == said
    assert world.everything() == before


def test_merges_of_one_word_are_undone_in_reverse_order(world: World) -> None:
    steel, retail, internet = (word(world, key) for key in ("steel", "retail", "internet"))
    first = world.ada.do(merge_words, retail, steel)
    world.ada.do(merge_words, internet, retail)

    with pytest.raises(Validation, match="Undo that merge first"):
        world.ada.do(unmerge_words, first)
    with pytest.raises(Validation, match="part of another word already"):
        world.ada.do(merge_words, internet, steel)


def test_a_user_who_may_not_edit_dictionaries_merges_nothing(world: World) -> None:
    with pytest.raises(Forbidden):
        world.li.do(merge_words, word(world, "retail"), word(world, "steel"))

    assert world.count(WordMerge) == 0


@pytest.mark.parametrize("kind", [CustomKind.SINGLE_CHOICE, CustomKind.MULTIPLE_CHOICE])
def test_custom_fields_follow_and_come_back(world: World, kind: CustomKind) -> None:
    define(world, "trade", kind, dictionary="industry")
    several = kind is CustomKind.MULTIPLE_CHOICE
    held: Any = ["internet", "steel"] if several else "steel"
    id = world.li.do(create_update.create, Customer, {"name": "Acme", "custom.trade": held}).id

    merged = world.ada.do(merge_words, word(world, "retail"), word(world, "steel"))

    assert world.row(Customer, id)["custom"] == {"trade": ["internet", "retail"] if several else "retail"}
    assert past(world, merged).moved == 1
    world.li.do(create_update.update, Customer, id, {"name": "Acme Ltd"})
    world.ada.do(unmerge_words, merged)
    assert world.row(Customer, id)["custom"] == {"trade": held}


def test_two_stages_of_one_pipeline_are_not_merged(world: World) -> None:
    stages = world.make(Dictionary, code="opportunity_stage", name="Opportunity stage")
    ids = [world.make(DictionaryItem, dictionary_id=stages, key=x, label_en=x.title()) for x in ("first", "second")]
    pipeline = world.make(Pipeline, name="Direct")
    for place, key in enumerate(("first", "second")):
        world.make(PipelineStage, pipeline_id=pipeline, stage=key, position=place)

    with pytest.raises(Validation) as caught:
        world.ada.do(merge_words, *ids)

    assert caught.value.say() == (
        "First and Second are both stages, with rules of their own. Delete one of the stages first."
    )


def test_a_stage_that_gets_another_name_is_no_step_of_its_opportunities(world: World) -> None:
    stages = world.make(Dictionary, code="opportunity_stage", name="Opportunity stage")
    words = {x: world.make(DictionaryItem, dictionary_id=stages, key=x, label_en=x.title()) for x in ("done", "closed")}
    pipeline = world.make(Pipeline, name="Direct", is_default=True)
    world.make(PipelineStage, pipeline_id=pipeline, stage="done", kind="WON", probability=100)
    customer = world.customer(owner="li", stage="early")
    given = {"customer_id": customer, "name": "Mill", "stage": "done", "probability": 90}
    deal = world.li.do(create_update.create, Opportunity, given).id
    before, was = world.everything(), world.row(Opportunity, deal)
    world.clock.pass_by(days=40)

    id = world.ada.do(merge_words, words["closed"], words["done"])
    merged = world.ada.do(merge_words, word(world, "won"), word(world, "early"))

    assert _plain([world.row(Opportunity, deal)]) == _plain([{**was, "stage": "closed"}])
    assert [x["stage"] for x in world.rows(OpportunityStagePeriod)] == ["closed"]
    assert [x["stage"] for x in world.rows(CustomerStagePeriod)] == ["won"]
    world.clock.pass_by(days=1)
    for each in (merged, id):
        world.ada.do(unmerge_words, each)
    assert _differing(world, before) <= NOTED


def test_opportunities_whose_stage_gets_another_word_make_no_step(world: World) -> None:
    pipeline(world, is_default=True)
    stages = world.row(DictionaryItem, word(world, "discovery"))["dictionary_id"]
    signed = world.make(DictionaryItem, dictionary_id=stages, key="signed", label_en="Signed")
    other = pipeline(world, "Other", {"proposal": {}, "signed": {"kind": "WON", "probability": 95}})
    id = deal(world, pipeline_id=other, stage="signed", probability=90, closed_on=date(2026, 11, 2))
    stray = deal(world)
    with world.backend.writer.engine.begin() as connection:
        connection.execute(update(Opportunity.__table__).where(Opportunity.id == stray).values(stage="signed"))
    keys = ("stage", "state", "probability", "closed_on", "stage_changed_at", "stale_at")

    def told() -> list[dict[str, Any]]:
        return [{key: world.row(Opportunity, x)[key] for key in keys} for x in (id, stray)]

    before, times = told(), world.rows(OpportunityStagePeriod)
    world.clock.pass_by(days=3)
    (won,) = world.rows(DictionaryItem, (DictionaryItem.key == "won") & (DictionaryItem.dictionary_id == stages))

    merged = world.ada.do(merge_words, won["id"], signed)

    assert told()[0] == {**before[0], "stage": "won"}
    assert (told()[1]["state"], told()[1]["closed_on"]) == ("WON", START.date())
    assert world.rows(OpportunityStagePeriod) == [{**times[0], "stage": "won"}, {**times[1], "stage": "won"}]
    world.ada.do(unmerge_words, merged)
    assert told()[0] == before[0]
    assert (told()[1]["state"], told()[1]["closed_on"]) == ("OPEN", None)
