"""Whatever is asked, by whomever: the compiled, the planned and the executed answer are the same."""

import json
import re
from collections import Counter
from collections.abc import Callable, Container, Iterable
from typing import Any

import pytest
from sqlalchemy import insert

from models import Customer, FollowUp, Opportunity, Share
from models.pool import GranteeKind
from models.share import ShareLevel
from policies import Snapshot
from resolvers.customers import lock as locking
from resolvers.reading import search_lookup
from resolvers.records import create_update
from schema.engine import Answer, Engine
from schema.limits import TooComplex
from schema.plan import correlated
from schema.roots import ROOTS
from tests.support import forms
from tests.support.engines import at_length_on_postgresql
from tests.support.query_corpus import Corpus, Operation
from tests.support.reading_as import furnish
from tests.support.returning_caller import Caller
from tests.support.world import PEOPLE, World

THOROUGH = forms.IS_THOROUGH
IN_BRIEF, SOME, AT_LENGTH, SEEDS = 12, 25, 100 if THOROUGH else 25, 20
"""How many operations are asked: in every run, of seed 0 in the long form, of each further seed; how many of those."""
EVERYBODY = list(PEOPLE)
NEVER = 10**9
NOWHERE = ["cus_99", "cus_0", "con_1", "usr_2", "usr_3", "usr_5", "poo_1", "dep_2", "nonsense", "", "cus_99999999999"]

_ROWS = re.compile(r"\b((\w+) AS \2_\d+)\b")
"""Where rows come into a statement.  Twice the same is one place that has lost its link to the other."""
_SAMPLE = re.compile(r"FROM search_doc AS \w+\s+WHERE \w+\.id <= |max\(\w+\.id\) AS \w+\s+FROM search_doc AS \w+\)")
"""The last docs up to some id, a bounded number of them, which say whether a word is dense."""
_ONE_PARENT = re.compile(r"\bFROM \w+ AS (\w+) \s*WHERE \1\.id = \w+\.customer_id\)")
"""The subquery of an inherited value: one parent by its key, in each comparison of the value."""


class Executing(Engine):
    """An engine that has everything put together by the executor, field by field."""

    async def _compiled(self, reader: Any, document: Any, request: Any) -> Answer:
        return await self._executed(reader.scope, reader, document.parsed, request)


class RowSets(Engine):
    """An engine that nests nothing in SQL: every list and record is a row set of its own."""

    async def answer(self, *asked: Any) -> Answer:
        nested, correlated.MAX_NESTED = correlated.MAX_NESTED, 0
        try:
            return await super().answer(*asked)
        finally:
            correlated.MAX_NESTED = nested


def populate(world: World) -> list[str]:
    """Records of every kind: own, foreign, in pools, locked, shared, in the bin; gives ids of them and of nothing."""
    made = furnish(world)
    customers = {name: made[name] for name in ("Mine", "Hers", "Pooled")}
    for name, login in (("Wus", "wu"), ("Closed", "mei"), ("Own lock", "li"), ("Gone", "li")):
        customers[name] = world.customer(name, login, industry="steel", level=None)
    for name, login in (("Mine", "li"), ("Hers", "mei"), ("Wus", "wu"), ("Closed", "mei"), ("Gone", "li")):
        scope, customer = world.scope(login), customers[name]
        call = {"kind": "CALL", "content": f"Call of {login}", "happened_at": world.clock.now}
        scope.do(create_update.create, FollowUp, {"customer_id": customer, **call})
        deal = {"name": f"Deal of {login}", "amount": 1200, "currency": "CNY"}
        scope.do(create_update.create, Opportunity, {"customer_id": customer, **deal})
    world.mei.do(locking.lock, [customers["Closed"]], "talks")
    world.li.do(locking.lock, [customers["Own lock"]], "talks", world.clock.now.replace(hour=23))
    world.li.do(create_update.delete, Customer, [customers["Gone"]])
    for name, login, level in (("Hers", "li", ShareLevel.VIEW), ("Wus", "mei", ShareLevel.EDIT)):
        row = {"customer_id": customers[name], "grantee_kind": GranteeKind.USER, "grantee_id": world.ids[login]}
        with world.backend.writer.engine.begin() as connection:
            connection.execute(insert(Share), {**row, "level": level, "starts_at": world.clock.now})
    return [f"cus_{id}" for id in customers.values()] * 2 + NOWHERE


def told(answer: bytes) -> str:
    """An answer without what GraphQL leaves open: the order of keys and of errors.

    Where an error took all data, the errors of other fields come or not, whichever was faster; the one that took it is last.
    """
    found = json.loads(answer)
    if isinstance(found, dict) and (errors := found.get("errors")):
        found["errors"] = errors[-1:] if "data" in found and found["data"] is None else sorted(errors, key=json.dumps)
    return json.dumps(found, sort_keys=True)


def alike(one: str, other: str) -> bool:
    """Whether two answers, as `told` gives them, say the same.

    Where several fields may take all data, whichever is answered first does so.
    """
    if one == other:
        return True
    answers = json.loads(one), json.loads(other)
    if any("data" not in x or x["data"] is not None or not x.get("errors") for x in answers):
        return False
    first, second = (x["errors"][0].get("path") for x in answers)
    return bool(first and second and first[0] != second[0])


def asked(world: World, engine: Engine, login: str, operation: Operation, *, sees_many: bool = False) -> str:
    scope = world.backend.scope(world.principal(login), "graphql")
    scope.sees_many = sees_many
    try:
        return told(world.run(engine.answer(scope, operation.text, operation.variables, None)).body)
    except TooComplex as refused:
        return json.dumps({"errors": [refused.error()]})


def compare(
    world: World, seed: int, operations: int, people: Callable[[int], Iterable[str]], patch: pytest.MonkeyPatch
) -> None:
    """Ask everything five times: of the executor, by row sets, by correlated plans that others have made, row by row too, and
    the prepared path with a key.

    For every other seed a search that leads to more than two records is one that leads to many.
    """
    if seed % 2 == 0:
        patch.setattr(search_lookup, "FEW", 2)
    ids = populate(world)
    executing, row_sets = Executing(world.backend), RowSets(world.backend, plan_at=NEVER)
    planning = Engine(world.backend, plan_at=1)
    corpus = Corpus(executing.schema, list(ROOTS), ids, seed)
    callers = {login: Caller(world, login, planning) for login in EVERYBODY}
    answers = refused = prepared = 0
    for n in range(operations):
        operation = corpus.operation()
        for login in people(n):
            what = (seed, n, login, operation)
            executed = asked(world, executing, login, operation)
            for engine, many in ((row_sets, False), (planning, True)):
                answer = asked(world, engine, login, operation, sees_many=many)
                # One statement that is too deep refuses the request; of several, that one field.
                assert alike(answer, executed) or ("TOO_COMPLEX" in answer and "TOO_COMPLEX" in executed), what
            if "TOO_COMPLEX" not in executed:
                long, short = callers[login].both(operation)
                assert long is not None, what
                assert alike(told(long), executed), what
                prepared += short is not None
            answers, refused = answers + 1, refused + ('"errors"' in executed)
    assert refused < answers / 2, "most of what is asked makes sense"
    assert prepared > answers / 4, "much of it can be asked the prepared path"
    for sql in planning.plans.texts():
        found = _ROWS.findall(_SAMPLE.sub("", _ONE_PARENT.sub(")", sql)))
        rows = Counter(name for name, table in found if not table.startswith("dictionary"))  # one word by its key
        assert max(rows.values(), default=0) <= 1, f"{rows}: something is asked of all rows instead of one: {sql}"


@at_length_on_postgresql
def test_where_nothing_is_allowed_nothing_is_answered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """No statement reads a table without asking the policy: with an empty one no value comes out of any."""
    ids, engine = populate(world), Engine(world.backend, plan_at=1)
    corpus = Corpus(engine.schema, list(ROOTS), ids, 99)
    monkeypatch.setattr(world.backend, "policy", Snapshot(""))
    told_ = 0
    for _ in range(2 * SOME):
        operation = corpus.operation()
        scope = world.scope("ada", "graphql")
        try:
            answer = world.run(engine.answer(scope, operation.text, operation.variables, None))
        except TooComplex:
            continue
        data = json.loads(answer.body).get("data")
        told_ += data is not None
        assert not list(values(data, engine.schema.type_map)), (operation, data)
    assert told_ > SOME


def values(answer: Any, types: Container[str]) -> Iterable[Any]:
    """Everything in an answer that comes from a row: not how a type is called, nor whether a page has been before."""
    if isinstance(answer, dict):
        for value in answer.values():
            yield from values(value, types)
    elif isinstance(answer, list):
        yield from answer
    elif answer not in (None, 0, True) and not (isinstance(answer, str) and answer in types):
        yield answer


def in_turn(n: int) -> list[str]:
    return [EVERYBODY[n % len(EVERYBODY)]]


@pytest.mark.short
def test_compiled_planned_and_executed_answers_are_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    compare(world, 0, IN_BRIEF, in_turn, monkeypatch)


@pytest.mark.long
@pytest.mark.sampled(sqlite=3, postgresql=1)
@pytest.mark.parametrize("seed", range(SEEDS + 1))
def test_compiled_planned_and_executed_answers_are_the_same_at_length(
    world: World, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some hundred operations, each asked by another person; in `make sweep` two thousand, each asked by everybody."""
    compare(world, seed, AT_LENGTH if seed else SOME, (lambda _: EVERYBODY) if THOROUGH else in_turn, monkeypatch)
