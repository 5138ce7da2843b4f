"""Pipelines: the stages that opportunities pass, in which order, and what each stage asks for."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import LIVE, Entity, Line, choice, text_type, trait
from .names import Names


class StageKind(StrEnum):
    """What a stage means: work goes on, it waits, or it is over."""

    OPEN = "OPEN"
    """It is worked on, and counts as open."""
    ON_HOLD = "ON_HOLD"
    """It rests, and still counts as open."""
    WON = "WON"
    """It was won."""
    LOST = "LOST"
    """It was lost."""

    @property
    def is_over(self) -> bool:
        return self in (StageKind.WON, StageKind.LOST)


class Pipeline(Entity):
    """One way of selling.  Its stages are words of the dictionary `opportunity_stage`."""

    __tablename__ = "pipeline"
    module, prefix, order = "pipeline", "pip", "position"
    names = Names("Pipeline", "Pipelines", zh="销售流程")
    search = ("name", "name_zh")

    name: Mapped[Line]
    """The English name."""
    name_zh: Mapped[str | None]
    """The Chinese name; the English one is shown where it is empty."""
    is_default: Mapped[bool] = mapped_column(default=False)
    """Whether opportunities go here whose pipeline is not given.  One pipeline has it."""
    position: Mapped[int] = mapped_column(default=0)
    """The place among the pipelines, by which they are offered."""


class PipelineStage(Entity):
    """One stage of a pipeline."""

    __tablename__ = "pipeline_stage"
    module, prefix, named_by, order = "pipeline", "pst", "id", "position"
    names = Names("Pipeline stage", "Pipeline stages", zh="流程阶段")
    cascades_with = "pipeline"
    search = ()

    pipeline_id: Mapped[int] = mapped_column(ForeignKey("pipeline.id"), index=True, info=trait(immutable=True))
    """The pipeline that has the stage."""
    stage: Mapped[str] = mapped_column(text_type(40), info=trait(dictionary="opportunity_stage", immutable=True))
    """The word for it; a pipeline has each word once."""
    position: Mapped[int] = mapped_column(default=0)
    """The place in the pipeline, by which columns of the board stand."""
    kind: Mapped[StageKind] = choice(StageKind, default=StageKind.OPEN)
    """Whether an opportunity in it is open, on hold, won or lost."""
    probability: Mapped[int] = mapped_column(default=0, info=trait(not_negative=True))
    """Per cent; what an opportunity gets that comes into the stage, unless it is given another one."""
    stale_days: Mapped[int | None]
    """Number of days in the stage after which an opportunity counts as stale; None is never."""
    required_fields: Mapped[list[str]] = mapped_column(default=list, info=trait(fields_of="opportunity"))
    """The fields of an opportunity that have to be filled in this stage."""
    next_stages: Mapped[list[str]] = mapped_column(default=list, info=trait(words_of="opportunity_stage"))
    """The stages to which an opportunity may go from here; empty is to any."""

    pipeline: Mapped[Pipeline] = relationship(foreign_keys=pipeline_id, lazy="raise_on_sql")

    __table_args__ = (
        CheckConstraint("probability BETWEEN 0 AND 100", name="probability"),
        CheckConstraint("stale_days IS NULL OR stale_days > 0", name="stale_days"),
        Index("uq_pipeline_stage_live", "pipeline_id", "stage", unique=True, **LIVE),
    )


class CustomerStage(Entity):
    """What a stage of customers asks for.  A stage without such a record asks for nothing, and leads to any other."""

    __tablename__ = "customer_stage"
    module, prefix, named_by, order = "pipeline", "cst", "id", "position"
    names = Names("Rule of a stage", "Rules of customer stages", zh="客户阶段规则")
    search = ()

    stage: Mapped[str] = mapped_column(text_type(40), info=trait(dictionary="stage", immutable=True))
    """The word for it."""
    position: Mapped[int] = mapped_column(default=0)
    """The place among the stages of customers."""
    required_fields: Mapped[list[str]] = mapped_column(default=list, info=trait(fields_of="customer"))
    """The fields of a customer that have to be filled in this stage."""
    next_stages: Mapped[list[str]] = mapped_column(default=list, info=trait(words_of="stage"))
    """The stages to which a customer may go from here; empty is to any."""

    __table_args__ = (Index("uq_customer_stage_live", "stage", unique=True, **LIVE),)
