"""The door of files that come in: `POST /files` takes one, as it arrives, and answers with the id that GraphQL takes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from email.message import Message
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from admin.kit.file_form import FORM, FileForm, check_announced, posted_file
from models import Upload
from models.errors import (
    Forbidden,
    NoRoomForFile,
    OnlyLooking,
    PasswordMustChange,
    Refusal,
    SheetTooLarge,
    TooManyUploads,
    UploadsAtOnce,
    Validation,
)
from policies import Principal
from resolvers.imports import uploads as use_cases
from resolvers.runtime.ids import global_id
from resolvers.runtime.incoming_file import Received

from .caller import Secure, address_of, agent_of, bearer, check_origin, request_id, session_cookie
from .downloads import HEADERS, FileBackend
from .graphql_request import Refused
from .responses import refusal

STATUS: dict[type[Refusal], int] = {
    Forbidden: 403,
    OnlyLooking: 403,
    PasswordMustChange: 403,
    SheetTooLarge: 413,
    TooManyUploads: 429,
    UploadsAtOnce: 429,
    NoRoomForFile: 507,
}
"""Refusal -> status of the response; 400 for any other."""


def uploads(backend: FileBackend, secure: Secure) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that takes files, for a token, or for a session from our own pages."""

    async def upload(request: Request) -> Response:
        language = "en"
        try:
            principal = await _principal(backend, request, secure)
            language = principal.language
            about = {"request_id": request_id(request.scope), "address": address_of(request)}
            scope = backend.scope(principal, "upload", **about, agent=agent_of(request), token=_token(request, secure))
            name, received = await _received(scope, request)
            id = await scope.run(use_cases.keep, name, received)
            row = await scope.read(use_cases.upload, id)
        except ClientDisconnect:
            return Response(status_code=400)  # which nobody reads
        except Refused as refused:
            return refusal(refused)
        except Refusal as refused:
            return refusal(Refused(STATUS.get(type(refused), 400), refused.code(), refused.say(language)))
        return JSONResponse({"id": global_id(Upload, id), "name": row.name, "size": row.size}, 201, HEADERS)

    return upload


# --- the caller ------------------------------------------------------------------------------------------


def _token(request: Request, secure: Secure) -> str | None:
    """The token of the header, else of the session cookie.  Raises Refused where another site sends the cookie."""
    token = bearer(request.headers)
    if token is not None:
        return token
    cookie = session_cookie(request, secure)
    if cookie is not None:
        check_origin(request)
    return cookie


async def _principal(backend: FileBackend, request: Request, secure: Secure) -> Principal:
    token = _token(request, secure)
    found = await backend.principal_of(token, address_of(request), agent_of(request)) if token else None
    if found is None:
        raise Refused(401, "UNAUTHENTICATED", "Please sign in.", www_authenticate="Bearer")
    return found


# --- the body --------------------------------------------------------------------------------------------


async def _received(scope: Any, request: Request) -> tuple[str, Received]:
    """(what the sender calls the file, the file), from a form or from a body that is the file."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", "Send the body as it is, without Content-Encoding.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM:
        form = FileForm(request)
        received = await posted_file(scope, form)
        return form.name or "", received
    name = _name(request)
    check_announced(scope, request)
    return name, await use_cases.receive(scope, _body(request))


async def _body(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        yield chunk


def _name(request: Request) -> str:
    """The name in the address, else in Content-Disposition.  Raises Validation for neither."""
    said = Message()
    said["content-disposition"] = (
        request.headers.get("content-disposition", "").encode("latin-1").decode("utf-8", "replace")
    )
    if name := request.query_params.get("name") or said.get_filename():
        return name
    raise Validation(
        "Say what the file is called: /files?name=customers.xlsx.",
        "请说明文件名，例如 /files?name=customers.xlsx。",
        field="name",
    )
