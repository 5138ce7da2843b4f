"""Old values that come back, for the undoing of an import and of a bulk change."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from models import Contact, Entity
from models.audit.column_values import stored
from models.base import column_of
from models.contact import PointKind
from models.custom_field import is_custom, past_value
from models.errors import Refusal, Validation
from models.stage_terms import taking_back

from ..customers.contacts import points_of
from ..runtime.scope import Scope
from .many import update_many
from .reasons import with_reason
from .verdicts import Verdict


def put_back(
    scope: Scope, db: Session, model: type[Entity], old: Sequence[tuple[int, Mapping[str, Any]]], reason: str
) -> list[Verdict]:
    """One verdict for each record that gets its old values, which are given as the log holds them.

    They come back even where another record has become like them, and to a stage to which no step leads, as they were
    there before.
    """
    if not old:
        return []
    changes = [(id, {key: of_log(scope, model, key, value) for key, value in values.items()}) for id, values in old]
    changes = with_points(scope, db, changes) if model is Contact else changes
    with taking_back(db):
        return with_reason(lambda given: update_many(scope, model, given), changes, reason)


POINT_FIELDS = frozenset(kind.lower() for kind in PointKind)
"""Under what names the log tells phones and addresses of contacts."""


def with_points(
    scope: Scope, db: Session, changes: Sequence[tuple[int, dict[str, Any]]]
) -> list[tuple[int, dict[str, Any]]]:
    """The changes of contacts, with old phones and addresses beside those of other kinds that are there now."""
    there = points_of(scope, db, [id for id, values in changes if POINT_FIELDS & values.keys()])
    found = []
    for id, values in changes:
        rest = {key: value for key, value in values.items() if key not in POINT_FIELDS}
        if len(rest) < len(values):
            now = [{"kind": x.kind, "value": x.value} for x in there.get(id, ()) if x.kind.lower() not in values]
            old = [
                {"kind": PointKind(key.upper()), "value": each}
                for key in sorted(POINT_FIELDS & values.keys(), key=[x.lower() for x in PointKind].index)
                for each in _as_list(values[key])
            ]
            rest["points"] = [*old, *now]
        found.append((id, rest))
    return found


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def of_log(scope: Scope, model: type[Entity], key: str, value: Any) -> Any:
    """A value of the log as the use cases take it; what is no column, like points, stays as it is."""
    if is_custom(key) and value is not None:
        custom = scope.policy.book.find(model.module, key)
        return past_value(custom.kind, value) if custom is not None else value
    return stored(column_of(model, key), value) if key in model.__table__.c else value


def changed_since() -> Refusal:
    return Validation("It has been changed since, so it stays as it is.", "之后有改动，因此保留原样。")


def gone_since() -> Refusal:
    return Validation("It has been deleted since.", "之后已被删除。")
