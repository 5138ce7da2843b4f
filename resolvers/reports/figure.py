"""A figure of a report: which records count, and the field that dates them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from models.choice_names import Said

from ..reading.conditions import Condition

EVER = "1950-01-01 to 2199-12-31"
"""The period of all times, where a figure needs one."""


@dataclass(frozen=True)
class Figure:
    """One figure of a report: which records count, and the field that dates them.

    `more` is what else holds of them.  `dated` is a field of the records, or a function that makes the condition from
    a period; None for a figure of this moment, which has no period before.
    """

    key: str
    said: Said
    more: Condition = field(default_factory=dict)
    dated: str | Callable[[str], Condition] | None = None
    is_hours: bool = False
    """Whether it is a time in hours instead of a count."""
    has_list: bool = True
    """Whether a list shows exactly what it counts."""

    def condition(self, during: str | None) -> Condition:
        """The condition of its list in a period; None for all times."""
        if self.dated is None:
            return self.more
        if callable(self.dated):
            return self.dated(during) if during is not None else self.dated(EVER)
        return self.more if during is None else {**self.more, self.dated: {"during": during}}
