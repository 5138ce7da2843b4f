"""Undoing a merge of words: what still is as the merge left it goes back, and the rest is named."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from models import AuditEntry, DictionaryItem, Job, SavedView, WordMerge, WordMove
from models.audit.entries import Outcome
from models.base import Base
from models.custom_field import PREFIX, Custom
from models.errors import Validation
from models.job import JobState
from models.stage_terms import renaming_stages
from models.word_merge import MovedState

from ..jobs.kinds import Progress, Work
from ..records.custom_values import held_by
from ..records.custom_writing import refuse_conversions
from ..runtime.batch import Note
from ..runtime.inputs import line
from ..runtime.scope import Scope
from ..runtime.write_guard import permit
from . import word_merge, words_in_policy
from .kept import Kept, KeptReason
from .moves import ENTITY_OF
from .statements import run
from .word_merge import AT_ONCE, Words, change, found_merge, words_of_merge

JOB, ACTION = "unmerge_words", "unmerge_words"
MERGED = f"dictionary.{word_merge.ACTION}"
MOST_TOLD = 100
"""Maximum number of sentences about what stays."""


@dataclass(frozen=True)
class PastWordMerge:
    """One merge of words: which became part of which, how many values followed, and what its undoing had to leave.

    `is_busy`: whether a job is at it, or at its undoing.  `is_left`: whether such a job was cancelled or has failed half way.
    """

    id: int
    winner_id: int
    loser_id: int
    moved: int
    is_busy: bool
    is_left: bool
    is_undone: bool
    kept: list[Note]


def unmerge_words(scope: Scope, merge_id: int, reason: str | None = None) -> int:
    """Undo a merge of words; returns its id.  What was changed since stays as it is.

    One whose job was cancelled or has failed is undone as far as it came, and an undoing that stopped so goes on.
    Raises NotFound, Forbidden, Validation (undone already, a job is at it, a later merge is in the way, a field is converting).
    """
    reason = line(reason, "reason")
    with scope.write(f"dictionary.{ACTION}", reason) as db:
        merge = found_merge(db, merge_id)
        for id in sorted({merge.winner_id, merge.loser_id}):
            scope.load(db, DictionaryItem, id, to="edit")
        words = words_of_merge(db, merge)
        _refuse_out_of_order(db, merge)
        refuse_conversions(_customs_moved(scope, db, merge))
        permit(db, words.winner, ACTION)
        permit(db, words.loser, ACTION)
        if merge.undone_at is None:
            _take_back_words(merge, words)
        merge.undone_at = merge.done_at = scope.person.now
        if _take_back(scope, db, merge, AT_ONCE) == AT_ONCE:
            merge.done_at = None
            merge.job_id = scope.later(JOB, {"merge": merge.id}, order_key=f"words:{words.winner.dictionary_id}")
        db.flush()
        return merge.id


def go_on(scope: Scope, db: Session, work: Work) -> Progress:
    """Take back the next values of a merge that is being undone."""
    merge = db.get(WordMerge, work.arguments["merge"], with_for_update=True)
    if merge is None or merge.undone_at is None or merge.done_at is not None:
        return Progress(work.position, more=False)
    with scope.write(f"dictionary.{ACTION}"):
        done = _take_back(scope, db, merge, work.size)
    if done < work.size:
        merge.done_at = scope.now()
    return Progress(work.position + done, done=done, more=done == work.size)


def past_word_merge(scope: Scope, db: Session, merge_id: int) -> PastWordMerge | None:
    """One merge, undone or not; None where the caller does not see the word that stayed."""
    merge = db.get(WordMerge, merge_id) if merge_id else None
    if (
        merge is None
        or db.execute(select(DictionaryItem.id).where(DictionaryItem.id == merge.winner_id)).first() is None
    ):
        return None
    asked = select(WordMove).where(WordMove.merge_id == merge.id, WordMove.state == MovedState.KEPT)
    stays = db.execute(asked.order_by(WordMove.id).limit(MOST_TOLD)).scalars()
    is_busy = _is_at_work(db, merge)
    return PastWordMerge(
        merge.id,
        merge.winner_id,
        merge.loser_id,
        merge.moved,
        is_busy,
        merge.done_at is None and not is_busy,
        merge.undone_at is not None,
        [note for move in stays for note in _told(scope, db, move)],
    )


# --- steps -----------------------------------------------------------------------------------------------


def _refuse_out_of_order(db: Session, merge: WordMerge) -> None:
    is_at_work = _is_at_work(db, merge)
    if merge.undone_at is not None and (is_at_work or merge.done_at is not None):
        raise Validation("This merge is undone already.", "该合并已撤销。", field="mergeId")
    if is_at_work:
        raise Validation(
            "The merge is still under way. Undo it once it is done.", "合并仍在进行，请完成后再撤销。", field="mergeId"
        )
    w, mine = WordMerge, (merge.winner_id, merge.loser_id)
    later = select(w.id).where(w.id > merge.id, w.undone_at.is_(None))
    if db.execute(later.where(or_(w.winner_id.in_(mine), w.loser_id.in_(mine)))).first() is not None:
        raise Validation(
            "One of these words was merged again later. Undo that merge first.",
            "其中一个词条之后又参与了合并，请先撤销后来的合并。",
            field="mergeId",
        )


def _customs_moved(scope: Scope, db: Session, merge: WordMerge) -> Iterator[Custom]:
    """The custom fields of which the merge changed values; what they hold while they are converting is no word."""
    held = select(WordMove.holder, WordMove.key).where(WordMove.merge_id == merge.id, WordMove.key.startswith(PREFIX))
    for holder, key in db.execute(held.distinct()):
        module = ENTITY_OF[holder].module if holder in ENTITY_OF else ""
        if (custom := scope.policy.book.find(module, key)) is not None:
            yield custom


def _is_at_work(db: Session, merge: WordMerge) -> bool:
    """Whether a job is at it that was neither cancelled nor has failed."""
    state = run(db, select(Job.state).where(Job.id == merge.job_id)).scalar() if merge.done_at is None else None
    return state in (JobState.WAITING, JobState.RUNNING)


def _take_back_words(merge: WordMerge, words: Words) -> None:
    """The loser is offered again, and its names are its own."""
    words.winner.aliases = [name for name in words.winner.aliases if name not in merge.aliases]
    words.loser.archived_at = merge.archived_at


def _take_back(scope: Scope, db: Session, merge: WordMerge, limit: int) -> int:
    """Take back the next values, and note what became of them.  Returns how many were looked at."""
    asked = select(WordMove).where(WordMove.merge_id == merge.id, WordMove.state == MovedState.MOVED)
    moves = db.execute(asked.order_by(WordMove.id).limit(limit)).scalars().all()
    became: dict[MovedState, list[int]] = {MovedState.UNDONE: [], MovedState.KEPT: []}
    for holder, some in groupby(moves, key=lambda move: move.holder):  # settings first, as they were changed
        here = [*some]
        if holder == words_in_policy.HOLDER:
            for move in here:
                is_back = words_in_policy.take_back_in_policy(scope, db, move.before, move.after)
                became[MovedState.UNDONE if is_back else MovedState.KEPT].append(move.id)
            continue
        touched = _touched(db, merge, holder, [move.record_id for move in here])
        with renaming_stages(db):
            for move in here:
                row = _row_of(db, holder, move.record_id)
                is_as_left = row is not None and held_by(row, move.key) == move.after
                if is_as_left and (is_as_left := (move.record_id, move.key) not in touched):
                    change(db, row, move.key, move.before)
                became[MovedState.UNDONE if is_as_left else MovedState.KEPT].append(move.id)
            db.flush()
    for state, ids in became.items():
        if ids:
            db.execute(update(WordMove).where(WordMove.id.in_(ids)).values(state=state))
    return len(moves)


def _touched(db: Session, merge: WordMerge, holder: str, ids: Sequence[int]) -> set[tuple[int, str]]:
    """(record, key) of what users have set since the merge changed it, to the same word as well."""
    e: Any = AuditEntry.__table__.c
    here = (e.entity == holder, e.record_id.in_(ids), e.outcome == Outcome.OK)
    merged = select(e.record_id, func.min(e.id).label("at")).where(*here, e.action == MERGED, e.at >= merge.at)
    since = merged.group_by(e.record_id).subquery()
    later = select(e.record_id, e.changes).join(since, since.c.record_id == e.record_id)
    later = later.where(*here, e.id > since.c.at, e.action.not_in((MERGED, f"dictionary.{ACTION}")))
    return {(row.record_id, key) for row in run(db, later) for key in row.changes}


def _row_of(db: Session, holder: str, id: int) -> Any:
    """The row of a table, locked; None for one that is gone."""
    model: Any = _MODELS[holder]
    return run(db, select(model).where(model.id == id).with_for_update()).scalar_one_or_none()


_MODELS: dict[str, type[Base]] = {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}


def _told(scope: Scope, db: Session, move: WordMove) -> list[Note]:
    """Sentences about one value that stays, as far as the caller sees it."""
    model = ENTITY_OF.get(move.holder)
    if model is not None:
        is_there = run(db, select(model.id).where(model.id == move.record_id)).first() is not None
        reason = KeptReason.CHANGED if is_there else KeptReason.PURGED
        return [*Kept(model, move.record_id, reason, (move.key,)).notes(scope, db)]
    if move.holder == words_in_policy.HOLDER:
        return [Note("The policy was changed since and stays as it is.", "策略之后有改动，保持现状。")]
    if move.holder == SavedView.__tablename__:
        return [Note("A saved view was changed since and stays as it is.", "有一个视图之后有改动，保持现状。")]
    return [Note("An import was changed since and stays as it is.", "有一次导入之后有改动，保持现状。")]
