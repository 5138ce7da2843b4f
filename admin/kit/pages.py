"""Screens that are no lists: home, account, a record of which there is one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from sqladmin import BaseView
from starlette.requests import Request
from starlette.responses import Response

from .panel_request import BASE, PanelRequest


@dataclass(frozen=True)
class PageServed:
    """One address of such a screen, and what it asks for."""

    path: str
    methods: tuple[str, ...]
    asks: tuple[str, str]
    serve: Callable[[Any, Request], Any]


def page_at(path: str, asks: tuple[str, str], *methods: str) -> Callable[[Any], Any]:
    """Make a method `async (self, request)` a page at BASE + `path`.  `asks`: (module, action), or ("open", why)."""

    def made(serve: Any) -> Any:
        serve.page = PageServed(path, methods or ("GET",), asks, serve)
        return serve

    return made


class Page(BaseView):
    """A screen with its own template."""

    icon: ClassVar[str] = "home"
    group: ClassVar[str] = ""
    title: ClassVar[str] = ""
    path: ClassVar[str] = ""
    needs: ClassVar[str] = ""
    """The right, `organisation.edit`, without which it is closed; "" is open to everybody who is signed in."""

    @classmethod
    def pages(cls) -> Iterator[PageServed]:
        found = {}
        for base in reversed(cls.__mro__):
            for name, member in vars(base).items():
                if isinstance(page := getattr(member, "page", None), PageServed):
                    found[name] = page
        yield from found.values()

    @property
    def panel(self) -> Any:
        """The panel that this screen is part of; sqladmin sets it."""
        return self._admin_ref

    @property
    def heading(self) -> str:
        return str(self.title)

    def url(self, *path: str) -> str:
        return "/".join((f"{BASE}{self.path}", *(part for part in path if part != "list")))

    def is_accessible(self, request: Request) -> bool:
        if not self.needs:
            return True
        found = getattr(request.state, "panel_request", None)
        return found is not None and found.may(self.needs)

    def is_listed(self, ask: PanelRequest) -> bool:
        """Whether the menu leads here."""
        return self.is_accessible(ask.request)

    async def render(self, ask: PanelRequest, template: str, context: dict[str, Any], status: int = 200) -> Response:
        response: Response = await self.panel.render(ask, template, {"view": self, **context}, status)
        return response
