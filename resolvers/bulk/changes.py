"""Bulk changes as their makers see them: how far each is, and what has become of its records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from models import ENTITIES, BulkChange, BulkItem, Entity, Job
from models.bulk_change import BULK_CHANGE, BulkState, ItemState
from models.errors import NotFound, Refusal, Validation
from models.job import JobState

from ..jobs import control
from ..reading.pages import names_of
from ..runtime.ids import global_id
from ..runtime.scope import Scope
from ..runtime.stored_refusals import restored_refusal
from .bookkeeping import ACTION, JOB

LARGEST_PAGE = 200
BY_NAME: dict[str, type[Entity]] = {model.__name__: model for model in ENTITIES}
_ITEMS: Any = BulkItem.__table__


@dataclass(frozen=True)
class Made:
    """A bulk change as its maker gets it: its row, how far it is, and how many records are in each state."""

    row: BulkChange
    state: BulkState
    counts: Mapping[ItemState, int]
    undone_by: BulkChange | None = None
    """The undoing of it, if somebody asked for one."""
    error: tuple[str, str] | None = None
    """Why it failed, in English and Chinese."""

    @property
    def is_open(self) -> bool:
        return self.state in (BulkState.FINDING, BulkState.RUNNING)

    @property
    def may_go_on(self) -> bool:
        """Whether what is left of it can still be carried out, which the undoing of it ends."""
        return self.row.ended_at is None and self.state in (BulkState.STOPPED, BulkState.FAILED)

    @property
    def done(self) -> int:
        """How many records are dealt with."""
        return sum(number for state, number in self.counts.items() if state is not ItemState.OPEN)


@dataclass(frozen=True)
class Item:
    """One record: its name as far as the maker sees it, and why it was refused or kept."""

    model: type[Entity]
    id: int
    name: str
    state: ItemState
    refusal: Refusal | None


def is_mine(scope: Scope) -> ColumnElement[bool]:
    """The caller has begun it, or has asked last for the undoing that somebody else had begun."""
    carried_on = select(Job.id).where(Job.actor_id == scope.me, Job.kind == JOB)
    return or_(BulkChange.owner_id == scope.me, BulkChange.job_id.in_(carried_on))


# --- looking ---------------------------------------------------------------------------------------------


def bulk_changes(
    scope: Scope, db: Session, *, before: int | None = None, first: int = 50, ids: Sequence[int] | None = None
) -> list[Made]:
    """The caller's own, newest first.  `before`: the id of the last one on the former page; `ids`: only these."""
    wanted = select(BulkChange).where(is_mine(scope))
    if before is not None:
        wanted = wanted.where(BulkChange.id < before)
    if ids is not None:
        wanted = wanted.where(BulkChange.id.in_(ids))
    rows = db.execute(wanted.order_by(BulkChange.id.desc()).limit(max(0, min(first, LARGEST_PAGE)))).scalars().all()
    return made_of(db, rows)


def bulk_change(scope: Scope, db: Session, id: int) -> Made | None:
    """One of the caller's own; None for one that is not there or is somebody else's."""
    row = db.execute(select(BulkChange).where(BulkChange.id == id, is_mine(scope))).scalars().first()
    return made_of(db, [row])[0] if row is not None else None


def made_of(db: Session, rows: Sequence[BulkChange]) -> list[Made]:
    """The changes with the states of their jobs and the counts of their records.  Three statements."""
    ids = [row.id for row in rows]
    jobs = {
        job.id: job for job in db.execute(select(Job).where(Job.id.in_([row.job_id or 0 for row in rows]))).scalars()
    }
    counts = _counts(db, ids)
    undoing = select(BulkChange).where(BulkChange.undoes.in_([row.batch_id for row in rows]))
    undone = {row.undoes: row for row in db.execute(undoing).scalars()}
    return [_made(row, jobs.get(row.job_id or 0), counts.get(row.id, {}), undone.get(row.batch_id)) for row in rows]


def items(
    scope: Scope,
    db: Session,
    id: int,
    states: Sequence[ItemState] = (),
    *,
    after: int = 0,
    first: int = 50,
) -> list[tuple[int, Item]]:
    """(number, record) of a bulk change of the caller, in the order of its list, from behind the number `after`.

    Raises NotFound.  A record that the caller does not see by now has no name.
    """
    own(scope, db, id)
    i = _ITEMS.c
    asked = select(i.number, i.entity, i.record_id, i.state, i.problem).where(i.change_id == id, i.number > after)
    if states:
        asked = asked.where(i.state.in_(states))
    rows = db.execute(asked.order_by(i.number).limit(max(0, min(first, LARGEST_PAGE)))).all()
    names = _names(scope, db, rows)
    return [(row.number, _item(row, names.get((row.entity, row.record_id), ""))) for row in rows]


def reasons(scope: Scope, db: Session, id: int, states: Sequence[ItemState]) -> list[tuple[Refusal, int]]:
    """(refusal, number of records that were refused or kept alike), the most frequent first.  Raises NotFound."""
    own(scope, db, id)
    i = _ITEMS.c
    asked = select(i.problem).where(i.change_id == id, i.state.in_(states))
    return alike((restored_refusal(problem) for (problem,) in db.execute(asked) if problem), scope.language)


def alike(refusals: Any, language: str) -> list[tuple[Refusal, int]]:
    """(refusal, how many say the same of their record), the most frequent first."""
    found: dict[str, list[Refusal]] = {}
    for refusal in refusals:
        found.setdefault(refusal.say_of_many(language), []).append(refusal)
    return sorted(((same[0], len(same)) for same in found.values()), key=lambda x: -x[1])


def _counts(db: Session, ids: Sequence[int]) -> dict[int, dict[ItemState, int]]:
    i, found = _ITEMS.c, dict[int, dict[ItemState, int]]()
    asked = select(i.change_id, i.state, func.count()).where(i.change_id.in_(ids)).group_by(i.change_id, i.state)
    for id, state, number in db.execute(asked):
        found.setdefault(id, {})[ItemState(state)] = number
    return found


def _made(row: BulkChange, job: Job | None, counts: Mapping[ItemState, int], undone: BulkChange | None) -> Made:
    """The change with the state of its job, as long as the job has not finished it."""
    error = (job.error or "", job.error_zh or "") if job is not None and job.error else None
    if row.ended_at is not None or row.job_id is None:
        return Made(row, row.state, counts, undone, error if row.state is BulkState.FAILED else None)
    state = _STATES.get(job.state, row.state) if job is not None else BulkState.FAILED
    return Made(row, state, counts, undone, error)


_STATES = {JobState.FAILED: BulkState.FAILED, JobState.CANCELLED: BulkState.STOPPED}


def _names(scope: Scope, db: Session, rows: Sequence[Any]) -> dict[tuple[str, int], str]:
    of: dict[str, list[int]] = {}
    for row in rows:
        of.setdefault(row.entity, []).append(row.record_id)
    return {
        (entity, id): name
        for entity, ids in of.items()
        for id, name in names_of(scope, db, BY_NAME[entity], ids).items()
    }


def _item(row: Any, name: str) -> Item:
    refusal = restored_refusal(row.problem) if row.problem else None
    return Item(BY_NAME[row.entity], row.record_id, name, ItemState(row.state), refusal)


# --- acting ----------------------------------------------------------------------------------------------


def stop(scope: Scope, id: int) -> None:
    """End one before its next records; what was changed stays.  Raises NotFound, JobEnded."""
    with scope.write(ACTION) as db:
        control.cancel(scope, own(scope, db, id).job_id or 0)


def resume(scope: Scope, id: int) -> None:
    """Let one that was stopped, or has failed, go on.

    Raises NotFound, JobNotCancelled, JobNotFailed; Validation for one that was undone meanwhile.
    """
    with scope.write(ACTION) as db:
        (made,) = made_of(db, [own(scope, db, id)])
        if made.undone_by is not None and made.row.state is not BulkState.DONE:
            raise Validation("It was undone, so it does not go on.", "该修改已被撤销，不能继续。")
        again = control.retry if made.state is BulkState.FAILED else control.resume
        again(scope, made.row.job_id or 0)


def own(scope: Scope, db: Session, id: int) -> BulkChange:
    """A bulk change of the caller.  Raises NotFound."""
    row = db.execute(select(BulkChange).where(BulkChange.id == id, is_mine(scope))).scalars().first()
    if row is None:
        raise NotFound(what=BULK_CHANGE, record_id=global_id(BulkChange, id) if id else None)
    return row
