"""The door of files, each with a name to read.

Exports and result workbooks for who has asked for them, templates for imports, files of records with the rights of the
record, and what is held of a person: `GET /files/exp_3`, `/files/imp_3`, `/files/templates/customer`, `/files/att_1`,
`/files/personal/con_1`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response

from models import Attachment, Contact, Export, ImportBatch, User
from models.errors import (
    ExportExpired,
    ExportGone,
    FileGone,
    Forbidden,
    NoPicture,
    NotExported,
    NotFound,
    Refusal,
    ResultGone,
    ResultNotReady,
)
from models.export import ExportFormat
from policies import Principal
from resolvers.exports import exports
from resolvers.files import attachments
from resolvers.files.thumbnails import MEDIA, thumbnail
from resolvers.imports import results
from resolvers.imports.templates import template as planned
from resolvers.personal.disclosure import disclose
from resolvers.personal.package import packed
from resolvers.runtime.file_store import FileStore
from resolvers.runtime.ids import number_of

from .caller import Secure, address_of, agent_of, bearer, request_id, session_cookie
from .graphql_request import Refused
from .responses import refusal

STATUS: dict[type[Refusal], int] = {
    NotFound: 404,
    FileGone: 410,
    NoPicture: 409,
    Forbidden: 403,
    NotExported: 409,
    ExportExpired: 410,
    ExportGone: 410,
    ResultNotReady: 409,
    ResultGone: 410,
}
"""Refusal -> status of the response; 400 for any other."""
HEADERS = {"cache-control": "private, no-store", "x-content-type-options": "nosniff"}
SANDBOX = "default-src 'none'; sandbox"
"""What a browser may do with a file of a record: nothing."""
SHOWN = {"content-security-policy": SANDBOX, "cache-control": "private, max-age=300"}
"""The headers of what a browser may show."""
THUMBNAILS_AT_ONCE = 2
"""Number of pictures that one process decodes at a time."""


class FileBackend(Protocol):
    """What the door uses of the backend."""

    files: FileStore

    async def principal_of(
        self, token: str, address: str | None = None, agent: str | None = None
    ) -> Principal | None: ...
    def scope(self, principal: Principal | None, door: str, **request: str | None) -> Any: ...


def downloads(backend: FileBackend, secure: Secure) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of files, for a session or for a token."""

    async def download(request: Request, scope: Any) -> Response:
        wanted = request.path_params["id"]
        if attached := number_of(Attachment, wanted):
            return _attached(backend, await scope.read(attachments.download, attached), "attachment")
        if number := number_of(ImportBatch, wanted):
            found: exports.Download = await scope.run(results.download, number)
        else:
            found = await scope.run(exports.download, number_of(Export, wanted))
        return FileResponse(
            backend.files.path(found.stored), headers=HEADERS, media_type=found.media, filename=found.name
        )

    return _signed_in(backend, secure, download)


def pictures(backend: FileBackend, secure: Secure) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of pictures of records, which a browser may show in its window; of nothing else."""

    async def picture(request: Request, scope: Any) -> Response:
        id = number_of(Attachment, request.path_params["id"])
        return _attached(backend, await scope.read(attachments.download, id, picture=True), "inline")

    return _signed_in(backend, secure, picture)


def thumbnails(backend: FileBackend, secure: Secure) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of thumbnails; 409 for a picture of which none can be made."""
    turn = asyncio.Semaphore(THUMBNAILS_AT_ONCE)

    async def small(request: Request, scope: Any) -> Response:
        row = await scope.read(attachments.download, number_of(Attachment, request.path_params["id"]), picture=True)
        async with turn:
            path = await asyncio.to_thread(thumbnail, backend.files, row.hash)
        if path is None:
            raise NoPicture(name=row.name)
        return FileResponse(path, headers={**HEADERS, **SHOWN}, media_type=MEDIA)

    return _signed_in(backend, secure, small)


def personal_data(backend: FileBackend, secure: Secure) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of everything that is held of one person; every call is logged."""

    async def personal(request: Request, scope: Any) -> Response:
        id = request.path_params["id"]
        model = User if number_of(User, id) else Contact
        data = await scope.run(disclose, model, number_of(model, id))
        content = await asyncio.to_thread(packed, data)
        headers = {**HEADERS, "content-disposition": f'attachment; filename="personal-data-{number_of(model, id)}.zip"'}
        return Response(content, headers=headers, media_type="application/zip")

    return _signed_in(backend, secure, personal)


def _attached(backend: FileBackend, row: Attachment, disposition: str) -> Response:
    """A file of a record.  Whatever it holds, a browser runs nothing of it and shows nothing but a picture."""
    media = row.media if disposition == "inline" else "application/octet-stream"
    headers = {**HEADERS, **SHOWN} if disposition == "inline" else {**HEADERS, "content-security-policy": SANDBOX}
    path = backend.files.content(row.hash)
    return FileResponse(
        path, headers=headers, media_type=media, filename=row.name, content_disposition_type=disposition
    )


def templates(backend: FileBackend, secure: Secure) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of templates, for a session or for a token; each is made for its reader."""

    async def template(request: Request, scope: Any) -> Response:
        from tasks.workbooks.template_book import written

        plan = await scope.read(planned, request.path_params["target"])
        content = await asyncio.to_thread(written, plan)
        headers = {**HEADERS, "content-disposition": f"attachment; filename*=utf-8''{quote(plan.name)}"}
        return Response(content, headers=headers, media_type=exports.MEDIA[ExportFormat.XLSX])

    return _signed_in(backend, secure, template)


def _signed_in(
    backend: FileBackend, secure: Secure, answer: Callable[[Request, Any], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that answers with the rights of who asks, and says what is refused."""

    async def endpoint(request: Request) -> Response:
        given = bearer(request.headers)
        token = session_cookie(request, secure) if given is None else given
        principal = await backend.principal_of(token, address_of(request), agent_of(request)) if token else None
        if principal is None:
            return _not_signed_in(request)
        about = {"request_id": request_id(request.scope), "address": address_of(request), "agent": agent_of(request)}
        try:
            return await answer(request, backend.scope(principal, "download", **about, token=token))
        except Refusal as refused:
            return _refused(request, refused, principal.language)

    return endpoint


def _is_page(request: Request) -> bool:
    """Whether a person looks at the answer in a browser, and no program reads it."""
    return "text/html" in request.headers.get("accept", "")


def _not_signed_in(request: Request) -> Response:
    if _is_page(request):
        return RedirectResponse("/admin/login", 303)
    return refusal(Refused(401, "UNAUTHENTICATED", "Please sign in.", www_authenticate="Bearer"))


def _refused(request: Request, refused: Refusal, language: str) -> Response:
    status, sentence = STATUS.get(type(refused), 400), refused.say(language)
    if _is_page(request):
        return PlainTextResponse(sentence, status, HEADERS)
    return refusal(Refused(status, refused.code(), sentence))
