"""The forms of records that are checked for duplicates: matches while the user types, and the reason of a second one."""

from typing import Any

from sqlalchemy.orm import Session
from starlette.responses import Response

from models.errors import DuplicateFound, DuplicateRefused, Refusal
from resolvers.duplicates.enforcement import REASON
from resolvers.duplicates.notice import checked
from resolvers.reading.pages import Row
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope

from ...kit import forms
from ...kit.fields import Field
from ...kit.panel_request import PanelRequest
from ...kit.routes import BASE
from ...kit.view import PolicyModelView
from .duplicate_matches import given_in, match_lines

WATCHED = (
    *("name", "phone", "email", "registration_number", "contact_phone", "contact_email"),
    *("customer_id", "points-kind", "points-value"),
)
"""The inputs that are checked while the user types."""


class ChecksDuplicates(PolicyModelView):
    """A form that shows what is there already.  The field of the reason appears once a save was held up."""

    def is_offered(self, ask: PanelRequest, key: str, *, creating: bool) -> bool:
        """Who names a record may give the reason."""
        return super().is_offered(ask, "name" if key == REASON else key, creating=creating)

    def extra_form_values(self, scope: Scope, db: Session, row: Row) -> dict[str, Any]:
        return {**super().extra_form_values(scope, db, row), REASON: None}

    def form_sections(self, fields: list[Field]) -> list[tuple[str, list[str]]]:
        return super().form_sections([field for field in fields if field.key != REASON])

    async def form_extra(self, ask: PanelRequest, row: Row | None) -> dict[str, Any]:
        live = {
            "url": f"{BASE}/duplicate-check/live",
            "watch": " ".join(WATCHED),
            "module": self.module,
            "but": global_id(self.model, row.id) if row else "",
        }
        return {**await super().form_extra(ask, row), "live": live if ask.may("customer.dupcheck") else None}

    async def _show_refusal(
        self,
        ask: PanelRequest,
        fields: list[Field],
        form: Any,
        row: Row | None,
        refusal: Refusal,
        was: str = "",
        **more: Any,
    ) -> Response:
        if not isinstance(refusal, DuplicateFound | DuplicateRefused):
            return await super()._show_refusal(ask, fields, form, row, refusal, was, **more)
        held_up: dict[str, Any] = {
            "matches": await self._matches(ask, row),
            "asks_reason": isinstance(refusal, DuplicateFound) and REASON in form,
        }
        error = refusal.say(ask.language)
        return await self._show_form(ask, fields, form, row, was=was, status=422, error=error, **held_up, **more)

    async def _matches(self, ask: PanelRequest, row: Row | None) -> list[Any]:
        """What was found for what was typed; nothing for a user who may not look for duplicates, or looked too often."""
        given = given_in(forms.without_files(await ask.request.form()))
        try:
            found = await checked(ask.scope, self.model, given, row.id if row else None)
        except Refusal:
            return []
        return match_lines(self.panel, ask, self.model, [match for match in found if match.verdict.is_certain])
