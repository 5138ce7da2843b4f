"""Lists are in the order that people expect: names without case, accent and width, Chinese by pinyin, numbers by sequence."""

import random
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import event, update

from models import Contact, Customer, Department, Dictionary, DictionaryItem, NumberRule, Opportunity, Pool, Role, User
from models.base import Entity
from models.keys import fill_all, stale_keys
from models.text import KEY_BYTES, name_key, natural_key
from resolvers.reading import pages
from resolvers.reading.pages import ListRequest
from resolvers.records import create_update
from tests.support.graphql import Api
from tests.support.world import World

IN_ORDER = [
    "(Note)",
    "3M",
    "阿里巴巴",
    "Ａcme",
    "ÄRZTE",
    "ärzte bund",
    "Bei",
    "北京",
    "Beijing Co",
    "长沙建材",
    "重庆钢铁",
    "Éclair",
    "Östberg",
    "Østberg 2",
    "上海鑫达",
    "Strasse",
    "Straße 2",
    "王安",
    "王海",
    "西安电力",
    "厦门港",
    "先锋",
    "zebra",
    "завод",
    "ЗАВОД 2",
]
"""Names in their order.  长沙, 重庆 and 厦门 are read as phrases; 王 comes before 西 and 西安 before 先."""
NAMED: tuple[tuple[type[Entity], str, str], ...] = (
    (Department, "name", "departments"),
    (Pool, "name", "pools"),
    (Opportunity, "name", "opportunities"),
    (Contact, "name", "contacts"),
    (Customer, "name", "customers"),
    (User, "name", "users"),
)


def shuffled(names: list[str]) -> list[str]:
    return random.Random(5).sample(names, len(names))


def panel_order(world: World, model: type[Entity], key: str = "name", login: str = "ada", **more: Any) -> list[Any]:
    request = ListRequest(model, (key,), order=((key, False),), size=100, **more)
    return [row[key] for row in world.run(world.scope(login).read(pages.page, request)).rows]


def make(world: World, model: type[Entity], name: str) -> None:
    if model is User:
        world.make(User, login=f"u{abs(hash(name))}", name=name)
    elif model is Customer:
        world.customer(name)
    elif model in (Contact, Opportunity):
        customer = world.rows(Customer)[0]["id"] if world.count(Customer) else world.customer("One")
        more = {"owner_id": world.ids["li"]} if model is Opportunity else {}
        world.make(model, customer_id=customer, name=name, **more)
    else:
        world.make(model, name=name)


@pytest.mark.parametrize(("model", "key", "field"), NAMED, ids=[field for _, _, field in NAMED])
def test_names_are_in_one_order_in_every_list(
    world: World, api: Api, model: type[Entity], key: str, field: str
) -> None:
    names = IN_ORDER if model is Customer else IN_ORDER[3:12]
    for name in shuffled(names):
        make(world, model, name)

    for down in (False, True):
        order = f"orderBy: [{{field: {key.upper()}, direction: {'DESC' if down else 'ASC'}}}]"
        found = api.ask("ada", f"{{ {field}(first: 100, {order}) {{ nodes {{ name }} }} }}")[field]["nodes"]
        assert [x["name"] for x in found if x["name"] in names] == (names[::-1] if down else names)
    assert [name for name in panel_order(world, model, key) if name in names] == names


def test_pages_by_name_go_on_where_they_ended_in_both_directions(world: World, api: Api) -> None:
    names = [*IN_ORDER, "Éclair", "eclair", "ECLAIR", "重庆钢铁"]
    for name in shuffled(names):
        world.customer(name)
    query = "query ($a: String, $b: String, $f: Int, $l: Int) { customers(first: $f, last: $l, after: $a, before: $b, orderBy: [{field: NAME}]) { nodes { id name } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } }"
    whole = api.ask("ada", query, f=100)["customers"]["nodes"]
    assert all(name_key(x["name"]) <= name_key(y["name"]) for x, y in pairwise(whole))

    forward, after = [], None
    while True:
        page = api.ask("ada", query, f=4, a=after)["customers"]
        forward += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    backward, before = [], None
    while True:
        page = api.ask("ada", query, l=5, b=before)["customers"]
        backward = page["nodes"] + backward
        before = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            break
    panel, after = [], None
    while True:
        request = ListRequest(Customer, ("name",), order=(("name", False),), size=6, after=after)
        shown = world.run(world.ada.read(pages.page, request))
        panel += [row.id for row in shown.rows]
        if (after := shown.after) is None:
            break
    assert forward == backward == whole
    assert [f"cus_{id}" for id in panel] == [x["id"] for x in whole]


def test_a_changed_name_takes_its_place(world: World) -> None:
    ids = {name: world.customer(name) for name in ("北京", "上海", "Zeta")}
    world.li.do(create_update.update, Customer, ids["上海"], {"name": "安徽"})
    world.li.do(create_update.update, Customer, ids["Zeta"], {"phone": "13800138000"})
    assert panel_order(world, Customer) == ["安徽", "北京", "Zeta"]
    with world.backend.writer.engine.connect() as connection:
        assert list(stale_keys(connection)) == []


def test_numbers_are_in_the_order_of_their_sequence(world: World, api: Api) -> None:
    numbers = ["A-9", "A-10", "C2026995", "C20261861", "C20261862", "C2027001", "C2027002", "X7"]
    for number in shuffled(numbers):
        world.customer(number=number)
    for login in ("ada", "li"):
        found = api.ask(login, "{ customers(first: 50, orderBy: [{field: NUMBER}]) { nodes { number } } }")
        assert [x["number"] for x in found["customers"]["nodes"]] == numbers
        assert panel_order(world, Customer, "number", login) == numbers


def test_numbers_keep_their_place_when_the_rule_changes(world: World) -> None:
    numbers = ["C2026999", "C20261000", "KH2611-01", "KH2611-02", "KH2611-100"]
    for number in numbers[:2]:
        world.customer(number=number)
    world.make(NumberRule, for_module="customer", pattern="KH{YY}{MM}-{seq:2}")
    for number in numbers[2:]:
        world.customer(number=number)
    assert panel_order(world, Customer, "number") == numbers


def test_words_are_in_the_order_of_their_dictionary(world: World, api: Api) -> None:
    """retail, internet, steel; then what has no word, or one that is gone."""
    for n, word in enumerate(("steel", "retail", None, "internet", "retail")):
        world.customer(f"N{n}", industry=word)
    query = "query ($a: String) { customers(first: 2, after: $a, orderBy: [{field: INDUSTRY}, {field: NAME}]) { nodes { industry } pageInfo { endCursor hasNextPage } } }"
    found, after = [], None
    while True:
        page = api.ask("ada", query, a=after)["customers"]
        found += [x["industry"] for x in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert found == panel_order(world, Customer, "industry") == ["retail", "retail", "internet", "steel", None]

    steel = next(row for row in world.rows(DictionaryItem) if row["key"] == "steel")
    world.ada.do(create_update.update, DictionaryItem, steel["id"], {"position": -1})
    assert panel_order(world, Customer, "industry") == ["steel", "retail", "retail", "internet", None]
    down = api.ask("ada", "{ customers(orderBy: [{field: INDUSTRY, direction: DESC}]) { nodes { industry } } }")
    assert [x["industry"] for x in down["customers"]["nodes"]] == ["internet", "retail", "retail", "steel", None]


def test_the_order_tells_nothing_about_a_hidden_name(world: World) -> None:
    """Two worlds that differ in the hidden names alone are in one order for who may not see them."""
    add_hidden(world)
    ids = [world.customer(name, owner="li") for name in ("Alpha", "Beta", "阿", "Zeta")]

    def shown() -> list[int]:
        request = ListRequest(Customer, (), order=(("name", False),))
        return [row.id for row in world.run(world.sam.read(pages.page, request)).rows]

    before = shown()
    assert sorted(before) == ids
    for id, name in zip(ids, ("Zeta", "Beta", "A", "Alpha"), strict=True):
        world.system.do(create_update.update, Customer, id, {"name": name})
    assert shown() == before


def test_a_list_by_name_reads_the_index(world: World) -> None:
    """No sort, on either database: the plan of the statement of a page of the panel names the index."""
    for n in range(30):
        world.customer(f"N{n}")
    for name, index in (("name", "ix_customer_name_key"), ("number", "ix_customer_number_order")):
        for down in (False, True):
            plan = plan_of(world, name, down=down)
            assert index in plan, plan
            assert "TEMP B-TREE" not in plan, plan
            assert "Sort" not in plan, plan


def plan_of(world: World, name: str, *, down: bool) -> str:
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    engine = world.backend.read_engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        request = ListRequest(Customer, ("name",), order=((name, down),), counts=False)
        world.run(world.ada.read(pages.page, request))
    finally:
        event.remove(engine, "before_cursor_execute", note)
    statement, parameters = next(x for x in asked if "ORDER BY" in x[0])
    is_sqlite = world.backend.dialect == "sqlite"

    async def explain() -> str:
        async with world.backend.read_engine.connect() as connection:
            # Thirty rows are read whole and sorted in no time: what is asked is whether the index can give the order.
            avoided = () if is_sqlite else ("enable_seqscan", "enable_sort")
            for way in avoided:
                await connection.exec_driver_sql(f"SET {way} = off")
            explained = f"EXPLAIN {'QUERY PLAN ' if is_sqlite else ''}{statement}"
            plan = "\n".join(str(tuple(row)) for row in await connection.exec_driver_sql(explained, parameters))
            for way in avoided:
                await connection.exec_driver_sql(f"RESET {way}")
            return plan

    return world.run(explain())


def test_names_that_were_written_past_the_flush_are_found_and_mended(world: World) -> None:
    id = world.customer("北京")
    with world.backend.writer.engine.begin() as connection:
        connection.execute(update(Customer.__table__).where(Customer.id == id).values(name="Zeta", name_key=""))
        assert len(list(stale_keys(connection))) == 1
        assert fill_all(connection) == 1
        assert list(stale_keys(connection)) == []
    assert world.row(Customer, id)["name_key"] == "zeta"


def test_a_long_name_has_a_key_that_every_index_takes(world: World) -> None:
    for name in ("装" * 200, "\ufdfa" * 200, "\U0001f600" * 200, "ΐ" * 200, "𠮷" * 200):
        id = world.customer(name)
        assert len(world.row(Customer, id)["name_key"].encode()) <= KEY_BYTES
    assert panel_order(world, Customer, "name")


def test_keys_are_no_values_that_anybody_sees(world: World, api: Api) -> None:
    id = world.customer("北京")
    assert not {"name_key", "number_key", "number_order"} & {
        key for entry in world.log("customer", id) for key in entry["changes"]
    }
    fields = api.ask("ada", '{ __type(name: "Customer") { fields { name } } }')["__type"]["fields"]
    assert not {"nameKey", "numberKey", "numberOrder"} & {field["name"] for field in fields}
    assert "name_key" not in world.run(world.ada.read(pages.page, ListRequest(Customer, ("name",)))).rows[0].values


def test_natural_keys_count(world: World) -> None:
    assert sorted(["a10", "A9", "a９0", "b"], key=natural_key) == ["A9", "a10", "a９0", "b"]
    assert [model for model in (Role, Dictionary) if "name_key" not in model.__table__.c] == []


def add_hidden(world: World) -> None:
    """Support may not see the names of customers."""
    from tests.support.refusals import add_line

    add_line(world, "p, support, customer.name, view, all, any, deny")
