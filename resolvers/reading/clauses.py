"""One way to look: filter, search, order and cursor as SQLAlchemy clauses under policy.

Nothing here runs a statement.  The compiler adds the shape of the answer, lists and exports use the very same clauses.
Every value is the guarded one, so a field that somebody may not see can be neither filtered nor ordered by.
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
from policies.rows import Hanging, Rows

from ..runtime.viewer import Clause, Value, Viewer
from .provenance import derive

LAST_CHARACTER = "\U0010ffff"
LONGEST_SEARCH = 100


@cache
def beside(model: type[Base]) -> tuple[list[tuple[Any, Clause]], Any]:
    """(the rows that records of `model` hang on, one after the other, each with its ON; the records with those)."""
    return with_above(model, model)


def with_above(model: type[Base], columns: Any) -> tuple[list[tuple[Any, Clause]], Any]:
    """`beside` for other columns of records of `model`."""
    if not model.visible_through:
        return [], columns
    whole: type[Base] = inspect(model).relationships[model.visible_through].mapper.class_
    above = whole.__table__.alias()
    further, e = with_above(whole, above.c)
    return [(above, above.c.id == getattr(columns, f"{model.visible_through}_id")), *further], Hanging(
        columns, Rows(whole, e)
    )


def visible(viewer: Viewer, model: type[Base], *values: Value) -> Select[Any]:
    """SELECT of values of the records that the person may view; they are written in terms of `beside(model)[1]`.

    What a record hangs on stands beside it, so the policy is asked about that row and not for all that are in reach.
    """
    statement: Select[Any] = select(*values).where(open_to(viewer, "view", model)).execution_options(policy=True)
    for above, on in beside(model)[0]:
        # There always is one; but for an inner join SQLite first reads all that could stand beside into a filter.
        statement = statement.outerjoin(above, on)
    return statement


@lru_cache(maxsize=1024)
def open_to(viewer: Viewer, action: str, model: type[Base]) -> Clause:
    """Whether the person may do `action`, in terms of `beside`.  Made once: it takes longer to write than to run."""
    return viewer.where(action, model, beside(model)[1])


def in_bin(model: type[Base], e: Any, *, wanted: bool = True) -> Clause:
    """The rows in the recycle bin, or those outside it."""
    if "deleted_at" not in model.__table__.c:
        return false() if wanted else true()
    at = e.deleted_at
    clause: Clause = at.is_not(None) if wanted else at.is_(None)
    return clause


# --- values that are no columns --------------------------------------------------------------------------

COMPUTED: dict[tuple[type[Base], str], Callable[[Viewer, Any], Value]] = {
    (Customer, "locked"): lambda viewer, e: locked(e, viewer.person.now),
}
"""What can be asked, filtered and ordered by like a column, and is an expression."""


def value(viewer: Viewer, model: type[Base], e: Any, key: str) -> Value:
    """A column or a computed value, guarded."""
    computed = COMPUTED.get((model, key))
    return computed(viewer, e) if computed else viewer.value(model, e, key)


# --- filter ----------------------------------------------------------------------------------------------


def matching(viewer: Viewer, model: type[Base], e: Any, tree: Mapping[str, Any]) -> Clause:
    """`{"name": {"contains": "ac"}, "or": [{…}, {…}]}` as a clause.

    Keys are column keys; everything in one object must hold.  `not` and `ne` treat an empty value as different, on both
    databases.
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
    return _like(column, derive(text, lambda x: f"%{_escaped(x)}%"))


def _like(column: Value, pattern: str) -> Clause:
    """ASCII letters match in either case, on both databases; everything else as it is."""
    return Alike(column, literal(pattern))


class Alike(FunctionElement[bool]):
    """`LIKE` without regard to the case of ASCII letters.  SQLite's own is that, and twice as fast as `lower()`."""

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


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


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
    "starts_with": lambda column, x: _like(column, derive(x, lambda text: f"{_escaped(text)}%")),
    "ends_with": lambda column, x: _like(column, derive(x, lambda text: f"%{_escaped(text)}")),
}


# --- search ----------------------------------------------------------------------------------------------


def search_text(text: str) -> str:
    """What somebody typed, trimmed.  Raises Validation when it is too long."""
    text = text.replace("\0", "").strip()
    if len(text) > LONGEST_SEARCH:
        raise Validation(
            f"A search has at most {LONGEST_SEARCH} characters.",
            f"搜索内容最多 {LONGEST_SEARCH} 个字符。",
            field="search",
        )
    return text


def found(viewer: Viewer, model: type[Base], e: Any, text: str) -> Clause:
    """The rows that the search box of a list finds where no index covers it: the beginning of a number, any part of a name.

    No text finds everything.
    """
    text = derive(text, search_text)
    if not text:
        return true()
    names = getattr(model, "search", ())
    clauses = [_number(viewer.value(model, e, x), text) for x in names if x == "number"]
    clauses += [_contains(viewer.value(model, e, x), text) for x in names if x != "number"]
    return or_(false(), *clauses)


def _number(column: Value, text: str) -> Clause:
    """A prefix as a range, which an index answers; numbers are usually written in capitals."""
    written = (text, derive(text, str.upper))
    return or_(*(and_(column >= x, column < derive(x, lambda start: start + LAST_CHARACTER)) for x in written))


# --- order and cursor ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """One step of an order.  Empty values come last in both directions; first only where an order is read backwards."""

    name: str
    descending: bool
    nullable: bool
    empty_first: bool = False

    def back(self) -> "Key":
        """The same step read from the end."""
        return replace(self, descending=not self.descending, empty_first=self.nullable and not self.empty_first)

    def order(self, column: Value) -> Value:
        ordered = column.desc() if self.descending else column.asc()
        if not self.nullable:
            return ordered
        return ordered.nulls_first() if self.empty_first else ordered.nulls_last()

    def after(self, column: Value, at: Any) -> Clause:
        """The rows behind `at` in this step alone."""
        if at is None:
            return column.is_not(None) if self.empty_first else false()
        beyond = column < at if self.descending else column > at
        return or_(beyond, column.is_(None)) if self.nullable and not self.empty_first else beyond

    def same(self, column: Value, at: Any) -> Clause:
        clause: Clause = column.is_(None) if at is None else column == at
        return clause


def order_of(
    viewer: Viewer, model: type[Base], asked: Sequence[tuple[str, bool]], tree: Mapping[str, Any] | None = None
) -> list[Key]:
    """The keys of an order: (name, descending) as asked, else the model's own; the id breaks ties.

    `tree` is the filter of the list: where it leaves out what is empty, an index can give the order.
    """
    wishes = (tree or {}).items()
    filled = {key for key, wish in wishes if isinstance(wish, Mapping) and wish.get("is_null") is False}
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


def behind(keys: Sequence[Key], values: Sequence[Value], at: Sequence[Any]) -> Clause:
    """The rows that come after the row with the key values `at`."""
    at = [literal(a) if isinstance(a, bool) else a for a in at]  # SQLAlchemy compares columns with no bare truth value
    steps = []
    for n, key in enumerate(keys):
        same = [k.same(v, a) for k, v, a in zip(keys[:n], values, at, strict=False)]
        steps.append(and_(*same, key.after(values[n], at[n])))
    first, value_, at_ = keys[0], values[0], at[0]
    if len(keys) == 1 or first.nullable:
        return or_(*steps)
    # Says nothing new, but lets an index begin at the right place.
    return and_(value_ <= at_ if first.descending else value_ >= at_, or_(*steps))


def orderable(model: type[Base]) -> list[str]:
    """The keys by which a list can be ordered: every column that has an order of its own."""
    simple = [c.key for c in columns(model) if not c.foreign_keys and c.type.__class__.__name__ not in ("JSON", "Text")]
    return [key for key in simple if key != "delete_batch_id"]


# --- small subqueries that several places show -----------------------------------------------------------


def role_codes(viewer: Viewer, user_id: Value) -> Any:
    """SELECT of the role codes that a person holds now, as far as the asker may see who holds them."""
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
