"""Merged records: what leads from a record that became part of another one to the one that stayed."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import Session

from models import Base, Entity
from models.database.bypass import Because, bypass_policy
from models.database.prepared import Prepared
from models.errors import Merged
from policies import NOW, Principal, Snapshot, whenever
from policies.objects import field_name

from .ids import global_id


def merges(model: type[Base]) -> bool:
    """Whether records of this kind are merged."""
    return "merged_into_id" in model.__table__.c


def merged_away(db: Session, policy: Snapshot, person: Principal, model: type[Entity], id: int) -> Merged | None:
    """The refusal for a record that became part of one which the person sees; None for any other record.

    It names both where the person sees the name of the one that stayed.
    """
    if not (id and merges(model)):
        return None
    found = _statement(policy, whenever(person), model).first(db, id=id, **{NOW.key: person.now})
    if found is None:
        return None
    winner_id, label, winner = found
    named = {"label": label, "winner": winner} if winner is not None else {"label": None, "winner": None}
    return Merged(**named, winner_id=global_id(model, winner_id), record_id=global_id(model, id))


@lru_cache(maxsize=256)
def _statement(policy: Snapshot, person: Principal, model: type[Entity]) -> Prepared:
    gone, stays = model.__table__.alias(), model.__table__.alias()
    seen = policy.where(person, "view", model, stays.c, by_row=True)
    name = policy.guarded(person, model, field_name(model.named_by), stays.c, stays.c[model.named_by])
    asked = select(stays.c.id, gone.c[model.named_by], name).join_from(gone, stays, stays.c.id == gone.c.merged_into_id)
    return Prepared(asked.where(gone.c.id == bindparam("id"), seen).execution_options(policy=True))


def stays_as(model: type[Base], id: Any) -> ColumnElement[int]:
    """The id of the record that stands for the one with this id now, within a statement."""
    gone = model.__table__.alias()
    into = select(gone.c.merged_into_id).where(gone.c.id == id).execution_options(policy=True)
    return func.coalesce(into.scalar_subquery(), id)


def winners_of(_scope: object, db: Session, model: type[Base], ids: Sequence[int]) -> dict[int, int]:
    """Record that became part of another one -> the one that stands for it now; rights are checked where it is read."""
    gone = model.__table__.c
    asked = select(gone.id, gone["merged_into_id"]).where(gone.id.in_(ids), gone["merged_into_id"].is_not(None))
    rows = db.execute(asked, execution_options=bypass_policy(Because.FOLLOWS_CHECK))
    return {id: into for id, into in rows if into is not None}


def became(model: type[Base], id: Any) -> Select[Any] | None:
    """SELECT of the ids of the records that became part of one, within a statement; None for a kind that is not merged."""
    if not merges(model):
        return None
    gone = model.__table__.alias()
    return select(gone.c.id).where(gone.c.merged_into_id == id).correlate_except(gone).execution_options(policy=True)


def merged_ids(db: Session, model: type[Entity], id: int) -> list[int]:
    """The ids of the records that became part of this one."""
    if not merges(model):
        return []
    into: Any = model.__table__.c["merged_into_id"]
    asked = select(model.__table__.c.id).where(into == id).order_by(model.__table__.c.id)
    return list(db.execute(asked, execution_options=bypass_policy(Because.FOLLOWS_CHECK)).scalars())
