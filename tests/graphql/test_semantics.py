"""What a filter, a time and an order mean: nothing is compared with null, times have a zone, words sort as they are read."""

from datetime import UTC, datetime
from typing import Any

import pytest

from models import Customer, DictionaryItem, FollowUp, Opportunity, Organisation
from models.errors import Validation
from models.moments import moment_of_local
from resolvers.reading.conditions import checked
from resolvers.records import create_update
from schema.engine import Engine
from schema.limits import TooComplex
from tests.support.graphql import Api
from tests.support.world import World

LIST = "query ($f: CustomerFilter) { customers(filter: $f) { nodes { name } } }"


def refusal(answer: dict[str, Any]) -> tuple[str, str, str]:
    """(code, field, message) of the one error."""
    (error,) = answer["errors"]
    return error["extensions"]["code"], error["extensions"]["field"], error["message"]


# --- null ------------------------------------------------------------------------------------------------

NULLS: dict[str, tuple[dict[str, Any], str]] = {
    "filter.stage.eq": ({"stage": {"eq": None}}, "Stage: “eq” needs a value; isNull: true finds what is empty."),
    "filter.stage.in": ({"stage": {"in": None}}, "Stage: “in” needs a value; isNull: true finds what is empty."),
    "filter.ownerId.ne": (
        {"and": [{"not": {"ownerId": {"ne": None}}}]},
        "Owner: “ne” needs a value; isNull: true finds what is empty.",
    ),
    "filter.createdAt.isNull": (
        {"createdAt": {"isNull": None}},
        "Created at: “isNull” needs a value; isNull: true finds what is empty.",
    ),
    "filter.owner.is": (
        {"owner": {"is": None}},
        "“is” needs a condition; ownerId: {isNull: true} finds records without any.",
    ),
    "filter.contacts.some": (
        {"contacts": {"some": None}},
        "“some” needs a condition; none: {} finds records without any.",
    ),
}


@pytest.mark.parametrize("place", NULLS)
def test_a_comparison_with_null_is_refused_with_the_place_and_what_asks_for_it(api: Api, place: str) -> None:
    condition, sentence = NULLS[place]
    for _ in range(3):  # by the first statement, and where a plan might answer
        answer = api.answer("li", LIST, f=condition)
        assert answer["data"] == {"customers": None}
        assert refusal(answer) == ("VALIDATION", place, sentence)


def test_a_null_variable_is_refused_like_a_null(api: Api, five: list[int]) -> None:
    query = "query ($s: String) { customers(filter: {stage: {eq: $s}}) { totalCount } }"

    assert api.ask("li", query, s="won")["customers"] == {"totalCount": 2}
    assert refusal(api.answer("li", query, s=None))[1] == "filter.stage.eq"
    assert api.ask("li", query)["customers"] == {"totalCount": 5}, "a variable that is not given is no condition"


def test_null_is_no_member_of_a_list(api: Api) -> None:
    (error,) = api.answer("li", LIST, f={"stage": {"in": ["won", None]}})["errors"]

    assert "Expected value of non-null type 'String!' not to be None" in error["message"]
    with pytest.raises(Validation) as refused:
        checked(Customer, {"stage": {"in": ["won", None]}})
    assert refused.value.say("zh") == "阶段：“in”须有值，查找空值请用 isNull: true。"


def test_saved_conditions_are_held_to_the_same(api: Api) -> None:
    for condition, sentence in NULLS.values():
        with pytest.raises(Validation) as refused:
            checked(Customer, condition)
        assert refused.value.say("en") == sentence


# --- times -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("local", "moment"),
    [
        ("2026-07-01T12:00", "2026-07-01T10:00"),
        ("2026-01-01T12:00", "2026-01-01T11:00"),
        ("2026-03-29T02:30", "2026-03-29T01:30"),  # left out: an hour after half past one is half past three
        ("2026-10-25T02:30", "2026-10-25T00:30"),  # comes twice: the first
        ("2026-07-01T12:00+08:00", "2026-07-01T04:00"),
    ],
)
def test_a_time_without_a_zone_is_the_organisations(local: str, moment: str) -> None:
    expected = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert moment_of_local(datetime.fromisoformat(local), "Europe/Berlin") == expected


def test_filters_and_inputs_take_times_of_the_organisation(world: World) -> None:
    world.system.do(create_update.update, Organisation, 1, {"time_zone": "Asia/Shanghai"})
    api = Api(world)
    customer = world.customer("Acme", "li")
    at = "2026-10-01T08:00:00"
    made = api.change(
        "li",
        "createFollowUp",
        {"customerId": f"cus_{customer}", "kind": "CALL", "content": "x", "happenedAt": at},
        "followUp { id happenedAt } problems { message }",
    )
    assert made["followUp"]["happenedAt"] == "2026-10-01T00:00:00.000Z", made

    by_variable = "query ($at: DateTime) { followUps(filter: {happenedAt: {gte: $at}}) { totalCount } }"
    for given, count in ((at, 1), ("2026-10-01T08:00:01", 0), ("2026-10-01T00:00:01Z", 0), ("2026-10-01T00:00Z", 1)):
        for _ in range(3):
            assert api.ask("li", by_variable, at=given)["followUps"]["totalCount"] == count, given
            literal = f'{{ followUps(filter: {{happenedAt: {{gte: "{given}"}}}}) {{ totalCount }} }}'
            assert api.ask("li", literal)["followUps"]["totalCount"] == count, given

    world.system.do(create_update.update, Organisation, 1, {"time_zone": "UTC"})
    for _ in range(2):
        assert api.ask("li", by_variable, at=at)["followUps"]["totalCount"] == 0, "a plan knows its zone"
        assert api.ask("li", literal.replace("00:00Z", "08:00"))["followUps"]["totalCount"] == 0


# --- order -----------------------------------------------------------------------------------------------


@pytest.fixture
def staged(world: World) -> dict[str, str | None]:
    """Name -> stage of six customers, in stages whose labels sort otherwise than their places, in each language."""
    item = world.rows(DictionaryItem, DictionaryItem.key == "early")[0]
    words = (("b_zh", "Zulu", "北京"), ("a_en", "Alpha", "重庆"), ("c_no", "Mike", None))
    for n, (key, english, chinese) in enumerate(words):
        values = {"dictionary_id": item["dictionary_id"], "key": key, "label_en": english, "position": 100 + n}
        world.make(DictionaryItem, **values, label_zh=chinese)
    stages = {"One": "b_zh", "Two": "a_en", "Three": "c_no", "Four": None, "Five": "a_en", "Six": "b_zh"}
    for name, stage in stages.items():
        world.customer(name, "li", stage=stage)
    return stages


@pytest.mark.parametrize(
    ("field", "language", "order"),
    [
        ("STAGE", "en", ["b_zh", "a_en", "c_no"]),
        ("STAGE_LABEL", "en", ["a_en", "c_no", "b_zh"]),
        ("STAGE_LABEL", "zh", ["b_zh", "a_en", "c_no"]),
    ],
)
def test_words_sort_by_place_or_as_they_are_read(
    world: World, staged: dict[str, str | None], field: str, language: str, order: list[str]
) -> None:
    api = Api(world)
    api.change("li", "setLanguage", {"language": language.upper()}, "problems { code }")
    for direction in ("ASC", "DESC"):
        query = (
            "query ($first: Int, $after: String, $last: Int, $before: String) { customers(first: $first, after: $after,"
            f" last: $last, before: $before, orderBy: [{{field: {field}, direction: {direction}}}])"
            " { nodes { id stage } pageInfo { endCursor startCursor } } }"
        )
        whole = api.ask("li", query)["customers"]["nodes"]
        expected = [*(order if direction == "ASC" else order[::-1]), None]
        assert list(dict.fromkeys(node["stage"] for node in whole)) == expected
        forward, backward, after, before = [], [], None, None
        for _ in range(3):
            page = api.ask("li", query, first=2, after=after)["customers"]
            forward, after = [*forward, *page["nodes"]], page["pageInfo"]["endCursor"]
            page = api.ask("li", query, last=2, before=before)["customers"]
            backward, before = [*page["nodes"], *backward], page["pageInfo"]["startCursor"]
        assert forward == backward == whole
    assert api.answer("li", query)["kind"] == "planned"


# --- related records -------------------------------------------------------------------------------------


def test_filters_ask_about_related_records_in_both_directions(world: World) -> None:
    acme = world.customer("Acme", "li", contact_name="Ann", contact_phone="13800138000")
    world.customer("Bolt", "li")
    ceres = world.customer("Ceres", "mei", contact_name="Cleo", contact_phone="13900139000")
    world.make(Opportunity, customer_id=acme, name="Deal")
    world.make(FollowUp, customer_id=ceres, kind="CALL", content="x", happened_at=world.clock())
    api = Api(world)
    li = world.row(Customer, acme)["department_id"]

    def customers(by: str, condition: dict[str, Any]) -> list[str]:
        return sorted(x["name"] for x in api.ask(by, LIST, f=condition)["customers"]["nodes"])

    department = {"department": {"is": {"id": {"eq": f"dep_{li}"}}}}
    assert customers("ada", {"owner": {"is": {**department, "name": {"startsWith": "L"}}}}) == ["Acme", "Bolt"]
    assert customers("ada", {"contacts": {"some": {"name": {"eq": "Ann"}}}}) == ["Acme"]
    assert customers("ada", {"opportunities": {"some": {"state": {"in": ["OPEN", "ON_HOLD"]}}}}) == ["Acme"]
    assert customers("ada", {"opportunities": {"none": {}}, "followUps": {"none": {}}}) == ["Bolt"]
    assert customers("li", {"contacts": {"some": {"name": {"eq": "Cleo"}}}}) == [], (
        "what li may not see cannot be probed"
    )
    reverse = "query ($f: ContactFilter) { contacts(filter: $f) { nodes { name } } }"
    deep = {
        "customer": {"is": {"opportunities": {"some": {"name": {"eq": "Deal"}}}, "owner": {"is": {"id": {"eq": "me"}}}}}
    }
    assert api.ask("li", reverse, f=deep)["contacts"]["nodes"] == [{"name": "Ann"}]


def test_related_conditions_are_bounded(api: Api) -> None:
    inner: dict[str, Any] = {"name": {"eq": "x"}}
    for _ in range(5):
        inner = {"contacts": {"some": {"customer": {"is": inner}}}}
    with pytest.raises(TooComplex) as refused:
        api.answer("li", LIST, f=inner)
    assert refused.value.limits == {"filter_levels": 8}
    many = {"and": [{"contacts": {"some": {"name": {"eq": str(n)}}}} for n in range(20)]}
    with pytest.raises(TooComplex) as refused:
        api.answer("li", LIST, f=many)
    assert refused.value.limits == {"conditions": 200}


def test_a_filter_on_related_records_keeps_its_plan(world: World) -> None:
    world.customer("Acme", "li", contact_name="Ann", contact_phone="13800138000")
    api = Api(world)
    api.engine = Engine(world.backend, plan_at=1)
    query = "query ($n: String!) { customers(filter: {contacts: {some: {name: {eq: $n}}}}) { totalCount } }"

    counts = [api.ask("li", query, n=name)["customers"]["totalCount"] for name in ("Ann", "Bob", "Ann")]

    assert counts == [1, 0, 1]
    assert api.engine.plans.count == 1
