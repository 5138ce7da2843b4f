"""Rows, values and search as SQLAlchemy clauses under policy, for GraphQL, lists and exports alike.

Nothing here runs a statement.  Every value is guarded (NULL where the viewer may not see it), so a hidden field can be
neither filtered nor ordered by.
"""

from collections.abc import Callable
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    Select,
    and_,
    false,
    func,
    inspect,
    or_,
    select,
    true,
)

from models import Base, Customer, Role, UserRole
from models.customer import locked
from models.errors import Validation
from models.text import composed, number_key
from policies.rows import Rows, WithParent

from ..runtime.merged_records import merges
from ..runtime.viewer import Clause, Value, Viewer
from .comparison import compared
from .custom_search import custom_texts
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
    """Condition: the row is in the recycle bin, or (`wanted` False) outside it.  One that was merged away is in neither."""
    if "deleted_at" not in model.__table__.c:
        return false() if wanted else true()
    at = e.deleted_at
    clause: Clause = at.is_not(None) if wanted else at.is_(None)
    return and_(clause, e.merged_into_id.is_(None)) if wanted and merges(model) else clause


# --- computed values -------------------------------------------------------------------------------------

COMPUTED: dict[tuple[type[Base], str], Callable[[Viewer, Any], Value]] = {
    (Customer, "locked"): lambda viewer, e: locked(e, viewer.person.now),
}
"""(model, key) -> expression of a value that is read, filtered and ordered by like a column."""


def value(viewer: Viewer, model: type[Base], e: Any, key: str) -> Value:
    """A column or a computed value; NULL where the viewer may not see it."""
    computed = COMPUTED.get((model, key))
    return computed(viewer, e) if computed else viewer.value(model, e, key)


# --- numbers ---------------------------------------------------------------------------------------------

NUMBERS: dict[tuple[type[Base], str], str] = {(Customer, "number"): "number_key"}
"""Numbers of records -> the column in which they are compared: case and width do not matter."""


def number_is(model: type[Base], e: Any, number: str) -> Clause:
    """Condition: the record has this number, however it is written, or the one with it became part of the record."""
    key, had = NUMBERS[model, "number"], model.__table__.alias()
    stands = select(func.coalesce(had.c.merged_into_id, had.c.id)) if merges(model) else select(had.c.id)
    stands = stands.where(had.c[key] == map_traced(number, number_key)).execution_options(policy=True)
    clause: Clause = e.id == stands.scalar_subquery()
    return clause


# --- search ----------------------------------------------------------------------------------------------


def search_text(text: str) -> str:
    """The typed text in the form of stored texts.  Raises Validation for a text that is too long."""
    text = composed(text.replace("\0", "")).strip()
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
    clauses += [compared(viewer.value(model, e, x), "contains", text) for x in names if x != "number"]
    clauses += [compared(x, "contains", text) for x in (custom_texts(viewer, model, e) if names else ())]
    return or_(false(), *clauses)


def _number(column: Value, text: str) -> Clause:
    """A prefix as a range, which an index serves; also in capitals, because most numbers are."""
    spellings = (text, map_traced(text, str.upper))
    return or_(*(and_(column >= x, column < map_traced(x, lambda start: start + LAST_CHARACTER)) for x in spellings))


# --- subqueries for computed columns ---------------------------------------------------------------------


def role_codes(viewer: Viewer, user_id: Value) -> Any:
    """SELECT of the codes of the roles that a user holds now, as far as the viewer may see who holds them."""
    held, role, now = UserRole.__table__.alias(), Role.__table__.alias(), viewer.person.now
    return (
        select(role.c.code)
        .join(held, held.c.role_id == role.c.id)
        .where(held.c.user_id == user_id, held.c.deleted_at.is_(None), role.c.deleted_at.is_(None))
        .where(in_force(held.c.starts_at, held.c.ends_at, now), viewer.rows(UserRole, held.c))
        .order_by(role.c.code)
        .correlate_except(role, held)
    )


def in_force(starts_at: Value, ends_at: Value, now: datetime) -> Clause:
    return and_(or_(starts_at.is_(None), starts_at <= now), or_(ends_at.is_(None), ends_at > now))
