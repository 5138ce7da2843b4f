"""The field `hidden` of every record: which of its fields the policy hides from this reader in this record.

A field is null where it is empty or hidden, and here is the difference.  A field that no line can hide from the reader
costs nothing: only the others become conditions of the statement.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from graphql import FieldNode
from sqlalchemy import Text, and_, case, func, literal_column, or_, select, true

from models import AuditEntry, Base, Customer, Pool
from models.base import columns, is_customised, trait_of
from policies.objects import FIELDS
from resolvers.audit import redaction
from resolvers.runtime.custom_fields import visible_fields
from resolvers.runtime.ids import camel
from resolvers.runtime.viewer import Clause, Viewer

from ..plan.dialect import Value
from ..plan.shape import SHAPES, Column, Computed, Expressions, One, Parts, PolymorphicId

DOC = (
    "The fields of the record that you may not see in it, by their names here: each of them is null or an empty list,"
    " whatever it holds. A custom field is `custom.` and its key; one that you see in no record is not named."
)


def add() -> None:
    """Add the field to the derived shapes."""
    for model in SHAPES:
        SHAPES[model]["hidden"] = Computed(partial(_hidden, model), list[str], DOC)


def _hidden(
    model: type[Base], compiler: Expressions, e: Any, _arguments: Mapping[str, Any], _nodes: Sequence[FieldNode]
) -> Value:
    parts = [
        case((shown, literal_column("''", Text)), else_=literal_column(f"'\"{name}\",'", Text))
        for name, shown in conditions(model, compiler.viewer, e)
    ]
    if not parts:
        return compiler.dialect.json(compiler.dialect.empty_array())
    names: Value = parts[0]
    for part in parts[1:]:
        names = names.concat(part)
    listed = literal_column("'['", Text).concat(func.rtrim(names, literal_column("','", Text), type_=Text))
    return compiler.dialect.json(listed.concat(literal_column("']'", Text)))


def conditions(model: type[Base], viewer: Viewer, e: Any) -> Iterator[tuple[str, Clause]]:
    """(field, the condition under which its value is shown) for the fields that may be hidden from the viewer."""
    for name, shape in SHAPES[model].items():
        shown = _shown(model, name, shape, viewer, e)
        if shown is not None:
            yield name, shown
    for custom in visible_fields(viewer.policy, viewer.person, model) if is_customised(model) else ():
        shown = viewer.shows(model, e, custom.word)
        if shown is not None:
            yield custom.word, shown


def _shown(model: type[Base], name: str, shape: Any, viewer: Viewer, e: Any) -> Clause | None:
    if isinstance(shape, Column | PolymorphicId):
        return viewer.shows(model, e, shape.column.key)
    if isinstance(shape, One):
        return _record_is_shown(model, shape, viewer, e)
    if isinstance(shape, Parts):
        return viewer.guard(model, name, e) if f"{model.module}.{name}" in FIELDS else None
    if (model, name) in _COMPUTED:
        shown: Clause = _COMPUTED[model, name](viewer, e)
        return shown
    key = _labelled(model).get(name)
    return viewer.shows(model, e, key) if key is not None else None


def _labelled(model: type[Base]) -> Mapping[str, str]:
    """Field with the label of a word -> the column of the word."""
    return {f"{camel(x.key)}Label": x.key for x in columns(model) if trait_of(x).dictionary}


def _record_is_shown(model: type[Base], shape: One, viewer: Viewer, e: Any) -> Clause | None:
    """The viewer sees the id, and the record that it names where there is one."""
    shown, near = viewer.shows(model, e, shape.key), viewer.one_by_one
    target = shape.target.__table__.alias()
    rows = near.rows(shape.target, target.c)
    if rows.compare(true()):
        return shown
    value = viewer.value(model, e, shape.key)
    there: Any = select(literal_column("1")).select_from(target).where(target.c.id == value, rows)
    found = or_(value.is_(None), there.correlate_except(target).execution_options(policy=True).exists())
    return found if shown is None else and_(shown, found)


# --- computed fields -------------------------------------------------------------------------------------


def _retention_is_shown(viewer: Viewer, e: Any) -> Clause:
    """As `retentionDueAt` is read: the time and the days are seen.  Out of a pool nothing is hidden, to whom sees that."""
    since, in_pool = viewer.shows(Customer, e, "pooled_at"), viewer.shows(Customer, e, "pool_id")
    pool = Pool.__table__.alias()
    days = viewer.shows(Pool, pool.c, "retain_days")
    seen = [pool.c.id == e.pool_id, viewer.rows(Pool, pool.c), true() if days is None else days]
    there: Any = select(literal_column("1")).select_from(pool).where(*seen).correlate_except(pool)
    nowhere = and_(e.pool_id.is_(None), true() if in_pool is None else in_pool)
    known = or_(there.execution_options(policy=True).exists(), nowhere)
    return known if since is None else and_(since, known)


def _text_is_shown(key: str, viewer: Viewer, e: Any) -> Clause:
    shown, guard = redaction.text_is_visible(viewer, e, key), viewer.shows(AuditEntry, e, key)
    return shown if guard is None else and_(shown, guard)


def _changes_are_shown(viewer: Viewer, e: Any) -> Clause:
    shown, guard = redaction.is_visible(viewer, e), viewer.guard(AuditEntry, "changes", e)
    return shown if guard is None else and_(shown, guard)


_COMPUTED: Mapping[tuple[type[Base], str], Any] = {
    (Customer, "retentionDueAt"): _retention_is_shown,
    (AuditEntry, "label"): partial(_text_is_shown, "label"),
    (AuditEntry, "reason"): partial(_text_is_shown, "reason"),
    (AuditEntry, "changes"): _changes_are_shown,
}
"""Computed field -> the condition under which its value is shown."""
