"""Old values that come back, for the undoing of an import and of a bulk change."""

from collections.abc import Mapping, Sequence
from typing import Any

from models import Entity
from models.audit.column_values import stored
from models.base import column_of
from models.custom_field import is_custom, past_value
from models.errors import Refusal, Validation

from ..runtime.scope import Scope
from .many import update_many
from .reasons import with_reason
from .verdicts import Verdict


def put_back(
    scope: Scope, model: type[Entity], old: Sequence[tuple[int, Mapping[str, Any]]], reason: str
) -> list[Verdict]:
    """One verdict for each record that gets its old values, which are given as the log holds them.

    They come back even where another record has become like them, as they were there before.
    """
    changes = [(id, {key: of_log(scope, model, key, value) for key, value in values.items()}) for id, values in old]
    return with_reason(lambda given: update_many(scope, model, given), changes, reason) if changes else []


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
