"""What a page shows while a job works for an import: how far it is, how fast, and how long it still takes."""

from typing import Any

from sqlalchemy.orm import Session

from models import ImportBatch
from models.import_batch import ImportState
from models.job import JobState
from resolvers.imports import batches
from resolvers.imports.advance import Advance, advance
from resolvers.runtime.batch import Note
from resolvers.runtime.scope import Scope

from ...kit.formatting import number
from ...kit.panel_request import PanelRequest
from ...kit.translation import gettext
from .words import RETURNING, RUNNING, time_left

_ = gettext
SECONDS = 1
"""How often the page asks how far the job is."""


def is_running(row: ImportBatch) -> bool:
    """Whether a job works for the import, so that its page shows how far that is."""
    return row.state in RUNNING or row.returned is not None


async def found(ask: PanelRequest, row: ImportBatch) -> dict[str, Any]:
    """What the page shows of the job."""
    now: Advance = await ask.scope.read(advance, row)
    trouble = (await ask.scope.read(_stalled, row)).get(row.id)
    return {
        "doing": RUNNING.get(row.state, RETURNING),
        "percent": min(100, 100 * now.done // now.total) if now.total else None,
        "progress": _progress(ask, now),
        "more": _more(ask, now),
        "is_waiting": now.job is JobState.WAITING and not now.done,
        "trouble": trouble.say(ask.language) if trouble else "",
        "seconds": SECONDS,
        "may_stop": row.state is ImportState.APPLYING,
    }


def _stalled(_scope: Scope, db: Session, row: ImportBatch) -> dict[int, Note]:
    return batches.stalled(db, [row])


def _progress(ask: PanelRequest, now: Advance) -> str:
    """`20/50`; the number alone where nobody knows of how many."""
    done = number(ask, now.done)
    return done if now.total is None else f"{done}/{number(ask, now.total)}"


def _more(ask: PanelRequest, now: Advance) -> str:
    """How fast it is, and how long it still takes; "" while nobody knows."""
    if now.per_second is None:
        return ""
    rate = _("%(number)s rows a second") % {"number": number(ask, max(1, round(now.per_second)))}
    return rate if now.seconds_left is None else f"{rate} · {time_left(now.seconds_left)}"
