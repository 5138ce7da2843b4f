"""Conditions: the language in which a list says which records it wants, the same for GraphQL, panel, views and jobs.

A condition is JSON: `{"stage": {"eq": "won"}, "followUps": {"none": {"happenedAt": {"during": "last 30 days"}}}}`.
`checked` types the values of one that a user wrote; `filter_of` makes the filter for `matching.py`, in which periods
have become days and “me” an id.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from models import Base, User
from models.base import is_customised
from models.custom_field import Book
from models.moments import moment_of_local
from models.periods import NEVER, Period
from policies import Principal

from ..runtime.ids import number_of
from .condition_check import (
    CUSTOM,
    NO_FIELDS,
    custom_condition,
    operand_of,
    period,
    refuse_no_condition,
    refuse_null,
)
from .condition_check import checked as checked
from .condition_fields import IS, ME, MY_TEAM, SOME, ConditionField, Kind, fields_of, relations_of
from .custom_conditions import condition_field
from .matching import Related
from .provenance import map_traced, untraced

Tree = dict[str, Any]
Condition = Mapping[str, Any]
Other = Callable[[type[Base], str, Any], Tree | None]
_KEYS = {"isNull": "is_null", "startsWith": "starts_with", "endsWith": "ends_with"}
"""Operators of conditions that `comparison.py` calls otherwise."""


@dataclass(frozen=True)
class Asker:
    """What a condition means by “me”, “my team” and “today”, and the custom fields that it knows."""

    me: int
    team: Sequence[int]
    now: datetime
    zone: str
    book: Book = NO_FIELDS
    """The custom fields that there are."""

    @classmethod
    def of(cls, person: Principal, now: datetime, book: Book = NO_FIELDS) -> "Asker":
        """The asker of a principal.  The system is nobody, so “me” finds nothing."""
        return cls(person.id if person.id is not None else 0, sorted(person.subtree), now, person.zone, book)


def filter_of(model: type[Base], condition: Condition, asker: Asker, other: Other = lambda *_: None) -> Tree:
    """The filter by column keys.  An id of another kind matches no record, as an unknown id does.

    `other` makes the filter of a field that is no field of the language, and returns None for any other one.
    """
    parts: list[Tree] = []
    for name, wanted in condition.items():
        if wanted is None:
            continue
        if name in ("and", "or"):
            parts.append({name: [filter_of(model, part, asker, other) for part in wanted]})
        elif name == "not":
            parts.append({"not": filter_of(model, wanted, asker, other)})
        elif name == CUSTOM and is_customised(model):
            parts += [_of_custom(model, each, asker) for each in wanted]
        elif (found := other(model, name, wanted)) is not None:
            parts.append(found)
        elif name in fields_of(model):
            parts.append(_of_field(fields_of(model)[name], wanted, asker))
        elif (field := condition_field(asker.book, model, name)) is not None:
            parts.append(_of_field(field, wanted, asker))
        else:
            parts.append({"related": [*_of_relation(model, name, wanted, asker, other)]})
    return _joined(parts)


def _of_custom(model: type[Base], wanted: Mapping[str, Any], asker: Asker) -> Tree:
    """The filter of one custom field, in the form in which GraphQL asks: the key beside the operators.

    Raises Validation for a field that is not in the book, and for a value that cannot be compared with it.
    """
    field = custom_condition(asker.book, model, untraced(wanted["key"]), CUSTOM)
    asked = {name: operand for name, operand in wanted.items() if name != "key"}
    return _of_field(field, {name: operand_of(field, name, x, CUSTOM) for name, x in asked.items()}, asker)


def _joined(parts: Sequence[Tree]) -> Tree:
    """One filter for all of them: flat where no key is there twice, because an order looks into it."""
    keys = [key for part in parts for key in part]
    if len(keys) == len(set(keys)):
        return {key: wanted for part in parts for key, wanted in part.items()}
    return {"and": [*parts]}


def _of_relation(
    model: type[Base], name: str, wanted: Mapping[str, Any], asker: Asker, other: Other
) -> Iterator[Related]:
    relation = relations_of(model)[name]
    for operator, condition in wanted.items():
        if condition is None:
            refuse_no_condition(relation, operator, f"filter.{name}.{operator}")
        tree = filter_of(relation.target, condition, asker, other)
        yield Related(relation, tree, wanted=operator in (SOME, IS))


def _of_field(field: ConditionField, wanted: Mapping[str, Any], asker: Asker) -> Tree:
    parts = [_of_operator(field, name, operand, asker) for name, operand in wanted.items()]
    plain = [part for part in parts if "or" not in part and "not" not in part]
    operators = [name for part in plain for name in part.get(field.key, ())]
    if len(plain) < len(parts) or len(operators) != len(set(operators)):
        return {"and": parts}
    return {field.key: {name: x for part in plain for name, x in part.get(field.key, {}).items()}}


def _of_operator(field: ConditionField, name: str, operand: Any, asker: Asker) -> Tree:
    if operand is None:
        refuse_null(field, name, f"filter.{field.name}.{name}")
    if name == "during":
        return {field.key: _within(field, period(operand, field), asker)}
    if field.kind is Kind.RECORD and name in ("eq", "ne", "in"):
        return _of_ids(field, name, operand, asker)
    if field.kind is Kind.MOMENT and name != "isNull":
        operand = _zoned(operand, asker.zone)
    return {field.key: {_KEYS.get(name, name): operand}}


def _zoned(operand: Any, zone: str) -> Any:
    """Moments in UTC; those without a zone are of this one."""
    if isinstance(operand, list | tuple):
        return [_zoned(each, zone) for each in operand]
    is_local = isinstance(operand, datetime) and operand.tzinfo is None
    return map_traced(operand, partial(moment_of_local, zone=zone)) if is_local else operand


# --- ids -------------------------------------------------------------------------------------------------


def _of_ids(field: ConditionField, name: str, operand: Any, asker: Asker) -> Tree:
    """The condition on ids, with the words `me` and `my-team` in place of some."""
    target = field.target
    given = operand if isinstance(operand, list) else [operand]
    if target is None:
        return {field.key: {name: operand}}
    numbers = [_number(target, x, asker) for x in given if not (x == MY_TEAM and _has_teams(target))]
    if len(numbers) == len(given):
        return {field.key: {name: numbers if name == "in" else numbers[0]}}
    mine: Tree = {field.key: {"team" if target is User else "in": asker.team}}
    either = {"or": [*([{field.key: {"in": numbers}}] if numbers else []), mine]}
    return {"not": either} if name == "ne" else either


def _number(target: type[Base], text: Any, asker: Asker) -> Any:
    return asker.me if text == ME and target is User else map_traced(text, partial(number_of, target))


def _has_teams(target: type[Base]) -> bool:
    return target.__name__ in ("User", "Department")


# --- periods ---------------------------------------------------------------------------------------------


def _within(field: ConditionField, period: Period, asker: Asker) -> Mapping[str, Any]:
    """The comparisons that a period stands for: days of the organisation, or the moments at which they begin.

    The limits follow from `now` alone, so a cached plan computes them anew for each request.
    """
    if period.form == NEVER:
        return {"is_null": True}
    first, last = period.on(date(2000, 1, 1))
    names = ("gte", "lte") if field.kind is Kind.DAY else ("gte", "lt")
    limit = _day if field.kind is Kind.DAY else _moment
    limits = {
        name: map_traced(asker.now, partial(limit, period, asker.zone, end))
        for name, day, end in zip(names, (first, last), (False, True), strict=True)
        if day is not None
    }
    return {"is_null": False, **limits}


def _day(period: Period, zone: str, end: bool, now: datetime) -> date | None:
    return period.on(now.astimezone(ZoneInfo(zone)).date())[end]


def _moment(period: Period, zone: str, end: bool, now: datetime) -> datetime | None:
    """The moment at which the first day begins, or (`end`) the last one ends."""
    day = _day(period, zone, end, now)
    if day is None:
        return None
    return datetime.combine(day + timedelta(days=int(end)), time(), ZoneInfo(zone)).astimezone(UTC)
