"""Custom fields of a record as it was at a moment, which the log tells."""

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import FieldNode

from models.custom_field import Custom
from resolvers.audit.as_of import AsOf, PastValue
from resolvers.records.custom_values import still_fits
from resolvers.runtime.custom_fields import referred_kind
from resolvers.runtime.ids import global_id
from resolvers.runtime.viewer import Viewer

from ..plan.selection import Operation
from ..plan.shape import name_of
from .custom import TYPES, CustomText, asked_fields


def past_values(viewer: Viewer, operation: Operation, past: AsOf, nodes: Sequence[FieldNode]) -> list[dict[str, Any]]:
    """What `custom` selects of a past record.  A value is null where the field was empty, or had another kind then."""
    arguments = operation.arguments(name_of(past.model), nodes[0])
    held = {it.key: it for it in past.values}
    found = []
    for custom in asked_fields(past.model, viewer, arguments.get("keys")):
        name = TYPES.get(custom.kind, CustomText).__name__
        known = _past_members(viewer, custom, name, held.get(custom.word))
        selected = operation.subfields(name, nodes).items()
        found.append({**{alias: known[group[0].name.value] for alias, group in selected}, "~type": name})
    return found


def _past_members(viewer: Viewer, custom: Custom, name: str, past: PastValue | None) -> Mapping[str, Any]:
    fits = past is not None and still_fits(custom, past.value)
    value, named = (past.value, past.name) if past is not None and fits else (None, None)
    target = referred_kind(custom)
    said = dict.fromkeys(("text", "number", "amount", "date", "at", "yes", "word", "words"), value)
    return {
        **said,
        "__typename": name,
        "key": custom.key,
        "label": custom.label(viewer.language),
        "kind": custom.kind.value,
        "wordLabel": named,
        "recordId": global_id(target, value) if target is not None and value is not None else None,
        "recordName": named,
    }
