"""The doors of programs: GraphQL, and the address from which a file is downloaded."""

from typing import Any

import httpx
import pytest

from models import Customer
from models.export import ExportRange
from resolvers.exports.listing import Listing
from resolvers.people import tokens
from tests.support.exporting import Exports
from tests.support.graphql import Api
from tests.support.panel import Panel
from tests.support.refusals import add_line
from tests.support.world import World

EXPORT = "id state filter columns done total size fileName address error range format entity"
PROFILE = "profile { id name columns isMine isShared } problems { code field message }"


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


def created(api: Api, login: str, **input: Any) -> dict[str, Any]:
    return api.change(
        login,
        "createExport",
        {"entity": "CUSTOMER", **input},
        f"export {{ {EXPORT} }} problems {{ code field message }}",
    )


def test_an_export_is_asked_for_read_and_deleted(world: World, exporting: Exports, api: Api) -> None:
    world.customer("Acme", "li", stage="early")
    world.customer("Beta", "li", stage="won")
    asked = created(
        api,
        "lead",
        filter={"stage": {"in": ["early"]}},
        order=[{"field": "name"}],
        columns=["name", "stage"],
        format="CSV",
    )
    assert asked["problems"] == []
    made = asked["export"]
    assert (made["state"], made["address"], made["total"]) == ("WAITING", None, None)
    exporting.run()

    query = f"query ($id: ID!) {{ export(id: $id) {{ {EXPORT} }} exports {{ id }} }}"
    found = api.ask("lead", query, id=made["id"])
    assert found["exports"] == [{"id": made["id"]}]
    assert found["export"] == {
        "id": made["id"],
        "state": "DONE",
        "filter": "Customer stage is one of Early",
        "columns": ["name", "stage"],
        "done": 1,
        "total": 1,
        "size": found["export"]["size"],
        "fileName": "Customers 2026-11-24.csv",
        "address": f"/files/{made['id']}",
        "error": None,
        "range": "FILTER",
        "format": "CSV",
        "entity": "CUSTOMER",
    }
    assert api.ask("ada", query, id=made["id"]) == {"export": None, "exports": []}
    assert api.change("lead", "deleteExport", {"id": made["id"]}, "problems { code }") == {"problems": []}
    assert api.change("lead", "cancelExport", {"id": made["id"]}, "problems { code }") == {
        "problems": [{"code": "NOT_FOUND"}]
    }


@pytest.mark.parametrize(
    ("input", "code", "field"),
    [
        ({"entity": "ORGANISATION"}, "VALIDATION", "entity"),
        ({"filter": {"nope": {"eq": 1}}}, "VALIDATION", "filter.nope"),
        ({"filter": [1]}, "VALIDATION", "filter"),
        ({"columns": ["salt"]}, "VALIDATION", "columns"),
        ({"order": [{"field": "nope"}]}, "VALIDATION", "order"),
        ({"search": "x" * 200}, "VALIDATION", "search"),
        ({"range": "SELECTION"}, "NOTHING_TO_EXPORT", None),
        ({"range": "SELECTION", "ids": ["nonsense"]}, "NOTHING_TO_EXPORT", None),
        ({"entity": "AUDIT_ENTRY"}, "FORBIDDEN", None),
    ],
)
def test_what_cannot_be_exported_is_a_problem_with_its_place(
    world: World, exporting: Exports, api: Api, input: dict[str, Any], code: str, field: str | None
) -> None:
    payload = created(api, "lead", **input)
    assert payload["export"] is None
    (problem,) = payload["problems"]
    assert (problem["code"], problem["field"]) == (code, field)


def test_who_may_not_export_is_refused(world: World, exporting: Exports, api: Api) -> None:
    world.customer("Acme", "li")
    assert created(api, "li")["problems"][0]["code"] == "FORBIDDEN"


def test_the_log_is_asked_for_by_its_filter(world: World, exporting: Exports, api: Api) -> None:
    acme = world.customer("Acme", "li")
    world.customer("Beta", "li")
    asked = created(
        api,
        "aud",
        entity="AUDIT_ENTRY",
        filter={"entity": "Customer", "recordId": f"cus_{acme}", "action": "customer.create"},
        columns=["label", "action"],
        format="CSV",
    )
    assert asked["problems"] == []
    exporting.run()
    rows = exporting.rows("aud", int(asked["export"]["id"].removeprefix("exp_")))
    assert rows == [["Record", "Action"], [rows[1][0], "Created"]]
    for wrong in ({"nope": "x"}, {"outcome": "MAYBE"}, {"since": "soon"}, {"recordId": "cus_1"}, {"text": 1}):
        refused = created(api, "aud", entity="AUDIT_ENTRY", filter=wrong)
        assert refused["problems"][0]["code"] == "VALIDATION", wrong


def test_columns_are_kept_for_oneself_or_for_all(world: World, exporting: Exports, api: Api) -> None:
    given = {"entity": "CUSTOMER", "name": "Board", "columns": ["stage", "name"]}
    (refused,) = api.change("li", "saveExportProfile", {**given, "isShared": True}, PROFILE)["problems"]
    assert refused["code"] == "FORBIDDEN"
    made = api.change("lead", "saveExportProfile", {**given, "isShared": True}, PROFILE)["profile"]
    assert made == {"id": made["id"], "name": "Board", "columns": ["stage", "name"], "isMine": True, "isShared": True}
    again = api.change("lead", "saveExportProfile", {**given, "columns": ["name"]}, PROFILE)["profile"]
    assert (again["id"], again["columns"], again["isShared"]) == (made["id"], ["name"], False)
    query = "{ exportProfiles(entity: CUSTOMER) { name isMine } }"
    assert api.ask("li", query) == {"exportProfiles": []}
    assert api.ask("lead", query) == {"exportProfiles": [{"name": "Board", "isMine": True}]}
    for wrong in ({"name": " "}, {"columns": []}, {"columns": ["salt"]}, {"entity": "ORGANISATION"}):
        payload = api.change("lead", "saveExportProfile", {**given, **wrong}, PROFILE)
        assert payload["problems"][0]["code"] == "VALIDATION", wrong
    gone = api.change("li", "deleteExportProfile", {"id": made["id"]}, "problems { code }")
    assert gone == {"problems": [{"code": "NOT_FOUND"}]}
    assert api.change("lead", "deleteExportProfile", {"id": made["id"]}, "problems { code }") == {"problems": []}


# --- the file --------------------------------------------------------------------------------------------


def finished(exporting: Exports) -> str:
    exporting.world.customer("华兴", "li")
    id = exporting.start("lead", Customer, Listing(), ("name",), range=ExportRange.ALL, title="客户/2026")
    exporting.run()
    return f"/files/exp_{id}"


def fetched(world: World, address: str, **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(Panel(world).app, raise_app_exceptions=False, client=("192.0.2.7", 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            return await client.get(address, headers=headers)

    return world.run(ask())


def token_of(world: World, login: str) -> str:
    made: str = world.scope(login).do(tokens.create_token, "test", None).token
    return made


def test_the_maker_downloads_the_file_with_a_token_or_a_session(world: World, exporting: Exports) -> None:
    address = finished(exporting)
    answer = fetched(world, address, authorization=f"Bearer {token_of(world, 'lead')}")
    assert answer.status_code == 200
    assert answer.content.startswith(b"PK")
    assert answer.headers["content-disposition"] == (
        "attachment; filename*=utf-8''%E5%AE%A2%E6%88%B7%202026%202026-11-24.xlsx"
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["content-type"].startswith("application/vnd.openxmlformats-officedocument.spreadsheetml")
    assert Panel(world).of("lead").get(address).status_code == 200


def test_others_and_strangers_get_no_file(world: World, exporting: Exports) -> None:
    address = finished(exporting)
    assert fetched(world, address).status_code == 401
    assert fetched(world, address, authorization="Bearer nonsense").status_code == 401
    foreign = fetched(world, address, authorization=f"Bearer {token_of(world, 'ada')}")
    missing = fetched(world, "/files/exp_999", authorization=f"Bearer {token_of(world, 'ada')}")
    assert (foreign.status_code, foreign.json()) == (404, missing.json())
    for nonsense in ("/files/1", "/files/cus_1", "/files/exp_x", "/files/..%2F..%2Fetc%2Fpasswd"):
        assert fetched(world, nonsense, authorization=f"Bearer {token_of(world, 'lead')}").status_code == 404, nonsense


def test_a_file_that_may_not_be_had_any_more_says_why(world: World, exporting: Exports) -> None:
    address = finished(exporting)
    bearer = f"Bearer {token_of(world, 'lead')}"
    add_line(world, "p, sales_lead, customer, export, all, any, deny")
    assert fetched(world, address, authorization=bearer).status_code == 403
    add_line(world, "p, sales_lead, customer, export, all, any, allow")
    page = fetched(world, address, authorization=bearer, accept="text/html")
    assert page.status_code == 403
    assert page.text.startswith("Your roles do not allow")
    world.clock.pass_by(days=8)
    assert fetched(world, address, authorization=bearer).status_code in (401, 403, 410)
