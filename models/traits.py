"""Traits: what a column is beyond its type."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column


@dataclass(frozen=True)
class Trait:
    """What a column is beyond its type.  Inputs, labels and rights derive from it.

    `system_managed`: only a use case sets it.  `immutable`: given at creation, never edited.
    `dictionary`: the code of the dictionary whose keys it holds; `words_of` that of a list of keys.  `separate_right`: rights on the module do not cover it;
    a policy line must name the field.  `required`: an empty value is refused although NULL can be stored.
    `generated`: a rule fills it when no value is given, like a number.  `historical`: it names a user of the past, who
    may leave all the same.  `derived`: it repeats or is computed from other columns, so the log need not know it.
    `not_negative`: a number below zero is refused.
    `key_of`: the column whose value it repeats in the form `by`, in which values are compared or sorted.  The flush
    writes it (`models/keys.py`), and no front end shows it.  `sorts`: lists that are ordered by `key_of` sort by it.
    `condition_of`: the module about whose records the condition is that it holds as JSON.
    `fields_of`: the module whose fields the keys of its list are, custom ones among them.
    `holds_custom`: it holds the values of custom fields (`models/custom_field.py`).
    """

    system_managed: bool = False
    immutable: bool = False
    dictionary: str | None = None
    words_of: str | None = None
    separate_right: bool = False
    required: bool = False
    generated: bool = False
    historical: bool = False
    derived: bool = False
    not_negative: bool = False
    key_of: str | None = None
    by: Callable[[str], str] | None = None
    sorts: bool = False
    fields_of: str | None = None
    condition_of: str | None = None
    holds_custom: bool = False


PLAIN = Trait()


def trait(**what: Any) -> dict[str, Any]:
    """The `info` of a column: `mapped_column(info=trait(immutable=True))`."""
    return {"trait": Trait(**what)}


def trait_of(column: Column[Any]) -> Trait:
    found: Trait = column.info.get("trait", PLAIN)
    return found
