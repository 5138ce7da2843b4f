"""Files of reports, written in the background."""

from sqlalchemy.orm import Session

from resolvers.jobs.kinds import Progress, Work
from resolvers.reports import exporting
from resolvers.reports.exporting import Written
from resolvers.runtime.scope import Scope

from . import job
from .workbooks import book_for


def _prepared(scope: Scope, work: Work) -> Written:
    return exporting.prepare(scope, work.arguments["export"], book_for)


# Everybody may see their own jobs; the right to export reports is asked for at the start and at the end.
@job("job.view", en="Export of a report", zh="导出报表", ready=_prepared)
def export_report(scope: Scope, db: Session, work: Work) -> Progress:
    """Write the file of a report."""
    return exporting.take(scope, db, work.arguments["export"], work.prepared)
