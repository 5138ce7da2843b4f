"""From selections to SQL: every level carries its policy clause, and the database builds the whole JSON."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from graphql import FieldNode
from sqlalchemy import ColumnElement, String, case, cast, func, literal, literal_column, select, true

from models import AuditEntry, Base
from models.audit import Outcome
from resolvers.find import Look, in_bin

from . import listing
from .dialect import Dialect, Value, key, object_of, plain
from .level import Conditions, Gathering, Level, gathered, one, page, single
from .selection import Asked, Fields
from .shape import AnyId, Column, Computed, Kind, Log, Many, One, Whole, kind_of

MOST_PARTS = 200

Nodes = Sequence[FieldNode]
Where = Callable[[Any], ColumnElement[bool]]
"""A further condition on the rows of a list, given their row source."""


class Compiler:
    """Compiles the parts of one operation for one person."""

    def __init__(self, look: Look, dialect: Dialect, asked: Asked) -> None:
        self.look, self.dialect, self.asked = look, dialect, asked

    # -- roots -------------------------------------------------------------------------------------------

    def record(self, kind: Kind, nodes: Nodes, where: Where) -> Value:
        """One visible row as a JSON object, NULL when there is none."""
        return self._record(Gathering(None), kind, nodes, where)

    def records(self, kind: Kind, nodes: Nodes, ids: Sequence[int]) -> Value:
        """The visible rows among `ids` as a JSON array in order of the id; each carries it under `~id`."""
        conditions: Conditions = lambda e: [e.id.in_(ids), kind.rows(self.look, e)]  # noqa: E731
        level = page(self.dialect, kind, None, conditions, lambda e: [e.id], len(ids))
        gathering = Gathering(level)
        item = self.object(gathering, self.asked.below(kind.name, nodes), keyed=True)
        return self._array(Gathering(None), gathered(self.dialect, gathering, item))

    def list(self, asked_of: str, kind: Kind, nodes: Nodes, where: Where) -> Value:
        """A page of a list with what was asked about it, as one JSON object."""
        return self._list(Gathering(None), asked_of, kind, nodes, where)

    # -- one row -----------------------------------------------------------------------------------------

    def object(self, gathering: Gathering, fields: Fields, *, keyed: bool = False) -> Value:
        """A row of the gathering's level as a JSON object."""
        assert gathering.level is not None, "an object is made of a row"
        pairs = [("~id", gathering.level.c.id)] if keyed else []
        pairs += [(name, self._field(gathering, gathering.level, nodes)) for name, nodes in fields.items()]
        return object_of(self.dialect, pairs)

    def _field(self, gathering: Gathering, level: Level, nodes: Nodes) -> Value:
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
                mine = self.look.value(kind.model, e, shape.key)
                return self._record(gathering, kind_of(shape.target), nodes, lambda c: c.id == mine)
            case shape:
                return self._many(gathering, level, name, shape, nodes)

    def _column(self, model: type[Base], shape: Column, e: Any) -> Value:
        value = self.look.value(model, e, shape.column.key)
        if shape.column.primary_key:
            return self.global_id(model, value)
        if shape.target is not None:
            return self.global_id(shape.target, value)
        return plain(self.dialect, value, shape.column.type)

    def _any_id(self, model: type[Base], shape: AnyId, e: Any) -> Value:
        number, word = self.look.value(model, e, shape.column.key), getattr(e, shape.kind)
        return case(*((word == x, self.global_id(target, number)) for x, target in shape.targets.items()), else_=None)

    def global_id(self, model: type[Base], value: Value) -> Value:
        return literal_column(f"'{model.prefix}_'", String).concat(cast(value, String))

    # -- what lies below a row ---------------------------------------------------------------------------

    def _record(self, gathering: Gathering, kind: Kind, nodes: Nodes, where: Where) -> Value:
        level = single(kind, gathering.level, lambda e: [where(e), kind.rows(self.look, e)])
        inner = Gathering(level)
        item = self.object(inner, self.asked.below(kind.name, nodes))
        return self.dialect.json(gathering.take(one(inner, item)))

    def _many(self, gathering: Gathering, level: Level, name: str, shape: Many | Whole | Log, nodes: Nodes) -> Value:
        """A list below a row; empty where the policy hides it."""
        guard = self.look.policy.guard(self.look.person, level.kind.model, name, level.c)
        shown = guard if guard is not None else true()
        if isinstance(shape, Whole):
            return self._whole(gathering, level, shape, nodes, shown)
        if isinstance(shape, Log):
            return self._history(gathering, level, nodes, shown)
        target, deleted = shape.target, in_bin(level.kind.model, level.c)
        mine: Where = lambda e: (  # noqa: E731
            (getattr(e, shape.key) == level.c.id) & shown & (in_bin(target, e, wanted=False) | deleted)
        )
        return self._list(gathering, level.kind.name, kind_of(target), nodes, mine)

    def _history(self, gathering: Gathering, level: Level, nodes: Nodes, shown: ColumnElement[bool]) -> Value:
        """What was done to a row.  Whoever sees the row may read it; hidden fields stay hidden in there."""
        table = literal(level.kind.model.__tablename__)
        about: Where = lambda e: (e.entity == table) & (e.record_id == level.c.id) & (e.outcome == Outcome.OK) & shown  # noqa: E731
        log = replace(kind_of(AuditEntry), sight=lambda _look, e: about(e))
        return self._list(gathering, level.kind.name, log, nodes, lambda _: true())

    def _whole(
        self, gathering: Gathering, level: Level, shape: Whole, nodes: Nodes, shown: ColumnElement[bool]
    ) -> Value:
        kind = kind_of(shape.target)
        conditions: Conditions = lambda e: [  # noqa: E731
            getattr(e, shape.key) == level.c.id,
            shown,
            kind.rows(self.look, e),
        ]
        order = lambda e: [getattr(e, shape.order), e.id]  # noqa: E731
        inner = Gathering(page(self.dialect, kind, level, conditions, order, MOST_PARTS))
        item = self.object(inner, self.asked.below(kind.name, nodes))
        return self._array(gathering, gathered(self.dialect, inner, item))

    def _array(self, gathering: Gathering, found: Any) -> Value:
        return self.dialect.json(func.coalesce(gathering.take(found), self.dialect.nothing()))

    def listed(self, item: Value, order: Value, rows: Any) -> Value:
        """Every row of a subquery about the row at hand as a JSON array."""
        array = func.coalesce(self.dialect.array(item, order), self.dialect.nothing())
        return self.dialect.json(select(array).select_from(rows).scalar_subquery())

    # -- lists -------------------------------------------------------------------------------------------

    def _list(self, gathering: Gathering, asked_of: str, kind: Kind, nodes: Nodes, where: Where) -> Value:
        arguments = self.asked.arguments(asked_of, nodes[0])
        listed = listing.read(self.look, kind, gathering.level, arguments, where)
        level = page(self.dialect, kind, gathering.level, listed.within, listed.walk, listed.size + 1)
        fields = self.asked.below(f"{kind.name}Connection", nodes)
        about = partial(self._about, gathering, listed, level)
        return object_of(self.dialect, [(alias, about(group)) for alias, group in fields.items()])

    def _about(self, gathering: Gathering, listed: listing.Listing, level: Level, group: Nodes) -> Value:
        name, kind = group[0].name.value, level.kind
        if name == "__typename":
            return key(f"{kind.name}Connection")
        if name == "totalCount":
            return listed.total()
        if name == "countUpTo":
            return listed.total(self.asked.arguments(f"{kind.name}Connection", group[0])["limit"])
        if name == "pageInfo":
            return self._page_info(gathering, listed, level, group)
        inner = Gathering(level)
        item = self._node(inner, group) if name == "nodes" else self._edge(inner, listed, group)
        shown = gathered(self.dialect, inner, item, lambda c: c.n_ <= listed.size, is_reversed=listed.is_backward)
        return self._array(gathering, shown)

    def _node(self, inner: Gathering, group: Nodes) -> Value:
        assert inner.level is not None
        return self.object(inner, self.asked.below(inner.level.kind.name, group))

    def _edge(self, inner: Gathering, listed: listing.Listing, group: Nodes) -> Value:
        assert inner.level is not None, "an edge is made of a row"
        name, level = inner.level.kind.name, inner.level
        made = []
        for alias, asked in self.asked.below(f"{name}Edge", group).items():
            match asked[0].name.value:
                case "__typename":
                    made.append((alias, key(f"{name}Edge")))
                case "cursor":
                    made.append((alias, listed.cursor(self.dialect, level)))
                case _:
                    made.append((alias, self._node(inner, asked)))
        return object_of(self.dialect, made)

    def _page_info(self, gathering: Gathering, listed: listing.Listing, level: Level, group: Nodes) -> Value:
        ends = listed.ends(self.dialect, level)
        asked = self.asked.below("PageInfo", group)
        end = partial(gathering.take, ends)

        def more(*, is_ahead: bool, beyond: Any) -> Value:
            """Whether there are rows on that side: known where the page was walked to, else by where it begins."""
            found: Value = func.coalesce(end("more_"), _NO) == _YES if is_ahead else literal(beyond is not None)
            return self.dialect.boolean(found)

        known: Mapping[str, Callable[[], Value]] = {
            "__typename": lambda: key("PageInfo"),
            "hasNextPage": lambda: more(is_ahead=not listed.is_backward, beyond=listed.before),
            "hasPreviousPage": lambda: more(is_ahead=listed.is_backward, beyond=listed.after),
            "startCursor": lambda: end("first_"),
            "endCursor": lambda: end("last_"),
        }
        return object_of(self.dialect, [(alias, known[nodes[0].name.value]()) for alias, nodes in asked.items()])


_YES: Value = literal_column("1")
_NO: Value = literal_column("0")
