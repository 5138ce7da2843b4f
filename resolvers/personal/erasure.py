"""Erasure of a contact's personal data: irreversible, and logged without what was erased.

What is left: the contact without a name, who worked with it and when, and the log without its values.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models import (
    Attachment,
    Comment,
    Contact,
    ContactPoint,
    Customer,
    Entity,
    Export,
    FollowUp,
    ImportBatch,
    ImportRow,
    Notice,
    Opportunity,
    Plan,
)
from models.database.bypass import Because, bypass_policy
from models.errors import Validation
from models.export import ExportState

from ..runtime.inputs import line
from ..runtime.scope import Scope
from ..runtime.write_guard import permit
from .log_erasure import Record, blank, entries_about, restate
from .needles import names, needles_of, without

ERASED_NAME = "–"
"""What stands where a name stood."""
_PROSE: tuple[tuple[type[Entity], str], ...] = (
    (FollowUp, "content"),
    (Plan, "content"),
    (Opportunity, "name"),
    (Customer, "latest_need"),
    (Customer, "remark"),
)
"""Texts of records of the customer in which people are named."""
_OPTIONS: Any = bypass_policy(Because.FOLLOWS_CHECK)


def erase(scope: Scope, id: int, *, confirm: bool, reason: str | None = None) -> int:
    """Erase what is held of a contact, wherever it stands; returns the number of log entries without values now.

    It cannot be undone.  Raises NotFound, Forbidden, Locked, InBin, Validation without `confirm`.
    """
    if not confirm:
        raise Validation(
            "Erasing personal data cannot be undone; confirm it.", "删除个人数据无法恢复，请确认。", field="confirm"
        )
    with scope.write("contact.erase", line(reason, "reason")) as db:
        row = scope.load(db, Contact, id, to="erase")
        same = [row, *_all(db, select(Contact).where(Contact.merged_into_id == id))]
        needles = _needles(db, same)
        related = _related(db, row)
        for each in same:
            _empty(db, each)
        for other in related:
            _clean(db, other, needles)
        db.flush()
        _erase_copies(scope, db, same, row.customer_id, needles)
        return _erase_log(scope, db, same, related, needles)


# --- steps -----------------------------------------------------------------------------------------------


def _all(db: Session, asked: Any) -> list[Any]:
    return [*db.execute(asked, execution_options=_OPTIONS).scalars()]


def _needles(db: Session, same: Sequence[Contact]) -> tuple[str, ...]:
    points = select(ContactPoint.value).where(ContactPoint.contact_id.in_([each.id for each in same]))
    return needles_of([*(each.name for each in same), *_all(db, points)])


def _related(db: Session, row: Contact) -> list[Entity]:
    """The records of the same customer, in the bin or not, which may name the person; and the customer itself."""
    found: list[Entity] = _all(db, select(Customer).where(Customer.id == row.customer_id))
    for model in (FollowUp, Plan, Opportunity):
        found += _all(db, select(model).where(model.customer_id == row.customer_id).order_by(model.id))
    return found


def _empty(db: Session, row: Contact) -> None:
    permit(db, row, "erase")
    row.name, row.title, row.remark, row.birthday, row.do_not_contact = ERASED_NAME, None, None, None, True
    row.custom = None
    for point in _all(db, select(ContactPoint).where(ContactPoint.contact_id == row.id)):
        db.delete(point)


def _clean(db: Session, row: Entity, needles: Sequence[str]) -> None:
    for model, key in _PROSE:
        if isinstance(row, model) and names(needles, text := getattr(row, key) or ""):
            permit(db, row, "erase")
            setattr(row, key, without(needles, text, ERASED_NAME))
    if isinstance(row, FollowUp):
        for comment in _all(db, select(Comment).where(Comment.follow_up_id == row.id)):
            if names(needles, comment.value):
                permit(db, row, "erase")
                comment.value = without(needles, comment.value, ERASED_NAME)


def _erase_copies(scope: Scope, db: Session, same: Sequence[Contact], customer_id: int, needles: Sequence[str]) -> None:
    """Erase what was copied out of the records: files, staged rows of imports, exports, notices."""
    ids = [each.id for each in same]
    files: Any = Attachment.__table__
    db.execute(delete(files).where(files.c.entity == "contact", files.c.record_id.in_(ids)))
    staged = (
        select(ImportRow)
        .join(ImportBatch, ImportBatch.id == ImportRow.batch_id)
        .where(
            ((ImportBatch.target == "contact") & ImportRow.record_id.in_(ids))
            | ((ImportBatch.target != "contact") & (ImportRow.record_id == customer_id))
        )
    )
    for staged_row in _all(db, staged):
        if names(needles, [staged_row.cells, staged_row.edits, staged_row.before]):
            staged_row.cells, staged_row.edits, staged_row.before = [], None, None
            staged_row.problems = staged_row.warnings = None
    written = update(Export).where(
        Export.entity.in_(("Contact", "Customer", "FollowUp", "AuditEntry")), Export.state == ExportState.DONE
    )
    db.execute(written.values(expires_at=scope.now()))
    told = select(Notice).where(
        ((Notice.entity == "contact") & Notice.record_id.in_(ids))
        | ((Notice.entity == "customer") & (Notice.record_id == customer_id))
    )
    for notice in _all(db, told):
        if notice.entity == "contact" or names(needles, notice.facts):
            db.delete(notice)
    db.flush()


def _erase_log(
    scope: Scope, db: Session, same: Sequence[Contact], related: Sequence[Entity], needles: Sequence[str]
) -> int:
    count = 0
    for each in same:
        records: list[Record] = [(type(x), x.id) for x in (each, *related)]
        for record, ids in entries_about(db, records, needles, (Contact, each.id)).items():
            restate(scope, db, record, blank(db, ids))
            count += len(ids)
    return count
