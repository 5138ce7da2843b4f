"""Uploads: files that users send before they say what becomes of them.

An upload belongs to its user: for everybody else it is not there.  It is used once, and deleted after a day.
"""

from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Upload
from models.attachment import with_files
from models.errors import Forbidden, NotFound, Refusal, TooManyUploads, UploadsAtOnce
from models.upload import KEPT, UPLOAD

from ..runtime.file_store import FileStore
from ..runtime.ids import global_id
from ..runtime.incoming_file import Received
from ..runtime.scope import Scope
from . import batches, returning
from .targets import targets

MAX_UPLOADS = 20
"""Maximum number of files of one user that no import has used."""
MAX_ARRIVING = 3
"""Maximum number of files of one user that arrive at one process at the same time."""
LARGEST_MIB = 100
"""Maximum size of a file where the settings name none."""
_XLSX, _XLS = b"PK", b"\xd0\xcf\x11\xe0"


async def receive(scope: Scope, chunks: AsyncIterable[bytes]) -> Received:
    """The file that the chunks are, on the disk; `keep` or an import's `begin` makes it the caller's.

    Raises Forbidden for who may use no file, TooManyUploads and UploadsAtOnce before a chunk is asked for; SheetEmpty,
    SheetTooLarge, NoRoomForFile, and what the chunks raise.  Then no file stays.
    """
    await scope.run(expect)
    files: FileStore = scope.backend.files
    with _arriving(files, scope.me):
        return await files.receive(chunks, limit_mib=largest(scope), ending_of=ending_of)


def expect(scope: Scope) -> None:
    """Raise Forbidden for who may neither import nor edit what has files, TooManyUploads for who has sent too many files."""
    with scope.write("user.imports") as db:
        modules = [each.model.module for each in targets()]
        keeping = [model.module for model in with_files().values()]
        rights = [*(("import", module) for module in modules), *(("edit", module) for module in keeping)]
        if not any(scope.policy.ever(scope.person, *right) for right in rights):
            raise Forbidden(action=f"{modules[0]}.import")
        _check_room(scope, db)


def keep(scope: Scope, name: str, received: Received) -> int:
    """The id of a new upload, which the caller calls `name`.  Raises TooManyUploads; then the file is deleted."""
    try:
        with scope.write("user.imports") as db:
            _check_room(scope, db)
            row = Upload(
                owner_id=scope.me,
                name=batches.plain_name(name),
                stored=received.stored,
                hash=received.hash,
                size=received.size,
                created_at=scope.now(),
            )
            db.add(row)
            db.flush()
            return row.id
    except Refusal:
        discard(scope, received)
        raise


def upload(scope: Scope, db: Session, id: int) -> Upload | None:
    """One upload of the caller; None for one that is not there, is used, or is somebody else's."""
    return db.execute(select(Upload).where(Upload.id == id, Upload.owner_id == scope.me)).scalars().first()


def discard(scope: Scope, received: Received) -> None:
    """Delete a file that has come in for nothing."""
    scope.backend.files.delete_all(received.stored.partition(".")[0])


def taken(scope: Scope, db: Session, id: int) -> Upload:
    """An upload of the caller, which from now on belongs to what uses it.  Raises NotFound."""
    mine = select(Upload).where(Upload.id == id, Upload.owner_id == scope.me, Upload.created_at > scope.now() - KEPT)
    row = db.execute(mine.with_for_update()).scalars().first()
    if row is None:
        raise NotFound(what=UPLOAD, record_id=global_id(Upload, id) if id else None)
    db.delete(row)
    db.flush()
    return row


def delete(scope: Scope, id: int) -> None:
    """Delete an upload with its file.  Raises NotFound."""
    with scope.write("user.imports") as db:
        row = taken(scope, db, id)
        name, files = row.stored.partition(".")[0], scope.backend.files
        scope.after_commit(lambda: files.delete_all(name))


def begin(scope: Scope, target: str, id: int) -> int:
    """The id of a new import of an upload.  Raises NotFound, Forbidden, Validation; then the upload stays."""
    with scope.write("user.imports") as db:
        upload = taken(scope, db, id)
        return batches.begin(scope, target, upload.name, upload.stored, upload.hash)


def continue_with(scope: Scope, id: int, upload_id: int) -> None:
    """Go on with an import by an upload, which is its corrected file.

    Raises what `returning.continue_with` raises, and NotFound for the upload; then the upload stays.
    """
    with scope.write("user.imports") as db:
        upload = taken(scope, db, upload_id)
        returning.continue_with(scope, id, upload.stored, upload.hash)


def largest(scope: Scope) -> int:
    """Maximum size of a file, in MiB."""
    return int(scope.backend.import_limits.get("file_mib", LARGEST_MIB))


def ending_of(head: bytes) -> str:
    """The ending of a file with these first bytes, among those that are read; what it really is shows when it is read."""
    return "xlsx" if head.startswith(_XLSX) else "xls" if head.startswith(_XLS) else "csv"


# --- steps -----------------------------------------------------------------------------------------------


@contextmanager
def _arriving(files: FileStore, owner: int) -> Iterator[None]:
    if files.arriving[owner] >= MAX_ARRIVING:
        raise UploadsAtOnce(limit=MAX_ARRIVING)
    files.arriving[owner] += 1
    try:
        yield
    finally:
        files.arriving[owner] -= 1
        if not files.arriving[owner]:
            del files.arriving[owner]


def _check_room(scope: Scope, db: Session) -> None:
    waiting = select(func.count()).select_from(Upload).where(Upload.owner_id == scope.me)
    if db.execute(waiting.where(Upload.created_at > scope.now() - KEPT)).scalar_one() >= MAX_UPLOADS:
        raise TooManyUploads(limit=MAX_UPLOADS)
