"""Drafts: the rows of a bulk write on their way to a verdict."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.duplicates import Finding
from models.duplicates import Verdict as Likeness
from models.errors import Refusal

from .verdicts import Row, Verdict


class Doubt(Exception):
    """A rule whose answer only the single use case finds."""


@dataclass(eq=False)
class Draft:
    """One row: what was given, what it has become, and what is known about it so far."""

    given: Row
    reason: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    row: dict[str, Any] = field(default_factory=dict)
    """The row as it is inserted."""
    notices: list[Refusal] = field(default_factory=list)
    possible: tuple[Finding[int], ...] = ()
    """What may be the same, though not certainly."""
    is_doubtful: bool = False
    """Whether the single use case decides, at the row's place in the order."""
    has_rule_ahead: bool = False
    """Whether a rule that is asked for all rows later comes before those that are asked now."""
    verdict: Verdict | None = None
    that: int = 0
    """The id of the record that is to be changed."""
    record: Any = None
    """That record, loaded and locked."""
    before: dict[str, Any] = field(default_factory=dict)
    """Its former values of the fields that are given."""

    @property
    def id(self) -> int:
        return int(self.row["id"])

    @property
    def is_open(self) -> bool:
        """Whether it is neither refused nor in doubt."""
        return self.verdict is None and not self.is_doubtful

    def refuse(self, refusal: Refusal) -> None:
        """Settle it with this refusal.

        It is left in doubt where another rule may refuse it first, and where the log takes down the attempt.
        """
        if self.has_rule_ahead or refusal.denies:
            self.is_doubtful = True
        else:
            self.verdict = Verdict(None, refusal)


def noting(drafts: Sequence[Draft]) -> Callable[[int, Sequence[Finding[int]]], None]:
    """What notes for each of these drafts the records that may be the same."""

    def note(place: int, found: Sequence[Finding[int]]) -> None:
        drafts[place].possible = tuple(each for each in found if each.verdict is Likeness.POSSIBLE)

    return note


def each_open(drafts: Iterable[Draft], step: Callable[[Draft], None]) -> None:
    """Do a step for every open draft; it may refuse one, or leave it in doubt."""
    for draft in drafts:
        if draft.is_open:
            try:
                step(draft)
            except Refusal as refusal:
                draft.refuse(refusal)
            except Doubt:
                draft.is_doubtful = True
