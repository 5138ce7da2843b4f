"""Conditions as pools store them: JSON about fields of the customer alone, which never matches every customer."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from models import Customer
from models.errors import Validation

from ..reading.condition_check import in_words
from ..reading.condition_fields import CONNECTIVES, ME, MY_TEAM, fields_of
from ..reading.conditions import checked


def stored(text: str, field: str = "condition") -> str:
    """The text as it is stored.  Raises Validation with a sentence for what such a condition cannot say."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise Validation("The condition cannot be read.", "无法识别该条件。", field=field) from None
    condition = checked(Customer, given, field)
    _refuse_empty(condition, field)
    for name, operand in _comparisons(condition, field):
        if operand == [] or operand == "":
            english, chinese = in_words(fields_of(Customer)[name])
            raise Validation(f"{english}: choose a value.", f"请为{chinese}选择值。", field=field)
        if not {ME, MY_TEAM}.isdisjoint(operand if isinstance(operand, list) else [operand]):
            raise Validation(
                "A condition of a pool is the same for everybody, so it cannot ask about “me” or “my team”.",
                "公海条件对所有人相同，不能使用“我”或“我的团队”。",
                field=field,
            )
    return json.dumps(given, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=512)
def parsed(text: str) -> Mapping[str, Any]:
    """The typed condition of a stored text.  Raises Validation for one that this version does not know any more."""
    return checked(Customer, json.loads(text), "condition")


@lru_cache(maxsize=512)
def fields_in(text: str) -> frozenset[str]:
    """The column keys of the fields that a stored condition asks about."""
    return frozenset(fields_of(Customer)[name].key for name, _ in _comparisons(parsed(text), "condition"))


def _refuse_empty(condition: Mapping[str, Any], field: str) -> None:
    """Raise Validation for a condition with a part that matches every customer, because it says nothing."""
    parts = [*condition.values()]
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


def _comparisons(condition: Mapping[str, Any], field: str) -> Iterator[tuple[str, Any]]:
    """(field name, operand) of every comparison.  Raises Validation for a question about related records."""
    for name, wanted in condition.items():
        if name in CONNECTIVES:
            for part in [wanted] if name == "not" else wanted:
                yield from _comparisons(part, field)
        elif name in fields_of(Customer):
            yield from ((name, operand) for operand in wanted.values())
        else:
            raise Validation(
                "A condition of a pool asks about fields of the customer alone, not about related records.",
                "公海条件只能使用客户自身的字段，不能使用关联记录。",
                field=field,
            )
