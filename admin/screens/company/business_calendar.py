"""The business calendar: its days, and the page that fills a year."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import CalendarDay
from models.errors import Refusal
from resolvers.records import business_calendar

from ...kit.history_tab import HISTORY
from ...kit.pages import Page
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import BASE, page_route
from ...kit.translation import Label
from ...kit.view import PolicyModelView


class CalendarDays(PolicyModelView, model=CalendarDay):
    """The days that differ from a week of Monday to Friday."""

    icon, group, position = "clock", "company", 60
    for_editors = True
    hint = Label(
        "Holidays, and weekend days that are worked. Business days of rules leave out the one and count the other."
    )
    empty = Label("The calendar is empty, so Monday to Friday are business days.")
    begin = (Label("Fill a year"), "calendar-year", "calendar.create")
    columns = ("day", "name", "working")
    filters = ("day", "working")
    related = (HISTORY,)


class CalendarYear(Page):
    """Fills a year of the calendar with the public holidays of a country."""

    path, needs = "/calendar-year", "calendar.create"
    title, is_named = Label("Fill a year of the calendar"), True

    @property
    def templates_used(self) -> set[str]:
        return {"calendar_year.html"}

    def is_listed(self, ask: PanelRequest) -> bool:
        return False

    @page_route("/calendar-year", ("calendar", "create"))
    async def show(self, request: Request) -> Response:
        ask = panel_request(request)
        country = "CN" if ask.language == "zh" else "US"
        return await self._show(ask, country, str(ask.local(ask.scope.now()).year))

    @page_route("/calendar-year", ("calendar", "create"), "POST")
    async def fill(self, request: Request) -> Response:
        ask, form = panel_request(request), await request.form()
        country, year = str(form.get("country", ""))[:2].upper(), str(form.get("year", ""))[:4]
        try:
            number = int(year) if year.isascii() and year.isdecimal() else 0
            await ask.scope.run(business_calendar.fill, country, number)
        except Refusal as refusal:
            return await self._show(ask, country, year, refusal)
        return RedirectResponse(f"{BASE}/calendar-day/list?f_day_from={number}-01-01&f_day_to={number}-12-31", 303)

    async def _show(self, ask: PanelRequest, country: str, year: str, refusal: Refusal | None = None) -> Response:
        context: dict[str, Any] = {
            "countries": business_calendar.countries(ask.language).items(),
            "country": country,
            "year": year,
            "error": refusal.say(ask.language) if refusal else "",
        }
        return await self.render(ask, "calendar_year.html", context, 422 if refusal else 200)
