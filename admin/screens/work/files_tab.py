"""The tab with the files of a record: to upload, show, download and remove them."""

from dataclasses import dataclass
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import Attachment, Entity
from models.attachment import FIELD, KEPT
from models.errors import NotFound, Refusal
from resolvers.files import attachments
from resolvers.files.content import ALLOWED, MEDIA
from resolvers.imports import uploads
from resolvers.reading.pages import Row
from resolvers.runtime.ids import global_id, number_of

from ...kit.declared import RecordScreen, Related
from ...kit.file_form import FileForm, posted_file
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import page_route
from ...kit.translation import Label
from ...kit.view import PolicyModelView


@dataclass(frozen=True, kw_only=True)
class RelatedFiles(Related):
    """The files of the record, the newest first."""

    module: str
    template: str = "related/files.html"

    def is_open_to(self, ask: PanelRequest, row: Row) -> bool:
        return ask.sees(self.module, FIELD)

    async def read(self, view: RecordScreen, ask: PanelRequest, row: Row) -> dict[str, Any]:
        model: Any = view.model
        limits, id = ask.scope.backend.file_limits, global_id(model, row.id)
        allowed = [word for word in limits.get("types", ALLOWED) if word in MEDIA]
        removed = await ask.scope.read(attachments.files_of, model, row.id, removed=True)
        may_change = await ask.scope.read(attachments.may_change, model, row.id)
        return {
            "files": [_shown(each) for each in await ask.scope.read(attachments.files_of, model, row.id)],
            "removed": [_shown(x) for x in removed if _can_return(ask, x)] if may_change else [],
            "may_change": may_change,
            "here": view.url("files", id),
            "limit": int(limits.get("mib", attachments.LARGEST_MIB)),
            "allowed": allowed,
            "days": KEPT.days,
        }


def _shown(kept: attachments.Kept) -> dict[str, Any]:
    id = global_id(Attachment, kept.row.id)
    return {"id": id, "row": kept.row, "by": kept.by, "is_picture": kept.is_picture}


def _can_return(ask: PanelRequest, kept: attachments.Kept) -> bool:
    return kept.row.removed_at is not None and kept.row.removed_at > ask.scope.now() - KEPT


def files_tab(module: str) -> RelatedFiles:
    """The tab of the records of a module."""
    return RelatedFiles("files", Label("Files"), "clipboard-list", module=module)


class KeepsFiles(PolicyModelView):
    """A screen over records that have files."""

    @page_route("/files/{id}", "edit", "POST")
    async def add_file(self, request: Request) -> Response:
        """Keep the file of the form with the record; a script sends several one after another."""
        ask = panel_request(request)
        id = self._record_id(request)
        try:
            received = await posted_file(ask.scope, form := FileForm(request))
            upload = await ask.scope.run(uploads.keep, form.name or "", received)
            try:
                await ask.scope.run(attachments.add, self._kept_with(), id, [upload])
            except Refusal:
                await ask.scope.run(uploads.delete, upload)
                raise
        except NotFound:
            raise
        except Refusal as refusal:
            return await self._files_page(ask, refusal)
        return self._to_files(ask)

    @page_route("/files/{id}/remove", "edit", "POST")
    async def remove_file(self, request: Request) -> Response:
        return await self._changed(panel_request(request), attachments.remove)

    @page_route("/files/{id}/restore", "edit", "POST")
    async def restore_file(self, request: Request) -> Response:
        return await self._changed(panel_request(request), attachments.restore)

    async def _changed(self, ask: PanelRequest, use_case: Any) -> Response:
        form = await ask.request.form()
        try:
            await ask.scope.run(use_case, [number_of(Attachment, form.get("file", ""))])
        except NotFound:
            pass  # a second press, or another user was faster: the page shows what is there
        except Refusal as refusal:
            return await self._files_page(ask, refusal)
        return self._to_files(ask)

    async def _files_page(self, ask: PanelRequest, refusal: Refusal) -> Response:
        return await self.show_record(ask, tab="files", error=refusal.say(ask.language), status=422)

    def _to_files(self, ask: PanelRequest) -> Response:
        return RedirectResponse(f"{self.url('details', ask.request.path_params['id'])}?tab=files", 303)

    def _kept_with(self) -> type[Entity]:
        return cast("type[Entity]", self.model)
