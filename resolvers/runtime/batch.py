"""Use cases over several records: what was done, and why the rest was not."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy.orm import Session

from models import Entity
from models.errors import BatchUndone, Refusal, Validation

from .ids import global_id
from .lifecycle import rules_of
from .scope import Scope

LARGEST = 200
"""How many records one request may name: a page.  More is work for a job, on SQLite everybody else would wait for it."""


class Mode(StrEnum):
    """Whether one refusal undoes the whole batch, or the rest goes through."""

    ALL_OR_NOTHING = "ALL_OR_NOTHING"
    BEST_EFFORT = "BEST_EFFORT"


@dataclass
class Outcome:
    """`ids`: every record done, in the order asked.  `problems`: one refusal for each record that was not."""

    ids: list[int] = field(default_factory=list)
    problems: list[Refusal] = field(default_factory=list)


class _Undo(Exception):
    """Not an error: the way out of a batch that must leave nothing."""


def each(
    scope: Scope,
    action: str,
    model: type[Entity],
    ids: Sequence[int],
    mode: Mode,
    work: Callable[[Session, int], None],
    *,
    reason: str | None = None,
    assignee: int | None = None,
) -> Outcome:
    """Do `work` for every id, each in a savepoint of one transaction, and say what became of each.

    An id given twice is done once.  Before the first record is touched all are locked, and then the counters of
    their owners and of the `heir` to come, each in the order of the ids: batches that cross never wait in a circle.
    """
    wanted, outcome = distinct(ids), Outcome()
    _ = scope.person  # who may do nothing at all is refused here, before any record
    if len(wanted) == 1:  # its transaction is the batch
        _one(scope, action, model, wanted[0], work, outcome, reason)
        return outcome
    try:
        with scope.write(action, reason) as db:
            scope.hold(db, model, wanted)
            rules_of(model).lock_first(db, wanted, assignee)
            for id in wanted:
                _one(scope, action, model, id, work, outcome)
            if outcome.problems and mode is Mode.ALL_OR_NOTHING:
                raise _Undo
    except _Undo:
        outcome = Outcome([], list(_undone(model, wanted, outcome)))
    return outcome


def distinct(ids: Sequence[int]) -> list[int]:
    """The ids as asked, each once.  Raises Validation for more than one request may name."""
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > LARGEST:
        raise Validation(f"At most {LARGEST} records in one request.", f"一次最多处理 {LARGEST} 条记录。", field="ids")
    return wanted


def _undone(model: type[Entity], wanted: list[int], outcome: Outcome) -> Iterator[Refusal]:
    """One refusal for each record, in the order asked: its own, or that it fell with the others."""
    refused = iter(outcome.problems)
    done = set(outcome.ids)
    for id in wanted:
        yield BatchUndone(record_id=global_id(model, id)) if id in done else next(refused)


def _one(
    scope: Scope,
    action: str,
    model: type[Entity],
    id: int,
    work: Callable[[Session, int], None],
    outcome: Outcome,
    reason: str | None = None,
) -> None:
    try:
        with scope.write(action, reason) as db:
            work(db, id)
        outcome.ids.append(id)
    except Refusal as refusal:
        refusal.record_id = refusal.record_id or (global_id(model, id) if id else None)
        outcome.problems.append(refusal)
