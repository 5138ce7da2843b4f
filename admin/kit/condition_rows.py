"""A condition as rows and groups, as the search builder shows it: field, operator, values; all, any or none of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from models import Base
from models.amounts import amount_of
from models.periods import FORMS, NEVER, Period, period_of
from models.periods import written as period_text
from resolvers.reading.condition_fields import ConditionField, Kind, Relation, relations_of

from .book import known_fields

ALL, ANY, NO = "all", "any", "none"
EMPTY, FILLED, YES, NOT_YES, NOT_IN = "empty", "filled", "yes", "no", "notIn"
_TEXT = ("contains", "eq", "ne", "startsWith", "endsWith", EMPTY, FILLED)
_PERIODS = tuple(form for form in FORMS if form != NEVER)
OPERATORS: dict[Kind, tuple[str, ...]] = {
    Kind.TEXT: _TEXT,
    Kind.WORD: ("in", NOT_IN, "under", EMPTY, FILLED),
    Kind.WORDS: ("in", NOT_IN, "under", EMPTY, FILLED),
    Kind.CHOICE: ("in", NOT_IN, EMPTY, FILLED),
    Kind.RECORD: ("in", NOT_IN, EMPTY, FILLED),
    Kind.WHOLE: ("gte", "lte", "gt", "lt", "eq", EMPTY, FILLED),
    Kind.AMOUNT: ("gte", "lte", "gt", "lt", "eq", EMPTY, FILLED),
    Kind.NUMBER: ("gte", "lte", "gt", "lt", "eq", EMPTY, FILLED),
    Kind.DAY: ("last", "next", "ago", "ahead", *_PERIODS[: _PERIODS.index("last")], "on", "from", "until", "between", EMPTY, FILLED),
    Kind.MOMENT: ("last", "next", "ago", "ahead", *_PERIODS[: _PERIODS.index("last")], "on", "from", "until", "between", EMPTY, FILLED),
    Kind.YES_NO: (YES, NOT_YES),
}  # fmt: skip
"""What the builder offers for a field, the usual operator first."""
WITHOUT_VALUE = {EMPTY, FILLED, YES, NOT_YES, *_PERIODS[: _PERIODS.index("last")]}
COUNTED, DATED = {"last", "next", "ago", "ahead"}, {"on", "from", "until", "between"}
SEVERAL = {"in", NOT_IN, "under"}


@dataclass
class Group:
    """Parts of which all, any or none hold."""

    how: str = ALL
    parts: "list[Row | Group]" = field(default_factory=list)

    @property
    def is_group(self) -> bool:
        return True


@dataclass
class Row:
    """One comparison, or one question about related records, whose conditions are in `group`."""

    name: str = ""
    operator: str = ""
    values: list[str] = field(default_factory=list)
    number: str = ""
    unit: str = "days"
    first: str = ""
    last: str = ""
    group: Group | None = None

    @property
    def is_group(self) -> bool:
        return False


class Unfinished(ValueError):
    """A row without a value; `row` is the row."""

    def __init__(self, model: type[Base], row: Row) -> None:
        self.model, self.row = model, row
        super().__init__(row.name)


# --- from a condition --------------------------------------------------------------------------------------


def group_of(model: type[Base], condition: Mapping[str, Any]) -> Group:
    """The rows of a condition.  What the builder has no rows for is left as one row of its operator."""
    parts = [*_parts(model, condition)]
    return parts[0] if len(parts) == 1 and isinstance(parts[0], Group) else Group(ALL, parts)


def _parts(model: type[Base], condition: Mapping[str, Any]) -> Iterator[Row | Group]:
    for name, wanted in condition.items():
        if name in ("and", "or"):
            yield Group(ALL if name == "and" else ANY, [_single(model, part) for part in wanted])
        elif name == "not":
            yield _negated(model, wanted)
        elif name in known_fields(model):
            yield from (_row(known_fields(model)[name], operator, x) for operator, x in wanted.items())
        else:
            target = relations_of(model)[name].target
            yield from (Row(name, how, group=group_of(target, inner)) for how, inner in wanted.items())


def _single(model: type[Base], condition: Mapping[str, Any]) -> Row | Group:
    parts = [*_parts(model, condition)]
    return parts[0] if len(parts) == 1 else Group(ALL, parts)


def _negated(model: type[Base], wanted: Mapping[str, Any]) -> Row | Group:
    part = _single(model, wanted)
    if isinstance(part, Row) and part.operator == "in":
        part.operator = NOT_IN
        return part
    return Group(NO, part.parts) if isinstance(part, Group) and part.how == ANY else Group(NO, [part])


def _row(found: ConditionField, operator: str, operand: Any) -> Row:
    if operator == "isNull":
        return Row(found.name, EMPTY if operand else FILLED)
    if operator == "during":
        return _period_row(found, period_of(str(operand)))
    if found.kind is Kind.YES_NO:
        return Row(found.name, YES if operand else NOT_YES)
    values = [str(x) for x in (operand if isinstance(operand, list) else [operand])]
    if operator in ("eq", "ne") and NOT_IN in OPERATORS[found.kind]:
        return Row(found.name, "in" if operator == "eq" else NOT_IN, values)
    return Row(found.name, operator, values)


def _period_row(found: ConditionField, period: Period) -> Row:
    if period.form == NEVER:
        return Row(found.name, EMPTY)
    first, last = (str(day or "") for day in (period.first, period.last))
    return Row(found.name, period.form, number=str(period.number or ""), unit=period.unit, first=first, last=last)


# --- to a condition ----------------------------------------------------------------------------------------


def condition_of(model: type[Base], group: Group) -> dict[str, Any]:
    """The condition of a group; rows without a field are left out.  Raises Unfinished for one without a value."""
    parts = [found for part in group.parts if (found := _condition(model, part))]
    if not parts:
        return {}
    if group.how == NO:
        return {"not": parts[0] if len(parts) == 1 else {"or": parts}}
    if len(parts) == 1:
        return parts[0]
    return {"and" if group.how == ALL else "or": parts}


def _condition(model: type[Base], part: Row | Group) -> dict[str, Any]:
    if isinstance(part, Group):
        return condition_of(model, part)
    if part.name in relations_of(model):
        relation = relations_of(model)[part.name]
        operator = part.operator if part.operator in relation.operators else relation.operators[0]
        return {part.name: {operator: condition_of(relation.target, part.group or Group())}}
    found = known_fields(model).get(part.name)
    return _compared(model, found, part) if found is not None else {}


def _compared(model: type[Base], found: ConditionField, row: Row) -> dict[str, Any]:
    name, operator = row.name, row.operator or OPERATORS[found.kind][0]
    if operator in (EMPTY, FILLED):
        return {name: {"isNull": operator == EMPTY}}
    if operator in (YES, NOT_YES):
        return {name: {"eq": operator == YES}}
    if operator in FORMS:
        return {name: {"during": _period_of_row(model, operator, row)}}
    values = [value for value in row.values if value.strip()]
    if not values:
        raise Unfinished(model, row)
    if operator == NOT_IN:
        return {"not": {name: {"in": values}}}
    if found.kind in (Kind.WHOLE, Kind.AMOUNT, Kind.NUMBER) and operator not in SEVERAL:
        return {name: {operator: _number(found, values[0])}}
    return {name: {operator: values if operator in SEVERAL else values[0]}}


def _period_of_row(model: type[Base], form: str, row: Row) -> str:
    if form in COUNTED:
        number = row.number.strip()
        if not number.isdecimal() or not int(number):
            raise Unfinished(model, row)
        return period_text(Period(form, int(number), row.unit))
    dates = {name: getattr(row, name) for name in _DATES.get(form, ())}
    if not all(dates.values()):
        raise Unfinished(model, row)
    return SPELLED.get(form, form).format(**dates)


_DATES = {"on": ("first",), "from": ("first",), "until": ("last",), "between": ("first", "last")}
SPELLED = {"on": "on {first}", "from": "from {first}", "until": "until {last}", "between": "{first} to {last}"}


def _number(found: ConditionField, text: str) -> Any:
    """The typed number; the text itself where it is none, for the check to refuse."""
    try:
        amount = amount_of(text)
    except ValueError:
        return text
    return int(amount) if found.kind is Kind.WHOLE and amount == int(amount) else str(amount)


def relation_or_field(model: type[Base], name: str) -> ConditionField | Relation | None:
    """What a row is about."""
    return known_fields(model).get(name) or relations_of(model).get(name)
