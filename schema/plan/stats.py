"""Statistics of a list as one statement: groups with counts and sums per currency, under the policy of the list.

Rows are grouped by the values that the viewer may see; then values that stand for others are replaced (`grouping.py`),
the groups are ranked, and the database builds the JSON of the first ones, of all others together and of the whole.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from graphql import FieldNode
from sqlalchemy import (
    BigInteger,
    Integer,
    Numeric,
    String,
    and_,
    cast,
    func,
    literal_column,
    null,
    select,
    true,
    union_all,
)

from models import Base, Customer, Opportunity
from models.errors import Validation
from policies.rows import Rows, WithParent
from resolvers.reading.clauses import in_bin, join_parents
from resolvers.reading.grouping import MAX_LEVEL, Group, amounts_of
from resolvers.reading.order import Key

from . import listing
from .compile import Compiler
from .dialect import Value, name_literal
from .exact_sums import SUMS
from .shape import kind_of

MAX_GROUPS, GROUPS = 200, 50
"""Maximum and usual number of groups that are shown one by one."""
MOST_KEYS = 2
"""Maximum number of things to group by at once."""
Nodes = Sequence[FieldNode]
_NOTHING = literal_column("0", BigInteger)


@dataclass(frozen=True)
class Asked:
    """The arguments of statistics, checked."""

    groups: Sequence[Group]
    first: int
    level: int
    by_count: bool


def asked_of(known: Mapping[str, Group], arguments: Mapping[str, Any]) -> Asked:
    """The arguments.  Raises Validation for too many groups, a page or a level out of range, or the same twice."""
    names = [str(getattr(x, "value", x)) for x in arguments["groupBy"]]
    if not 1 <= len(set(names)) == len(names) <= MOST_KEYS:
        raise Validation(
            f"Group by one to {MOST_KEYS} different things.",
            f"请选择一至 {MOST_KEYS} 个不同的分组项。",
            field="groupBy",
        )
    first, level = arguments.get("first"), arguments.get("branchLevel")
    first, level = GROUPS if first is None else first, 1 if level is None else level
    if not 0 <= first <= MAX_GROUPS:
        raise Validation(f"first is 0 to {MAX_GROUPS}.", f"first 须为 0 至 {MAX_GROUPS}。", field="first")
    if not 1 <= level <= MAX_LEVEL:
        raise Validation(
            f"branchLevel is 1 to {MAX_LEVEL}.", f"branchLevel 须为 1 至 {MAX_LEVEL}。", field="branchLevel"
        )
    order = arguments.get("orderBy")
    return Asked([known[x] for x in names], first, level, str(getattr(order, "value", order)) != "KEY")


class Stats:
    """The statistics of one list."""

    def __init__(self, model: type[Base], asked: Asked, compiler: Compiler, arguments: Mapping[str, Any]) -> None:
        self.model, self.asked, self.compiler = model, asked, compiler
        self.viewer, self.dialect = compiler.viewer, compiler.dialect
        self.sums = SUMS["sqlite" if self.dialect.selects_ids_first else "postgresql"]
        own = {name: arguments[name] for name in ("filter", "search") if name in arguments}
        self.listing = listing.read(
            self.viewer, compiler.searches, kind_of(model), None, own, lambda e: in_bin(model, e, wanted=False)
        )
        self.has_sums = False

    # -- the statement -----------------------------------------------------------------------------------

    def json(self, nodes: Nodes) -> Value:
        """The answer as JSON."""
        self.has_sums = self._asks_for_sums(nodes)
        made: dict[str, Callable[[Nodes], Value]] = {
            "rows": self._rows,
            "other": lambda x: self._together(x, self._ranked.c.rank_ > self.asked.first, may_be_empty=True),
            "total": lambda below: self._together(below, true(), may_be_empty=False),
        }
        return self._object("Stats", nodes, {}, made)

    def _asks_for_sums(self, nodes: Nodes) -> bool:
        fields_of = self.compiler.operation.subfields
        below = (fields_of("StatsRow", group) for group in fields_of("Stats", nodes).values())
        return any(group[0].name.value == "sums" for fields in below for group in fields.values())

    @cached_property
    def _groups(self) -> Any:
        """The sums of each group by currency; `g_` numbers the groups."""
        found, keys = self._grouped, self._keys
        columns = [found.c[name] for name in ("n", *self._parts)]
        by = [*(self._mapped(found.c[key], n) for n, key in enumerate(keys)), found.c.currency]
        source = found
        for table, on in self._maps:
            source = source.outerjoin(table, on)
        inner = select(*(x.label(name) for x, name in zip(by, (*keys, "currency"), strict=True)), *columns)
        flat = inner.select_from(source).subquery()
        by = [flat.c[key] for key in (*keys, "currency")]
        again = [func.sum(flat.c[x]).label(x) for x in ("n", *self._parts)]
        whole = select(*by, *again).group_by(*by).subquery()
        number = func.dense_rank().over(order_by=[whole.c[key] for key in keys]).label("g_")
        return select(whole, number).cte()

    @cached_property
    def _ranked(self) -> Any:
        """The groups with their count and their rank."""
        groups, keys = self._groups, self._keys
        by = [groups.c.g_, *(groups.c[key] for key in keys)]
        counted = select(*by, cast(func.sum(groups.c.n), BigInteger).label("n")).group_by(*by).subquery()
        orders = [x.order(self.viewer, counted.c[key]).label(f"o_{key}") for x, key in self._keyed]
        ordered = select(counted, *orders).subquery()
        rank = [Key(key, False, True).order(ordered.c[name]) for _, key in self._keyed for name in (f"o_{key}", key)]
        rank = [ordered.c.n.desc(), *rank] if self.asked.by_count else rank
        return select(ordered, func.row_number().over(order_by=rank).label("rank_")).cte()

    @property
    def _keys(self) -> list[str]:
        return [f"k{n}" for n in range(len(self.asked.groups))]

    @property
    def _keyed(self) -> Iterator[tuple[Group, str]]:
        return zip(self.asked.groups, self._keys, strict=True)

    # -- the rows ----------------------------------------------------------------------------------------

    @cached_property
    def _grouped(self) -> Any:
        """Rows by the values that they hold."""
        if self.model is Opportunity:
            return self._summed(self._records(with_money=self.has_sums)).subquery()
        counted = self._summed(self._records(with_money=False))
        if not self.has_sums:
            return counted.subquery()
        return union_all(counted, self._summed(self._their_money(), counts=False)).subquery()

    def _records(self, *, with_money: bool) -> Any:
        """One row for each record of the list."""
        table, viewer = self.model.__table__.alias(), self.viewer.at_once
        parents, e = join_parents(self.model, table.c)
        source: Any = table
        for above, on in parents:
            source = source.outerjoin(above, on)
        values = [*self._values_of(e), *(self._money(e) if with_money else ())]
        return select(*values).select_from(source).where(*self.listing.conditions(viewer, e))

    def _their_money(self) -> Any:
        """One row for each open opportunity of the customers of the list, as far as the viewer sees it."""
        table, deal, viewer = Customer.__table__.alias(), Opportunity.__table__.alias(), self.viewer.at_once
        e = WithParent(deal.c, Rows(Customer, table.c))
        values = [*self._values_of(table.c), *self._money(e)]
        seen = [viewer.rows(Opportunity, e), in_bin(Opportunity, deal.c, wanted=False)]
        chance = amounts_of(self.viewer, e).chance
        source = table.join(deal, deal.c.customer_id == table.c.id)
        return (
            select(*values)
            .select_from(source)
            .where(*self.listing.conditions(viewer, table.c), *seen, chance.is_not(None))
        )

    def _values_of(self, e: Any) -> list[Value]:
        return [group.value(self.viewer, e).label(key) for group, key in self._keyed]

    def _money(self, e: Any) -> list[Value]:
        found = amounts_of(self.viewer, e)
        return [found.currency.label("currency"), found.amount.label("amount"), found.chance.label("chance")]

    def _summed(self, rows: Any, *, counts: bool = True) -> Any:
        c = rows.subquery().c
        by, money = [c[key] for key in self._keys], c if "amount" in c else _NO_MONEY
        # Without money the groups are those of the keys alone, which an index may hold in order.
        by = [*by, c.currency] if "amount" in c else by
        count = func.count() if counts else func.count() * _NOTHING
        sums = zip(self._sums(money), self._parts, strict=True) if self.has_sums else ()
        parts = [count.label("n"), *(x.label(name) for x, name in sums)]
        currency = [] if "amount" in c else [_NO_MONEY.currency.label("currency")]
        return select(*by, *currency, *parts).group_by(*by)

    def _sums(self, c: Any) -> Iterator[Value]:
        yield from self.sums.parts(c.amount)
        yield from self.sums.parts(c.amount, c.chance)

    @cached_property
    def _parts(self) -> list[str]:
        """The names of the parts of the two sums, of amounts and of weighted amounts."""
        if not self.has_sums:
            return []
        number = len(self.sums.parts(null()))
        return [f"{sum}{n}" for sum in ("a", "w") for n in range(number)]

    # -- values that stand for others --------------------------------------------------------------------

    @cached_property
    def _tables(self) -> dict[str, Any]:
        return {key: x.mapped(self.viewer, self.asked.level).alias() for x, key in self._keyed if x.mapped is not None}

    @property
    def _maps(self) -> Iterator[tuple[Any, Any]]:
        for key, table in self._tables.items():
            yield table, table.c.key == self._grouped.c[key]

    def _mapped(self, value: Value, n: int) -> Value:
        table = self._tables.get(f"k{n}")
        if table is None:
            return value
        return table.c.to if self.asked.groups[n].dictionary is None else func.coalesce(table.c.to, value)

    # -- the answer --------------------------------------------------------------------------------------

    def _rows(self, nodes: Nodes) -> Value:
        ranked = self._ranked
        values = {"count": ranked.c.n}
        made = {"key": self._keys_of, "sums": lambda below: self._sums_of(below, ranked)}
        item = self._object("StatsRow", nodes, values, made)
        shown = select(item.label("item"), ranked.c.rank_.label("n")).where(ranked.c.rank_ <= self.asked.first)
        rows = shown.order_by(ranked.c.rank_).subquery()
        return self.compiler.array_of(self.dialect.json(rows.c.item), rows.c.n, rows)

    def _keys_of(self, nodes: Nodes) -> Value:
        items = []
        for group, name in self._keyed:
            key = self._ranked.c[name]
            is_id = group.target is not None
            id = self.compiler.global_id(group.target, key) if group.target is not None else null()
            values = {"recordId": id, "value": null() if is_id else key, "label": group.label(self.viewer, key)}
            items.append(self._object("StatsKey", nodes, values, {}))
        return self.dialect.list(*map(self.dialect.json, items))

    def _together(self, nodes: Nodes, condition: Any, *, may_be_empty: bool) -> Value:
        """Several groups as one row without a key."""
        ranked = self._ranked
        count = func.coalesce(cast(func.sum(ranked.c.n), BigInteger), _NOTHING).label("n")
        whole = select(count, func.count().label("groups_")).where(condition).subquery()
        made: dict[str, Callable[[Nodes], Value]] = {
            "key": lambda _: self.dialect.json(self.dialect.empty_array()),
            "sums": lambda below: self._sums_of(below, None, condition),
        }
        item = self._object("StatsRow", nodes, {"count": whole.c.n}, made)
        found = select(item).select_from(whole)
        if may_be_empty:
            found = found.where(whole.c.groups_ > _NOTHING)
        return self.dialect.json(found.scalar_subquery())

    def _sums_of(self, nodes: Nodes, row: Any, condition: Any = None) -> Value:
        """The sums by currency: of one group (`row`), or of all groups that meet a condition."""
        groups = self._groups.alias()
        again = [func.sum(groups.c[name]).label(name) for name in self._parts]
        summed = select(groups.c.currency, *again).where(groups.c.currency.is_not(None))
        if row is not None:
            summed = summed.where(groups.c.g_ == row.c.g_).correlate(row)
        else:
            summed = summed.join_from(groups, self._ranked, and_(self._ranked.c.g_ == groups.c.g_, condition))
        sums = summed.group_by(groups.c.currency).having(func.sum(groups.c[self._parts[0]]).is_not(None)).subquery()
        parts = [sums.c[name] for name in self._parts]
        half = len(parts) // 2
        amount, weighted = self.sums.text(parts[:half]), self.sums.text(parts[half:], is_weighted=True)
        values = {"currency": sums.c.currency, "amount": amount, "weighted": func.coalesce(weighted, _ZERO)}
        item = self._object("StatsSum", nodes, values, {})
        rows = select(item.label("item"), sums.c.currency.label("n")).order_by(sums.c.currency).subquery()
        return self.compiler.array_of(self.dialect.json(rows.c.item), rows.c.n, rows)

    def _object(
        self, name: str, nodes: Nodes, values: Mapping[str, Value], made: Mapping[str, Callable[[Nodes], Value]]
    ) -> Value:
        """The selected fields of a type: values, and those that are made of the selections below them."""
        pairs = []
        for alias, group in self.compiler.operation.subfields(name, nodes).items():
            field = group[0].name.value
            if field in made:
                pairs.append((alias, made[field](group)))
            else:
                pairs.append((alias, values[field] if field != "__typename" else name_literal(name)))
        return self.dialect.row(pairs)


_ZERO: Value = literal_column("'0.00'")
_NO_MONEY = SimpleNamespace(currency=cast(null(), String), amount=cast(null(), Numeric), chance=cast(null(), Integer))
