"""What the panel uses of sqladmin, point by point, so that an upgrade shows what has changed."""

import inspect
from importlib.metadata import version
from typing import Any

import pytest
from sqladmin import Admin, BaseView, ModelView
from sqladmin.authentication import AuthenticationBackend, login_required
from sqladmin.authorization import AuthorizationBackend
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from starlette.applications import Starlette
from starlette.responses import Response

from admin.kit.authentication import Authentication
from admin.kit.authorization import Authorization
from admin.panel import Panel
from models import Customer


def parameters(call: Any) -> list[str]:
    return list(inspect.signature(call).parameters)


def test_sqladmin_is_the_version_that_was_read() -> None:
    assert version("sqladmin").startswith("0.32.")


def test_the_panel_is_made_with_what_sqladmin_takes() -> None:
    used = {
        "app",
        "session_maker",
        "base_url",
        "title",
        "authentication_backend",
        "authorization_backend",
        "middlewares",
    }
    assert used <= set(parameters(Admin.__init__))


def test_the_hooks_that_we_override_are_there_with_the_arguments_they_get() -> None:
    assert parameters(Admin.init_templating_engine) == ["self"] == parameters(Panel.init_templating_engine)
    assert parameters(Admin.add_view) == ["self", "view"] == parameters(Panel.add_view)
    assert (
        parameters(AuthenticationBackend.authenticate) == ["self", "request"] == parameters(Authentication.authenticate)
    )
    assert parameters(AuthenticationBackend.login) == ["self", "request"] == parameters(Authentication.login)
    assert parameters(AuthenticationBackend.logout) == ["self", "request"] == parameters(Authentication.logout)
    assert (
        parameters(AuthenticationBackend.get_user_id) == ["self", "request"] == parameters(Authentication.get_user_id)
    )
    asked = ["self", "request", "identity", "action", "obj"]
    assert parameters(AuthorizationBackend.has_permission) == asked == parameters(Authorization.has_permission)
    assert parameters(ModelView.is_accessible) == ["self", "request"] == parameters(BaseView.is_accessible)


def test_a_view_gets_its_identity_its_model_and_the_way_to_its_panel() -> None:
    class Some(ModelView, model=Customer):
        pass

    admin = Admin(Starlette(), session_maker=_sessions())
    admin.add_view(Some)

    assert (Some.identity, Some.model, Some._admin_ref) == ("customer", Customer, admin)
    assert [type(view) for view in admin.views] == [Some]
    assert isinstance(admin.admin, Starlette)
    assert admin.templates.env.is_async  # the panel renders without it, and passes no template to its TemplateResponse


def test_login_required_asks_the_backend_of_the_panel_and_passes_its_answer_on() -> None:
    asked = []

    class Nobody(AuthenticationBackend):
        def __init__(self) -> None:
            self.middlewares = []

        async def authenticate(self, request: Any) -> Response:
            asked.append(request)
            return Response(status_code=204)

    class View:
        _admin_ref = type("Panel", (), {"authentication_backend": Nobody(), "authorization_backend": None})()

    @login_required
    async def page(_view: Any, _request: Any) -> Response:
        raise AssertionError("nobody comes so far")

    coroutine = page(View(), "a request")
    with pytest.raises(StopIteration) as stopped:
        coroutine.send(None)

    assert stopped.value.value.status_code == 204
    assert asked == ["a request"]


def _sessions() -> Any:
    return async_sessionmaker(class_=AsyncSession)
