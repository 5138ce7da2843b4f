"""What a model's columns say about themselves in the API: their docstrings, and what follows from types and traits."""

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column as TableColumn
from sqlalchemy import Date, Enum, Integer, String

from models import Base
from models.attribute_docs import docs_of
from models.base import LONG, Money, Utc, column_of, columns, sort_key_of, trait_of
from models.names import Names
from models.text import name_key, natural_key
from resolvers.reading.condition_fields import fields_of, relations_of
from resolvers.reading.order import column_dictionary
from resolvers.runtime.ids import camel

from .plan.shape import SHAPES, Column, Field, Many, One, Parts, PolymorphicId, target_of
from .vocabulary import EXTRA_INPUTS

_SORTED = {
    name_key: "As names sort: case and accents do not matter, Chinese goes by pinyin among Latin letters.",
    natural_key: "With numbers inside the text by their value: `C99` before `C100`.",
}
_NONE = re.compile(r"\bNone\b")


def of_field(model: type[Base], shape: Field) -> str | None:
    """The description of a field that a record is read by."""
    match shape:
        case Column(column) if column.primary_key:
            prefix = f", `{model.prefix}_…`" if model.prefix else ""
            return f"The global id{prefix}. Opaque, and the same for good."
        case Column(column):
            return _sentences(_doc(model, column.key), _held(column))
        case One(key, target):
            return f"The {_names(target).noun} that `{camel(key)}` names; null where it is empty or the {_names(target).noun} is out of your sight."
        case Many(_, target):
            return f"The {_names(target).nouns} of this record that you may see, in pages, without those in the recycle bin. {default_order(target)}"
        case Parts(_, target, order):
            return f"All {_names(target).nouns if hasattr(target, 'names') else _plain(target)} of this record, by `{camel(order)}`; no pages."
        case PolymorphicId(_, kind):
            return f"The id of a record whose kind `{camel(kind)}` says."
    return None


def of_input(model: type[Base], key: str, *, is_new: bool) -> str | None:
    """The description of an input that sets a column, with its limits."""
    if key not in {column.key for column in columns(model)}:
        return EXTRA_INPUTS.get(key)
    column, trait = column_of(model, key), trait_of(column_of(model, key))
    limits = list(_limits(column))
    if not is_new:
        empties = column.nullable and not trait.required
        limits.append("Null empties it." if empties else "It cannot be emptied.")
    return _sentences(_doc(model, key), _held(column), *limits)


def of_filter(model: type[Base], name: str) -> str | None:
    """The description of one field of a filter: what it asks about."""
    field = fields_of(model).get(name)
    if field is not None:
        own = of_field(model, Column(column_of(model, field.key))) if field.key in model.__table__.c else None
        return f"Condition on `{name}`. {own or ''}".strip()
    relation = relations_of(model).get(name)
    if relation is None:
        shape = SHAPES[model].get(name)
        told = of_field(model, shape) if shape is not None else None
        return f"Condition on `{name}`. {told}" if told else None
    nouns = _names(relation.target).nouns if relation.is_many else _names(relation.target).noun
    return (
        f"Condition on the {nouns} of the record. Only what you see counts, without the recycle bin."
        if relation.is_many
        else f"Condition on the {nouns} that `{camel(relation.key)}` names. One that is out of your sight matches nothing."
    )


def of_order(model: type[Base], key: str) -> str:
    """The description of a field to order by: what is compared, and what the field is."""
    if key not in model.__table__.c or column_of(model, key).primary_key:
        return "By id: the order in which records were created. The last step, because ids are unique."
    column = column_of(model, key)
    if column_dictionary(model, key):
        how = "By the position of the word in its dictionary, as forms offer it."
    elif sort_key_of(model, key):
        by = trait_of(column_of(model, sort_key_of(model, key) or key)).by
        how = _SORTED.get(by, "By its sort key.") if by is not None else "By its sort key."
    elif isinstance(column.type, Utc | Date):
        how = "Earliest first when ascending."
    elif isinstance(column.type, Money | Integer):
        how = "By size."
    elif isinstance(column.type, Enum):
        how = "By the name of the value, as text."
    else:
        how = "By characters, as texts are stored: capitals before small letters."
    return _sentences(how, _doc(model, key)) or how


def default_order(model: type[Base]) -> str:
    """The order of a list without `orderBy`, as a sentence."""
    step = getattr(model, "order", "-id")
    way = "descending" if step.startswith("-") else "ascending"
    return f"Without `orderBy`: by `{camel(step.lstrip('-'))}`, {way}, then by `id`."


# --- steps -----------------------------------------------------------------------------------------------


def _doc(model: type[Base], key: str) -> str:
    """The docstring of a column, in the words of JSON."""
    return _NONE.sub(lambda none: "Null" if none.start() == 0 else "null", docs_of(model).get(key, ""))


def _sentences(*parts: str) -> str | None:
    return " ".join(part for part in parts if part) or None


def _held(column: TableColumn[Any]) -> str:
    """What kind of value a column holds, where the GraphQL type does not say it."""
    trait, target = trait_of(column), target_of(column)
    code = trait.dictionary or trait.words_of
    if code:
        return f"{'Keys' if trait.words_of else 'A key'} of the dictionary `{code}`."
    return f"The id of a {_names(target).noun}, `{target.prefix}_…`." if target is not None and target.prefix else ""


def _limits(column: TableColumn[Any]) -> Iterator[str]:
    trait, kind = trait_of(column), column.type
    length = getattr(kind, "length", None)
    if isinstance(kind, Money):
        yield "An amount with at most 14 digits before the point and 2 after it."
    elif isinstance(kind, String) and not isinstance(kind, Enum) and not trait.dictionary:
        yield f"At most {length or LONG:,} characters; spaces at both ends are dropped."
    if trait.not_negative:
        yield "Not below 0."
    if trait.generated:
        yield "Without it, one is made."
    if trait.immutable:
        yield "Given at creation; no edit changes it."


def _names(model: type[Base]) -> Names:
    return getattr(model, "names", None) or Names(_plain(model).capitalize(), f"{_plain(model)}s", zh="记录")


def _plain(model: type[Base]) -> str:
    """`ContactPoint` -> `contact point`."""
    return camel_words(model.__name__)


def camel_words(name: str) -> str:
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
