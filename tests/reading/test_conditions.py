"""Conditions: one language for the panel and GraphQL, which find the same on both databases."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from models import (
    AuditEntry,
    Base,
    CalendarDay,
    Contact,
    Customer,
    DictionaryItem,
    Entity,
    FollowUp,
    Opportunity,
    Organisation,
)
from models.errors import Validation
from resolvers.reading import pages
from resolvers.reading.condition_fields import fields_of, plural, relations_of
from resolvers.reading.conditions import checked
from resolvers.reading.pages import ListRequest
from resolvers.records import create_update
from schema.engine import Engine
from tests.support.world import START, World

LIST = "query ($f: CustomerFilter) { customers(first: 100, filter: $f) { nodes { id } totalCount } }"


@pytest.fixture
def town(world: World) -> World:
    """Four customers: two of Li, one of Mei, one in a pool; with follow-ups, opportunities and contacts."""
    world.system.do(create_update.update, Organisation, 1, {"time_zone": "Asia/Shanghai"})
    made = {
        "Acme": world.customer("Acme", "li", stage="won", contact_name="Ann", contact_phone="13800138000"),
        "Bolt": world.customer("Bolt", "li", stage="early"),
        "Ceres": world.customer("Ceres", "mei"),
        "Delta": world.customer("Delta", pool="north"),
    }
    for name, days, said in (("Acme", 40, "long ago"), ("Bolt", 3, "lately"), ("Ceres", 40, "long ago")):
        at = START - timedelta(days=days)
        world.make(FollowUp, customer_id=made[name], kind="CALL", content=said, happened_at=at)
    for name, amount, title in (("Acme", 250_000, "Lost"), ("Bolt", 120_000, "Deal"), ("Bolt", 5, "Deal")):
        world.make(Opportunity, customer_id=made[name], name=title, amount=Decimal(amount))
    world.ids |= made
    return world


def found(world: World, login: str, condition: dict[str, Any], engine: Engine | None = None) -> list[str]:
    """The names of the customers that both readers find; with `engine` by its plans."""
    ids = found_ids(world, login, Customer, condition, engine or Engine(world.backend))
    return sorted(world.row(Customer, id)["name"] for id in ids)


def found_ids(world: World, login: str, model: type[Entity], condition: dict[str, Any], engine: Engine) -> list[int]:
    """What both readers find, which must be the same."""
    page = world.run(world.scope(login).read(pages.page, ListRequest(model, (), condition=condition, size=100)))
    seen = sorted(row.id for row in page.rows)
    assert page.count == len(seen)
    query = LIST.replace("CustomerFilter", f"{model.__name__}Filter").replace("customers", plural(model))
    answer = json.loads(world.run(engine.answer(world.scope(login, "graphql"), query, {"f": condition}, None)).body)
    assert "errors" not in answer, answer["errors"]
    answered = answer["data"][plural(model)]
    assert sorted(int(node["id"].partition("_")[2]) for node in answered["nodes"]) == seen
    assert answered["totalCount"] == len(seen)
    return seen


def as_written(condition: Any) -> Any:
    """A condition as its JSON, amounts as texts."""
    return json.loads(json.dumps(condition, default=str))


CASES: dict[str, tuple[str, dict[str, Any], str]] = {
    "no follow-up for 30 days": (
        "ada",
        {"followUps": {"none": {"happenedAt": {"during": "last 30 days"}}}},
        "Acme Ceres Delta",
    ),
    "a follow-up lately": ("ada", {"followUps": {"some": {"happenedAt": {"during": "last 7 days"}}}}, "Bolt"),
    "never a follow-up": ("ada", {"followUps": {"none": {}}}, "Delta"),
    "an open opportunity above 100,000": (
        "ada",
        {"opportunities": {"some": {"amount": {"gt": "100000"}, "not": {"name": {"in": ["Lost"]}}}}},
        "Bolt",
    ),
    "mine": ("li", {"ownerId": {"in": ["me"]}}, "Acme Bolt"),
    "not mine": ("ada", {"ownerId": {"ne": "me"}}, "Acme Bolt Ceres Delta"),
    "of my team": ("lead", {"ownerId": {"in": ["my-team"]}}, "Acme Bolt"),
    "of my department": ("lead", {"departmentId": {"eq": "my-team"}}, "Acme Bolt"),
    "not of my team": ("ada", {"not": {"ownerId": {"in": ["my-team", "me"]}}}, "Acme Bolt Ceres Delta"),
    "a contact with this number": (
        "li",
        {"contacts": {"some": {"points": {"some": {"value": {"contains": "0138"}}}}}},
        "Acme",
    ),
    "an owner called Mei": ("ada", {"owner": {"is": {"name": {"startsWith": "Mei"}}}}, "Ceres"),
    "no owner called Mei": ("ada", {"owner": {"isNot": {"name": {"startsWith": "Mei"}}}}, "Acme Bolt Delta"),
    "new this month": ("ada", {"createdAt": {"during": "this month"}}, "Acme Bolt Ceres Delta"),
    "never claimed": ("ada", {"claimedAt": {"during": "never"}}, "Delta"),
    "groups": (
        "ada",
        {"or": [{"stage": {"eq": "won"}}, {"and": [{"poolId": {"isNull": False}}, {"not": {"name": {"eq": "x"}}}]}]},
        "Acme Delta",
    ),
    "through two relations": (
        "ada",
        {"contacts": {"some": {"customer": {"is": {"owner": {"is": {"login": {"eq": "li"}}}}}}}},
        "Acme",
    ),
}


def test_both_readers_find_what_the_condition_says(town: World) -> None:
    for name, (login, condition, expected) in CASES.items():
        assert found(town, login, condition) == expected.split(), name


def test_a_word_finds_those_below_it(town: World) -> None:
    dictionary = town.rows(DictionaryItem, DictionaryItem.__table__.c.key == "early")[0]
    town.make(
        DictionaryItem,
        dictionary_id=dictionary["dictionary_id"],
        parent_id=dictionary["id"],
        key="earlier",
        label_en="Earlier",
    )
    town.customer("Earl", "li", stage="earlier")

    assert found(town, "ada", {"stage": {"under": ["early"]}}) == ["Bolt", "Earl"]
    assert found(town, "ada", {"stage": {"in": ["early"]}}) == ["Bolt"]
    assert found(town, "ada", {"not": {"stage": {"under": ["early", "gone"]}}}) == ["Acme", "Ceres", "Delta"]


def test_days_begin_where_the_organisation_is_and_a_cached_plan_knows_what_day_it_is(town: World) -> None:
    engine = Engine(town.backend, plan_at=1)
    today = {"updatedAt": {"during": "today"}}

    assert found(town, "ada", today, engine) == ["Acme", "Bolt", "Ceres", "Delta"]
    town.clock.pass_by(hours=7, minutes=59)  # 23:59 in Shanghai
    assert found(town, "ada", today, engine) == ["Acme", "Bolt", "Ceres", "Delta"]
    plans = engine.plans.count
    town.clock.pass_by(minutes=1)
    assert found(town, "ada", today, engine) == []
    assert found(town, "ada", {"updatedAt": {"during": "yesterday"}}, engine) == ["Acme", "Bolt", "Ceres", "Delta"]
    assert found(town, "ada", {"updatedAt": {"during": "more than 1 day ago"}}, engine) == []
    assert engine.plans.count == plans + 2
    town.system.do(create_update.update, Organisation, 1, {"time_zone": "UTC"})
    assert found(town, "ada", today, engine) == ["Acme", "Bolt", "Ceres", "Delta"]


def test_me_is_whoever_asks_and_shares_no_plan_with_an_id(town: World) -> None:
    engine = Engine(town.backend, plan_at=1)
    mei = f"usr_{town.ids['mei']}"
    for _ in range(2):
        assert found(town, "ada", {"ownerId": {"in": [mei]}}, engine) == ["Ceres"]
        assert found(town, "li", {"ownerId": {"in": ["me"]}}, engine) == ["Acme", "Bolt"]
        assert found(town, "ada", {"ownerId": {"in": ["me"]}}, engine) == []
        assert found(town, "ada", {"ownerId": {"in": ["my-team"]}}, engine) == []
        assert found(town, "mei", {"ownerId": {"in": ["me"]}}, engine) == ["Ceres"]


def test_related_records_count_only_where_they_are_seen(town: World) -> None:
    """Li does not see Ceres's contact, and of the pooled customer no number."""
    for name in ("Ceres", "Delta"):
        town.make(Contact, customer_id=town.ids[name], name="Zoe", points=[{"kind": "PHONE", "value": "13911112222"}])
    number = {"contacts": {"some": {"points": {"some": {"value": {"startsWith": "139"}}}}}}

    assert found(town, "ada", number) == ["Ceres", "Delta"]
    assert found(town, "li", number) == []
    assert found(town, "li", {"contacts": {"some": {"name": {"eq": "Zoe"}}}}) == ["Delta"]
    assert "Delta" in found(town, "li", {"not": number})


BAD: dict[str, tuple[Any, str, str]] = {
    "no object": ([], "filter", "A condition is an object of fields."),
    "no such field": ({"stag": {"eq": "won"}}, "filter.stag", "A condition on customers knows no field “stag”."),
    "no operator": ({"stage": "won"}, "filter.stage", "Stage is compared by an operator, like eq."),
    "wrong operator": (
        {"or": [{"stage": {"gt": "won"}}]},
        "filter.or[0].stage.gt",
        "Stage is not compared by “gt”; known: eq, ne, in, contains, startsWith, endsWith, isNull, under.",
    ),
    "no amount": (
        {"opportunities": {"some": {"amount": {"gt": "much"}}}},
        "filter.opportunities.some.amount.gt",
        "Amount cannot be compared with “much”.",
    ),
    "no period": (
        {"createdAt": {"during": "soon"}},
        "filter.createdAt.during",
        "Created at cannot be compared with “soon”.",
    ),
    "no id": ({"ownerId": {"in": ["me", "Li"]}}, "filter.ownerId.in[1]", "Owner cannot be compared with “Li”."),
    "no list": ({"and": {"stage": {"eq": "won"}}}, "filter.and", "“and” holds a list of conditions."),
    "related without a question": (
        {"followUps": {"happenedAt": {"during": "today"}}},
        "filter.followUps",
        "Related records are asked about with some / none.",
    ),
    "too deep in relations": (
        {"contacts": {"some": {"customer": {"is": {"contacts": {"some": {"customer": {"is": {}}}}}}}}},
        "filter.contacts.some.customer.is.contacts.some.customer",
        "A condition asks about at most 10 related records, 3 deep.",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_condition_is_refused_with_its_place(name: str) -> None:
    given, place, sentence = BAD[name]

    with pytest.raises(Validation) as refused:
        checked(Customer, given)

    assert (refused.value.field, refused.value.say("en")) == (place, sentence)
    assert refused.value.say("zh") != sentence


def nested(levels: int) -> dict[str, Any]:
    return {"not": nested(levels - 1)} if levels else {"name": {"eq": "Acme"}}


def test_a_condition_is_bounded_in_depth_and_number(town: World) -> None:
    for given in (nested(9), {"or": [{"name": {"eq": "x"}}] * 101}, {"ownerId": {"in": ["me"] * 201}}):
        with pytest.raises(Validation, match="at most"):
            checked(Customer, given)
    assert found(town, "ada", nested(8)) == ["Acme"]
    deepest: dict[str, Any] = {"name": {"contains": "cm"}}
    deepest = {"not": {"or": [{"customer": {"isNot": deepest}}]}}
    assert found(town, "ada", {"not": {"not": {"contacts": {"some": {"not": {"not": deepest}}}}}}) == ["Acme"]


def test_the_language_of_every_kind_has_the_names_of_graphql() -> None:
    from models import ENTITIES
    from schema.build import graphql_of, schema
    from schema.types.filters import filter_name

    types = graphql_of(schema()).type_map
    for model in ENTITIES:
        known: set[str] = {*types[filter_name(model)].fields} - {"and", "or", "not", "granteeId", "custom"}  # type: ignore[union-attr]  an input
        assert known == {*fields_of(model), *relations_of(model)}, model
        assert not fields_of(model).keys() & relations_of(model).keys()


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (Customer, "customers"),
        (Opportunity, "opportunities"),
        (AuditEntry, "auditEntries"),
        (CalendarDay, "calendarDays"),
    ],
)
def test_a_list_is_called_by_the_plural(model: type[Base], name: str) -> None:
    assert plural(model) == name
