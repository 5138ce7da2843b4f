"""Descriptions of everything in the schema, for editors, code generators and GraphiQL.

They come from where the thing is declared: the docstring of a model's column describes its field, its inputs, its filter and
its order; the docstring of a use case its mutation; the docstring of a refusal its `ProblemCode`.  What stands in a class of
`schema/` has a docstring below it.  Words that mean the same everywhere are in `schema/vocabulary.py`.
"""

import re
from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from models.attribute_docs import docs_of, paragraph_of
from models.errors import REFUSALS, Refusal
from resolvers.runtime.ids import camel

from .column_docs import of_field, of_filter, of_input, of_order
from .plan.shape import KINDS, Kind
from .types.payloads import PAYLOADS
from .vocabulary import ARGUMENTS, FIELDS, INPUTS, OPERATORS

_BACK = "strawberry-definition"
_INPUT = re.compile(r"(Create|Update)?([A-Z]\w*?)(?:Changes)?Input")
_WORD_IN_SENTENCE = re.compile(r"\{(\w+)")


def describe(inner: GraphQLSchema) -> None:
    """Give a description to every type, field, argument, input field and enum value that has none and could have one."""
    for name, kind in inner.type_map.items():
        if name.startswith("__"):
            continue
        kind.description = kind.description or _of_type(kind)
        if isinstance(kind, GraphQLEnumType):
            _enum(kind)
        elif isinstance(kind, GraphQLInputObjectType):
            _input(kind)
        elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            _object(kind)


def lacking(inner: GraphQLSchema) -> list[str]:
    """What has no description, as `Type`, `Type.field` and `Type.field(argument)`; nothing in a finished schema."""
    found = []
    for name, kind in inner.type_map.items():
        if name.startswith("__"):
            continue
        found += [] if kind.description else [name]
        parts: Mapping[str, Any] = getattr(kind, "values", None) or getattr(kind, "fields", {})
        found += [f"{name}.{key}" for key, part in parts.items() if not part.description]
        arguments = [(key, *each) for key, part in parts.items() for each in getattr(part, "args", {}).items()]
        found += [f"{name}.{key}({argument})" for key, argument, it in arguments if not it.description]
    return found


# --- types -----------------------------------------------------------------------------------------------


def _of_type(kind: GraphQLNamedType) -> str | None:
    origin = _origin(kind)
    own = origin.__dict__.get("__doc__") if origin is not None else None
    return FIELDS.get(kind.name) or paragraph_of(own)


def _origin(kind: GraphQLNamedType) -> type | None:
    """The Python class behind a type."""
    definition = kind.extensions.get(_BACK)
    found: type | None = getattr(definition, "origin", None) or getattr(definition, "wrapped_cls", None)
    return found


def _docs(kind: GraphQLNamedType) -> Mapping[str, str]:
    origin = _origin(kind)
    return docs_of(origin) if origin is not None else {}


def _enum(kind: GraphQLEnumType) -> None:
    docs = _docs(kind)
    model = KINDS.get(kind.name.removesuffix("OrderField")) if kind.name.endswith("OrderField") else None
    for name, value in kind.values.items():
        if kind.name == "ProblemCode":
            value.description = value.description or _of_refusal(REFUSALS[name])
        elif model is not None:
            value.description = value.description or of_order(model.model, name.lower())
        else:
            value.description = value.description or docs.get(name) or docs.get(str(value.value))


def _of_refusal(kind: type[Refusal]) -> str:
    """What a refusal means, its sentence with the parameters in braces, and the parameters by their names in the API."""
    own = paragraph_of(kind.__dict__.get("__doc__"))
    sentence = kind.sentence.replace("{right}", "…")
    return f"{own} {_quoted(sentence)}".strip() if own else _quoted(sentence)


def _quoted(sentence: str) -> str:
    named = dict.fromkeys(camel(name) for name in _WORD_IN_SENTENCE.findall(sentence))
    holds = f" `params` holds {', '.join(f'`{name}`' for name in named)}." if named else ""
    return f"Says: “{sentence}”{holds}"


def _input(kind: GraphQLInputObjectType) -> None:
    docs, operators = _docs(kind), OPERATORS.get(kind.name) or OPERATORS["*"]
    entity, is_new = _entity_of(kind.name)
    listed = KINDS.get(kind.name.removesuffix("Filter").replace("Audit", "AuditEntry"))
    for name, field in kind.fields.items():
        key = getattr(field.extensions.get(_BACK), "python_name", name)
        found = docs.get(key) or INPUTS.get(f"{kind.name}.{name}")
        if not found and entity is not None:
            found = of_input(entity.model, key, is_new=is_new)
        if not found and listed is not None and kind.name.endswith("Filter"):
            found = of_filter(listed.model, name)
        if not found and kind.name.endswith("Filter"):
            found = operators.get(name)
        if not found and kind.name.endswith("InBulkInput"):
            found = INPUTS.get(f"InBulk.{name}")
        field.description = field.description or found or INPUTS.get(name)


def _entity_of(name: str) -> tuple[Kind | None, bool]:
    """The kind of records that an input is about, and whether it makes a new one."""
    found = _INPUT.fullmatch(name)
    return (KINDS.get(found[2]), found[1] == "Create") if found else (None, False)


def _object(kind: GraphQLObjectType | GraphQLInterfaceType) -> None:
    docs, shown = _docs(kind), KINDS.get(kind.name)
    for name, field in kind.fields.items():
        key = getattr(field.extensions.get(_BACK), "python_name", name)
        found = docs.get(key) or FIELDS.get(f"{kind.name}.{name}")
        if not found and shown is not None and name in shown.fields:
            found = of_field(shown.model, shown.fields[name])
        found = found or _of_payload(kind.name, field) or _of_page(kind.name, name)
        field.description = field.description or found or FIELDS.get(name)
        _arguments(kind.name, name, field)


def _of_payload(kind: str, field: GraphQLField) -> str | None:
    """The description of the record, or the records, in the payload of a mutation."""
    model = PAYLOADS.get(kind)
    if model is None or get_named_type(field.type).name != model.__name__:
        return None
    names = model.names
    if is_list_type(get_nullable_type(field.type)):
        return f"The {names.nouns} that were changed, as far as you may see them afterwards."
    return f"The {names.noun} as it stands afterwards; null where it was refused, or is out of your sight now."


def _of_page(kind: str, name: str) -> str | None:
    part = next((x for x in ("Connection", "Edge") if kind.endswith(x)), None)
    return FIELDS.get(f"{part}.{name}") if part else None


def _arguments(kind: str, name: str, field: GraphQLField) -> None:
    for argument, it in field.args.items():
        it.description = it.description or ARGUMENTS.get(f"{kind}.{name}.{argument}") or ARGUMENTS.get(argument)
