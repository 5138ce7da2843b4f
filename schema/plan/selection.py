"""The selected operation of a document: its fields after fragments, `@skip` and `@include`, and their arguments."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    GraphQLUnionType,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_argument_values,
    get_directive_values,
    get_variable_values,
)
from graphql.execution.values import VariableValues
from graphql.language import DocumentNode, OperationType

from ..wrong_variables import WrongVariables

Fields = dict[str, list[FieldNode]]
"""Response key -> the nodes that select it, in the order of the text."""


@dataclass(frozen=True)
class Operation:
    """One operation of a document with the values of its variables."""

    schema: GraphQLSchema
    definition: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: VariableValues
    requested_name: str | None = None
    """The `operationName` of the request; None where the document holds one operation."""

    def with_values(self, values: Mapping[str, Any]) -> "Operation":
        """The same operation with other values of its variables."""
        return replace(self, variables=VariableValues(self.variables.sources, dict(values)))

    @property
    def root_type(self) -> GraphQLObjectType:
        found = self.schema.get_root_type(self.definition.operation)
        assert found is not None, "validated before"
        return found

    @property
    def is_query(self) -> bool:
        return self.definition.operation is OperationType.QUERY

    def root_fields(self) -> Fields:
        return self.fields(self.root_type.name, [self.definition.selection_set])

    @property
    def has_fixed_root_fields(self) -> bool:
        """Whether the operation selects the same root fields for all values of its variables."""
        return not any(node.directives for node in self._root_nodes([self.definition.selection_set]))

    def _root_nodes(self, sets: Iterable[SelectionSetNode]) -> Iterator[SelectionNode]:
        for node in (x for selections in sets for x in selections.selections):
            yield node
            if isinstance(node, FragmentSpreadNode):
                yield from self._root_nodes([self.fragments[node.name.value].selection_set])
            elif isinstance(node, InlineFragmentNode):
                yield from self._root_nodes([node.selection_set])

    def variables_of(self, nodes: Iterable[FieldNode]) -> dict[str, Any]:
        """The values of the variables in these nodes, their own arguments included."""
        return self._variables(nodes)

    def variables_below(self, nodes: Iterable[FieldNode]) -> dict[str, Any]:
        """The values of the variables in the selections below these nodes, without the nodes' own arguments."""
        return self._variables(node.selection_set for node in nodes)

    def _variables(self, nodes: Iterable[Any]) -> dict[str, Any]:
        names: set[str] = set()
        _add_variables(self.fragments, nodes, names, set())
        return {name: value for name, value in self.variables.coerced.items() if name in names}

    def subfields(self, type_name: str, nodes: Iterable[FieldNode]) -> Fields:
        """The fields that the nodes of one response key select, merged."""
        return self.fields(type_name, [node.selection_set for node in nodes if node.selection_set])

    def fields(self, type_name: str, sets: Iterable[SelectionSetNode]) -> Fields:
        found: Fields = {}
        for selections in sets:
            self._collect(type_name, selections.selections, found)
        return found

    def field_definition(self, type_name: str, node: FieldNode) -> GraphQLField:
        kind = cast("GraphQLObjectType", self.schema.type_map[type_name])
        definition: GraphQLField = kind.fields[node.name.value]
        return definition

    def arguments(self, type_name: str, node: FieldNode) -> dict[str, Any]:
        """The arguments of a field, coerced to their types, defaults filled in."""
        return get_argument_values(self.field_definition(type_name, node), node, self.variables)

    def _collect(self, type_name: str, selections: Iterable[SelectionNode], found: Fields) -> None:
        for selection in selections:
            if not self._is_included(selection):
                continue
            if isinstance(selection, FieldNode):
                key = selection.alias.value if selection.alias else selection.name.value
                found.setdefault(key, []).append(selection)
                continue
            fragment: Any = selection
            if isinstance(selection, FragmentSpreadNode):
                fragment = self.fragments[selection.name.value]
            assert isinstance(fragment, FragmentDefinitionNode | InlineFragmentNode)
            if fragment.type_condition is None or self._applies(fragment.type_condition.name.value, type_name):
                self._collect(type_name, fragment.selection_set.selections, found)

    def _is_included(self, selection: SelectionNode) -> bool:
        skip = get_directive_values(GraphQLSkipDirective, cast("Any", selection), self.variables)
        include = get_directive_values(GraphQLIncludeDirective, cast("Any", selection), self.variables)
        return not (skip and skip["if"]) and not (include and not include["if"])

    def _applies(self, condition: str, type_name: str) -> bool:
        if condition == type_name:
            return True
        wide, narrow = self.schema.type_map[condition], self.schema.type_map[type_name]
        if isinstance(wide, GraphQLUnionType):
            return narrow in wide.types
        return isinstance(narrow, GraphQLObjectType) and wide in narrow.interfaces


def select_operation(
    schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any] | None, name: str | None
) -> Operation:
    """The operation to run.  Raises GraphQLError when the document lacks it or a variable has a wrong value."""
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    named = [d for d in operations if name is None or (d.name is not None and d.name.value == name)]
    if len(named) != 1:
        raise GraphQLError(f"Unknown operation named '{name}'." if name else "Must provide operation name.")
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    values = get_variable_values(
        schema, named[0].variable_definitions or (), dict(variables or {}), max_errors=20, hide_suggestions=True
    )
    if isinstance(values, list):
        raise WrongVariables(values, schema, named[0], variables or {})
    return Operation(schema, named[0], fragments, values, name)


def _add_variables(
    fragments: Mapping[str, FragmentDefinitionNode], nodes: Iterable[Any], names: set[str], seen: set[str]
) -> None:
    """Add the names of all variables in the nodes to `names`; `seen` holds the fragments that were followed."""
    for node in nodes:
        if isinstance(node, VariableNode):
            names.add(node.name.value)
        elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
            seen.add(node.name.value)
            inner = [fragments[node.name.value].selection_set, *(node.directives or ())]
            _add_variables(fragments, inner, names, seen)
        elif isinstance(node, Node):
            parts = (getattr(node, key) for key in node.keys if key not in ("name", "alias"))
            inner = [x for part in parts for x in (part if isinstance(part, list | tuple) else [part])]
            _add_variables(fragments, inner, names, seen)
