"""The composer: a follow-up and the date of the next one, written on the page of a customer or of a contact, or in a drawer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import Contact, Customer, FollowUp, Opportunity
from models.counting import FollowUpKind, Uncounted
from models.errors import KeyReused, Refusal
from resolvers.customers import follow_ups, plans
from resolvers.reading.offers import may_create
from resolvers.reading.pages import ListRequest, names_of, one, page
from resolvers.runtime import denials
from resolvers.runtime.batch import Outcome
from resolvers.runtime.idempotency import single
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ...kit import form_values, forms
from ...kit.fields import Field, Kind
from ...kit.once import act_once
from ...kit.pages import Page
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import BASE, page_route
from ...kit.translation import Label, gettext

_ = gettext
MOST_OFFERED = 100
"""Maximum number of contacts, and of opportunities, that the composer offers."""
FIELDS = (
    Field("kind", Kind.CHOICE, FollowUp, choices=tuple(FollowUpKind), is_required=True),
    Field("content", Kind.LONG, FollowUp, is_required=True, name=Label("What was said")),
    Field("contact_id", Kind.RECORD, FollowUp, target=Contact),
    Field("opportunity_id", Kind.RECORD, FollowUp, target=Opportunity),
    Field("next_at", Kind.TIME, name=Label("Next contact")),
    Field("next_text", Kind.TEXT, name=Label("What to do then"), length=200),
)
"""What the composer asks for.  The time of the follow-up is now; the full form takes another one."""


WRITTEN = "follow-up"
"""What the address of a page says was saved: the composer is empty then, whatever the browser has kept of it."""


@dataclass(frozen=True)
class Subject:
    """What a follow-up is about: a customer, and perhaps a contact of it."""

    customer_id: int
    name: str
    contact_id: int | None = None

    @property
    def parameters(self) -> dict[str, str]:
        contact = {"contact": global_id(Contact, self.contact_id)} if self.contact_id else {}
        return {"customer": global_id(Customer, self.customer_id), **contact}

    @property
    def page(self) -> str:
        """The page on which the composer stands."""
        if self.contact_id:
            return f"{BASE}/contact/details/{global_id(Contact, self.contact_id)}"
        return f"{BASE}/customer/details/{global_id(Customer, self.customer_id)}"


async def composer_for(ask: PanelRequest, subject: Subject) -> dict[str, Any] | None:
    """The composer as a template draws it; None for a user who could not write a follow-up there."""
    if not await may_create(ask.scope, FollowUp, {"customer_id": subject.customer_id}):
        return None
    offered = await ask.scope.read(_offered, subject.customer_id)
    contact = global_id(Contact, subject.contact_id) if subject.contact_id else ""
    form = forms.form_class(ask, _fields(ask), offered)(data={"kind": FollowUpKind.CALL, "contact_id": contact})
    address = f"{BASE}/compose?{urlencode(subject.parameters)}"
    return _drawn(ask, form, address, subject)


async def told_of(ask: PanelRequest) -> str:
    """Why the follow-up that was just saved does not count, by the address of the page; "" if it does."""
    why = ask.request.query_params.get("told", "")
    if why not in list(Uncounted):
        return ""
    notice: Refusal = await ask.scope.read(follow_ups.notice_of, Uncounted(why))
    return notice.say(ask.language)


class Composer(Page):
    """The composer on a page of its own: in a drawer, after a mistake, and after a lost session."""

    icon, path = "message-circle", "/compose"
    title = Label("New follow-up")
    needs = "followup.create"

    @property
    def templates_used(self) -> set[str]:
        return {"compose.html"}

    def is_listed(self, ask: PanelRequest) -> bool:
        return False

    @page_route("/compose", ("followup", "create"))
    async def show(self, request: Request) -> Response:
        ask = panel_request(request)
        subject = await _subject(ask)
        composer = await composer_for(ask, subject)
        if composer is None:
            raise HTTPException(403)
        return await self.render(ask, "compose.html", {"composer": composer, "subject": subject})

    @page_route("/compose", ("followup", "create"), "POST")
    async def save(self, request: Request) -> Response:
        ask = panel_request(request)
        if not ask.may("followup.create"):
            await ask.scope.run(denials.refuse, "followup", "create")
            raise HTTPException(403)
        subject, data = await _subject(ask), forms.without_files(await request.form())
        fields = _fields(ask)
        form = forms.form_class(ask, fields, await ask.scope.read(_offered, subject.customer_id))(data)
        if not form.validate():
            return await self._again(ask, form, subject, forms.mistakes_in(form))
        given = form_values.values_of(ask, fields, form)

        def write(scope: Scope) -> Outcome:
            said = {key: x for key in ("kind", "content", "contact_id", "opportunity_id") if (x := given.get(key))}
            said |= {"customer_id": subject.customer_id}
            return single(plans.follow_up(scope, said, given.get("next_at"), given.get("next_text")))

        try:
            outcome = await act_once(ask, data, "followup.compose", subject.parameters, write, FollowUp)
        except KeyReused:
            again = _("This form was saved already. To add another record with these values, save again.")
            return await self._again(ask, form, subject, again)
        except Refusal as refusal:
            message = forms.place_refusal(form, refusal, ask.language) or forms.mistakes_in(form)
            return await self._again(ask, form, subject, message)
        return _saved(ask, subject, outcome)

    async def _again(self, ask: PanelRequest, form: Any, subject: Subject, error: str) -> Response:
        composer = _drawn(ask, form, f"{BASE}/compose?{ask.request.url.query}", subject)
        context = {"composer": composer, "subject": subject, "error": error}
        return await self.render(ask, "compose.html", context, 422)


def _saved(ask: PanelRequest, subject: Subject, outcome: Outcome) -> Response:
    """The user stays on the page of the customer or the contact, which says what was saved."""
    if not ask.is_partial:
        told = {"told": follow_ups.reason_of(outcome.problems[0])} if outcome.problems else {}
        query = urlencode({"tab": "follow-ups", "saved": WRITTEN, **told})
        return RedirectResponse(f"{subject.page}?{query}#related", 303)
    message = " ".join([_("Saved."), *(x.say(ask.language) for x in outcome.problems)])
    marked = f"{BASE}/follow-up/details/{global_id(FollowUp, outcome.ids[0])}"
    event = {"millpond:done": {"message": message, "go": None, "refused": 0, "marked": marked}}
    return Response(status_code=204, headers={"HX-Trigger": json.dumps(event)})


async def _subject(ask: PanelRequest) -> Subject:
    """What the address names.  Raises HTTPException 404."""
    query = ask.request.query_params
    contact_id = number_of(Contact, query.get("contact", ""))
    found = await ask.scope.read(_known, number_of(Customer, query.get("customer", "")), contact_id)
    if found is None:
        raise HTTPException(404)
    return found


def _known(scope: Scope, db: Session, customer_id: int, contact_id: int) -> Subject | None:
    """The customer and its contact as far as the user sees them."""
    if contact_id:
        contact = one(scope, db, ListRequest(Contact, ("customer_id",)), contact_id)
        if contact is None or customer_id not in (0, contact["customer_id"]):
            return None
        customer_id = contact["customer_id"] or 0
    names = names_of(scope, db, Customer, [customer_id]) if customer_id else {}
    return Subject(customer_id, names[customer_id], contact_id or None) if customer_id in names else None


def _offered(scope: Scope, db: Session, customer_id: int) -> Mapping[str, list[tuple[str, str]]]:
    """(id, name) of the contacts and the opportunities of a customer, as far as the user sees them."""
    mine = {"customer_id": {"eq": customer_id}}
    wanted = ListRequest(Contact, ("name",), mine, order=(("is_primary", True),), size=MOST_OFFERED, counts=False)
    found = {"contact_id": wanted, "opportunity_id": replace(wanted, model=Opportunity, order=())}
    return {
        key: [(global_id(request.model, row.id), str(row["name"] or "–")) for row in page(scope, db, request).rows]
        for key, request in found.items()
        if scope.policy.ever(scope.person, "view", request.model.module)
    }


def _fields(ask: PanelRequest) -> list[Field]:
    """The fields without the records that the user may not see, and without a plan where they may make none."""
    left_out = {x.key for x in FIELDS if x.target is not None and not ask.may(f"{x.target.module}.view")}
    left_out |= set() if ask.may("plan.create") else {"next_at", "next_text"}
    return [x for x in FIELDS if x.key not in left_out]


def _drawn(ask: PanelRequest, form: Any, address: str, subject: Subject) -> dict[str, Any]:
    fields, is_new = {x.key: x for x in _fields(ask)}, ask.request.query_params.get("saved") == WRITTEN
    return {"form": form, "fields": fields, "to": address, "subject": subject, "is_new": is_new}
