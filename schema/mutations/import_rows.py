"""Corrections of an import before it is confirmed: cells of a row, one wrong value in all rows, rows that are left out."""

from collections.abc import Callable

import strawberry

from models import ImportBatch
from models.errors import Refusal
from resolvers.imports import correcting
from resolvers.runtime.ids import number_of
from resolvers.runtime.scope import Scope

from ..contract import GraphQLInfo, mutation
from ..problems import Problem, problems_of
from ..queries.import_rows import ImportRowType, read_row
from ..queries.imports import read_import
from ..types.imports import ImportType


@strawberry.input(description="What a cell says instead; null for what the sheet says.")
class ImportCellInput:
    place: int
    """The place of the column in the sheet, from 0."""
    text: str | None = None
    """What the cell is to say; empty empties it."""


@strawberry.input(description="Cells of one row.")
class EditImportRowInput:
    id: strawberry.ID
    row: int = strawberry.field(description="Its number, as Excel shows it.")
    cells: list[ImportCellInput]
    """The cells to correct; others stay."""


@strawberry.input(description="One value of a column, and what it says in all rows instead.")
class FixImportValueInput:
    id: strawberry.ID
    place: int
    """The place of the column in the sheet, from 0."""
    wrong: str
    """The value as the cells have it."""
    right: str
    """What they are to say instead; empty empties them."""
    learn: bool = strawberry.field(
        default=False, description="The dictionary of the column knows the wrong word as another name from now on."
    )


@strawberry.input(description="Rows to leave out, or to take back; at most 1,000 at once.")
class SkipImportRowsInput:
    id: strawberry.ID
    rows: list[int]
    """Numbers of rows in the sheet."""
    is_skipped: bool = True
    """True leaves them out, false takes them in again."""


@strawberry.type(description="The row as it is judged now, and what was refused.")
class ImportRowPayload:
    row: ImportRowType | None = None
    """The row as it stands after the correction; null where it was refused."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@strawberry.type(description="How many rows were changed, the import as it is now, and what was refused.")
class ImportRowsPayload:
    rows: int = 0
    """Number of rows that were changed."""
    import_: ImportType | None = strawberry.field(name="import", default=None)
    """The import as it stands."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@mutation("user.imports")
async def edit_import_row(info: GraphQLInfo, input: EditImportRowInput) -> ImportRowPayload:
    """Correct cells of a row, which is checked again at once."""
    scope, problems = info.context.scope, []
    cells = {cell.place: cell.text for cell in input.cells}
    try:
        await scope.run(correcting.edit_row, number_of(ImportBatch, input.id), input.row, cells)
    except Refusal as refusal:
        problems += problems_of([refusal], scope.language)
    return ImportRowPayload(row=await read_row(scope, input.id, input.row), problems=problems)


@mutation("user.imports")
async def fix_import_value(info: GraphQLInfo, input: FixImportValueInput) -> ImportRowsPayload:
    """Correct a value in all rows that hold it, in those behind row 10,000 in the background."""
    more = (input.place, input.wrong, input.right)
    return await _many(
        info, input.id, lambda scope, number: correcting.fix_value(scope, number, *more, learn=input.learn)
    )


@mutation("user.imports")
async def skip_import_rows(info: GraphQLInfo, input: SkipImportRowsInput) -> ImportRowsPayload:
    """Leave rows out, or take them back, which checks them again."""
    return await _many(
        info, input.id, lambda scope, number: correcting.skip_rows(scope, number, input.rows, skipped=input.is_skipped)
    )


async def _many(info: GraphQLInfo, id: object, use_case: Callable[[Scope, int], int]) -> ImportRowsPayload:
    scope, number, rows, problems = info.context.scope, number_of(ImportBatch, id), 0, []
    try:
        rows = await scope.run(use_case, number)
    except Refusal as refusal:
        problems += problems_of([refusal], scope.language)
    return ImportRowsPayload(rows=rows, import_=await read_import(scope, number), problems=problems)
