"""What is at work with a custom field: conditions of pools, which mean something as it is, and merges of its words."""

from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models import (
    AssignmentShare,
    ClaimCondition,
    Customer,
    CustomField,
    Dictionary,
    DictionaryItem,
    Entity,
    Job,
    WordMerge,
)
from models.custom_field import PREFIX
from models.database.bypass import Because, bypass_policy
from models.errors import Validation
from models.job import JobState

_HOLDERS: tuple[type[Entity], ...] = (ClaimCondition, AssignmentShare)


def refuse_if_asked(db: Session, row: CustomField) -> None:
    """Raise Validation for a field about which the condition of a pool asks."""
    for model in _HOLDERS if row.for_module == Customer.module else ():
        text: Any = model.__table__.c["condition"]
        named = or_(*(text.contains(x, autoescape=True) for x in (f'"{PREFIX}{row.key}"', f'"key":"{row.key}"')))
        asked = select(model.__table__.c.id).where(model.__table__.c.deleted_at.is_(None), named).limit(1)
        if db.execute(asked, execution_options=bypass_policy(Because.KEEPS_RULE)).first() is not None:
            raise Validation(
                f"{row.label_en} stays as it is: a rule of a pool ({model.names.one.lower()}) asks about it.",
                f"“{row.label_zh or row.label_en}”不能更改：公海规则（{model.names.zh}）使用了该字段。",
                field="kind",
            )


def refuse_while_words_move(db: Session, row: CustomField) -> None:
    """Raise Validation while a job merges words that the field takes, or undoes that: it would write the former kind."""
    if row.dictionary is None:
        return
    at_work = select(WordMerge.id).join(Job, Job.id == WordMerge.job_id)
    at_work = at_work.join(DictionaryItem, DictionaryItem.id == WordMerge.winner_id)
    at_work = at_work.join(Dictionary, Dictionary.id == DictionaryItem.dictionary_id).where(
        WordMerge.done_at.is_(None),
        Job.state.in_((JobState.WAITING, JobState.RUNNING)),
        Dictionary.code == row.dictionary,
    )
    if db.execute(at_work.limit(1), execution_options=bypass_policy(Because.KEEPS_RULE)).first() is not None:
        raise Validation(
            f"Words of {row.label_en} are still being merged. Wait until the job has ended.",
            f"“{row.label_zh or row.label_en}”的词条仍在合并中，请等待任务完成。",
            field="kind",
        )
