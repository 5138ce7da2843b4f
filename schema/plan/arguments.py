"""Arguments as the client wrote them, made into what `find` understands: column keys, numbers for ids."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from models import Base
from resolvers.reading.provenance import derive
from resolvers.runtime.ids import number_of

from .shape import SHAPES, AnyId, Column

_WORDS = {"isNull": "is_null", "startsWith": "starts_with", "endsWith": "ends_with"}


def filter_of(model: type[Base], given: Mapping[str, Any]) -> dict[str, Any]:
    """A filter tree by column keys.  An id of another kind finds nothing, as a missing one does."""
    tree: dict[str, Any] = {}
    for name, wanted in given.items():
        if wanted is None:
            continue
        if name in ("and", "or"):
            tree.setdefault(name, []).extend(filter_of(model, part) for part in wanted)
        elif name == "not":
            tree[name] = filter_of(model, wanted)
        else:
            shape = SHAPES[model].get(name)
            if isinstance(shape, AnyId):
                tree.setdefault("and", []).append(_any_id(shape, wanted))
                continue
            key = shape.column.key if isinstance(shape, Column) else name
            tree[key] = {_WORDS.get(op, op): _operand(model, shape, op, x) for op, x in wanted.items()}
    return tree


def _operand(model: type[Base], shape: Any, operator: str, given: Any) -> Any:
    if not isinstance(shape, Column) or given is None or operator == "isNull":
        return given
    if shape.target is None and not shape.column.primary_key:
        return given
    target = shape.target or model
    number = partial(number_of, target)
    return [derive(x, number) for x in given] if isinstance(given, list) else derive(given, number)


def _any_id(shape: AnyId, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """An id whose prefix says the table is two conditions: on the number, and on the column that names the table."""
    parts: list[dict[str, Any]] = []
    for operator, given in wanted.items():
        if given is None:
            continue
        if operator == "isNull":
            parts.append({shape.column.key: {"is_null": given}})
            continue
        ids = given if isinstance(given, list) else [given]
        one_of = {"or": [_pair(shape, text) for text in ids]}
        parts.append({"not": one_of} if operator == "ne" else one_of)
    return {"and": parts}


def _pair(shape: AnyId, text: str) -> dict[str, Any]:
    for word, target in shape.targets.items():
        if number := number_of(target, text):
            return {shape.column.key: {"eq": number}, shape.kind: {"eq": word}}
    return {shape.column.key: {"eq": 0}}


def orders_of(given: Sequence[Mapping[str, Any]] | None) -> list[tuple[str, bool]]:
    """(column key, descending) for each step."""
    return [(_bare(step["field"]), _bare(step.get("direction", "ASC")) == "DESC") for step in given or ()]


def _bare(word: Any) -> str:
    return str(getattr(word, "value", word))
