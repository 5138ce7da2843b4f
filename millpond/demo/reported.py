"""Kept reports of the demo: what the lead looks at every week, shared with everyone, and one of the lead's own."""

from resolvers.reports import kept
from resolvers.reports.period import PeriodKind
from resolvers.reports.settings import Settings, Whose
from resolvers.runtime.backend import Backend
from resolvers.views import saved_views

SHARED = "本季度新增与流失 New and lost"


def add(backend: Backend) -> None:
    """Keep the reports as the lead would."""
    lead = backend.scope(backend.person("lead"), "panel")
    quarter = Settings(PeriodKind.QUARTER, by="source")
    made = lead.do(kept.keep_report, "new-and-lost", SHARED, quarter)
    lead.do(saved_views.share_view, made, everyone=True)
    weekly = Settings(PeriodKind.WEEK, whose=Whose.TEAM)
    lead.do(kept.keep_report, "follow-ups", "团队每周跟进 Team, weekly", weekly)
