"""The pages of pools: conditions as sentences and their builder, assignment with its reasons, fairness, the limit of pages."""

import json
import re
from html import unescape

import pytest

from models import AssignmentRule, ClaimCondition, Customer
from models.custom_field import CustomKind
from resolvers.pool.auto_assign import auto_assign
from tests.support.claim_checks import claim, owner
from tests.support.custom_fields import define, options, with_lines
from tests.support.panel import Panel
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("world")


def page(world: World, login: str, path: str, **query: str) -> str:
    return unescape(Panel(world).of(login).get(path, query).text)


def pool(world: World, tab: str, login: str = "lead", **query: str) -> str:
    return page(world, login, f"/admin/pool/details/poo_{world.ids['north']}", tab=tab, **query)


def test_a_condition_is_built_saved_and_shown_as_a_sentence(world: World) -> None:
    lead, north = Panel(world).of("lead"), f"poo_{world.ids['north']}"
    form = {"g-how": "all", "g-0-f": "region", "g-0-o": "in", "g-0-v": "east", "pool_id": north, "do": "apply"}
    built = lead.get("/admin/claim-condition/condition", form)
    assert built.status_code == 303
    assert "condition=(region:(in:!(east)))" in built.headers["location"]
    shown = unescape(lead.get(built.headers["location"]).text)
    assert "Region is one of East" in shown
    (text,) = re.findall(r'name="condition" type="hidden" value="([^"]*)"|id="condition"[^>]*value="([^"]*)"', shown)[
        :1
    ]
    given = {"pool_id": north, "name": "East only", "condition": json.dumps({"region": {"in": ["east"]}})}
    saved = lead.post("/admin/claim-condition/create", {**given, "effect": "OPENS", "covers": "BOTH"})
    assert any(text)
    assert saved.status_code == 303
    tab = unescape(lead.get(f"/admin/pool/details/{north}", {"tab": "conditions"}).text)
    assert all(x in tab for x in ("East only", "Region is one of East", "Opens them", "Everybody"))
    made = world.rows(ClaimCondition)[0]["id"]
    edit = unescape(lead.get(f"/admin/claim-condition/edit/clc_{made}", {"condition": "(stage:(in:!(early)))"}).text)
    assert "Customer stage is one of Early" in edit
    assert "{" not in re.sub(r"<[^>]*>", "", tab)


def test_the_builder_offers_custom_fields_that_its_user_sees_and_a_sentence_tells_nobody_of_others(
    world: World,
) -> None:
    options(world)
    define(world, "state", CustomKind.SINGLE_CHOICE, label_en="State of trust")
    lead, north = Panel(world).of("lead"), f"poo_{world.ids['north']}"
    form = {"g-how": "all", "g-0-f": "custom.state", "g-0-o": "in", "g-0-v": "good", "pool_id": north}

    assert "State of trust" in lead.get("/admin/claim-condition/condition", {"pool_id": north}).text
    built = lead.get("/admin/claim-condition/condition", {**form, "do": "apply"})
    assert "State of trust is one of Good" in unescape(lead.get(built.headers["location"]).text)
    given = {"pool_id": north, "name": "Trusted", "condition": json.dumps({"custom.state": {"in": ["good"]}})}
    assert lead.post("/admin/claim-condition/create", {**given, "effect": "OPENS", "covers": "BOTH"}).status_code == 303
    assert "State of trust is one of Good" in pool(world, "conditions")

    with_lines(world, "p, sales_lead, customer.custom.state, view, all, any, deny")
    tab = pool(world, "conditions")
    assert "It asks about fields that you do not see." in tab
    assert "State of trust" not in tab + lead.get("/admin/claim-condition/condition", {"pool_id": north}).text


def test_why_a_customer_was_assigned_is_on_its_page(world: World) -> None:
    world.make(AssignmentRule, pool_id=world.ids["north"])
    id = world.customer(pool="north")
    lead = Panel(world).of("lead")
    assert "Assign automatically" in unescape(lead.get("/admin/pooled/list").text)
    world.lead.do(auto_assign, [id])

    shown = page(world, "ada", f"/admin/customer/details/cus_{id}", tab="assignment")

    assert owner(world, id) is not None
    assert all(x in shown for x in ("Assigned to", "In turn", "Chosen", "Fits, another one's turn", "Li Na", "Wu Wei"))
    assert "never assigned" in page(world, "ada", f"/admin/customer/details/cus_{world.customer()}", tab="assignment")


def test_a_pooled_customer_is_deleted_for_good_in_one_dialog(world: World) -> None:
    id, mine = world.customer(pool="north"), world.customer("Mine", owner="ada")
    ada, path = Panel(world).of("ada"), "/admin/pooled/do/erase"
    dialog = unescape(ada.get("/admin/pooled/ask/erase", {"ids": f"cus_{id}"}).text)
    assert all(x in dialog for x in ("Delete permanently", "This cannot be undone", "delete"))

    assert "Type “delete”" in unescape(ada.post(path, {"ids": f"cus_{id}", "typed": "yes"}).text)
    ada.post(path, {"ids": f"cus_{id}", "typed": "delete"})

    assert [row["id"] for row in world.rows(Customer)] == [mine]
    assert "Delete permanently" not in page(world, "ada", f"/admin/customer/details/cus_{mine}")
    assert "Delete permanently" not in page(world, "lead", "/admin/pooled/list")


def test_the_fairness_of_a_pool_is_on_its_page_and_its_numbers_lead_to_lists(world: World) -> None:
    world.rule("north", daily_quota=5)
    claim(world, "li", world.customer("A", pool="north"))
    world.customer("B", pool="north")

    shown = pool(world, "health")

    assert all(x in shown for x in ("Claims of each person", "Li Na", "1 + 0", "0.0 hours", "0 to 6 days"))
    lead = Panel(world).of("lead")
    links = set(re.findall(r'href="(/admin/(?:pooled|customer)/list\?[^"]*)"', shown))
    assert len(links) >= 4
    assert {lead.get(link).status_code for link in links} == {200}
    assert not [link for link in links if "alert-danger" in lead.get(link).text]
    assert "Choose up to 92 days" in pool(world, "health", **{"from": "2026-01-01", "to": "2026-12-31"})
    assert "Claims of each person" not in pool(world, "health", login="li")


def test_a_page_above_the_daily_limit_says_when_it_opens_again(world: World) -> None:
    world.rule("north", daily_view_limit=1)
    first, second = (world.customer(name, pool="north") for name in ("A", "B"))
    li = Panel(world).of("li")
    for _ in range(2):
        assert li.get(f"/admin/customer/details/cus_{first}").status_code == 200

    refused = li.get(f"/admin/customer/details/cus_{second}")

    assert refused.status_code == 403
    assert "You have opened 1 of 1 customers of this pool today." in unescape(refused.text)
    assert "C2026002" in li.get("/admin/pooled/list").text
    assert world.row(Customer, second)["name"] == "B"
