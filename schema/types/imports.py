"""Imports in GraphQL: what is imported, how far it is, how its columns are mapped, and what its rows came to."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import strawberry

from models import ImportBatch
from models.import_batch import ImportMode, ImportState, Overwrite, RowState
from models.job import JobState
from resolvers.imports.date_columns import Order
from resolvers.imports.fields import FieldKind
from resolvers.imports.looking import state_counts
from resolvers.imports.meaning import Strategy

from ..contract import GraphQLInfo
from .make import enum_of
from .namespace import Node

ImportStateType: Any = enum_of(ImportState)
ImportModeType: Any = enum_of(ImportMode)
RowStateType: Any = strawberry.enum(RowState, name="ImportRowState", description=(RowState.__doc__ or "").strip())
ImportFieldKind: Any = strawberry.enum(
    FieldKind, name="ImportFieldKind", description="What the cells of a column hold."
)
ImportStrategy: Any = strawberry.enum(
    Strategy, name="ImportStrategy", description="How the field of a column was found."
)
ImportDateOrder: Any = strawberry.enum(
    Order, name="ImportDateOrder", description="In which order the dates of a column are written, where they are text."
)
ImportOverwrite: Any = strawberry.enum(Overwrite, name="ImportOverwrite", description=(Overwrite.__doc__ or "").strip())
JobStateType: Any = enum_of(JobState)


# --- one import ------------------------------------------------------------------------------------------


@strawberry.type(name="ImportSheet", description="A sheet of the file.")
class ImportSheetType:
    name: str
    """The name of the sheet."""
    is_hidden: bool
    """Whether the workbook hides it."""
    rows: int = strawberry.field(description="Those with something in them.")


@strawberry.type(
    name="ImportFile", description="What a file holds, and how it is read. Rows count from 1, as in Excel."
)
class ImportFileType:
    kind: str = strawberry.field(description="xlsx, xlsm, xls or csv, whatever the name ends in.")
    sheets: list[ImportSheetType]
    """The sheets of a workbook, in their order; empty for CSV."""
    sheet: str = strawberry.field(description="The sheet that is read.")
    header_row: int
    """The number of the row with the headings, from 1."""
    rows: int = strawberry.field(description="Rows below the headings that hold something, hidden ones included.")
    hidden_rows: int = strawberry.field(description="Rows that are hidden or filtered out.")
    reads_hidden_rows: bool
    """Whether hidden rows count as rows."""
    blank_rows: int
    """Number of rows without any value, which are left out."""
    merged: list[str] = strawberry.field(description="Merged cells below the headings, like A3:A5, the first 200.")
    fills_merged: bool = strawberry.field(description="Whether each row of merged cells gets their value.")
    has_macros: bool = strawberry.field(description="Macros are never run.")
    encoding: str | None = strawberry.field(description="Of a CSV file.")
    encoding_is_sure: bool
    """Whether the encoding is certain; else let the user look, and read anew with another one."""
    delimiter: str | None = strawberry.field(description="Of a CSV file.")
    delimiter_is_sure: bool
    """Whether the delimiter is certain; else let the user look, and read anew with another one."""


@strawberry.type(name="ImportColumn", description="A column of the sheet.")
class ImportColumnType:
    place: int = strawberry.field(description="Counts from 0; it names the column in all other fields.")
    letters: str = strawberry.field(description="As Excel shows it, like AB.")
    heading: str
    """The heading in the header row; empty where there is none."""
    filled: int = strawberry.field(description="Cells that hold something.")
    field: str | None = strawberry.field(description="The key of the field that it holds; null for one left out.")
    overwrite: ImportOverwrite = strawberry.field(description="What an update does with the field.")
    date_order: ImportDateOrder | None = strawberry.field(description="Of a column with dates, once it is checked.")
    undecided_date: str | None = strawberry.field(
        description="A date that may be read in two ways, where no other cell decides: choose its order."
    )


@strawberry.type(
    name="ImportGiven", description="A value of all rows, which no column holds: the pool of its customers."
)
class ImportGivenType:
    input: str
    """The field by its key."""
    value: strawberry.ID
    """The value as text."""


@strawberry.type(name="ImportPlan", description="What becomes of the rows.")
class ImportPlanType:
    mode: ImportModeType
    """What becomes of rows."""
    key: list[str] = strawberry.field(description="The fields that find an existing record together.")
    given: list[ImportGivenType]
    """Values that every row gets for fields without a column."""
    clears: bool = strawberry.field(description="Whether an empty cell empties the field of an update.")
    reason: str | None = strawberry.field(description="Why certain duplicates are entered all the same.")
    creates_customers: bool = strawberry.field(
        description="Whether a company that is not there becomes a new customer, one for all of its rows."
    )


@strawberry.type(name="ImportSummary", description="How many rows are in each state.")
class ImportSummaryType:
    staged: int
    """Rows that are not judged yet."""
    good: int
    """Rows that can be carried out."""
    bad: int
    """Rows in which something is wrong."""
    skipped: int
    """Rows that were left out."""
    created: int
    """Rows that became new records."""
    updated: int
    """Rows that changed a record."""
    same: int
    """Rows whose record held all of it already."""
    failed: int
    """Rows that were refused when they were carried out."""
    undone: int
    """Rows whose work was taken back."""
    kept: int
    """Rows that an undoing left alone, because the record was changed since."""


class Counts:
    """The numbers of rows of the imports of one answer, which one statement counts for all of them."""

    def __init__(self, rows: Sequence[ImportBatch]) -> None:
        self._rows = rows
        self._counting: asyncio.Future[Mapping[int, Mapping[RowState, int]]] | None = None

    async def of(self, info: GraphQLInfo, id: int) -> Mapping[RowState, int]:
        if self._counting is None:
            self._counting = asyncio.ensure_future(info.context.scope.read(state_counts, self._rows))
        return (await self._counting).get(id, {})


@strawberry.type(name="Import", description="A file of yours on its way in. It is there for nobody else.")
class ImportType(Node):
    id: strawberry.ID
    target: str = strawberry.field(description="The code of what it brings in, as `importTargets` names it.")
    target_name: str
    """What the rows become, in your language."""
    file_name: str
    """The name of the file as it was sent."""
    state: ImportStateType
    """Where it stands; see each value for what comes next."""
    is_resting: bool = strawberry.field(description="Whether nothing is done until you say what is next.")
    rows: int = strawberry.field(description="Rows that are read.")
    file: ImportFileType | None = strawberry.field(description="Null until the file is read.")
    columns: list[ImportColumnType]
    """The columns of the sheet, in their order."""
    plan: ImportPlanType | None = strawberry.field(description="Null until its columns are mapped.")
    error_code: str | None
    """The code of what made it fail, as in `ProblemCode`; null otherwise."""
    error: str | None = strawberry.field(
        description="Why the file, or the corrected one, cannot be taken, in your language."
    )
    results_address: str | None = strawberry.field(
        description="Where the workbook with the state and the reasons of each row is, once it is written."
    )
    created_at: datetime
    """When the file was taken in."""
    confirmed_at: datetime | None
    """When its user confirmed it; null before that."""
    ended_at: datetime | None
    """When it ended; null before that."""
    row: strawberry.Private[ImportBatch]
    counts: strawberry.Private[Counts]

    @strawberry.field(description="How many rows are in each state.")  # type: ignore[untyped-decorator]  # Strawberry's overloads
    async def summary(self, info: GraphQLInfo) -> ImportSummaryType:
        found = await self.counts.of(info, self.row.id)
        return ImportSummaryType(**{state.value.lower(): found.get(state, 0) for state in RowState})


@strawberry.type(name="ImportProgress", description="How far the present step of an import is.")
class ImportProgressType:
    state: ImportStateType
    """Where the import stands."""
    is_resting: bool = strawberry.field(description="Whether nothing is done until you say what is next.")
    done: int = strawberry.field(description="Rows.")
    total: int | None = strawberry.field(description="Rows; null while it is not known.")
    per_second: float | None = strawberry.field(description="Rows; null while it is not known.")
    seconds_left: int | None
    """An estimate of the seconds until this step ends; null where it is not known."""
    job_id: strawberry.ID | None = strawberry.field(description="`retryJob` tries a job again that failed.")
    job_state: JobStateType | None
    """The state of the job that is at work; null while none is."""
    error: str | None = strawberry.field(description="Why the step stopped, in your language.")


@strawberry.type(name="ImportOutlook", description="What a confirmation would do, in rows.")
class ImportOutlookType:
    created: int
    """Number of records that would be created."""
    changed: int
    """Number of records that would be changed."""
    behind: int = strawberry.field(description="Rows that stay behind, because something is wrong with them.")
    skipped: int
    """Number of rows that would be left out."""


@strawberry.type(name="EarlierImport", description="An import of the same file that has written records.")
class EarlierImportType:
    import_id: strawberry.ID
    """The global id of that import, `imp_…`."""
    at: datetime
    """When that file was imported."""
    rows: int
    """Number of its rows."""
