"""Conditions of a pool: which of its customers are claimed and assigned, by whom, and what nobody learns by them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from models import ClaimCondition, Customer, Pool
from models.custom_field import CustomKind
from models.database import prepared
from models.errors import ConditionNotMet, NotFound, Validation
from models.pool import GranteeKind
from resolvers.merging.merge import merge
from resolvers.pool import assign as assigning
from resolvers.pool import claim as claiming
from resolvers.records import create_update, custom_kinds
from tests.support.claim_checks import MISSING, change, claim, codes, owner, the, unchanged, whole
from tests.support.custom_fields import define, options, with_lines
from tests.support.graphql import Api
from tests.support.panel import Panel
from tests.support.world import World

EAST = {"region": {"eq": "east"}}
EARLY = {"stage": {"eq": "early"}}


def condition(world: World, wanted: Any = EAST, by: str = "ada", **values: Any) -> int:
    given = {"pool_id": world.ids["north"], "name": "A rule", "condition": json.dumps(wanted), **values}
    made: int = world.scope(by).do(create_update.create, ClaimCondition, given).id
    return made


def to(world: World, kind: GranteeKind, name: str) -> dict[str, Any]:
    return {"grantee_kind": kind, "grantee_id": world.ids[name]}


def checks(world: World, login: str, id: int) -> dict[str, tuple[bool, str]]:
    (found,) = world.run(world.scope(login).read(claiming.claim_preview, [id]))
    return {check.rule: (check.passed, (check.refusal or check.detail).say()) for check in found.checks}


def test_only_customers_that_a_condition_opens_are_claimed(world: World) -> None:
    condition(world, name="East only")
    east, other = world.customer("A", pool="north", region="east"), world.customer("B", pool="north")

    assert claim(world, "li", east).ids == [east]
    with unchanged(world):
        refusal = the(claim(world, "li", other))

    assert isinstance(refusal, ConditionNotMet)
    assert (
        refusal.say() == "Li Na cannot have this customer, because it meets none of the pool's conditions: East only."
    )
    assert refusal.say("zh") == "Li Na 无法获得该客户，不符合公海的任何条件：East only。"
    assert checks(world, "li", other)["CONDITIONS"] == (False, refusal.say())
    assert whole(world) == []


def test_reserved_customers_are_for_their_department_and_all_others_for_everybody(world: World) -> None:
    condition(world, EARLY, effect="RESERVES", name="Early ones", **to(world, GranteeKind.DEPARTMENT, "west"))
    world.seat("north", "mei")
    early, other = (world.customer(name, pool="north", stage=stage) for name, stage in (("A", "early"), ("B", "won")))

    refused = the(claim(world, "li", early))

    assert refused.say() == "Li Na cannot have this customer, because it is reserved: Early ones."
    assert claim(world, "li", other).ids == [other]
    assert checks(world, "mei", early)["CONDITIONS"] == (True, "the conditions of the pool are met")
    assert claim(world, "mei", early).ids == [early]


@pytest.mark.parametrize(("kind", "name"), [("USER", "li"), ("DEPARTMENT", "house"), ("ROLE", "sales")])
def test_a_condition_applies_to_a_person_a_department_with_all_below_and_a_role(
    world: World, kind: str, name: str
) -> None:
    condition(world, EARLY, effect="RESERVES", **to(world, GranteeKind(kind), name))
    early = world.customer(pool="north", stage="early")

    assert claim(world, "li", early).ids == [early]


def test_a_condition_about_claims_leaves_assigning_alone_and_the_reverse(world: World) -> None:
    condition(world, covers="CLAIM", name="Claims")
    ids = [world.customer(str(n), pool="north") for n in range(3)]

    assert codes(claim(world, "li", ids[0])) == ["CONDITION_NOT_MET"]
    assert world.lead.do(assigning.assign, [ids[0]], world.ids["li"]).ids == [ids[0]]

    condition(world, EARLY, covers="ASSIGN", name="Hands", effect="RESERVES", **to(world, GranteeKind.USER, "wu"))
    change(world, Customer, ids[1], stage="early")
    refusal = the(world.lead.do(assigning.assign, [ids[1]], world.ids["li"]))
    assert refusal.say() == "Li Na cannot have this customer, because it is reserved: Hands."
    assert world.lead.do(assigning.assign, [ids[1]], world.ids["wu"]).ids == [ids[1]]


def test_nobody_claims_from_an_archive_and_its_administrator_assigns(world: World) -> None:
    change(world, Pool, world.ids["north"], is_archive=True)
    customer = world.customer(pool="north")

    with unchanged(world):
        refusal = the(claim(world, "li", customer))
    assert (
        refusal.say() == "North is an archive, from which nobody claims. Ask its administrator to assign the customer."
    )
    assert checks(world, "li", customer)["ARCHIVE"][0] is False
    assert world.lead.do(assigning.assign, [customer], world.ids["li"]).ids == [customer]


def test_a_merge_into_ones_own_customer_is_a_claim_under_the_same_conditions(world: World) -> None:
    condition(world)
    mine, pooled = world.customer("A", owner="ada"), world.customer("B", pool="north")

    with unchanged(world), pytest.raises(ConditionNotMet):
        world.ada.do(merge, mine, [pooled])


def test_defect_3_a_claim_that_a_condition_refuses_uses_no_quota(world: World) -> None:
    """Wukong charges the quota before it checks, so a refused claim burns it."""
    condition(world)
    world.rule("north", daily_quota=1)
    refused, east = world.customer("A", pool="north"), world.customer("B", pool="north", region="east")

    assert codes(claim(world, "li", refused)) == ["CONDITION_NOT_MET"]

    assert claim(world, "li", east).ids == [east]


# --- what nobody learns ----------------------------------------------------------------------------------


def test_a_field_that_is_hidden_stands_against_a_claim_whatever_it_holds(world: World) -> None:
    """The answer is the same for the value that matches and for one that does not, both ways, and for no value."""
    opens = condition(world, {"phone": {"startsWith": "1"}}, name="Opens")
    ids = [
        world.customer(str(n), pool="north", phone=phone) for n, phone in enumerate(("13800000000", "25000000", None))
    ]

    answers = {(problem.say("en"), problem.say("zh")) for problem in claim(world, "li", *ids).problems}
    previews = {checks(world, "li", id)["CONDITIONS"] for id in ids}
    assert len(answers) == len(previews) == 1

    world.ada.do(create_update.delete, ClaimCondition, [opens])
    condition(
        world, {"phone": {"startsWith": "1"}}, name="Keeps", effect="RESERVES", **to(world, GranteeKind.USER, "wu")
    )
    assert {problem.code() for problem in claim(world, "li", *ids).problems} == {"CONDITION_NOT_MET"}
    assert len({checks(world, "li", id)["CONDITIONS"] for id in ids}) == 1
    assert [owner(world, id) for id in ids] == [None, None, None]


# --- editing ---------------------------------------------------------------------------------------------

SAYS_NOTHING = (
    {},
    {"and": []},
    {"or": [{}]},
    {"or": [EAST, {"and": []}]},
    {"not": {}},
    {"stage": {}},
    {"stage": None},
)


@pytest.mark.parametrize("wanted", SAYS_NOTHING, ids=json.dumps)
def test_a_condition_that_says_nothing_is_refused_and_never_matches_everybody(world: World, wanted: Any) -> None:
    with unchanged(world), pytest.raises(Validation) as refused:
        condition(world, wanted)
    assert "would match every customer" in refused.value.say()
    assert refused.value.field == "condition"


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("{", "The condition cannot be read."),
        ({"stage": {"in": []}}, "Stage: choose a value."),
        ({"and": [EAST, {"stage": {"eq": None}}]}, "Stage: “eq” needs a value; isNull: true finds what is empty."),
        ({"ownerId": {"eq": "me"}}, "A condition of a pool is the same for everybody, so it cannot ask about “me”"),
        ({"contacts": {"some": {}}}, "A condition of a pool asks about fields of the customer alone"),
        ({"colour": {"eq": "red"}}, "A condition on customers knows no field “colour”."),
    ],
)
def test_a_condition_that_a_pool_cannot_have_is_refused_with_a_sentence(
    world: World, wanted: Any, sentence: str
) -> None:
    given = {"pool_id": world.ids["north"], "name": "X", "condition": wanted if wanted == "{" else json.dumps(wanted)}
    with unchanged(world), pytest.raises(Validation) as refused:
        world.ada.do(create_update.create, ClaimCondition, given)
    assert refused.value.say().startswith(sentence)


def test_a_reserve_without_a_grantee_and_a_grantee_that_is_not_there_are_refused(world: World) -> None:
    with unchanged(world), pytest.raises(Validation, match="Say for whom"):
        condition(world, effect="RESERVES")
    with unchanged(world), pytest.raises(NotFound):
        condition(world, grantee_kind=GranteeKind.ROLE, grantee_id=MISSING)
    with unchanged(world), pytest.raises(Validation, match="Choose a person, a department or a role"):
        condition(world, grantee_kind=GranteeKind.ROLE)


def test_the_administrator_of_the_pool_edits_its_conditions_and_no_member_does(world: World) -> None:
    made = condition(world, by="lead")
    world.lead.do(create_update.update, ClaimCondition, made, {"condition": json.dumps(EARLY)})
    with unchanged(world), pytest.raises(Exception, match="Your roles do not allow"):
        condition(world, by="li", name="Mine")
    assert world.row(ClaimCondition, made)["condition"] == '{"stage":{"eq":"early"}}'


def test_graphql_makes_reads_and_deletes_conditions(api: Api, world: World) -> None:
    given = {"poolId": f"poo_{world.ids['north']}", "name": "East", "condition": json.dumps(EAST)}
    more = {"effect": "RESERVES", "granteeKind": "DEPARTMENT", "granteeId": f"dep_{world.ids['west']}"}
    made = api.change(
        "lead", "createClaimCondition", {**given, **more}, "claimCondition { id granteeId } problems { message }"
    )
    assert made["claimCondition"]["granteeId"] == more["granteeId"]
    plain = api.change(
        "lead", "createClaimCondition", {**given, "name": "All"}, "claimCondition { granteeId } problems { message }"
    )
    assert plain == {"claimCondition": {"granteeId": None}, "problems": []}
    wrong = {**given, "name": "Half", "granteeId": more["granteeId"]}
    half = api.change("lead", "createClaimCondition", wrong, "problems { message field }")
    assert half["problems"][0]["field"] == "granteeId"

    asked = api.ask("li", "{ claimConditions { nodes { name condition effect covers } } }")["claimConditions"]["nodes"]

    assert {x["name"]: json.loads(x["condition"]) for x in asked} == {"East": EAST, "All": EAST}


# --- what it costs ---------------------------------------------------------------------------------------


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch, world: World) -> Iterator[list[str]]:
    """Every statement that the block sends to the driver on the write side."""
    from sqlalchemy import event

    sent: list[str] = []
    run = prepared._run

    def note(connection: Any, sql: str, *more: Any, **options: Any) -> Any:
        sent.append(sql)
        return run(connection, sql, *more, **options)

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    monkeypatch.setattr(prepared, "_run", note)
    event.listen(world.backend.writer.engine, "before_cursor_execute", hear)
    try:
        yield sent
    finally:
        event.remove(world.backend.writer.engine, "before_cursor_execute", hear)
        monkeypatch.setattr(prepared, "_run", run)


def test_a_pool_without_conditions_costs_no_statement_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.rule("north", daily_quota=9)
    ids = [world.customer(str(n), pool="north", region="east") for n in range(3)]
    claim(world, "li", ids[0])  # compiles
    with counted(monkeypatch, world) as before:
        claim(world, "li", ids[1])
    condition(world)
    with counted(monkeypatch, world) as after:
        claim(world, "li", ids[2])

    assert [len(after) - len(before), sum("claim_condition" in x for x in before)] == [2, 1]


# --- custom fields ---------------------------------------------------------------------------------------


def test_conditions_ask_about_custom_fields_as_filters_do(world: World) -> None:
    options(world)
    state, staff = define(world, "state", CustomKind.SINGLE_CHOICE), define(world, "staff", CustomKind.NUMBER)
    good = {"custom.state": {"under": "good"}, "custom": [{"key": "staff", "gte": "10"}]}
    condition(world, good, name="Good ones")
    great = world.customer("A", pool="north", **{"custom.state": "great", "custom.staff": 12})
    small = world.customer("B", pool="north", **{"custom.state": "great", "custom.staff": 9})
    other = world.customer("C", pool="north")

    assert claim(world, "li", great).ids == [great]
    assert codes(claim(world, "li", small, other)) == ["CONDITION_NOT_MET"] * 2
    for field, change_it in ((state, custom_kinds.change_kind), (staff, custom_kinds.change_kind)):
        with pytest.raises(Validation, match="asks about it"):
            world.ada.do(change_it, field, CustomKind.TEXT)
    for wrong in ({"custom.nothing": {"eq": "x"}}, {"custom.state": {"in": []}}, {"custom": [{"key": "state"}]}):
        with pytest.raises(Validation) as caught:
            condition(world, wrong)
        assert caught.value.field.startswith("condition")


def test_a_hidden_custom_field_stands_against_the_claim_and_is_no_condition_of_who_does_not_see_it(
    world: World,
) -> None:
    options(world)
    define(world, "state", CustomKind.SINGLE_CHOICE)
    condition(world, {"custom.state": {"eq": "good"}}, name="Good ones")
    customer = world.customer("A", pool="north", **{"custom.state": "good"})
    with_lines(
        world,
        "p, sales, customer.custom.state, view, all, any, deny",
        "p, sales_lead, customer.custom.state, view, all, any, deny",
    )

    assert codes(claim(world, "li", customer)) == ["CONDITION_NOT_MET"]
    with pytest.raises(Validation, match="no field"):
        condition(world, {"custom.state": {"eq": "good"}}, by="lead", name="Another")
    (row,) = world.rows(ClaimCondition)
    assert world.lead.do(create_update.update, ClaimCondition, row["id"], {"name": "Renamed"}).name == "Renamed"


@pytest.mark.parametrize(
    "asked", [{"custom.staff_now": {"gte": "10"}}, {"custom": [{"key": "staff_now", "gte": "10"}]}]
)
def test_a_condition_about_a_hidden_custom_field_says_nothing_to_who_does_not_see_it(world: World, asked: Any) -> None:
    """Who sees a pool sees its rules: neither the key of the field nor what it is compared with is among them."""
    define(world, "staff_now", CustomKind.NUMBER)
    made = condition(world, {"region": {"eq": "east"}, **asked}, name="Large ones")
    plain = condition(world, {"region": {"eq": "east"}}, name="East")
    with_lines(world, "p, sales_lead, customer.custom.staff_now, view, all, any, deny")
    api, query = Api(world), "{ claimConditions { nodes { id condition } } }"

    def texts(login: str) -> dict[str, str]:
        return {x["id"]: x["condition"] for x in api.ask(login, query)["claimConditions"]["nodes"]}

    assert texts("lead") == {f"clc_{made}": '"…"', f"clc_{plain}": '{"region":{"eq":"east"}}'}
    assert "staff_now" in texts("ada")[f"clc_{made}"]
    panel = Panel(world).of("lead")
    for page in (f"/admin/claim-condition/details/clc_{made}", f"/admin/claim-condition/edit/clc_{made}"):
        shown = panel.get(page)
        assert shown.status_code == 200
        assert "It asks about fields that you do not see." in shown.text
        assert "staff_now" not in shown.text
