"""The query `bulkPreview`: what a bulk change would come to."""

from collections.abc import Mapping
from typing import Any

import strawberry

from models.errors import Refusal, Validation
from resolvers.bulk.previewing import MOST_COUNTED, Preview, Sample, called, preview, room
from resolvers.exports.cells import Cell
from resolvers.runtime.ids import camel, global_id
from resolvers.runtime.scope import Scope

from ..closed_lists import entity_of
from ..contract import GraphQLInfo, derived, query
from ..mutations.bulk_changes import IN_BULK, asked, input_name
from ..plan.shape import plural
from ..problems import Problem, problems_of
from ..types import make
from ..types.enums import EntityNameType

_INPUT = "BulkPreviewInput"


@strawberry.type(description="A refusal, and how many of the tried records get it.")
class BulkRefusal:
    problem: Problem
    """What stands against it."""
    count: int
    """How many of the tried records it is about."""


@strawberry.type(description="A field that changes, as lists show it.")
class BulkSampleValue:
    field: str
    """The field by its name in the API."""
    label: str
    """What forms call the field, in your language."""
    before: str | None
    """What it holds now, as a person reads it."""
    after: str | None
    """What it would hold, as a person reads it."""


@strawberry.type(description="One record that would change.")
class BulkSample:
    record_id: strawberry.ID
    """The global id of the record."""
    name: str
    """What the record is called."""
    values: list[BulkSampleValue]
    """The fields that would change."""


@strawberry.type(description="Records of the former owners that go along with customers.")
class BulkRelated:
    entity: EntityNameType
    """The kind of records that go along."""
    count: int
    """How many of them go along."""


@strawberry.type(
    description="What a bulk change would come to. `changes`, `same` and `refused` are about the tried records."
)
class BulkPreview:
    matches: int = strawberry.field(description="How many records it is about.")
    is_counted: bool = strawberry.field(description="False where there are more than `matches`.")
    tried: int = strawberry.field(description="How many of them, the first ones, were tried out.")
    changes: int = 0
    """How many of the tried records would change."""
    same: int = 0
    """How many of the tried records hold the values already."""
    refused: list[BulkRefusal] = strawberry.field(default_factory=list)
    """What would be refused, the most frequent first."""
    samples: list[BulkSample] = strawberry.field(default_factory=list)
    """At most three records that would change, with their values before and after."""
    related: list[BulkRelated] = strawberry.field(default_factory=list)
    """How many records of each kind would go along to the new owner."""
    receiver_room: int | None = strawberry.field(
        default=None, description="How many customers more the new owner may hold; null for no limit."
    )
    locked: list[str] = strawberry.field(default_factory=list, description="Numbers of locked customers.")


@strawberry.type(description="The preview, or what was refused as a whole.")
class BulkPreviewPayload:
    preview: BulkPreview | None = None
    """What it would come to; null where it was refused."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@derived
def declare_preview() -> None:
    kinds = {make.python_name(plural(model)): make.named(input_name(model)) | None for model in IN_BULK}
    doc = "One kind of records, with what its bulk mutation takes."
    make.new_type(_INPUT, kinds, doc, strawberry.input, dict.fromkeys(kinds))
    annotations = {"info": GraphQLInfo, "input": _INPUT, "return": BulkPreviewPayload}
    query("user.bulk_changes")(make.function("bulk_preview", annotations, _bulk_preview))


async def _bulk_preview(info: GraphQLInfo, input: Any) -> BulkPreviewPayload:
    """What a bulk change would come to, tried out on its first records; nothing is changed."""
    scope = info.context.scope
    given = {model: x for model in IN_BULK if (x := getattr(input, make.python_name(plural(model)))) is not None}
    try:
        if len(given) != 1:
            raise Validation("Give one kind of records.", "请指定一种记录。", field="input")
        ((model, of),) = given.items()
        chosen, wanted = asked(scope, model, of)
        return BulkPreviewPayload(preview=_shown(scope, await preview(scope, model, chosen, wanted, of.reason)))
    except Refusal as refusal:
        return BulkPreviewPayload(problems=problems_of([refusal], scope.language))


def _shown(scope: Scope, found: Preview) -> BulkPreview:
    handing = found.handing
    return BulkPreview(
        matches=min(found.matches, MOST_COUNTED),
        is_counted=found.is_counted,
        tried=found.tried,
        changes=found.changes,
        same=found.same,
        refused=[
            BulkRefusal(problem=Problem.of(refusal, scope.language), count=count) for refusal, count in found.refused
        ],
        samples=[_sample(scope, found, each) for each in found.samples],
        related=[BulkRelated(entity=entity_of(kind), count=count) for kind, count in handing.related.items()]
        if handing
        else [],
        receiver_room=room(handing.receiver) if handing else None,
        locked=[*handing.locked] if handing else [],
    )


def _sample(scope: Scope, found: Preview, sample: Sample) -> BulkSample:
    values = [
        BulkSampleValue(
            field=camel(key),
            label=called(column, scope.language),
            before=_text(sample.before, key),
            after=_text(sample.after, key),
        )
        for key, column in found.columns.items()
    ]
    return BulkSample(record_id=strawberry.ID(global_id(sample.model, sample.id)), name=sample.name, values=values)


def _text(values: Mapping[str, Cell], key: str) -> str | None:
    value = values.get(key)
    return None if value is None else str(value)
