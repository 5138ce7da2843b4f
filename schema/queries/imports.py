"""The queries of imports as a whole: `imports`, `import`, `importTargets`, `importProposals`, `importProgress` and others."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import strawberry
from sqlalchemy.orm import Session

from models import ImportBatch, Job
from models.import_batch import Overwrite
from models.job import JobState
from resolvers.imports import batches, mapping, targets
from resolvers.imports.advance import Advance, advance, outlook
from resolvers.imports.spelled import spelled_given
from resolvers.imports.targets import Target, target_of
from resolvers.runtime.ids import camel, global_id, number_of
from resolvers.runtime.scope import Scope

from ..contract import GraphQLInfo, query
from ..nodes import node
from ..types.import_targets import ImportProposalType, ImportTargetType, shown_proposal, shown_target
from ..types.imports import (
    Counts,
    EarlierImportType,
    ImportColumnType,
    ImportFileType,
    ImportGivenType,
    ImportOutlookType,
    ImportPlanType,
    ImportProgressType,
    ImportSheetType,
    ImportType,
)

T = TypeVar("T")
OfImport = Annotated[strawberry.ID, strawberry.argument(name="import", description="One of your imports.")]


@query("user.imports")
async def imports(info: GraphQLInfo, before: strawberry.ID | None = None, first: int = 50) -> list[ImportType]:
    """Your imports, the newest first; `before` is an id."""
    scope = info.context.scope
    last = number_of(ImportBatch, before) if before is not None else None
    return shown(scope, await scope.read(batches.imports, before=last, first=first))


@query("user.imports")
async def import_(info: GraphQLInfo, id: strawberry.ID) -> ImportType | None:
    """One of your imports; null for one that is not there, or is somebody else's."""
    return await read_import(info.context.scope, number_of(ImportBatch, id))


@query("user.imports")
async def import_targets(info: GraphQLInfo) -> list[ImportTargetType]:
    """What you may import, each with the fields that you may set."""
    scope = info.context.scope
    return [shown_target(*each, scope.language) for each in await scope.read(_offered)]


@query("user.imports")
async def import_proposals(info: GraphQLInfo, import_: OfImport) -> list[ImportProposalType]:
    """A field for each column of a file that is read, or to leave it out, with the reason."""
    scope = info.context.scope
    _, found = await of_import(scope, import_, mapping.proposals)
    return [shown_proposal(each, scope.language) for each in found]


@query("user.imports")
async def import_progress(info: GraphQLInfo, import_: OfImport) -> ImportProgressType:
    """How far the present step is."""
    return await read_progress(info.context.scope, import_)


@query("user.imports")
async def import_outlook(info: GraphQLInfo, import_: OfImport) -> ImportOutlookType:
    """What a confirmation would do now."""
    _, found = await of_import(info.context.scope, import_, outlook)
    return ImportOutlookType(created=found.created, changed=found.changed, behind=found.behind, skipped=found.skipped)


@query("user.imports")
async def imports_of_same_file(info: GraphQLInfo, import_: OfImport) -> list[EarlierImportType]:
    """Your imports of the same file that have written records, the newest first: look there before you confirm."""
    _, found = await of_import(info.context.scope, import_, batches.came_before)
    return [
        EarlierImportType(import_id=strawberry.ID(global_id(ImportBatch, each.id)), at=each.at, rows=each.rows)
        for each in found
    ]


# --- shared with mutations and subscriptions -------------------------------------------------------------


async def of_import(scope: Scope, id: object, look: Callable[..., T], **more: Any) -> tuple[ImportBatch, T]:
    """An import of the caller, and what `look(scope, db, row, …)` finds of it.  Raises NotFound."""

    def read(scope: Scope, db: Session) -> tuple[ImportBatch, T]:
        row = batches.own(scope, db, number_of(ImportBatch, id))
        return row, look(scope, db, row, **more)

    return await scope.read(read)


@node(ImportBatch)
async def _nodes(scope: Scope, ids: Sequence[int]) -> dict[int, ImportType]:
    rows = await scope.read(batches.imports, ids=ids, first=len(ids))
    return {row.id: made for row, made in zip(rows, shown(scope, rows), strict=True)}


async def read_import(scope: Scope, id: int) -> ImportType | None:
    row = await scope.read(batches.find, id)
    return shown(scope, [row])[0] if row is not None else None


async def read_progress(scope: Scope, id: object) -> ImportProgressType:
    row, now = await of_import(scope, id, advance)
    return _progress(scope, row, now)


def shown(scope: Scope, rows: Sequence[ImportBatch]) -> list[ImportType]:
    counts = Counts(rows)
    return [_shown(scope, row, counts) for row in rows]


# --- steps -----------------------------------------------------------------------------------------------


def _offered(scope: Scope, db: Session) -> list[tuple[Target, Any]]:
    return [(target, mapping.fields_of(scope, db, target)) for target in targets.offered_targets(scope)]


def _shown(scope: Scope, row: ImportBatch, counts: Counts) -> ImportType:
    is_chinese, names = scope.language.startswith("zh"), target_of(row.target).names
    return ImportType(
        id=strawberry.ID(global_id(ImportBatch, row.id)),
        target=row.target,
        target_name=(names.zh_many or names.zh) if is_chinese else names.many,
        file_name=row.file_name,
        state=row.state,
        is_resting=row.is_resting,
        rows=row.rows,
        file=_file(row) if row.overview else None,
        columns=_columns(row),
        plan=_plan(row) if row.mapping else None,
        error_code=row.error_code,
        error=row.error_zh if is_chinese else row.error,
        results_address=f"/files/{global_id(ImportBatch, row.id)}" if row.result_at else None,
        created_at=row.created_at,
        confirmed_at=row.confirmed_at,
        ended_at=row.ended_at,
        row=row,
        counts=counts,
    )


def _file(row: ImportBatch) -> ImportFileType:
    found, choices = row.overview or {}, batches.choices_of(row)
    plain = ("kind", "sheet", "header_row", "rows", "hidden_rows", "blank_rows", "encoding", "delimiter")
    return ImportFileType(
        sheets=[ImportSheetType(name=x["name"], is_hidden=x["hidden"], rows=x["rows"]) for x in found["sheets"]],
        reads_hidden_rows=choices.hidden_rows,
        merged=found["merged"],
        fills_merged=choices.fill_merged,
        has_macros=found["macros"],
        encoding_is_sure=found["encoding_sure"],
        delimiter_is_sure=found["delimiter_sure"],
        **{key: found[key] for key in plain},
    )


def _columns(row: ImportBatch) -> list[ImportColumnType]:
    held, overwrite = row.mapping or {}, row.options.get("overwrite") or {}
    orders, undecided = row.options.get("dates") or {}, row.options.get("undecided") or {}
    return [
        ImportColumnType(
            place=each["index"],
            letters=each["letters"],
            heading=each["name"],
            filled=each["filled"],
            field=camel(held[place]) if (place := str(each["index"])) in held else None,
            overwrite=Overwrite(overwrite.get(held.get(place, ""), Overwrite.ALWAYS)),
            date_order=orders.get(place),
            undecided_date=undecided.get(place),
        )
        for each in (row.overview or {}).get("columns", ())
    ]


def _plan(row: ImportBatch) -> ImportPlanType:
    return ImportPlanType(
        mode=row.mode,
        key=[*map(camel, row.options.get("key") or ())],
        given=[ImportGivenType(input=key, value=strawberry.ID(id)) for key, id in spelled_given(row)],
        clears=bool(row.options.get("clears")),
        reason=row.options.get("reason"),
        creates_customers=bool(row.options.get("creates_customers")),
    )


def _progress(scope: Scope, row: ImportBatch, now: Advance) -> ImportProgressType:
    has_stopped = now.job in (JobState.FAILED, JobState.CANCELLED)
    return ImportProgressType(
        state=row.state,
        is_resting=row.is_resting or has_stopped,
        done=now.done,
        total=now.total,
        per_second=now.per_second,
        seconds_left=now.seconds_left,
        job_id=strawberry.ID(global_id(Job, now.job_id)) if now.job_id else None,
        job_state=now.job,
        error=now.error[scope.language.startswith("zh")] if now.error else None,
    )
