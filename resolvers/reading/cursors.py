"""Cursors: the sort key values of the row where a page ended, as opaque text."""

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, Boolean, Date, Enum, Integer

from models import Base
from models.audit.entries import plain
from models.base import Money, Utc, moment_of
from models.custom_field import stored_value
from models.custom_sql import DayText, MomentText, Number
from models.errors import Validation

from .clauses import COMPUTED
from .order import Key, order_type
from .provenance import PlanMismatch, Steps, is_traceable, source_of, trace, untraced

LONGEST = 4_000


def tag_of(keys: Sequence[Key]) -> str:
    """The order as short text, so that a cursor of another order, or from before sort keys, is recognised."""
    return "_".join(("key", *(f"{'d' if k.descending else 'a'}_{k.name.replace('.', '~')}" for k in keys)))


def written(keys: Sequence[Key], values: Sequence[Any]) -> str:
    """The cursor of a row with these sort key values."""
    return (
        json.dumps([tag_of(keys), *map(_plain, keys, values)], separators=(",", ":"), ensure_ascii=False).encode().hex()
    )


def _plain(key: Key, value: Any) -> Any:
    return plain(value) if key.custom is None else stored_value(value)


def values_of(model: type[Base], keys: Sequence[Key], cursor: str) -> list[Any]:
    """The sort key values of a cursor, with provenance.  Raises Validation for a cursor of another list or order."""
    values, source = _read(model, keys, untraced(cursor)), source_of(cursor)
    if source is None or not all(is_traceable(value) for value in values):
        return values  # NULL needs another condition, not another parameter
    steps: list[Steps] = [(*source.steps, partial(_nth, model, keys, n)) for n in range(len(values))]
    return [trace(value, source.path, made) for value, made in zip(values, steps, strict=True)]


def _nth(model: type[Base], keys: Sequence[Key], n: int, cursor: str) -> Any:
    values = _read(model, keys, cursor)
    if not all(is_traceable(value) for value in values):
        raise PlanMismatch
    return values[n]


def _read(model: type[Base], keys: Sequence[Key], cursor: str) -> list[Any]:
    try:
        if len(cursor) > LONGEST:
            raise ValueError("too long")
        tag, *values = json.loads(bytes.fromhex(cursor))
        if tag != tag_of(keys) or len(values) != len(keys):
            raise ValueError("of another list")
        if any(value is None and not k.nullable for k, value in zip(keys, values, strict=True)):
            raise ValueError("empty where nothing is")
        return [_value(model, k, v) for k, v in zip(keys, values, strict=True)]
    except (ValueError, TypeError, ArithmeticError, InvalidOperation, RecursionError):
        raise Validation(
            "This cursor belongs to another list or order. Begin again without it.",
            "该游标不属于此列表，请重新从第一页开始。",
            field="after",
        ) from None


def _value(model: type[Base], key: Key, text: Any) -> Any:
    if text is None:
        return None
    if (model, key.name) in COMPUTED:
        return _typed(text, bool)
    kind = order_type(model, key)
    if isinstance(kind, Utc | MomentText):
        return moment_of(_typed(text, str))
    if isinstance(kind, Number):
        return _number(Decimal(str(text)) if isinstance(text, int | float) else Decimal(_typed(text, str)))
    if isinstance(kind, Money):
        return _amount(Decimal(_typed(text, str)))
    if isinstance(kind, Date | DayText):
        return date.fromisoformat(_typed(text, str))
    if isinstance(kind, Boolean):
        return _typed(text, bool)
    if isinstance(kind, Enum):
        return kind.enum_class(_typed(text, str)) if kind.enum_class else text
    if isinstance(kind, Integer):
        return _within(_typed(text, int), 63 if isinstance(kind, BigInteger) else 31)
    return _typed(text, str)


def _within(value: int, bits: int) -> int:
    if not -(2**bits) <= value < 2**bits:
        raise ValueError("larger than the column")
    return value


def _amount(value: Decimal) -> Decimal:
    if not value.is_finite() or value.adjusted() >= 14:
        raise ValueError("larger than the column")
    return value


def _number(value: Decimal) -> Decimal:
    if not value.is_finite() or not -6 <= value.adjusted() < 15:
        raise ValueError("larger than a number")
    return value


def _typed(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise ValueError("of another kind")
    if isinstance(value, str):
        value.encode()  # raises for a lone surrogate, which no column can store
        if "\0" in value:
            raise ValueError("of another kind")
    return value
