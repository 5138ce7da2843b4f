"""The report centre: it finds all reports, and says which of them a reader may run.

A file of `kinds/` adds a report: it declares `REPORT`, a `Report` over a kind of records, or a subclass with a
`read` of its own where its figures are no records of a list.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from models.declaration import Misdeclared
from models.errors import NotFound
from models.names import OF_MODULE

from ..runtime.scope import Scope
from . import kinds
from .report import Report

MODULE = "report"
"""The module whose right `view` opens the centre, and whose right `export` writes files."""


@cache
def catalogue() -> Mapping[str, Report]:
    """Key -> report, in their order.  Raises Misdeclared for a file without a report, and for a key that is taken."""
    found: dict[str, Report] = {}
    for file in iter_modules(kinds.__path__):
        report = getattr(import_module(f"{kinds.__name__}.{file.name}"), "REPORT", None)
        if not isinstance(report, Report):
            raise Misdeclared(f"resolvers/reports/kinds/{file.name}.py declares no REPORT")
        if report.key in found:
            raise Misdeclared(f"resolvers/reports/kinds/{file.name}.py: the key {report.key} is taken")
        found[report.key] = report
    return dict(sorted(found.items(), key=lambda x: (x[1].place, x[0])))


def open_reports(scope: Scope) -> list[Report]:
    """The reports that the reader may run; none without the right to the centre."""
    if not scope.policy.ever(scope.person, "view", MODULE):
        return []
    return [report for report in catalogue().values() if report.is_open(scope)]


def report_called(scope: Scope, key: str) -> Report:
    """One of these.  Raises Forbidden without the right to the centre, NotFound."""
    scope.allow("view", MODULE)
    found = next((report for report in open_reports(scope) if report.key == key), None)
    if found is None:
        raise NotFound(what=OF_MODULE[MODULE])
    return found
