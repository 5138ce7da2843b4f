"""GraphQL and the panel read by two readers; both list the same records with the same values for every person.

The lists, filters, orders and values are generated from the models, so a new entity or column is compared as soon as it
exists.  `make test` compares a sample, `make check` all lists of some people, `make sweep` those of everybody.
"""

import json
import random
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from itertools import product
from typing import Any, NamedTuple

import pytest

from models import ENTITIES, Customer, Entity
from models.base import column_of, time_text
from resolvers.reading import pages
from resolvers.reading.clauses import COMPUTED
from resolvers.reading.condition_fields import Kind
from resolvers.reading.pages import ListRequest
from resolvers.runtime.ids import global_id
from schema.build import schema
from schema.closed_lists import CLOSED
from schema.engine import Engine
from schema.plan.shape import SHAPES, Column, PolymorphicId, name_of, plural
from schema.types.filters import filterable, orderable_keys
from tests.graphql.test_read_corpus import populate
from tests.support import forms
from tests.support.world import PEOPLE, World

SAMPLE = 60
WORDS = {"in": "in", "contains": "contains", "gte": "gte", "lt": "lt", "eq": "eq", "ne": "ne", "is_null": "isNull"}
"""Operators of clauses and what GraphQL calls them."""


class List(NamedTuple):
    """One list as a person asks for it: a filter of one condition, or none, and one step of an order, or none."""

    model: type[Entity]
    login: str
    in_bin: bool
    key: str = ""
    operator: str = ""
    value: Any = None
    order: tuple[str, bool] | None = None


def camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(part.capitalize() for part in rest)


def values_of(world: World, model: type[Entity], key: str) -> list[Any]:
    """Two values that some record has in this column, as the database gives them to Python."""
    if (model, key) in COMPUTED:
        return [True, False]
    column = column_of(model, key)
    with world.backend.writer.engine.connect() as connection:
        found = connection.execute(column.table.select().with_only_columns(column).distinct()).scalars()
        known = sorted((x for x in found if x is not None), key=str)
    return list(dict.fromkeys([*known[:1], *known[-1:]]))


def conditions(world: World, model: type[Entity]) -> Iterator[tuple[str, str, Any]]:
    """(key, operator, value) of everything that both readers can be asked.

    An id that may be of several kinds is a number and a kind to GraphQL; the panel has no filter for it.
    """
    several = {shape.column.key for shape in SHAPES[model].values() if isinstance(shape, PolymorphicId)}
    for key, field in filterable(model):
        if key in several:
            continue
        is_id = field.kind is Kind.RECORD
        yield key, "is_null", True
        for value in values_of(world, model, key):
            yield key, "eq", value
            if (model, key) not in COMPUTED and not isinstance(value, bool):
                yield key, "ne", value
                yield key, "in", [value]
            if isinstance(value, datetime | date | Decimal | int) and not isinstance(value, bool) and not is_id:
                yield key, "gte", value
                yield key, "lt", value
            if field.kind in (Kind.TEXT, Kind.WORD) and (model, key) not in CLOSED:
                yield key, "contains", str(value)[1:3]


def furnish(world: World) -> None:
    """Records of every kind, and one customer with a value in every column that people fill in."""
    populate(world)
    words = {"industry": "retail", "stage": "won", "source": "web", "region": "east", "phone": "13800138000"}
    world.customer("Filled", "li", email="a@example.org", address="1 Road", **words)


def lists(world: World) -> list[List]:
    schema()  # which derives the shapes
    made = []
    for model in ENTITIES:
        tried = list(conditions(world, model))
        for login in PEOPLE:
            made += [List(model, login, in_bin) for in_bin in (False, True)]
            made += [List(model, login, False, *condition) for condition in tried]
            made += [List(model, login, False, order=order) for order in product(orderable_keys(model), (False, True))]
    return made


def as_json(model: type[Entity], key: str, value: Any) -> Any:
    """A value as a client writes it."""
    if isinstance(value, list):
        return [as_json(model, key, x) for x in value]
    if isinstance(value, bool) or value is None:
        return value
    shape = next((x for x in SHAPES[model].values() if isinstance(x, Column) and x.column.key == key), None)
    if shape is not None and (shape.target or shape.column.primary_key):
        return global_id(shape.target or model, value)
    if isinstance(value, Enum):
        return value.name
    if (model, key) in CLOSED:
        return CLOSED[model, key].names()[value]
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return str(value) if isinstance(value, date) else value


def columns_of(model: type[Entity]) -> dict[str, str]:
    """Column key -> field of the GraphQL type, for plain values."""
    plain = {x.column.key: name for name, x in SHAPES[model].items() if isinstance(x, Column) and x.target is None}
    return {key: name for key, name in plain.items() if key != "id" and "[" not in str(column_of(model, key).type)}


def by_graphql(world: World, engine: Engine, asked: List) -> tuple[int, list[dict[str, Any]]]:
    name, fields = name_of(asked.model), " ".join(columns_of(asked.model).values())
    query = (
        f"query ($f: {name}Filter, $o: [{name}Order!], $b: Boolean) "
        f"{{ found: {plural(asked.model)}(first: 200, filter: $f, orderBy: $o, bin: $b) "
        f"{{ totalCount nodes {{ id {fields} }} }} }}"
    )
    variables: dict[str, Any] = {"b": asked.in_bin}
    if asked.key:
        operand = as_json(asked.model, asked.key, asked.value)
        variables["f"] = {camel(asked.key): {WORDS[asked.operator]: operand}}
    if asked.order:
        key, descending = asked.order
        variables["o"] = [{"field": key.upper(), "direction": "DESC" if descending else "ASC"}]
    answered = world.run(engine.answer(world.scope(asked.login, "graphql"), query, variables, None))
    answer = json.loads(answered.body)
    assert "errors" not in answer, (asked, answer)
    return answer["data"]["found"]["totalCount"], answer["data"]["found"]["nodes"]


def by_panel(world: World, asked: List) -> tuple[int | None, list[dict[str, Any]]]:
    columns = columns_of(asked.model)
    request = ListRequest(
        asked.model,
        tuple(columns),
        filter={asked.key: {asked.operator: asked.value}} if asked.key else {},
        order=(asked.order,) if asked.order else (),
        size=200,
        binned=asked.in_bin,
    )
    page = world.run(world.scope(asked.login).read(pages.page, request))
    rows = [
        {"id": global_id(asked.model, row.id)}
        | {name: as_json(asked.model, key, row[key]) for key, name in columns.items()}
        for row in page.rows
    ]
    return page.count, rows


def compare(world: World, wanted: list[List]) -> int:
    """Ask both readers for each list; returns how many records they showed."""
    engine, shown = Engine(world.backend), 0
    for asked in wanted:
        count, rows = by_panel(world, asked)
        assert by_graphql(world, engine, asked) == (count, rows), asked
        shown += len(rows)
    return shown


def test_a_sample_of_lists_is_the_same_by_both_readers(world: World) -> None:
    furnish(world)

    wanted = random.Random(13).sample(lists(world), SAMPLE)

    assert compare(world, wanted) > SAMPLE


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.sampled(sqlite=3, postgresql=2)
@pytest.mark.parametrize("login", PEOPLE)
def test_every_list_filter_and_order_is_the_same_by_both_readers(world: World, login: str) -> None:
    furnish(world)
    wanted = [x for x in lists(world) if x.login == login]
    assert len(wanted) > 500
    if not forms.IS_THOROUGH:
        wanted = random.Random(login).sample(wanted, SAMPLE)

    assert compare(world, wanted) > len(wanted) // 2


def test_a_reader_that_forgets_the_policy_would_be_noticed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    furnish(world)
    monkeypatch.setattr(pages, "open_to", lambda *_: Customer.id.is_not(None))
    monkeypatch.setattr(
        pages, "visible", lambda _viewer, _model, *values: pages.select(*values).execution_options(policy=True)
    )

    with pytest.raises(AssertionError):
        compare(world, [List(Customer, "li", in_bin=False)])
