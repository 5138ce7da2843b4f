"""The messages of the panel: the Chinese catalogue is complete, and the language of a request is the right one."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from starlette.requests import Request

from admin.kit import translation
from admin.kit.forms import PanelForm
from admin.kit.preferences import PREFERENCES, Preferences, language_of
from resolvers.runtime.languages import accepted_language
from tests.support import catalogue
from tests.support.page_reader import left_over

PO = Path(translation.__file__).parent.parent / "locale/zh/LC_MESSAGES/millpond.po"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SAME = {"GraphQL", "Id", "%(used)s of %(limit)s", "%(what)s, %(action)s:"}
SAME |= {"%(number)s KB", "%(number)s MB"}
SAME |= {"%(field)s %(operator)s", "%(field)s %(operator)s %(value)s", "%(number)s %(unit)s"}
"""Messages that need no Chinese letter: a name, an abbreviation, two numbers, parts of a condition."""


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    translation.speak("en")


# -- the catalogue -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chinese() -> Catalog:
    with PO.open("rb") as file:
        return read_po(file)


def entries(found: Catalog) -> Iterator[tuple[str, Message]]:
    """(message, its entry) of every message, without the head and obsolete ones."""
    for message in found:
        if message.id:
            yield message.id if isinstance(message.id, str) else message.id[0], message


def said_by(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def test_the_messages_are_found_wherever_they_are_said() -> None:
    wanted = catalogue.messages()

    in_a_template, in_python, in_an_f_string = "Skip to the content", "Companies and people you sell to.", "absent"
    of_a_column, of_a_choice, of_an_address = "Actor name", "Meeting", "Other"
    written = {in_a_template, in_python, in_an_f_string}
    assert {*written, of_a_column, of_a_choice, of_an_address} - wanted.keys() == set()
    assert wanted["%(num)s more day"] == "%(num)s more days"


def test_every_message_has_a_chinese_one_and_none_is_left_over(chinese: Catalog) -> None:
    wanted, there = catalogue.messages(), {key for key, _message in entries(chinese)}

    assert {"without Chinese": sorted(wanted.keys() - there), "said nowhere": sorted(there - wanted.keys())} == {
        "without Chinese": [],
        "said nowhere": [],
    }
    assert {key: message.id for key, message in entries(chinese) if message.pluralizable} == {
        key: (key, many) for key, many in wanted.items() if many is not None
    }


def test_what_models_and_actions_declare_is_said_in_chinese_without_a_catalogue() -> None:
    translation.speak("zh")

    declared = translation.declared_words()
    assert {english: translation.gettext(english) for english in declared} == declared
    assert [chinese for chinese in declared.values() if not CHINESE.search(chinese) or left_over(chinese)] == []
    assert {"Claim rules", "Operation log", "Put into the pool", "looked for", "read or change"} <= declared.keys()


def test_no_chinese_message_is_empty_or_a_guess(chinese: Catalog) -> None:
    assert [key for key, message in entries(chinese) if message.fuzzy or not all(said_by(message))] == []
    assert not chinese.obsolete
    assert chinese.num_plurals == 1


def test_the_places_for_values_are_the_same_in_both_languages(chinese: Catalog) -> None:
    def places(text: str) -> set[str]:
        return set(re.findall(r"%\(\w+\)\w|%[^(\s]", text))

    differ = [k for k, m in entries(chinese) if any(places(said) != places(k) for said in said_by(m))]

    assert differ == []


def test_chinese_is_chinese(chinese: Catalog) -> None:
    worded = [(k, m) for k, m in entries(chinese) if re.search("[A-Za-z]", re.sub(r"%\(\w+\)s", "", str(k)))]
    plain = [k for k, m in worded if not all(CHINESE.search(said) for said in said_by(m))]
    mixed = [said for _k, m in entries(chinese) for said in said_by(m) if left_over(re.sub(r"%\(\w+\)s", "", said))]
    halves = [
        said for _k, m in entries(chinese) for said in said_by(m) if re.search(r"[\u4e00-\u9fff][,.:;?!()]", said)
    ]

    assert {key for key in plain if key != "through GraphQL"} <= SAME
    assert mixed == []
    assert halves == []


def test_the_catalogue_is_in_order_and_says_nothing_of_the_machine_it_was_made_on(chinese: Catalog) -> None:
    keys, text = [key for key, _message in entries(chinese)], PO.read_text(encoding="utf-8")
    head = text[: text.index("\n\n")]

    assert keys == sorted(keys)
    assert re.findall(r"^#[:|~]", text, re.MULTILINE) == []
    assert set(re.findall(r'^"([\w-]+):', head, re.MULTILINE)) == {
        "Project-Id-Version",
        "Language",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
        "Plural-Forms",
    }


# -- which language ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        (None, "", "en"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "ZH", "zh"),
        (None, "fr-FR,fr;q=0.9,zh;q=0.5,en;q=0.3", "zh"),
        (None, "en-GB,zh;q=0.5", "en"),
        (None, "fr", "en"),
        ("zh", "en", "zh"),
        ("en", "zh", "en"),
        ("fr", "zh", "zh"),
    ],
)
def test_a_browser_without_an_account_gets_what_it_chose_else_what_it_accepts(
    cookie: str | None, accepted: str, language: str
) -> None:
    held = quote(Preferences(language=cookie).as_text())
    headers = [(b"accept-language", accepted.encode()), (b"cookie", f"{PREFERENCES}={held}".encode())]
    request = Request({"type": "http", "headers": headers})

    assert accepted_language(cookie, accepted) == language
    assert language_of(request) == language


def test_an_unknown_language_is_english() -> None:
    translation.speak("fr")

    assert translation.language() == "en"
    assert translation.gettext("Customers") == "Customers"


def test_a_label_is_said_in_the_language_of_whoever_reads_it() -> None:
    label = translation.Label("Customers")

    translation.speak("zh")
    assert (str(label), f"{label}", label.__html__(), translation.ngettext("%(num)s record", "%(num)s records", 2)) == (
        "客户",
        "客户",
        "客户",
        "共 %(num)s 条",
    )
    translation.speak("en")
    assert (str(label), translation.ngettext("%(num)s record", "%(num)s records", 2)) == (
        "Customers",
        "%(num)s records",
    )


def test_an_empty_text_stays_empty_in_every_language() -> None:
    for language in translation.LANGUAGES:
        translation.speak(language)
        assert [translation.gettext(""), str(translation.Label(""))] == ["", ""]
    translation.speak("en")


def test_forms_speak_chinese_too() -> None:
    said = PanelForm(meta={"locales": ["zh"]}).meta.get_translations(None)

    assert said.gettext("This field is required.") == "该字段是必填字段。"
    assert said.gettext("Not a valid integer value.") == "不是有效的整数。"
