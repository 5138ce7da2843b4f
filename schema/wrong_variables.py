"""Variables of a mutation with values that their types do not have: what is wrong with each, as for any other input.

The request is refused as a whole, as GraphQL has it; each error says in `extensions.problem` what a problem of a payload
would say.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    Undefined,
    is_required_input_field,
    type_from_ast,
)
from graphql.language import ast

from models.choice_names import choice_said
from models.errors import Refusal
from resolvers.runtime.ids import snake
from resolvers.runtime.inputs import badly_formed, not_offered, required

from .problems import params_of

_TYPES: dict[str, tuple[str, str, str]] = {
    "Date": ("must be a date", "必须是日期", "2026-11-24"),
    "DateTime": ("must be a time", "必须是时间", "2026-11-24T08:30:00Z"),
    "Decimal": ("must be an amount", "必须是金额", "1234.50"),
    "Number": ("must be a number", "必须是数字", "4.25"),
    "Int": ("must be a whole number", "必须是整数", "30"),
    "Float": ("must be a number", "必须是数字", "4.25"),
    "Boolean": ("must be yes or no", "必须是“是”或“否”", "true"),
    "String": ("must be text", "必须是文本", ""),
    "ID": ("must be an id", "必须是 ID", ""),
}
"""Scalar -> what its values must be, in both languages, and an example."""

FRAGMENT = "..."
"""What stands for a fragment among the names of root fields."""


class Wrong(NamedTuple):
    """One wrong value: where it stands below the variable, and its refusal."""

    path: tuple[str, ...]
    refusal: Refusal


class WrongVariables(GraphQLError):
    """Variables with wrong values: all errors that graphql-core has found, and the request."""

    def __init__(
        self,
        errors: Sequence[GraphQLError],
        schema: GraphQLSchema,
        definition: OperationDefinitionNode,
        given: Mapping[str, Any],
    ) -> None:
        super().__init__(errors[0].message)
        self.errors, self.schema, self.definition, self.given = errors, schema, definition, given

    def asked(self) -> set[str]:
        """The names of the root fields as they are written; a fragment counts as a field of its own."""
        selections = self.definition.selection_set.selections
        return {node.name.value if isinstance(node, ast.FieldNode) else FRAGMENT for node in selections}

    def told(self, language: str) -> list[dict[str, Any]]:
        """The entries of `errors`: by problem for the variables of a mutation, else as graphql-core has them."""
        if self.definition.operation is OperationType.MUTATION:
            found = [*self._problems(language)]
            if found:
                return found
        return [{**error.formatted, "extensions": {"code": "BAD_REQUEST"}} for error in self.errors]

    def _problems(self, language: str) -> Iterator[dict[str, Any]]:
        details = {error.message for error in self.errors}
        for definition in self.definition.variable_definitions or ():
            name = definition.variable.name.value
            kind: Any = type_from_ast(self.schema, definition.type)
            value = self.given.get(name, Undefined)
            if value is Undefined and definition.default_value is not None:
                continue
            for wrong in wrong_values(kind, value, (), name):
                path = [*_place(self.definition, name), *wrong.path]
                problem = {"code": wrong.refusal.code(), "path": path, "params": params_of(wrong.refusal, language)}
                yield {
                    "message": wrong.refusal.say(language),
                    "locations": [{"line": x.line, "column": x.column} for x in _at(definition)],
                    "extensions": {"code": "BAD_REQUEST", "problem": problem, "details": sorted(details)[:3]},
                }


def wrong_values(kind: Any, value: Any, path: tuple[str, ...], name: str) -> Iterator[Wrong]:
    """What is wrong with a value and with those in it; `name` is what the nearest input is called."""
    key = snake(name)
    if isinstance(kind, GraphQLNonNull):
        if value is None or value is Undefined:
            yield Wrong(path, required(key))
            return
        kind = kind.of_type
    if value is None or value is Undefined:
        return
    if isinstance(kind, GraphQLList):
        for place, item in enumerate(value if isinstance(value, list) else ()):
            yield from wrong_values(kind.of_type, item, (*path, str(place)), name)
    elif isinstance(kind, GraphQLInputObjectType):
        yield from _wrong_in(kind, value, path, name)
    elif isinstance(kind, GraphQLEnumType):
        if not isinstance(value, str) or value not in kind.values:
            yield Wrong(path, not_offered(key, [choice_said(x.value) for x in kind.values.values()]))
    else:
        yield from _wrong_scalar(kind, value, path, key)


def _wrong_in(kind: GraphQLInputObjectType, value: Any, path: tuple[str, ...], name: str) -> Iterator[Wrong]:
    if not isinstance(value, dict):
        yield Wrong(path, badly_formed(snake(name), "must be an object", "必须是对象"))
        return
    for inner, field in kind.fields.items():
        if inner in value or is_required_input_field(field):
            yield from wrong_values(field.type, value.get(inner, Undefined), (*path, inner), inner)


def _wrong_scalar(kind: Any, value: Any, path: tuple[str, ...], key: str) -> Iterator[Wrong]:
    try:
        kind.coerce_input_value(value)
    except Exception:  # noqa: BLE001  whatever a scalar raises, it refuses the value
        english, chinese, example = _TYPES.get(kind.name, ("has a wrong form", "格式不正确", ""))
        yield Wrong(path, badly_formed(key, english, chinese, example or None))


def _place(definition: OperationDefinitionNode, name: str) -> list[str]:
    """Where in `input` a variable stands: nowhere below it where it is the whole input."""
    for field in definition.selection_set.selections:
        for argument in getattr(field, "arguments", None) or ():
            found = _inside(argument.value, name)
            if found is not None:
                return found if argument.name.value == "input" else [argument.name.value, *found]
    return [name]


def _inside(node: ast.ValueNode, name: str) -> list[str] | None:
    if isinstance(node, ast.VariableNode):
        return [] if node.name.value == name else None
    inner: list[tuple[str, ast.ValueNode]] = []
    if isinstance(node, ast.ObjectValueNode):
        inner = [(field.name.value, field.value) for field in node.fields]
    elif isinstance(node, ast.ListValueNode):
        inner = [(str(place), value) for place, value in enumerate(node.values)]
    for step, value in inner:
        found = _inside(value, name)
        if found is not None:
            return [step, *found]
    return None


def _at(definition: ast.VariableDefinitionNode) -> Iterator[Any]:
    if definition.loc is not None:
        yield definition.loc.source.get_location(definition.loc.start)
