"""The tab with the stages that a record has passed: from when to when, how long, and who put it there."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from models import Base
from resolvers.reading.pages import ListRequest, page
from resolvers.reading.pages import Row as Record

from ...kit.declared import RecordScreen, Related
from ...kit.fields import field_of
from ...kit.formatting import cell
from ...kit.panel_request import PanelRequest
from ...kit.related import MOST_ROWS
from ...kit.translation import ngettext

SHOWN = ("stage", "started_at", "ended_at", "by_id")


@dataclass(frozen=True, kw_only=True)
class StageHistory(Related):
    """The times of `model` whose `key` points to the record, the newest first."""

    model: type[Base]
    key: str
    template: str = "related/stages.html"

    async def read(self, view: RecordScreen, ask: PanelRequest, row: Record) -> dict[str, Any]:
        fields = [field_of(self.model, key) for key in SHOWN if ask.sees(self.model.module, key.removesuffix("_id"))]
        await ask.load_words({field.dictionary for field in fields if field.dictionary})
        wanted = ListRequest(self.model, SHOWN, {self.key: {"eq": row.id}}, order=(("id", True),), size=MOST_ROWS)
        found = await ask.scope.read(page, replace(wanted, binned=None, counts=False))
        address, now = view.address(ask), ask.scope.now()
        return {
            "labels": [field.label for field in fields],
            "rows": [
                (
                    [cell(ask, field, each, address) for field in fields],
                    lasted(each["started_at"], each["ended_at"], now),
                )
                for each in found.rows
            ],
        }


def lasted(began: datetime | None, ended: datetime | None, now: datetime) -> str:
    """How long a stage lasted, or lasts until now: days, else hours or minutes."""
    if began is None:
        return ""
    time = max((ended or now) - began, timedelta())
    minutes = int(time.total_seconds() // 60)
    if time >= timedelta(days=1):
        return ngettext("%(num)s day", "%(num)s days", time.days) % {"num": time.days}
    if minutes >= 60:
        return ngettext("%(num)s hour", "%(num)s hours", minutes // 60) % {"num": minutes // 60}
    return ngettext("%(num)s minute", "%(num)s minutes", minutes) % {"num": minutes}
