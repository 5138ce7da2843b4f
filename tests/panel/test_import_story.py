"""A file is brought in, in a real browser: mistakes are found, mended and confirmed, and the whole is undone, in both languages."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, select

import tasks
from millpond.database import opened
from millpond.demo import PASSWORD
from millpond.demo.imported import customers, workbook
from models import Customer, ImportBatch, ImportRow, Job, User
from models.import_batch import RowState
from resolvers.imports import applying
from tasks.engine import Engine
from tests.support.browser import NARROW, WIDE, Person, Screens

pytestmark = pytest.mark.long
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Words(NamedTuple):
    """What the story looks for in one language."""

    industry: str
    retail: str
    name: str
    phone: str
    wrong: str
    right: str
    created: str
    confirm: str
    undo: str
    mended: tuple[str, str]
    """A name and a phone that are nowhere yet."""


WORDS = {
    "en": Words(
        "Industry “电商” is not in the list; choose Retail or Internet.",
        "Retail",
        "Name is required.",
        "“12” is no phone number.",
        "7 rows are wrong",
        "No row is wrong",
        "50 customers are created.",
        "Import now",
        "Undo this import",
        ("Mended Ltd", "13912345678"),
    ),
    "zh": Words(
        "行业“电商”不存在，请选择“零售业”或“互联网”。",
        "零售业",
        "名称为必填项。",
        "“12”不是有效的电话号码。",
        "7 行有误",
        "没有错误",
        "将新建 50 条客户。",
        "开始导入",
        "撤销此次导入",
        ("补全名称有限公司", "13912345679"),
    ),
}


def work(shown: Screens, chunks: int | None = None) -> None:
    """Run the jobs that are due, at most so many chunks, in a thread without the event loop of the browser."""
    left = [chunks if chunks is not None else 1_000]

    def is_enough() -> bool:
        left[0] -= 1
        return left[0] < 0

    def run() -> None:
        tasks.load()
        with opened(shown.url) as backend:
            Engine(backend, "story", is_enough).run_due()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)


def read(shown: Screens, asked: Any) -> list[Any]:
    engine = create_engine(shown.url)
    with engine.connect() as connection:
        found = list(connection.execute(asked))
    engine.dispose()
    return found


def a_number(shown: Screens) -> str:
    """The number of a customer whom the lead sees."""
    lead = select(User.id).where(User.login == "li").scalar_subquery()
    return str(read(shown, select(Customer.number).where(Customer.owner_id == lead).limit(1))[0][0])


def send(person: Person, rows: Sequence[Sequence[Any]], name: str = "customers.xlsx") -> None:
    """Choose a file on the page of a new import, and send it."""
    person.page.set_input_files("#file", {"name": name, "mimeType": XLSX, "buffer": workbook(rows)})
    person.page.locator("form[enctype] .btn-primary").click()
    person.page.wait_for_url("**/imports/imp_*")


def look(person: Person, picture: str = "") -> None:
    """The page is accessible and fits the screen."""
    assert person.overflow() == 0
    assert person.faults() == []
    if picture:
        person.picture(picture)


def cell(page: Page, sentence: str) -> Any:
    """The first cell with this sentence beside it."""
    return page.locator("td.is-wrong", has_text=sentence).first


def id_of(page: Page) -> int:
    return int(page.url.partition("?")[0].rpartition("_")[2])


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """A busy machine judges fifty rows in some seconds."""
    expect.set_options(timeout=30_000)
    yield
    expect.set_options(timeout=20_000)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "CHUNK", 20)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_file_with_mistakes_is_mended_confirmed_imported_and_undone(
    demo_screens: Screens, small_chunks: None, language: str
) -> None:
    words, end = WORDS[language], "" if language == "en" else "-zh"
    lead = demo_screens.person("lead", language=language)
    page = lead.go("/admin/customer/list")
    page.locator("a[href='/admin/imports/new?target=customer']").click()
    with page.expect_download() as begun:
        page.locator("[data-template=customer]").click()
    assert begun.value.suggested_filename.endswith(".xlsx")
    look(lead, f"import-new{end}")

    send(
        lead, customers(a_number(demo_screens), language.upper()), f"{'customers' if language == 'en' else '客户'}.xlsx"
    )
    work(demo_screens)
    expect(page.locator("#match")).to_be_visible()
    assert page.locator("[name=c5]").input_value() == ""  # the fax
    look(lead, f"import-match{end}")
    page.locator("#match .btn-primary").click()
    work(demo_screens)
    expect(page.locator("#outlook")).to_contain_text(words.wrong)
    for sentence in (words.industry, words.name, words.phone):
        expect(cell(page, sentence)).to_be_visible()
    look(lead, f"import-check{end}")

    mend(lead, words, f"import-edit{end}")
    expect(page.locator("#outlook")).to_contain_text(words.right)
    look(lead, f"import-green{end}")

    page.locator("#outlook a[href$='step=confirm']").click()
    lead.see(words.created)
    look(lead, f"import-confirm{end}")
    page.get_by_role("button", name=words.confirm).dblclick()
    expect(page.locator(".import-count strong")).to_have_text("0/50")
    latest = select(ImportBatch.position).order_by(ImportBatch.id.desc()).limit(1)
    while read(demo_screens, latest) == [(0,)]:
        work(demo_screens, chunks=1)  # another job may be due before it
    expect(page.locator(".import-count strong")).to_have_text("20/50")
    look(lead, f"import-progress{end}")
    lead.go("/admin/imports")
    page.locator("tbody a.open").first.click()
    id = id_of(page)
    work(demo_screens)
    expect(page.locator(".import-counts")).to_contain_text("50")
    assert page.locator(".import-example").count() == 5
    assert (
        len(
            [
                x
                for x in read(demo_screens, select(Job.kind, Job.arguments))
                if x == ("apply_import", {"import": id, "version": x[1].get("version")})
            ]
        )
        == 1
    )
    look(lead, f"import-summary{end}")

    undo(demo_screens, lead, words)
    look(lead, f"import-undone{end}")
    states = [x[0] for x in read(demo_screens, select(ImportRow.state).where(ImportRow.batch_id == id))]
    assert states == [RowState.UNDONE] * 50
    assert lead.heard == []


def mend(person: Person, words: Words, picture: str) -> None:
    """Mend each mistake in another way: by keys, by clicks, and once for all rows."""
    page = person.page
    empty = cell(page, words.name).locator("a")
    row = page.locator("tr[data-row]", has=empty).first
    at = row.get_attribute("id")
    empty.focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"#{at} input:focus")).to_have_attribute("name", "c1")
    page.keyboard.type("Left again")
    page.keyboard.press("Escape")
    expect(page.locator(f"#{at} input:not([type=hidden])")).to_have_count(0)
    expect(page.locator(f"#{at} .open")).to_be_focused()
    expect(cell(page, words.name)).not_to_contain_text("Left again")

    page.keyboard.press("Enter")
    page.locator(f"#{at} input[name=c1]").fill(words.mended[0])
    look(person, picture)
    page.locator(f"#{at} input[name=c1]").press("Enter")
    expect(page.locator(f"#{at}.was-mended.is-good")).to_contain_text(words.mended[0])
    expect(page.locator(f"#{at} .open")).to_be_focused()

    bad = page.locator("tr[data-row]", has_text=words.phone)
    at = bad.get_attribute("id")
    cell(page, words.phone).locator("a").click()
    page.locator(f"#{at} input[name=c3]").fill(words.mended[1])
    page.locator(f"#{at} .btn-primary").click()
    expect(page.locator(f"#{at}.is-good")).to_be_visible()

    page.locator("#fixes button[name=right]", has_text=words.retail).first.click()
    expect(page.locator("#outlook h2")).to_contain_text("1")
    taken = page.locator("tr.is-bad")
    at = taken.get_attribute("id")
    taken.locator("td.is-wrong a").click()
    page.locator(f"#{at} input[name=c0]").fill("")
    page.keyboard.press("Enter")
    expect(page.locator(f"#{at}.is-good")).to_be_visible()


def undo(shown: Screens, person: Person, words: Words) -> None:
    page = person.page
    page.get_by_role("link", name=words.undo).click()
    page.locator("main .btn-danger").wait_for()
    look(person)
    page.locator("main .btn-danger").click()
    work(shown)
    expect(page.locator(".import-counts")).to_contain_text("50")
    expect(page.get_by_role("link", name=words.undo)).to_have_count(0)


@pytest.mark.parametrize(("size", "language"), [(NARROW, "zh"), (WIDE, "en")])
def test_the_imports_of_the_demo_are_there_to_look_at(
    demo_screens: Screens, size: tuple[int, int], language: str
) -> None:
    lead = demo_screens.person("lead", size, language=language)
    page = lead.go("/admin/imports")
    look(lead, "imports" if language == "en" else "phone-imports")
    waiting, undone, done = (
        x[0]
        for x in read(demo_screens, select(ImportBatch.id).where(ImportBatch.id <= 3).order_by(ImportBatch.id.desc()))
    )
    for id in (waiting, undone, done):
        lead.go(f"/admin/imports/imp_{id}")
        look(lead)
    lead.go(f"/admin/imports/imp_{waiting}?step=match")
    look(lead)
    lead.go(f"/admin/imports/imp_{waiting}")
    cell(page, WORDS[language].industry).locator("a").click()
    page.locator("tr[data-editing]").wait_for()
    look(lead, "" if language == "en" else "phone-import")
    assert lead.heard == []


def test_a_lost_session_loses_neither_the_import_nor_what_was_typed(demo_screens: Screens) -> None:
    lead = demo_screens.person("lead")
    page = lead.go("/admin/imports/new?target=customer")
    send(lead, [["客户名称", "联系人", "联系电话"], [None, "Wang", "13900000001"]])
    work(demo_screens)
    page.locator("#match .btn-primary").click()
    work(demo_screens)
    cell(page, WORDS["en"].name).locator("a").click()
    page.locator("tr[data-editing] input:focus").fill("Typed before")
    page.context.clear_cookies()
    page.keyboard.press("Enter")

    page.locator("[name=login]").fill("lead")
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    cell(page, WORDS["en"].name).locator("a").click()
    expect(page.locator("tr[data-editing] input:focus")).to_have_value("Typed before")
    page.keyboard.press("Enter")
    expect(page.locator("tr.is-good")).to_contain_text("Typed before")


def test_rows_that_were_copied_in_a_spreadsheet_are_pasted(demo_screens: Screens) -> None:
    lead = demo_screens.person("lead")
    page = lead.go("/admin/imports/new?target=customer")
    page.locator("form[data-upload]").wait_for()
    page.wait_for_function("document.querySelector('[data-template=contact]').hidden")
    page.evaluate(
        """() => {
          const held = new DataTransfer();
          held.setData('text/plain', '客户名称\\t联系人\\nPasted Ltd\\tWang\\n');
          document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: held, bubbles: true }));
        }"""
    )
    page.locator("form[enctype] .btn-primary").click()
    page.wait_for_url("**/imports/imp_*")
    work(demo_screens)
    expect(page.locator(".import-columns")).to_contain_text("Pasted Ltd")


def test_without_scripts_every_step_is_there(demo_screens: Screens) -> None:
    lead = demo_screens.person("lead", scripts=False)
    page = lead.go("/admin/imports/new?target=customer")
    rows = [["客户名称", "联系人", "联系电话"], [None, "Wang", "13900000011"], ["Plain Two", "Li", "13900000012"]]
    send(lead, rows)
    onward: Callable[[], None] = lambda: page.get_by_role("link", name="Show how far it is now").click()  # noqa: E731  said often
    work(demo_screens)
    onward()
    page.locator("#match .btn-primary").click()
    work(demo_screens)
    onward()
    cell(page, WORDS["en"].name).locator("a").click()
    page.locator("tr[data-editing] input[name=c0]").fill("Plain One")
    page.get_by_role("button", name="Save").click()
    lead.see("No row is wrong")
    page.get_by_role("link", name="Go on to the confirmation").click()
    page.get_by_role("button", name="Import now").click()
    work(demo_screens)
    onward()
    expect(page.locator(".import-counts")).to_contain_text("2")
    assert len(read(demo_screens, select(Customer.id).where(Customer.name.in_(("Plain One", "Plain Two"))))) == 2
