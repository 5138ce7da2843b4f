"""Whatever comes in, broken or not: an answer or a refusal, the same on every path, and nothing is kept for ever."""

from collections import Counter

import pytest
from corpus import Corpus
from mutants import Mutants
from test_read_corpus import EVERYBODY, Executing, asked, populate
from world import World

from schema.engine import Engine
from schema.plan import documents, plans

IN_BRIEF, AT_LENGTH = 150, 2_000


def throw(world: World, seed: int, texts: int) -> Counter[str]:
    """Ask by both paths; gives how often there were data, and how often errors."""
    ids = populate(world)
    executing, planning = Executing(world.house, plan_at=1), Engine(world.house, plan_at=1)
    roots = planning.schema.query_type
    assert roots is not None
    mutants = Mutants(Corpus(planning.schema, list(roots.fields), ids, seed), seed)
    seen: Counter[str] = Counter()
    for n in range(texts):
        operation, login = mutants.operation(), EVERYBODY[n % len(EVERYBODY)]
        executed = asked(world, executing, login, operation)
        assert '"INTERNAL"' not in executed, (seed, n, login, operation)
        assert asked(world, planning, login, operation) == executed, (seed, n, login, operation)
        seen.update(key for key in ("data", "errors") if f'"{key}"' in executed)
    assert planning.documents.count <= documents.MOST_DOCUMENTS
    assert planning.plans.count <= plans.MOST_PLANS
    return seen


def test_broken_questions_are_answered_alike_and_never_break_anything(world: World) -> None:
    seen = throw(world, 0, IN_BRIEF)

    assert min(seen["data"], seen["errors"]) > IN_BRIEF / 10, seen


@pytest.mark.long
def test_a_small_cache_of_plans_and_documents_answers_alike(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is forgotten and made again is the same; nothing is found under another's key."""
    monkeypatch.setattr(documents, "MOST_DOCUMENTS", 3)
    monkeypatch.setattr(plans, "MOST_PLANS", 2)
    world = World(sqlite_url)
    try:
        throw(world, 1, IN_BRIEF)
    finally:
        world.close()


@pytest.mark.long
@pytest.mark.parametrize("seed", [2, 3])
def test_broken_questions_are_answered_alike_at_length(world: World, seed: int) -> None:
    throw(world, seed, AT_LENGTH if world.house.dialect == "sqlite" else IN_BRIEF)
