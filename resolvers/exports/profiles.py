"""Use cases of column profiles: save, list and delete columns in an order, under a name."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models import Base, ExportProfile, User
from models.audit.entries import entry
from models.audit.recording import write_row
from models.errors import NotFound, Validation
from models.export import LONGEST_NAME, PROFILE

from ..runtime.ids import global_id
from ..runtime.inputs import line
from ..runtime.scope import Scope
from .kinds import chosen_columns, kind_of, seen_columns

MAX_PROFILES = 50
"""Maximum number of profiles of one user."""


@dataclass(frozen=True)
class Profile:
    """A profile as its reader gets it: `columns` are those that the reader sees."""

    id: int
    model: type[Base]
    name: str
    columns: tuple[str, ...]
    is_mine: bool
    is_shared: bool


def profiles(scope: Scope, db: Session, model: type[Base] | None = None) -> list[Profile]:
    """The caller's own profiles and those shared with everybody, own ones first, each by name."""
    wanted = select(ExportProfile).where(or_(ExportProfile.owner_id == scope.me, ExportProfile.shared))
    if model is not None:
        wanted = wanted.where(ExportProfile.entity == model.__name__)
    rows = db.execute(wanted.order_by(ExportProfile.name, ExportProfile.id)).scalars()
    found = [profile for row in rows if (profile := _profile(scope, row)) is not None]
    return sorted(found, key=lambda profile: not profile.is_mine)


def save_profile(
    scope: Scope, model: type[Base], name: str, columns: Sequence[str], *, shared: bool = False, id: int | None = None
) -> int:
    """The id of the profile that was made, or changed: one of the caller with this name or this `id`.

    Raises Forbidden for sharing without the right to share views, NotFound, Validation.
    """
    with scope.write("user.exports") as db:
        title = line(name, "name", LONGEST_NAME)
        if not title:
            raise Validation("A column profile needs a name.", "请填写列方案名称。", field="name")
        keys = [column.key for column in chosen_columns(scope, model, columns)]
        if shared:
            scope.allow("share_views", User.module)
        row = _own(scope, db, id) if id is not None else _called(scope, db, model, title)
        if row.entity != model.__name__:
            raise Validation("A column profile stays with its list.", "列方案不能更换列表。", field="entity")
        row.name, row.columns, row.shared, row.updated_at = title, keys, shared, scope.now()
        db.add(row)
        db.flush()
        _log(scope, db, title)
        return row.id


def delete_profile(scope: Scope, id: int) -> None:
    """Delete a profile of the caller, for everybody who used it too.  Raises NotFound."""
    with scope.write("user.drop_export") as db:
        row = _own(scope, db, id)
        _log(scope, db, row.name)
        db.delete(row)


def profile_of(scope: Scope, db: Session, id: int) -> Profile:
    """One profile that the caller may use.  Raises NotFound."""
    mine = or_(ExportProfile.owner_id == scope.me, ExportProfile.shared)
    row = db.execute(select(ExportProfile).where(ExportProfile.id == id, mine)).scalars().first()
    found = _profile(scope, row) if row is not None else None
    if found is None:
        raise NotFound(what=PROFILE, record_id=global_id(ExportProfile, id) if id else None)
    return found


def _profile(scope: Scope, row: ExportProfile) -> Profile | None:
    try:
        model = kind_of(row.entity)
    except Validation:
        return None  # a kind that this version does not know
    seen = seen_columns(scope, model)
    columns = tuple(key for key in row.columns if key in seen)
    return Profile(row.id, model, row.name, columns, row.owner_id == scope.me, row.shared)


def _called(scope: Scope, db: Session, model: type[Base], name: str) -> ExportProfile:
    """The caller's profile of this name, or a new one."""
    mine = select(ExportProfile).where(ExportProfile.owner_id == scope.me)
    same = mine.where(ExportProfile.entity == model.__name__, ExportProfile.name == name)
    found = db.execute(same).scalars().first()
    if found is not None:
        return found
    if db.execute(select(func.count()).select_from(mine.subquery())).scalar_one() >= MAX_PROFILES:
        raise Validation(
            f"You have {MAX_PROFILES} column profiles; delete one first.",
            f"您已有 {MAX_PROFILES} 个列方案，请先删除一个。",
        )
    now = scope.now()
    return ExportProfile(owner_id=scope.me, entity=model.__name__, name=name, created_at=now, updated_at=now)


def _own(scope: Scope, db: Session, id: int) -> ExportProfile:
    wanted = select(ExportProfile).where(ExportProfile.id == id, ExportProfile.owner_id == scope.me)
    row = db.execute(wanted).scalars().first()
    if row is None:
        raise NotFound(what=PROFILE, record_id=global_id(ExportProfile, id) if id else None)
    return row


def _log(scope: Scope, db: Session, name: str) -> None:
    write_row(db, entry(db.info["signature"], scope.now(), ExportProfile.__tablename__, None, {}, label=name))
