"""Use cases over several records: what was done, and why the rest was not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy.orm import Session

from models import Entity
from models.errors import Refusal, Validation

from .names import global_id
from .scope import Scope

LARGEST = 1000
"""How many records one request may name."""


class Mode(StrEnum):
    """Whether one refusal undoes the whole batch, or the rest goes through."""

    ALL_OR_NOTHING = "ALL_OR_NOTHING"
    BEST_EFFORT = "BEST_EFFORT"


@dataclass
class Outcome:
    """`ids`: every record done, in the order asked.  `problems`: one refusal for each record that was not."""

    ids: list[int] = field(default_factory=list)
    problems: list[Refusal] = field(default_factory=list)


class _Undo(Exception):  # noqa: N818  not an error: the way out of a batch that must leave nothing
    pass


def each(
    scope: Scope,
    action: str,
    model: type[Entity],
    ids: Sequence[int],
    mode: Mode,
    work: Callable[[Session, int], None],
    *,
    reason: str | None = None,
) -> Outcome:
    """Do `work` for every id, each in a savepoint of one transaction, and say what became of each.

    An id given twice is done once.  The rows are locked in the order of their ids before the first is touched.
    """
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > LARGEST:
        raise Validation(f"At most {LARGEST} records in one request.", f"一次最多处理 {LARGEST} 条记录。", field="ids")
    outcome = Outcome()
    try:
        with scope.write(action, reason) as db:
            scope.hold(db, model, wanted)
            for id in wanted:
                _one(scope, action, model, id, work, outcome)
            if outcome.problems and mode is Mode.ALL_OR_NOTHING:
                raise _Undo
    except _Undo:
        outcome.ids = []
    return outcome


def _one(
    scope: Scope,
    action: str,
    model: type[Entity],
    id: int,
    work: Callable[[Session, int], None],
    outcome: Outcome,
) -> None:
    try:
        with scope.write(action) as db:
            work(db, id)
        outcome.ids.append(id)
    except Refusal as refusal:
        refusal.record_id = refusal.record_id or (global_id(model, id) if id else None)
        outcome.problems.append(refusal)
