"""The upload of a file: from the form onto the disk as it arrives, and an import of it."""

from models import ImportBatch
from models.errors import Refusal
from resolvers.imports import batches, returning, uploads
from resolvers.imports.targets import offered_targets
from resolvers.runtime.incoming_file import Received

from ...kit.file_form import FileForm, posted_file
from ...kit.panel_request import PanelRequest
from .words import heading

FILE_KINDS = ".xlsx,.xlsm,.xls,.csv,.txt"
"""What the file chooser of a browser offers."""


async def begin(ask: PanelRequest, form: FileForm) -> int:
    """The id of a new import of the file in the form.  Raises Refusal."""
    received: Received = await posted_file(ask.scope, form)
    try:
        id: int = await ask.scope.run(
            batches.begin, form.fields.get("target", "")[:100], form.name, received.stored, received.hash
        )
    except Refusal:
        uploads.discard(ask.scope, received)
        raise
    return id


async def go_on(ask: PanelRequest, row: ImportBatch) -> None:
    """Go on with the corrected workbook in the form.  Raises Refusal."""
    received: Received = await posted_file(ask.scope, FileForm(ask.request))
    try:
        await ask.scope.run(returning.continue_with, row.id, received.stored, received.hash)
    except Refusal:
        uploads.discard(ask.scope, received)
        raise


def offered(ask: PanelRequest) -> list[tuple[str, str]]:
    """(code, what its sheets bring in) of everything that the user may import."""
    return [(each.code, heading(each)) for each in offered_targets(ask.scope)]
