"""Reports that users keep under a name: their settings, alone or shared with others, as saved views are.

A kept report is a row of saved views, so that sharing, deleting and their limits are those of views.  It gives no right:
each reader runs it with what they may see.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Department, Role, SavedView
from models.errors import NotFound
from models.pool import GranteeKind
from models.saved_view import SAVED_VIEW

from ..runtime.ids import global_id
from ..runtime.scope import Scope
from ..views.changes import ORDER
from ..views.saved_views import keep, seen_by, view_row
from .centre import MODULE, open_reports, report_called
from .running import asked_of
from .settings import Settings, settings_of

_MARK, _END = "report:", "report;"
"""What the entity of a kept report begins with, and the next text that does not; a range is planned once, LIKE each time."""


@dataclass(frozen=True)
class Kept:
    """A kept report as its reader gets it."""

    id: int
    report: str
    name: str
    settings: Settings
    owner_id: int
    is_mine: bool
    is_shared: bool
    for_everyone: bool
    roles: tuple[str, ...]
    departments: tuple[str, ...]
    """The ids of those with whom it is shared; told to its owner alone."""
    version: int


def kept_reports(scope: Scope, db: Session) -> list[Kept]:
    """The reports that the caller keeps and those shared with them, own ones first; of reports that they may run.

    Raises Forbidden without the right to the centre.
    """
    scope.allow("view", MODULE)
    asked = select(SavedView).where(SavedView.entity >= _MARK, SavedView.entity < _END, seen_by(scope))
    there = {report.key for report in open_reports(scope)}
    found = [_kept(scope, row) for row in db.execute(asked.order_by(*ORDER)).scalars()]
    return sorted((each for each in found if each.report in there), key=lambda each: not each.is_mine)


def kept_report(scope: Scope, db: Session, id: int) -> Kept:
    """One of these.  Raises NotFound."""
    row = view_row(scope, db, id)
    if not row.entity.startswith(_MARK):
        raise NotFound(what=SAVED_VIEW)
    return _kept(scope, row)


def keep_report(
    scope: Scope, key: str, name: str, settings: Settings, *, id: int | None = None, version: int | None = None
) -> int:
    """The id of the kept report that was made, or changed where `id` names one.

    A unit of the calendar is kept as such: this month is the month of whoever opens it, days of one's own stay.
    Raises Forbidden, NotFound, Conflict for another `version`, Validation for settings that the report does not have.
    """
    asked_of(scope, report_called(scope, key), settings)
    return keep(scope, f"{_MARK}{key}", name, settings.floating().stored(), id=id, version=version)


def _kept(scope: Scope, row: SavedView) -> Kept:
    is_mine = row.owner_id == scope.me
    held = {kind: [x.grantee_id for x in row.shares if is_mine and x.grantee_kind is kind] for kind in GranteeKind}
    return Kept(
        id=row.id,
        report=row.entity.removeprefix(_MARK),
        name=row.name,
        settings=settings_of(row.settings),
        owner_id=row.owner_id,
        is_mine=is_mine,
        is_shared=row.for_everyone or bool(row.shares),
        for_everyone=row.for_everyone,
        roles=tuple(global_id(Role, x) for x in held[GranteeKind.ROLE]),
        departments=tuple(global_id(Department, x) for x in held[GranteeKind.DEPARTMENT]),
        version=row.version,
    )
