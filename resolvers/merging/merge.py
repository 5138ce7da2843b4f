"""Merging customers: one stays, the others become part of it, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from models import Contact, ContactPoint, Customer, Entity, FormerName, MergeRecord
from models.base import column_of
from models.errors import InBin, Locked, NotFound, Validation
from models.former_name import NameKind, remember
from models.search import refresh

from ..ownership.capacity import lock_capacities
from ..records.custom_values import held_by
from ..records.custom_writing import refuse_conversions
from ..runtime.ids import global_id
from ..runtime.inputs import line
from ..runtime.merged_records import merged_away
from ..runtime.record_lookup import why_not
from ..runtime.scope import Scope
from ..runtime.write_guard import permit
from . import pairs, places
from .comparison import PLACE, Comparison, SamePerson, chosen, compare
from .moves import Moves, referring, siblings_of
from .statements import anew, run

MOST = 5
"""Maximum number of customers in one merge: what a page can show side by side."""


@dataclass(frozen=True)
class Choices:
    """What the caller decided: field -> the customer whose value stays, and contact that stays -> the same for it.

    What is left out is as the preview proposes it.
    """

    fields: Mapping[str, int] = field(default_factory=dict)
    contacts: Mapping[int, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Merge:
    """A merge that is done: its id, the customer that stayed, and those that became part of it."""

    id: int
    winner_id: int
    loser_ids: list[int]


_MERGED = ("customer", "contact")
"""The modules of what a merge of customers puts together."""


def merge(
    scope: Scope,
    winner_id: int,
    loser_ids: Sequence[int],
    choices: Choices | None = None,
    reason: str | None = None,
) -> Merge:
    """Make customers part of the winner: fields as chosen, and everything that hangs on them.

    Raises NotFound, Forbidden, Locked, InBin, Merged, NotApproved, Validation (too many, a choice that is not offered), and the
    refusals of a claim where the caller would get a pooled customer so.
    """
    ids, reason, choices = check_ids(winner_id, loser_ids), line(reason, "reason"), choices or Choices()
    with scope.write("customer.merge", reason) as db:
        refuse_conversions(x for module in _MERGED for x in scope.policy.book.all_of(module))
        scope.hold(db, Customer, ids)
        lock_capacities(db, ids, None)
        rows = [_loaded(scope, db, id) for id in ids]
        winner, *losers = rows
        found, moves, known = compare(scope, db, rows), Moves(db), former_ids(db, ids)
        kept = chosen(found.differences, choices.fields)
        apart = _merge_people(scope, db, moves, rows, found.people, choices.contacts)
        places.settle(scope, db, moves, rows, kept.get(PLACE, winner_id))
        _merge_fields(moves, rows, kept)
        for loser in losers:
            moves.follow(loser.id, winner_id, apart)
            _bury(scope, db, moves, loser, winner_id)
        pairs.follow(moves, winner_id, ids[1:])
        flag_modified(winner, "updated_at")  # so that it has a new version, although no field may have changed
        db.flush()
        _remember_names(db, winner, losers, scope.person.now)
        refresh(db, ids)
        for id in sorted(former_ids(db, ids) - known):
            moves.made("former_name", id, "")
        return _recorded(scope, db, moves, rows, reason)


def preview(scope: Scope, db: Session, winner_id: int, loser_ids: Sequence[int]) -> Comparison:
    """What a merge of these customers would ask.  Changes nothing.  Raises what `merge` raises."""
    rows = [_visible(scope, db, id) for id in check_ids(winner_id, loser_ids)]
    return compare(scope, db, rows)


def check_ids(winner_id: int, loser_ids: Sequence[int]) -> list[int]:
    """The ids, each once, the winner first.  Raises Validation for too few, too many, or the winner among the others."""
    ids = list(dict.fromkeys([winner_id, *loser_ids]))
    if winner_id in loser_ids:
        raise Validation("A customer cannot be merged into itself.", "客户不能与自身合并。", field="loserIds")
    if not 2 <= len(ids) <= MOST:
        raise Validation(f"Choose 2 to {MOST} customers.", f"请选择 2 至 {MOST} 个客户。", field="loserIds")
    return ids


# --- which customers -------------------------------------------------------------------------------------


def _loaded(scope: Scope, db: Session, id: int) -> Customer:
    row = scope.load(db, Customer, id, to="merge")
    _refuse_locked(scope, row)
    row.must_be_approved()
    return row


def _visible(scope: Scope, db: Session, id: int) -> Customer:
    """The customer for a preview, in a session that cannot lock rows."""
    table, record_id = Customer.__table__, global_id(Customer, id) if id else None
    if refusal := merged_away(db, scope.policy, scope.person, Customer, id):
        raise refusal
    row = db.execute(select(Customer).where(Customer.id == id, Customer.merged_into_id.is_(None))).scalar_one_or_none()
    if row is None:
        raise NotFound(what=Customer.names, record_id=record_id)
    if row.deleted_at is not None:
        raise InBin(label=row.label, record_id=record_id)
    may = scope.policy.where(scope.person, "merge", Customer, table.c, by_row=True)
    if db.execute(select(table.c.id).where(table.c.id == id, may).execution_options(policy=True)).first() is None:
        raise why_not(scope.person, row, "merge")
    _refuse_locked(scope, row)
    row.must_be_approved()
    return row


def _refuse_locked(scope: Scope, row: Customer) -> None:
    if row.is_locked(scope.person.now):
        raise Locked(label=row.label, record_id=global_id(Customer, row.id))


# --- contacts --------------------------------------------------------------------------------------------


def _merge_people(
    scope: Scope,
    db: Session,
    moves: Moves,
    rows: Sequence[Customer],
    people: Sequence[SamePerson],
    choices: Mapping[int, Mapping[str, int]],
) -> list[Contact]:
    """Make contacts of one person one contact, and leave one primary contact; returns those that became part of one."""
    if unknown := choices.keys() - {person.ids[0] for person in people}:
        raise Validation(
            "These contacts are no longer one person; look at the preview again.",
            "这些联系人已不是同一人，请重新预览。",
            field="contacts",
            record_id=global_id(Contact, min(unknown)),
        )
    contacts = {row.id: row for row in _contacts(db, rows)}
    into: dict[int, Contact] = {}
    for person in people:
        stays, *others = (contacts[id] for id in person.ids)
        kept = chosen(person.differences, choices.get(stays.id, {}))
        permit(db, stays, "merge")
        moves.change(stays, {key: held_by(contacts[id], key) for key, id in kept.items() if id != stays.id})
        for other in others:
            into[other.id] = stays
            _absorb(scope, db, moves, other, stays)
    _keep_one_primary(moves, [row.id for row in rows], contacts.values(), into)
    return [contacts[id] for id in into]


def _contacts(db: Session, rows: Sequence[Customer]) -> Sequence[Contact]:
    asked = select(Contact).where(Contact.customer_id.in_([row.id for row in rows]), Contact.deleted_at.is_(None))
    return anew(db, asked.order_by(Contact.id))


def _absorb(scope: Scope, db: Session, moves: Moves, contact: Contact, stays: Contact) -> None:
    """Give phones, addresses and references of a contact to the one that stays, and leave a tombstone."""
    points = select(ContactPoint).order_by(ContactPoint.position, ContactPoint.id)
    mine, theirs = (run(db, points.where(ContactPoint.contact_id == x.id)).scalars().all() for x in (stays, contact))
    known, position = {(x.kind, x.value_key) for x in mine}, max((x.position for x in mine), default=-1)
    for point in theirs:
        if (point.kind, point.value_key) not in known:
            position += 1
            copy = ContactPoint(contact_id=stays.id, kind=point.kind, value=point.value, value_key=point.value_key)
            copy.position = position
            db.add(copy)
            db.flush()
            moves.made("contact_point", copy.id, copy.value)
    for model, column in siblings_of(Contact):
        for row in referring(db, model, column, contact.id):
            moves.change(row, {column.key: stays.id})
    moves.move_files(Contact, contact.id, stays.id)
    _bury(scope, db, moves, contact, stays.id)


def _keep_one_primary(
    moves: Moves, customer_ids: list[int], contacts: Iterable[Contact], into: Mapping[int, Contact]
) -> None:
    """The winner's primary contact stays, else that of the first other customer that has one."""
    primary = [row for row in contacts if row.is_primary]
    primary.sort(key=lambda row: customer_ids.index(row.customer_id))
    if not primary:
        return
    stays = into.get(primary[0].id, primary[0])
    for row in primary[1:]:
        if row is not stays and row.id not in into:
            moves.change(row, {"is_primary": False})
    moves.change(stays, {"is_primary": True})


# --- customers -------------------------------------------------------------------------------------------


def _merge_fields(moves: Moves, rows: Sequence[Customer], kept: Mapping[str, int]) -> None:
    winner, by_id = rows[0], {row.id: row for row in rows}
    sources = {key: by_id[id] for key, id in kept.items() if key != PLACE and id != winner.id}
    moves.change(winner, {key: held_by(source, key) for key, source in sources.items()})


def _bury(scope: Scope, db: Session, moves: Moves, row: Customer | Contact, stays_id: int) -> None:
    """Leave a tombstone that leads to the record that stays, as do those that led to this one."""
    model: type[Entity] = type(row)
    for earlier in referring(db, model, column_of(model, "merged_into_id"), row.id):
        moves.change(earlier, {"merged_into_id": stays_id})
    gone = {"deleted_at": scope.person.now, "deleted_by_id": scope.person.id}
    moves.change(row, {**gone, "delete_batch_id": f"{scope.batch_id}-merge", "merged_into_id": stays_id})


def _remember_names(db: Session, winner: Customer, losers: Sequence[Customer], now: datetime) -> None:
    """The winner is found by the numbers and names of the others from now on."""
    for loser in losers:
        remember(db, winner.id, NameKind.NUMBER, loser.number, now)
        if loser.name != winner.name:
            remember(db, winner.id, NameKind.NAME, loser.name, now)


def former_ids(db: Session, customer_ids: Sequence[int]) -> set[int]:
    """The ids of the former names of these customers."""
    return set(db.execute(select(FormerName.id).where(FormerName.customer_id.in_(customer_ids))).scalars())


def _recorded(scope: Scope, db: Session, moves: Moves, rows: Sequence[Customer], reason: str | None) -> Merge:
    winner, losers = rows[0].id, [row.id for row in rows[1:]]
    values = {"winner_id": winner, "loser_ids": losers, "changes": {"notes": moves.notes}, "reason": reason}
    values |= {"at": scope.person.now, "by_id": scope.person.id, "by_name": scope.person.name}
    id = db.execute(insert(MergeRecord).values(**values).returning(MergeRecord.id)).scalar_one()
    return Merge(id, winner, losers)
