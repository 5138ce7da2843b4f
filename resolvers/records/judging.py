"""Judging a record by the rules of its entity, so that all that they refuse is told at once.

A rule names one wrong value and stops.  That value is taken out, and the rules are asked again about the rest.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Boolean, Date, Enum, Integer, String
from sqlalchemy.orm import Session

from models import Entity
from models.base import Money, Utc, column_of
from models.custom_field import PREFIX
from models.errors import Refusal

from ..runtime.gathering import Gathering
from ..runtime.ids import camel
from ..runtime.inputs import lacking
from ..runtime.lifecycle import Rules
from ..runtime.scope import Scope
from ..runtime.write_guard import check_given_references
from .custom_values import COLUMN

_TURNS = 10
"""Maximum number of wrong values that the rules of an entity are asked about one after the other."""


def judge(
    scope: Scope,
    db: Session,
    rules: Rules[Any],
    row: Entity,
    values: dict[str, Any],
    found: Gathering,
    before: Mapping[str, Any] | None = None,
) -> None:
    """Note what the rules refuse of these values.  `before`: what the record held, where it is not new."""
    for _ in range(_TURNS):
        try:
            rules.check(scope, db, row, values)
        except Refusal as refusal:
            found.note(refusal)
            blamed = [key for key in values if any(camel(key) == each.field for each in refusal.all)]
            if not blamed:
                return
            for key in blamed:
                del values[key]
                setattr(row, key, before[key] if before is not None else _stand_in(scope, type(row), key))
        else:
            return


def judge_rest(
    scope: Scope, db: Session, rules: Rules[Any], model: type[Entity], values: dict[str, Any], found: Gathering
) -> None:
    """Note what else is wrong with a new record that lacks values, or has wrong ones.  It is never written."""
    with found.noting():
        check_given_references(db, model, values)
    values = without_refused(values, found)
    absent = {key: _stand_in(scope, model, key) for key in lacking(model, values)}
    if any(value is None for value in absent.values()):
        return  # the rules may look at the record that it would belong to
    with db.no_autoflush, found.noting():
        judge(scope, db, rules, model(**values, **absent), values, found)


def without_refused(values: Mapping[str, Any], found: Gathering) -> dict[str, Any]:
    """The values about which there is no refusal."""
    left = {key: value for key, value in values.items() if not found.blames(key)}
    if customs := left.get(COLUMN):
        left[COLUMN] = {key: value for key, value in customs.items() if not found.blames(f"{PREFIX}{key}")}
    return left


def _stand_in(scope: Scope, model: type[Entity], key: str) -> Any:
    """A value for a column that needs one, so that the rules can look at the others; None for what takes no such value."""
    column = column_of(model, key)
    if column.nullable or column.foreign_keys:
        return None
    kind, now = column.type, scope.person.now
    if isinstance(kind, Enum):
        return next(iter(kind.enum_class))  # type: ignore[arg-type]  # all choices have a class
    found: dict[type, Any] = {Boolean: False, Utc: now, Date: now.date(), Money: 1, Integer: 1, String: "?"}
    return next((value for of, value in found.items() if isinstance(kind, of)), None)
