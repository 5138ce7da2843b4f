"""Filter, search, order and cursor as SQLAlchemy clauses under policy, for GraphQL, lists and exports alike.

Nothing here runs a statement.  Every value is guarded (NULL where the viewer may not see it), so a hidden field can be
neither filtered nor ordered by.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Boolean, Select, and_, false, func, inspect, literal, or_, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from models import Base, Customer, Role, UserRole
from models.base import columns
from models.customer import locked
from models.errors import Validation
from policies.objects import field_name
from policies.rows import Rows, WithParent

from ..runtime.viewer import Clause, Value, Viewer
from .patterns import beginning, containing, ending
from .provenance import map_traced

LAST_CHARACTER = "\U0010ffff"
LONGEST_SEARCH = 100


@cache
def with_parents(model: type[Base]) -> tuple[list[tuple[Any, Clause]], Any]:
    """([(parent row source, its ON clause)], columns of `model` that know these parents), nearest parent first."""
    return join_parents(model, model)


def join_parents(model: type[Base], columns: Any) -> tuple[list[tuple[Any, Clause]], Any]:
    """As `with_parents`, for another row source of `model` with these columns."""
    if not model.visible_through:
        return [], columns
    whole: type[Base] = inspect(model).relationships[model.visible_through].mapper.class_
    above = whole.__table__.alias()
    further, e = join_parents(whole, above.c)
    return [(above, above.c.id == getattr(columns, f"{model.visible_through}_id")), *further], WithParent(
        columns, Rows(whole, e)
    )


def visible(viewer: Viewer, model: type[Base], *values: Value) -> Select[Any]:
    """SELECT of values of the records that the viewer may see; values are expressions over `with_parents(model)[1]`.

    Parent records are joined, so the policy tests the joined row instead of listing all visible parents.
    """
    statement: Select[Any] = select(*values).where(open_to(viewer, "view", model)).execution_options(policy=True)
    for above, on in with_parents(model)[0]:
        # The parent always exists; but for an inner join SQLite first reads all candidates into a Bloom filter.
        statement = statement.outerjoin(above, on)
    return statement


@lru_cache(maxsize=1024)
def open_to(viewer: Viewer, action: str, model: type[Base]) -> Clause:
    """Condition over `with_parents(model)[1]`: the viewer may do `action`.  Cached, because building it costs more than running."""
    return viewer.where(action, model, with_parents(model)[1])


def in_bin(model: type[Base], e: Any, *, wanted: bool = True) -> Clause:
    """Condition: the row is in the recycle bin, or (`wanted` False) outside it."""
    if "deleted_at" not in model.__table__.c:
        return false() if wanted else true()
    at = e.deleted_at
    clause: Clause = at.is_not(None) if wanted else at.is_(None)
    return clause


# --- computed values -------------------------------------------------------------------------------------

COMPUTED: dict[tuple[type[Base], str], Callable[[Viewer, Any], Value]] = {
    (Customer, "locked"): lambda viewer, e: locked(e, viewer.person.now),
}
"""(model, key) -> expression of a value that is read, filtered and ordered by like a column."""


def value(viewer: Viewer, model: type[Base], e: Any, key: str) -> Value:
    """A column or a computed value; NULL where the viewer may not see it."""
    computed = COMPUTED.get((model, key))
    return computed(viewer, e) if computed else viewer.value(model, e, key)


# --- filter ----------------------------------------------------------------------------------------------


def matching(viewer: Viewer, model: type[Base], e: Any, tree: Mapping[str, Any]) -> Clause:
    """A filter like `{"name": {"contains": "ac"}, "or": [{…}, {…}]}` as a clause.

    Keys are column keys; all conditions of one object must hold.  `not` and `ne` take NULL for a different value, on
    both databases.
    """
    clauses = [_part(viewer, model, e, key, wanted) for key, wanted in tree.items() if wanted is not None]
    return and_(true(), *clauses)


def _part(viewer: Viewer, model: type[Base], e: Any, key: str, wanted: Any) -> Clause:
    if key == "and":
        return and_(true(), *(matching(viewer, model, e, tree) for tree in wanted))
    if key == "or":
        return or_(false(), *(matching(viewer, model, e, tree) for tree in wanted))
    if key == "not":
        return ~func.coalesce(matching(viewer, model, e, wanted), false())
    column = value(viewer, model, e, key)
    return and_(true(), *(OPERATORS[name](column, operand) for name, operand in wanted.items() if operand is not None))


def _contains(column: Value, text: str) -> Clause:
    return _like(column, map_traced(text, containing))


def _like(column: Value, pattern: str) -> Clause:
    """`LIKE` that ignores the case of ASCII letters and of no others, on both databases."""
    return Alike(column, literal(pattern))


class Alike(FunctionElement[bool]):
    """`LIKE` that ignores the case of ASCII letters.  SQLite's own does that, twice as fast as with `lower()`."""

    type = Boolean()
    inherit_cache = True


@compiles(Alike)
def _alike(element: Alike, compiler: Any, **how: Any) -> str:
    column, pattern = (compiler.process(part, **how) for part in element.clauses)
    return rf"(lower({column}) LIKE lower({pattern}) ESCAPE '\')"


@compiles(Alike, "sqlite")
def _alike_on_sqlite(element: Alike, compiler: Any, **how: Any) -> str:
    column, pattern = (compiler.process(part, **how) for part in element.clauses)
    return rf"({column} LIKE {pattern} ESCAPE '\')"


OPERATORS: dict[str, Callable[[Value, Any], Clause]] = {
    "eq": lambda column, x: column == x,
    "ne": lambda column, x: column.is_distinct_from(x),
    "in": lambda column, x: column.in_(x),
    "gt": lambda column, x: column > x,
    "gte": lambda column, x: column >= x,
    "lt": lambda column, x: column < x,
    "lte": lambda column, x: column <= x,
    "is_null": lambda column, x: column.is_(None) if x else column.is_not(None),
    "contains": _contains,
    "starts_with": lambda column, x: _like(column, map_traced(x, beginning)),
    "ends_with": lambda column, x: _like(column, map_traced(x, ending)),
}


# --- search ----------------------------------------------------------------------------------------------


def search_text(text: str) -> str:
    """The typed text, trimmed.  Raises Validation for a text that is too long."""
    text = text.replace("\0", "").strip()
    if len(text) > LONGEST_SEARCH:
        raise Validation(
            f"A search has at most {LONGEST_SEARCH} characters.",
            f"搜索内容最多 {LONGEST_SEARCH} 个字符。",
            field="search",
        )
    return text


def search_clause(viewer: Viewer, model: type[Base], e: Any, text: str) -> Clause:
    """Condition of a search without index: the beginning of a number, or any part of a name.

    An empty text matches every row.
    """
    text = map_traced(text, search_text)
    if not text:
        return true()
    names = getattr(model, "search", ())
    clauses = [_number(viewer.value(model, e, x), text) for x in names if x == "number"]
    clauses += [_contains(viewer.value(model, e, x), text) for x in names if x != "number"]
    return or_(false(), *clauses)


def _number(column: Value, text: str) -> Clause:
    """A prefix as a range, which an index serves; also in capitals, because most numbers are."""
    spellings = (text, map_traced(text, str.upper))
    return or_(*(and_(column >= x, column < map_traced(x, lambda start: start + LAST_CHARACTER)) for x in spellings))


# --- order and cursor ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """One sort key.  NULLs come last in both directions; first only in an order that is read backwards."""

    name: str
    descending: bool
    nullable: bool
    empty_first: bool = False

    def back(self) -> "Key":
        """The same key for reading backwards."""
        return replace(self, descending=not self.descending, empty_first=self.nullable and not self.empty_first)

    def order(self, column: Value) -> Value:
        ordered = column.desc() if self.descending else column.asc()
        if not self.nullable:
            return ordered
        return ordered.nulls_first() if self.empty_first else ordered.nulls_last()

    def after(self, column: Value, at: Any) -> Clause:
        """Condition: the row comes after `at` by this key alone."""
        if at is None:
            return column.is_not(None) if self.empty_first else false()
        later = column < at if self.descending else column > at
        return or_(later, column.is_(None)) if self.nullable and not self.empty_first else later

    def same(self, column: Value, at: Any) -> Clause:
        clause: Clause = column.is_(None) if at is None else column == at
        return clause


def order_of(
    viewer: Viewer, model: type[Base], asked: Sequence[tuple[str, bool]], tree: Mapping[str, Any] | None = None
) -> list[Key]:
    """The sort keys of a list: (name, descending) as asked for, else the model's own; the id breaks ties.

    `tree` is the filter of the list: a key that it requires to be not NULL can be sorted by an index.
    """
    conditions = (tree or {}).items()
    filled = {key for key, wanted in conditions if isinstance(wanted, Mapping) and wanted.get("is_null") is False}
    default = getattr(model, "order", "-id")
    steps = list(asked) or [(default.lstrip("-"), default.startswith("-"))]
    keys = [
        Key(name, down, name not in filled and _nullable(viewer, model, name))
        for name, down in dict(steps).items()
        if name != "id"
    ]
    if "id" in dict(steps):
        keys = keys[: [name for name, _ in steps].index("id")]
    return [*keys, Key("id", dict(steps).get("id", steps[-1][1]), nullable=False)]


def _nullable(viewer: Viewer, model: type[Base], name: str) -> bool:
    if (model, name) in COMPUTED:
        return False
    guard = viewer.guard(model, field_name(name), model.__table__.c)
    return bool(model.__table__.c[name].nullable) or guard is not None


def after_cursor(keys: Sequence[Key], values: Sequence[Value], at: Sequence[Any]) -> Clause:
    """Condition: the row comes after the row with the key values `at`."""
    at = [literal(a) if isinstance(a, bool) else a for a in at]  # SQLAlchemy does not compare a column with a bare bool
    steps = []
    for n, key in enumerate(keys):
        same = [k.same(v, a) for k, v, a in zip(keys[:n], values, at, strict=False)]
        steps.append(and_(*same, key.after(values[n], at[n])))
    first, value_, at_ = keys[0], values[0], at[0]
    if len(keys) == 1 or first.nullable:
        return or_(*steps)
    # Changes no result, but lets an index scan begin at the right place.
    return and_(value_ <= at_ if first.descending else value_ >= at_, or_(*steps))


def orderable(model: type[Base]) -> list[str]:
    """The keys by which a list can be ordered: columns except foreign keys, JSON and long text."""
    simple = [c.key for c in columns(model) if not c.foreign_keys and c.type.__class__.__name__ not in ("JSON", "Text")]
    return [key for key in simple if key != "delete_batch_id"]


# --- subqueries for computed columns ---------------------------------------------------------------------


def role_codes(viewer: Viewer, user_id: Value) -> Any:
    """SELECT of the codes of the roles that a user holds now, as far as the viewer may see who holds them."""
    held, role, now = UserRole.__table__.alias(), Role.__table__.alias(), viewer.person.now
    return (
        select(role.c.code)
        .join(held, held.c.role_id == role.c.id)
        .where(held.c.user_id == user_id, held.c.deleted_at.is_(None), role.c.deleted_at.is_(None))
        .where(_in_force(held.c.starts_at, held.c.ends_at, now), viewer.rows(UserRole, held.c))
        .order_by(role.c.code)
        .correlate_except(role, held)
    )


def _in_force(starts_at: Value, ends_at: Value, now: datetime) -> Clause:
    return and_(or_(starts_at.is_(None), starts_at <= now), or_(ends_at.is_(None), ends_at > now))
