"""Taking people in: one form with department, roles and first password, and a pasted table for many."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from models import Department, Role, User
from models.errors import Refusal
from resolvers.people import onboarding
from resolvers.people.directory import Directory, roles_and_departments
from resolvers.people.onboarding import NewPerson, TakenIn
from resolvers.people.pasted_people import CheckedPerson, check_people, pasted_people
from resolvers.runtime.ids import global_id, number_of

from ...kit import forms
from ...kit.create_page import CreatePage
from ...kit.fields import Field, Kind
from ...kit.form_page import Options
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import page_route
from ...kit.translation import Label, gettext, language, listed

_ = gettext
_LATER = ("active", "absent_until", "capacity")
"""Fields that a new person does not need: their page has them."""
_PASSWORD = Field(
    "password",
    Kind.TEXT,
    name=Label("First password"),
    length=200,
    help=Label("Leave it empty, and one is made for you. It is changed at the first sign-in."),
)
MOST_LISTED = 300
"""Maximum number of departments in a plain list; more are searched."""


@dataclass(frozen=True)
class NewAccount:
    """A person who was taken in, with the password that is shown this once."""

    name: str
    login: str
    secret: str
    href: str


class TakesPeopleIn(CreatePage):
    """The form of a new person, and the page for a pasted table."""

    create_template: ClassVar[str] = "person.html"
    list_page_template: ClassVar[str] = "people.html"

    @property
    def templates_used(self) -> set[str]:
        return super().templates_used | {"person.html", "paste_people.html", "new_accounts.html"}

    def form_fields(self, ask: PanelRequest, *, creating: bool) -> list[Field]:
        fields = super().form_fields(ask, creating=creating)
        return [*(x for x in fields if x.key not in _LATER), _PASSWORD] if creating else fields

    def initial_values(self, ask: PanelRequest) -> dict[str, Any]:
        return {**super().initial_values(ask), "language": ask.language_of_new_people}

    async def options(self, ask: PanelRequest, fields: list[Field], *, creating: bool) -> Options:
        """Departments with their paths in a plain list, as long as they are few."""
        known = await ask.scope.read(roles_and_departments)
        if not creating or len(known.places) > MOST_LISTED:
            return {}
        places = sorted((path, global_id(Department, id)) for id, path in known.places.items())
        return {"department_id": [(id, path) for path, id in places]}

    async def form_extra(self, ask: PanelRequest, row: Any) -> dict[str, Any]:
        """The roles to choose from, and those that are chosen."""
        if row is not None:
            return {}
        given = (await ask.request.form()) if ask.request.method == "POST" else ask.request.query_params
        known = await ask.scope.read(roles_and_departments) if ask.may("role.create") else None
        return {"roles": role_choices(known) if known else [], "chosen_roles": set(given.getlist("roles"))}

    def creation_values(self, typed: dict[str, Any]) -> dict[str, Any]:
        """What is a field of the user: the password is none."""
        return {key: value for key, value in typed.items() if key != "password"}

    async def create(self, ask: PanelRequest, _data: FormData, typed: dict[str, Any]) -> Response:
        """Take one person in, and show the password this once."""
        roles = [str(text) for text in (await ask.request.form()).getlist("roles")]
        password = typed.pop("password", None)
        person = NewPerson(**typed, role_ids=tuple(number_of(Role, text) for text in roles))
        taken_in = await onboarding.take_in(ask.scope, [person], {0: password} if password else None)
        for problem in taken_in.outcome.problems:
            for each in problem.all:
                each.field = (onboarding.row_of(each) or (0, ""))[1]
            raise problem
        again = [("roles", text) for text in roles]
        if person.department_id is not None:
            again.append(("department_id", global_id(Department, person.department_id)))
        return await self._show_accounts(ask, [person], taken_in, again)

    # -- a pasted table ----------------------------------------------------------------------------------

    @page_route("/paste", "create")
    async def show_paste(self, request: Request) -> Response:
        ask = panel_request(request)
        if not ask.may("user.create"):
            raise HTTPException(403)
        return await self._show_paste(ask)

    @page_route("/paste", "create", "POST")
    async def save_paste(self, request: Request) -> Response:
        """Check the table; with `step=create` take everyone in, if there is nothing against it."""
        ask = panel_request(request)
        if not ask.may("user.create"):
            raise HTTPException(403)
        data = forms.without_files(await request.form())
        text = str(data.get("table", ""))
        try:
            rows: list[CheckedPerson] = await ask.scope.read(check_people, pasted_people(text))
        except Refusal as refusal:
            return await self._show_paste(ask, text, error=refusal.say(ask.language))
        is_wrong = any(row.problems for row in rows)
        if is_wrong or data.get("step") != "create":
            return await self._show_paste(ask, text, rows)
        people = [_person(row) for row in rows]
        taken_in = await onboarding.take_in(ask.scope, people)
        if not taken_in.outcome.problems:
            return await self._show_accounts(ask, people, taken_in, None)
        for problem in taken_in.outcome.problems:
            place, _field = onboarding.row_of(problem) or (0, "")
            rows[place].problems.append(problem)
        return await self._show_paste(ask, text, rows)

    async def _show_paste(
        self, ask: PanelRequest, text: str = "", rows: Sequence[CheckedPerson] = (), error: str = ""
    ) -> Response:
        known = await ask.scope.read(roles_and_departments)
        wrong = sum(bool(row.problems) for row in rows)
        titles = {code: name for code, _id, name in _roles(known)}
        context = {
            "text": text,
            "rows": rows,
            "wrong": wrong,
            "error": error,
            "places": known.places,
            "known_places": listed(sorted(known.places.values())),
            "known_roles": listed(titles.values()),
            "said_roles": lambda row: listed(titles[code] for code in row.roles) or row.pasted.roles,
            "example": "\t".join((_("Li Wei"), "liwei", _("Sales"), _("Sales"), "liwei@example.com")),
        }
        return await self.render(ask, "paste_people.html", context, 422 if error or wrong else 200)

    async def _show_accounts(
        self, ask: PanelRequest, people: Sequence[NewPerson], taken_in: TakenIn, again: list[tuple[str, str]] | None
    ) -> Response:
        """The passwords, this once.  `again`: what the form of the next person begins with."""
        made = zip(people, taken_in.outcome.ids, taken_in.passwords, strict=True)
        accounts = [
            NewAccount(person.name, person.login, secret, self.url("details", global_id(User, id)))
            for person, id, secret in made
        ]
        copied = "\n".join("\t".join((each.name, each.login, each.secret)) for each in accounts)
        address = None if again is None else f"?{urlencode(again)}"
        return await self.render(ask, "new_accounts.html", {"accounts": accounts, "again": address, "copied": copied})


# --- steps -----------------------------------------------------------------------------------------------


def role_choices(known: Directory) -> list[tuple[str, str]]:
    """(id, name) of every role that the user sees."""
    return [(global_id(Role, id), name) for _code, id, name in _roles(known)]


def role_name(name: str, name_zh: str | None = None) -> str:
    """The name in the language of the reader."""
    return (name_zh or name) if language() == "zh" else name


def _roles(known: Directory) -> list[tuple[str, int, str]]:
    """(code, id, name in the language of the reader) of every role."""
    named = {code: role_name(titles[0], *titles[1:]) if titles else code for code, titles in known.titles.items()}
    return [(code, known.role_ids[code], name) for code, name in named.items()]


def _person(row: CheckedPerson) -> NewPerson:
    pasted = row.pasted
    return NewPerson(
        row.login,
        pasted.name,
        department_id=row.department_id,
        role_ids=tuple(row.roles.values()),
        email=pasted.email or None,
    )
