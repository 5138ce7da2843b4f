"""Searching through GraphQL finds what the search box of the panel finds, for everybody, by a statement for all texts."""

import json
from typing import Any

import pytest

from models import Contact, Customer, Entity
from resolvers.reading import pages, search_lookup
from resolvers.reading.pages import ListRequest
from resolvers.runtime.ids import global_id
from schema.engine import Engine
from schema.plan.shape import plural
from tests.graphql.test_read_corpus import Executing, RowSets, populate
from tests.support.world import World

TEXTS = ("mi", "ine", "C2026", "c2026003", "026", "26", "2", "ann", "ann of", "of hers", "mine ann", "hers ann", "xy z")
TEXTS += ("1001", "+86 2001", "20 00", "200", "%", '"', "Own lock", "wu", "gone", "\x01", " ", "中 ann")


@pytest.fixture(params=["few", "many", pytest.param("dense", marks=pytest.mark.long)])
def found(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether what the words lead to is looked among, is too much for that, or is not even collected."""
    if request.param != "few":
        monkeypatch.setattr(search_lookup, "FEW", 0)
    if request.param == "dense":
        monkeypatch.setattr(search_lookup, "DENSE", 0)


def ids(world: World, engine: Engine, login: str, query: str, text: str) -> Any:
    answer = json.loads(world.run(engine.answer(world.scope(login, "graphql"), query, {"q": text}, None)).body)
    assert "errors" not in answer, answer
    return answer["data"]["found"]


@pytest.mark.sampled(sqlite=4, postgresql=2)
@pytest.mark.usefixtures("found")
@pytest.mark.parametrize(
    "login", ["li", *(pytest.param(x, marks=pytest.mark.long) for x in ("ada", "mei", "lead", "rolf"))]
)
@pytest.mark.parametrize("model", [Customer, Contact])
def test_graphql_finds_what_the_panel_finds(world: World, model: type[Entity], login: str) -> None:
    populate(world)
    query = f"query ($q: String) {{ found: {plural(model)}(search: $q) {{ nodes {{ id }} totalCount countUpTo(limit: 2) }} }}"
    engines = [made(world.backend, plan_at=1) for made in (Executing, RowSets, Engine)]
    shown = 0
    for text in TEXTS:
        panel = world.run(world.scope(login).read(pages.page, ListRequest(model, (), search=text, size=50)))
        for engine in engines:
            answer = ids(world, engine, login, query, text)
            assert [x["id"] for x in answer["nodes"]] == [global_id(model, row.id) for row in panel.rows], text
            assert (answer["totalCount"], answer["countUpTo"]) == (len(panel.rows), min(2, len(panel.rows)))
        shown += len(panel.rows)
    assert shown > 6 or login == "rolf", "he sees no customer"


@pytest.mark.usefixtures("found")
def test_below_a_record_its_own_contacts_are_searched(world: World) -> None:
    populate(world)
    query = "query ($q: String) { found: customers(orderBy: [{field: ID}]) { nodes { name contacts(search: $q) { nodes { name } } } } }"
    for engine in [made(world.backend, plan_at=1) for made in (Executing, RowSets, Engine)]:
        below = {x["name"]: x["contacts"]["nodes"] for x in ids(world, engine, "ada", query, "mine")["nodes"]}
        assert below["Mine"] == [{"name": "Ann of Mine"}]
        assert below["Hers"] == below["Wus"] == []


def test_all_texts_share_one_plan_and_those_that_are_everywhere_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    populate(world)
    monkeypatch.setattr(search_lookup, "FEW", 2)
    engine = Engine(world.backend, plan_at=1)
    query = "query ($q: String) { found: customers(search: $q) { totalCount } }"
    counts = []
    for text in ("ine", "ers", "mine ann", "ann", "026", "a longer text of many words"):
        ids(world, engine, "li", query, text)
        counts.append(engine.plans.count)

    assert counts == [1, 1, 1, 2, 2, 2]
