"""The size of argument values: counted before a value is coerced, whether it stands in the text or in a variable.

A megabyte of JSON holds tens of thousands of conditions, and each becomes several objects of the statement.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from graphql import value_from_ast_untyped
from graphql.language import ast

from .limits import LIMITS, TooComplex

MAX_DEPTH = 80
"""Depth at which the walk over a value stops; the JSON of a request is at most 64 deep."""
_RELATED = frozenset(("some", "none", "is", "isNot"))
_CONNECTIVES = frozenset(("and", "or", "not")) | _RELATED
RELATED_COST = 10
"""Number of conditions that a question about related records counts for."""
_PLAIN = frozenset(("String", "ID", "Int", "Float", "Boolean"))


class Size(NamedTuple):
    """The counts of one value."""

    conditions: int = 0
    """Operators of a filter."""
    filter_levels: int = 0
    """Depth of `and`, `or`, `not` and related records in one another."""
    list_items: int = 0
    """Number of items of its longest list."""
    values: int = 0
    """Number of items of all its lists, and of values of all its objects."""

    def beside(self, other: "Size") -> "Size":
        """The counts of two values in one document."""
        levels, longest = max(self.filter_levels, other.filter_levels), max(self.list_items, other.list_items)
        return Size(self.conditions + other.conditions, levels, longest, self.values + other.values)

    def either(self, other: "Size") -> "Size":
        """The larger counts of two values, of which a request holds one."""
        return Size(*map(max, self, other))


NOTHING = Size()


def size_of(value: Any, depth: int = 0) -> Size:
    """The counts of a value as JSON.  Raises TooComplex for one that is too deep to walk."""
    if not isinstance(value, dict | list | tuple):
        return NOTHING
    if depth > MAX_DEPTH:
        raise TooComplex(filter_levels=depth)
    return _of_object(value, depth) if isinstance(value, dict) else _of_list(value, depth)


def _of_list(items: Any, depth: int) -> Size:
    total = Size(0, 0, len(items), len(items))
    if total.list_items > LIMITS["list_items"]:
        return total  # refused, so the walk ends here
    for item in items:
        if isinstance(item, dict | list | tuple):
            total = total.beside(size_of(item, depth + 1))
    return total


def _of_object(fields: Mapping[str, Any], depth: int) -> Size:
    total, conditions = Size(0, 0, 0, len(fields)), 0
    for name, value in fields.items():
        if isinstance(value, dict | list | tuple):
            below = size_of(value, depth + 1)
            if name in _CONNECTIVES:
                more = RELATED_COST if name in _RELATED else 0
                below = below._replace(filter_levels=below.filter_levels + 1, conditions=below.conditions + more)
            total = total.beside(below)
        if name not in _CONNECTIVES and not isinstance(value, dict):
            conditions += 1
    return total._replace(conditions=total.conditions + conditions)


def size_of_argument(value: ast.ValueNode, sizes: Mapping[str, Size], variables: Mapping[str, Any]) -> Size:
    """The counts of an argument; `sizes` are those of variables, whose values need no second walk."""
    if isinstance(value, ast.VariableNode):
        return sizes.get(value.name.value, NOTHING)
    if isinstance(value, ast.ListValueNode | ast.ObjectValueNode):
        return size_of(value_from_ast_untyped(value, dict(variables)))
    return NOTHING


def sized_variables(operation: ast.OperationDefinitionNode) -> set[str]:
    """The variables that may hold lists or objects: all but those of a built-in scalar."""
    return {x.variable.name.value for x in operation.variable_definitions or () if not _is_plain(x.type)}


def _is_plain(kind: ast.TypeNode) -> bool:
    inner = kind.type if isinstance(kind, ast.NonNullTypeNode) else kind
    return isinstance(inner, ast.NamedTypeNode) and inner.name.value in _PLAIN


def defaults_of(operation: ast.OperationDefinitionNode) -> dict[str, Any]:
    """The default values of its variables."""
    given = operation.variable_definitions or ()
    return {x.variable.name.value: value_from_ast_untyped(x.default_value) for x in given if x.default_value}
