"""Use cases over several records: which were done, and why the others were not."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy.orm import Session

from models import Entity
from models.errors import BatchUndone, Refusal, Validation

from .ids import global_id
from .lifecycle import rules_of
from .scope import Scope

LARGEST = 200
"""Maximum number of records of one request: a page.  More is work for a job, because on SQLite all other writes wait."""


class Mode(StrEnum):
    """Whether one refusal undoes the whole batch, or only its own record."""

    ALL_OR_NOTHING = "ALL_OR_NOTHING"
    """One refusal leaves all records as they were; the problems name every record that was refused."""
    BEST_EFFORT = "BEST_EFFORT"
    """Each record for itself: those without a problem are changed."""


class Note(NamedTuple):
    """A sentence about what was done besides, in both languages."""

    english: str
    chinese: str

    def say(self, language: str = "en") -> str:
        return self.chinese if language.startswith("zh") else self.english


@dataclass
class Outcome:
    """`ids`: the records that were done, in the order of the request.  `problems`: one refusal for each other record.

    `notes` say what was done to them besides.
    """

    ids: list[int] = field(default_factory=list)
    problems: list[Refusal] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


class _Undo(Exception):
    """Leaves the transaction of a batch that must be undone; no error."""


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
    """Do `work` for every id, each in a savepoint of one transaction; the outcome says what became of each.

    An id given twice is done once.  Before the first record is touched all are locked, and then the counters of their
    owners and of the `assignee`, each in the order of the ids, so that batches never deadlock.
    """
    wanted, outcome = distinct(ids), Outcome()
    _ = scope.person  # refuses a caller who may do nothing at all before any record
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
    """The ids in the order of the request, each once.  Raises Validation for too many."""
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > LARGEST:
        raise Validation(f"At most {LARGEST} records in one request.", f"一次最多处理 {LARGEST} 条记录。", field="ids")
    return wanted


def _undone(model: type[Entity], wanted: list[int], outcome: Outcome) -> Iterator[Refusal]:
    """One refusal for each record, in the order of the request: its own, or that it was undone with the others."""
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
