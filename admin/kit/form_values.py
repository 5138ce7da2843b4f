"""Values of forms: from a record to its inputs, from the inputs to a use case, and which of them the user has changed."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from wtforms import Form

from models import Base
from models.audit.entries import plain
from resolvers.runtime.ids import global_id, number_of

from .fields import Field, Kind
from .panel_request import PanelRequest

WAS = "_was"
"""The name of the hidden input that holds the snapshot of the form from when it was shown."""


def whole_number(text: str) -> int | None:
    """A whole number of up to nine digits that stands in an address or a form; None for any other text."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def input_value(ask: PanelRequest, each: Field, value: Any) -> Any:
    """A value of a record as its input holds it."""
    match each.kind:
        case Kind.TIME if value is not None:
            return ask.local(value).replace(second=0, microsecond=0, tzinfo=None)
        case Kind.RECORD if value is not None and each.target is not None:
            return global_id(each.target, value)
        case Kind.LINES:
            return "\n".join(value or ())
        case Kind.WORD_LIST:
            return [*(value or ())]
        case Kind.YES_NO:
            return bool(value)
        case Kind.OPTIONS:
            return [*(value or ())]
        case Kind.POINTS:
            return [{"kind": str(x["kind"]), "value": x["value"]} for x in value or ()]
        case Kind.TEXT | Kind.LONG | Kind.WORDS | Kind.CHOICE | Kind.CONDITION:
            return value or ""
    return value


def value_of(ask: PanelRequest, each: Field, typed: Any) -> Any:
    """The value of an input as a use case takes it; None for an empty one."""
    match each.kind:
        case Kind.TIME if isinstance(typed, datetime):
            return ask.moment(typed)
        case Kind.RECORD:
            target: type[Base] | None = each.target
            return number_of(target, typed) if typed and target is not None else None
        case Kind.LINES:
            return [line.strip() for line in (typed or "").splitlines() if line.strip()]
        case Kind.WORD_LIST:
            return [*(typed or ())]
        case Kind.YES_NO | Kind.POINTS | Kind.OPTIONS:
            return typed
    return None if typed == "" else typed


def values_of(ask: PanelRequest, fields: Iterable[Field], form: Form) -> dict[str, Any]:
    return {each.key: value_of(ask, each, form[each.key].data) for each in fields}


def snapshot(fields: Iterable[Field], values: Mapping[str, Any]) -> str:
    """The values of a form when it is shown, as the text of its hidden input."""
    return json.dumps({each.key: _comparable(values.get(each.key)) for each in fields}, ensure_ascii=False)


def changed(fields: Iterable[Field], form: Form, was: str) -> list[Field]:
    """The fields whose values differ from the snapshot `was`."""
    try:
        before = dict(json.loads(was))
    except (ValueError, TypeError, RecursionError):
        before = {}
    return [each for each in fields if before.get(each.key, ...) != _comparable(form[each.key].data)]


def _comparable(typed: Any) -> Any:
    """A value in the form in which an untouched one equals its snapshot, because browsers send other line ends."""
    if isinstance(typed, str):
        return typed.replace("\r\n", "\n").strip()
    if isinstance(typed, datetime):
        return typed.isoformat(timespec="minutes")
    return "" if typed is None else plain(typed)
