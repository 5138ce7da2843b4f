"""People, the tree of departments, and the roles of each person."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.responses import Response

from models import Customer, Department, Role, User, UserRole
from models.errors import NotFound, Refusal
from resolvers.access import policy_drafts
from resolvers.people import accounts, passwords
from resolvers.people.directory import roles_and_departments
from resolvers.people.head_counts import head_counts
from resolvers.people.roster import last_sign_ins, roles_of
from resolvers.reading.pages import Row, one
from resolvers.runtime.batch import Outcome
from resolvers.runtime.scope import Scope

from ...kit.commands import DETAIL, LIST, Command, answering_command, command
from ...kit.declared import Tab
from ...kit.fields import Field, Kind
from ...kit.form_page import Options
from ...kit.history_tab import HISTORY
from ...kit.lists import ListState
from ...kit.panel_request import PanelRequest
from ...kit.related import RelatedTable
from ...kit.translation import Label, gettext, listed
from ...kit.tree import tree_of
from ...kit.view import PolicyModelView
from .new_people import TakesPeopleIn, role_choices, role_name

_ = gettext


NEVER_SIGNED_IN = {"active": {"eq": True}, "has_signed_in": {"eq": False}}
WITHOUT_ROLE = {"active": {"eq": True}, "role_id": {"is_null": True}}
_ROLE = (Field("role_id", Kind.RECORD, target=Role, name=Label("Role"), is_required=True),)


def is_active(row: Row) -> bool:
    return row["deleted_at"] is None and bool(row["active"])


class People(TakesPeopleIn, PolicyModelView, model=User):
    """The people who work here."""

    icon, group, position, imports = "user", "company", 20, "person"
    title = Label("People")
    hint = Label("Everybody who signs in, with department and roles.")
    empty = Label("Nobody is here yet. Take one person in, or paste a table of many.")
    columns = ("name", "login", "department_id", "active", "absent_until")
    filters = ("role_id", "department_id", "active", "absent_until", "created_at")
    told_apart_by = "login"
    lookup_filter = {"active": {"eq": True}}  # noqa: RUF012  declared like the others
    sections = (
        (Label("Person"), ("name", "login", "department_id", "email", "language")),
        (Label("Work"), ("active", "absent_until", "capacity")),
    )
    tabs = (
        Tab("active", Label("Active"), lambda _ask: {"active": {"eq": True}}),
        Tab(
            "new",
            Label("Never signed in"),
            lambda _ask: NEVER_SIGNED_IN,
            needs="session.view",
            empty=Label("Everybody has signed in."),
        ),
        Tab(
            "roleless",
            Label("Without a role"),
            lambda _ask: WITHOUT_ROLE,
            needs="role.view",
            empty=Label("Everybody has a role."),
        ),
        Tab("left", Label("Left"), lambda _ask: {"active": {"eq": False}}, empty=Label("Nobody has left.")),
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

    @answering_command(
        Label("One-time password"),
        icon="key",
        action="user.edit",
        where=(DETAIL,),
        confirm=Label("The old password and every session end. The new one is shown once and changed at sign-in."),
        when=is_active,
    )
    async def one_time_password(self, ask: PanelRequest, ids: list[int], given: Mapping[str, Any]) -> Response:
        """Save a new password as a hash, and show it this once."""
        row = await ask.scope.read(one, self.record_request(), ids[0])
        if row is None:
            raise HTTPException(404)
        try:
            secret = await passwords.give_one_time_password(ask.scope, ids[0])
        except Refusal as refusal:
            return await self._show_secret(ask, _("One-time password"), error=refusal.say(ask.language))
        return await self._show_secret(ask, _("One-time password of %(name)s") % {"name": row["name"]}, secret)

    @command(
        Label("Deactivate"),
        icon="user-off",
        action="user.edit",
        where=(LIST, DETAIL),
        tone="danger",
        confirm=Label("The person is signed out at once and cannot come in again. Customers stay with him."),
        when=is_active,
        for_others=True,
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

    @answering_command(
        Label("See as this person"),
        icon="users",
        action="user.view_as",
        where=(DETAIL,),
        confirm=Label("You see what this person sees, for half an hour at most, and change nothing. It is logged."),
        when=is_active,
        for_others=True,
    )
    async def see_as(self, ask: PanelRequest, ids: list[int], given: Mapping[str, Any]) -> Response:
        """Open a session that views the panel as this person, and go to its first page."""
        try:
            response: Response = await self.panel.authentication.start_viewing_as(ask.request, ids[0])
        except NotFound:
            raise HTTPException(404) from None
        except Refusal as refusal:
            return await self._show_secret(ask, _("See as this person"), error=refusal.say(ask.language))
        return response

    @command(
        Label("Give a role"),
        icon="shield-check",
        action="user.view",
        where=(LIST, DETAIL),
        needs="role.create",
        fields=_ROLE,
        when=lambda row: row["deleted_at"] is None,
        for_others=True,
    )
    def give_role(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return accounts.give_roles(scope, ids, [given["role_id"]])

    @command(
        Label("Take a role"),
        icon="ban",
        action="user.view",
        where=(LIST, DETAIL),
        needs="role.delete",
        fields=_ROLE,
        when=lambda row: row["deleted_at"] is None,
    )
    def take_role(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return accounts.take_roles(scope, ids, [given["role_id"]])

    async def command_options(self, ask: PanelRequest, which: Command, ids: list[int]) -> Options:
        """Roles in a plain list: there are few."""
        if which.fields != _ROLE:
            return {}
        return {"role_id": role_choices(await ask.scope.read(roles_and_departments))}

    def extra_columns(self, ask: PanelRequest) -> list[tuple[str, str]]:
        shown = [("roles", _("Roles"), "role.view"), ("signed_in", _("Last sign-in"), "session.view")]
        return [(key, label) for key, label, right in shown if ask.may_all(right)]

    def extra_values(self, scope: Scope, db: Session, rows: list[Row]) -> dict[int, dict[str, Any]]:
        """The roles that each person holds, and when they signed in last."""
        ids = [row.id for row in rows]
        held, signed_in = roles_of(scope, db, ids), last_sign_ins(db, ids)
        return {
            id: {"roles": listed(role_name(*names) for names in held.get(id, ())), "signed_in": signed_in.get(id, "")}
            for id in ids
        }

    async def _show_secret(self, ask: PanelRequest, title: str, secret: str = "", error: str = "") -> Response:
        """The secret under this title, or the sentence why there is none."""
        context = {"what": title, "secret": secret, "error": error}
        return await self.render(ask, "secret.html", context, 422 if error else 200)


class Departments(PolicyModelView, model=Department):
    """The tree of teams."""

    icon, group, position = "sitemap", "company", 30
    hint = Label("The tree of teams. Leads see the customers of their department and of all below it.")
    empty = Label("There is no department yet. Begin with the one at the top.")
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
    is_whole = True
    list_page_template = "departments.html"

    async def list_extra(self, ask: PanelRequest, state: ListState) -> dict[str, Any]:
        return {"tree": tree_of, "heads": await ask.scope.read(head_counts)}


class Roles(PolicyModelView, model=Role):
    """Roles; the policy says what each of them may do."""

    icon, group, position = "shield-lock", "company", 40
    hint = Label("Sets of rights. The policy says what each role may do.")
    empty = Label("There is no role yet. Without one nobody may do anything.")
    for_editors = True
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
        needs="policy.activate",
        fields=(
            Field("code", Kind.TEXT, name=Label("Code of the new role"), is_required=True, length=40),
            Field("name", Kind.TEXT, name=Label("Its name"), is_required=True, length=200),
            Field("reason", Kind.TEXT, name=Label("Reason"), is_required=True, length=200),
        ),
    )
    def copy(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        """A role with the same policy lines.  The use case asks for the right to change the policy too."""
        return Outcome([policy_drafts.copy_role(scope, ids[0], given["code"], given["name"], given["reason"])], [])


class RolesOfPeople(PolicyModelView, model=UserRole):
    """The roles of people, each from one time to another."""

    icon = "shield-check"
    group = ""
    hint = Label("Who holds which role, from when to when.")
    empty = Label("Nobody holds a role that you see. Give one on the list of people.")
    begin = (Label("To the people"), "user/list", "user.view")

    def name_of(self, row: Row) -> str:
        return f"{row.names.get('role_id') or ''} · {row.names.get('user_id') or ''}"
