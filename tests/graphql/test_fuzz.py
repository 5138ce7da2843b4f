"""Whatever comes in, broken or not: an answer or a refusal, the same on every path, and nothing is kept for ever."""

from collections import Counter

import pytest

from schema.engine import Engine
from schema.plan import documents, plans
from tests.graphql.test_read_corpus import EVERYBODY, THOROUGH, Executing, alike, asked, populate, told
from tests.support.broken_queries import Mutants
from tests.support.query_corpus import Corpus, Operation
from tests.support.returning_caller import TAKEN, Caller, taken
from tests.support.world import World

IN_BRIEF, SMALL, AT_LENGTH = 50, 150, 2_000 if THOROUGH else 500
"""How many questions are asked: in every run, in the long form, and in that on SQLite."""


def ask_again(caller: Caller, executing: Engine, operation: Operation, what: str) -> bool:
    """Ask with a key until there is a plan, without one of `TAKEN`, and with it again; whether there is a prepared path."""
    short = [caller.both(operation)[1] for _ in range(3)][-1]
    with taken(caller.world, caller.login, what):
        long, _ = caller.both(operation)
        if long is not None:
            assert alike(told(long), asked(caller.world, executing, caller.login, operation)), (
                caller.login,
                what,
                operation,
            )
    caller.both(operation)
    return short is not None


def throw(world: World, seed: int, texts: int) -> Counter[str]:
    """Ask by both paths, what is planned by the prepared path too; gives how often there were data, errors, a prepared path."""
    ids = populate(world)
    world.clock.pass_by(minutes=1)  # what began just now has lasted a while
    executing, planning = Executing(world.backend, plan_at=1), Engine(world.backend, plan_at=1)
    roots = planning.schema.query_type
    assert roots is not None
    mutants = Mutants(Corpus(planning.schema, list(roots.fields), ids, seed), seed)
    callers = {login: Caller(world, login, planning) for login in EVERYBODY}
    seen: Counter[str] = Counter()
    for n in range(texts):
        operation, login = mutants.operation(), EVERYBODY[n % len(EVERYBODY)]
        executed = asked(world, executing, login, operation)
        assert '"INTERNAL"' not in executed, (seed, n, login, operation)
        assert alike(asked(world, planning, login, operation), executed), (seed, n, login, operation)
        seen.update(key for key in ("data", "errors") if f'"{key}"' in executed)
        if '"errors"' not in executed:
            seen["short"] += ask_again(callers[login], executing, operation, [*TAKEN][n % len(TAKEN)])
    assert planning.documents.count <= documents.MAX_DOCUMENTS
    assert planning.plans.count <= plans.MAX_PLANS
    return seen


def test_broken_questions_are_answered_alike_and_never_break_anything(world: World) -> None:
    seen = throw(world, 0, IN_BRIEF)

    assert min(seen["data"], seen["errors"]) > IN_BRIEF / 10, seen
    assert seen["short"] > seen["data"] / 4, seen


@pytest.mark.long
def test_a_small_cache_of_plans_and_documents_answers_alike(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is forgotten and made again is the same; nothing is found under another's key."""
    monkeypatch.setattr(documents, "MAX_DOCUMENTS", 3)
    monkeypatch.setattr(plans, "MAX_PLANS", 2)
    world = World(sqlite_url)
    try:
        throw(world, 1, SMALL)
    finally:
        world.close()


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [0, 2, 3])
@pytest.mark.sampled(sqlite=1, postgresql=1)
def test_broken_questions_are_answered_alike_at_length(world: World, seed: int) -> None:
    throw(world, seed, AT_LENGTH if seed and world.backend.dialect == "sqlite" else SMALL)
