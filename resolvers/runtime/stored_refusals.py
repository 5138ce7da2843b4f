"""Refusals in the database: code, field, record and params as JSON, and the refusal as it was."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from models.audit.entries import plain
from models.errors import REFUSALS, Refusal


def stored_refusal(refusal: Refusal) -> dict[str, Any]:
    """The refusal as JSON."""
    params = {
        name: [_TIME, x.isoformat()] if isinstance(x, datetime) else plain(x) for name, x in refusal.params.items()
    }
    return {"code": refusal.code(), "field": refusal.field, "record_id": refusal.record_id, "params": params}


def restored_refusal(stored: Mapping[str, Any]) -> Refusal:
    """The refusal as it was: the same class, params and sentences."""
    kind = REFUSALS[stored["code"]]
    params = {name: _param(value) for name, value in stored["params"].items()}
    refusal = kind.__new__(kind)  # some classes take their sentence as arguments of their own
    Refusal.__init__(refusal, field=stored["field"], record_id=stored["record_id"], **params)
    return refusal


_TIME = "time"


def _param(value: Any) -> Any:
    match value:
        case [kind, str(text)] if kind == _TIME:
            return datetime.fromisoformat(text)
    return value
