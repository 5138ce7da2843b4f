"""The cost of a query: counts over a parsed document, compared with the limits before the document is validated.

The walk visits each node and each fragment once, so it takes time in proportion to the text.  (Strawberry's limiters
follow every spread: 651 bytes of doubling fragments take them seconds.)
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import graphql
from graphql.language import ast

from .argument_size import NOTHING, Size, defaults_of, size_of, size_of_argument, sized_variables
from .limits import LIMITS, TooComplex

PAGE = 50
"""Number of rows that a page without a size counts for."""
_MAX_COUNT = 10**9
"""Counts stop here, so that they stay small numbers."""
_SIZES = {"first", "last", "limit"}
_LISTS = {"edges", "nodes"}
_FILTER = "filter"
_BY_IDS = "nodes", "ids"
"""The field and its argument whose length is the number of rows."""


@dataclass(frozen=True)
class Measure:
    """The counts of a document, each the largest of its operations.  They stop at a billion."""

    definitions: int = 0
    depth: int = 0
    introspection_depth: int = 0
    aliases: int = 0
    """The largest number in one selection set."""
    all_aliases: int = 0
    root_fields: int = 0
    mutations: int = 0
    sign_ins: int = 0
    directives: int = 0
    literal_depth: int = 0
    repeats: int = 0
    cost: int = 0
    conditions: int = 0
    filter_levels: int = 0
    list_items: int = 0
    values: int = 0


def check(document: ast.DocumentNode, variables: Mapping[str, Any] | None) -> None:
    """Raise TooComplex for a document that exceeds a limit, GraphQLError for a string with a NUL.

    The result depends on the values of `page_variables` and on the sizes of `list_variables`, and on nothing else of the
    variables.
    """
    found = measured(document, variables)
    exceeded = {name: amount for name, amount in found.items() if amount > LIMITS[name]}
    if exceeded:
        raise TooComplex(**exceeded)


def measured(document: ast.DocumentNode, variables: Mapping[str, Any] | None) -> dict[str, int]:
    """The counts by the names of their limits."""
    return asdict(measure(document, variables))


def measure(document: ast.DocumentNode, variables: Mapping[str, Any] | None) -> Measure:
    """The counts that `check` compares.  Raises TooComplex where counting would take too long."""
    if len(document.definitions) > LIMITS["definitions"]:
        raise TooComplex(definitions=len(document.definitions))
    return _Walk(document, variables or {}).measure()


def page_variables(document: ast.DocumentNode) -> frozenset[str]:
    """The variables that are page sizes; a cached result of `check` holds for their values only."""
    walk = _Walk(document, {})
    walk.measure()
    return frozenset(walk.page_variables)


def list_variables(document: ast.DocumentNode) -> frozenset[str]:
    """The variables that may hold lists and objects; a cached result of `check` holds for their sizes only."""
    operations = [x for x in document.definitions if isinstance(x, ast.OperationDefinitionNode)]
    return frozenset().union(*map(sized_variables, operations))


@dataclass(slots=True)
class _Sum:
    """The counts of a selection, fragments included.  `own_aliases`, `fields`, `sign_ins`, `paged` are of its own level."""

    depth: int = 0
    introspection_depth: int = 0
    own_aliases: int = 0
    aliases: int = 0
    """The largest number in one selection set below it."""
    all_aliases: int = 0
    directives: int = 0
    cost: int = 0
    fields: int = 0
    sign_ins: int = 0
    paged: bool = False
    size: Size = NOTHING

    def add(self, other: "_Sum") -> None:
        self.depth = max(self.depth, other.depth)
        self.introspection_depth = max(self.introspection_depth, other.introspection_depth)
        self.own_aliases = min(_MAX_COUNT, self.own_aliases + other.own_aliases)
        self.aliases = max(self.aliases, other.aliases)
        self.all_aliases = min(_MAX_COUNT, self.all_aliases + other.all_aliases)
        self.directives = min(_MAX_COUNT, self.directives + other.directives)
        self.cost = min(_MAX_COUNT, self.cost + other.cost)
        self.fields = min(_MAX_COUNT, self.fields + other.fields)
        self.sign_ins = min(_MAX_COUNT, self.sign_ins + other.sign_ins)
        self.paged = self.paged or other.paged
        if other.size is not NOTHING:
            self.size = self.size.beside(other.size)


class _Walk:
    """One walk over every node of a document."""

    def __init__(self, document: ast.DocumentNode, variables: Mapping[str, Any]) -> None:
        self.document = document
        kind = ast.FragmentDefinitionNode
        self.fragments = {d.name.value: d for d in document.definitions if isinstance(d, kind)}
        self.operations = [d for d in document.definitions if isinstance(d, ast.OperationDefinitionNode)]
        self.sizes = _defaults(self.operations) | {k: v for k, v in variables.items() if v is not None}
        self.fragment_sums: dict[str, _Sum] = {}
        self.open: set[str] = set()
        self.level = self.literal_depth = 0
        self.names: Counter[str] = Counter()
        self.page_variables: set[str] = set()
        self._weigh(variables)

    def _weigh(self, variables: Mapping[str, Any]) -> None:
        """Note the sizes of the variables.  Raises TooComplex where one alone exceeds a limit."""
        self.given: dict[str, Any] = {}
        self.argument_sizes: dict[str, Size] = {}
        for operation in self.operations:
            values = defaults_of(operation) | dict(variables)
            for name in sized_variables(operation) & values.keys():
                size = size_of(values[name])
                exceeded = {x: getattr(size, x) for x in ("list_items", "values") if getattr(size, x) > LIMITS[x]}
                if exceeded:
                    raise TooComplex(**exceeded)
                self.given[name] = values[name]
                self.argument_sizes[name] = size.either(self.argument_sizes.get(name, size))

    def measure(self) -> Measure:
        sums = [(operation.operation, self._operation(operation)) for operation in self.operations]
        for name in self.fragments:  # unused ones too, because validation reads them
            self._fragment(name)
        every = [total for _, total in sums] or [_Sum()]
        changes = [total for kind, total in sums if kind is graphql.OperationType.MUTATION] or [_Sum()]
        return Measure(
            definitions=len(self.document.definitions),
            depth=max(total.depth for total in every),
            introspection_depth=max(total.introspection_depth for total in every),
            aliases=max(max(total.aliases, total.own_aliases) for total in every),
            all_aliases=max(total.all_aliases for total in every),
            root_fields=max(total.fields for total in every),
            mutations=max(total.fields for total in changes),
            sign_ins=max(total.sign_ins for total in changes),
            directives=max(total.directives for total in every),
            literal_depth=self.literal_depth,
            repeats=sum(count * (count - 1) // 2 for count in self.names.values()),
            cost=max(total.cost for total in every),
            **{name: max(getattr(total.size, name) for total in every) for name in Size._fields},
        )

    def _operation(self, operation: ast.OperationDefinitionNode) -> _Sum:
        total = self._selections(operation.selection_set)
        total.directives += self._directives(operation.directives)
        for variable in operation.variable_definitions or ():
            total.directives += self._directives(variable.directives)
            if variable.default_value:
                self._literal(variable.default_value, 0)
        return total

    def _selections(self, selection_set: ast.SelectionSetNode) -> _Sum:
        self.level += 1
        if self.level > LIMITS["nesting"]:
            raise TooComplex(nesting=self.level)
        total = _Sum()
        for selection in selection_set.selections:
            total.add(self._selection(selection))
            total.directives += self._directives(selection.directives)
        self.level -= 1
        return total

    def _selection(self, selection: ast.SelectionNode) -> _Sum:
        if isinstance(selection, ast.FieldNode):
            return self._field(selection)
        if isinstance(selection, ast.InlineFragmentNode):
            return self._selections(selection.selection_set)
        assert isinstance(selection, ast.FragmentSpreadNode)
        return self._fragment(selection.name.value)

    def _fragment(self, name: str) -> _Sum:
        """The counts of a fragment, computed at its first spread.  Unknown and circular ones count nothing: validation refuses them."""
        if name in self.fragment_sums:
            return self.fragment_sums[name]
        if name in self.open or name not in self.fragments:
            return _Sum()
        self.open.add(name)
        fragment = self.fragments[name]
        self.fragment_sums[name] = total = self._selections(fragment.selection_set)
        total.directives += self._directives(fragment.directives)
        self.open.discard(name)
        return total

    def _field(self, field: ast.FieldNode) -> _Sum:
        name = field.name.value
        self.names[field.alias.value if field.alias else name] += 1
        total = self._selections(field.selection_set) if field.selection_set else _Sum()
        total.cost = min(_MAX_COUNT, 1 + total.cost * self._rows(field, total))
        if name in ("__schema", "__type"):
            total.introspection_depth, total.depth = max(total.introspection_depth, total.depth + 1), 0
        else:
            total.depth += 1
        total.aliases, total.own_aliases = max(total.aliases, total.own_aliases), int(field.alias is not None)
        total.all_aliases += total.own_aliases
        total.fields, total.sign_ins, total.paged = 1, int(name == "signIn"), name in _LISTS
        for argument in field.arguments or ():
            total.size = total.size.beside(self._argument_size(argument))
        return total

    def _argument_size(self, argument: ast.ArgumentNode) -> Size:
        size = size_of_argument(argument.value, self.argument_sizes, self.given)
        is_filter = argument.name.value == _FILTER
        return size if is_filter else size._replace(conditions=0, filter_levels=0)

    def _rows(self, field: ast.FieldNode, below: _Sum) -> int:
        """The number of rows that the field may return: its page size, or PAGE where it gives none."""
        sizes = []
        for argument in field.arguments or ():
            self._literal(argument.value, 0)
            if argument.name.value in _SIZES:
                sizes.append(self._size(argument.value))
            elif (field.name.value, argument.name.value) == _BY_IDS:
                sizes.append(min(_MAX_COUNT, max(1, self._argument_size(argument).list_items)))
        return max(sizes, default=PAGE if below.paged else 1)

    def _size(self, value: ast.ValueNode) -> int:
        if isinstance(value, ast.VariableNode):
            self.page_variables.add(value.name.value)
            return _rows_of(self.sizes.get(value.name.value))
        return _literal_rows(value)

    def _directives(self, directives: Sequence[ast.DirectiveNode] | None) -> int:
        for directive in directives or ():
            for argument in directive.arguments or ():
                self._literal(argument.value, 0)
        return len(directives or ())

    def _literal(self, value: ast.ValueNode, depth: int) -> None:
        """Record the depth of lists and objects.  The limit of nested brackets bounds the recursion."""
        inner: Iterable[ast.ValueNode] = ()
        if isinstance(value, ast.ListValueNode):
            inner = value.values
        elif isinstance(value, ast.ObjectValueNode):
            inner = [field.value for field in value.fields]
        elif isinstance(value, ast.StringValueNode) and "\0" in value.value:
            raise graphql.GraphQLError("Text may not contain the character NUL.", value)
        else:
            return
        self.literal_depth = max(self.literal_depth, depth + 1)
        if depth < LIMITS["nesting"]:
            for item in inner:
                self._literal(item, depth + 1)


def _defaults(operations: Iterable[ast.OperationDefinitionNode]) -> dict[str, int]:
    """The largest default of each variable, over all operations of the document."""
    found: dict[str, int] = {}
    for operation in operations:
        for definition in operation.variable_definitions or ():
            if definition.default_value:
                name = definition.variable.name.value
                found[name] = max(found.get(name, 1), _literal_rows(definition.default_value))
    return found


def _literal_rows(value: ast.ValueNode) -> int:
    if not isinstance(value, ast.IntValueNode):
        return PAGE
    return _rows_of(
        int(value.value) if len(value.value) < 10 else _MAX_COUNT
    )  # a longer one may take minutes to convert


def _rows_of(size: object) -> int:
    return min(_MAX_COUNT, max(1, size)) if isinstance(size, int) and not isinstance(size, bool) else PAGE
