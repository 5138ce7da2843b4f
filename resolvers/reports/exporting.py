"""A report as a file: asked for by a user, written by a job with the rights of that moment, downloaded like an export."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Export
from models.audit.entries import Changes
from models.choice_names import Said, in_language
from models.export import KEPT, LONGEST_SAID, ExportFormat, ExportRange, ExportState

from ..exports.cells import Cell as FileCell
from ..exports.exports import REPORT, log_export, refuse_too_many
from ..exports.kinds import ExportColumn, Holds
from ..exports.writing import MakeBook, save, sheet_of
from ..jobs.kinds import Progress
from ..runtime.file_store import FileStore
from ..runtime.ids import global_id
from ..runtime.read_beside import as_they_are, read_beside
from ..runtime.scope import Scope
from .centre import MODULE, report_called
from .period import Days
from .result import Cell, Row
from .running import Result, asked_of, run
from .settings import Settings, WhoseRecords, settings_of

JOB = "export_report"
"""The kind of jobs that writes reports."""
_HIDDEN: Said = ("Not visible to you", "您无权查看")
_REST: Said = ("All others", "其他")
_TOTAL: Said = ("Total", "合计")
_ALL: Said = ("Records", "记录")
_BEFORE: Said = ("{name}, before", "{name}（上期）")
_MONEY: tuple[tuple[str, Said], ...] = (
    ("currency", ("Currency", "币种")),
    ("count", ("Number in this currency", "该币种数量")),
    ("amount", ("Amount", "金额")),
    ("weighted", ("Weighted amount", "加权金额")),
    ("before_amount", ("Amount, before", "金额（上期）")),
    ("before_weighted", ("Weighted amount, before", "加权金额（上期）")),
)
_WHOSE: dict[WhoseRecords, Said] = {
    WhoseRecords.ALL: ("all", "全部"),
    WhoseRecords.MINE: ("mine", "我的"),
    WhoseRecords.TEAM: ("my team", "我的团队"),
}


def start(scope: Scope, key: str, settings: Settings, format: ExportFormat) -> int:
    """The id of a new export, which a job writes.

    Raises Forbidden without the right to export reports, NotFound, Validation.
    """
    with scope.write("user.exports") as db:
        scope.allow("export", MODULE)
        report = report_called(scope, key)
        asked = asked_of(scope, report, settings)
        refuse_too_many(scope, db)
        now, days = scope.now(), asked.days
        said = [asked.dimension and in_language(asked.dimension.said, scope.language), days and _written(days)]
        said.append(in_language(_WHOSE[asked.whose], scope.language))
        row = Export(
            owner_id=scope.me,
            entity=REPORT,
            title=in_language(report.said, scope.language)[:100],
            range=ExportRange.FILTER,
            listing={"report": key, "settings": settings.stored()},
            said=" · ".join(str(part) for part in said if part)[:LONGEST_SAID],
            columns=[],
            format=format,
            language=scope.language[:8],
            state=ExportState.WAITING,
            file=FileStore.new_name(),
            created_at=now,
            expires_at=now + KEPT,
        )
        db.add(row)
        db.flush()
        row.job_id = scope.later(JOB, {"export": row.id}, order_key=f"export:{scope.me}")
        return row.id


def _written(days: Days) -> str:
    return f"{days.first.isoformat()} – {days.last.isoformat()}"


# --- outside the transaction -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Written:
    """The finished file: its rows and its bytes."""

    rows: int = 0
    size: int = 0


def prepare(scope: Scope, id: int, make_book: MakeBook) -> Written:
    """Run the report with the rights of this moment, and write its file.  Raises Refusal for what ends the export."""
    now = as_they_are(scope)
    row = now.do(_row, id)
    if row is None:
        return Written()
    settings = settings_of(row.listing["settings"])
    result = read_beside(now, scope.backend.url, run, row.listing["report"], settings, steadily=True)
    return write(now, row, result, make_book)


def write(scope: Scope, row: Any, result: Result, make_book: MakeBook) -> Written:
    """Write the file of an export."""
    book = make_book(sheet_of(scope, row, [*_columns(result)]))
    for cells in lines(result, row.language):
        book.add(cells)
    return Written(book.rows, save(scope, row, book))


def _row(scope: Scope, id: int) -> Any:
    table: Any = Export.__table__
    asked = select(table).where(table.c.id == id, table.c.owner_id == scope.me)
    return scope.outer_transaction().execute(asked).first()


def _columns(result: Result) -> Iterator[ExportColumn]:
    yield ExportColumn("group", Holds.TEXT, result.asked.dimension.said if result.asked.dimension else _ALL)
    for figure, cell in zip(result.report.figures, result.totals, strict=True):
        holds = Holds.NUMBER if cell.is_hours else Holds.WHOLE
        yield ExportColumn(figure.key, holds, figure.said)
        if _compares(result) and figure.dated is not None:
            yield ExportColumn(f"{figure.key}.before", holds, _before(figure.said))
    if result.report.has_money:
        for key, said in _MONEY:
            holds = Holds.TEXT if key == "currency" else Holds.WHOLE if key == "count" else Holds.AMOUNT
            if _compares(result) or not key.startswith("before"):
                yield ExportColumn(key, holds, said)


def _before(said: Said) -> Said:
    return _BEFORE[0].format(name=said[0]), _BEFORE[1].format(name=said[1])


def _compares(result: Result) -> bool:
    return result.asked.before is not None


def lines(result: Result, language: str) -> Iterator[list[FileCell]]:
    """The lines of the file: a row for each group, for each of its currencies where amounts are summed; totals last."""
    rows = [(label_of(row, language), row.cells) for row in result.rows]
    for label, cells in [*rows, (in_language(_TOTAL, language), result.totals)]:
        figures = [label, *_figures(result, cells)]
        if not result.report.has_money:
            yield figures
            continue
        sums = cells[0].sums
        for n, each in enumerate(sums):
            shown: Sequence[FileCell] = figures if n == 0 else [label, *[None] * (len(figures) - 1)]
            yield [*shown, *(getattr(each, key) for key, _ in _MONEY if _compares(result) or key[:6] != "before")]
        if not sums:
            yield [*figures, *[None] * (len([*_columns(result)]) - len(figures))]


def _figures(result: Result, cells: Sequence[Cell]) -> Iterator[FileCell]:
    for figure, cell in zip(result.report.figures, cells, strict=True):
        yield _number(cell.value)
        if _compares(result) and figure.dated is not None:
            yield _number(cell.before)


def _number(value: int | float | None) -> FileCell:
    return Decimal(str(value)) if isinstance(value, float) else value


def label_of(row: Row, language: str) -> str:
    """What a row is called, also where the reader may not see it."""
    if row.is_rest:
        return in_language(_REST, language)
    return row.label if row.label is not None else in_language(_HIDDEN, language)


def key_of(result: Result, row: Row) -> str | None:
    """The value that a group has in common, as programs name it: the id of a record, else the text of the value."""
    dimension = result.asked.dimension
    if row.key is None or dimension is None:
        return None
    if dimension.field.target is not None:
        return global_id(dimension.field.target, int(row.key))
    return str(row.key.value if isinstance(row.key, Enum) else row.key)


# --- in the transaction ----------------------------------------------------------------------------------


def take(scope: Scope, db: Session, id: int, written: Written) -> Progress:
    """Note the file that was prepared.  Raises Forbidden where the right to export was taken away meanwhile."""
    asked = select(Export).where(Export.id == id, Export.owner_id == scope.me).with_for_update()
    row = db.execute(asked).scalar_one_or_none()
    if row is None or not written.size:
        return Progress(0, more=False)
    scope.allow("export", MODULE)
    row.state, row.size, row.done, row.total = ExportState.DONE, written.size, written.rows, written.rows
    row.ended_at, row.expires_at = scope.now(), scope.now() + KEPT
    with scope.write("report.export") as logging:
        about: Changes = {
            "filter": [None, row.said],
            "rows": [None, row.done],
            "format": [None, row.format.value],
        }
        log_export(scope, logging, row, about)
    return Progress(0, done=written.rows, more=False)
