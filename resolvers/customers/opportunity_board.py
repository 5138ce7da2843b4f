"""The board of a pipeline: one column for each stage, with its sums and a page of its opportunities."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.orm import Session

from models import Opportunity, Pipeline, Tone
from models.errors import NotFound, Validation
from models.pipeline import StageKind
from models.stage_terms import PipelineTerms, StageTerms, read_book

from ..reading.conditions import Condition
from ..reading.pages import ListRequest, Page, page
from ..records.dictionaries import Word, words_of
from ..runtime.scope import Scope
from .opportunity_sums import Group, SumsBy, groups

USUAL, MOST = 20, 100
"""Number of opportunities of a column that are read at once."""
CARD = ("name", "customer_id", "amount", "currency", "probability", "expected_close", "owner_id", "stale_at", "version")
"""What a card shows."""
_NEWEST = (("stage_changed_at", True),)


@dataclass(frozen=True)
class Column:
    """One stage: its word, its terms, the sums of all that is in it, and the newest part of that.

    `terms` is None in the column of what stands in no stage of the pipeline.
    """

    key: str | None
    word: Word | None
    terms: StageTerms | None
    sums: Group
    page: Page

    @property
    def kind(self) -> StageKind:
        return self.terms.kind if self.terms is not None else StageKind.OPEN


@dataclass(frozen=True)
class Board:
    """A pipeline with its columns, in their order."""

    pipeline: PipelineTerms
    columns: list[Column]
    pipelines: tuple[PipelineTerms, ...] = field(default=())


def board(
    scope: Scope,
    db: Session,
    pipeline_id: int | None,
    condition: Condition | None = None,
    narrows: Mapping[str, Any] | None = None,
    size: int = USUAL,
) -> Board:
    """The board of a pipeline, of the default one without an id; `size` cards of each column.

    One statement for the sums, a few for each column.  Raises NotFound for a pipeline that there is not, Validation
    for a wrong condition or size.
    """
    if not 0 < size <= MOST:
        raise Validation(f"first is 1 to {MOST}.", f"first 须为 1 至 {MOST}。", field="first")
    book = read_book(db)
    pipeline = book.of(pipeline_id)
    if pipeline is None:
        raise NotFound(what=Pipeline.names, field="pipeline")
    reader = _Reader(scope, db, pipeline, condition or {}, narrows or {}, size)
    return Board(pipeline, reader.columns(), tuple(book.pipelines.values()))


def more(
    scope: Scope,
    db: Session,
    pipeline_id: int,
    stage: str | None,
    after: str | None,
    condition: Condition | None = None,
    narrows: Mapping[str, Any] | None = None,
    size: int = USUAL,
) -> Page:
    """The next cards of one column.  Raises NotFound, Validation for a cursor of another list."""
    pipeline = read_book(db).of(pipeline_id)
    if pipeline is None:
        raise NotFound(what=Pipeline.names, field="pipeline")
    return _Reader(scope, db, pipeline, condition or {}, narrows or {}, min(size, MOST)).page(stage, after)


class _Reader:
    """One reading of a board."""

    def __init__(
        self,
        scope: Scope,
        db: Session,
        pipeline: PipelineTerms,
        condition: Condition,
        narrows: Mapping[str, Any],
        size: int,
    ) -> None:
        self.scope, self.db, self.pipeline = scope, db, pipeline
        here = {**narrows, "pipeline_id": {"eq": pipeline.id}}
        self.request = ListRequest(
            Opportunity, CARD, filter=here, condition=condition, order=_NEWEST, size=size, may=("edit",), counts=False
        )

    def columns(self) -> list[Column]:
        """One column for each stage, and a first one for what stands in none, if there is such."""
        request = self.request
        found = {x.key: x for x in groups(self.scope, self.db, SumsBy.STAGE, request.condition, request.filter)}
        words = words_of(self.scope, self.db, ["opportunity_stage"]).get("opportunity_stage", {})
        stray = Group(None)
        for key in found.keys() - self.pipeline.stages.keys():
            stray.join(found[key])
        made = [
            Column(
                key,
                words.get(key, Word(key, key, False, Tone.GREY)),
                terms,
                found.get(key) or Group(key),
                self._of(key, found),
            )
            for key, terms in self.pipeline.stages.items()
        ]
        return [*([Column(None, None, None, stray, self.page(None))] if stray.count else []), *made]

    def _of(self, key: str, found: Mapping[Any, Group]) -> Page:
        return self.page(key) if key in found else Page([], None, None, None)

    def page(self, key: str | None, after: str | None = None) -> Page:
        """A page of one column."""
        known = [*self.pipeline.stages]
        stray = {"or": [{"stage": {"is_null": True}}, {"not": {"stage": {"in": known}}}]}
        here = {"stage": {"eq": key}} if key is not None else stray
        return page(self.scope, self.db, replace(self.request, filter={**self.request.filter, **here}, after=after))
