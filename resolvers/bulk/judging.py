"""What a change comes to for some records, in the open transaction: changed, the same already, or refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Contact, Customer, Entity, Opportunity
from models.bulk_change import ItemState
from models.database.bypass import Because, bypass_policy
from models.errors import Refusal

from ..customers import transfer, transfer_related
from ..ownership.dependents import GoesAlong
from ..runtime.batch import Outcome
from ..runtime.ids import number_of
from ..runtime.record_lookup import lock_rows
from ..runtime.rights_on_many import allowed
from ..runtime.scope import Scope
from .many import update_many
from .reasons import with_reason
from .wanted import OWNER, Given, Handover, depends_on_record, for_record

BYPASS = bypass_policy(Because.FOLLOWS_CHECK)


@dataclass(frozen=True)
class Became:
    """What has become of a record, and why it was refused or kept."""

    id: int
    state: ItemState
    refusal: Refusal | None = None


def carry_out(
    scope: Scope, db: Session, model: type[Entity], ids: Sequence[int], given: Given, reason: str | None
) -> list[Became]:
    """One for each record, in their order.  At most 200 of them; each is judged by the rules of single changes."""
    if scope.backend.dialect == "postgresql":
        lock_rows(db, model, ids)
    if isinstance(handover := given.get(OWNER), Handover):
        return _handed_over(scope, db, model, ids, handover, reason)
    return _changed(scope, db, model, ids, given, reason)


def versions(db: Session, model: type[Entity], ids: Sequence[int], *, live: bool = False) -> dict[int, int]:
    """Record -> its version; `live`: without those in the bin."""
    table: Any = model.__table__
    asked = select(table.c.id, table.c.version).where(table.c.id.in_(sorted({*ids})))
    found = db.execute(asked.where(table.c.deleted_at.is_(None)) if live else asked, execution_options=BYPASS)
    return {id: version for id, version in found}  # noqa: C416  rows, not pairs


def _changed(
    scope: Scope, db: Session, model: type[Entity], ids: Sequence[int], given: Given, reason: str | None
) -> list[Became]:
    was = versions(db, model, ids)
    changes = _changes(db, model, ids, given)
    with scope.write(f"{model.module}.edit", reason):
        verdicts = with_reason(lambda some: update_many(scope, model, some), changes, reason)
    now = versions(db, model, ids)
    return [
        Became(id, ItemState.REFUSED, verdict.refusal)
        if verdict.refusal is not None
        else Became(id, ItemState.SAME if was.get(id) == now.get(id) else ItemState.DONE)
        for id, verdict in zip(ids, verdicts, strict=True)
    ]


def _changes(db: Session, model: type[Entity], ids: Sequence[int], given: Given) -> list[tuple[int, dict[str, Any]]]:
    """The inputs for each record; those that depend on what it holds are read first."""
    if not depends_on_record(given):
        return [(id, dict(given)) for id in ids]
    table: Any = model.__table__
    columns = [table.c[name] for name in sorted({key.partition(".")[0] for key in given})]
    rows = db.execute(select(table.c.id, *columns).where(table.c.id.in_(ids)), execution_options=BYPASS)
    held = {row.id: row for row in rows}
    return [(id, for_record(given, held[id]) if id in held else {}) for id in ids]


# --- owners ----------------------------------------------------------------------------------------------


def _handed_over(
    scope: Scope, db: Session, model: type[Entity], ids: Sequence[int], to: Handover, reason: str | None
) -> list[Became]:
    owners = owners_of(db, model, ids)
    same = allowed(db, model, {id for id in ids if owners.get(id) == to.user_id}, "view")
    outcome = hand_over(scope, model, [id for id in ids if id not in same], to, reason)
    refused = {number_of(model, refusal.record_id): refusal for refusal in outcome.problems}
    found = []
    for id in ids:
        state = ItemState.SAME if id in same else ItemState.REFUSED if id in refused else ItemState.DONE
        found.append(Became(id, state, refused.get(id)))
    return found


def owners_of(db: Session, model: type[Entity], ids: Sequence[int]) -> dict[int, int]:
    """Record -> its owner, of those that have one."""
    table: Any = model.__table__
    asked = select(table.c.id, table.c.owner_id).where(table.c.id.in_(ids), table.c.owner_id.is_not(None))
    return {id: owner for id, owner in db.execute(asked, execution_options=BYPASS)}  # noqa: C416  rows, not pairs


def hand_over(
    scope: Scope,
    model: type[Entity],
    ids: Sequence[int],
    to: Handover,
    reason: str | None,
    goes_along: GoesAlong | None = None,
) -> Outcome:
    """The transfer of single records, for these."""
    if not ids:
        return Outcome()
    if model is Customer:
        how: dict[str, Any] = {"insist": to.insist, "lift_lock": to.lift_lock, "related": to.related}
        return transfer.transfer(scope, ids, to.user_id, reason, **how, goes_along=goes_along)
    assert model in (Contact, Opportunity), "asked before"
    return transfer_related.transfer(scope, model, ids, to.user_id, reason=reason)
