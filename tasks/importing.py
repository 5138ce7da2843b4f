"""Imports: their files are read in a child process, and their rows are laid down."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from models.sheet_choices import Choices
from resolvers.imports import applying, checking, correcting, housekeeping, results, returning, staging, undoing
from resolvers.imports.staging import Part, StagedRow
from resolvers.jobs.kinds import Progress, Work
from resolvers.jobs.schedules import Every
from resolvers.runtime.scope import Scope

from . import job
from .sheets import reading
from .sheets.limits import Limits
from .workbooks.result_book import ResultBookXlsx


class _Sheets:
    """The reader of `tasks/sheets`, under the limits of the installation."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def inspect(self, path: Path, name: str, choices: Choices) -> dict[str, Any]:
        return asdict(reading.inspect(str(path), name, choices, self._limits))

    def rows(self, path: Path, choices: Choices) -> Iterator[StagedRow]:
        for row in reading.rows(str(path), choices, self._limits):
            yield row.number, row.cells


def _read_on(scope: Scope, work: Work) -> Part:
    sheets = _Sheets(Limits(**scope.backend.import_limits))
    return staging.prepare(scope, work.arguments["import"], work.arguments["version"], work.size, work.memory, sheets)


# Everybody may see their own jobs; the right to import, which each kind of record has, is asked for where records are written.
@job("job.view", en="Reading of a file", zh="读取导入文件", ready=_read_on)
def read_import(scope: Scope, db: Session, work: Work) -> Progress:
    """Lay down the next rows of a file."""
    return staging.take(scope, db, work.arguments["import"], work.arguments["version"], work.prepared)


def _with_dates(scope: Scope, work: Work) -> None:
    checking.prepare(scope, work.arguments["import"], work.memory)


@job("job.view", en="Check of an import", zh="检查导入数据", ready=_with_dates)
def check_import(scope: Scope, db: Session, work: Work) -> Progress:
    """Judge the next rows of an import, without a change of a record."""
    return correcting.check(scope, db, work.arguments["import"], work.arguments["version"], work.memory)


@job("job.view", en="Import", zh="导入")
def apply_import(scope: Scope, db: Session, work: Work) -> Progress:
    """Write the next rows of an import."""
    return applying.apply(scope, db, work.arguments["import"], work.arguments["version"], work.memory)


def _written_on(scope: Scope, work: Work) -> results.Part:
    given = work.arguments
    return results.prepare(scope, given["import"], given["file"], work.position, work.memory, ResultBookXlsx)


@job("job.view", en="Result workbook of an import", zh="生成导入结果表", ready=_written_on)
def write_results(scope: Scope, db: Session, work: Work) -> Progress:
    """Note the next rows of a result workbook, or that it is finished."""
    return results.take(scope, db, work.arguments["import"], work.arguments["file"], work.prepared)


def _compared(scope: Scope, work: Work) -> returning.Part:
    given, sheets = work.arguments, _Sheets(Limits(**scope.backend.import_limits))
    return returning.prepare(scope, given["import"], given["file"], given["after"], work.memory, sheets)


@job("job.view", en="Return of a corrected file", zh="读取修正后的文件", ready=_compared)
def return_import(scope: Scope, db: Session, work: Work) -> Progress:
    """Take the next corrections of a file over."""
    return returning.take(scope, db, work.arguments["import"], work.arguments["file"], work.prepared, work.memory)


def _looked_through(scope: Scope, work: Work) -> None:
    undoing.prepare(scope, work.arguments["import"], work.memory)


@job("job.view", en="Undoing of an import", zh="撤销导入", ready=_looked_through)
def undo_import(scope: Scope, db: Session, work: Work) -> Progress:
    """Undo the next rows of an import."""
    return undoing.undo(scope, db, work.arguments["import"], work.arguments["version"], work.memory)


@job("system.tidy", en="Clean-up of imports", zh="清理导入数据", schedule=Every(timedelta(hours=1), catches_up=False))
def expire_imports(scope: Scope, db: Session, work: Work) -> Progress:
    """Delete rows and files of imports that ended long ago."""
    return housekeeping.expire(scope, db, work)
