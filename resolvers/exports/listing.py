"""A list as it was when its export was asked for: what the database keeps of it, and the request that reads it again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from models import Base
from models.audit.entries import Outcome
from models.base import moment_of, time_text

from ..audit.log_filter import MODELS, Wanted
from ..reading.pages import ListRequest

DAY, MOMENT, AMOUNT = "$day", "$moment", "$amount"
"""Marks of values that JSON does not know."""


@dataclass(frozen=True)
class Listing:
    """Which records, in which order.  `ids` narrows to these; `wanted` is the filter of the operation log."""

    filter: Mapping[str, Any] = field(default_factory=dict)
    condition: Mapping[str, Any] = field(default_factory=dict)
    search: str = ""
    order: tuple[tuple[str, bool], ...] = ()
    binned: bool | None = False
    ids: tuple[int, ...] = ()
    wanted: Wanted | None = None

    @classmethod
    def of(cls, request: ListRequest) -> "Listing":
        """The list of a request of the panel."""
        return cls(request.filter, request.condition, request.search, request.order, request.binned)

    def request(self, model: type[Base], columns: tuple[str, ...] = ()) -> ListRequest:
        """The request that reads the list."""
        narrowed = {"and": [dict(self.filter), {"id": {"in": [*self.ids]}}]} if self.ids else self.filter
        return ListRequest(
            model,
            columns,
            filter=narrowed,
            condition=self.condition,
            search=self.search,
            order=self.order,
            binned=self.binned,
            counts=False,
        )

    def stored(self) -> dict[str, Any]:
        """What the database keeps; `read` reads it."""
        plain = {"condition": dict(self.condition), "search": self.search, "binned": self.binned, "ids": [*self.ids]}
        order = [[key, descends] for key, descends in self.order]
        log = None if self.wanted is None else _log_as_json(self.wanted)
        return {**plain, "order": order, "filter": as_json(self.filter), "wanted": log}


def read(stored: Mapping[str, Any]) -> Listing:
    """The list that `Listing.stored` has written."""
    log = stored.get("wanted")
    return Listing(
        filter=from_json(stored["filter"]),
        condition=stored["condition"],
        search=stored["search"],
        order=tuple((key, bool(descends)) for key, descends in stored["order"]),
        binned=stored["binned"],
        ids=tuple(stored["ids"]),
        wanted=None if log is None else _log_from_json(log),
    )


def as_json(value: Any) -> Any:
    """A filter tree as JSON: dates, times and amounts are marked."""
    if isinstance(value, Mapping):
        return {key: as_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(inner) for inner in value]
    if isinstance(value, datetime):
        return {MOMENT: time_text(value)}
    if isinstance(value, date):
        return {DAY: value.isoformat()}
    if isinstance(value, Decimal):
        return {AMOUNT: str(value)}
    return value.value if isinstance(value, Enum) else value


def from_json(value: Any) -> Any:
    """The tree that `as_json` has written."""
    if isinstance(value, list):
        return [from_json(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((mark, text),) = value.items()
        if mark in _MARKED:
            return _MARKED[mark](text)
    return {key: from_json(inner) for key, inner in value.items()}


_MARKED: dict[str, Any] = {DAY: date.fromisoformat, MOMENT: moment_of, AMOUNT: Decimal}


def _log_as_json(wanted: Wanted) -> dict[str, Any]:
    plain = {name: as_json(value) for name, value in vars(wanted).items() if name != "model"}
    return {**plain, "model": wanted.model.__tablename__ if wanted.model is not None else None}


def _log_from_json(stored: Mapping[str, Any]) -> Wanted:
    known = {name: from_json(value) for name, value in stored.items() if name not in ("model", "outcome")}
    outcome = Outcome(stored["outcome"]) if stored["outcome"] else None
    return Wanted(**known, model=MODELS.get(stored["model"] or ""), outcome=outcome)
