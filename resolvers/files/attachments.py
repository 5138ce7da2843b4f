"""Files of records: to add, remove, bring back, list and download them, with the rights of their record.

Who sees a record sees its files, unless a line of the policy hides the field `files`; who may edit it adds and removes
them.  A removed file is kept for a while, so that removing can be undone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from models import Attachment, Entity, User
from models.attachment import ATTACHMENT, FIELD, KEPT, PICTURES, with_files
from models.audit.recording import log_now
from models.errors import FileGone, FileTooLarge, Forbidden, NoPicture, NotFound, TooManyFiles, Validation

from ..imports import uploads
from ..runtime.ids import BY_PREFIX, global_id, parts_of
from ..runtime.scope import Scope
from .content import ALLOWED, media_of

MAX_FILES = 200
"""Maximum number of files of one record."""
LARGEST_MIB = 25
"""Maximum size of a file where the settings name none."""
_FILES: Any = Attachment.__table__


@dataclass(frozen=True)
class Kept:
    """A file as its reader gets it."""

    row: Attachment
    by: str | None
    """The name of the user who added it, as far as the reader sees it."""

    @property
    def is_picture(self) -> bool:
        return self.row.media in PICTURES


def record_of(text: object) -> tuple[type[Entity], int]:
    """(entity, number) of the global id of a record that can have files.  Raises NotFound."""
    prefix, number = parts_of(text)
    model = BY_PREFIX.get(prefix)
    if model is None or not number or model.__tablename__ not in with_files():
        raise NotFound(what=ATTACHMENT)
    return with_files()[model.__tablename__], number


# --- changing --------------------------------------------------------------------------------------------


def add(scope: Scope, model: type[Entity], id: int, upload_ids: Sequence[int]) -> list[int]:
    """The ids of new files of a record, from uploads of the caller, which are used up.  All of them or none.

    Raises NotFound, Forbidden, Locked, InBin, FileTooLarge, FileNotAllowed, FileOtherKind, TooManyFiles.
    """
    with scope.write(f"{model.module}.attach") as db:
        row = _editable(scope, db, model, id)
        if not upload_ids:
            raise Validation("Choose a file.", "请选择文件。", field="uploads")
        _check_room(db, model, id, len(upload_ids))
        made = [_taken(scope, db, model, id, upload) for upload in dict.fromkeys(upload_ids)]
        db.add_all(made)
        db.flush()
        _log(db, row, None, [each.name for each in made])
        return [each.id for each in made]


def remove(scope: Scope, ids: Sequence[int]) -> None:
    """Remove files from their records; `restore` brings them back for a while.  All of them or none.

    Raises NotFound, Forbidden, Locked, InBin.
    """
    with scope.write("user.files") as outer:
        for model, id, mine in _by_record(scope, outer, ids, removed=False):
            with scope.write(f"{model.module}.detach") as db:
                row = _editable(scope, db, model, id)
                gone = _rows(db, mine)
                for each in gone:
                    each.removed_at, each.removed_by_id = scope.now(), scope.person.id
                db.flush()
                _log(db, row, [each.name for each in gone], None)


def restore(scope: Scope, ids: Sequence[int]) -> None:
    """Bring removed files back.  Raises NotFound, Forbidden, Locked, InBin, TooManyFiles."""
    with scope.write("user.files") as outer:
        for model, id, mine in _by_record(scope, outer, ids, removed=True):
            with scope.write(f"{model.module}.attach") as db:
                row = _editable(scope, db, model, id)
                _check_room(db, model, id, len(mine))
                back = _rows(db, mine)
                for each in back:
                    each.removed_at = each.removed_by_id = None
                db.flush()
                _log(db, row, None, [each.name for each in back])


# --- reading ---------------------------------------------------------------------------------------------


def files_of(scope: Scope, db: Session, model: type[Entity], id: int, *, removed: bool = False) -> list[Kept]:
    """The files of a record, newest first; none where the caller sees no record or not its files."""
    if not shows(scope, db, model, id):
        return []
    mine = _FILES.c.removed_at.is_not(None) if removed else _FILES.c.removed_at.is_(None)
    wanted = select(Attachment).where(_FILES.c.entity == model.__tablename__, _FILES.c.record_id == id, mine)
    return _kept(db, db.execute(wanted.order_by(_FILES.c.id.desc()).limit(MAX_FILES)).scalars().all())


def files_with(scope: Scope, db: Session, ids: Sequence[int]) -> list[Kept]:
    """Those among these files that the caller sees, removed ones left out."""
    wanted = select(Attachment).where(_FILES.c.id.in_(ids), _FILES.c.removed_at.is_(None))
    kinds = with_files()
    rows = [x for x in db.execute(wanted).scalars() if shows(scope, db, kinds[x.entity], x.record_id)]
    return _kept(db, rows)


def _kept(db: Session, rows: Sequence[Attachment]) -> list[Kept]:
    makers = {row.created_by_id for row in rows}
    found = db.execute(select(User.id, User.name).where(User.id.in_(makers)))
    names = {row.id: row.name for row in found}
    return [Kept(row, names.get(row.created_by_id or 0)) for row in rows]


def shows(scope: Scope, db: Session, model: type[Entity], id: int) -> bool:
    """Whether the caller sees the record and its files."""
    return db.execute(_asked(scope, model, id, "view")).first() is not None


def may_change(scope: Scope, db: Session, model: type[Entity], id: int) -> bool:
    """Whether the caller may add and remove files of the record now."""
    live = model.__table__.c.deleted_at.is_(None)
    return db.execute(_asked(scope, model, id, "edit").where(live)).first() is not None


def download(scope: Scope, db: Session, id: int, *, picture: bool = False) -> Attachment:
    """A file to send.  Raises NotFound, FileGone where its bytes are missing, NoPicture where none can be shown."""
    row = db.execute(select(Attachment).where(_FILES.c.id == id, _FILES.c.removed_at.is_(None))).scalars().first()
    model = with_files().get(row.entity) if row is not None else None
    if row is None or model is None or not shows(scope, db, model, row.record_id):
        raise _missing(id)
    if picture and row.media not in PICTURES:
        raise NoPicture(name=row.name)
    if not scope.backend.files.content(row.hash).exists():
        raise FileGone(name=row.name)
    return row


# --- steps -----------------------------------------------------------------------------------------------


def _asked(scope: Scope, model: type[Entity], id: int, action: str) -> Any:
    """The statement that finds the record where the caller may do `action` to it and to its files."""
    table, person = model.__table__, scope.viewer.person
    clauses: list[Any] = []
    for to in dict.fromkeys(("view", action)):
        clauses.append(scope.policy.where(person, to, model, table.c, by_row=True))
        clauses.append(scope.policy.guard(person, model, FIELD, table.c, to))
    held = [clause for clause in clauses if clause is not None]
    return select(table.c.id).where(table.c.id == id, *held).execution_options(policy=True)


def _editable(scope: Scope, db: Session, model: type[Entity], id: int) -> Entity:
    """The record, locked, where the caller may change its files."""
    row = scope.load(db, model, id, to="edit")
    table, person = model.__table__, scope.person
    guards = [scope.policy.guard(person, model, FIELD, table.c, action) for action in ("view", "edit")]
    held = [clause for clause in guards if clause is not None]
    asked = select(table.c.id).where(table.c.id == id, *held).execution_options(policy=True)
    if held and db.execute(asked).first() is None:
        raise scope.denied(Forbidden(action=f"{model.module}.edit", record_id=global_id(model, id)), model, id, "edit")
    return row


def _check_room(db: Session, model: type[Entity], id: int, more: int) -> None:
    mine = and_(_FILES.c.entity == model.__tablename__, _FILES.c.record_id == id, _FILES.c.removed_at.is_(None))
    if db.execute(select(func.count()).where(mine)).scalar_one() + more > MAX_FILES:
        raise TooManyFiles(limit=MAX_FILES, field="uploads")


def _taken(scope: Scope, db: Session, model: type[Entity], id: int, upload_id: int) -> Attachment:
    """A new file of a record, whose bytes lie under their hash."""
    upload, files, limits = uploads.taken(scope, db, upload_id), scope.backend.files, scope.backend.file_limits
    limit = int(limits.get("mib", LARGEST_MIB))
    if upload.size > limit << 20:
        raise FileTooLarge(name=upload.name, limit=limit, field="uploads")
    path = files.path(upload.stored)
    if not path.exists():
        raise FileGone(name=upload.name, field="uploads")
    media = media_of(path, upload.name, tuple(limits.get("types", ALLOWED)))
    files.keep_content(upload.stored, upload.hash)
    name = upload.stored.partition(".")[0]
    scope.after_commit(lambda: files.delete_all(name))
    return Attachment(
        entity=model.__tablename__,
        record_id=id,
        name=upload.name,
        media=media,
        size=upload.size,
        hash=upload.hash,
        created_at=scope.now(),
        created_by_id=scope.person.id,
    )


def _by_record(
    scope: Scope, db: Session, ids: Sequence[int], *, removed: bool
) -> list[tuple[type[Entity], int, list[int]]]:
    """(entity, record, its files among these).  Raises NotFound unless the caller sees every one of them.

    A refusal of the record itself would say whose file a number is.
    """
    at = _FILES.c.removed_at
    state = at > scope.now() - KEPT if removed else at.is_(None)
    found = db.execute(select(_FILES.c.id, _FILES.c.entity, _FILES.c.record_id).where(_FILES.c.id.in_(ids), state))
    places: dict[tuple[str, int], list[int]] = {}
    for row in found:
        places.setdefault((row.entity, row.record_id), []).append(row.id)
    kinds = with_files()
    seen = {place: mine for place, mine in places.items() if shows(scope, db, kinds[place[0]], place[1])}
    known = {id for mine in seen.values() for id in mine}
    if not ids or known != {*ids}:
        raise _missing(next((id for id in ids if id not in known), 0))
    return [(kinds[entity], id, mine) for (entity, id), mine in sorted(seen.items())]


def _rows(db: Session, ids: Sequence[int]) -> Sequence[Attachment]:
    return db.execute(select(Attachment).where(_FILES.c.id.in_(ids)).order_by(_FILES.c.id)).scalars().all()


def _log(db: Session, row: Entity, old: list[str] | None, new: list[str] | None) -> None:
    log_now(db, row, {FIELD: [old, new]})


def _missing(id: int) -> NotFound:
    return NotFound(what=ATTACHMENT, record_id=global_id(Attachment, id) if id else None)
