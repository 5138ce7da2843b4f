"""Use cases of saved views: save, delete, share and list them.

A view gives no right.  Its owner alone changes it; sharing it asks for the right `user.share_views`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from models import ENTITIES, Department, Entity, Role, SavedView, SavedViewShare, User
from models.audit.entries import Changes
from models.errors import Conflict, NotFound, TooMany, Validation
from models.pool import GranteeKind
from models.saved_view import LONGEST_NAME, SAVED_VIEW

from ..reading import pages
from ..reading.pages import ListRequest
from ..runtime.custom_fields import visible_book
from ..runtime.ids import global_id
from ..runtime.inputs import line, refused
from ..runtime.scope import Scope
from ..runtime.viewer import Clause
from .changes import ORDER, difference, log_view, put_at, readers
from .settings import Sentence, ViewSettings, read

MAX_VIEWS = 100
"""Maximum number of views of one user."""
MAX_SHARES = 50
"""Maximum number of roles and departments with which a view is shared."""


@dataclass(frozen=True)
class View:
    """A saved view as its reader gets it.  `roles` and `departments` are told to its owner alone."""

    id: int
    model: type[Entity]
    name: str
    settings: ViewSettings
    notes: tuple[Sentence, ...]
    owner_id: int
    is_mine: bool
    for_everyone: bool
    is_shared: bool
    roles: tuple[int, ...]
    departments: tuple[int, ...]
    position: int
    version: int

    def said(self, language: str) -> list[str]:
        """What its reader is told of it."""
        return [chinese if language.startswith("zh") else english for english, chinese in self.notes]


def model_called(entity: str) -> type[Entity]:
    """The kind of record with this name.  Raises Validation."""
    found = next((model for model in ENTITIES if model.__name__ == entity), None)
    if found is None:
        raise Validation(f"There is no list of “{entity[:40]}”.", f"没有“{entity[:40]}”列表。", field="entity")
    return found


def saved_views(scope: Scope, db: Session, model: type[Entity] | None = None) -> list[View]:
    """The views of the caller and those shared with them: own ones first, each group in its order."""
    wanted = select(SavedView).where(seen_by(scope)).order_by(*ORDER)
    if model is not None:
        wanted = wanted.where(SavedView.entity == model.__name__)
    found = [_view(scope, row) for row in db.execute(wanted).scalars() if _is_known(row)]
    return sorted(found, key=lambda view: not view.is_mine)


def view_of(scope: Scope, db: Session, id: int) -> View:
    """One view of the caller or shared with them.  Raises NotFound."""
    row = view_row(scope, db, id)
    if not _is_known(row):
        raise _no_view(id)
    return _view(scope, row)


def count(scope: Scope, db: Session, view: View) -> int:
    """The number of records that the caller sees in a view, up to MOST_COUNTED + 1."""
    asked = ListRequest(view.model, (), condition=view.settings.condition, search=view.settings.search)
    return pages.count(scope, db, asked)


def save_view(
    scope: Scope,
    model: type[Entity],
    name: str,
    settings: ViewSettings,
    *,
    id: int | None = None,
    version: int | None = None,
    position: int | None = None,
) -> int:
    """The id of the view that was made, or changed where `id` names one.  `position`: its place among the owner's views
    of this list, from 0; a new view comes last.

    Raises NotFound, Conflict for another `version`, and Validation: a name that is taken, a view of another user, what
    a view cannot hold.
    """
    settings.check(model, visible_book(scope.policy, scope.person))
    return keep(scope, model.__name__, name, settings.stored(), id=id, version=version, position=position)


def keep(
    scope: Scope,
    entity: str,
    name: str,
    stored: Mapping[str, Any],
    *,
    id: int | None = None,
    version: int | None = None,
    position: int | None = None,
) -> int:
    """As `save_view`, for settings that the caller has checked; `entity` says of what: a kind of records, or a report."""
    with scope.write("user.views") as db:
        title = line(name, "name", LONGEST_NAME)
        if not title:
            raise Validation("A view needs a name.", "请填写视图名称。", field="name")
        row = own_view(scope, db, id) if id is not None else _new(scope, db, entity)
        if version is not None and row.version != version:
            raise Conflict(label=row.name, field="version", version=row.version)
        _refuse_taken(scope, db, entity, title, row)
        changes: Changes = {"name": [row.name, title]} if row.name != title else {}
        row.name, row.settings, row.updated_at = title, dict(stored), scope.now()
        db.add(row)
        db.flush()
        log_view(scope, db, title, changes | (put_at(db, row, position) if position is not None else {}))
        return row.id


def delete_view(scope: Scope, id: int) -> None:
    """Delete a view of the caller, for those with whom it is shared, too.  Raises NotFound, Validation."""
    with scope.write("user.drop_view") as db:
        row = own_view(scope, db, id)
        log_view(scope, db, row.name, {})
        db.delete(row)


def share_view(
    scope: Scope, id: int, *, everyone: bool, roles: Sequence[int] = (), departments: Sequence[int] = ()
) -> None:
    """Show a view of the caller to these roles and departments alone, or to everyone; to nobody where none is given.

    Raises Forbidden without the right to share views, NotFound, Validation.
    """
    with scope.write("user.share_views") as db:
        row = own_view(scope, db, id)
        wanted = {(GranteeKind.ROLE, x) for x in roles} | {(GranteeKind.DEPARTMENT, x) for x in departments}
        if everyone or wanted:
            scope.allow("share_views", User.module)
        if len(wanted) > MAX_SHARES:
            said = f"A view is shared with at most {MAX_SHARES}.", f"最多共享给 {MAX_SHARES} 个对象。"
            raise refused(TooMany, "role_ids", *said, max=MAX_SHARES)
        _refuse_unknown(db, roles, departments)
        before = readers(db, row)
        held = {(share.grantee_kind, share.grantee_id): share for share in row.shares}
        row.shares = [*(share for key, share in held.items() if key in wanted), *_shares(wanted - held.keys())]
        row.for_everyone, row.updated_at = everyone, scope.now()
        db.flush()
        log_view(scope, db, row.name, difference(before, readers(db, row)))


def _shares(wanted: set[tuple[GranteeKind, int]]) -> list[SavedViewShare]:
    return [SavedViewShare(grantee_kind=kind, grantee_id=id) for kind, id in sorted(wanted)]


def _refuse_unknown(db: Session, roles: Sequence[int], departments: Sequence[int]) -> None:
    """Raise NotFound for a role or department that the caller does not see."""
    for model, ids in ((Role, {*roles}), (Department, {*departments})):
        there = set(db.execute(select(model.id).where(model.id.in_(ids), model.deleted_at.is_(None))).scalars())
        if ids - there:
            raise NotFound(what=model.names)


def _new(scope: Scope, db: Session, entity: str) -> SavedView:
    mine = SavedView.owner_id == scope.me
    held, last = db.execute(select(func.count(), func.max(SavedView.position)).where(mine)).one()
    if held >= MAX_VIEWS:
        raise Validation(f"You have {MAX_VIEWS} views; delete one first.", f"您已有 {MAX_VIEWS} 个视图，请先删除一个。")
    now = scope.now()
    place = (last or 0) + 1
    return SavedView(owner_id=scope.me, entity=entity, position=place, created_at=now, updated_at=now)


def _refuse_taken(scope: Scope, db: Session, entity: str, name: str, row: SavedView) -> None:
    same = select(SavedView.id).where(SavedView.owner_id == scope.me, SavedView.entity == entity)
    with db.no_autoflush:
        taken = db.execute(same.where(SavedView.name == name)).scalars().first()
    if row.entity != entity:
        raise Validation("A view stays with its list.", "视图不能更换列表。", field="entity")
    if taken is not None and taken != row.id:
        raise Validation(f"You have a view “{name}” already.", f"您已有名为“{name}”的视图。", field="name")


def own_view(scope: Scope, db: Session, id: int) -> SavedView:
    """A view of the caller.  Raises NotFound, Validation for one of another user."""
    row = view_row(scope, db, id)
    if row.owner_id != scope.me:
        raise Validation(
            f"“{row.name}” belongs to somebody else. Save it under a name of your own.",
            f"“{row.name}”属于他人，请另存为自己的视图。",
            field="id",
            record_id=global_id(SavedView, id),
        )
    return row


def view_row(scope: Scope, db: Session, id: int) -> SavedView:
    """A view of the caller or shared with them.  Raises NotFound."""
    row = db.execute(select(SavedView).where(SavedView.id == id, seen_by(scope))).scalars().first()
    if row is None:
        raise _no_view(id)
    return row


def _no_view(id: int) -> NotFound:
    return NotFound(what=SAVED_VIEW, record_id=global_id(SavedView, id) if id else None)


def seen_by(scope: Scope) -> Clause:
    """Condition: the view is the caller's or shared with them; what a viewer of another may see stays that user's."""
    person, share = scope.person, SavedViewShare
    given = or_(
        and_(share.grantee_kind == GranteeKind.ROLE, share.grantee_id.in_(sorted(person.role_ids))),
        and_(share.grantee_kind == GranteeKind.DEPARTMENT, share.grantee_id.in_(sorted(person.departments))),
    )
    return or_(
        SavedView.owner_id == scope.me,
        SavedView.for_everyone,
        SavedView.id.in_(select(share.view_id).where(given)),
    )


def _is_known(row: SavedView) -> bool:
    return any(model.__name__ == row.entity for model in ENTITIES)


def _view(scope: Scope, row: SavedView) -> View:
    model, is_mine = model_called(row.entity), row.owner_id == scope.me
    reading = read(scope, model, row.settings)
    told = row.shares if is_mine else ()
    ids = {kind: tuple(x.grantee_id for x in told if x.grantee_kind is kind) for kind in GranteeKind}
    return View(
        id=row.id,
        model=model,
        name=row.name,
        settings=reading.settings,
        notes=reading.notes,
        owner_id=row.owner_id,
        is_mine=is_mine,
        for_everyone=row.for_everyone,
        is_shared=row.for_everyone or bool(row.shares),
        roles=ids[GranteeKind.ROLE],
        departments=ids[GranteeKind.DEPARTMENT],
        position=row.position,
        version=row.version,
    )
