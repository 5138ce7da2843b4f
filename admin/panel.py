"""The panel as one application: sqladmin with our screens, templates and rights.  Screens say what they show."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from sqladmin import Admin
from sqladmin.authentication import login_required
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from models import Base
from models.errors import Refusal
from resolvers.live.hub import Hub
from resolvers.notices import inbox
from resolvers.reading.offers import Place
from resolvers.runtime import denials
from resolvers.runtime.ids import global_id

from . import rendering
from .content_security_policy import ContentSecurityPolicyMiddleware
from .discovery import ScreenError, place_of
from .error_pages import Endpoint, ErrorPages
from .kit.authentication import Authentication, SessionCookie
from .kit.authorization import Authorization
from .kit.panel_request import PanelRequest, panel_request
from .kit.preferences import preferences
from .kit.routes import BASE, PageRoute, routes_of
from .kit.view import PolicyModelView
from .preference_page import PreferencePage
from .sign_in_pages import SignInPages

GZIP_BYTES = 800
"""Minimum size of a response that is compressed."""


class Panel(Admin):
    """The panel, to be mounted at BASE.

    `doors`: "GET /admin/…" -> the right that the route asks for, as (module, action), or ("open", the reason).
    """

    def __init__(
        self,
        backend: Any,
        cookie: SessionCookie,
        asset: Callable[[str], str],
        views: Sequence[type[Any]],
        groups: Mapping[str, str],
        hub: Hub | None = None,
    ) -> None:
        """`hub`: who tells open pages of changes; without one they stay as they are."""
        self.hub = hub
        self.backend, self.cookie, self.asset, self.groups = backend, cookie, asset, groups
        self.doors: dict[str, tuple[str, str]] = {}
        self._owners: dict[str, str] = {}
        self.authentication, self.errors = Authentication(backend, cookie), ErrorPages(self)
        super().__init__(
            Starlette(),
            session_maker=backend.sessions,
            base_url=BASE,
            title="Millpond",
            authentication_backend=self.authentication,
            authorization_backend=Authorization(self._module_of),
            middlewares=[
                Middleware(GZipMiddleware, minimum_size=GZIP_BYTES),
                Middleware(ContentSecurityPolicyMiddleware),
            ],
        )
        self.admin.router.redirect_slashes = False
        self.admin.router.routes = []  # without the pages of sqladmin, which know nothing of policies
        self.admin.exception_handlers = {HTTPException: self.errors.on_http_error, Refusal: self.errors.on_refusal}
        for pages in (SignInPages(self), PreferencePage(self)):
            self._add_routes(type(pages), ((x, partial(x.serve, pages)) for x in routes_of(type(pages))))
        for view in views:
            self.add_view(view)

    @property
    def mount(self) -> Mount:
        return Mount(BASE, app=self.admin)

    # -- assembly ----------------------------------------------------------------------------------------

    def init_templating_engine(self) -> Any:
        templates = super().init_templating_engine()
        rendering.prepare(templates.env, self.asset, self._lookup)
        return templates

    def add_view(self, view: type[Any]) -> None:
        """Serve a screen: its pages and its commands, each under its right.  Raises ScreenError."""
        if getattr(view, "slug", ""):
            view.identity = view.slug
        super().add_view(view)
        screen: Any = self.views[-1]
        if missing := screen.templates_used.difference(self.templates.env.list_templates()):
            raise ScreenError(f"{place_of(view)} names the template {min(missing)}, which is not there.")
        self._add_routes(view, ((route, self._guarded(screen, route)) for route in screen.routes()))

    def _add_routes(self, owner: type, served: Iterable[tuple[PageRoute, Endpoint]]) -> None:
        for route, endpoint in served:
            assert isinstance(route.right, tuple), "a screen without a module declares whole rights"
            for method in route.methods:
                self._claim(owner, f"{method} {BASE}{route.path}")
                self.doors[f"{method} {BASE}{route.path}"] = route.right
            protected = self.errors.protect(endpoint)
            self.admin.router.routes.append(Route(route.path, protected, methods=list(route.methods)))

    def _claim(self, owner: type, door: str) -> None:
        """Note whose door this is.  Raises ScreenError for a door that another screen serves."""
        address = re.sub(r"{[^}]*}", "{}", door)
        if address in self._owners:
            raise ScreenError(
                f"{place_of(owner)} serves {door}, as {self._owners[address]} does: give one of them another address."
            )
        self._owners[address] = place_of(owner)

    def _guarded(self, screen: Any, route: PageRoute) -> Endpoint:
        """The route for users who are signed in and may open the screen."""

        @login_required
        async def serve(screen: Any, request: Request) -> Response:
            if not screen.is_accessible(request):
                if request.method == "POST":
                    await panel_request(request).scope.run(denials.refuse, *route.right)
                raise HTTPException(403)
            return await route.serve(screen, request)

        return partial(serve, screen)

    # -- the screens -------------------------------------------------------------------------------------

    @property
    def routes(self) -> list[BaseRoute]:
        return list(self.admin.router.routes)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The lists to which the menu leads where the user finds something in them."""
        listed: list[Any] = [view for view in self.views if getattr(view, "group", "")]
        return tuple(dict.fromkeys(view.place for view in listed if view.place is not None))

    def view_of(self, model: type[Base]) -> PolicyModelView | None:
        """The main screen of a model: the one without a slug."""
        found = [view for view in self.views if isinstance(view, PolicyModelView) and view.model is model]
        return next((view for view in found if not view.slug), None)

    def address(self, ask: PanelRequest, model: type[Base], id: int) -> str | None:
        """The address of a record, None if the user may not open its screen."""
        view = self.view_of(model)
        if view is None or not view.is_accessible(ask.request):
            return None
        return view.url("details", global_id(model, id))

    def menu(self, ask: PanelRequest) -> list[tuple[str, list[Any]]]:
        """(heading, screens) of every group in which the user may open a screen."""
        known: list[Any] = list(self.views)
        listed = [view for view in known if view.group and view.is_listed(ask)]
        grouped = [(str(label), [v for v in listed if v.group == name]) for name, label in self.groups.items()]
        return [(label, views) for label, views in grouped if views]

    def _lookup(self, model: type[Base]) -> str:
        view = self.view_of(model)
        return view.url("lookup") if view is not None else ""

    def _module_of(self, identity: str) -> str | None:
        return next((x.module for x in self.views if x.identity == identity and isinstance(x, PolicyModelView)), None)

    # -- rendering ---------------------------------------------------------------------------------------

    async def render(self, ask: PanelRequest, template: str, context: dict[str, Any], status: int = 200) -> Response:
        """A page for a user; without the frame if it goes into a dialog or the drawer."""
        layout = "partial.html" if ask.is_partial else "page.html"
        if not ask.is_partial:
            await ask.load_offers(self.places)
            ask.unread = await inbox.unread_of(ask.scope)
        common = {"ask": ask, "panel": self, "preferences": ask.preferences, "layout": layout, "may": ask.may}
        return self._page(template, {**common, **context}, status)

    def render_for_visitor(
        self, request: Request, template: str, context: dict[str, Any], status: int = 200
    ) -> Response:
        """A page for a request without a session, or of a user who has to choose a password first."""
        common = {"ask": None, "panel": self, "preferences": preferences(request), "layout": "bare.html"}
        return self._page(template, {**common, **context}, status)

    def _page(self, template: str, context: dict[str, Any], status: int) -> Response:
        text = self.templates.env.get_template(template).render(context)
        return HTMLResponse(text, status, {"cache-control": "no-store"})
