"""The queries of the rows of imports: `importRows`, `importWrongValues` and `importSamples`."""

from typing import Any

import strawberry
from sqlalchemy.orm import Session

from models import ImportBatch
from models.choice_names import in_language
from models.errors import NotFound
from models.import_batch import RowState
from resolvers.imports import looking
from resolvers.imports.looking import ShownProblem, ShownRow
from resolvers.imports.targets import target_of
from resolvers.runtime.ids import camel, global_id
from resolvers.runtime.scope import Scope

from ..contract import GraphQLInfo, query
from ..types.imports import ImportDateOrder, RowStateType
from .imports import OfImport, of_import

LARGEST_PAGE = 10_000
"""Maximum number of cells of one page: they are answered one by one, and all others wait meanwhile."""


@strawberry.type(name="ImportCell", description="One cell of a row.")
class ImportCellType:
    place: int
    """The place of the column in the sheet, from 0."""
    heading: str
    """The heading of the column."""
    field: str | None = strawberry.field(description="The key of the field that its column holds.")
    text: str = strawberry.field(description="What it says, with your correction.")
    is_edited: bool
    """Whether a user has corrected it here."""


@strawberry.type(name="ImportProblem", description="What is wrong with a row, or what it warns of.")
class ImportProblemType:
    field: str | None = strawberry.field(description="Null for the row as a whole.")
    place: int | None
    """The place of the column, from 0; null where the row as a whole is meant."""
    code: str
    message: str = strawberry.field(description="A sentence in your language.")
    likely: list[str] = strawberry.field(description="What was probably meant.")


@strawberry.type(name="ImportRow", description="One row of the sheet.")
class ImportRowType:
    number: int = strawberry.field(description="As Excel shows it.")
    state: RowStateType
    """What was found about the row, or became of it."""
    cells: list[ImportCellType]
    """The cells of the row as they were read or corrected."""
    problems: list[ImportProblemType]
    warnings: list[ImportProblemType]
    """What a user should look at, though it does not stop the row."""
    record_id: strawberry.ID | None = strawberry.field(description="The record that it creates or changes.")


@strawberry.type(name="ImportWrongValue", description="A value of a column that is wrong, whatever else a row holds.")
class ImportWrongValueType:
    place: int
    """The place of the column in the sheet, from 0."""
    heading: str
    """The heading of the column."""
    field: str
    """The field that the column holds, by its key."""
    text: str
    """The value as the cells have it."""
    rows: int = strawberry.field(description="Rows that hold it.")
    message: str
    """What is wrong with it, as a sentence in your language."""
    likely: list[str]
    """Values that were probably meant, the likeliest first."""


@strawberry.type(name="ImportComparison", description="One field as the sheet and the record say it.")
class ImportComparisonType:
    name: str
    """What the field is called, in your language."""
    sheet: str
    """What the cell says."""
    record: str
    """What the record holds now, as a person reads it."""


@strawberry.type(name="ImportSample", description="A row that was carried out, beside its record.")
class ImportSampleType:
    row: ImportRowType
    """The number of the row in the sheet."""
    record_id: strawberry.ID
    """The record that the row created or changed; null where it is out of your sight."""
    label: str
    """What that record is called."""
    values: list[ImportComparisonType]
    """The cells of the row beside the fields of the record."""


@strawberry.type(name="ImportNotice", description="What you should know of an import before you confirm it.")
class ImportNoticeType:
    message: str = strawberry.field(description="A sentence in your language.")
    earlier_import_id: strawberry.ID | None = strawberry.field(description="The import of the same file before.")
    place: int | None = strawberry.field(description="The column whose dates can be read in another order.")
    other_date_order: ImportDateOrder | None = strawberry.field(description="That order, for `setImportMapping`.")


@query("user.imports")
async def import_notices(info: GraphQLInfo, import_: OfImport) -> list[ImportNoticeType]:
    """The weightiest first: the same file before, dates that are read by guess, and what was left out."""
    scope = info.context.scope
    _, found = await of_import(scope, import_, looking.notices)
    return [
        ImportNoticeType(
            message=in_language(each.said, scope.language),
            earlier_import_id=strawberry.ID(global_id(ImportBatch, each.earlier_id)) if each.earlier_id else None,
            place=each.reread.place if each.reread else None,
            other_date_order=each.reread.order if each.reread else None,
        )
        for each in found
    ]


@query("user.imports")
async def import_rows(
    info: GraphQLInfo,
    import_: OfImport,
    state: list[RowStateType] | None = None,
    after: int = 0,
    first: int = 50,
) -> list[ImportRowType]:
    """Rows in these states, or all, in the order of the sheet: at most 200, and of a wide sheet as many as have 10,000 cells.

    `after` is the number of the last row of the page before; the page behind the last one is empty.
    """
    more = {"states": [RowState(each) for each in state or ()], "after": after, "first": first}
    row, found = await of_import(info.context.scope, import_, _page, **more)
    return [shown_row(row, each) for each in found]


@query("user.imports")
async def import_wrong_values(info: GraphQLInfo, import_: OfImport, first: int = 50) -> list[ImportWrongValueType]:
    """The distinct wrong values, those of most rows first: `fixImportValue` corrects one in all of its rows."""
    _, found = await of_import(info.context.scope, import_, looking.wrong_values, first=first)
    return [
        ImportWrongValueType(
            place=each.place,
            heading=each.heading,
            field=camel(each.field),
            text=each.text,
            rows=each.rows,
            message=each.sentence,
            likely=[*each.likely],
        )
        for each in found
    ]


@query("user.imports")
async def import_samples(info: GraphQLInfo, import_: OfImport, first: int = 5) -> list[ImportSampleType]:
    """Rows that were carried out, chosen at random and always the same, beside their records; at most 20."""
    row, found = await of_import(info.context.scope, import_, looking.samples, n=first)
    model = target_of(row.target).model
    return [
        ImportSampleType(
            row=shown_row(row, each.row),
            record_id=strawberry.ID(global_id(model, each.record_id)),
            label=each.label,
            values=[ImportComparisonType(name=name, sheet=sheet, record=says) for name, sheet, says in each.values],
        )
        for each in found
    ]


def _page(scope: Scope, db: Session, row: ImportBatch, *, first: int, **more: Any) -> list[ShownRow]:
    columns = len((row.overview or {}).get("columns", ()))
    return looking.rows(scope, db, row, first=min(first, max(1, LARGEST_PAGE // max(1, columns))), **more)


async def read_row(scope: Scope, id: object, number: int) -> ImportRowType | None:
    """One row of an import of the caller; None for one that is not there."""
    try:
        row, found = await of_import(scope, id, looking.rows, after=number - 1, first=1)
    except NotFound:
        return None
    return next((shown_row(row, each) for each in found if each.number == number), None)


def shown_row(row: ImportBatch, each: ShownRow) -> ImportRowType:
    model = target_of(row.target).model
    return ImportRowType(
        number=each.number,
        state=each.state,
        cells=[
            ImportCellType(
                place=cell.place,
                heading=cell.heading,
                field=camel(cell.field) if cell.field else None,
                text=cell.text,
                is_edited=cell.is_edited,
            )
            for cell in each.cells
        ],
        problems=[_problem(problem) for problem in each.problems],
        warnings=[_problem(problem) for problem in each.warnings],
        record_id=strawberry.ID(global_id(model, each.record_id)) if each.record_id else None,
    )


def _problem(each: ShownProblem) -> ImportProblemType:
    return ImportProblemType(
        field=camel(each.field) if each.field else None,
        place=each.place,
        code=each.code,
        message=each.sentence,
        likely=[*each.likely],
    )
