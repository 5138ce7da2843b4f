"""The upload of a file: from the form into the store, without the memory of the process."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from anyio.to_thread import run_sync
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from models.errors import Refusal, SheetTooLarge, Validation
from resolvers.imports import batches
from resolvers.imports.targets import offered_targets

from ...kit.panel_request import PanelRequest
from .words import heading

ENDINGS = ("xlsx", "xlsm", "xls", "csv", "txt")
FILE_KINDS = ",".join(f".{each}" for each in ENDINGS)
"""What the file chooser of a browser offers."""
FIELDS = 20
"""Maximum number of texts beside the file."""
_PIECE = 1 << 20


@asynccontextmanager
async def posted(ask: PanelRequest) -> AsyncIterator[FormData]:
    """The posted form with its file, which lies on the disk for as long.  Raises SheetTooLarge, HTTPException."""
    try:
        form = await ask.request.form(max_files=1, max_fields=FIELDS)
    except HTTPException as error:
        if error.status_code != 413:
            raise
        raise SheetTooLarge(limit=largest_mib(ask)) from None
    try:
        yield form
    finally:
        await form.close()


async def begin(ask: PanelRequest, form: FormData) -> int:
    """The id of a new import of the file in the form.  Raises Refusal."""
    given = form.get("file")
    if not isinstance(given, UploadFile) or not given.filename:
        raise Validation("Choose a file.", "请选择文件。", field="file")
    stored, digest = batches.stored_name(_ending(given.filename)), hashlib.sha256()

    def copy() -> None:
        with ask.scope.backend.files.opened(stored) as file:
            while piece := given.file.read(_PIECE):
                digest.update(piece)
                file.write(piece)

    await run_sync(copy)
    target = str(form.get("target", ""))[:100]
    try:
        id: int = await ask.scope.run(batches.begin, target, given.filename, stored, digest.hexdigest())
    except Refusal:
        ask.scope.backend.files.delete_all(stored.partition(".")[0])
        raise
    return id


def offered(ask: PanelRequest) -> list[tuple[str, str, bool]]:
    """(code, what its sheets bring in, whether it is the first) of everything that the user may import."""
    return [(each.code, heading(each), n == 0) for n, each in enumerate(offered_targets(ask.scope))]


def largest_mib(ask: PanelRequest) -> int:
    """Maximum size of a file."""
    limits: dict[str, Any] = ask.scope.backend.import_limits
    return int(limits.get("file_mib", 100))


def _ending(name: str) -> str:
    ending = name.rpartition(".")[2].lower()
    return ending if ending in ENDINGS else "csv"
