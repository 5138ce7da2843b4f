"""The check of a condition that a user, a client or a saved view has written as JSON.

Every refusal is a sentence that names the field, and its `field` is the place: `filter.and[1].stage.in`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from models import Base
from models.base import is_customised
from models.custom_field import Book
from models.errors import Validation
from models.field_names import FIELD_NAMES
from models.periods import Period, period_of

from ..runtime.custom_fields import unknown_field
from .condition_fields import CONNECTIVES, NONE, ConditionField, Kind, Relation, fields_of, relations_of
from .condition_values import converter, period_text, yes_or_no
from .custom_conditions import condition_field
from .provenance import map_traced

MAX_CONDITIONS, MAX_LEVELS, MAX_RELATED, MAX_RELATED_LEVELS, MAX_VALUES = 100, 8, 10, 3, 200
"""Maximum number of comparisons, of groups in one another, of conditions on related records, of those in one another,
and of values of a comparison."""
NO_FIELDS = Book()
CUSTOM = "custom"
"""The name under which a condition asks about custom fields as GraphQL does."""
IS_NULL = "isNull: true"
"""How a condition asks for records whose field is empty."""


def checked(model: type[Base], given: Any, place: str = "filter", book: Book = NO_FIELDS) -> dict[str, Any]:
    """The condition with typed values.  Raises Validation with the place of what is wrong.

    `book`: the custom fields that it may ask about, as `custom.satisfaction`.
    """
    return _Check(book).group(model, given, place, 0, 0)


@dataclass
class _Check:
    """One run over a condition, with what it has counted so far."""

    book: Book
    conditions: int = 0
    related: int = 0

    def group(self, model: type[Base], given: Any, place: str, levels: int, below: int) -> dict[str, Any]:
        """One object: connectives, fields and related records.  `below`: in how many relations it stands."""
        if not isinstance(given, Mapping):
            _refuse(place, "A condition is an object of fields", "条件须为由字段组成的对象")
        if levels > MAX_LEVELS:
            _refuse(place, f"Groups stand at most {MAX_LEVELS} deep in one another", f"条件组最多嵌套 {MAX_LEVELS} 层")
        found: dict[str, Any] = {}
        for name, wanted in given.items():
            at = f"{place}.{name}"
            if wanted is None:
                continue
            if name in CONNECTIVES:
                found[name] = self._connected(model, name, wanted, at, levels + 1, below)
            elif name == CUSTOM and is_customised(model):
                found[name] = self._customs(model, wanted, at)
            elif (field := self._known(model, name)) is not None:
                found[name] = self._field(field, wanted, at)
            elif (relation := relations_of(model).get(name)) is not None:
                found[name] = self._relation(relation, wanted, at, levels + 1, below + 1)
            else:
                nouns, zh = model.names.nouns, model.names.zh
                _refuse(
                    at, f"A condition on {nouns} knows no field “{_short(name)}”", f"{zh}没有条件字段“{_short(name)}”"
                )
        return found

    def _customs(self, model: type[Base], given: Any, place: str) -> list[dict[str, Any]]:
        """Conditions on custom fields in the form in which GraphQL asks: `[{"key": "size", "eq": "big"}]`."""
        if not isinstance(given, list | tuple) or not all(isinstance(x, Mapping) and "key" in x for x in given):
            _refuse(
                place,
                "Custom fields are asked about in a list of objects with a key",
                "自定义字段条件须为含 key 的列表",
            )
        found = []
        for n, each in enumerate(given):
            field = custom_condition(self.book, model, each["key"], f"{place}[{n}]")
            asked = {name: x for name, x in each.items() if name != "key"}
            self._count(len(asked), place)
            operands = {x: operand_of(field, x, y, f"{place}[{n}].{x}") for x, y in asked.items()}
            found.append({"key": each["key"], **operands})
        return found

    def _known(self, model: type[Base], name: str) -> ConditionField | None:
        return fields_of(model).get(name) or condition_field(self.book, model, name)

    def _connected(self, model: type[Base], name: str, given: Any, place: str, levels: int, below: int) -> Any:
        if name == "not":
            return self.group(model, given, place, levels, below)
        if not isinstance(given, list | tuple):
            _refuse(place, f"“{name}” holds a list of conditions", f"“{name}”须为条件列表")
        self._count(len(given), place)
        return [self.group(model, part, f"{place}[{n}]", levels, below) for n, part in enumerate(given)]

    def _relation(self, relation: Relation, given: Any, place: str, levels: int, below: int) -> dict[str, Any]:
        known = " / ".join(relation.operators)
        if not isinstance(given, Mapping) or not given or any(name not in relation.operators for name in given):
            _refuse(place, f"Related records are asked about with {known}", f"关联记录须使用 {known}")
        self.related += len(given)
        if below > MAX_RELATED_LEVELS or self.related > MAX_RELATED:
            _refuse(
                place,
                f"A condition asks about at most {MAX_RELATED} related records, {MAX_RELATED_LEVELS} deep",
                f"关联条件最多 {MAX_RELATED} 个、嵌套 {MAX_RELATED_LEVELS} 层",
            )
        for name, inner in given.items():
            if inner is None:
                refuse_no_condition(relation, name, f"{place}.{name}")
        return {
            name: self.group(relation.target, inner, f"{place}.{name}", levels, below) for name, inner in given.items()
        }

    def _field(self, field: ConditionField, given: Any, place: str) -> dict[str, Any]:
        if not isinstance(given, Mapping):
            english, chinese = in_words(field)
            _refuse(place, f"{english} is compared by an operator, like eq", f"{chinese}须使用比较运算符，例如 eq")
        self._count(len(given), place)
        return {name: _operand(field, name, x, f"{place}.{name}") for name, x in given.items()}

    def _count(self, more: int, place: str) -> None:
        self.conditions += more
        if self.conditions > MAX_CONDITIONS:
            _refuse(place, f"A search has at most {MAX_CONDITIONS} conditions", f"筛选条件最多 {MAX_CONDITIONS} 个")


def custom_condition(book: Book, model: type[Base], key: Any, place: str) -> ConditionField:
    """What a condition can ask about the custom field of this key.  Raises Validation for one that is not there."""
    field = condition_field(book, model, f"{CUSTOM}.{key}")
    if field is None:
        raise unknown_field(model, f"{CUSTOM}.{key}", place)
    return field


def operand_of(field: ConditionField, operator: str, given: Any, place: str) -> Any:
    """The typed operand of a custom field, which may be written as text; it keeps its provenance.

    Raises Validation for an operator or a value that the field does not take.
    """
    if given is None:
        refuse_null(field, operator, place)
    if isinstance(given, list | tuple):
        _operand(field, operator, [], place)
        step = partial(_custom_operand, field, "eq", place)
        return [map_traced(x, step) for x in _limited(field, given, place)]
    return map_traced(given, partial(_custom_operand, field, operator, place))


def _custom_operand(field: ConditionField, operator: str, place: str, given: Any) -> Any:
    if field.kind is Kind.YES_NO and given in ("true", "false"):
        given = given == "true"
    return _operand(field, operator, given, place)


def in_words(field: ConditionField) -> tuple[str, str]:
    """What a field is called in a refusal, in English and Chinese."""
    if field.labels is not None:
        return field.labels
    plain = field.key.removesuffix("_id").replace("_", " ").capitalize(), f"“{field.name}”"
    return FIELD_NAMES.get(field.key, plain)


def _operand(field: ConditionField, operator: str, given: Any, place: str) -> Any:
    english, chinese = in_words(field)
    if operator not in field.operators:
        known = ", ".join(field.operators)
        _refuse(
            place,
            f"{english} is not compared by “{_short(operator)}”; known: {known}",
            f"{chinese}不支持“{_short(operator)}”，可用：{known}",
        )
    if given is None:
        refuse_null(field, operator, place)
    if operator == "isNull":
        return _typed(yes_or_no, field, given, place)
    if operator == "during":
        return _typed(period_text, field, given, place)
    convert = converter(field)
    if operator == "under" and isinstance(given, str):
        given = [given]
    if operator not in ("in", "under"):
        return _typed(convert, field, given, place)
    return [_typed(convert, field, x, f"{place}[{n}]") for n, x in enumerate(_limited(field, given, place))]


def _limited(field: ConditionField, given: Any, place: str) -> Sequence[Any]:
    if not isinstance(given, list | tuple) or len(given) > MAX_VALUES:
        english, chinese = in_words(field)
        _refuse(
            place,
            f"{english}: give a list of at most {MAX_VALUES} values",
            f"{chinese}须为最多 {MAX_VALUES} 个值的列表",
        )
    return given


def _typed(convert: Callable[[Any], Any], field: ConditionField, given: Any, place: str) -> Any:
    if given is None:
        refuse_null(field, "in", place)
    try:
        return convert(given)
    except (ValueError, OverflowError):
        _refuse_value(field, given, place)


def refuse_null(field: ConditionField, operator: str, place: str) -> NoReturn:
    """Raise Validation for a comparison with nothing: whether a field is empty is asked by `isNull`."""
    english, chinese = in_words(field)
    _refuse(
        place,
        f"{english}: “{operator}” needs a value; {IS_NULL} finds what is empty",
        f"{chinese}：“{operator}”须有值，查找空值请用 {IS_NULL}",
    )


def refuse_no_condition(relation: Relation, operator: str, place: str) -> NoReturn:
    """Raise Validation for a question about related records that has no condition."""
    hint = (f"{NONE}: {{}}", f"{NONE}: {{}}") if relation.is_many else (f"{relation.name}Id: {{{IS_NULL}}}",) * 2
    _refuse(
        place,
        f"“{operator}” needs a condition; {hint[0]} finds records without any",
        f"“{operator}”须有条件，查找无关联的记录请用 {hint[1]}",
    )


def _refuse_value(field: ConditionField, given: Any, place: str) -> NoReturn:
    english, chinese = in_words(field)
    _refuse(place, f"{english} cannot be compared with “{_short(given)}”", f"{chinese}不能与“{_short(given)}”比较")


def _short(given: Any) -> str:
    return str(given).replace("\0", "")[:40]


def _refuse(place: str, english: str, chinese: str) -> NoReturn:
    raise Validation(f"{english}.", f"{chinese}。", field=place[:200])


def period(given: str, field: ConditionField, place: str = "filter") -> Period:
    """The period that a text names.  Raises Validation."""
    try:
        return period_of(given)
    except ValueError:
        _refuse_value(field, given, place)
