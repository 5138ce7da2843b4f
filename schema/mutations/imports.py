"""Imports: begin one with a file, map its columns, check it, carry it out, end it and undo it."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import strawberry
from sqlalchemy.orm import Session

from models import ImportBatch, Upload
from models.errors import Refusal
from models.import_batch import ImportMode, Overwrite
from models.sheet_choices import Choices
from resolvers.imports import applying, batches, mapping, results, spelled, undoing, uploads
from resolvers.imports.date_columns import Order
from resolvers.imports.mapping import Plan
from resolvers.runtime.ids import number_of
from resolvers.runtime.scope import Scope

from ..contract import DonePayload, GraphQLInfo, done, mutation
from ..problems import Problem, problems_of
from ..queries.imports import read_import
from ..types.imports import ImportDateOrder, ImportModeType, ImportOverwrite, ImportType


@strawberry.input(description="A file that `POST /files` has taken, and what it brings in.")
class CreateImportInput:
    file: strawberry.ID = strawberry.field(description="Like `upl_1`. It is used once.")
    target: str = strawberry.field(description="A code of `importTargets`, like `customer`.")


@strawberry.input(description="One of your imports.")
class ImportInput:
    id: strawberry.ID


@strawberry.input(description="An import, and the corrected file that `POST /files` has taken.")
class ContinueImportInput:
    id: strawberry.ID
    file: strawberry.ID
    """The corrected result workbook, as `POST /files` has named it: `upl_…`."""


@strawberry.input(description="One of your files that no import has used.")
class UploadInput:
    id: strawberry.ID


@strawberry.input(description="How to read the file. What is left out is as the file suggests.")
class ReadImportAnewInput:
    id: strawberry.ID
    sheet: str | None = None
    """The name of the sheet; without it the one that was read."""
    header_row: int | None = strawberry.field(default=None, description="Counts from 1, as in Excel.")
    encoding: str | None = strawberry.field(default=None, description="Of a CSV file, like GB18030.")
    delimiter: str | None = strawberry.field(default=None, description="Of a CSV file: one character.")
    hidden_rows: bool = strawberry.field(default=False, description="Read rows that are hidden or filtered out, too.")
    fill_merged: bool = strawberry.field(default=False, description="Give each row of merged cells their value.")


@strawberry.input(description="The field that a column holds.")
class ImportColumnInput:
    place: int
    """The place of the column in the sheet, from 0."""
    field: str | None = strawberry.field(default=None, description="The key of a field; null leaves the column out.")
    dates: ImportDateOrder | None = strawberry.field(default=None, description="The order of its dates.")
    overwrite: ImportOverwrite = strawberry.field(
        default=Overwrite.ALWAYS, description="What an update does with the field."
    )


@strawberry.input(description="A value of all rows: `poolId` and the id of a pool.")
class ImportGivenInput:
    input: str
    """The field by its key."""
    value: strawberry.ID
    """The value as text."""


@strawberry.input(description="Which columns hold what, and what becomes of the rows.")
class SetImportMappingInput:
    id: strawberry.ID
    columns: list[ImportColumnInput] = strawberry.field(description="Columns that are not named are left out.")
    mode: ImportModeType = ImportMode.INSERT
    key: list[str] = strawberry.field(
        default_factory=list, description="The fields that find an existing record; one of `keys` of the target."
    )
    given: list[ImportGivenInput] = strawberry.field(default_factory=list)
    """Values that every row gets for fields without a column."""
    clears: bool = strawberry.field(default=False, description="Whether an empty cell empties the field of an update.")
    reason: str | None = strawberry.field(
        default=None, description="Why certain duplicates are no duplicates; it is kept with each of them."
    )
    creates_customers: bool = strawberry.field(
        default=False, description="Make a new customer of a company that is not there, one for all of its rows."
    )


@strawberry.type(description="The import as it is now, and what was refused.")
class ImportPayload:
    import_: ImportType | None = strawberry.field(name="import", default=None)
    """The import as it stands; null where it was refused."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@mutation("user.imports")
async def create_import(info: GraphQLInfo, input: CreateImportInput) -> ImportPayload:
    """Begin an import.  Asks for the right `import` of the kind of record.  The file is read in the background."""
    scope = info.context.scope
    try:
        id = await scope.run(uploads.begin, input.target, number_of(Upload, input.file))
    except Refusal as refusal:
        return ImportPayload(problems=problems_of([refusal], scope.language))
    return ImportPayload(import_=await read_import(scope, id))


@mutation("user.imports")
async def read_import_anew(info: GraphQLInfo, input: ReadImportAnewInput) -> ImportPayload:
    """Read the file in another way.  Mapping and corrections are given up."""
    choices = Choices(**{each.name: getattr(input, each.name) for each in fields(Choices)})
    return await changed(info.context.scope, input.id, batches.read_anew, choices)


@mutation("user.imports")
async def set_import_mapping(info: GraphQLInfo, input: SetImportMappingInput) -> ImportPayload:
    """Choose which columns hold what.  All rows are then checked in the background, without a change."""
    scope = info.context.scope
    try:
        plan = await scope.read(_plan, input)
    except Refusal as refusal:
        return await _refused(scope, input.id, refusal)
    return await changed(scope, input.id, mapping.set_mapping, plan)


@mutation("user.imports")
async def check_import(info: GraphQLInfo, input: ImportInput) -> ImportPayload:
    """Check all rows again, because what they name may be there by now."""
    return await changed(info.context.scope, input.id, mapping.check_anew)


@mutation("user.imports")
async def confirm_import(info: GraphQLInfo, input: ImportInput) -> ImportPayload:
    """Carry a checked import out, or what is left of a stopped one, in the background.  Confirmed twice, it is carried out once."""
    return await changed(info.context.scope, input.id, applying.confirm)


@mutation("user.imports")
async def cancel_import(info: GraphQLInfo, input: ImportInput) -> ImportPayload:
    """End an import.  While it is carried out it stops, and what it has written stays."""
    return await changed(info.context.scope, input.id, applying.end)


@mutation("user.imports")
async def undo_import(info: GraphQLInfo, input: ImportInput) -> ImportPayload:
    """Take back what an import has written, as far as nobody has changed it since, in the background."""
    return await changed(info.context.scope, input.id, undoing.begin_undoing)


@mutation("user.imports")
async def write_import_results(info: GraphQLInfo, input: ImportInput) -> ImportPayload:
    """Have a workbook written with the state and the reasons of each row: the `resultsAddress` of the import."""
    return await changed(info.context.scope, input.id, results.begin)


@mutation("user.imports")
async def continue_import(info: GraphQLInfo, input: ContinueImportInput) -> ImportPayload:
    """Take the corrections of a file over: of the result workbook, or of the original.  They are checked then."""
    return await changed(info.context.scope, input.id, uploads.continue_with, number_of(Upload, input.file))


@mutation("user.imports")
async def delete_upload(info: GraphQLInfo, input: UploadInput) -> DonePayload:
    """Delete a file that no import has used."""
    return await done(info.context.scope, uploads.delete, number_of(Upload, input.id))


async def changed(scope: Scope, id: object, use_case: Callable[..., object], *more: Any) -> ImportPayload:
    """Run a use case of an import; the payload has its refusal, and the import as it is then."""
    number, problems = number_of(ImportBatch, id), []
    try:
        await scope.run(use_case, number, *more)
    except Refusal as refusal:
        problems += problems_of([refusal], scope.language)
    return ImportPayload(import_=await read_import(scope, number), problems=problems)


# --- steps -----------------------------------------------------------------------------------------------


async def _refused(scope: Scope, id: object, refusal: Refusal) -> ImportPayload:
    shown = await read_import(scope, number_of(ImportBatch, id))
    return ImportPayload(import_=shown, problems=problems_of([refusal], scope.language))


def _plan(scope: Scope, db: Session, input: SetImportMappingInput) -> Plan:
    target, keys = spelled.keys_of(scope, db, number_of(ImportBatch, input.id))
    columns = {x.place: spelled.key_of(keys, x.field, "columns") for x in input.columns if x.field is not None}
    overwrite = {columns[x.place]: Overwrite(x.overwrite) for x in input.columns if x.place in columns}
    return Plan(
        columns=columns,
        mode=ImportMode(input.mode),
        key=tuple(spelled.key_of(keys, each, "key") for each in input.key),
        given=spelled.given_of(target, [(each.input, each.value) for each in input.given]),
        dates={x.place: Order(x.dates) for x in input.columns if x.dates is not None},
        overwrite={key: how for key, how in overwrite.items() if how is not Overwrite.ALWAYS},
        clears=input.clears,
        reason=input.reason,
        creates_customers=input.creates_customers,
    )
