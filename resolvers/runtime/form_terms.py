"""Terms of a form: what a record needs beyond the types of its columns, as its rules will judge it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

Bounds = tuple[int | None, int | None]
"""The smallest and the largest number, both allowed; None where the type of the column is the only bound."""

Times = tuple[date | None, date | None]
"""The earliest and the latest day, or moment, both allowed."""


@dataclass(frozen=True)
class When:
    """A condition on other inputs: each holds one of these values, or any value where they are None."""

    all: Mapping[str, tuple[str, ...] | None]


@dataclass(frozen=True)
class FormTerms:
    """What the rules of an entity ask of its inputs, by keys.

    `required`: needed in every new record.  `required_when`: needed where one of the conditions holds.  `one_of`: groups
    of which a record needs at least one.  `excluding`: groups of which a record has at most one.  `bounds`: of whole
    numbers, `times` of days and moments.  `mine`: inputs that name the caller where they are not given.
    """

    required: frozenset[str] = frozenset()
    required_when: Mapping[str, tuple[When, ...]] = field(default_factory=dict)
    one_of: tuple[tuple[str, ...], ...] = ()
    excluding: tuple[tuple[str, ...], ...] = ()
    bounds: Mapping[str, Bounds] = field(default_factory=dict)
    times: Mapping[str, Times] = field(default_factory=dict)
    mine: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """What is taken for inputs that are not given, in the form in which they are given."""

    def needing(self, keys: Sequence[str], when: Mapping[str, tuple[When, ...]] | None = None) -> "FormTerms":
        """The same terms, with further inputs that are needed, always or under conditions."""
        merged = {
            key: (*self.required_when.get(key, ()), *(when or {}).get(key, ()))
            for key in {**self.required_when, **(when or {})}
        }
        return replace(self, required=self.required | {*keys}, required_when=merged)


PLAIN = FormTerms()


def given(*keys: str) -> tuple[When, ...]:
    """The conditions that one of these inputs is given."""
    return tuple(When({key: None}) for key in keys)


def holds(key: str, *values: str) -> tuple[When, ...]:
    """The condition that an input has one of these values."""
    return (When({key: values}),)
