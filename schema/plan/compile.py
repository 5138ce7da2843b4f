"""From selections to SQL: every level carries its policy clause, and the database builds the whole JSON."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from graphql import FieldNode
from sqlalchemy import ColumnElement, String, and_, case, cast, func, literal, literal_column, select, true

from models import AuditEntry, Base
from models.audit.entries import Outcome
from resolvers.reading.clauses import in_bin
from resolvers.reading.search_in_statement import Searches
from resolvers.runtime.viewer import Viewer

from . import correlated, listing
from .depth import ITEMS, Depth
from .dialect import Dialect, Value, key, object_of, plain
from .row_set import Conditions, Gathering, Order, RowSet, aggregated, one, page, single
from .selection import Asked, Fields
from .shape import AnyId, Column, Computed, Kind, Log, Many, One, Whole, kind_of

MOST_PARTS = 200

Nodes = Sequence[FieldNode]
Where = Callable[[Any], ColumnElement[bool]]
"""A further condition on the rows of a list, given their row source."""


class Compiler:
    """Compiles the parts of one operation for one person."""

    def __init__(
        self, viewer: Viewer, dialect: Dialect, asked: Asked, searches: Searches, nested: int = correlated.MOST_NESTED
    ) -> None:
        """`nested`: how many relations below one another are asked in place."""
        self.viewer, self.dialect, self.asked, self.nested = viewer, dialect, asked, nested
        self.searches = searches
        self.height = Depth(asked)

    # -- roots -------------------------------------------------------------------------------------------

    def record(self, kind: Kind, nodes: Nodes, where: Where) -> Value:
        """One visible row as a JSON object, NULL when there is none."""
        return self._record(None, Gathering(None), kind, nodes, where)

    def records(self, kind: Kind, nodes: Nodes, ids: Sequence[int]) -> Value:
        """The visible rows among `ids` as a JSON array in order of the id; each carries it under `~id`."""
        fields = self.asked.below(kind.name, nodes)
        conditions: Conditions = lambda e: [e.id.in_(ids), kind.rows(self.viewer.one_by_one, e)]  # noqa: E731
        order: Order = lambda e: [e.id]  # noqa: E731
        if self.height.of(kind, nodes) <= self.nested:
            return self._every(None, kind, fields, conditions, order, len(ids), keyed=True)
        level = page(self.dialect, kind, None, conditions, order, len(ids))
        gathering = Gathering(level)
        item = self.object(level, gathering, fields, keyed=True)
        return self._array(Gathering(None), aggregated(self.dialect, gathering, item))

    def list(self, asked_of: str, kind: Kind, nodes: Nodes, where: Where) -> Value:
        """A page of a list with what was asked about it, as one JSON object."""
        return self._list(None, Gathering(None), asked_of, kind, nodes, where)

    # -- one row -----------------------------------------------------------------------------------------

    def object(self, level: RowSet, gathering: Gathering | None, fields: Fields, *, keyed: bool = False) -> Value:
        """A row as a JSON object; what lies below it is joined to the gathering, or without one asked in place."""
        pairs = [("~id", level.c.id)] if keyed else []
        pairs += [(name, self._field(level, gathering, nodes)) for name, nodes in fields.items()]
        return self.dialect.row(pairs)

    def _field(self, level: RowSet, gathering: Gathering | None, nodes: Nodes) -> Value:
        name, kind, e = nodes[0].name.value, level.kind, level.c
        if name == "__typename":
            return key(kind.name)
        match kind.fields[name]:
            case Column() as shape:
                return self._column(kind.model, shape, e)
            case AnyId() as shape:
                return self._any_id(kind.model, shape, e)
            case Computed() as shape:
                return shape.sql(self, e, self.asked.arguments(kind.name, nodes[0]), nodes)
            case One() as shape:
                mine = self.viewer.value(kind.model, e, shape.key)
                return self._record(level, gathering, kind_of(shape.target), nodes, lambda c: c.id == mine)
            case shape:
                return self._many(level, gathering, name, shape, nodes)

    def _column(self, model: type[Base], shape: Column, e: Any) -> Value:
        value = self.viewer.value(model, e, shape.column.key)
        if shape.column.primary_key:
            return self.global_id(model, value)
        if shape.target is not None:
            return self.global_id(shape.target, value)
        return plain(self.dialect, value, shape.column.type)

    def _any_id(self, model: type[Base], shape: AnyId, e: Any) -> Value:
        number, word = self.viewer.value(model, e, shape.column.key), getattr(e, shape.kind)
        return case(*((word == x, self.global_id(target, number)) for x, target in shape.targets.items()), else_=None)

    def global_id(self, model: type[Base], value: Value) -> Value:
        return literal_column(f"'{model.prefix}_'", String).concat(cast(value, String))

    # -- what lies below a row ---------------------------------------------------------------------------

    def _record(
        self, parent: RowSet | None, gathering: Gathering | None, kind: Kind, nodes: Nodes, where: Where
    ) -> Value:
        fields = self.asked.below(kind.name, nodes)
        if gathering is None or self.height.of(kind, nodes) <= self.nested:
            level = correlated.rows_of(kind, parent)
            item = self.object(level, None, fields)
            return correlated.single(
                self.dialect, parent, level, item, and_(where(level.c), kind.rows(self.viewer.one_by_one, level.c))
            )
        level = single(kind, parent, lambda e: [where(e), kind.rows(self.viewer.one_by_one, e)])
        inner = Gathering(level)
        return self.dialect.json(gathering.take(one(inner, self.object(level, inner, fields))))

    def _many(
        self, level: RowSet, gathering: Gathering | None, name: str, shape: Many | Whole | Log, nodes: Nodes
    ) -> Value:
        """A list below a row; empty where the policy hides it."""
        guard = self.viewer.guard(level.kind.model, name, level.c)
        shown = guard if guard is not None else true()
        if isinstance(shape, Whole):
            return self._whole(level, gathering, shape, nodes, shown)
        if isinstance(shape, Log):
            return self._history(level, gathering, nodes, shown)
        target, deleted = shape.target, in_bin(level.kind.model, level.c)
        mine: Where = lambda e: (  # noqa: E731
            (getattr(e, shape.key) == level.c.id) & shown & (in_bin(target, e, wanted=False) | deleted)
        )
        return self._list(level, gathering, level.kind.name, kind_of(target), nodes, mine)

    def _history(self, level: RowSet, gathering: Gathering | None, nodes: Nodes, shown: ColumnElement[bool]) -> Value:
        """What was done to a row.  Whoever sees the row may read it; hidden fields stay hidden in there."""
        table = literal(level.kind.model.__tablename__)
        about: Where = lambda e: (e.entity == table) & (e.record_id == level.c.id) & (e.outcome == Outcome.OK) & shown  # noqa: E731
        log = replace(kind_of(AuditEntry), sight=lambda _look, e: about(e))
        return self._list(level, gathering, level.kind.name, log, nodes, lambda _: true())

    def _whole(
        self, level: RowSet, gathering: Gathering | None, shape: Whole, nodes: Nodes, shown: ColumnElement[bool]
    ) -> Value:
        kind = kind_of(shape.target)
        conditions: Conditions = lambda e: [  # noqa: E731
            getattr(e, shape.key) == level.c.id,
            shown,
            kind.rows(self.viewer, e),
        ]
        order: Order = lambda e: [getattr(e, shape.order), e.id]  # noqa: E731
        fields = self.asked.below(kind.name, nodes)
        if gathering is None or self.height.of(kind, nodes) <= self.nested:
            return self._every(level, kind, fields, conditions, order, MOST_PARTS)
        parts = page(self.dialect, kind, level, conditions, order, MOST_PARTS)
        inner = Gathering(parts)
        return self._array(gathering, aggregated(self.dialect, inner, self.object(parts, inner, fields)))

    def _every(
        self,
        parent: RowSet | None,
        kind: Kind,
        fields: Fields,
        conditions: Conditions,
        order: Order,
        most: int,
        *,
        keyed: bool = False,
    ) -> Value:
        level = correlated.rows_of(kind, parent)
        item = self.object(level, None, fields, keyed=keyed)
        return correlated.every(self.dialect, parent, level, item, and_(*conditions(level.c)), order(level.c), most)

    def _array(self, gathering: Gathering, found: Any) -> Value:
        return self.dialect.json(func.coalesce(gathering.take(found), self.dialect.nothing()))

    def listed(self, item: Value, order: Value, rows: Any) -> Value:
        """Every row of a subquery about the row at hand as a JSON array."""
        array = self.dialect.filled(self.dialect.array(item, order))
        return self.dialect.json(select(array).select_from(rows).scalar_subquery())

    # -- lists -------------------------------------------------------------------------------------------

    def _list(
        self,
        parent: RowSet | None,
        gathering: Gathering | None,
        asked_of: str,
        kind: Kind,
        nodes: Nodes,
        where: Where,
    ) -> Value:
        arguments = self.asked.arguments(asked_of, nodes[0])
        listed = listing.read(self.viewer, self.searches, kind, parent, arguments, where)
        fields = self.asked.below(f"{kind.name}Connection", nodes)
        if gathering is None or self.height.of_list(kind, nodes) <= self.nested:
            return self._page_in_place(parent, listed, fields)
        return self._page_gathered(parent, gathering, listed, fields)

    def _page_in_place(self, parent: RowSet | None, listed: listing.Listing, fields: Fields) -> Value:
        level = correlated.rows_of(listed.kind, parent)
        items = {
            alias: self._item(level, None, listed, group)
            for alias, group in fields.items()
            if group[0].name.value in ITEMS
        }
        told = {node.name.value for group in fields.values() for node in self._asked_of_page(group)}
        page = correlated.Page(self.dialect, parent, level, listed, items, told & listed.costly)
        pairs = [
            (alias, page.array(alias) if alias in items else self._about(listed, group, page))
            for alias, group in fields.items()
        ]
        return page.shown(object_of(self.dialect, pairs))

    def _page_gathered(
        self, parent: RowSet | None, gathering: Gathering, listed: listing.Listing, fields: Fields
    ) -> Value:
        level = page(self.dialect, listed.kind, parent, listed.within, listed.walk, listed.size + 1)
        told = listing.Ends(self.dialect, listed, level, gathering)
        arrays: dict[str, Value] = {}
        for alias, group in fields.items():
            if group[0].name.value in ITEMS:
                inner = Gathering(level)
                item = self._item(level, inner, listed, group)
                shown: Where = lambda c: c.n_ <= listed.size  # noqa: E731
                array = aggregated(self.dialect, inner, item, shown, is_reversed=listed.is_backward)
                arrays[alias] = self._array(gathering, array)
        pairs = [
            (alias, arrays[alias] if alias in arrays else self._about(listed, group, told))
            for alias, group in fields.items()
        ]
        return object_of(self.dialect, pairs)

    def _item(self, level: RowSet, gathering: Gathering | None, listed: listing.Listing, group: Nodes) -> Value:
        if group[0].name.value == "nodes":
            return self.object(level, gathering, self.asked.below(level.kind.name, group))
        return self._edge(level, gathering, listed, group)

    def _asked_of_page(self, group: Nodes) -> Nodes:
        if group[0].name.value != "pageInfo":
            return []
        return [nodes[0] for nodes in self.asked.below("PageInfo", group).values()]

    def _about(self, listed: listing.Listing, group: Nodes, told: "correlated.Page | listing.Ends") -> Value:
        name, kind = group[0].name.value, listed.kind
        if name == "__typename":
            return key(f"{kind.name}Connection")
        if name == "totalCount":
            return listed.total(self.dialect)
        if name == "countUpTo":
            return listed.total(self.dialect, self.asked.arguments(f"{kind.name}Connection", group[0])["limit"])
        return self._page_info(listed, group, told)

    def _edge(self, level: RowSet, gathering: Gathering | None, listed: listing.Listing, group: Nodes) -> Value:
        name = level.kind.name
        made = []
        for alias, asked in self.asked.below(f"{name}Edge", group).items():
            match asked[0].name.value:
                case "__typename":
                    made.append((alias, key(f"{name}Edge")))
                case "cursor":
                    made.append((alias, listed.cursor(self.dialect, level)))
                case _:
                    made.append((alias, self.object(level, gathering, self.asked.below(name, asked))))
        return self.dialect.row(made)

    def _page_info(self, listed: listing.Listing, group: Nodes, told: "correlated.Page | listing.Ends") -> Value:
        def more(*, is_ahead: bool, beyond: Any) -> Value:
            """Whether there are rows on that side: known where the page was walked to, else by where it begins."""
            return self.dialect.boolean(told.more() if is_ahead else literal(beyond is not None))

        known: Mapping[str, Callable[[], Value]] = {
            "__typename": lambda: key("PageInfo"),
            "hasNextPage": lambda: more(is_ahead=not listed.is_backward, beyond=listed.before),
            "hasPreviousPage": lambda: more(is_ahead=listed.is_backward, beyond=listed.after),
            "startCursor": lambda: told.end(is_far=listed.is_backward),
            "endCursor": lambda: told.end(is_far=not listed.is_backward),
        }
        asked = self.asked.below("PageInfo", group)
        return object_of(self.dialect, [(alias, known[nodes[0].name.value]()) for alias, nodes in asked.items()])
