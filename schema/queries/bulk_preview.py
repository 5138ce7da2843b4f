"""The query `bulkPreview`: what a bulk change would come to."""

from collections.abc import Mapping
from typing import Any

import strawberry

from models.errors import Refusal, Validation
from resolvers.bulk.previewing import MOST_COUNTED, Preview, Sample, called, preview, room
from resolvers.exports.cells import Cell
from resolvers.runtime.ids import camel, global_id
from resolvers.runtime.scope import Scope

from ..contract import GraphQLInfo, Problem, derived, problem_of, query
from ..mutations.bulk_changes import IN_BULK, asked, input_name
from ..plan.shape import plural
from ..types import make

_INPUT = "BulkPreviewInput"


@strawberry.type(description="A refusal, and how many of the tried records get it.")
class BulkRefusal:
    problem: Problem
    count: int


@strawberry.type(description="A field that changes, as lists show it.")
class BulkSampleValue:
    field: str
    label: str
    before: str | None
    after: str | None


@strawberry.type(description="One record that would change.")
class BulkSample:
    record_id: strawberry.ID
    name: str
    values: list[BulkSampleValue]


@strawberry.type(description="Records of the former owners that go along with customers.")
class BulkRelated:
    kind: str
    count: int


@strawberry.type(
    description="What a bulk change would come to. `changes`, `same` and `refused` are about the tried records."
)
class BulkPreview:
    matches: int = strawberry.field(description="How many records it is about.")
    is_counted: bool = strawberry.field(description="False where there are more than `matches`.")
    tried: int = strawberry.field(description="How many of them, the first ones, were tried out.")
    changes: int = 0
    same: int = 0
    refused: list[BulkRefusal] = strawberry.field(default_factory=list)
    samples: list[BulkSample] = strawberry.field(default_factory=list)
    related: list[BulkRelated] = strawberry.field(default_factory=list)
    receiver_room: int | None = strawberry.field(
        default=None, description="How many customers more the new owner may hold; null for no limit."
    )
    locked: list[str] = strawberry.field(default_factory=list, description="Numbers of locked customers.")


@strawberry.type(description="The preview, or what was refused as a whole.")
class BulkPreviewPayload:
    preview: BulkPreview | None = None
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
        return BulkPreviewPayload(problems=[problem_of(refusal, scope.language)])


def _shown(scope: Scope, found: Preview) -> BulkPreview:
    handing = found.handing
    return BulkPreview(
        matches=min(found.matches, MOST_COUNTED),
        is_counted=found.is_counted,
        tried=found.tried,
        changes=found.changes,
        same=found.same,
        refused=[
            BulkRefusal(problem=problem_of(refusal, scope.language), count=count) for refusal, count in found.refused
        ],
        samples=[_sample(scope, found, each) for each in found.samples],
        related=[BulkRelated(kind=kind.module, count=count) for kind, count in handing.related.items()]
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
