"""Pipelines with their stages, and what the stages of customers ask for."""

from models import CustomerStage, Pipeline, PipelineStage
from resolvers.reading.pages import Row

from ...kit.history_tab import HISTORY
from ...kit.related import RelatedTable
from ...kit.translation import Label, gettext
from ...kit.view import PolicyModelView

_ = gettext
STAGE = ("stage", "kind", "probability", "stale_days", "required_fields", "next_stages")


class Pipelines(PolicyModelView, model=Pipeline):
    """The ways of selling, each with its stages."""

    icon, group, position, for_editors = "columns-3", "company", 62, True
    hint = Label("The ways in which you sell. Each has stages, through which opportunities go on the board.")
    empty = Label("No pipeline is here yet.")
    columns = ("name", "name_zh", "is_default", "position")
    sections = ((Label("Basics"), ("name", "name_zh", "is_default", "position")),)
    related = (
        RelatedTable(
            "stages",
            Label("Stages"),
            "columns-3",
            model=PipelineStage,
            key="pipeline_id",
            columns=STAGE,
            order=(("position", False),),
        ),
        HISTORY,
    )


class PipelineStages(PolicyModelView, model=PipelineStage):
    """The stages of all pipelines."""

    icon, group = "columns-3", ""
    hint = Label("What each stage of a pipeline means, and what it asks for.")
    empty = Label("No pipeline has stages yet.")
    begin = (Label("To the pipelines"), "pipeline/list", "pipeline.view")
    always = ("stage",)
    columns = ("pipeline_id", *STAGE)
    sections = (
        (Label("Basics"), ("pipeline_id", "stage", "kind", "position")),
        (Label("In this stage"), ("probability", "stale_days", "required_fields", "next_stages")),
    )
    related = (HISTORY,)

    def name_of(self, row: Row) -> str:
        """Its pipeline and its place there, because the word of the stage stands among the facts."""
        said = {"pipeline": row.names.get("pipeline_id") or _("Pipeline"), "number": (row["position"] or 0) + 1}
        return _("%(pipeline)s, stage %(number)s") % said


class CustomerStages(PolicyModelView, model=CustomerStage):
    """What the stages of customers ask for."""

    icon, group, position, for_editors = "target", "company", 63, True
    hint = Label(
        "Which stages of customers ask for fields, and to which stages they lead. Without a rule a stage asks for nothing."
    )
    empty = Label("No stage asks for anything, so customers go from any stage to any other.")
    columns = ("stage", "required_fields", "next_stages", "position")
    sections = (
        (Label("Basics"), ("stage", "position")),
        (Label("In this stage"), ("required_fields", "next_stages")),
    )
    related = (HISTORY,)

    def name_of(self, row: Row) -> str:
        return _("Customer stage %(number)s") % {"number": (row["position"] or 0) + 1}
