"""Warnings of a check: records that may be the same as the new record of a row.  They prevent nothing.

The look-up of certain duplicates finds them on its way.  What the caller is told of them is judged anew by what they may
compare with: a phone that they do not see says nothing.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from models import Base, Customer
from models.choice_names import Said
from models.duplicates import Evidence, Finding
from models.errors import MayBeSame

from ..duplicates.check import Match, Place, told_of_many
from ..duplicates.known import KnownTo
from ..duplicates.lookup import find_many
from ..runtime.ids import global_id
from ..runtime.scope import Scope
from .file_duplicates import Claim

ALIKE = 0.85
"""Similarity of names from which a row is warned of; on forms, where fewer are looked at, a smaller one does."""
MOST_WARNINGS = 3
"""Maximum number of records of which one row is warned."""
_WHERE: Mapping[Place, Said] = {
    Place.POOL: ("in a pool", "在公海中"),
    Place.BIN: ("in the recycle bin", "在回收站中"),
}


def warnings(
    scope: Scope, db: Session, model: type[Base], rows: Sequence[tuple[Claim, Sequence[Finding[int]]]]
) -> dict[int, list[MayBeSame]]:
    """Number of a row -> of what it is warned.  `rows`: with what may be the same among all records.

    Nothing for a caller who may not look for duplicates.  Up to ten queries, none where nothing is alike.
    """
    asked = [claim for claim, found in rows if claim.traits is not None and any(map(_is_alike, found))]
    if not asked or not scope.policy.ever(scope.person, "dupcheck", Customer.module):
        return {}
    traits = [claim.traits for claim in asked if claim.traits is not None]
    known = find_many(db, model, traits, known=KnownTo(scope, db))
    alike = [[x for x in found if _is_alike(x)][:MOST_WARNINGS] for found in known]
    told = told_of_many(scope, db, model, traits, alike)
    return {
        claim.number: [_warning(model, match) for match in matches]
        for claim, matches in zip(asked, told, strict=True)
        if matches
    }


def _is_alike(found: Finding[int]) -> bool:
    return Evidence.PHONE in found.evidence or found.similarity >= ALIKE


def _warning(model: type[Base], match: Match) -> MayBeSame:
    english, chinese = _WHERE.get(match.place) or _of(match.owner)
    return MayBeSame(
        field="name",
        record_id=global_id(model, match.id) if match.id else None,
        label=" ".join(filter(None, (match.number, match.name))),
        where=english,
        where_zh=chinese,
    )


def _of(owner: str) -> Said:
    return (f"of {owner}", f"负责人 {owner}") if owner else ("of somebody else", "由他人负责")
