"""What people type, made into what a column holds: trimmed, bounded, checked, or refused with the field's name."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, Column, Date, Enum, Integer, String, select
from sqlalchemy.orm import Session

from models import Dictionary, DictionaryItem, Entity
from models.audit import UNWALLED
from models.base import LONG, Money, Utc, columns, trait_of
from models.errors import Validation

from .names import camel

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
"""Control characters, half characters, and marks that turn the direction of text round."""
_LARGEST_INTEGER = 2**31 - 1
_LARGEST_AMOUNT = Decimal(10) ** 14


def clean(model: type[Entity], given: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
    """`given` as values for the columns of `model`; what was not given is not in it.

    Raises Validation with the field: unknown or kept fields, fields only given at creation, wrong types, text that
    is too long or holds control characters, an empty value where one is needed.
    """
    known = {column.key: column for column in columns(model)}
    values = {}
    for key, value in given.items():
        column = known.get(key)
        if column is None or trait_of(column).kept or column.primary_key:
            raise _invalid(key, "cannot be set", "不能设置")
        if trait_of(column).once and not creating:
            raise _invalid(key, "is only given at creation", "仅可在新建时填写")
        values[key] = _value(column, value)
    return values


def require(model: type[Entity], values: Mapping[str, Any]) -> None:
    """Raise Validation for the first column that needs a value and has none."""
    for column in columns(model):
        needed = not column.nullable and column.default is None and not trait_of(column).kept
        if (needed or trait_of(column).required) and not column.primary_key and values.get(column.key) is None:
            raise _invalid(column.key, "is required", "为必填项")


def check_words(db: Session, model: type[Entity], values: Mapping[str, Any]) -> None:
    """Raise Validation for a key that its dictionary does not have, or has archived.  One query."""
    wanted = {
        code: (column.key, values[column.key])
        for column in columns(model)
        if (code := trait_of(column).dictionary) and values.get(column.key) is not None
    }
    if not wanted:
        return
    found = db.execute(
        select(Dictionary.code, DictionaryItem.key)
        .join(DictionaryItem, DictionaryItem.dictionary_id == Dictionary.id)
        .where(Dictionary.code.in_(wanted), DictionaryItem.archived_at.is_(None))
        .where(Dictionary.deleted_at.is_(None), DictionaryItem.deleted_at.is_(None))
        .order_by(DictionaryItem.position),
        execution_options=UNWALLED,
    ).all()
    known: dict[str, list[str]] = {}
    for code, key in found:
        known.setdefault(code, []).append(key)
    for code, (field, key) in wanted.items():
        if key not in known.get(code, ()):
            choices = ", ".join(known.get(code, ())[:12]) or "nothing yet"
            raise _invalid(
                field, f"“{key}” is not in the list; choose {choices}", f"“{key}”不在列表中，可选：{choices}"
            )


def line(text: str | None, field: str, length: int = 200) -> str | None:
    """One line of free text, trimmed; None when nothing is left.  Raises Validation."""
    return None if text is None else _text(text, field, length)


def _value(column: Column[Any], value: Any) -> Any:
    if value is None:
        if not column.nullable:
            raise _invalid(column.key, "is required", "为必填项")
        return None
    kind = column.type
    if isinstance(kind, Enum):
        return _member(column, value)
    if isinstance(kind, Utc):
        return _moment(column.key, value)
    if isinstance(kind, String):
        cleaned = _text(value, column.key, kind.length or LONG)
        if cleaned is None and not column.nullable:
            raise _invalid(column.key, "is required", "为必填项")
        return cleaned
    if isinstance(kind, Boolean | Date | Money | Integer):
        return _plain(column.key, kind, value)
    return _list(column.key, value)


def _text(value: Any, field: str, length: int) -> str | None:
    if not isinstance(value, str):
        raise _invalid(field, "must be text", "必须是文本")
    if _CONTROL.search(value):
        raise _invalid(field, "holds characters that cannot be printed", "含有不可打印的字符")
    if len(value := value.strip()) > length:
        raise _invalid(field, f"is longer than {length} characters", f"超过 {length} 个字符")
    return value or None


def _member(column: Column[Any], value: Any) -> Any:
    members = column.type.enum_class  # type: ignore[attr-defined]
    try:
        return members(value)
    except ValueError:
        known = ", ".join(members)
        raise _invalid(column.key, f"must be one of {known}", f"必须是 {known} 之一") from None


def _moment(field: str, value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise _invalid(field, "must be a time", "必须是时间")
    moment = (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    if not 1900 <= moment.year <= 9998:
        raise _invalid(field, "is out of range", "超出范围")
    return moment


def _plain(field: str, kind: Any, value: Any) -> Any:
    if isinstance(kind, Boolean) and isinstance(value, bool):
        return value
    if isinstance(kind, Date) and isinstance(value, date):
        return value
    if isinstance(kind, Money) and isinstance(value, Decimal | int) and not isinstance(value, bool):
        amount = Decimal(value)
        if amount.is_finite() and abs(amount) < _LARGEST_AMOUNT and amount == amount.quantize(Decimal("0.01")):
            return amount
    if isinstance(kind, Integer) and isinstance(value, int) and not isinstance(value, bool):
        if abs(value) <= _LARGEST_INTEGER:
            return value
        raise _invalid(field, "is out of range", "超出范围")
    raise _invalid(field, "has a wrong value", "的值不正确")


def _list(field: str, value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > 100:
        raise _invalid(field, "must be a list of at most 100 words", "最多 100 个词")
    return [text for item in value if (text := _text(item, field, 200))]


def _invalid(key: str, what: str, zh: str) -> Validation:
    field = camel(key)
    return Validation(f"{field} {what}.", f"{field}{zh}。", field=field)
