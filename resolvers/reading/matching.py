"""A filter as a clause under policy: comparisons, `and`, `or`, `not`, and conditions on related records.

Nothing here runs a statement.  Every value is guarded (NULL where the viewer may not see it), and related records count
only where the viewer sees them, so a filter tells nothing that is hidden.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, case, false, func, inspect, literal_column, not_, or_, select, true

from models import Base, SignInAttempt, User, UserRole
from models.custom_field import Custom
from models.text import number_key
from policies.branches import under
from policies.objects import field_name
from policies.rows import Rows, WithParent

from ..runtime.viewer import Clause, Value, Viewer
from .clauses import NUMBERS, in_bin, in_force, value
from .comparison import compared
from .condition_fields import Relation
from .elements import Element, HasElement
from .order import dictionary_of
from .provenance import map_traced


def matching(viewer: Viewer, model: type[Base], e: Any, tree: Mapping[str, Any]) -> Clause:
    """A filter like `{"name": {"contains": "ac"}, "or": [{…}, {…}]}` as a clause.

    Keys are column keys; all conditions of one object must hold.  `not` and `ne` take NULL for a different value, on
    both databases.  `conditions.py` makes such filters of the conditions that users write.
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
    if key == "related":
        return and_(true(), *(_has(viewer, model, e, each) for each in wanted))
    if (model, key) in RELATED:
        return RELATED[model, key](viewer, e, wanted)
    if (model, key) in NUMBERS:
        return _by_number(viewer, model, e, key, wanted)
    custom = viewer.policy.book.find(model.module, key)
    if custom is not None and custom.is_list:
        return and_(
            true(), *(_holds(viewer, model, e, custom, *each) for each in wanted.items() if each[1] is not None)
        )
    column = value(viewer, model, e, key)
    asked = ((name, operand) for name, operand in wanted.items() if operand is not None)
    return and_(true(), *(_compared(viewer, model, key, column, *each) for each in asked))


def _compared(viewer: Viewer, model: type[Base], key: str, column: Value, operator: str, operand: Any) -> Clause:
    match operator:
        case "team":
            return _in_team(viewer, column, operand)
        case "under":
            return under(dictionary_of(viewer.policy.book, model, key), column, operand)
    return compared(column, operator, operand)


def _holds(viewer: Viewer, model: type[Base], e: Any, custom: Custom, operator: str, operand: Any) -> Clause:
    """The condition on a list of words: one of them compares, or (`ne`) none of them is this one."""
    words = value(viewer, model, e, custom.word)
    if operator == "is_null":
        return compared(words, operator, operand)
    word: Value = Element(words)
    asked = "eq" if operator == "ne" else operator
    fits = under(custom.dictionary, word, operand) if asked == "under" else compared(word, asked, operand)
    there = HasElement(words, fits)
    return not_(there) if operator == "ne" else there


@dataclass(frozen=True)
class Related:
    """A condition on related records: one of them matches `tree`, or (`wanted` False) none does."""

    relation: Relation
    tree: Mapping[str, Any]
    wanted: bool = True


def _has(viewer: Viewer, model: type[Base], e: Any, condition: Related) -> Clause:
    """Whether the viewer sees a related record outside the bin, by a link that they see, that matches."""
    relation, target = condition.relation, condition.relation.target
    table = target.__table__.alias()
    is_part = relation.is_many and bool(target.visible_through) and _parent(target) is model
    row: Any = WithParent(table.c, Rows(model, e, by_row=True)) if is_part else table.c
    near = viewer.one_by_one
    if relation.is_many:
        linked = [value(near, target, row, relation.key) == e.id, in_bin(target, table.c, wanted=False)]
        shown = viewer.guard(model, relation.name, e)
        linked += [] if shown is None else [shown]
    else:
        linked = [table.c.id == value(near, model, e, relation.key)]
    found: Select[Any] = select(literal_column("1")).select_from(table).where(*linked, near.rows(target, row))
    found = found.where(matching(near, target, row, condition.tree)).correlate_except(table)
    there = found.execution_options(policy=True).exists()
    return there if condition.wanted else ~there


def _parent(model: type[Base]) -> type[Base]:
    parent: type[Base] = inspect(model).relationships[model.visible_through].mapper.class_
    return parent


# --- operators that look into other tables ---------------------------------------------------------------


def _in_team(viewer: Viewer, column: Value, departments: Sequence[int]) -> Clause:
    """The user is in one of these departments, as far as the viewer may see where users are."""
    user = User.__table__.alias()
    found: Select[Any] = select(user.c.id).where(viewer.rows(User, user.c))
    found = found.where(value(viewer, User, user.c, "department_id").in_(departments))
    return and_(column.is_not(None), column.in_(found.correlate(None).execution_options(policy=True)))


def _holds_role(viewer: Viewer, e: Any, wanted: Mapping[str, Any]) -> Clause:
    """The user holds one of the roles `in`, as far as the viewer may see who holds them; `is_null`: holds none."""
    held = UserRole.__table__.alias()
    found = select(held.c.user_id).where(held.c.deleted_at.is_(None), viewer.rows(UserRole, held.c))
    found = found.where(in_force(held.c.starts_at, held.c.ends_at, viewer.person.now))
    if wanted.get("is_null"):
        clause: Clause = ~e.id.in_(found)
    else:
        clause = e.id.in_(found.where(held.c.role_id.in_(wanted["in"])))
    return clause


def _has_signed_in(viewer: Viewer, e: Any, wanted: Mapping[str, Any]) -> Clause:
    """The user has signed in once, as far as the viewer may see the attempts."""
    attempt = SignInAttempt.__table__.alias()
    found = select(attempt.c.user_id).where(attempt.c.ok, viewer.rows(SignInAttempt, attempt.c))
    found = found.where(attempt.c.user_id.is_not(None))
    clause: Clause = e.id.in_(found) if wanted["eq"] else ~e.id.in_(found)
    return clause


RELATED: dict[tuple[type[Base], str], Callable[[Viewer, Any, Mapping[str, Any]], Clause]] = {
    (User, "role_id"): _holds_role,
    (User, "has_signed_in"): _has_signed_in,
}
"""(model, key) -> condition on records that point to this one; lists filter by it, and no column shows it."""


def _by_number(viewer: Viewer, model: type[Base], e: Any, key: str, wanted: Mapping[str, Any]) -> Clause:
    """The conditions on a number; `gt` and its like compare it as it is written."""
    guard, column = viewer.guard(model, field_name(key), e), getattr(e, NUMBERS[model, key])
    column = column if guard is None else case((guard, column), else_=None)
    plain = value(viewer, model, e, key)
    return and_(
        true(),
        *(
            compared(plain, name, operand) if name in _PLAIN else compared(column, name, _compared_number(operand))
            for name, operand in wanted.items()
            if operand is not None
        ),
    )


_PLAIN = ("gt", "gte", "lt", "lte", "is_null")


def _compared_number(operand: Any) -> Any:
    return (
        [map_traced(x, number_key) for x in operand] if isinstance(operand, list) else map_traced(operand, number_key)
    )
