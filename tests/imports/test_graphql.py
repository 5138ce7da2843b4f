"""The door of programs: whole imports over HTTP with a token, and what is refused there."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import event

from models import Contact, Customer, ImportBatch
from resolvers.imports import applying
from schema.queries import import_rows
from tests.support.engines import at_length_on_postgresql
from tests.support.graphql import Api
from tests.support.importing import Files
from tests.support.live import Subscribers
from tests.support.programs import Program
from tests.support.refusals import add_line
from tests.support.world import World

HEADINGS = ["客户名称", "联系人", "联系人手机", "行业", "传真"]
COLUMNS = [
    {"place": 0, "field": "name"},
    {"place": 1, "field": "contactName"},
    {"place": 2, "field": "contactPhone"},
    {"place": 3, "field": "industry"},
]
PAYLOAD = "import { id state } problems { code message field }"
PROBLEMS = "problems { code message field }"
SUMMARY = "summary { staged good bad skipped created updated failed undone kept }"
ROWS = "rows: importRows(import: $id, state: $state) { number state cells { place field text isEdited } problems { field place code message likely } recordId }"
PROGRESS = "subscription ($id: ID!) { importProgress(import: $id) { state isResting done total jobState } }"


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    return Files(world, tmp_path / "files")


@pytest.fixture
def subscribers(world: World) -> Subscribers:
    return Subscribers(world)


@pytest.fixture
def li(world: World, files: Files) -> Program:
    return Program(world, "li")


def rows(count: int) -> list[list[Any]]:
    return [HEADINGS, *([f"Firm {n}", f"Person {n}", 13800000000 + n, "Internet", "021-1"] for n in range(count))]


def created(who: Program, name: str, content: bytes, target: str = "customer") -> str:
    payload = who.change("createImport", "CreateImportInput", PAYLOAD, file=who.upload(name, content), target=target)
    assert (payload["problems"], payload["import"]["state"]) == ([], "UPLOADED")
    id: str = payload["import"]["id"]
    return id


def act(who: Program, field: str, id: str, **more: Any) -> dict[str, Any]:
    """Run a mutation about an import, and what it leaves to jobs."""
    kind = f"{field[0].upper()}{field[1:]}Input" if field in ("setImportMapping", "readImportAnew") else "ImportInput"
    return who.change(field, kind, PAYLOAD, id=id, **more)


def checked(who: Program, files: Files, sheet: Sequence[Sequence[Any]], **plan: Any) -> str:
    id = created(who, "客户.xlsx", files.sheet(sheet))
    files.run()
    assert act(who, "setImportMapping", id, columns=COLUMNS, **plan)["problems"] == []
    files.run()
    return id


def summary(who: Program, id: str) -> dict[str, int]:
    found = who.ask(f"query ($id: ID!) {{ import(id: $id) {{ {SUMMARY} }} }}", id=id)["import"]["summary"]
    return {name: count for name, count in found.items() if count}


# --- a whole import --------------------------------------------------------------------------------------


def test_a_workbook_is_imported_step_by_step_and_undone(world: World, files: Files, li: Program) -> None:
    sheet = [*rows(2), ["", "Nobody", 13800000009, "Internet", ""], ["Firm 3", "C", 13800000003, "Intrnet", ""]]
    id = created(li, "客户.xlsx", files.sheet(sheet, second=[["x"], ["y"]]))
    files.run()

    read = li.ask(
        """query ($id: ID!) {
          import(id: $id) {
            state isResting targetName fileName rows
            file { kind sheet headerRow rows hiddenRows blankRows sheets { name rows isHidden } }
            columns { place letters heading filled field }
          }
          importProposals(import: $id) { place heading field { key name isRequired kind } reason samples strategy }
          importTargets { code keys fields { key } }
        }""",
        id=id,
    )
    assert read["import"]["columns"][2] == {
        "place": 2,
        "letters": "C",
        "heading": "联系人手机",
        "filled": 4,
        "field": None,
    }
    assert read["import"]["file"]["sheets"][1] == {"name": "Second", "rows": 2, "isHidden": False}
    assert (read["import"]["state"], read["import"]["isResting"], read["import"]["rows"]) == ("READ", True, 4)
    proposed = [each["field"] and each["field"]["key"] for each in read["importProposals"]]
    assert proposed == ["name", "contactName", "contactPhone", "industry", None]
    assert read["importProposals"][4]["reason"] == "There is no field for “传真”."
    assert read["importProposals"][0]["samples"] == ["Firm 0", "Firm 1", "Firm 3"]
    (customer,) = [each for each in read["importTargets"] if each["code"] == "customer"]
    assert ["name"] in customer["keys"]

    assert act(li, "setImportMapping", id, columns=COLUMNS)["import"]["state"] == "MAPPED"
    files.run()
    query = f"""query ($id: ID!, $state: [ImportRowState!]) {{
      {ROWS} importWrongValues(import: $id) {{ text rows field message likely }}
      importOutlook(import: $id) {{ created changed behind skipped }}
    }}"""
    found = li.ask(query, id=id, state=["BAD"])
    assert found["importOutlook"] == {"created": 2, "changed": 0, "behind": 2, "skipped": 0}
    assert [(row["number"], row["problems"][0]["field"]) for row in found["rows"]] == [(4, "name"), (5, "industry")]
    (wrong,) = [each for each in found["importWrongValues"] if each["text"]]
    assert (wrong["text"], wrong["rows"], wrong["field"], wrong["likely"]) == ("Intrnet", 1, "industry", ["Internet"])

    edited = li.change(
        "editImportRow",
        "EditImportRowInput",
        "row { state cells { place text isEdited } problems { code } } problems { code }",
        id=id,
        row=4,
        cells=[{"place": 0, "text": "Firm 2"}],
    )
    assert (edited["problems"], edited["row"]["state"], edited["row"]["problems"]) == ([], "GOOD", [])
    assert edited["row"]["cells"][0] == {"place": 0, "text": "Firm 2", "isEdited": True}
    fixed = li.change(
        "fixImportValue", "FixImportValueInput", f"rows {PAYLOAD}", id=id, place=3, wrong="Intrnet", right="Internet"
    )
    assert (fixed["rows"], fixed["problems"]) == (1, [])
    skipped = li.change("skipImportRows", "SkipImportRowsInput", f"rows {PAYLOAD}", id=id, rows=[3])
    assert (skipped["rows"], summary(li, id)) == (1, {"good": 3, "skipped": 1})

    assert act(li, "confirmImport", id)["import"]["state"] == "APPLYING"
    files.run()
    done = li.ask(
        """query ($id: ID!) {
          import(id: $id) { state endedAt confirmedAt }
          importSamples(import: $id) { label recordId values { name sheet record } row { number } }
          importProgress(import: $id) { state isResting done total jobState error }
        }""",
        id=id,
    )
    assert done["import"]["state"] == "DONE"
    assert done["importProgress"] == {
        "state": "DONE",
        "isResting": True,
        "done": 3,
        "total": done["importProgress"]["total"],
        "jobState": "DONE",
        "error": None,
    }
    assert [each["row"]["number"] for each in done["importSamples"]] == [2, 4, 5]
    name = {"name": "Customer name", "sheet": "Firm 2", "record": "Firm 2"}
    assert name in [value for each in done["importSamples"] for value in each["values"]]
    assert {row["name"] for row in world.rows(Customer)} >= {"Firm 0", "Firm 2", "Firm 3"}
    touched = done["importSamples"][0]["recordId"]
    changed = li.change("updateCustomer", "UpdateCustomerInput", "problems { code }", id=touched, version=1, remark="x")
    assert changed == {"problems": []}

    assert act(li, "undoImport", id)["import"]["state"] == "UNDOING"
    files.run()
    assert summary(li, id) == {"undone": 2, "kept": 1, "skipped": 1}
    assert act(li, "undoImport", id)["problems"][0]["code"] == "IMPORT_ENDED"


@at_length_on_postgresql
def test_a_csv_file_is_read_anew_and_imported(world: World, files: Files, li: Program) -> None:
    content = "客户名称;联系人;联系人手机;行业\n华兴;王芳;13800138000;Internet\n".encode("gb18030")
    id = created(li, "客户.csv", content)
    files.run()
    query = "query ($id: ID!) { import(id: $id) { state file { kind encoding delimiter delimiterIsSure } columns { heading } } }"
    assert li.ask(query, id=id)["import"]["file"]["encoding"].lower() == "gb18030"
    assert act(li, "readImportAnew", id, encoding="Big5")["import"]["state"] == "UPLOADED"
    files.run()
    wrong = li.ask(query.replace("file {", "error errorCode file {"), id=id)["import"]
    assert wrong["state"] == "FAILED" or wrong["columns"][0]["heading"] != "客户名称"
    act(li, "readImportAnew", id, encoding="gb18030", delimiter=";")
    files.run()
    assert [each["heading"] for each in li.ask(query, id=id)["import"]["columns"]] == HEADINGS[:4]
    act(li, "setImportMapping", id, columns=COLUMNS)
    files.run()
    act(li, "confirmImport", id)
    files.run()
    assert summary(li, id) == {"created": 1}
    assert [row["name"] for row in world.rows(Contact)] == ["王芳"]

    again = created(li, "客户.csv", content)
    files.run()
    asked = "importsOfSameFile(import: $id) { importId rows } importNotices(import: $id) { message earlierImportId }"
    earlier = li.ask(f"query ($id: ID!) {{ {asked} }}", id=again)
    assert earlier["importsOfSameFile"] == [{"importId": id, "rows": 1}]
    assert earlier["importNotices"][0]["earlierImportId"] == id
    assert "This very file came in before" in earlier["importNotices"][0]["message"]


@at_length_on_postgresql
def test_customers_go_into_the_pool_that_all_rows_share(world: World, files: Files) -> None:
    lead, north = Program(world, "lead"), f"poo_{world.ids['north']}"
    id = created(lead, "客户.xlsx", files.sheet(rows(1)), "pooled_customer")
    files.run()
    (target,) = [x for x in lead.ask("{ importTargets { code once } }")["importTargets"] if x["once"] == ["poolId"]]
    assert target["code"] == "pooled_customer"
    for given in ([{"input": "ownerId", "value": "usr_1"}], [{"input": "poolId", "value": "cus_1"}], []):
        refused = act(lead, "setImportMapping", id, columns=COLUMNS, given=given)
        assert refused["problems"][0]["code"] == "VALIDATION", given
    payload = act(lead, "setImportMapping", id, columns=COLUMNS, given=[{"input": "poolId", "value": north}])
    assert payload["problems"] == []
    files.run()
    plan = lead.ask("query ($id: ID!) { import(id: $id) { plan { mode key given { input value } } } }", id=id)
    assert plan["import"]["plan"] == {"mode": "INSERT", "key": [], "given": [{"input": "poolId", "value": north}]}
    act(lead, "confirmImport", id)
    files.run()
    assert [row["pool_id"] for row in world.rows(Customer)] == [world.ids["north"]]


@at_length_on_postgresql
def test_an_update_names_the_field_that_finds_records(world: World, files: Files, li: Program) -> None:
    there = world.customer("Firm 0", owner="li")
    id = created(li, "客户.xlsx", files.sheet([["客户名称", "备注"], ["Firm 0", "new"]]))
    files.run()
    columns = [{"place": 0, "field": "name"}, {"place": 1, "field": "remark"}]
    for key in ([], ["nope"], ["remark"]):
        refused = act(li, "setImportMapping", id, columns=columns, mode="UPDATE", key=key)
        assert (refused["problems"][0]["code"], refused["problems"][0]["field"]) == ("VALIDATION", "key")
    assert act(li, "setImportMapping", id, columns=columns, mode="UPDATE", key=["name"])["problems"] == []
    files.run()
    row = li.ask(f"query ($id: ID!, $state: [ImportRowState!]) {{ {ROWS} }}", id=id)["rows"][0]
    assert (row["state"], row["recordId"]) == ("GOOD", f"cus_{there}")


@at_length_on_postgresql
def test_a_check_is_repeated_when_what_rows_name_is_there(world: World, files: Files, li: Program) -> None:
    id = created(
        li,
        "a.xlsx",
        files.sheet([["客户", "内容", "方式", "时间"], ["Acme", "Spoke", "CALL", "2026-11-20 10:30"]]),
        "follow_up",
    )
    files.run()
    assert act(li, "checkImport", id)["problems"][0]["message"] == "Choose first which column holds what."
    fields = enumerate(["customerId", "content", "kind", "happenedAt"])
    columns = [{"place": place, "field": field} for place, field in fields]
    assert act(li, "setImportMapping", id, columns=columns)["problems"] == []
    files.run()
    before = summary(li, id)
    world.customer("Acme", owner="li")
    assert act(li, "checkImport", id)["import"]["state"] == "MAPPED"
    files.run()
    assert (before, summary(li, id)) == ({"bad": 1}, {"good": 1})


# --- being told ------------------------------------------------------------------------------------------


def test_progress_is_told_until_the_import_rests(
    world: World, files: Files, li: Program, subscribers: Subscribers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "CHUNK", 2)
    id = checked(li, files, rows(5))
    act(li, "confirmImport", id)

    async def test() -> None:
        told = await subscribers.subscribe("li", PROGRESS, id=id)
        first = await told.data()
        assert first == {"state": "APPLYING", "isResting": False, "done": 0, "total": 5, "jobState": "WAITING"}
        await asyncio.to_thread(files.run)
        done = [0]
        while not (now := await told.data())["isResting"]:
            done.append(now["done"])
        assert (now["state"], done) == ("DONE", sorted(done))
        assert await told.next() is None
        assert await (await subscribers.subscribe("mei", PROGRESS, id=id)).code() == "NOT_FOUND"
        rested = await subscribers.subscribe("li", PROGRESS, id=id)
        assert (await rested.data())["state"] == "DONE"
        assert await rested.next() is None

    subscribers.run(test)


# --- whose it is, and what is refused --------------------------------------------------------------------

QUERIES = {
    "importProposals": "place",
    "importRows": "number",
    "importWrongValues": "text",
    "importSamples": "label",
    "importProgress": "done",
    "importOutlook": "created",
    "importNotices": "message",
    "importsOfSameFile": "importId",
}


@at_length_on_postgresql
def test_an_import_of_somebody_else_is_not_there(world: World, files: Files, li: Program) -> None:
    id, api = checked(li, files, rows(1)), Api(world)
    assert api.ask("ada", "query ($id: ID!) { import(id: $id) { id } imports { id } }", id=id) == {
        "import": None,
        "imports": [],
    }
    for name, field in QUERIES.items():
        query = f"query ($id: ID!) {{ {name}(import: $id) {{ {field} }} }}"
        for foreign in (id, "imp_999", "nonsense"):
            assert api.code("ada", query, id=foreign) == "NOT_FOUND", name
    changes: list[tuple[str, dict[str, Any]]] = [
        *((name, {}) for name in ("checkImport", "confirmImport", "cancelImport", "undoImport", "readImportAnew")),
        ("setImportMapping", {"columns": COLUMNS}),
        ("editImportRow", {"row": 2, "cells": [{"place": 0, "text": "x"}]}),
        ("fixImportValue", {"place": 0, "wrong": "x", "right": "y"}),
        ("skipImportRows", {"rows": [2]}),
    ]
    before = world.row(ImportBatch, 1)
    for name, more in changes:
        foreign, missing = (
            api.change("ada", name, {"id": of, **more}, "problems { code message field }") for of in (id, "imp_999")
        )
        assert foreign == missing, name
        assert foreign["problems"][0]["code"] == "NOT_FOUND"
    assert world.row(ImportBatch, 1) == before


@at_length_on_postgresql
def test_an_upload_of_somebody_else_begins_no_import(world: World, files: Files, li: Program) -> None:
    file, api = li.upload("a.csv", b"a,b\n1,2\n"), Api(world)
    for id in (file, "upl_999", "imp_1", ""):
        payload = api.change("ada", "createImport", {"file": id, "target": "customer"}, PAYLOAD)
        assert (payload["import"], payload["problems"][0]["code"]) == (None, "NOT_FOUND")
        assert api.change("ada", "deleteUpload", {"id": id}, "problems { code }")["problems"] == [{"code": "NOT_FOUND"}]
    assert api.change("li", "createImport", {"file": file, "target": "engine"}, PAYLOAD)["problems"] == [
        {"code": "VALIDATION", "message": "This cannot be imported.", "field": "target"}
    ]
    assert api.change("li", "deleteUpload", {"id": file}, "problems { code }") == {"problems": []}
    assert [*world.backend.files.folder.iterdir()] == []


@at_length_on_postgresql
def test_who_may_not_import_is_refused_at_each_step(world: World, files: Files) -> None:
    lead = Program(world, "lead")
    id = checked(lead, files, rows(1))
    add_line(world, "p, sales_lead, customer, import, all, any, deny")
    for name in ("confirmImport", "checkImport"):
        assert act(lead, name, id)["problems"][0]["code"] == "FORBIDDEN", name
    assert act(lead, "setImportMapping", id, columns=COLUMNS)["problems"][0]["code"] == "FORBIDDEN"
    file = lead.upload("a.csv", b"a,b\n1,2\n")
    refused = lead.change("createImport", "CreateImportInput", PAYLOAD, file=file, target="customer")
    assert (refused["import"], refused["problems"][0]["code"]) == (None, "FORBIDDEN")
    assert "customer" not in [x["code"] for x in lead.ask("{ importTargets { code } }")["importTargets"]]


@at_length_on_postgresql
def test_fields_that_a_person_may_not_set_are_not_offered_and_not_taken(world: World, files: Files) -> None:
    query = "{ importTargets { code fields { key } } }"

    def offered(who: Program) -> set[str]:
        return {
            field["key"]
            for target in who.ask(query)["importTargets"]
            if target["code"] == "customer"
            for field in target["fields"]
        }

    lead = Program(world, "lead")
    assert "industry" in offered(lead)
    add_line(world, "p, sales_lead, customer.industry, view, all, any, deny")
    add_line(world, "p, sales_lead, customer.industry, edit, all, any, deny")
    assert "industry" not in offered(lead)
    id = created(lead, "客户.xlsx", files.sheet(rows(1)))
    files.run()
    proposals = lead.ask("query ($id: ID!) { importProposals(import: $id) { field { key } } }", id=id)
    assert {"key": "industry"} not in [each["field"] for each in proposals["importProposals"]]
    refused = act(lead, "setImportMapping", id, columns=COLUMNS)
    assert refused["problems"] == [
        {"code": "VALIDATION", "message": "This is no field that you may import.", "field": "columns"}
    ]


NONSENSE: list[tuple[str, str, dict[str, Any], str]] = [
    ("setImportMapping", "SetImportMappingInput", {"columns": []}, "VALIDATION"),
    ("setImportMapping", "SetImportMappingInput", {"columns": [{"place": 99, "field": "name"}]}, "VALIDATION"),
    ("editImportRow", "EditImportRowInput", {"row": 99, "cells": [{"place": 0, "text": "x"}]}, "VALIDATION"),
    ("editImportRow", "EditImportRowInput", {"row": 2, "cells": [{"place": 99, "text": "x"}]}, "VALIDATION"),
    ("editImportRow", "EditImportRowInput", {"row": 2, "cells": [{"place": 0, "text": "x" * 40_000}]}, "TOO_LONG"),
    ("fixImportValue", "FixImportValueInput", {"place": 99, "wrong": "x", "right": "y"}, "VALIDATION"),
    ("skipImportRows", "SkipImportRowsInput", {"rows": [99]}, "VALIDATION"),
    ("undoImport", "ImportInput", {}, "IMPORT_ENDED"),
]


@at_length_on_postgresql
def test_what_makes_no_sense_is_a_problem_and_changes_nothing(world: World, files: Files, li: Program) -> None:
    id = checked(li, files, rows(1))
    before = world.row(ImportBatch, 1)
    for field, kind, input, code in NONSENSE:
        payload = li.change(field, kind, "problems { code message }", id=id, **input)
        assert payload["problems"][0]["code"] == code, field
    assert world.row(ImportBatch, 1) == before


@at_length_on_postgresql
def test_an_import_is_stopped_while_it_is_carried_out_and_cancelled_before(
    world: World, files: Files, li: Program
) -> None:
    first, second = checked(li, files, rows(1)), created(li, "b.csv", b"a,b\n1,2\n")
    act(li, "confirmImport", first)
    assert act(li, "cancelImport", first)["import"]["state"] == "PARTLY"
    assert act(li, "cancelImport", second)["import"]["state"] == "CANCELLED"
    assert act(li, "cancelImport", second)["problems"][0]["code"] == "IMPORT_ENDED"
    files.run()
    assert world.rows(Customer) == []


def test_one_statement_counts_the_rows_of_a_page_of_imports(world: World, files: Files, li: Program) -> None:
    for _ in range(3):
        created(li, "a.csv", b"a,b\n1,2\n")
    files.run()
    statements: list[str] = []

    def note(_c: Any, _k: Any, text: str, *_: Any) -> None:
        statements.append(text)

    engine = world.backend.read_engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    found = li.ask(f"{{ imports(first: 2) {{ id state {SUMMARY} }} }}")["imports"]
    event.remove(engine, "before_cursor_execute", note)
    assert [each["id"] for each in found] == ["imp_3", "imp_2"]
    assert all(each["summary"]["staged"] == 1 for each in found)
    assert sum("import_row" in text for text in statements) == 1
    assert li.ask('{ imports(before: "imp_2") { id } }')["imports"] == [{"id": "imp_1"}]


@at_length_on_postgresql
def test_a_page_of_a_wide_sheet_has_fewer_rows(
    world: World, files: Files, li: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = created(li, "wide.csv", b"".join(b",".join([b"x"] * 30) + b"\n" for _ in range(6)))
    files.run()
    monkeypatch.setattr(import_rows, "LARGEST_PAGE", 60)
    query, after, seen = "query ($id: ID!, $n: Int!) { importRows(import: $id, after: $n) { number } }", 0, []
    while page := [row["number"] for row in li.ask(query, id=id, n=after)["importRows"]]:
        assert len(page) <= 2
        seen, after = seen + page, page[-1]
    assert seen == [2, 3, 4, 5, 6]


# --- the way by Excel ------------------------------------------------------------------------------------


@at_length_on_postgresql
def test_a_result_workbook_is_written_corrected_and_sent_back(world: World, files: Files, li: Program) -> None:
    id = checked(li, files, [*rows(1), ["Firm 1", "B", 13800000001, "Intrnet", ""]])
    address = "query ($id: ID!) { import(id: $id) { resultsAddress state isResting error } }"
    assert li.ask(address, id=id)["import"]["resultsAddress"] is None
    assert act(li, "writeImportResults", id)["problems"] == []
    files.run()
    assert li.ask(address, id=id)["import"]["resultsAddress"] == f"/files/{id}"

    book = openpyxl.load_workbook(world.backend.files.path(world.row(ImportBatch, 1)["result"]))
    sheet = book.worksheets[0]
    (wrong,) = [cell for row in sheet.iter_rows() for cell in row if cell.value == "Intrnet"]
    wrong.value = "Internet"
    path = world.backend.files.scratch("corrected.xlsx")
    book.save(path)
    corrected = li.upload("客户（导入结果）.xlsx", path.read_bytes())
    payload = li.change(
        "continueImport", "ContinueImportInput", f"import {{ isResting }} {PROBLEMS}", id=id, file=corrected
    )
    assert payload == {"import": {"isResting": False}, "problems": []}
    files.run()
    assert li.ask(address, id=id)["import"] == {
        "resultsAddress": f"/files/{id}",
        "state": "CHECKED",
        "isResting": True,
        "error": None,
    }
    assert summary(li, id) == {"good": 2}
    again = li.change("continueImport", "ContinueImportInput", PROBLEMS, id=id, file=corrected)
    assert again["problems"][0]["code"] == "NOT_FOUND"
    unwritten = created(li, "b.csv", b"a,b\n1,2\n")
    assert act(li, "writeImportResults", unwritten)["problems"][0]["code"] == "NOT_CHECKED"


@at_length_on_postgresql
def test_an_upload_stays_where_an_import_does_not_go_on_with_it(world: World, files: Files, li: Program) -> None:
    content = files.sheet(rows(1))
    id = created(li, "客户.xlsx", content)
    files.run()
    same = li.upload("客户.xlsx", content)
    refused = li.change("continueImport", "ContinueImportInput", PROBLEMS, id=id, file=same)
    assert refused["problems"][0]["code"] == "NOTHING_CORRECTED"
    assert li.change("deleteUpload", "UploadInput", PROBLEMS, id=same) == {"problems": []}


@at_length_on_postgresql
def test_what_an_update_overwrites_is_said_by_column(world: World, files: Files, li: Program) -> None:
    world.customer("Firm 0", owner="li", remark="old", address="old")
    id = created(li, "客户.xlsx", files.sheet([["客户名称", "备注", "地址"], ["Firm 0", "new", None]]))
    files.run()
    columns = [
        {"place": 0, "field": "name"},
        {"place": 1, "field": "remark", "overwrite": "IF_EMPTY"},
        {"place": 2, "field": "address"},
    ]
    plan = {"columns": columns, "mode": "UPDATE", "key": ["name"], "clears": True}
    refused = act(li, "setImportMapping", id, **{**plan, "createsCustomers": True})
    assert refused["problems"][0]["code"] == "VALIDATION"
    assert act(li, "setImportMapping", id, **plan)["problems"] == []
    files.run()
    shown = li.ask(
        "query ($id: ID!) { import(id: $id) { columns { field overwrite } plan { mode key clears reason createsCustomers } } }",
        id=id,
    )["import"]
    assert [each["overwrite"] for each in shown["columns"]] == ["ALWAYS", "IF_EMPTY", "ALWAYS"]
    assert shown["plan"] == {
        "mode": "UPDATE",
        "key": ["name"],
        "clears": True,
        "reason": None,
        "createsCustomers": False,
    }
    act(li, "confirmImport", id)
    files.run()
    (row,) = world.rows(Customer)
    assert (row["remark"], row["address"], summary(li, id)) == ("old", None, {"updated": 1})
