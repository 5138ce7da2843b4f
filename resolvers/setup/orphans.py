"""References that the database does not check: seats and shares without a grantee, words without an entry, reused ids."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, exists, func, select

from models import ENTITIES, AuditEntry, Dictionary, DictionaryItem, PoolMember, Share
from models.audit.entries import Outcome
from models.base import columns, trait_of
from models.pool import GRANTEE_KINDS


def without_grantee(connection: Connection) -> Iterator[str]:
    """A seat is held by a user, department or role outside the bin, a share by one that exists."""
    seat, share = PoolMember.__table__.c, Share.__table__.c
    for model, kind in GRANTEE_KINDS.items():
        there: Any = model.__table__.c
        held = exists().where(there.id == seat.grantee_id, there.deleted_at.is_(None))
        seats = select(seat.id).where(seat.grantee_kind == kind, seat.deleted_at.is_(None), ~held)
        for id in connection.execute(seats.order_by(seat.id)).scalars():
            yield f"Seat {id} is held by a {model.names.noun} that is not there."
        known = exists().where(there.id == share.grantee_id)
        for id in connection.execute(select(share.id).where(share.grantee_kind == kind, ~known)).scalars():
            yield f"Share {id} is for a {model.names.noun} that is not there."


def without_word(connection: Connection) -> Iterator[str]:
    """Every key that a record holds is an entry of its dictionary."""
    item, dictionary = DictionaryItem.__table__.c, Dictionary.__table__.c
    for model in ENTITIES:
        for column in columns(model):
            if (code := trait_of(column).dictionary) is None:
                continue
            words = (
                select(item.key)
                .join_from(DictionaryItem.__table__, Dictionary.__table__, dictionary.id == item.dictionary_id)
                .where(dictionary.code == code, dictionary.deleted_at.is_(None), item.deleted_at.is_(None))
            )
            held = select(column, func.count()).where(column.is_not(None), column.not_in(words))
            for key, count in connection.execute(held.group_by(column).order_by(column)):
                yield f"{count} of the {model.names.nouns} hold “{key}”, which the dictionary {code} does not have."


def reused_ids(connection: Connection) -> Iterator[str]:
    """No record has the id of one that was purged before, because the log would show the other's history."""
    log = AuditEntry.__table__.c
    for model in ENTITIES:
        row: Any = model.__table__.c
        purged = select(log.record_id).where(
            log.entity == model.__tablename__, log.action.like("%.purge"), log.outcome == Outcome.OK
        )
        for id in connection.execute(select(row.id).where(row.id.in_(purged)).order_by(row.id)).scalars():
            yield f"{model.names.one} {id} has the id of a record that was purged."
