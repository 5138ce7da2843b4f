"""Verdicts: what became of each row of a bulk write."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.duplicates import Finding
from models.errors import Refusal

Row = Mapping[str, Any]
"""Column -> value, and the extra inputs of the entity's rules, as `records.create_update` takes them."""
Change = tuple[int, Row]
"""(id of a record, the fields to change)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The id of the record that a row became or changed, or the refusal that the single use case raises for it.

    `notices`: what the use case tells beside the record, like a number far ahead of the sequence.
    """

    id: int | None = None
    refusal: Refusal | None = None
    notices: tuple[Refusal, ...] = ()
    possible: tuple[Finding[int], ...] = ()
    """Records that may be the same as a new one, among all, whoever may see them; only of rows without any doubt."""

    @property
    def is_done(self) -> bool:
        return self.refusal is None
