"""Reasons: a certain duplicate is judged a second time with the reason of its user, so that the log gives it for duplicates alone."""

from collections.abc import Callable, Sequence
from typing import Any

from models.errors import DuplicateFound

from ..duplicates.enforcement import REASON
from .verdicts import Change, Row, Verdict


def with_reason(
    call: Callable[[Sequence[Any]], list[Verdict]], given: Sequence[Any], reason: str | None
) -> list[Verdict]:
    """The verdicts of `call` about these rows, those of certain duplicates after the reason was given."""
    verdicts = call(given)
    asked = [place for place, each in enumerate(verdicts) if reason and isinstance(each.refusal, DuplicateFound)]
    again = call([_reasoned(given[place], reason) for place in asked]) if asked else []
    for place, verdict in zip(asked, again, strict=True):
        verdicts[place] = verdict
    return verdicts


def _reasoned(given: Row | Change, reason: str | None) -> Row | Change:
    if isinstance(given, tuple):
        id, change = given
        return id, {REASON: reason, **change}
    return {REASON: reason, **given}
