"""The filters and orders of lists, derived from the models."""

import enum
from typing import Any

import strawberry

from models import AuditEntry, Base
from models.base import is_customised
from resolvers.reading.clauses import COMPUTED
from resolvers.reading.condition_fields import PYTHON, ConditionField, Kind, Relation, fields_of, relations_of
from resolvers.reading.order import orderable, orderable_labels
from resolvers.runtime.ids import camel

from ..closed_lists import CLOSED
from ..plan.shape import SHAPES, Column, PolymorphicId, name_of, plural
from . import namespace
from .custom import CustomFilter
from .make import Annotations, enum_of, new_type, python_name
from .namespace import Direction

_NAMES: dict[Kind, str] = {
    Kind.RECORD: "IDFilter",
    Kind.TEXT: "StringFilter",
    Kind.WORD: "WordFilter",
    Kind.WHOLE: "IntFilter",
    Kind.AMOUNT: "DecimalFilter",
    Kind.MOMENT: "DateTimeFilter",
    Kind.DAY: "DateFilter",
    Kind.YES_NO: "BooleanFilter",
}
_DOCS: dict[Kind, str] = {
    Kind.RECORD: "All that is given must hold. For ids of people `me` and `my-team` are yours, for departments `my-team`.",
    Kind.WORD: "All that is given must hold. `under`: one of these words, or one below it in its dictionary.",
    Kind.MOMENT: "All that is given must hold. `during`: a period like `last 7 days`, in days of the organisation.",
    Kind.DAY: "All that is given must hold. `during`: a period like `next 14 days`.",
}


setattr(namespace, CustomFilter.__name__, CustomFilter)


def filter_name(model: type[Base]) -> str:
    return "AuditFilter" if model is AuditEntry else f"{name_of(model)}Filter"


def derive_filter_and_order(model: type[Base]) -> None:
    name = name_of(model)
    fields: Annotations = {key: f"Optional[{_operators(model, kind)}]" for key, kind in filterable(model)}
    fields |= {python_name(x.name): f"Optional[{_about(x)}]" for x in _relations(model)}
    if is_customised(model):
        fields["custom"] = "Optional[List[CustomFilter]]"
    own = filter_name(model)
    whole = {"and_": f"Optional[List[{own}]]", "or_": f"Optional[List[{own}]]", "not_": f"Optional[{own}]"}
    named = {x: strawberry.field(name=x.rstrip("_"), default=strawberry.UNSET) for x in whole}
    unset = dict.fromkeys(fields, strawberry.UNSET)
    new_type(
        own,
        fields | whole,
        f"Which {plural(model)}: all that is given must hold.",
        strawberry.input,
        unset | named,
    )
    keys = {key.upper(): key for key in orderable_keys(model)}
    order_field: Any = enum.Enum(f"{name}OrderField", keys, module=namespace.__name__)  # type: ignore[misc]  # named after the model
    setattr(
        namespace,
        f"{name}OrderField",
        strawberry.enum(
            order_field,
            description=f"By what {plural(model)} can be ordered; words by their place, with `_LABEL` as you read them.",
        ),
    )
    steps: Annotations = {"field": f"{name}OrderField", "direction": Direction}
    usual: dict[str, Any] = {"direction": Direction.ASC}
    doc = f"One step of an order of {plural(model)}."
    if is_customised(model):
        steps = {"field": f"Optional[{name}OrderField]", "custom": "Optional[str]", "direction": Direction}
        usual |= {"field": strawberry.UNSET, "custom": strawberry.UNSET}
        doc = f"One step of an order of {plural(model)}: by a field, or by a custom field that its key names."
    new_type(f"{name}Order", steps, doc, strawberry.input, usual)


def filterable(model: type[Base]) -> list[tuple[str, ConditionField]]:
    """(column key, field) of each field that a list of the model may be filtered by.

    An audit entry has no filter on its labels and values, because their redaction is decided row by row.
    """
    shown = {shape.column.key for shape in SHAPES[model].values() if isinstance(shape, Column)}
    found = [x for x in fields_of(model).values() if x.key in shown]
    several = [x.column.key for x in SHAPES[model].values() if isinstance(x, PolymorphicId)]
    found += [ConditionField(camel(key), key, Kind.RECORD) for key in several]
    found += [x for x in fields_of(model).values() if (model, x.key) in COMPUTED]
    return [(x.key, x) for x in found]


def _relations(model: type[Base]) -> list[Relation]:
    """The related records of which the API has a filter."""
    return [x for x in relations_of(model).values() if x.target in SHAPES]


def orderable_keys(model: type[Base]) -> list[str]:
    shown = {shape.column.key for shape in SHAPES[model].values() if isinstance(shape, Column)}
    labels = [key for key in orderable_labels(model) if key.removesuffix("_label") in shown]
    return ["id", *(key for key in orderable(model) if key in shown and key != "id"), *labels]


def _about(relation: Relation) -> str:
    """The name of the input with the two questions about related records, made once for each kind."""
    own = filter_name(relation.target)
    name = f"{name_of(relation.target)}{'Some' if relation.is_many else 'Is'}Filter"
    if not hasattr(namespace, name):
        given = {f"{x}_" if x == "is" else python_name(x): x for x in relation.operators}
        members = {key: strawberry.field(name=x, default=strawberry.UNSET) for key, x in given.items()}
        doc = (
            "`some`: one that you see matches; `none`: none does."
            if relation.is_many
            else "The record matches, or not."
        )
        new_type(name, dict.fromkeys(given, f"Optional[{own}]"), doc, strawberry.input, members)
    return name


def _operators(model: type[Base], field: ConditionField) -> str:
    """The name of the input with the operators for values of this type, made once."""
    if (closed := CLOSED.get((model, field.key))) is not None:
        field = ConditionField(field.name, field.key, Kind.CHOICE, choices=closed.kind)
    name = _NAMES.get(field.kind) or f"{field.choices.__name__}Filter"  # type: ignore[union-attr]  # a choice has one
    if not hasattr(namespace, name):
        kind = _value(field)
        types = {"in": list[kind] | None, "under": list[kind] | None, "isNull": bool | None, "during": str | None}  # type: ignore[valid-type]  # made at run time
        names = {"in_" if x == "in" else python_name(x): x for x in field.operators}
        annotations = {key: types.get(x, kind | None) for key, x in names.items()}
        members = {key: strawberry.field(name=x, default=strawberry.UNSET) for key, x in names.items()}
        doc = _DOCS.get(field.kind, "All that is given must hold.")
        new_type(name, annotations, doc, strawberry.input, members)
    return name


def _value(field: ConditionField) -> Any:
    if field.kind is Kind.CHOICE:
        return enum_of(field.choices)
    return strawberry.ID if field.kind is Kind.RECORD else PYTHON[field.kind]
