"""From fields to SQL: every row set carries its policy clause, and the database builds the whole JSON.

The JSON below a row is either joined (`joins` is a Joins, see `row_set.py`) or a correlated subquery (`joins` is None).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from graphql import FieldNode, GraphQLError
from sqlalchemy import ColumnElement, String, and_, case, cast, func, literal, literal_column, select, true

from models import AuditEntry, Base
from models.audit.entries import Outcome
from models.errors import Refusal
from resolvers.reading.clauses import in_bin
from resolvers.reading.search_in_statement import Searches
from resolvers.runtime.merged_records import became
from resolvers.runtime.viewer import Viewer

from ..closed_lists import closed_of
from . import correlated, listing
from .depth import ITEMS, Depth
from .dialect import Dialect, Value, api_value, name_literal, object_of
from .faults import Faults
from .row_set import Conditions, Joins, Order, RowSet, aggregated, one, page, single
from .selection import Fields, Operation
from .shape import Column, Computed, History, Kind, Many, One, Parts, PolymorphicId, kind_of

MAX_PARTS = 200

Nodes = Sequence[FieldNode]
Where = Callable[[Any], ColumnElement[bool]]
"""A condition on the rows of a list, given their columns."""


class Compiler:
    """Compiles the fields of one operation for one viewer."""

    def __init__(
        self,
        viewer: Viewer,
        dialect: Dialect,
        operation: Operation,
        searches: Searches,
        max_nested: int = correlated.MAX_NESTED,
        faults: Faults | None = None,
    ) -> None:
        """`max_nested`: maximum depth of correlated subqueries.  `faults` takes refusals below the root, else they are raised."""
        self.viewer, self.dialect, self.operation, self.max_nested = viewer, dialect, operation, max_nested
        self.searches, self.faults = searches, faults
        self.depth, self.is_executed = Depth(operation), False
        """Whether the executor takes the values, which then say of which member of a union they are, under `~type`."""

    # -- roots -------------------------------------------------------------------------------------------

    def record(self, kind: Kind, nodes: Nodes, where: Where) -> Value:
        """One visible row as a JSON object, NULL when there is none."""
        return self._record(None, Joins(None), kind, nodes, where)

    def records(self, kind: Kind, nodes: Nodes, ids: Sequence[int]) -> Value:
        """The visible rows among `ids` as a JSON array in order of the id; each carries it under `~id`."""
        self.is_executed = True
        fields = self.operation.subfields(kind.name, nodes)
        conditions: Conditions = lambda e: [e.id.in_(ids), kind.rows(self.viewer.one_by_one, e)]  # noqa: E731
        order: Order = lambda e: [e.id]  # noqa: E731
        if self.depth.of(kind, nodes) <= self.max_nested:
            return self._every(None, kind, fields, conditions, order, len(ids), keyed=True)
        rows = page(self.dialect, kind, None, conditions, order, len(ids))
        joins = Joins(rows)
        item = self.object(rows, joins, fields, keyed=True)
        return self._array(Joins(None), aggregated(self.dialect, joins, item))

    def list(self, parent_type: str, kind: Kind, nodes: Nodes, where: Where) -> Value:
        """A connection as a JSON object; `parent_type` is the type whose field it is."""
        return self._list(None, Joins(None), parent_type, kind, nodes, where)

    # -- one row -----------------------------------------------------------------------------------------

    def object(self, rows: RowSet, joins: Joins | None, fields: Fields, *, keyed: bool = False) -> Value:
        """A row as a JSON object; `keyed` adds its id under `~id`."""
        pairs = [("~id", rows.c.id)] if keyed else []
        pairs += [(name, self._field(rows, joins, nodes)) for name, nodes in fields.items()]
        return self.dialect.row(pairs)

    def _field(self, rows: RowSet, joins: Joins | None, nodes: Nodes) -> Value:
        name = nodes[0].name.value
        if name == "__typename":
            return name_literal(rows.kind.name)
        try:
            return self._value(rows, joins, name, nodes)
        except (Refusal, GraphQLError) as fault:
            if self.faults is None:
                raise
            return self.faults.note(fault)

    def _value(self, rows: RowSet, joins: Joins | None, name: str, nodes: Nodes) -> Value:
        kind, e = rows.kind, rows.c
        match kind.fields[name]:
            case Column() as shape:
                return self._column(kind.model, shape, e)
            case PolymorphicId() as shape:
                return self._polymorphic_id(kind.model, shape, e)
            case Computed() as shape:
                return shape.sql(self, e, self.operation.arguments(kind.name, nodes[0]), nodes)
            case One() as shape:
                mine = self.viewer.value(kind.model, e, shape.key)
                return self._record(rows, joins, kind_of(shape.target), nodes, lambda c: c.id == mine)
            case shape:
                return self._many(rows, joins, name, shape, nodes)

    def _column(self, model: type[Base], shape: Column, e: Any) -> Value:
        value = self.viewer.value(model, e, shape.column.key)
        if shape.column.primary_key:
            return self.global_id(model, value)
        if shape.target is not None:
            return self.global_id(shape.target, value)
        if (closed := closed_of(shape.column)) is not None:
            return case(closed.names(), value=value, else_=None)
        return api_value(self.dialect, value, shape.column.type)

    def _polymorphic_id(self, model: type[Base], shape: PolymorphicId, e: Any) -> Value:
        number, table = self.viewer.value(model, e, shape.column.key), getattr(e, shape.kind)
        return case(*((table == x, self.global_id(target, number)) for x, target in shape.targets.items()), else_=None)

    def global_id(self, model: type[Base], value: Value) -> Value:
        return literal_column(f"'{model.prefix}_'", String).concat(cast(value, String))

    # -- the relations of a row --------------------------------------------------------------------------

    def _record(self, parent: RowSet | None, joins: Joins | None, kind: Kind, nodes: Nodes, where: Where) -> Value:
        fields = self.operation.subfields(kind.name, nodes)
        if joins is None or self.depth.of(kind, nodes) <= self.max_nested:
            rows = correlated.rows_of(kind, parent)
            item = self.object(rows, None, fields)
            wanted = and_(where(rows.c), kind.rows(self.viewer.one_by_one, rows.c))
            return correlated.single(self.dialect, parent, rows, item, wanted)
        rows = single(kind, parent, lambda e: [where(e), kind.rows(self.viewer.one_by_one, e)])
        inner = Joins(rows)
        return self.dialect.json(joins.column(one(inner, self.object(rows, inner, fields))))

    def _many(self, rows: RowSet, joins: Joins | None, name: str, shape: Many | Parts | History, nodes: Nodes) -> Value:
        """A list below a row; empty where the policy hides the field."""
        shown = true() if (guard := self.viewer.guard(rows.kind.model, name, rows.c)) is None else guard
        if isinstance(shape, Parts):
            return self._parts(rows, joins, shape, nodes, shown)
        if isinstance(shape, History):
            return self._history(rows, joins, nodes, shown)
        target, deleted = shape.target, in_bin(rows.kind.model, rows.c)
        mine: Where = lambda e: (  # noqa: E731
            (getattr(e, shape.key) == rows.c.id) & shown & (in_bin(target, e, wanted=False) | deleted)
        )
        return self._list(rows, joins, rows.kind.name, kind_of(target), nodes, mine)

    def _history(self, rows: RowSet, joins: Joins | None, nodes: Nodes, shown: ColumnElement[bool]) -> Value:
        """The log entries of a row, and of those that became part of it, for all who may see the row; hidden fields are
        redacted in the entries."""
        model = rows.kind.model
        table = literal(model.__tablename__)
        mine: Where = lambda e: (e.entity == table) & self._is_about(rows, e) & (e.outcome == Outcome.OK) & shown  # noqa: E731
        log = replace(kind_of(AuditEntry), visible=lambda _viewer, e: mine(e))
        return self._list(rows, joins, rows.kind.name, log, nodes, lambda _: true())

    def _is_about(self, rows: RowSet, e: Any) -> ColumnElement[bool]:
        merged = became(rows.kind.model, rows.c.id)
        of_row: ColumnElement[bool] = e.record_id == rows.c.id
        return of_row if merged is None else self.dialect.among(e.record_id, rows.c.id, merged)

    def _parts(
        self, rows: RowSet, joins: Joins | None, shape: Parts, nodes: Nodes, shown: ColumnElement[bool]
    ) -> Value:
        kind = kind_of(shape.target)
        conditions: Conditions = lambda e: [  # noqa: E731
            getattr(e, shape.key) == rows.c.id,
            shown,
            kind.rows(self.viewer, e),
        ]
        order: Order = lambda e: [getattr(e, shape.order), e.id]  # noqa: E731
        fields = self.operation.subfields(kind.name, nodes)
        if joins is None or self.depth.of(kind, nodes) <= self.max_nested:
            return self._every(rows, kind, fields, conditions, order, MAX_PARTS)
        parts = page(self.dialect, kind, rows, conditions, order, MAX_PARTS)
        inner = Joins(parts)
        return self._array(joins, aggregated(self.dialect, inner, self.object(parts, inner, fields)))

    def _every(
        self,
        parent: RowSet | None,
        kind: Kind,
        fields: Fields,
        conditions: Conditions,
        order: Order,
        limit: int,
        *,
        keyed: bool = False,
    ) -> Value:
        rows = correlated.rows_of(kind, parent)
        item = self.object(rows, None, fields, keyed=keyed)
        return correlated.every(self.dialect, parent, rows, item, and_(*conditions(rows.c)), order(rows.c), limit)

    def _array(self, joins: Joins, aggregated: Any) -> Value:
        return self.dialect.json(func.coalesce(joins.column(aggregated), self.dialect.empty_array()))

    def array_of(self, item: Value, order: Value, rows: Any) -> Value:
        """The items of a subquery's rows as a JSON array."""
        array = self.dialect.or_empty(self.dialect.array(item, order))
        return self.dialect.json(select(array).select_from(rows).scalar_subquery())

    # -- lists -------------------------------------------------------------------------------------------

    def _list(
        self, parent: RowSet | None, joins: Joins | None, parent_type: str, kind: Kind, nodes: Nodes, where: Where
    ) -> Value:
        arguments = self.operation.arguments(parent_type, nodes[0])
        found = listing.read(self.viewer, self.searches, kind, parent, arguments, where)
        fields = self.operation.subfields(f"{kind.name}Connection", nodes)
        if joins is None or self.depth.of_list(kind, nodes) <= self.max_nested:
            return self._correlated_page(parent, found, fields)
        return self._joined_page(parent, joins, found, fields)

    def _correlated_page(self, parent: RowSet | None, found: listing.Listing, fields: Fields) -> Value:
        rows = correlated.rows_of(found.kind, parent)
        items = {
            alias: self._item(rows, None, found, group)
            for alias, group in fields.items()
            if group[0].name.value in ITEMS
        }
        selected = {node.name.value for group in fields.values() for node in self._page_info_fields(group)}
        page = correlated.Page(self.dialect, parent, rows, found, items, selected & found.needs_numbers)
        pairs = [
            (alias, page.array(alias) if alias in items else self._page_field(found, group, page))
            for alias, group in fields.items()
        ]
        return page.json(self.dialect.page(pairs, items.keys()))

    def _joined_page(self, parent: RowSet | None, joins: Joins, found: listing.Listing, fields: Fields) -> Value:
        rows = page(self.dialect, found.kind, parent, found.page_conditions, found.order, found.size + 1)
        info = listing.PageInfo(self.dialect, found, rows, joins)
        arrays: dict[str, Value] = {}
        for alias, group in fields.items():
            if group[0].name.value in ITEMS:
                inner = Joins(rows)
                item = self._item(rows, inner, found, group)
                within: Where = lambda c: c.n_ <= found.size  # noqa: E731
                array = aggregated(self.dialect, inner, item, within, is_reversed=found.is_backward)
                arrays[alias] = self._array(joins, array)
        pairs = [
            (alias, arrays[alias] if alias in arrays else self._page_field(found, group, info))
            for alias, group in fields.items()
        ]
        return object_of(self.dialect, pairs)

    def _item(self, rows: RowSet, joins: Joins | None, found: listing.Listing, group: Nodes) -> Value:
        if group[0].name.value == "nodes":
            return self.object(rows, joins, self.operation.subfields(rows.kind.name, group))
        return self._edge(rows, joins, found, group)

    def _page_info_fields(self, group: Nodes) -> Nodes:
        if group[0].name.value != "pageInfo":
            return []
        return [nodes[0] for nodes in self.operation.subfields("PageInfo", group).values()]

    def _page_field(self, found: listing.Listing, group: Nodes, page: correlated.Page | listing.PageInfo) -> Value:
        """A field of a connection that holds no rows."""
        name, kind = group[0].name.value, found.kind
        if name == "__typename":
            return name_literal(f"{kind.name}Connection")
        if name == "totalCount":
            return found.total(self.dialect)
        if name == "countUpTo":
            return found.total(self.dialect, self.operation.arguments(f"{kind.name}Connection", group[0])["limit"])
        return self._page_info(found, group, page)

    def _edge(self, rows: RowSet, joins: Joins | None, found: listing.Listing, group: Nodes) -> Value:
        name = rows.kind.name
        pairs = []
        for alias, nodes in self.operation.subfields(f"{name}Edge", group).items():
            match nodes[0].name.value:
                case "__typename":
                    pairs.append((alias, name_literal(f"{name}Edge")))
                case "cursor":
                    pairs.append((alias, found.cursor(self.dialect, rows)))
                case _:
                    pairs.append((alias, self.object(rows, joins, self.operation.subfields(name, nodes))))
        return self.dialect.row(pairs)

    def _page_info(self, found: listing.Listing, group: Nodes, page: correlated.Page | listing.PageInfo) -> Value:
        def has_more(*, is_ahead: bool, cursor: Any) -> Value:
            """Whether rows follow on that side: in the direction of reading by count, else by the cursor given."""
            return self.dialect.boolean(page.has_more() if is_ahead else literal(cursor is not None))

        values: Mapping[str, Callable[[], Value]] = {
            "__typename": lambda: name_literal("PageInfo"),
            "hasNextPage": lambda: has_more(is_ahead=not found.is_backward, cursor=found.before),
            "hasPreviousPage": lambda: has_more(is_ahead=found.is_backward, cursor=found.after),
            "startCursor": lambda: page.cursor(is_last=found.is_backward),
            "endCursor": lambda: page.cursor(is_last=not found.is_backward),
        }
        fields = self.operation.subfields("PageInfo", group)
        return object_of(self.dialect, [(alias, values[nodes[0].name.value]()) for alias, nodes in fields.items()])
