"""Rules of stages: a stage belongs to the pipeline, follows an allowed step, and finds filled what it asks for."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, Dictionary, DictionaryItem, Entity, Opportunity, Pipeline
from models.base import stored_columns
from models.custom_field import is_custom
from models.database.bypass import Because, bypass_policy
from models.database.sqlalchemy_internals import former_values
from models.field_names import field_in_words
from models.pipeline import StageKind
from models.stage_errors import FieldsMissing, NotOver, StageNotInPipeline, StepNotAllowed
from models.stage_terms import PipelineTerms, StageTerms, book_of, customer_stages, is_taken_back

from ..records.field_rights import open_fields
from ..runtime.custom_fields import called
from ..runtime.form_terms import When
from ..runtime.ids import camel, global_id
from ..runtime.inputs import invalid, out_of_range
from ..runtime.lifecycle import is_new
from ..runtime.scope import Scope
from ..runtime.write_guard import permit_reference

DICTIONARY = {Customer: "stage", Opportunity: "opportunity_stage"}
"""Where the stages of these kinds have their words."""
PLACING = frozenset({"pipeline_id", "stage"})


def place_in_pipeline(db: Session, values: dict[str, Any]) -> None:
    """Give a new opportunity the default pipeline, and the first stage of its pipeline, unless they are given."""
    book = book_of(db)
    if values.get("pipeline_id") is None and (default := default_pipeline(db)) is not None:
        values["pipeline_id"] = default
    pipeline = book.of(values.get("pipeline_id"))
    if values.get("stage") is None and pipeline is not None:
        values["stage"] = pipeline.first()


def default_pipeline(db: Session) -> int | None:
    """The pipeline of an opportunity that is given none, which the caller need not see; None where there is no pipeline."""
    id = book_of(db).default_id
    if id is not None:
        permit_reference(db, Pipeline, id)
    return id


def check_new_opportunity(scope: Scope, db: Session, values: Mapping[str, Any]) -> None:
    """Judge the stage of a new opportunity.  Raises StageNotInPipeline, FieldsMissing, NotOver, Validation."""
    pipeline = book_of(db).of(values.get("pipeline_id"))
    terms = book_of(db).terms(values.get("pipeline_id"), values.get("stage"))
    _check_in_pipeline(db, pipeline, values.get("stage"))
    _check_filled(scope, db, Opportunity, terms, values, _asked(scope, Opportunity, terms.required_fields))
    _check_closing(scope, terms, values, values)


def check_opportunity(scope: Scope, db: Session, row: Opportunity, values: Mapping[str, Any]) -> None:
    """Judge the stage of an opportunity with its new values.

    Raises StageNotInPipeline, StepNotAllowed, FieldsMissing, NotOver, Validation.
    """
    if is_new(row):
        check_new_opportunity(scope, db, _present(row))
        return
    book, former = book_of(db), former_values(row)
    changed = {key for key in values if key in former and former[key] != getattr(row, key)}
    terms = book.terms(row.pipeline_id, row.stage)
    if changed & PLACING:
        _check_in_pipeline(db, book.of(row.pipeline_id), row.stage)
        if "pipeline_id" not in changed and not is_taken_back(db):
            _check_step(db, Opportunity, book.terms(row.pipeline_id, former["stage"]), row.stage)
    _check_fields_of(scope, db, row, terms, changed, moved=bool(changed & PLACING))
    _check_closing(scope, terms, {key: values[key] for key in changed}, _present(row))


def check_new_customer(scope: Scope, db: Session, values: Mapping[str, Any]) -> None:
    """Judge the stage of a new customer.  Raises FieldsMissing."""
    if terms := customer_stages(db).get(values.get("stage") or ""):
        _check_filled(scope, db, Customer, terms, values, _asked(scope, Customer, terms.required_fields))


def check_customer(scope: Scope, db: Session, row: Customer, values: Mapping[str, Any]) -> None:
    """Judge the stage of a customer with its new values, by the steps that administrators have set up.

    Raises StepNotAllowed, FieldsMissing.
    """
    rules = customer_stages(db)
    if not rules:
        return
    if is_new(row):
        check_new_customer(scope, db, _present(row))
        return
    former = former_values(row)
    changed = {key for key in values if key in former and former[key] != getattr(row, key)}
    if "stage" in changed and not is_taken_back(db) and (old := rules.get(former["stage"] or "")):
        _check_step(db, Customer, old, row.stage)
    if terms := rules.get(row.stage or ""):
        _check_fields_of(scope, db, row, terms, changed, moved="stage" in changed)


def default_place(db: Session) -> dict[str, str]:
    """The pipeline and the stage of an opportunity that is given none, as an input would name them."""
    book = book_of(db)
    default = book.of(None)
    if default is None:
        return {}
    stage = default.first()
    return {"pipeline_id": global_id(Pipeline, default.id)} | ({"stage": stage} if stage is not None else {})


def needed_in_stages(scope: Scope, db: Session, model: type[Entity]) -> dict[str, tuple[When, ...]]:
    """Field -> the stages in which a new record of the caller needs it, for the fields that the caller sees."""
    found: dict[str, tuple[When, ...]] = {}
    if model is Customer:
        stages = [({"stage": (key,)}, terms) for key, terms in customer_stages(db).items()]
    else:
        stages = [
            ({"pipeline_id": (global_id(Pipeline, id),), "stage": (key,)}, pipeline.stages[key])
            for id, pipeline in book_of(db).pipelines.items()
            for key in pipeline.stages
        ]
    for condition, terms in stages:
        for key in _asked(scope, model, terms.required_fields):
            if not _is_out_of_use(scope, model, key):
                found[key] = (*found.get(key, ()), When(condition))
    return found


# --- the checks ------------------------------------------------------------------------------------------


def _check_in_pipeline(db: Session, pipeline: PipelineTerms | None, stage: str | None) -> None:
    if pipeline is None or stage is None or stage in pipeline.stages:
        return
    said = {"pipeline": pipeline.name, "pipeline_zh": pipeline.name_zh}
    words = _in_words(db, Opportunity, pipeline.stages, stage)
    raise StageNotInPipeline(field="stage", suggestions=[*pipeline.stages], **said, **words)


def _check_step(db: Session, model: type[Entity], old: StageTerms, stage: str | None) -> None:
    if not old.next_stages or stage in old.next_stages:
        return
    (english, chinese), *_ = labels(db, DICTIONARY[model], [old.key]).values()
    words = _in_words(db, model, old.next_stages, stage)
    raise StepNotAllowed(field="stage", old=english, old_zh=chinese, suggestions=[*old.next_stages], **words)


def _check_fields_of(
    scope: Scope, db: Session, row: Any, terms: StageTerms, changed: Collection[str], *, moved: bool
) -> None:
    """Ask for all fields of a stage that a record comes to, and in one that it stays in for those that it loses."""
    wanted = [key for key in terms.required_fields if moved or key.partition(".")[0] in changed]
    if is_taken_back(db) or all(filled(row, key) for key in wanted):
        return
    seen = open_fields(scope, db, type(row), row.id, wanted, ("view",))
    _check_filled(scope, db, type(row), terms, _present(row), [key for key in wanted if key in seen])


def _asked(scope: Scope, model: type[Entity], keys: Iterable[str]) -> list[str]:
    """Those among the fields that the caller sees in every new record."""
    columns = model.__table__.c
    return [
        key for key in keys if scope.policy.guard(scope.person, model, key.removesuffix("_id"), columns, "view") is None
    ]


def _check_filled(
    scope: Scope, db: Session, model: type[Entity], terms: StageTerms, values: Mapping[str, Any], keys: Iterable[str]
) -> None:
    missing = [key for key in keys if not filled(values, key) and not _is_out_of_use(scope, model, key)]
    if not missing:
        return
    (english, chinese), *_ = labels(db, DICTIONARY[model], [terms.key]).values()
    names = [called(scope.policy, model, key) for key in missing]
    said = {"fields": ", ".join(x[0] for x in names), "fields_zh": "、".join(x[1] for x in names)}
    field = camel(missing[0])
    raise FieldsMissing(field=field, stage=english, stage_zh=chinese, missing=[camel(x) for x in missing], **said)


def _is_out_of_use(scope: Scope, model: type[Entity], key: str) -> bool:
    """Whether it is a custom field that no form offers any more, so that nobody could fill it in."""
    return is_custom(key) and all(key != custom.word for custom in scope.policy.book.of(model.module))


def _check_closing(scope: Scope, terms: StageTerms, given: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Raise NotOver for a day or a reason that the stage has no use for, Validation for a day that is to come."""
    if given.get("lost_reason") is not None and terms.kind is not StageKind.LOST:
        raise _not_over("lost_reason", "lost", "输单")
    if given.get("closed_on") is not None:
        if not terms.kind.is_over:
            raise _not_over("closed_on", "won or lost", "赢单或输单")
        check_closed_on(scope, given["closed_on"])
    if values.get("probability") is not None and values["probability"] > 100:
        raise out_of_range("probability", largest=100)


def check_closed_on(scope: Scope, day: date) -> None:
    """Raise Validation for a day of closing that is to come."""
    if day > today(scope):
        raise invalid("closed_on", "lies ahead; an opportunity is closed when it is over", "不能晚于今天")


def today(scope: Scope) -> date:
    """The day in the zone of the caller."""
    now: datetime = scope.person.now
    return now.astimezone(ZoneInfo(scope.person.zone)).date()


def _not_over(key: str, kind: str, kind_zh: str) -> NotOver:
    english, chinese = field_in_words(key)
    return NotOver(field=camel(key), what=english, what_zh=chinese, kind=kind, kind_zh=kind_zh)


# --- in words --------------------------------------------------------------------------------------------


def filled(values: Any, key: str) -> bool:
    """Whether a record, or its values by key, has something in a field; `custom.x` is one of its custom fields."""
    head, _, own = key.partition(".")
    value = values.get(head) if isinstance(values, Mapping) else getattr(values, head, None)
    if own:
        value = (value or {}).get(own)
    return value not in (None, "", [])


def _present(row: Any) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in stored_columns(type(row))}


def _in_words(db: Session, model: type[Entity], keys: Iterable[str], stage: str | None) -> dict[str, str]:
    """The stages that may be chosen, and the one that was, in both languages."""
    keys = [*keys]
    found = labels(db, DICTIONARY[model], [*keys, stage or ""])
    english, chinese = found[stage or ""] if stage else ("no stage", "无阶段")
    return {
        "stage": english,
        "stage_zh": chinese,
        "stages": " or ".join(found[key][0] for key in keys),
        "stages_zh": "或".join(f"“{found[key][1]}”" for key in keys),
    }


def labels(db: Session, dictionary: str, keys: Collection[str]) -> dict[str, tuple[str, str]]:
    """Key -> its label in English and Chinese, in the order of `keys`; of an unknown key that key."""
    item = DictionaryItem
    found = (
        select(item.key, item.label_en, item.label_zh)
        .join(Dictionary, Dictionary.id == item.dictionary_id)
        .where(Dictionary.code == dictionary, item.key.in_(keys))
        .where(Dictionary.deleted_at.is_(None), item.deleted_at.is_(None))
    )
    rows = db.execute(found, execution_options=bypass_policy(Because.APPLIES_TO_ALL))
    known = {key: (english, chinese or english) for key, english, chinese in rows}
    return {key: known.get(key, (key, key)) for key in keys}
