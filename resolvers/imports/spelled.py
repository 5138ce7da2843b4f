"""The plan of an import as programs spell it: keys in camelCase, records by their global ids."""

from collections.abc import Iterable, Mapping

from sqlalchemy.orm import Session

from models import ENTITIES, Entity, ImportBatch
from models.base import column_of
from models.errors import Validation

from ..runtime.ids import camel, global_id, number_of
from ..runtime.scope import Scope
from .batches import own
from .mapping import fields_of
from .targets import Target, target_of

_BY_TABLE = {model.__tablename__: model for model in ENTITIES}


def keys_of(scope: Scope, db: Session, id: int) -> tuple[Target, dict[str, str]]:
    """(the target of an import of the caller, key in camelCase -> key of a field or an input).  Raises NotFound."""
    target = target_of(own(scope, db, id).target)
    fields = fields_of(scope, db, target)
    return target, {camel(key): key for each in fields for key in (each.input, each.key)}


def key_of(keys: Mapping[str, str], spelled: str, field: str) -> str:
    """The key of a field.  Raises Validation for one that the caller may not import."""
    if spelled not in keys:
        raise Validation("This is no field that you may import.", "您无法导入该字段。", field=field)
    return keys[spelled]


def given_of(target: Target, given: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Input -> the record that all rows have in it.  Raises Validation for what is not given once, and for no such id."""
    known, found = {camel(key): key for key in target.once}, dict[str, int]()
    for spelled, id in given:
        if spelled not in known:
            raise Validation(
                "This cannot be given for all rows at once.", "该字段不能为所有行统一指定。", field="given"
            )
        key = known[spelled]
        found[key] = number_of(_record_of(target, key), id)
        if not found[key]:
            raise Validation("This names no record.", "所填内容没有对应的记录。", field="given")
    return found


def spelled_given(row: ImportBatch) -> list[tuple[str, str]]:
    """(input, global id) of what all rows of an import have."""
    target = target_of(row.target)
    given = (row.options.get("given") or {}).items()
    return [(camel(key), global_id(_record_of(target, key), int(id))) for key, id in given]


def _record_of(target: Target, key: str) -> type[Entity]:
    (foreign,) = column_of(target.model, key).foreign_keys
    return _BY_TABLE[foreign.column.table.name]
