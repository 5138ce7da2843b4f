"""What a report is: its names, its figures, and what they are grouped by."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models import Base
from models.choice_names import Said

from ..runtime.scope import Scope
from .counting import counted
from .dimensions import Dimension, Groups, customs_of, is_seen, of_field
from .figure import Figure as Figure
from .period import ReportPeriod
from .result import Row, Totals
from .settings import Asked


@dataclass(frozen=True)
class Report:
    """A report over the records of a kind.  `fields` are those that it groups by, the usual one first.

    `screen` is the list of the panel that shows them, `has_money` whether amounts are summed by currency.
    """

    key: str
    said: Said
    about: Said
    icon: str
    place: int
    model: type[Base]
    figures: tuple[Figure, ...]
    fields: tuple[str | tuple[str, Groups] | tuple[str, Groups, Said], ...]
    period: ReportPeriod = ReportPeriod.MONTH
    periods: tuple[ReportPeriod, ...] = tuple(ReportPeriod)
    screen: str = ""
    has_money: bool = False
    has_whose: bool = True

    def is_open(self, scope: Scope) -> bool:
        """Whether the reader may run it: who sees none of its records gets no report of them."""
        return scope.policy.ever(scope.person, "view", self.model.module)

    def dimensions(self, scope: Scope) -> list[Dimension]:
        """What the reader may group by: fields that they see in some record, custom ones last."""
        own = [_dimension(self.model, each) for each in self.fields]
        return [*(x for x in own if is_seen(scope, x)), *customs_of(scope, self.model)]

    def read(self, scope: Scope, db: Session, asked: Asked) -> tuple[list[Row], Totals]:
        """The rows and the totals.  A constant number of statements."""
        return counted(self.model, self.figures, scope, db, asked, has_money=self.has_money)


def _dimension(model: type[Base], each: Any) -> Dimension:
    if isinstance(each, str):
        return of_field(model, each)
    name, groups, *said = each
    return of_field(model, name, said[0] if said else None, groups)
