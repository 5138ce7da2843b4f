"""Primary contacts that lose the mark to a row of an import, and get it back when the row is undone."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Contact, Entity
from models.database.bypass import Because, bypass_policy

from ..bulk.many import update_many
from ..customers.contacts import with_primary
from ..runtime.scope import Scope
from .writing import Understood

_C: Any = Contact.__table__.c


def note_demoted(db: Session, model: type[Entity], rows: Sequence[Understood]) -> None:
    """Note in each row that makes a contact primary the contact that is it now.  At most two queries."""
    making = [row for row in rows if _given(row).get("is_primary")] if model is Contact else []
    if not making:
        return
    changed = [row.record_id for row in making if row.record_id is not None]
    of = dict(_pairs(db, _C.id, _C.customer_id, _C.id.in_(changed)))
    customers = {row.number: row.values.values.get("customer_id") or of.get(row.record_id or 0) for row in making}
    is_primary = (_C.is_primary, _C.deleted_at.is_(None), _C.customer_id.in_({*customers.values()} - {None}))
    now = dict(_pairs(db, _C.customer_id, _C.id, *is_primary))
    for row in making:
        primary = now.get(customers[row.number] or 0)
        row.demoted_id = primary if primary != row.record_id else None


def promote_again(scope: Scope, db: Session, noted: Sequence[Mapping[str, Any]]) -> None:
    """Give contacts the mark back, each as {id, version}: where nobody has changed it since and its customer has no other.

    One that the caller may not edit stays as it is.
    """
    if not noted:
        return
    versions = {each["id"]: each["version"] for each in noted}
    asked = select(Contact.id, Contact.version, Contact.customer_id)
    rows = db.execute(asked.where(Contact.id.in_(versions), Contact.deleted_at.is_(None)))
    same = [(id, customer_id) for id, version, customer_id in rows if version == versions[id]]
    taken = with_primary(db, {customer_id for _, customer_id in same}) if same else set()
    update_many(scope, Contact, [(id, {"is_primary": True}) for id, customer_id in same if customer_id not in taken])


def _given(row: Understood) -> Mapping[str, Any]:
    return row.values.values if row.record_id is None else row.changes


def _pairs(db: Session, key: Any, value: Any, *where: Any) -> list[tuple[int, int]]:
    found = db.execute(select(key, value).where(*where), execution_options=bypass_policy(Because.KEEPS_RULE))
    return [(one, other) for one, other in found]
