"""The operation log: who did what, when, from which value to which, and what was refused."""

from dataclasses import replace
from datetime import date, datetime
from functools import partial
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from models import ENTITIES, AuditEntry, User
from models.audit.entries import Outcome
from models.errors import Forbidden
from policies.objects import ACTIONS
from resolvers.audit import history
from resolvers.exports.kinds import LOG_COLUMNS
from resolvers.exports.listing import Listing
from resolvers.reading.pages import names_of
from resolvers.runtime.ids import BY_PREFIX, number_of
from resolvers.runtime.inputs import YEARS

from ...kit import export_form
from ...kit.finding import find
from ...kit.labels import DONE, choice_label, many
from ...kit.pages import Page
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import page_route
from ...kit.translation import Label

PAGE_SIZE = 50


class OperationLog(Page):
    """The log as far as the user may read it."""

    icon, group, position, path = "clipboard-list", "system", 50, "/log"
    title = Label("Operation log")
    hint = Label("Every change, and every attempt that was refused for lack of rights. Nothing here can be changed.")
    needs = "audit.view"

    @page_route("/log/export", ("audit", "export"))
    async def export_page(self, request: Request) -> Response:
        ask = panel_request(request)
        await export_form.check(ask, AuditEntry)
        return await export_form.show(ask, self, self._source(ask, request.query_params))

    @page_route("/log/export", ("audit", "export"), "POST")
    async def export_entries(self, request: Request) -> Response:
        ask, form = panel_request(request), await request.form()
        await export_form.check(ask, AuditEntry)
        query = QueryParams(str(form.get("list", ""))[: export_form.LONGEST_QUERY])
        return await export_form.send(ask, self, self._source(ask, query), form)

    def _source(self, ask: PanelRequest, query: QueryParams) -> export_form.Source:
        """The log as the address narrows it; a file has a line for each entry, also of one use case."""
        actor = query.get("actor", "")
        wanted, kept = replace(self._wanted(ask, query, actor), folded=False), _pager(query, actor)
        return export_form.Source(
            model=AuditEntry,
            title=self.heading,
            address=self.url("export"),
            back=f"{self.url()}?{kept}" if kept else self.url(),
            query=kept,
            columns=[*LOG_COLUMNS],
            filtered=Listing(wanted=wanted),
            whole=Listing(wanted=history.Wanted()),
            is_narrowed=wanted != history.Wanted(),
        )

    @page_route("/log", ("audit", "view"))
    async def show(self, request: Request) -> Response:
        ask = panel_request(request)
        query = request.query_params
        found = await find(self.panel, ask, query, "actor", User)
        actor = found.best or query.get("actor", "")
        wanted = self._wanted(ask, query, actor)
        at = {n: int(x) for n in ("before", "after") if (x := query.get(n, "")).isdecimal() and len(x) < 10}
        try:
            pages = await ask.scope.read(history.log, wanted, size=PAGE_SIZE, **dict(list(at.items())[:1]))
        except Forbidden:
            raise HTTPException(403) from None
        names = await ask.scope.read(names_of, User, [wanted.actor_id]) if wanted.actor_id else {}
        context = {
            "entries": pages.entries,
            "older": pages.older,
            "newer": pages.newer,
            "query": query,
            "found": found,
            "actor": (actor, names.get(wanted.actor_id or 0, actor)) if actor else None,
            "models": [(model.prefix, many(model)) for model in ENTITIES],
            "actions": [action for action in ACTIONS if action in DONE],
            "outcomes": [(x.value, choice_label(x)) for x in Outcome],
            "address": partial(self.panel.address, ask),
            "pager": _pager(query, actor),
        }
        return await self.render(ask, "log.html", context)

    def _wanted(self, ask: PanelRequest, query: QueryParams, actor: str) -> history.Wanted:
        """The filter of the log that the address asks for.  `actor`: the id of a user, or empty."""
        record = query.get("record", "").strip()
        model = BY_PREFIX.get(record.partition("_")[0]) or BY_PREFIX.get(query.get("kind", ""))
        action, outcome = query.get("action", ""), query.get("outcome", "")
        return history.Wanted(
            actor_id=number_of(User, actor) if actor else None,
            model=model if model in ENTITIES else None,
            record_id=number_of(model, record) if record and model is not None else None,
            action=f".{action}" if action in ACTIONS else None,
            outcome=Outcome(outcome) if outcome in tuple(Outcome) else None,
            since=_day(ask, query.get("from", ""), end=False),
            until=_day(ask, query.get("to", ""), end=True),
            batch_id=query.get("batch", "")[:20] or None,
            text=query.get("q", "").strip()[:100] or None,
            folded=not (record or query.get("batch")),
        )


def _day(ask: PanelRequest, text: str, *, end: bool) -> datetime | None:
    """When a day begins or ends for the organisation, None for a text that is no day."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return ask.day(day, end=end) if day.year in YEARS else None


def _pager(query: QueryParams, actor: str) -> str:
    """The address of this list without its page, with the user who was found for what was typed."""
    kept = {k: v for k, v in query.items() if v and k not in ("before", "after") and not k.startswith("_")}
    return urlencode({**kept, **({"actor": actor} if actor else {})})
