"""People, the tree of departments, and who holds which role."""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from models import Customer, Department, Role, User, UserRole
from models.errors import NotFound, Refusal
from resolvers.access import policy_drafts
from resolvers.people import accounts, passwords
from resolvers.reading.pages import Row, one
from resolvers.runtime.batch import Outcome
from resolvers.runtime.ids import number_of
from resolvers.runtime.scope import Scope

from ...kit.commands import DETAIL, LIST, Command, command
from ...kit.fields import Field, Kind
from ...kit.lists import Tab
from ...kit.panel_request import panel_request
from ...kit.related import HISTORY, RelatedTable
from ...kit.translation import Label, gettext
from ...kit.view import PolicyModelView

_ = gettext


class People(PolicyModelView, model=User):
    """Everybody who works here."""

    icon, group = "user", "house"
    title = Label("People")
    columns = ("name", "login", "department_id", "active", "absent_until", "language")
    filters = ("department_id", "active", "absent_until", "created_at")
    offered = {"active": {"eq": True}}  # noqa: RUF012  declared as the others
    sections = (
        (Label("Person"), ("name", "login", "department_id", "email", "language")),
        (Label("Work"), ("active", "absent_until", "capacity")),
    )
    tabs = (
        Tab("active", Label("Active"), lambda _ask: {"active": {"eq": True}}),
        Tab("left", Label("Left"), lambda _ask: {"active": {"eq": False}}),
        Tab("all", Label("All"), lambda _ask: {}),
    )
    related = (
        RelatedTable(
            "roles",
            Label("Roles"),
            "shield-check",
            model=UserRole,
            key="user_id",
            columns=("role_id", "starts_at", "ends_at", "created_by_id"),
        ),
        RelatedTable(
            "customers",
            Label("Customers"),
            "building",
            model=Customer,
            key="owner_id",
            columns=("number", "name", "stage", "updated_at"),
        ),
        HISTORY,
    )

    @command(
        Label("One-time password"),
        icon="key",
        action="user.edit",
        where=(DETAIL,),
        confirm=Label("The old password and every session end. The new one is shown once and changed at sign-in."),
        when=lambda row: row["deleted_at"] is None and bool(row["active"]),
    )
    def one_time_password(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        raise NotImplementedError("shown once, see do_command")

    @command(
        Label("Deactivate"),
        icon="user-off",
        action="user.edit",
        where=(LIST, DETAIL),
        tone="danger",
        confirm=Label("The person is signed out at once and cannot come in again. Customers stay with him."),
        when=lambda row: row["deleted_at"] is None and bool(row["active"]),
    )
    def deactivate(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return accounts.set_active(scope, ids, active=False)

    @command(
        Label("Activate"),
        icon="user-plus",
        action="user.edit",
        where=(LIST, DETAIL),
        when=lambda row: row["deleted_at"] is None and not row["active"],
    )
    def activate(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return accounts.set_active(scope, ids, active=True)

    @command(
        Label("See as this person"),
        icon="users",
        action="user.view_as",
        where=(DETAIL,),
        confirm=Label("You see what this person sees, for half an hour at most, and change nothing. It is logged."),
        when=lambda row: row["deleted_at"] is None and bool(row["active"]),
    )
    def see_as(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        raise NotImplementedError("opens a session, see do_command")

    async def do_command(self, request: Request, which: Command) -> Response:
        """A one-time password is made, stored hashed, and shown this once; seeing as somebody opens a session."""
        if which.name == "see-as":
            return await self._see_as(request)
        if which.name != "one-time-password":
            return await super().do_command(request, which)
        ask, form = panel_request(request), await request.form()
        row = await ask.scope.read(one, self.asked_one(), number_of(User, str(form.get("ids", ""))))
        if row is None:
            raise HTTPException(404)
        secret = passwords.one_time_password()
        hashed = await asyncio.to_thread(passwords.hash_password, secret)
        try:
            await ask.scope.run(passwords.set_password, str(row["login"]), hashed, one_time=True)
        except Refusal as refusal:
            return await self.render(ask, "secret.html", {"error": refusal.say(ask.language), "secret": ""}, 422)
        what = _("One-time password of %(name)s") % {"name": row["name"]}
        return await self.render(ask, "secret.html", {"secret": secret, "what": what, "error": ""})

    async def _see_as(self, request: Request) -> Response:
        ask, form = panel_request(request), await request.form()
        try:
            backend = self.panel.authentication_backend
            response: Response = await backend.look(
                request, number_of(User, str(form.get("one") or form.get("ids", "")))
            )
        except NotFound:
            raise
        except Refusal as refusal:
            context = {"error": refusal.say(ask.language), "secret": "", "what": _("See as this person")}
            return await self.render(ask, "secret.html", context, 422)
        return response


class Departments(PolicyModelView, model=Department):
    """The tree of teams."""

    icon, group = "sitemap", "house"
    columns = ("name", "parent_id", "capacity")
    related = (
        RelatedTable(
            "people", Label("People"), "user", model=User, key="department_id", columns=("name", "login", "active")
        ),
        RelatedTable(
            "below", Label("Below it"), "sitemap", model=Department, key="parent_id", columns=("name", "capacity")
        ),
        HISTORY,
    )
    always = ("path",)
    list_page_template = "departments.html"


class Roles(PolicyModelView, model=Role):
    """Roles; what they may do is in the policy."""

    kept = True
    icon, group = "shield-lock", "house"
    columns = ("name", "code", "name_zh")
    related = (
        RelatedTable(
            "people",
            Label("People"),
            "user",
            model=UserRole,
            key="role_id",
            columns=("user_id", "starts_at", "ends_at", "created_by_id"),
        ),
        HISTORY,
    )

    @command(
        Label("Copy"),
        icon="copy",
        action="role.create",
        where=(DETAIL,),
        fields=(
            Field("code", Kind.TEXT, name=Label("Code of the new role"), is_required=True, length=40),
            Field("name", Kind.TEXT, name=Label("Its name"), is_required=True, length=200),
            Field("reason", Kind.TEXT, name=Label("Reason"), is_required=True, length=200),
        ),
    )
    def copy(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        """A role with the same lines: a change of the policy, which asks for that right too."""
        return Outcome([policy_drafts.copy_role(scope, ids[0], given["code"], given["name"], given["reason"])], [])


class RolesOfPeople(PolicyModelView, model=UserRole):
    """Who holds which role, from when to when."""

    icon = "shield-check"
    group = ""

    def name_of(self, row: Row) -> str:
        return f"{row.names.get('role_id') or ''} · {row.names.get('user_id') or ''}"
