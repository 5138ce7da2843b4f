"""Rules of pipelines: one is the default, their stages name fields and steps that there are, and used stages stay."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar, cast

from sqlalchemy import Table, bindparam, func, inspect, select, update
from sqlalchemy.orm import Session

from models import Customer, CustomerStage, Entity, Opportunity, Pipeline, PipelineStage
from models.audit.recording import guarded_update
from models.base import columns, trait_of
from models.custom_field import is_custom
from models.database.bypass import Because, bypass_policy
from models.database.prepared import Prepared
from models.errors import InUse, Validation
from models.pipeline import StageKind
from models.stage_terms import StageTerms, day_of

from ..ownership.release_dates import begin_renewal, fill_opportunities
from ..runtime.custom_fields import visible_fields
from ..runtime.form_terms import FormTerms
from ..runtime.ids import global_id
from ..runtime.inputs import invalid, out_of_range
from ..runtime.lifecycle import Rules
from ..runtime.scope import Scope
from .stages import labels

_TABLE = cast("Table", Opportunity.__table__)
_KEPT = bypass_policy(Because.KEEPS_COPY)
_ALL = bypass_policy(Because.KEEPS_RULE)
_NEVER_ASKED = frozenset(
    {"customer_id", "pipeline_id", "stage", "currency", "owner_id", "pool_id", "number", "name", "custom"}
    | {"probability", "closed_on"}
)
"""Fields that every record has, that say where it stands, or that follow from its stage unless they are given."""
_AT_ONCE = 500
"""Number of opportunities that one statement writes."""
_STALE = Prepared(update(_TABLE).where(_TABLE.c.id == bindparam("that")), ["stale_at"], because=Because.KEEPS_COPY)


def askable(model: type[Entity]) -> list[str]:
    """The fields that a stage may ask for, in the order of the table: what users fill in and may leave empty."""
    settable = (c for c in columns(model) if not (trait_of(c).system_managed or trait_of(c).immutable))
    return [c.key for c in settable if c.nullable and c.key not in _NEVER_ASKED]


class PipelineRules(Rules[Pipeline]):
    """One pipeline is the default; one with opportunities, or the only one, stays."""

    def created(self, scope: Scope, db: Session, row: Pipeline, extra: dict[str, Any]) -> None:
        _one_default(db, row)

    def changed(self, scope: Scope, db: Session, row: Pipeline, before: dict[str, Any], extra: dict[str, Any]) -> None:
        _one_default(db, row)

    def restored(self, scope: Scope, db: Session, row: Pipeline) -> None:
        row.is_default = row.is_default and not _other_defaults(db, row)

    def deleted(self, scope: Scope, db: Session, row: Pipeline) -> None:
        _refuse_used(db, row, _TABLE.c.pipeline_id == row.id, (row.name, row.name_zh or row.name))
        others = select(Pipeline.id).where(Pipeline.id != row.id, Pipeline.deleted_at.is_(None)).limit(1)
        if db.execute(others, execution_options=_ALL).first() is None:
            raise Validation("The last pipeline stays.", "最后一个流程不能删除。")


class PipelineStageRules(Rules[PipelineStage]):
    """A stage leads to stages of its pipeline, and asks for fields of opportunities.

    What opportunities keep of their stage follows when it changes.
    """

    form: ClassVar[FormTerms] = FormTerms(bounds={"probability": (0, 100), "stale_days": (1, 3_650)})

    def check(self, scope: Scope, db: Session, row: PipelineStage, values: dict[str, Any]) -> None:
        _check_fields(scope, Opportunity, row, values)
        kind = StageKind(row.kind or StageKind.OPEN)
        if "lost_reason" in (row.required_fields or ()) and kind is not StageKind.LOST:
            said = "has the reason for the loss, which is only for stages of kind lost", "中的输单原因仅适用于输单阶段"
            raise invalid("required_fields", *said)
        if values.get("probability") is not None and values["probability"] > 100:
            raise out_of_range("probability", largest=100)
        if values.get("stale_days") is not None and not 0 < values["stale_days"] <= 3_650:
            raise out_of_range("stale_days", 1, 3_650)
        if row.stale_days is not None and kind.is_over:
            raise invalid("stale_days", "is for stages in which work goes on", "仅适用于未结束的阶段")

    def changed(
        self, scope: Scope, db: Session, row: PipelineStage, before: dict[str, Any], extra: dict[str, Any]
    ) -> None:
        _follow_stage(db, row, before)

    def created(self, scope: Scope, db: Session, row: PipelineStage, extra: dict[str, Any]) -> None:
        _follow_stage(db, row, {"kind": None, "stale_days": None})

    def deleted(self, scope: Scope, db: Session, row: PipelineStage) -> None:
        used = (_TABLE.c.pipeline_id == row.pipeline_id) & (_TABLE.c.stage == row.stage)
        _refuse_used(db, row, used, labels(db, "opportunity_stage", [row.stage])[row.stage])


class CustomerStageRules(Rules[CustomerStage]):
    """A stage of customers asks for fields of customers."""

    def check(self, scope: Scope, db: Session, row: CustomerStage, values: dict[str, Any]) -> None:
        _check_fields(scope, Customer, row, values)


def _check_fields(
    scope: Scope, model: type[Entity], row: PipelineStage | CustomerStage, values: dict[str, Any]
) -> None:
    """Raise Validation for what is no field; a custom field that the caller does not see, or that is retired, stays."""
    if "required_fields" not in values:
        return
    known = {*askable(model), *(own.word for own in visible_fields(scope.policy, scope.person, model))}
    state: Any = inspect(row)
    before = next(iter(state.attrs.required_fields.history.deleted or ()), None) or ()
    given, kept = values["required_fields"] or [], [key for key in before if is_custom(key) and key not in known]
    if missing := [key for key in kept if key not in given]:
        row.required_fields = [*given, *missing]
    for key in given:
        if key not in known and key not in kept:
            said = f"has “{key}”, which is no field that can be asked for", f"中的“{key}”不是可要求填写的字段"
            raise invalid("required_fields", *said)


def _one_default(db: Session, row: Pipeline) -> None:
    """Let no other pipeline be the default beside this one."""
    if not row.is_default:
        return
    for other in _other_defaults(db, row):
        other.is_default = False
    db.flush()


def _other_defaults(db: Session, row: Pipeline) -> Sequence[Pipeline]:
    others = select(Pipeline).where(Pipeline.id != row.id, Pipeline.is_default, Pipeline.deleted_at.is_(None))
    return db.execute(others).scalars().all()


def _refuse_used(db: Session, row: Pipeline | PipelineStage, used: Any, said: tuple[str, str]) -> None:
    counted = select(func.count()).select_from(Opportunity).where(used, Opportunity.deleted_at.is_(None))
    if count := db.execute(counted, execution_options=_ALL).scalar_one():
        where = {"record_id": global_id(type(row), row.id), "label_zh": said[1]}
        raise InUse(label=said[0], count=count, what=Opportunity.names, **where)


# --- what follows for the opportunities in a stage -------------------------------------------------------


def _follow_stage(db: Session, row: PipelineStage, before: dict[str, Any]) -> None:
    """Let the opportunities in a stage keep what it says by now, but for the probabilities that users gave them."""
    here = (_TABLE.c.pipeline_id == row.pipeline_id) & (_TABLE.c.stage == row.stage)
    if "probability" in before and before["probability"] != row.probability:
        _set(db, here & (_TABLE.c.probability == before["probability"]), probability=row.probability)
    if "kind" in before and before["kind"] != row.kind:
        _follow_kind(db, row, here)
    if {"kind", "stale_days"} & before.keys():
        terms = StageTerms(row.stage, row.kind, stale_days=row.stale_days)
        if rows := [*_stale(db, terms, here)]:
            _STALE.run_each(db, rows)


def _follow_kind(db: Session, row: PipelineStage, here: Any) -> None:
    day = func.coalesce(_TABLE.c.closed_on, day_of(db, db.info["now"])) if row.kind.is_over else None
    moved = _set(db, here & (_TABLE.c.state != row.kind), state=row.kind, closed_on=day)
    if row.kind is not StageKind.LOST:
        _set(db, here & _TABLE.c.lost_reason.is_not(None), lost_reason=None)
    if moved:
        fill_opportunities(db.connection())
        begin_renewal(db.connection(), db.info["now"])


def _set(db: Session, those: Any, **values: Any) -> list[int]:
    """Write values into these opportunities, with entries in the log; returns their ids."""
    held = select(_TABLE.c.id, *(_TABLE.c[key] for key in values)).where(those).order_by(_TABLE.c.id).with_for_update()
    before = {row["id"]: dict(row) for row in db.execute(held, execution_options=_KEPT).mappings()}
    ids, done = [*before], list[int]()
    for start in range(0, len(ids), _AT_ONCE):
        some = _TABLE.c.id.in_(ids[start : start + _AT_ONCE])
        done += guarded_update(db, update(_TABLE).where(some).values(**values), Opportunity, before)
    return done


def _stale(db: Session, terms: StageTerms, here: Any) -> Iterator[dict[str, Any]]:
    found = select(_TABLE.c.id, _TABLE.c.stage_changed_at, _TABLE.c.stale_at).where(here)
    for id, since, stale_at in db.execute(found, execution_options=_KEPT).all():
        now: datetime | None = terms.stale_at(since)
        if now != stale_at:
            yield {"that": id, "stale_at": now}
