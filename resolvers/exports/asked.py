"""A list as a program asks for its export: by a condition, or for the operation log by its filter, checked here."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from models import ENTITIES, AuditEntry, Base, User
from models.audit.entries import Outcome
from models.custom_field import Book
from models.errors import Validation
from models.export import ExportRange
from models.moments import moment_of_local

from ..audit.log_filter import Wanted
from ..reading.clauses import search_text
from ..reading.condition_check import NO_FIELDS
from ..reading.conditions import checked
from ..reading.order import orderable
from ..runtime.ids import camel, number_of
from .listing import Listing

LOG_FILTER = ("actorId", "entity", "recordId", "action", "outcome", "since", "until", "batchId", "text")
"""What the filter of the log takes."""
MOST_ORDERS = 3


def asked_listing(
    model: type[Base],
    range: ExportRange,
    *,
    ids: Sequence[int] = (),
    condition: Mapping[str, Any] | None = None,
    search: str = "",
    order: Sequence[tuple[str, bool]] = (),
    binned: bool = False,
    book: Book = NO_FIELDS,
    zone: str = "UTC",
) -> Listing:
    """The list that a program asks for.  Raises Validation for what a list of these records cannot hold.

    `book`: the custom fields that it may name.  `zone`: that of times which name none.
    """
    if condition is not None and not isinstance(condition, Mapping):
        raise Validation("A filter is an object.", "筛选条件须为对象。", field="filter")
    asked = {} if condition is None or range is ExportRange.ALL else dict(condition)
    if model is AuditEntry:
        return Listing(ids=_chosen(ids, range), wanted=_wanted(asked, zone))
    checked(model, asked, book=book)
    text = "" if range is ExportRange.ALL else search_text(search)
    return Listing(
        condition={} if range is ExportRange.SELECTION else asked,
        search="" if range is ExportRange.SELECTION else text,
        order=_order(model, order, book),
        binned=binned,
        ids=_chosen(ids, range),
    )


def _chosen(ids: Sequence[int], range: ExportRange) -> tuple[int, ...]:
    """The chosen ids; one that stands for no record finds none."""
    return tuple(dict.fromkeys(id for id in ids if id)) if range is ExportRange.SELECTION else ()


def _order(model: type[Base], order: Sequence[tuple[str, bool]], book: Book) -> tuple[tuple[str, bool], ...]:
    known = {camel(key): key for key in orderable(model)} | {key: key for key in orderable(model)}
    known |= {x.word: x.word for x in book.of(model.module) if x.is_sorted}
    strange = next((name for name, _ in order if name not in known), None)
    if strange is not None or len(order) > MOST_ORDERS:
        raise Validation(
            f"A list is ordered by at most {MOST_ORDERS} of its columns.",
            f"最多按 {MOST_ORDERS} 列排序。",
            field="order",
        )
    return tuple((known[name], descends) for name, descends in order)


def _wanted(asked: Mapping[str, Any], zone: str) -> Wanted:
    for name, value in asked.items():
        if name not in LOG_FILTER:
            said = ", ".join(LOG_FILTER)
            raise Validation(
                f"The log has no filter “{name[:40]}”; it has {said}.",
                f"日志没有筛选项“{name[:40]}”，可用：{said}。",
                field="filter",
            )
        if value is not None and not isinstance(value, str):
            raise _malformed(name)
    model = next((x for x in ENTITIES if x.__name__ == asked.get("entity")), None)
    if asked.get("entity") and model is None:
        raise _malformed("entity")
    outcome = asked.get("outcome")
    if outcome and outcome not in tuple(Outcome):
        raise _malformed("outcome")
    record, actor = asked.get("recordId"), asked.get("actorId")
    if record and model is None:
        raise _malformed("entity")
    return Wanted(
        actor_id=number_of(User, actor) if actor else None,
        model=model,
        record_id=number_of(model, record) if record and model is not None else None,
        action=asked.get("action"),
        outcome=Outcome(outcome) if outcome else None,
        since=_moment(asked, "since", zone),
        until=_moment(asked, "until", zone),
        batch_id=asked.get("batchId"),
        text=search_text(asked.get("text") or "") or None,
    )


def _moment(asked: Mapping[str, Any], name: str, zone: str) -> datetime | None:
    if not asked.get(name):
        return None
    try:
        moment = datetime.fromisoformat(asked[name])
    except ValueError:
        raise _malformed(name) from None
    return moment_of_local(moment, zone)


def _malformed(name: str) -> Validation:
    return Validation(
        f"“{name}” of the filter has a value that it cannot have.", f"筛选项“{name}”的值无效。", field=f"filter.{name}"
    )
