"""Statistics are what the list adds up to: for every role, on both databases, to the hundredth."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from models import Customer, Dictionary, DictionaryItem, Opportunity, Organisation
from resolvers.records import create_update, recycle_bin
from schema.engine import Engine
from tests.support.custom_fields import with_lines
from tests.support.graphql import Api
from tests.support.pipelines import pipeline
from tests.support.world import PEOPLE, World

ROW = "key { recordId value label } count sums { currency amount weighted }"
STATS = (
    "query ($by: [%(kind)sGroupBy!]!, $first: Int, $order: StatsOrder, $level: Int, $f: %(kind)sFilter) {"
    " %(field)s(groupBy: $by, first: $first, orderBy: $order, branchLevel: $level, filter: $f)"
    f" {{ rows {{ {ROW} }} other {{ {ROW} }} total {{ {ROW} }} }} }}"
)
CUSTOMERS = STATS % {"kind": "Customer", "field": "customerStats"}
DEALS = STATS % {"kind": "Opportunity", "field": "opportunityStats"}
LISTED = {
    "customers": "{ customers(first: 40) { nodes { id stage category region source industry level ownerId departmentId poolId createdAt"
    " opportunities(first: 10) { nodes { amount currency probability state } } } } }",
    "opportunities": "{ opportunities(first: 200) { nodes { id stage pipelineId ownerId lostReason amount currency probability state"
    " createdAt closedOn expectedClose owner { departmentId } customer { poolId category region source industry } } } }",
}
Group = tuple[str | None, ...]


@pytest.fixture
def trade(world: World) -> World:
    """Customers and opportunities of everybody, in pools and the bin, with amounts in two currencies, around midnight."""
    world.system.do(create_update.update, Organisation, 1, {"time_zone": "Asia/Shanghai"})
    pipeline(world)
    dictionary = world.make(Dictionary, code="category", name="Category")
    items: dict[str, int] = {}
    for key, above in (("formal", None), ("formal_hot", "formal"), ("hotter", "formal_hot"), ("lead", None)):
        label = {"label_en": key.title(), "label_zh": f"{key}类", "position": 10 - len(items)}
        parent = {"parent_id": items[above]} if above else {}
        items[key] = world.make(DictionaryItem, dictionary_id=dictionary, key=key, **label, **parent)
    stages, places = ("early", "won", None), ("li", "mei", "wu", None)
    for n in range(18):
        world.clock.pass_by(hours=7, days=5)
        place = places[n % 4]
        home = {"owner": place} if place else {"pool": "north" if n % 8 == 3 else "south"}
        values = {"stage": stages[n % 3], "category": [*items, None][n % 5], "industry": ["steel", "retail"][n % 2]}
        customer = world.customer(f"Customer {n}", **home, **values, region="east" if n % 5 else None)
        for k in range(n % 3):
            amount = None if n % 7 == 0 else Decimal(n * 1000 + k) / Decimal(3)
            given = {"amount": amount and amount.quantize(Decimal("0.01")), "currency": ["CNY", "EUR"][(n + k) % 2]}
            stage = ["discovery", "proposal", "waiting", "won"][(n + k) % 4]
            owner = {"owner_id": world.ids[place]} if place and k else {}
            closing = {"expected_close": date(2026, 12, 20) + timedelta(days=7 * n)}
            world.make(
                Opportunity, customer_id=customer, name=f"Deal {n}.{k}", stage=stage, **given, **owner, **closing
            )
        if n % 9 == 8:
            world.ada.do(recycle_bin.delete, Customer, [customer])
    return world


def month(moment: str) -> str:
    at = datetime.fromisoformat(moment)
    return f"{at.astimezone(ZoneInfo('Asia/Shanghai')):%Y-%m}"


def branch(level: int) -> Any:
    """The word of a level above a category."""
    above = {"formal_hot": ["formal"], "hotter": ["formal", "formal_hot"]}
    return lambda word: word and [*above.get(word, []), word][:level][-1]


def closing(deal: dict[str, Any]) -> str | None:
    day = deal["closedOn"] if deal["state"] in ("WON", "LOST") else deal["expectedClose"]
    return day and day[:7]


OF_CUSTOMERS: dict[str, Any] = {
    "STAGE": lambda x, _: x["stage"],
    "OWNER": lambda x, _: x["ownerId"],
    "DEPARTMENT": lambda x, _: x["departmentId"],
    "POOL": lambda x, _: x["poolId"],
    "CREATED_MONTH": lambda x, _: x["createdAt"] and month(x["createdAt"]),
    "CATEGORY": lambda x, _: x["category"],
    "CATEGORY_BRANCH": lambda x, level: branch(level)(x["category"]),
    "REGION": lambda x, _: x["region"],
    "SOURCE": lambda x, _: x["source"],
    "INDUSTRY": lambda x, _: x["industry"],
    "LEVEL": lambda x, _: x["level"],
}
OF_DEALS: dict[str, Any] = {
    "STAGE": lambda x, _: x["stage"],
    "PIPELINE": lambda x, _: x["pipelineId"],
    "OWNER": lambda x, _: x["ownerId"],
    "DEPARTMENT": lambda x, _: x["owner"] and x["owner"]["departmentId"],
    "POOL": lambda x, _: x["customer"]["poolId"],
    "CREATED_MONTH": lambda x, _: x["createdAt"] and month(x["createdAt"]),
    "CLOSING_MONTH": lambda x, _: closing(x),
    "LOST_REASON": lambda x, _: x["lostReason"],
    "CATEGORY": lambda x, _: x["customer"]["category"],
    "CATEGORY_BRANCH": lambda x, level: branch(level)(x["customer"]["category"]),
    "REGION": lambda x, _: x["customer"]["region"],
    "SOURCE": lambda x, _: x["customer"]["source"],
    "INDUSTRY": lambda x, _: x["customer"]["industry"],
}


def summed(deals: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The sums that statistics should show of opportunities."""
    found: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(), Decimal()])
    for deal in deals:
        if deal["amount"] is not None and deal["currency"] is not None:
            amount, sums = Decimal(deal["amount"]), found[deal["currency"]]
            sums[0] += amount
            sums[1] += amount * (deal["probability"] or 0) if deal["state"] in ("OPEN", "ON_HOLD") else 0
    cents = Decimal("0.01")
    return [
        {
            "currency": currency,
            "amount": str(amount.quantize(cents)),
            "weighted": str((weighted / 100).quantize(cents, ROUND_HALF_UP)),
        }
        for currency, (amount, weighted) in sorted(found.items())
    ]


def oracle(records: list[dict[str, Any]], keys: dict[str, Any], by: tuple[str, ...], level: int) -> dict[Group, Any]:
    """Group -> (count, sums), added up from the list."""
    groups: dict[Group, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        groups[tuple(keys[name](record, level) for name in by)].append(record)
    return {key: (len(found), summed(deals_of(found))) for key, found in groups.items()}


def deals_of(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if records and "opportunities" not in records[0]:
        return records
    nested = [deal for record in records for deal in record["opportunities"]["nodes"]]
    return [deal for deal in nested if deal["state"] in ("OPEN", "ON_HOLD")]


def shown(rows: list[dict[str, Any]]) -> dict[Group, Any]:
    found = {tuple(key["recordId"] or key["value"] for key in row["key"]): (row["count"], row["sums"]) for row in rows}
    assert len(found) == len(rows), "a group comes once"
    return found


BY = [("OWNER", "CREATED_MONTH"), ("CATEGORY_BRANCH", "STAGE")]
BY_DEALS = [("DEPARTMENT", "CLOSING_MONTH"), ("CATEGORY_BRANCH", "STAGE")]


def test_statistics_are_what_the_lists_add_up_to_for_every_role(trade: World) -> None:
    compare(trade, PEOPLE, BY, BY_DEALS)


@pytest.mark.long
def test_statistics_by_anything_are_what_the_lists_add_up_to(trade: World) -> None:
    compare(trade, ("ada", "lead", "li", "fin"), [(x,) for x in OF_CUSTOMERS], [(x,) for x in OF_DEALS])


def compare(trade: World, people: Iterable[str], by_customers: list[Group], by_deals: list[Group]) -> None:
    """Compare statistics by these groups with what the lists add up to."""
    api = Api(trade)
    api.engine = Engine(trade.backend, plan_at=10**9)
    seen: Counter[str] = Counter()
    for login in people:
        for listed, asked, keys, groupings in (
            ("customers", CUSTOMERS, OF_CUSTOMERS, by_customers),
            ("opportunities", DEALS, OF_DEALS, by_deals),
        ):
            answer = api.answer(login, LISTED[listed])
            assert "errors" not in answer, (login, answer["errors"])
            records = answer["data"][listed]["nodes"]
            seen[listed] += len(records)
            for by in groupings:
                level = 2 if by == ("CATEGORY_BRANCH", "STAGE") else 1
                (found,) = api.ask(login, asked, by=list(by), first=200, level=level).values()
                assert shown(found["rows"]) == oracle(records, keys, by, level), (login, listed, by)
                whole = {"key": [], "count": len(records), "sums": summed(deals_of(records))}
                assert (found["total"], found["other"]) == (whole, None), (login, listed, by)
    assert min(seen.values()) > 30, "somebody sees something"


def test_groups_are_ordered_limited_and_labelled_in_the_readers_language(trade: World) -> None:
    api = Api(trade)
    asked = "{ customerStats(groupBy: [%s], orderBy: %s, first: 2) { rows { key { value label } count } other { key { recordId } count } total { count } } }"

    found = api.ask("ada", asked % ("CATEGORY_BRANCH", "KEY"))["customerStats"]
    assert [row["key"][0] for row in found["rows"]] == [
        {"value": "lead", "label": "Lead"},
        {"value": "formal", "label": "Formal"},
    ]
    assert found["total"]["count"] == sum(row["count"] for row in found["rows"]) + found["other"]["count"]
    assert found["other"]["key"] == []
    months = api.ask("ada", asked % ("CREATED_MONTH", "KEY"))["customerStats"]["rows"]
    assert [row["key"][0] for row in months] == [
        {"value": "2026-11", "label": "November 2026"},
        {"value": "2026-12", "label": "December 2026"},
    ]
    by_count = api.ask("ada", asked % ("OWNER CREATED_MONTH", "COUNT"))["customerStats"]["rows"]
    assert [row["count"] for row in by_count] == sorted((row["count"] for row in by_count), reverse=True)
    api.change("ada", "setLanguage", {"language": "ZH"}, "problems { code }")
    assert (
        api.ask("ada", asked % ("CREATED_MONTH", "KEY"))["customerStats"]["rows"][0]["key"][0]["label"] == "2026年11月"
    )
    assert api.ask("ada", asked % ("CATEGORY", "KEY"))["customerStats"]["rows"][0]["key"][0]["label"] == "lead类"


def test_what_is_hidden_makes_no_group_and_no_sum(trade: World) -> None:
    """Somebody who may not see industries and amounts learns nothing of them from statistics."""
    with_lines(
        trade, "p, sales, customer.industry, view, all, any, deny", "p, sales, opportunity.amount, view, all, any, deny"
    )
    api = Api(trade)

    found = api.ask("li", CUSTOMERS, by=["INDUSTRY"])["customerStats"]
    assert [row["key"] for row in found["rows"]] == [[{"recordId": None, "value": None, "label": None}]]
    assert found["rows"][0]["sums"] == found["total"]["sums"] == []
    narrowed = api.ask("li", CUSTOMERS, by=["STAGE"], f={"industry": {"eq": "steel"}})["customerStats"]
    assert (narrowed["total"]["count"], narrowed["rows"]) == (0, [])


def test_sums_are_exact_beyond_what_64_bits_hold(world: World) -> None:
    customer = world.customer("Acme", "li")
    for n in range(10):  # times the probability, more hundredths than an integer of SQLite holds
        world.make(Opportunity, customer_id=customer, name=f"D{n}", amount=Decimal("99999999999999.99"), probability=99)

    (sums,) = Api(world).ask("li", DEALS, by=["STAGE"])["opportunityStats"]["total"]["sums"]

    assert sums == {"currency": "CNY", "amount": "999999999999999.90", "weighted": "989999999999999.90"}


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ("groupBy: []", "groupBy"),
        ("groupBy: [STAGE, OWNER, POOL]", "groupBy"),
        ("groupBy: [STAGE, STAGE]", "groupBy"),
        ("groupBy: [STAGE], first: 201", "first"),
        ("groupBy: [STAGE], first: -1", "first"),
        ("groupBy: [CATEGORY_BRANCH], branchLevel: 0", "branchLevel"),
        ("groupBy: [STAGE], filter: {stage: {eq: null}}", "filter.stage.eq"),
    ],
)
def test_bad_arguments_are_refused_with_a_sentence(api: Api, arguments: str, field: str) -> None:
    (error,) = api.answer("li", f"{{ customerStats({arguments}) {{ total {{ count }} }} }}")["errors"]
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("VALIDATION", field)


def test_statistics_keep_a_plan_and_the_executor_says_the_same(trade: World) -> None:
    api = Api(trade)
    api.engine = Engine(trade.backend, plan_at=1)
    by = {"by": ["OWNER", "STAGE"], "f": {"name": {"contains": "1"}}}
    planned = api.answer("li", CUSTOMERS, **by)
    assert planned["kind"] == "planned"
    assert (
        api.ask("li", CUSTOMERS, by=["OWNER", "STAGE"], f={"name": {"contains": "zzz"}})["customerStats"]["rows"] == []
    )
    assert api.engine.plans.count == 1
    mixed = CUSTOMERS.replace(") { customerStats", ") { signInLog(first: 1) { login } customerStats")
    executed = api.answer("ada", mixed, **by)
    assert executed["kind"] == "executed"
    assert executed["data"]["customerStats"] == api.ask("ada", CUSTOMERS, **by)["customerStats"]
