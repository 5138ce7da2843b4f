"""Stage terms: what follows for an opportunity from its pipeline and its stage, kept by the flush.

State, probability, the day of closing and the moment from which an opportunity is stale repeat what its stage says.
What writes opportunities without a flush calls `follow`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, event, inspect, select, update
from sqlalchemy.orm import Session

from .database.bypass import Because, bypass_policy
from .database.engines import WriteSession
from .database.sqlalchemy_internals import former_values
from .opportunity import Opportunity
from .pipeline import CustomerStage, Pipeline, PipelineStage, StageKind

_BOOK, _STEPS, _RENAMING = "pipeline_book", "customer_stages", "renaming_stages"
_TAKING_BACK = "taking_back_stages"
_ALL = bypass_policy(Because.APPLIES_TO_ALL)
_KINDS = {"won": StageKind.WON, "lost": StageKind.LOST}
"""What these words mean where no pipeline has them."""


@dataclass(frozen=True)
class StageTerms:
    """What a stage asks for, and what follows from it."""

    key: str
    kind: StageKind = StageKind.OPEN
    probability: int | None = None
    stale_days: int | None = None
    required_fields: tuple[str, ...] = ()
    next_stages: tuple[str, ...] = ()

    def stale_at(self, since: datetime | None) -> datetime | None:
        """When an opportunity that came here then becomes stale; None for never."""
        if since is None or self.stale_days is None or self.kind.is_over:
            return None
        return since + timedelta(days=self.stale_days)


@dataclass(frozen=True)
class PipelineTerms:
    """A pipeline with its stages in their order, by key."""

    id: int
    name: str
    name_zh: str
    stages: Mapping[str, StageTerms]

    def first(self, kind: StageKind = StageKind.OPEN) -> str | None:
        """The first stage of a kind; None without one."""
        return next((key for key, stage in self.stages.items() if stage.kind is kind), None)


@dataclass(frozen=True)
class PipelineBook:
    """All pipelines in their order, the default one first among equals."""

    pipelines: Mapping[int, PipelineTerms]
    default_id: int | None = field(default=None)

    def of(self, id: int | None) -> PipelineTerms | None:
        """The pipeline of an opportunity; that without one has the default pipeline."""
        wanted = id if id is not None else self.default_id
        return self.pipelines.get(wanted) if wanted is not None else None

    def knows(self, id: int | None, stage: str | None) -> bool:
        """Whether the pipeline of an opportunity has this stage."""
        pipeline = self.of(id)
        return pipeline is not None and stage in pipeline.stages

    def terms(self, id: int | None, stage: str | None) -> StageTerms:
        """The terms of a stage.  A word that the pipeline has not means what it always meant."""
        pipeline = self.of(id)
        known = pipeline.stages.get(stage or "") if pipeline is not None else None
        return known or StageTerms(stage or "", _KINDS.get(stage or "", StageKind.OPEN))


def book_of(session: Session) -> PipelineBook:
    """The pipelines as they stand, read once in a transaction."""
    if _BOOK not in session.info:
        with session.no_autoflush:
            session.info[_BOOK] = read_book(session)
    book: PipelineBook = session.info[_BOOK]
    return book


def read_book(session: Session) -> PipelineBook:
    """The pipelines as they stand.  Two queries, for all users alike, because every opportunity follows from them."""
    p: Any = Pipeline.__table__.c
    s: Any = PipelineStage.__table__.c
    heads = select(p.id, p.name, p.name_zh, p.is_default).where(p.deleted_at.is_(None)).order_by(p.position, p.id)
    found = session.execute(heads, execution_options=_ALL).all()
    wanted = select(s.pipeline_id, s.stage, s.kind, s.probability, s.stale_days, s.required_fields, s.next_stages)
    wanted = wanted.where(s.deleted_at.is_(None)).order_by(s.position, s.id)
    stages: dict[int, dict[str, StageTerms]] = {id: {} for id, *_ in found}
    for id, key, kind, chance, days, fields, steps in session.execute(wanted, execution_options=_ALL):
        stages.setdefault(id, {})[key] = StageTerms(key, kind, chance, days, tuple(fields), tuple(steps))
    pipelines = {id: PipelineTerms(id, name, zh or name, stages[id]) for id, name, zh, _ in found}
    chosen = [id for id, *_, is_default in found if is_default]
    return PipelineBook(pipelines, next(iter([*chosen, *pipelines]), None))


def customer_stages(session: Session) -> Mapping[str, StageTerms]:
    """What the stages of customers ask for, by key; a stage that asks for nothing is left out."""
    if _STEPS not in session.info:
        c: Any = CustomerStage.__table__.c
        wanted = select(c.stage, c.required_fields, c.next_stages).where(c.deleted_at.is_(None))
        with session.no_autoflush:
            rows = session.execute(wanted, execution_options=_ALL).all()
        session.info[_STEPS] = {
            key: StageTerms(key, required_fields=tuple(fields), next_stages=tuple(steps)) for key, fields, steps in rows
        }
    found: Mapping[str, StageTerms] = session.info[_STEPS]
    return found


def day_of(session: Session, at: datetime) -> date:
    """The day of a moment in the zone of the user who writes."""
    return at.astimezone(ZoneInfo(session.info["principal"].zone)).date()


def follow(session: Session, values: Mapping[str, Any], *, since: datetime, probability_given: bool) -> dict[str, Any]:
    """The columns of an opportunity that follow from its other values, when it comes into its stage at `since`."""
    terms = book_of(session).terms(values.get("pipeline_id"), values.get("stage"))
    return {
        "state": terms.kind,
        "stage_changed_at": since,
        "stale_at": terms.stale_at(since),
        "probability": values.get("probability") if probability_given else terms.probability,
        "closed_on": (values.get("closed_on") or day_of(session, since)) if terms.kind.is_over else None,
        "lost_reason": values.get("lost_reason") if terms.kind is StageKind.LOST else None,
    }


@contextmanager
def renaming_stages(session: Session) -> Iterator[None]:
    """Let a changed stage be another word for the stage of before, and no step: its times and days stay."""
    session.info[_RENAMING] = True
    try:
        yield
    finally:
        del session.info[_RENAMING]


def is_renaming(session: Session) -> bool:
    return _RENAMING in session.info


@contextmanager
def taking_back(session: Session) -> Iterator[None]:
    """Let records come back to the stage that they had: that is no step, and asks for no fields."""
    session.info[_TAKING_BACK] = True
    try:
        yield
    finally:
        del session.info[_TAKING_BACK]


def is_taken_back(session: Session) -> bool:
    return _TAKING_BACK in session.info


_WATCHED = ("pipeline_id", "stage")
_USED = (*_WATCHED, "probability", "closed_on", "lost_reason")


@event.listens_for(WriteSession, "before_flush")
def _keep_terms(session: Session, _context: object, _instances: object) -> None:
    for row in (*session.new, *session.dirty):
        if isinstance(row, Opportunity):
            if _has_moved(session, row):
                _keep(session, row)
            else:
                _refill(session, row)


def _has_moved(session: Session, row: Opportunity) -> bool:
    return row in session.new or bool({*_changed(row)} & {*_WATCHED, "deleted_at"})


def _changed(row: Any) -> Iterator[str]:
    """The columns that the flush changes."""
    return (key for key, old in former_values(row).items() if old != getattr(row, key))


def _keep(session: Session, row: Opportunity) -> None:
    """Set what follows.  A record of which the user sees but a few columns is only taken from or to the bin."""
    now, is_new = session.info["now"], row in session.new
    if not is_new and not inspect(row).unloaded.isdisjoint(_USED):
        row.stage_changed_at = now
        return
    since = row.stage_changed_at or now if is_renaming(session) else now
    is_step = is_new or not (is_renaming(session) or {*_changed(row)}.isdisjoint(_WATCHED))
    if not is_step and not is_renaming(session) and not book_of(session).knows(row.pipeline_id, row.stage):
        row.stage_changed_at = now  # it comes back from the bin to a stage that is gone, and stays what it was
        return
    given = former_values(row).keys()  # also where the value that is given was there before
    chance_given = row.probability is not None and (is_new or not is_step or "probability" in given)
    if is_step and not is_new and "closed_on" not in given:
        row.closed_on = None  # it closes anew, or not at all
    values = {key: getattr(row, key) for key in _USED}
    for key, value in follow(session, values, since=since, probability_given=chance_given).items():
        setattr(row, key, value)


def _refill(session: Session, row: Opportunity) -> None:
    """Give an opportunity that stays in its stage what an edit has emptied: the probability, and the day of closing."""
    emptied = [key for key in ("probability", "closed_on") if key in {*_changed(row)} and getattr(row, key) is None]
    if not emptied or not inspect(row).unloaded.isdisjoint({*_USED, "stage_changed_at"}):
        return
    values = {key: getattr(row, key) for key in _USED}
    found = follow(session, values, since=row.stage_changed_at or session.info["now"], probability_given=False)
    for key in emptied:
        setattr(row, key, found[key])


@event.listens_for(WriteSession, "after_flush")
def _forget_terms(session: Session, _context: object) -> None:
    """Read the terms anew after an administrator has changed them."""
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, Pipeline | PipelineStage):
            session.info.pop(_BOOK, None)
        elif isinstance(row, CustomerStage):
            session.info.pop(_STEPS, None)


# --- rows that are there ---------------------------------------------------------------------------------

_o: Any = Opportunity.__table__
_s: Any = PipelineStage.__table__
_HERE = (_s.c.pipeline_id == _o.c.pipeline_id) & (_s.c.stage == _o.c.stage) & _s.c.deleted_at.is_(None)
_KIND = select(_s.c.kind).where(_HERE).correlate(_o).scalar_subquery()
_WRONG = _o.c.state != _KIND


def fill_states(connection: Connection) -> int:
    """Write the state of all opportunities that show another one than their stage; returns their number."""
    return connection.execute(update(_o).where(_WRONG).values(state=_KIND)).rowcount


def stale_states(connection: Connection) -> Iterator[str]:
    """One sentence for each opportunity whose state is not that of its stage."""
    for name in connection.execute(select(_o.c.name).where(_WRONG).order_by(_o.c.id)).scalars():
        yield f"Opportunity {name} shows another state than its stage: run millpond reindex."
