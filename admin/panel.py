"""The panel: sqladmin with our pages, templates and rights.  Assembly only; screens say what they show."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import structlog
from jinja2 import PackageLoader, StrictUndefined
from sqladmin import Admin
from sqladmin.authentication import login_required
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from models import Base
from models.errors import Forbidden, NotFound, Refusal, TooManyAttempts, Validation
from resolvers.people import passwords
from resolvers.runtime import denials
from resolvers.runtime.ids import global_id

from .kit import translation
from .kit.charts import bars
from .kit.formatting import moment
from .kit.icons import icon
from .kit.keys import Keys, Rights, SignIn, is_inside, visitor_language
from .kit.labels import action_label, choice_label, done, field_label, object_label, one, scope_label
from .kit.panel_request import BASE, PREFERENCES, PanelRequest, panel_request, preferences
from .kit.phrases import agent, door, left, said, typed, why
from .kit.view import PolicyModelView

CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""Tabler's style sheet carries small pictures as data; everything else is a file of ours."""
YEAR = 365 * 24 * 3600
_log = structlog.get_logger("millpond.panel")
Handler = Callable[[Any, Request], Awaitable[Response]]


class Panel(Admin):
    """The panel as an application to mount at BASE.

    `doors` says what each route asks for: (module, action), or ("open", why it may be).
    """

    def __init__(
        self,
        backend: Any,
        keys: Keys,
        asset: Callable[[str], str],
        views: Sequence[type[Any]],
        groups: Mapping[str, str],
    ) -> None:
        self.backend, self.keys, self.asset, self.groups = backend, keys, asset, groups
        self.doors: dict[str, tuple[str, str]] = {}
        super().__init__(
            Starlette(),
            session_maker=backend.sessions,
            base_url=BASE,
            title="Millpond",
            authentication_backend=SignIn(backend, keys),
            authorization_backend=Rights(self._module_of),
            middlewares=[Middleware(GZipMiddleware, minimum_size=800), Middleware(_Dressed)],
        )
        self.admin.router.redirect_slashes = False
        self.admin.router.routes = []  # sqladmin's own pages know nothing of policies: every page here is one of ours
        self.admin.exception_handlers = {HTTPException: self._failed, Refusal: self._refused}
        for path, methods, serve, because in (
            ("/login", ("GET", "POST"), self.login, "turns login and password into a session"),
            ("/logout", ("POST",), self.logout, "ends the session of this browser"),
            ("/be-myself", ("POST",), self.be_myself, "ends seeing Millpond as another person does"),
            ("/password", ("GET", "POST"), self.password, "lets somebody with a password of one use choose his own"),
            ("/preferences", ("POST",), self.prefer, "keeps theme, density, language and columns in this browser"),
        ):
            self._add(path, methods, serve, ("open", because))
        for view in views:
            self.add_view(view)

    def _lookup(self, model: type[Base]) -> str:
        """Where a search box finds records of a model."""
        view = self.view_of(model)
        return view.url("lookup") if view is not None else ""

    @property
    def mount(self) -> Mount:
        return Mount(BASE, app=self.admin)

    # -- assembly ----------------------------------------------------------------------------------------

    def init_templating_engine(self) -> Any:
        templates = super().init_templating_engine()
        env = templates.env
        env.loader = PackageLoader("admin", "templates")
        env.is_async = False  # a page waits for nothing while it is drawn
        env.undefined, env.trim_blocks, env.lstrip_blocks = StrictUndefined, True, True
        env.install_gettext_callables(translation.gettext, translation.ngettext, newstyle=True)  # type: ignore[attr-defined]
        env.globals |= {
            "base": BASE,
            "asset": self.asset,
            "bars": bars,
            "icon": lambda name, label="": icon(self.asset("icons.svg"), name, label),
            "languages": translation.LANGUAGES,
            "language": translation.language,
            "choice": choice_label,
            "done": done,
            "one": one,
            "label": field_label,
            "moment": moment,
            "said": said,
            "door": door,
            "why": why,
            "left": left,
            "action_label": action_label,
            "scope_label": scope_label,
            "object_label": object_label,
            "agent": agent,
            "typed": typed,
            "plain": lambda field: bool((field.render_kw or {}).get("data-plain")),
            "lookup": self._lookup,
        }
        return templates

    def add_view(self, view: type[Any]) -> None:
        """Register a screen: its pages, its commands, each with the right it asks for."""
        if getattr(view, "slug", ""):
            view.identity = view.slug
        super().add_view(view)
        made = self.views[-1]
        for page in view.pages():
            if isinstance(made, PolicyModelView):
                if page.path in ("/create", "/edit/{id}") and not (
                    made.is_made if "create" in page.path else made.is_edited
                ):
                    continue
                path, asks = f"/{made.identity}{page.path}", (made.module, page.action)
            else:
                path, asks = page.path, page.asks
            self._add(path, page.methods, self._inside(made, page.serve, asks), asks)
        if isinstance(made, PolicyModelView):
            self._add_commands(made)

    def _add_commands(self, view: PolicyModelView) -> None:
        for each in view.commands:
            module, _, verb = each.action.partition(".")

            async def ask(view: Any, request: Request, which: Any = each) -> Response:
                return await view.ask_command(request, which)  # type: ignore[no-any-return]

            async def do(view: Any, request: Request, which: Any = each) -> Response:
                return await view.do_command(request, which)  # type: ignore[no-any-return]

            self._add(
                f"/{view.identity}/ask/{each.name}", ("GET",), self._inside(view, ask, (module, verb)), (module, verb)
            )
            self._add(
                f"/{view.identity}/do/{each.name}", ("POST",), self._inside(view, do, (module, verb)), (module, verb)
            )

    def _add(self, path: str, methods: Sequence[str], serve: Any, asks: tuple[str, str]) -> None:
        self.admin.router.routes.append(Route(path, self._kept_up(serve), methods=list(methods)))
        for method in methods:
            self.doors[f"{method} {BASE}{path}"] = asks

    def _inside(self, view: Any, serve: Handler, asks: tuple[str, str]) -> Callable[[Request], Awaitable[Response]]:
        """A page for people who are signed in and may come to this screen."""

        @login_required
        async def guarded(view: Any, request: Request) -> Response:
            if not view.is_accessible(request):
                if request.method == "POST":
                    await panel_request(request).scope.run(denials.refuse, *asks)
                raise HTTPException(403)
            return await serve(view, request)

        async def endpoint(request: Request) -> Response:
            return await guarded(view, request)  # type: ignore[no-any-return]

        return endpoint

    def _kept_up(self, serve: Any) -> Callable[[Request], Awaitable[Response]]:
        """The page, or a sentence with an id when something in it broke."""

        async def endpoint(request: Request) -> Response:
            if b"%00" in request.scope.get("query_string", b"") or "\0" in request.url.path:
                return await self._say_error(request, 400)  # no column holds it, no search finds it
            try:
                return await serve(request)  # type: ignore[no-any-return]
            except (HTTPException, Refusal):
                raise
            except Exception:  # noqa: BLE001  a door: whatever it is, the person gets a sentence and an id
                _log.exception("something went wrong", path=request.url.path)
                return await self._say_error(request, 500)

        return endpoint

    def _module_of(self, identity: str) -> str | None:
        return next((x.module for x in self.views if x.identity == identity and isinstance(x, PolicyModelView)), None)

    @property
    def routes(self) -> list[BaseRoute]:
        return list(self.admin.router.routes)

    # -- where things are --------------------------------------------------------------------------------

    def view_of(self, model: type[Base]) -> PolicyModelView | None:
        """The screen over the whole of a model."""
        found = [view for view in self.views if isinstance(view, PolicyModelView) and view.model is model]
        return next((view for view in found if not view.slug), None)

    def address(self, ask: PanelRequest, model: type[Base], id: int) -> str | None:
        """Where a record has its page for this person."""
        view = self.view_of(model)
        if view is None or not view.is_accessible(ask.request):
            return None
        return view.url("details", global_id(model, id))

    def menu(self, ask: PanelRequest) -> list[tuple[str, list[Any]]]:
        """(group, its screens) as far as this person may go."""
        known: list[Any] = list(self.views)
        open_to = [view for view in known if view.group and view.is_listed(ask)]
        grouped = [(str(label), [v for v in open_to if v.group == name]) for name, label in self.groups.items()]
        return [(label, views) for label, views in grouped if views]

    # -- showing -----------------------------------------------------------------------------------------

    async def render(self, ask: PanelRequest, template: str, context: dict[str, Any], status: int = 200) -> Response:
        shell = "partial.html" if ask.is_partial else "page.html"
        whole = {"ask": ask, "panel": self, "wishes": ask.preferences, "shell": shell, "may": ask.may, **context}
        return self._drawn(template, whole, status)

    async def _outside(self, request: Request, template: str, context: dict[str, Any], status: int = 200) -> Response:
        """A page for somebody who is not signed in, or who cannot go on yet."""
        whole = {"ask": None, "panel": self, "wishes": preferences(request), "shell": "bare.html", **context}
        return self._drawn(template, whole, status)

    def _drawn(self, template: str, context: dict[str, Any], status: int) -> Response:
        text = self.templates.env.get_template(template).render(context)
        return HTMLResponse(text, status, {"cache-control": "no-store"})

    # -- coming in and going out -------------------------------------------------------------------------

    async def login(self, request: Request) -> Response:
        visitor_language(request)
        wanted = request.query_params.get("next", "")
        context = {"next": wanted if is_inside(wanted) else "", "login": "", "error": ""}
        if request.method == "GET":
            return await self._outside(request, "login.html", context)
        assert self.authentication_backend is not None, "given above"
        form = await request.form()
        try:
            response = await self.authentication_backend.login(request)
        except Refusal as refusal:
            said, status = refusal.say(translation.language()), 429 if isinstance(refusal, TooManyAttempts) else 400
            context |= {"error": said, "login": str(form.get("login", ""))[:40], "next": str(form.get("next", ""))}
            return await self._outside(request, "login.html", context, status)
        assert isinstance(response, Response), "SignIn answers so"
        return response

    async def logout(self, request: Request) -> Response:
        assert self.authentication_backend is not None, "given above"
        response = await self.authentication_backend.logout(request)
        assert isinstance(response, Response), "SignIn answers so"
        return response

    async def be_myself(self, request: Request) -> Response:
        response: Response = await self.authentication_backend.stop_looking(request)  # type: ignore[union-attr]  # given above
        return response

    async def password(self, request: Request) -> Response:
        """The one page for somebody whose password was for one use."""
        visitor_language(request)
        found = await self.authentication_backend.authenticate(request)  # type: ignore[union-attr]  # given above
        scope = getattr(request.state, "scope", None)
        if scope is None:
            return found if isinstance(found, Response) else RedirectResponse(f"{BASE}/account", 303)
        if request.method == "GET":
            return await self._outside(request, "password.html", {"error": ""})
        form = await request.form()
        old, new, again = (str(form.get(name, ""))[:300] for name in ("old", "new", "again"))
        try:
            if new != again:
                raise Validation("The two new passwords differ.", "两次输入的新密码不一致。")
            await passwords.change_password(scope, old, new)
        except Refusal as refusal:
            return await self._outside(request, "password.html", {"error": refusal.say(translation.language())}, 422)
        return RedirectResponse(f"{BASE}/", 303)

    async def prefer(self, request: Request) -> Response:
        """Keep one choice about how the panel looks in this browser, and go back to where it was made."""
        form = await request.form()
        kept = preferences(request).with_change(*(str(form.get(name, "")) for name in ("name", "value", "of")))
        back = str(form.get("back", ""))
        response = RedirectResponse(back if is_inside(back) else f"{BASE}/", 303)
        response.set_cookie(PREFERENCES, quote(kept.written()), max_age=YEAR, path=BASE, httponly=True, samesite="lax")
        return response

    # -- what goes wrong ---------------------------------------------------------------------------------

    async def _failed(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException), "registered for it alone"
        return await self._say_error(request, error.status_code)

    async def _refused(self, request: Request, refusal: Exception) -> Response:
        """A refusal outside any form: what is not there, or not for this person."""
        status = 404 if isinstance(refusal, NotFound) else 403 if isinstance(refusal, Forbidden) else 422
        return await self._say_error(request, status)

    async def _say_error(self, request: Request, status: int) -> Response:
        context = {"status": status, "request_id": self.keys.request_id(request)}
        if hasattr(request.state, "panel_request"):
            return await self.render(panel_request(request), "error.html", context, status)
        assert self.authentication_backend is not None, "given above"
        signed_in = await self.authentication_backend.authenticate(request)
        if signed_in is True and hasattr(request.state, "panel_request"):
            return await self._say_error(request, status)
        visitor_language(request)
        return await self._outside(request, "error.html", context, status)


class _Dressed:
    """Gives every answer of the panel its own content security policy."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, connection: Any, receive: Any, send: Any) -> None:
        async def dressed(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", CSP.encode())]
            await send(message)

        await self.app(connection, receive, dressed)
