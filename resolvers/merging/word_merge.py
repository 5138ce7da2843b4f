"""Merging two words of a dictionary: one stays, the other becomes part of it wherever it stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, func, insert, literal, select, update
from sqlalchemy.orm import Session

from models import CustomerStage, Dictionary, DictionaryItem, Entity, PipelineStage, WordMerge, WordMove
from models.errors import NotFound, Validation
from models.names import Names
from models.stage_terms import renaming_stages
from models.text import fold

from ..jobs.kinds import Progress, Work
from ..records.custom_values import held_by, put_into
from ..records.custom_writing import refuse_conversions
from ..runtime.inputs import line
from ..runtime.scope import Scope
from ..runtime.write_guard import permit
from .statements import run
from .word_places import BELOW, Holder, holders
from .words_in_policy import follow_in_policy

WORD_MERGE = Names("Merge of words", "Merges of words", zh="词条合并")
AT_ONCE = 200
"""Maximum number of records that follow in the transaction of the merge; a job goes on with the rest."""
JOB = "merge_words"
ACTION = "merge_words"
_MOVES: Any = WordMove.__table__


@dataclass(frozen=True)
class Words:
    """Two words of one dictionary, locked."""

    code: str
    winner: DictionaryItem
    loser: DictionaryItem


def merge_words(scope: Scope, winner_id: int, loser_id: int, reason: str | None = None) -> int:
    """Make one word of a dictionary part of another one; returns the id of the merge.

    Records, lists, conditions, views and the words below it hold the winner then, and the winner is known by the names
    of the other, which is archived.  Lines of the policy name it as well.  Many records follow in a job.  Raises
    NotFound, Forbidden, InBin, Validation, BeyondCeiling (lines would give more than the caller may grant).
    """
    reason = line(reason, "reason")
    with scope.write(f"dictionary.{ACTION}", reason) as db:
        words = _loaded(scope, db, winner_id, loser_id)
        _refuse_unfit(db, words)
        refuse_conversions(scope.policy.book.fields.values(), dictionary=words.code)
        aliases = _new_aliases(words)
        id = _recorded(scope, db, words, aliases, reason)
        permit(db, words.winner, ACTION)
        permit(db, words.loser, ACTION)
        words.winner.aliases = [*words.winner.aliases, *aliases]
        words.loser.archived_at = scope.person.now
        moved = _follow(db, id, [BELOW], words.loser.id, words.winner.id)
        places, records = [*holders(db, words.code)], _of_records(db, words.code)
        moved += _follow(db, id, [x for x in places if x.is_setting], words.loser.key, words.winner.key)
        if (lines := follow_in_policy(scope, db, words.code, words.loser.key, words.winner.key)) is not None:
            db.execute(insert(_MOVES), {"merge_id": id, **lines, "state": "MOVED"})
            moved += 1
        moved += (done := _follow(db, id, records, words.loser.key, words.winner.key, AT_ONCE))
        ended: dict[str, Any] = {"done_at": scope.person.now}
        if done == AT_ONCE:
            ended = {"job_id": scope.later(JOB, {"merge": id}, order_key=f"words:{words.winner.dictionary_id}")}
        db.execute(update(WordMerge).where(WordMerge.id == id).values(moved=moved, **ended))
        return id


def go_on(scope: Scope, db: Session, work: Work) -> Progress:
    """Let the next records follow a merge."""
    merge = db.get(WordMerge, work.arguments["merge"], with_for_update=True)
    if merge is None or merge.done_at is not None or merge.undone_at is not None:
        return Progress(work.position, more=False)
    words = words_of_merge(db, merge)
    records = _of_records(db, words.code)
    with scope.write(f"dictionary.{ACTION}", merge.reason):
        done = _follow(db, merge.id, records, words.loser.key, words.winner.key, work.size)
    merge.moved += done
    if done < work.size:
        merge.done_at = scope.now()
    return Progress(work.position + done, done=done, more=done == work.size)


def words_of_merge(db: Session, merge: WordMerge) -> Words:
    """The two words of a merge, wherever they are now."""
    item, wanted = DictionaryItem, (merge.winner_id, merge.loser_id)
    asked = select(item).where(item.id.in_(wanted)).execution_options(populate_existing=True)
    by_id = {row.id: row for row in run(db, asked).scalars()}
    code = run(db, select(Dictionary.code).where(Dictionary.id == by_id[merge.winner_id].dictionary_id)).scalar_one()
    return Words(code, by_id[merge.winner_id], by_id[merge.loser_id])


# --- steps -----------------------------------------------------------------------------------------------


def _loaded(scope: Scope, db: Session, winner_id: int, loser_id: int) -> Words:
    """Both words, locked in the order of their ids.  Raises NotFound, Forbidden, InBin."""
    if winner_id == loser_id:
        raise Validation("A word cannot be merged with itself.", "词条不能与自身合并。", field="loserId")
    rows = {id: scope.load(db, DictionaryItem, id, to="edit") for id in sorted({winner_id, loser_id})}
    code = run(db, select(Dictionary.code).where(Dictionary.id == rows[winner_id].dictionary_id)).scalar_one()
    return Words(code, rows[winner_id], rows[loser_id])


def _refuse_unfit(db: Session, words: Words) -> None:
    """Raise Validation for words that cannot become one."""
    winner, loser = words.winner, words.loser
    english, chinese = (
        (winner.label_en, loser.label_en),
        (winner.label_zh or winner.label_en, loser.label_zh or loser.label_en),
    )
    if winner.dictionary_id != loser.dictionary_id:
        raise Validation(
            f"{english[0]} and {english[1]} stand in different dictionaries.",
            f"“{chinese[0]}”与“{chinese[1]}”不在同一数据字典中。",
            field="loserId",
        )
    if winner.archived_at is not None:
        raise Validation(
            f"{english[0]} is archived, so nothing becomes part of it. Bring it back first.",
            f"“{chinese[0]}”已归档，不能作为保留项；请先恢复。",
            field="winnerId",
        )
    if is_part_of_another(db, loser.id):
        raise Validation(
            f"{english[1]} is part of another word already.", f"“{chinese[1]}”已并入其他词条。", field="loserId"
        )
    _refuse_two_stages(db, words, english, chinese)
    if loser.id in _above(db, winner):
        raise Validation(
            f"{english[0]} stands below {english[1]}. Move it out first.",
            f"“{chinese[0]}”是“{chinese[1]}”的下级，请先移出。",
            field="loserId",
        )


def _refuse_two_stages(db: Session, words: Words, english: tuple[str, str], chinese: tuple[str, str]) -> None:
    """Raise Validation where both words are stages of one pipeline, or both have rules as stages of customers."""
    keys = (words.winner.key, words.loser.key)
    for model, code, apart in ((PipelineStage, "opportunity_stage", "pipeline_id"), (CustomerStage, "stage", None)):
        t: Any = model.__table__.c
        by = t[apart] if apart else literal(1)
        both = select(by).where(t.stage.in_(keys), t.deleted_at.is_(None)).group_by(by).having(func.count() > 1)
        if words.code == code and run(db, both).first() is not None:
            raise Validation(
                f"{english[0]} and {english[1]} are both stages, with rules of their own. Delete one of the stages first.",
                f"“{chinese[0]}”与“{chinese[1]}”均为带有规则的阶段，请先删除其中一个阶段。",
                field="loserId",
            )


def is_part_of_another(db: Session, id: int) -> bool:
    """Whether the word was merged into another one, and that was not undone."""
    merged = exists().where(WordMerge.loser_id == id, WordMerge.undone_at.is_(None))
    return bool(db.execute(select(merged)).scalar())


def _above(db: Session, item: DictionaryItem) -> Iterator[int]:
    """The ids of the words above one, nearest first."""
    above, seen = item.parent_id, {item.id}
    while above is not None and above not in seen:
        seen.add(above)
        yield above
        above = run(db, select(DictionaryItem.parent_id).where(DictionaryItem.id == above)).scalar()


def _new_aliases(words: Words) -> list[str]:
    """The names of the loser by which the winner is not known yet."""
    winner, loser = words.winner, words.loser
    known = {fold(name) for name in (winner.label_en, winner.label_zh, *winner.aliases) if name}
    found: dict[str, str] = {}
    for name in filter(None, (loser.label_en, loser.label_zh, *loser.aliases)):
        if fold(name) not in known:
            found.setdefault(fold(name), name)
    return [*found.values()]


def _recorded(scope: Scope, db: Session, words: Words, aliases: list[str], reason: str | None) -> int:
    values = {"winner_id": words.winner.id, "loser_id": words.loser.id, "aliases": aliases, "reason": reason}
    values |= {"archived_at": words.loser.archived_at, "moved": 0, "at": scope.person.now}
    values |= {"by_id": scope.person.id, "by_name": scope.person.name}
    return int(db.execute(insert(WordMerge).values(**values).returning(WordMerge.id)).scalar_one())


def _of_records(db: Session, code: str) -> list[Holder]:
    """The places of records, which follow after all settings, because opportunities follow from stages of pipelines."""
    return [place for place in holders(db, code) if not place.is_setting]


def _follow(db: Session, merge_id: int, places: Sequence[Holder], old: Any, new: Any, limit: int | None = None) -> int:
    """Change what holds the old word, at most `limit` rows, and note what it held.  Returns the number of rows."""
    notes: list[dict[str, Any]] = []
    with renaming_stages(db):
        for place in places:
            left = None if limit is None else limit - len(notes)
            for row in place.rows(db, old, left) if left != 0 else ():
                before, after = held_by(row, place.key), place.replaced(row, old, new)
                if after != before:
                    change(db, row, place.key, after)
                    notes.append(_note(merge_id, row, place.key, before, after))
        db.flush()
    if notes:
        db.execute(insert(_MOVES), notes)
    return len(notes)


def change(db: Session, row: Any, key: str, value: Any) -> None:
    """Set a value that follows a word: the right on the dictionary covers it."""
    if isinstance(row, Entity):
        permit(db, row, db.info["signature"].action.rpartition(".")[2])
    put_into(row, key, value)
    if isinstance(row, PipelineStage):
        db.flush()


def _note(merge_id: int, row: Any, key: str, before: Any, after: Any) -> dict[str, Any]:
    what = {"merge_id": merge_id, "holder": row.__tablename__, "record_id": row.id, "key": key}
    return {**what, "before": before, "after": after, "state": "MOVED"}


def found_merge(db: Session, merge_id: int) -> WordMerge:
    """The merge with this id, locked.  Raises NotFound."""
    merge = db.get(WordMerge, merge_id, with_for_update=True) if merge_id else None
    if merge is None:
        raise NotFound(what=WORD_MERGE, field="mergeId")
    return merge
