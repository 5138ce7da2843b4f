"""What a page shows while a job works for an import: how far it is, how fast, and how long it still takes."""

from typing import Any

from models import ImportBatch, Job
from models.import_batch import ImportState
from models.job import JobState
from resolvers.imports.advance import Advance, advance
from resolvers.runtime.ids import global_id

from ...kit.formatting import number
from ...kit.panel_request import PanelRequest
from ...kit.routes import BASE
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
    return {
        "doing": RUNNING.get(row.state, RETURNING),
        "percent": min(100, 100 * now.done // now.total) if now.total else None,
        "progress": _progress(ask, now),
        "more": _more(ask, now),
        "is_waiting": now.job is JobState.WAITING and not now.done,
        "trouble": now.error[ask.language.startswith("zh")] if now.error else "",
        "job_id": global_id(Job, now.job_id) if now.job_id else "",
        "retry": f"{BASE}/jobs/retry" if now.job is JobState.FAILED else "",
        "seconds": SECONDS,
        "may_stop": row.state is ImportState.APPLYING,
    }


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
