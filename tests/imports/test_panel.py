"""The panel's import wizard: every step by its form, what is refused with its sentence, and that nothing is lost between."""

import io
import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from admin.screens.imports import checking
from models import Customer, ImportBatch, ImportRow, Job
from models.import_batch import ImportState
from resolvers.jobs import control
from tests.support.importing import Files
from tests.support.panel import Browser, Panel
from tests.support.text_places import IMPORT_STEPS
from tests.support.world import World

NEW = "/admin/imports/new"
HEADINGS = ["客户名称", "联系人", "联系人手机", "行业", "传真"]


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    return Files(world, tmp_path / "files")


def workbook(*rows: Sequence[Any]) -> bytes:
    book = openpyxl.Workbook()
    for row in (HEADINGS, *rows):
        book.active.append(list(row))  # type: ignore[union-attr]
    told = io.BytesIO()
    book.save(told)
    return told.getvalue()


def good(n: int) -> list[Any]:
    return [f"Firm {n}", f"Person {n}", 13800000000 + n, "Internet", "1"]


def multipart(content: bytes, name: str = "客户.xlsx", **texts: str) -> tuple[bytes, str]:
    """The body of a form with a file, and its content type."""
    parts = [f'--edge\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{text}\r\n' for key, text in texts.items()]
    head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return "".join([*parts, head]).encode() + content + b"\r\n--edge--\r\n", "multipart/form-data; boundary=edge"


def uploaded(browser: Browser, content: bytes, target: str = "customer", **more: str) -> str:
    """The address of the page of a new import."""
    answer = browser.post_raw(NEW, *multipart(content, target=target, **more))
    assert answer.status_code == 303, unescape(answer.text)
    return str(answer.headers["location"])


def page(browser: Browser, address: str, query: str = "") -> str:
    answer = browser.get(address + query)
    assert answer.status_code == 200
    return unescape(answer.text)


def chosen(html: str) -> dict[str, str]:
    """Name of a select -> its chosen value."""
    selects = re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', html, re.DOTALL)
    found = {name: re.findall(r'<option value="([^"]*)" selected', options) for name, options in selects}
    return {name: values[-1] if values else "" for name, values in found.items()}


def said(html: str) -> str:
    """The sentence of the alert of a page."""
    found = re.search(r'role="alert"[^>]*>.*?<div>(.*?)</div>', html, re.DOTALL)
    return found[1] if found else ""


def batch(world: World, address: str) -> dict[str, Any]:
    return world.row(ImportBatch, int(address.rpartition("_")[2]))


def matched(browser: Browser, address: str, files: Files, **more: Any) -> None:
    """Take the proposal as it is."""
    files.run()
    form = {name: value for name, value in chosen(page(browser, address)).items() if name[0] in "cdg"}
    answer = browser.post(f"{address}/match", {**form, "mode": "INSERT", **more})
    assert answer.status_code == 303, said(unescape(answer.text))
    files.run()


def test_a_file_is_brought_in_step_by_step_and_undone(world: World, files: Files) -> None:
    browser = Panel(world).of("li")
    address = uploaded(browser, workbook(good(1), good(2)))
    assert re.fullmatch(r"/admin/imports/imp_\d+", address)
    assert "The file is being read" in page(browser, address)
    files.run()

    html = page(browser, address)
    assert chosen(html)["c0"] == "name"
    assert chosen(html)["c3"] == "industry"
    assert chosen(html)["c4"] == ""
    assert "Firm 1" in html
    matched(browser, address, files)

    confirm = page(browser, address, "?step=confirm")
    assert "2 customers are created." in confirm
    for _ in range(2):
        assert browser.post(f"{address}/confirm").status_code == 303
    assert "0/2" in page(browser, address)
    files.run()
    assert len([x for x in world.rows(Job) if x["kind"] == "apply_import"]) == 1
    assert sorted(x["name"] for x in world.rows(Customer)) == ["Firm 1", "Firm 2"]
    html = page(browser, address)
    assert "Finished" in html
    for each in world.rows(Customer):
        assert f'<a href="/admin/customer/details/cus_{each["id"]}">' in html

    assert "recycle bin" in page(browser, address, "?step=undo")
    assert browser.post(f"{address}/undo").status_code == 303
    files.run()
    assert batch(world, address)["state"] == ImportState.UNDONE
    assert "Taken back" in page(browser, address)


def of_row(html: str, number: int) -> str:
    """The part of a page that shows a row of the sheet."""
    found = re.search(rf'<tr id="r{number}" .*?</tr>', html, re.DOTALL)
    return found[0] if found else ""


def checked(browser: Browser, files: Files, *rows: Sequence[Any]) -> str:
    """The address of an import whose rows are checked."""
    address = uploaded(browser, workbook(*rows))
    matched(browser, address, files)
    return address


def test_what_is_left_of_a_stopped_import_is_offered_and_comes_in(world: World, files: Files) -> None:
    browser = Panel(world).of("li")
    address = checked(browser, files, good(1), good(2))
    browser.post(f"{address}/confirm")
    assert browser.post(f"{address}/stop").status_code == 303
    assert "Import the 2 rows that are left" in page(browser, address)

    assert browser.post(f"{address}/confirm").status_code == 303
    files.run()

    assert batch(world, address)["state"] == ImportState.DONE
    assert "that are left" not in page(browser, address)
    assert sorted(x["name"] for x in world.rows(Customer)) == ["Firm 1", "Firm 2"]


STORY = (
    ["A", "Person 1", 13800000001, "电商", "1"],
    ["", "Person 2", 13800000002, "Internet", "1"],
    ["C", "Person 3", "12", "Internet", "1"],
    ["D", "Person 4", 13800000004, "电商", "1"],
)


def test_what_is_wrong_is_said_beside_its_cell_and_mended_in_place_or_once_for_all(world: World, files: Files) -> None:
    browser = Panel(world).of("li")
    address = checked(browser, files, *STORY)
    html = page(browser, address)
    assert "4 rows are wrong" in html
    assert "Industry “电商” is not in the list; choose Retail, Internet, Steel." in of_row(html, 2)
    assert "Name is required" in of_row(html, 3)
    assert "“12”" in of_row(html, 4)

    fixed = browser.post(f"{address}/fix", {"place": "3", "wrong": "电商", "right": "Internet"})
    assert fixed.status_code == 303
    assert "2 rows are wrong" in page(browser, address)

    form = page(browser, address, "?edit=3&cell=0")
    assert 'name="c0" value=""' in of_row(form, 3)
    row = {"number": "3", "c0": "B", "c1": "Person 2", "c2": "13800000002", "c3": "Internet"}
    saved = browser.post(f"{address}/row", row)
    assert saved.headers["location"] == f"{address}?saved=3#r3"
    assert "was-mended" in of_row(page(browser, address, "?saved=3"), 3)
    assert [x["edits"] for x in world.rows(ImportRow)][1] == {"0": "B"}

    assert browser.post(f"{address}/skip", {"number": "4", "skipped": "y", "state": "wrong"}).status_code == 303
    html = page(browser, address)
    assert "No row is wrong" in html
    assert "3 customers are created." in html
    assert "1 row is left out." in html
    assert browser.post(f"{address}/skip", {"number": "4", "skipped": ""}).status_code == 303
    assert "1 row is wrong" in page(browser, address)


def test_a_row_that_cannot_be_saved_stays_as_it_was_typed(world: World, files: Files) -> None:
    browser = Panel(world).of("li")
    address = checked(browser, files, *STORY)
    none = browser.post(f"{address}/row", {"number": "99", "c0": "x"})
    assert none.status_code == 422
    assert said(unescape(none.text)) == "The sheet has no row 99."
    assert browser.post(f"{address}/skip", {"number": "x"}).status_code == 422
    assert browser.post(f"{address}/fix", {"place": "77", "wrong": "a", "typed": "b"}).status_code == 422
    browser.post(f"{address}/cancel")
    late = browser.post(f"{address}/row", {"number": "2", "c0": "x"})
    assert late.status_code == 422


def test_the_same_file_again_and_dates_of_two_readings_are_told(world: World, files: Files) -> None:
    world.customer("Acme", owner="li")
    browser = Panel(world).of("li")
    book = openpyxl.Workbook()
    for row in (["客户", "内容", "时间", "方式"], ["Acme", "Spoke of it", "03/04/2026", "Call"]):
        book.active.append(row)  # type: ignore[union-attr]
    told = io.BytesIO()
    book.save(told)
    address = uploaded(browser, told.getvalue(), "follow_up")
    matched(browser, address, files)
    html = page(browser, address)
    assert "03/04/2026 is read as 4 March 2026 (month first)" in html
    assert "No, it is 3 Apr 2026" in html
    assert browser.post(f"{address}/dates", {"place": "2", "order": "day_first"}).status_code == 303
    files.run()
    assert "can be read in two ways" not in page(browser, address)
    assert chosen(page(browser, address, "?step=match"))["d2"] == "day_first"
    browser.post(f"{address}/confirm")
    files.run()
    again = uploaded(browser, told.getvalue(), "follow_up")
    matched(browser, again, files)
    assert "This very file came in before" in page(browser, again)


def test_rows_come_by_pages_and_by_state(world: World, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "ON_A_PAGE", 2)
    browser = Panel(world).of("li")
    address = checked(browser, files, *(good(n) for n in range(3)), STORY[1])
    assert re.findall(r'<tr id="r(\d+)"', page(browser, address)) == ["5"]
    html = page(browser, address, "?state=all")
    assert re.findall(r'<tr id="r(\d+)"', html) == ["2", "3"]
    (onward,) = re.findall(r'rel="next" href="([^"]+)"', html)
    assert re.findall(r'<tr id="r(\d+)"', page(browser, onward)) == ["4", "5"]
    assert re.findall(r'<tr id="r(\d+)"', page(browser, address, "?state=wrong&edit=3")) == ["3", "5"]


def test_results_come_as_a_workbook(world: World, files: Files) -> None:
    browser = Panel(world).of("li")
    address = checked(browser, files, *STORY)
    assert browser.post(f"{address}/results").status_code == 303
    assert "The workbook is being written." in page(browser, address)
    files.run()
    link = f"/files/{address.rpartition('/')[2]}"
    assert link in page(browser, address)
    answer = browser.get(link)
    assert answer.status_code == 200

    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet = book[book.sheetnames[0]]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value in ("电商", "12")]
    assert len(cells) == 3
    for cell in cells:
        cell.value = "Internet" if cell.value == "电商" else "13800000003"
    told = io.BytesIO()
    book.save(told)
    assert browser.post_raw(f"{address}/workbook", *multipart(told.getvalue())).status_code == 303
    assert "The corrected workbook is being read" in page(browser, address)
    files.run()
    assert "1 row is wrong" in page(browser, address)


def test_a_workbook_of_something_else_is_refused_and_nothing_is_lost(world: World, files: Files) -> None:
    browser = Panel(world).of("li")
    address = checked(browser, files, *STORY)
    none = browser.post_raw(f"{address}/workbook", *multipart(b"", name=""))
    assert (none.status_code, said(unescape(none.text))) == (422, "Choose a file.")
    assert browser.post_raw(f"{address}/workbook", *multipart(b"a,b\n1,2\n", name="x.csv")).status_code == 303
    files.run()
    html = page(browser, address)
    assert "headings are others" in said(html)
    assert "4 rows are wrong" in html


def test_an_import_is_nobody_elses(world: World, files: Files) -> None:
    panel = Panel(world)
    address = uploaded(panel.of("li"), workbook(good(1)))
    other = panel.of("ada")
    assert other.get(address).status_code == 404
    for what in IMPORT_STEPS:
        assert other.post(f"{address}/{what}").status_code == 404
    assert "客户.xlsx" not in page(other, "/admin/imports")
    assert "客户.xlsx" in page(panel.of("li"), "/admin/imports")


def test_who_may_import_nothing_finds_no_door(world: World, files: Files) -> None:
    browser = Panel(world).of("sam")
    assert browser.get(NEW).status_code == 403
    assert browser.post_raw(NEW, *multipart(workbook(good(1)), target="customer")).status_code in (403, 422)
    assert NEW not in page(browser, "/admin/imports")
    assert not world.rows(ImportBatch)


def test_a_form_without_a_file_is_told_so(world: World, files: Files) -> None:
    browser = Panel(world).of("li")
    answer = browser.post_raw(NEW, *multipart(b"", name="", target="contact"))
    assert answer.status_code == 422
    assert said(unescape(answer.text)) == "Choose a file."
    assert chosen(answer.text)["target"] == "contact"


def test_what_cannot_be_read_says_why_and_how_to_go_on(world: World, files: Files) -> None:
    browser = Panel(world).of("li")
    address = uploaded(browser, b"%PDF-1.7 no sheet at all")
    files.run()
    html = page(browser, address)
    assert "save it as .xlsx or .csv" in said(html)
    assert "Choose another file" in html
    assert browser.post(f"{address}/read", {"sheet": "", "header_row": ""}).status_code == 303
    assert batch(world, address)["state"] == ImportState.UPLOADED


def test_text_is_read_in_another_encoding_by_one_click(world: World, files: Files) -> None:
    browser = Panel(world).of("li")
    text = "客户名称,行业\n上海钢铁,互联网\n".encode("gb18030")
    answer = browser.post_raw(NEW, *multipart(text, name="客户.csv", target="customer"))
    address = answer.headers["location"]
    files.run()
    assert "上海钢铁" in page(browser, address)
    assert browser.post(f"{address}/read", {"encoding": "big5"}).status_code == 303
    files.run()
    assert "上海钢铁" not in page(browser, address)
    browser.post(f"{address}/read", {"encoding": "gb18030"})
    files.run()
    assert "上海钢铁" in page(browser, address)
    assert browser.post(f"{address}/read", {"delimiter": "semicolon"}).status_code == 303
    assert batch(world, address)["choices"] == {"encoding": "gb18030", "delimiter": ";"}


def test_a_wrong_mapping_is_refused_and_what_was_chosen_stays(world: World, files: Files) -> None:
    browser = Panel(world).of("li")
    address = uploaded(browser, workbook(good(1)))
    files.run()
    twice = browser.post(f"{address}/match", {"c0": "name", "c1": "name", "mode": "INSERT"})
    assert twice.status_code == 422
    assert "Two columns are said to hold" in said(unescape(twice.text))
    assert chosen(twice.text)["c1"] == "name"
    assert chosen(twice.text)["c3"] == ""
    none = browser.post(f"{address}/match", {"mode": "UPSERT", "key": "number", "c0": "name"})
    assert none.status_code == 422
    assert batch(world, address)["state"] == ImportState.READ


def test_one_that_stands_still_says_why_and_goes_on(
    world: World, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Panel(world).of("li")
    address = uploaded(browser, workbook(good(1)))
    job = batch(world, address)["job_id"]
    world.li.do(control.cancel, job)
    html = page(browser, address)
    assert "Try again" in html
    assert "every 1s" not in html
    assert browser.post(f"{address}/go-on").status_code == 303
    assert "every 1s" in page(browser, address)
    files.run()
    assert "Check the rows" in page(browser, address)
    assert browser.post(f"{address}/go-on").status_code == 422


def test_an_import_is_given_up_and_its_file_is_gone(world: World, files: Files) -> None:
    browser = Panel(world).of("li")
    address = uploaded(browser, workbook(good(1)))
    files.run()
    assert browser.post(f"{address}/cancel").status_code == 303
    assert "Given up" in page(browser, address)
    assert not [*files.world.backend.files.folder.glob(f"{batch(world, address)['file'].partition('.')[0]}*")]
    assert browser.post(f"{address}/confirm").status_code == 422


def test_the_pages_speak_chinese(world: World, files: Files) -> None:
    browser = Panel(world).of("li")
    browser.post("/admin/account/language", {"language": "zh"})
    address = uploaded(browser, workbook(good(1)))
    assert "正在读取" in page(browser, address)
    files.run()
    assert "表头即字段" in page(browser, address)
    matched(browser, address, files)
    assert "将新建 1 条客户。" in page(browser, address, "?step=confirm")


LISTS = {
    "customer": "customer",
    "contact": "contact",
    "follow-up": "follow_up",
    "opportunity": "opportunity",
    "pooled": "pooled_customer",
    "user": "person",
    "dictionary": "dictionary_item",
}


def test_every_list_into_which_sheets_bring_rows_leads_to_its_import(world: World, files: Files) -> None:
    ada, sam = Panel(world).of("ada"), Panel(world).of("sam")
    for screen, target in LISTS.items():
        link = f"{NEW}?target={target}"
        assert f'href="{link}"' in page(ada, f"/admin/{screen}/list"), screen
        assert NEW not in sam.get(f"/admin/{screen}/list").text, screen
        assert chosen(page(ada, link))["target"] == target
    options = page(ada, "/admin/palette/found", "?q=Import: Contacts")
    assert f'href="{NEW}?target=contact"' in options
    assert NEW not in page(sam, "/admin/palette/found", "?q=Import: Contacts")


def test_customers_go_into_the_pool_that_is_chosen_for_all_rows(world: World, files: Files) -> None:
    browser = Panel(world).of("ada")
    address = uploaded(browser, workbook(good(1)), "pooled_customer")
    files.run()
    assert browser.post(f"{address}/match", {"c0": "name", "mode": "INSERT"}).status_code == 422
    form = page(browser, address)
    pool = re.findall(r'<option value="(poo_\d+)"', form)[0]
    matched(browser, address, files, **{"g-pool_id": pool})
    assert chosen(page(browser, address, "?step=match"))["g-pool_id"] == pool
    browser.post(f"{address}/confirm")
    files.run()
    assert [f"poo_{x['pool_id']}" for x in world.rows(Customer)] == [pool]


def test_an_update_overwrites_as_it_is_chosen_and_keeps_that_choice(world: World, files: Files) -> None:
    there = world.customer("There", owner="li", phone="10010", stage="early", industry="steel")
    browser = Panel(world).of("li")
    rows = [["电话", "行业", "客户阶段"], ["10010", "Internet", "Won"]]
    book, told = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    book.save(told)
    address = uploaded(browser, told.getvalue())
    form = {"c0": "phone", "c1": "industry", "c2": "stage", "o1": "NEVER", "o2": "ALWAYS"}
    matched(browser, address, files, **form, mode="UPDATE", key="phone")
    again = chosen(page(browser, address, "?step=match"))
    assert (again["o1"], again["o2"], again["key"]) == ("NEVER", "ALWAYS", "phone")
    assert "1 customer is changed." in page(browser, address)
    browser.post(f"{address}/confirm")
    files.run()
    after = world.row(Customer, there)
    assert (after["industry"], after["stage"]) == ("steel", "won")


def test_contacts_of_companies_that_are_not_there_create_them_when_that_is_chosen(world: World, files: Files) -> None:
    browser = Panel(world).of("ada")
    book, told = openpyxl.Workbook(), io.BytesIO()
    for row in (["客户", "姓名"], ["New Company", "Wang"], ["New Company", "Li"]):
        book.active.append(row)  # type: ignore[union-attr]
    book.save(told)
    address = uploaded(browser, told.getvalue(), "contact")
    matched(browser, address, files)
    assert "2 rows are wrong" in page(browser, address)
    form = {name: value for name, value in chosen(page(browser, address, "?step=match")).items() if name[0] == "c"}
    assert browser.post(f"{address}/match", {**form, "mode": "INSERT", "creates_customers": "y"}).status_code == 303
    files.run()
    assert "2 contacts are created." in page(browser, address)


NONSENSE = ("\0", "x" * 5_000, "-1", "99999999999999999999", "imp_0", '{"a":1}')


@pytest.mark.long
def test_no_nonsense_breaks_a_page_or_a_form(world: World, files: Files) -> None:
    browser = Panel(world).of("li")
    address = checked(browser, files, STORY[0], good(2))
    for bad in NONSENSE[1:]:
        for name in ("step", "state", "after", "edit", "cell", "saved", "row"):
            assert browser.get(address, {name: bad}).status_code == 200, (name, bad)
        assert browser.get(NEW, {"target": bad}).status_code == 200
        assert browser.get("/admin/imports", {"before": bad}).status_code == 200
        assert browser.get(f"/admin/imports/{bad[:50]}").status_code == 404
    fields = ("number", "place", "wrong", "typed", "c0", "c3", "skipped", "order", "mode", "key", "reason", "o0", "d0")
    for bad in NONSENSE:
        for form in ("row", "skip", "fix", "dates", "match"):
            answer = browser.post(f"{address}/{form}", dict.fromkeys(fields, bad) | {"number": "2", "place": "3"})
            assert answer.status_code in (200, 303, 422), (form, bad)
        assert browser.post(f"{address}/skip", {"number": bad}).status_code in (303, 422)
    for bad in NONSENSE[:4]:
        sent = dict.fromkeys(("sheet", "header_row", "encoding", "delimiter", "whole"), bad)
        assert browser.post(f"{address}/read", sent).status_code in (303, 422), bad
        files.run()
        assert browser.get(address).status_code == 200
