"""Screens that show no kind of record as a list: home, account, the policy."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from sqladmin import BaseView
from starlette.requests import Request
from starlette.responses import Response

from resolvers.reading.offers import Place

from .panel_request import PanelRequest
from .routes import BASE, PageRoute, routes_of
from .screen import LAST

Further = tuple[Callable[[], str], str, str]
"""A form of a screen: what it is called in the language of the request, its address, its icon."""


class Page(BaseView):
    """A screen with a template of its own."""

    icon: ClassVar[str] = "home"
    group: ClassVar[str] = ""
    """The group of the menu; "" keeps the screen out of the menu."""
    position: ClassVar[int] = LAST
    """The place in the group, in ascending order."""
    title: ClassVar[str] = ""
    path: ClassVar[str] = ""
    """The address of the screen below that of the panel: one of its routes."""
    is_named: ClassVar[bool] = False
    """Whether the palette finds the screen by its title although the menu does not lead there."""
    needs: ClassVar[str] = ""
    """The right without which the screen is closed, like `organisation.edit`; "" opens it to every signed-in user."""

    place: ClassVar[Place | None] = None
    """The records without which the menu does not lead here; None for a screen that shows something to each user."""

    @property
    def panel(self) -> Any:
        """The panel that this screen belongs to; sqladmin sets it."""
        return self._admin_ref

    @property
    def heading(self) -> str:
        return str(self.title)

    @property
    def templates_used(self) -> set[str]:
        return set()

    def url(self, *path: str) -> str:
        return "/".join((f"{BASE}{self.path}", *(part for part in path if part != "list")))

    def further(self, ask: PanelRequest) -> Sequence[Further]:
        """What the palette finds beside the screen itself: its forms, by their names."""
        return ()

    def routes(self) -> list[PageRoute]:
        return routes_of(type(self))

    def is_accessible(self, request: Request) -> bool:
        if not self.needs:
            return True
        found = getattr(request.state, "panel_request", None)
        return found is not None and found.may(self.needs)

    def is_listed(self, ask: PanelRequest) -> bool:
        """Whether the menu leads here for this user."""
        return self.is_accessible(ask.request) and (self.place is None or self.place in ask.offers.found)

    async def render(self, ask: PanelRequest, template: str, context: Mapping[str, Any], status: int = 200) -> Response:
        response: Response = await self.panel.render(ask, template, {"view": self, **context}, status)
        return response
