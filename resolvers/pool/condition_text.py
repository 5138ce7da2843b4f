"""Conditions as pools store them: JSON about fields of the customer alone, which never matches every customer."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from models import Customer
from models.custom_field import Book
from models.errors import Validation

from ..reading.condition_check import CUSTOM, NO_FIELDS, custom_condition, in_words
from ..reading.condition_fields import CONNECTIVES, ME, MY_TEAM, ConditionField, fields_of
from ..reading.conditions import checked
from ..reading.custom_conditions import condition_field


def stored(text: str, book: Book = NO_FIELDS, field: str = "condition") -> str:
    """The text as it is stored; `book`: the custom fields that it may ask about.

    Raises Validation with a sentence for what such a condition cannot say.
    """
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise Validation("The condition cannot be read.", "无法识别该条件。", field=field) from None
    condition = checked(Customer, given, field, book)
    _refuse_empty(condition, field)
    for asked, operand in _comparisons(condition, book, field):
        if operand == [] or operand == "":
            english, chinese = in_words(asked)
            raise Validation(f"{english}: choose a value.", f"请为{chinese}选择值。", field=field)
        if not {ME, MY_TEAM}.isdisjoint(operand if isinstance(operand, list) else [operand]):
            raise Validation(
                "A condition of a pool is the same for everybody, so it cannot ask about “me” or “my team”.",
                "公海条件对所有人相同，不能使用“我”或“我的团队”。",
                field=field,
            )
    return json.dumps(given, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=512)
def parsed(text: str, book: Book = NO_FIELDS) -> Mapping[str, Any]:
    """The typed condition of a stored text.  Raises Validation for one whose fields are not what they were."""
    return checked(Customer, json.loads(text), "condition", book)


@lru_cache(maxsize=512)
def fields_in(text: str, book: Book = NO_FIELDS) -> frozenset[str]:
    """The column keys of the fields that a stored condition asks about: `custom.x` for a custom one."""
    return frozenset(asked.key for asked, _ in _comparisons(parsed(text, book), book, "condition"))


def _refuse_empty(condition: Mapping[str, Any], field: str) -> None:
    """Raise Validation for a condition with a part that matches every customer, because it says nothing."""
    parts = [part for name, part in condition.items() if name != CUSTOM]
    parts += [{how: x for how, x in each.items() if how != "key"} for each in condition.get(CUSTOM, ())]
    inner = [part for name in ("and", "or") for part in condition.get(name, ())]
    inner += [condition["not"]] if "not" in condition else []
    if not parts or any(part in ({}, []) for part in parts):
        raise Validation(
            "A part of the condition says nothing, so it would match every customer. Fill it in, or remove it.",
            "条件中有空白部分，将匹配所有客户。请填写或删除该部分。",
            field=field,
        )
    for part in inner:
        _refuse_empty(part, field)


def _comparisons(condition: Mapping[str, Any], book: Book, field: str) -> Iterator[tuple[ConditionField, Any]]:
    """(field, operand) of every comparison.  Raises Validation for a question about related records."""
    for name, wanted in condition.items():
        if name in CONNECTIVES:
            for part in [wanted] if name == "not" else wanted:
                yield from _comparisons(part, book, field)
        elif name == CUSTOM:
            for each in wanted:
                asked = custom_condition(book, Customer, each["key"], field)
                yield from ((asked, operand) for how, operand in each.items() if how != "key")
        elif (known := fields_of(Customer).get(name) or condition_field(book, Customer, name)) is not None:
            yield from ((known, operand) for operand in wanted.values())
        else:
            raise Validation(
                "A condition of a pool asks about fields of the customer alone, not about related records.",
                "公海条件只能使用客户自身的字段，不能使用关联记录。",
                field=field,
            )
