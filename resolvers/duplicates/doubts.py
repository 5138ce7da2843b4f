"""Duplicates among many new records: which of them need the judgement of a single save."""

from collections import Counter
from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from models import Base
from models.duplicates import Finding, Traits, evidence_of

from ..runtime.scope import Scope
from .enforcement import hold_keys
from .lookup import MOST_KEYS, find_many, verdicts_of

Noting = Callable[[int, Sequence[Finding[int]]], None]
"""Takes the place of a record, and what is probably the same as it."""


def in_doubt(
    scope: Scope,
    db: Session,
    model: type[Base],
    asked: Sequence[Traits],
    but: Sequence[int | None] = (),
    note: Noting | None = None,
) -> set[int]:
    """The places of those that have a certain duplicate in the database, or perhaps one before them in `asked`.

    `but`: the records themselves, where they are changed.  `note` is told what is probably the same in the database.

    For all others a save finds no certain duplicate, whichever of those before them are saved.  Whoever saves one of the
    same keys meanwhile waits for the end of this transaction.
    """
    certain = {evidence for evidence, verdict in verdicts_of(db, model.module).items() if verdict.is_certain}
    hold_keys(scope, db, asked)
    found = find_many(db, model, asked, but)
    if note is not None:
        for place, each in enumerate(found):
            note(place, each)
    doubtful = {place for place, each in enumerate(found) if any(x.verdict.is_certain for x in each)}
    times = Counter(key for traits in asked for key in traits.hashed_keys[:MOST_KEYS]) if certain else {}
    before: dict[int, list[int]] = {key: [] for key, count in times.items() if count > 1}
    for place, traits in enumerate(asked) if before else ():
        keys = [key for key in traits.hashed_keys[:MOST_KEYS] if key in before]
        others = {other for key in keys for other in before[key]}
        if any(not certain.isdisjoint(evidence_of(traits, asked[other])) for other in others):
            doubtful.add(place)
        for key in keys:
            before[key].append(place)
    return doubtful
