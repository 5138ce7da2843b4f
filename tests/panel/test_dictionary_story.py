"""The words of a dictionary in a real browser: moved by mouse and keyboard, added, merged; on a phone, and without scripts."""

import pytest
from playwright.sync_api import Locator, expect
from sqlalchemy import create_engine, select

from models import Dictionary, DictionaryItem
from tests.support.browser import NARROW, Person, Screens


def words(shown: Screens) -> list[tuple[str, str | None]]:
    """(key, key of the word above) of the classification, in its order."""
    engine, item = create_engine(shown.url), DictionaryItem.__table__.c
    with engine.connect() as connection:
        whole = select(Dictionary.id).where(Dictionary.code == "category").scalar_subquery()
        asked = select(item.id, item.key, item.parent_id).where(item.dictionary_id == whole, item.deleted_at.is_(None))
        rows = connection.execute(asked.order_by(item.position, item.id)).all()
    engine.dispose()
    keys = {row.id: row.key for row in rows}
    return [(row.key, keys.get(row.parent_id)) for row in rows]


def below(shown: Screens, above: str | None) -> list[str]:
    return [key for key, parent in words(shown) if parent == above]


def editor(person: Person) -> None:
    person.go("/admin/dictionary/list")
    person.page.locator("tr", has_text="客户分类").locator("a").first.click()
    person.page.locator("a[href*='/dictionary/words/']").click()
    person.page.wait_for_url("**/words/*")


def row(person: Person, text: str) -> Locator:
    return person.page.locator(".word-row").filter(has=person.page.locator(f"input[value='{text}']"))


def save(person: Person) -> None:
    person.page.locator("[data-save]").click()
    person.page.wait_for_url("**saved=1")


@pytest.mark.long
def test_words_are_moved_by_mouse_and_keyboard_added_and_merged(demo_screens: Screens) -> None:
    ada = demo_screens.person("ada")
    editor(ada)
    expect(row(ada, "初期意向")).to_contain_text("records")

    row(ada, "VIP客户").locator("[data-grip]").drag_to(row(ada, "新客户").locator("[data-grip]"))
    row(ada, "核心客户").get_by_label("Chinese").press("Alt+ArrowUp")
    row(ada, "流失客户").get_by_role("button", name="Move up").click()
    row(ada, "正式客户").get_by_role("button", name="Add below").click()
    ada.page.keyboard.type("Strategic customer")
    ada.page.keyboard.press("Tab")
    ada.page.keyboard.type("战略客户")
    ada.picture("dictionary-words")
    assert (ada.overflow(), ada.faults()) == (0, [])
    assert below(demo_screens, "formal") == ["formal_new", "formal_hot", "formal_core", "formal_vip"]  # not saved yet
    save(ada)

    assert below(demo_screens, "formal") == [
        "formal_vip",
        "formal_new",
        "formal_core",
        "formal_hot",
        "strategic_customer",
    ]
    assert below(demo_screens, None)[:3] == ["prospect", "lost", "formal"]

    row(ada, "战略客户").get_by_role("link", name="Merge").click()
    ada.page.get_by_label("It becomes part of").select_option(label="VIP customer")
    ada.page.get_by_role("button", name="Merge").click()
    ada.see("Strategic customer is part of it now.")
    ada.picture("dictionary-merged")
    ada.page.get_by_role("button", name="Undo").click()
    ada.see("Everything is as it was before.")
    assert ada.heard == []


@pytest.mark.long
def test_the_words_fit_a_phone_and_chinese_and_need_no_scripts(demo_screens: Screens) -> None:
    mei = demo_screens.person("ada", language="zh", size=NARROW)
    editor(mei)
    mei.picture("dictionary-words-zh")
    assert (mei.overflow(), mei.faults()) == (0, [])

    plain = demo_screens.person("ada", scripts=False)
    editor(plain)
    before = below(demo_screens, "prospect")
    row(plain, "较强意向").get_by_role("button", name="Move up").click()
    plain.page.wait_for_url("**saved=1")
    assert below(demo_screens, "prospect") == [before[0], before[2], before[1]]
