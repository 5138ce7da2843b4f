"""Every sentence that a person reads, in both languages: no code, key, id or machine's form, and Chinese punctuation.

The sentences are found in the sources: every refusal with parameters as they are given, every pair of an English and a
Chinese text, every message of the catalogue.
"""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import resolvers
from admin.kit import translation
from models import ENTITIES
from models.actions import TABLE
from models.errors import REFUSALS, Refusal
from models.field_names import FIELD_NAMES, field_in_words
from resolvers.records.form_schema import settable
from resolvers.runtime.inputs import invalid
from tests.support import catalogue

ROOT = Path(__file__).resolve().parents[2]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
AT = datetime(2026, 11, 24, 16, 30, tzinfo=UTC)
GIVEN: dict[str, Any] = {
    "label": "Rota",
    "stage": "Proposal",
    "stage_zh": "方案报价",
    "stages": "Proposal or Won",
    "stages_zh": "“方案报价”或“赢单”",
    "old": "Discovery",
    "old_zh": "需求发现",
    "pipeline": "Sales",
    "pipeline_zh": "标准销售",
    "fields": "Amount, Expected close",
    "fields_zh": "金额、预计成交日期",
    "found": "PDF",
    "allowed": "PDF, PNG",
    "name": "Li Na",
    "value": "C2026001",
    "next": "C2026002",
    "pool": "North",
    "used": 3,
    "limit": 3,
    "held": 5,
    "count": 2,
    "max": 200,
    "min": 12,
    "name_zh": "李娜",
    "period": "day",
    "what": "customer",
    "what_zh": "客户",
    "how": "do the same",
    "how_zh": "作同样的操作",
    "who": "sales_lead",
    "who_en": "Sales lead",
    "who_zh": "销售主管",
    "action": "customer.release",
    "action_en": "put into the pool",
    "action_zh": "移入公海",
    "object": "customer.owner_id",
    "object_en": "owner of customers",
    "object_zh": "客户的负责人",
    "when": "own and !locked",
    "when_en": "when it is locked",
    "when_zh": "已锁定",
    "first": "Nothing is allowed.",
    "first_zh": "没有允许任何操作。",
    "reason": "no seat in this pool",
    "reason_zh": "不是该公海成员",
    "until": AT,
    "resets_at": AT,
    "passes_at": AT,
    "seconds": 90,
    "days": 7,
    "least": 4,
    "conditions": "East only",
    "kind": "a picture",
    "kind_zh": "图片",
    "why": "its parts overlap",
    "why_zh": "内部文件相互重叠",
    "sheet": "Customers",
    "sheets": "Customers, Contacts",
    "where": "in a pool",
    "where_zh": "在公海中",
    "row": 4,
    "rows": 900_000,
    "columns": 400,
    "cell": "B2",
    "line": 7,
    "encoding": "UTF-8",
    "text": "1.38E+10",
    "error": "#N/A",
    "order": "day first",
    "order_zh": "日在前",
}
"""Parameters as use cases give them: facts for clients as codes, and words."""

MACHINE = {
    "an id": r"\b[a-z]{3}_\d+\b",
    "a key": r"\b[a-z]+_[a-z_]+\b",
    "a name of the API": r"\b[a-z]+[A-Z]\w*|\b[a-z]+\.[a-z]+\b(?<!e\.g)",
    "a constant": r"\b[A-Z]{2,}_[A-Z]+\b",
    "a time of the machine": r"\dT\d|UTC\b|\d{4}-\d\d-\d\d",
    "a place that was not filled": r"\{[a-z_]+\}|%\([a-z_]+\)s",
}
HALF = re.compile(r"[\u4e00-\u9fff][,.:;?!()]|[,:;?!()][\u4e00-\u9fff]")
"""Half-width punctuation beside a Chinese letter."""
FOR_PROGRAMS = ("schema/", "resolvers/reading/cursors.py", "resolvers/records/form_schema.py", "millpond/")
"""Sources whose sentences answer mistakes that only a program makes, such as a cursor of another list."""


def amiss(text: str) -> list[str]:
    """What a sentence says that no person should read."""
    found = [f"{what}: {hit[0]!r}" for what, form in MACHINE.items() if (hit := re.search(form, text))]
    if CHINESE.search(text) and (hit := HALF.search(text)):
        found.append(f"half-width punctuation: {hit[0]!r}")
    return found


def test_the_test_finds_what_it_looks_for() -> None:
    wrong = (
        "contactName为必填项",
        "see cus_12",
        "right customer.assign",
        "sales_lead",
        "2026-11-24 16:30 UTC",
        "已满(1/1)",
    )

    assert [text for text in wrong if not amiss(text)] == []
    assert amiss("Rota 已锁定，离开负责人后锁定将解除，请确认（3/3）。") == []


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_says_no_code_in_either_language(code: str) -> None:
    kind = REFUSALS[code]
    refusal = kind.__new__(kind)
    Refusal.__init__(refusal, record_id="cus_1", **GIVEN)
    english, chinese = refusal.say("en"), refusal.say("zh")
    several = [refusal.say_of_many(language) for language in ("en", "zh")]

    assert {text: found for text in (english, chinese, *several) if (found := amiss(text))} == {}
    assert english.endswith((".", "pool")) or "{reason}" in kind.sentence
    assert CHINESE.search(chinese)
    assert "Rota" not in "".join(several)


@pytest.mark.parametrize("model", ENTITIES, ids=lambda model: model.__name__)
def test_every_field_that_can_be_refused_has_a_name_in_both_languages(model: Any) -> None:
    resolvers.load()
    keys = {key for creating in (True, False) for key in settable(model, creating=creating)}

    assert keys - FIELD_NAMES.keys() == set()
    for key in keys:
        refusal = invalid(key, "is required", "为必填项")
        english, chinese = field_in_words(key)
        assert (refusal.say(), refusal.say("zh")) == (f"{english} is required.", f"{chinese}为必填项。")
        assert CHINESE.search(chinese)
        assert amiss(refusal.say()) + amiss(refusal.say("zh")) == []


def test_no_sentence_of_the_sources_says_a_code_or_mixes_punctuation() -> None:
    found = {text: wrong for file in sources() for text in spoken(file) if (wrong := amiss(text))}

    assert found == {}
    assert sum(1 for file in sources() for _ in spoken(file)) > 150


def test_every_message_of_the_panel_is_free_of_codes_and_half_widths() -> None:
    translation.speak("zh")
    try:
        wanted = [*catalogue.messages(), *translation.declared_words()]
        said = {message: _filled(translation.gettext(message)) for message in wanted}
    finally:
        translation.speak("en")

    found = {message: wrong for message, text in said.items() if (wrong := amiss(text)) and message not in SHOWN_FORMS}
    assert found == {}


def test_one_thing_has_one_word() -> None:
    """客户池 is the word of no product, and what is one thing in English is one word in Chinese."""
    files = [*sources(), translation.LOCALE / "zh/LC_MESSAGES/millpond.po", *(ROOT / "resolvers/setup").glob("*.csv")]
    texts = {file: file.read_text(encoding="utf-8") for file in files}
    retired = "客户池|放入公海|本日|审查|首位联系人|区域"

    assert {str(file): hit for file, text in texts.items() if (hit := re.findall(retired, text))} == {}
    assert {action.zh for action in TABLE if action.name in ("release", "review")} == {"移入公海", "审核"}


SHOWN_FORMS = {"C{YYYY}{seq:3} makes C2026001, C2026002 and so on.", "as it stands in its address: cus_12"}
SHOWN_FORMS |= {"Somebody has changed the table casbin_rule by hand. That has no effect."}
"""Messages that show a form on purpose: that of a number pattern, of an address, of a table of the database."""


def _filled(message: str) -> str:
    return re.sub(r"%\(\w+\)s", "Rota", message)


# --- sentences in the sources ----------------------------------------------------------------------------


def sources() -> list[Path]:
    folders = ("models", "policies", "resolvers")
    return [
        file
        for folder in folders
        for file in sorted((ROOT / folder).rglob("*.py"))
        if not str(file.relative_to(ROOT)).startswith(FOR_PROGRAMS)
    ]


def spoken(file: Path) -> Iterator[str]:
    """Every Chinese text of a source with the English one before it, with `Rota` in the place of values."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        parts = [*ast.iter_child_nodes(node)]
        for english, chinese in pairwise(_text_of(part) for part in parts):
            if chinese and CHINESE.search(chinese) and "(?" not in chinese:  # no regular expression
                yield chinese
                if english and not CHINESE.search(english) and english[0].isupper() and " " in english:
                    yield english


def _text_of(node: ast.AST) -> str | None:
    node = node.value if isinstance(node, ast.keyword) else node
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"\{[a-z_]+\}", "Rota", node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "Rota" for part in node.values)
    return None


def test_no_page_puts_half_width_punctuation_between_its_words() -> None:
    """The punctuation between two expressions is a message: it is full-width in Chinese."""
    between = re.compile(r"\}\}(?:[:;,] |: </span>)\{\{|\(\{\{|\}\}\)|</strong>: |\{% endif %\}: \{\{")
    machine = "{{ remark.line.number }}: {{ remark.line }}"
    pages = {p: p.read_text(encoding="utf-8").replace(machine, "") for p in (ROOT / "admin/templates").rglob("*.html")}

    assert {p.name: hit[0] for p, text in pages.items() if (hit := between.search(text))} == {}
    assert len(pages) > 30
