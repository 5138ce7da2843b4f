"""The button beside a change in a history: one field gets back its former value."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models.errors import Conflict, Refusal
from resolvers.records.restore_field import restore_field
from resolvers.runtime.batch import Outcome
from resolvers.runtime.idempotency import single
from resolvers.runtime.scope import Scope

from .form_values import whole_number
from .once import act_once
from .panel_request import panel_request
from .past import moment_of
from .record_page import RecordPage
from .routes import page_route


class RestorePage(RecordPage):
    """A record whose fields can be restored from its history."""

    @page_route("/restore-field/{id}", "edit", "POST")
    async def restore_field(self, request: Request) -> Response:
        """The page of the record, with its history; a refusal stands above it."""
        ask, data = panel_request(request), await request.form()
        id, key = self._record_id(request), str(data.get("field", ""))
        entry, at = whole_number(str(data.get("entry", ""))), moment_of(ask, str(data.get("at", "")))
        version = whole_number(str(data.get("version", "")))

        def restored(scope: Scope) -> Outcome:
            return single(restore_field(scope, self.model, id, key, entry_id=entry, at=at, version=version))

        about = {"id": id, "field": key, "entry": entry, "at": at}
        try:
            await act_once(ask, data, f"{self.module}.edit", about, restored, self.model)
        except Refusal as refusal:
            status = 409 if isinstance(refusal, Conflict) else 422
            return await self.show_record(ask, tab="history", error=refusal.say(ask.language), status=status)
        return RedirectResponse(f"{self.url('details', request.path_params['id'])}?tab=history&saved=1#related", 303)
