"""What a heading may mean: fields, each with how sure that is, or something that no field holds."""

from dataclasses import dataclass, replace
from enum import StrEnum

from models.headings import Mark

from .fields import ImportField

WEIGHTS = {Mark.ALWAYS: 0.97, Mark.BESIDE_NAME: 0.97, Mark.USUALLY: 0.75, Mark.IF_VALUES_FIT: 0.42}
"""How surely a heading means a field, by its mark."""


class Strategy(StrEnum):
    """How the field of a column was found."""

    TEMPLATE = "template"
    """The workbook says so itself."""
    REMEMBERED = "remembered"
    """You chose it for this heading before."""
    LABEL = "label"
    """The heading is the name of the field."""
    SYNONYM = "synonym"
    """The heading is another word for the field."""
    WITHIN = "within"
    """The heading without neutral words, or one of its parts."""
    SPELLING = "spelling"
    """The heading is spelled nearly like the field."""
    CONTENT = "content"
    """What the column holds looks like the field."""
    NONE = "none"
    """Nothing was found."""


@dataclass(frozen=True)
class Candidate:
    """A field that a heading may mean.  `weight`: 0 to 1, before the values are looked at.  `word`: the known heading."""

    field: ImportField
    weight: float
    strategy: Strategy
    word: str
    mark: Mark = Mark.ALWAYS


@dataclass(frozen=True)
class Meaning:
    """What a heading may mean.  `foreign`: the known heading that no field has, "" for none."""

    candidates: tuple[Candidate, ...] = ()
    foreign: str = ""

    def __bool__(self) -> bool:
        return bool(self.candidates or self.foreign)

    def weighed(self, factor: float, strategy: Strategy | None = None) -> "Meaning":
        """The same, less sure."""
        weaker = (replace(x, weight=x.weight * factor, strategy=strategy or x.strategy) for x in self.candidates)
        return replace(self, candidates=tuple(weaker))

    def doubted(self) -> "Meaning":
        """The same, as far as the values say so."""
        least = Mark.IF_VALUES_FIT
        return replace(self, candidates=tuple(replace(x, weight=WEIGHTS[least], mark=least) for x in self.candidates))


UNKNOWN = Meaning()
