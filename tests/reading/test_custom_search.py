"""The search box looks into custom fields that the reader may see, by text, number, phone, address and label."""

import json
from decimal import Decimal

import pytest

import tasks
from models import Contact, Customer, CustomField, DictionaryItem, Entity, FollowUp, Opportunity
from models.custom_field import CustomKind
from resolvers.reading import pages, search_index
from resolvers.reading.global_search import global_search
from resolvers.reading.pages import ListRequest
from resolvers.records.create_update import update
from resolvers.records.custom_fields import bring_back, retire
from tasks.engine import Engine
from tests.support.custom_fields import define, options, refresh, with_lines
from tests.support.returning_caller import Caller
from tests.support.world import World

VALUES = {
    "slogan": (CustomKind.TEXT, 'Blue "whale" 100%'),
    "staff": (CustomKind.NUMBER, Decimal("417.5")),
    "hotline": (CustomKind.PHONE, "+86 138-0013 8000"),
    "mail": (CustomKind.EMAIL, "Orders@Example.com"),
    "state": (CustomKind.SINGLE_CHOICE, "good"),
    "likes": (CustomKind.MULTIPLE_CHOICE, ["fair", "bad"]),
}
WORDS = ("BLUE", '"whale"', "100%", "41", "17.5", "138 0013", "orders@ex", "Goo", "good级", "fair bad", "whale 417")
NOT_THERE = ("whales", "7.", "99", "great", "blue good wolf", "1380014", "level")


def given(**values: object) -> dict[str, object]:
    return {f"custom.{key}": value for key, value in values.items()}


EVERY = given(**{key: value for key, (_, value) in VALUES.items()})


def define_for(world: World, *modules: str) -> None:
    options(world)
    for module in modules:
        for key, (kind, _) in VALUES.items():
            define(world, key, kind, module)


def found(
    world: World, text: str, login: str = "ada", model: type[Entity] = Customer, shown: str = "name"
) -> list[str]:
    """What the search box of a list shows."""
    page = world.run(world.scope(login).read(pages.page, ListRequest(model, (shown,), search=text, size=50)))
    return sorted(str(row[shown]) for row in page.rows)


def everywhere(world: World, text: str, login: str = "ada") -> list[str]:
    """The titles of records of these kinds that the global search shows."""
    kinds = (Customer, Contact, Opportunity, FollowUp)
    groups = world.run(global_search(world.scope(login), text, kinds=kinds))
    return sorted(hit.title for group in groups for hit in group.hits)


def run_due(world: World) -> None:
    tasks.load()
    world.clock.pass_by(seconds=10)
    Engine(world.backend, "w0").run_due(20)


def agrees(world: World) -> bool:
    with world.backend.writer.engine.connect() as connection:
        return list(search_index.check(connection)) == []


def test_customers_and_contacts_are_found_by_what_their_custom_fields_hold(world: World) -> None:
    define_for(world, "customer", "contact")
    acme = world.customer("Acme", owner="li", **EVERY)
    world.customer("Empty", owner="li")
    other = world.customer("Other", owner="li")
    world.make(Contact, customer_id=other, name="Ann", **EVERY)

    for text in WORDS:
        assert (found(world, text), found(world, text, model=Contact)) == (["Acme", "Other"], ["Ann"]), text
    for text in NOT_THERE:
        assert found(world, text) == found(world, text, model=Contact) == [], text
    assert everywhere(world, "good级") == ["Acme", "Ann", "Other"]
    assert everywhere(world, "wolf") == []

    world.ada.do(update, Customer, acme, given(slogan="Red fox", state=None))
    assert [found(world, text) for text in ("blue", "good级", "red fox")] == [["Other"], ["Other"], ["Acme"]]
    assert agrees(world)


def test_a_plan_finds_the_same_for_every_text(world: World) -> None:
    define_for(world, "customer")
    world.customer("Acme", owner="li", **EVERY)
    caller = Caller(world, "li")
    query = "query ($s: String) { customers(search: $s, first: 50) { nodes { name } } }"

    caller.long(query, {"s": "first"})
    for text in (*WORDS, *NOT_THERE):
        answer = json.loads(caller.short(query, {"s": text}) or b"")
        assert [node["name"] for node in answer["data"]["customers"]["nodes"]] == found(world, text), text


def test_records_without_an_index_are_found_by_the_values_themselves(world: World) -> None:
    define_for(world, "opportunity", "followup")
    customer = world.customer("Acme", owner="li")
    world.make(Opportunity, customer_id=customer, name="Deal", **EVERY)
    world.make(FollowUp, customer_id=customer, kind="CALL", content="Called", happened_at=world.clock(), **EVERY)

    for text in ("whale", "417.5", "good级", "bad"):
        assert found(world, text, model=Opportunity) == ["Deal"], text
        assert found(world, text, model=FollowUp, shown="content") == ["Called"], text
    assert everywhere(world, "fair") == ["Called", "Deal"]
    assert found(world, "wolf", model=Opportunity) == everywhere(world, "wolf") == []


@pytest.mark.parametrize("whose", ["any", "own"])
def test_a_hidden_field_leads_to_no_record(world: World, whose: str) -> None:
    define_for(world, "customer", "opportunity")
    acme = world.customer("Acme", owner="li", **EVERY)
    world.make(Opportunity, customer_id=acme, name="Deal", **EVERY)
    words = [f"{module}.custom.{key}" for module in ("customer", "opportunity") for key in VALUES]
    with_lines(world, *(f"p, sales, {word}, view, {'own' if whose == 'own' else 'all'}, any, deny" for word in words))

    for text in ("whale", "417.5", "1380013", "good级", "bad"):
        assert found(world, text, "li") == found(world, text, "li", Opportunity) == everywhere(world, text, "li") == []
        assert found(world, text) == ["Acme"]


def test_docs_follow_definitions_and_labels_beside_the_requests(world: World) -> None:
    define_for(world, "customer")
    world.customer("Acme", owner="li", **EVERY)
    (field,) = (row["id"] for row in world.rows(CustomField) if row["key"] == "slogan")
    (good,) = (row["id"] for row in world.rows(DictionaryItem) if row["key"] == "good")

    world.ada.do(retire, [field])
    refresh(world)
    assert found(world, "whale") == []
    run_due(world)
    assert agrees(world)

    world.ada.do(bring_back, [field])
    refresh(world)
    run_due(world)
    assert found(world, "whale") == ["Acme"]

    world.ada.do(update, DictionaryItem, good, {"label_zh": "满意"})
    run_due(world)
    assert (found(world, "满意"), found(world, "good级"), agrees(world)) == (["Acme"], [], True)
