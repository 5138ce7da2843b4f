"""What makes a customer or a contact a duplicate: the keys under which two records meet, and the evidence between them.

Pure rules.  `models/duplicate_keys.py` stores keys, `resolvers/duplicates` looks them up, and the rules that
administrators set (`models/duplicate_rule.py`) say what each kind of evidence counts for.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Generic, TypeVar

from rapidfuzz.distance import OSA

from .company_names import CompanyName
from .duplicate_traits import Key as Key
from .duplicate_traits import KeyKind as KeyKind
from .duplicate_traits import Traits as Traits
from .duplicate_traits import hashed as hashed
from .duplicate_traits import keys_of as keys_of
from .duplicate_traits import kind_of as kind_of
from .duplicate_traits import range_of as range_of

T = TypeVar("T")


class Evidence(StrEnum):
    """What two records have in common, that which says most first."""

    REGISTRATION = "REGISTRATION"
    EMAIL = "EMAIL"
    NAME = "NAME"
    SOUND = "SOUND"
    TYPING_ERROR = "TYPING_ERROR"
    """A name with one error where it says the trade, or a Latin letter twice."""
    PHONE_AND_NAME = "PHONE_AND_NAME"
    SIMILAR_NAME = "SIMILAR_NAME"
    PHONE = "PHONE"
    DOMAIN = "DOMAIN"
    NAME_ELSEWHERE = "NAME_ELSEWHERE"


class Verdict(StrEnum):
    """What evidence counts for, in rising order."""

    NOTHING = "NOTHING"
    POSSIBLE = "POSSIBLE"
    """Warns."""
    CERTAIN = "CERTAIN"
    """Asks for a reason to go on."""
    REFUSED = "REFUSED"
    """No reason helps."""

    @property
    def rank(self) -> int:
        return [*Verdict].index(self)

    @property
    def is_certain(self) -> bool:
        return self in (Verdict.CERTAIN, Verdict.REFUSED)


_ORDER = {evidence: place for place, evidence in enumerate(Evidence)}
_CERTAIN = (Evidence.REGISTRATION, Evidence.EMAIL, Evidence.NAME, Evidence.PHONE_AND_NAME)
DEFAULTS: dict[str, dict[Evidence, Verdict]] = {
    "customer": {
        **dict.fromkeys(Evidence, Verdict.POSSIBLE),
        **dict.fromkeys((*_CERTAIN, Evidence.SOUND, Evidence.TYPING_ERROR), Verdict.CERTAIN),
    },
    "contact": {
        **dict.fromkeys(Evidence, Verdict.NOTHING),
        **dict.fromkeys(_CERTAIN, Verdict.CERTAIN),
        Evidence.PHONE: Verdict.POSSIBLE,
    },
}
"""Module -> evidence -> what it counts for until an administrator decides."""
SHOWN = 5
"""Maximum number of findings of a check."""


@dataclass(frozen=True)
class Finding(Generic[T]):
    """What is probably the same: `that`, how certain it is, and by what, that which says most first."""

    that: T
    verdict: Verdict
    evidence: tuple[Evidence, ...]
    similarity: float


_LONG, _SHORTEST_NEAR = 8, 3
_ALIKE, _ALIKE_WITH_PHONE = 0.78, 0.70
"""Similarity of names from which they are similar, and from which a shared phone says that they are one."""


def evidence_of(one: Traits, other: Traits) -> list[Evidence]:
    """What speaks for one and the same, that which says most first; empty for two that are different."""
    return sorted(_evidence(one, other), key=_ORDER.__getitem__)


def similarity(one: Traits, other: Traits) -> float:
    """How similar two names are, from 0 to 1: by characters or by sound, whichever is more."""
    mine, theirs = one.named, other.named
    has_places = bool(mine.place and theirs.place)
    whole = (mine.whole, theirs.whole) if has_places else (mine.core, theirs.core)
    unnoticed = 0.0 if has_places else OSA.normalized_similarity(mine.whole, theirs.whole)
    by_sound = OSA.normalized_similarity(mine.sound, theirs.sound) - 0.1 if mine.sound and theirs.sound else 0.0
    return max(OSA.normalized_similarity(*whole), unnoticed, by_sound)


def assess(asked: Traits, found: Iterable[tuple[T, Traits]], verdicts: Mapping[Evidence, Verdict]) -> list[Finding[T]]:
    """What is probably the same as `asked` among `found`, the most certain and most similar first, SHOWN at most.

    A name that says no place is certain for one company only: of several in different places each is possible.  Beside
    an equal name, those that only sound equal or say no place are possible; beside a certain one, similar names are
    left out.
    """
    judged = [(that, other, evidence) for that, other in found if (evidence := evidence_of(asked, other))]
    named = {x: [other for _, other, evidence in judged if x in evidence] for x in (Evidence.NAME, Evidence.SOUND)}
    vague = {x for x, others in named.items() if _is_in_several_places(asked, others)}
    vague |= {Evidence.SOUND} if named[Evidence.NAME] else set()
    is_there = bool(asked.named.place) and any(x.named.place == asked.named.place for x in named[Evidence.NAME])
    findings = [_finding(asked, *each, verdicts, vague, is_there=is_there) for each in judged]
    certain = [x for x in findings if x.verdict.is_certain]
    possible = [x for x in findings if x.verdict is Verdict.POSSIBLE and not (certain and x.evidence[0] in _BY_NAME)]
    return sorted((*certain, *possible), key=lambda x: (-x.verdict.rank, -x.similarity))[:SHOWN]


# --- steps -----------------------------------------------------------------------------------------------

_BY_NAME = (Evidence.SIMILAR_NAME, Evidence.NAME_ELSEWHERE)


_RANK = attrgetter("rank")
_BY_EQUAL_NAME = (Evidence.NAME, Evidence.SOUND)


def _finding(
    asked: Traits,
    that: T,
    other: Traits,
    evidence: list[Evidence],
    verdicts: Mapping[Evidence, Verdict],
    vague: Collection[Evidence],
    *,
    is_there: bool,
) -> Finding[T]:
    if is_there and other.named.place != asked.named.place:
        vague = _BY_EQUAL_NAME
    counted = (min(verdicts[x], Verdict.POSSIBLE, key=_RANK) if x in vague else verdicts[x] for x in evidence)
    alike = similarity(asked, other) if asked.name and other.name else 0.0
    return Finding(that, max(counted, default=Verdict.NOTHING, key=_RANK), tuple(evidence), alike)


def _is_in_several_places(asked: Traits, others: Sequence[Traits]) -> bool:
    return not asked.named.place and len({other.named.place for other in others}) > 1


def _evidence(one: Traits, other: Traits) -> Iterator[Evidence]:
    shared = {kind for kind, _ in one.reached_by & other.reached_by} if one.reached_by else set()
    alike = similarity(one, other) if one.name and other.name else 0.0
    if KeyKind.REGISTRATION in shared:
        yield Evidence.REGISTRATION
    if KeyKind.EMAIL in shared:
        yield Evidence.EMAIL
    if KeyKind.PHONE in shared:
        is_alike = alike >= _ALIKE_WITH_PHONE or _is_short_for(one.named, other.named)
        yield Evidence.PHONE_AND_NAME if is_alike else Evidence.PHONE
    if one.name and other.name and (by_name := _by_name(one.named, other.named, alike)):
        yield by_name
    if KeyKind.DOMAIN in shared:
        yield Evidence.DOMAIN


def _by_name(one: CompanyName, other: CompanyName, alike: float) -> Evidence | None:
    is_same, sounds_same = one.core == other.core, not one.sounds.isdisjoint(other.sounds)
    is_latin = one.core.isascii() or other.core.isascii()
    if not one.may_be(other):
        return Evidence.NAME_ELSEWHERE if is_same else Evidence.SOUND if sounds_same and is_latin else None
    if is_same:
        return Evidence.NAME
    if sounds_same and (one.place == other.place or is_latin):
        return Evidence.SOUND
    if one.place == other.place and (_is_mistyped(one, other) or _is_mistyped(other, one)):
        return Evidence.TYPING_ERROR
    is_near = sounds_same or (alike >= _ALIKE and min(len(one.core), len(other.core)) >= _SHORTEST_NEAR - 1)
    return Evidence.SIMILAR_NAME if is_near or _is_short_for(one, other) else None


def _is_mistyped(one: CompanyName, other: CompanyName) -> bool:
    """Whether `one` is `other` with a letter twice, or with an error behind its brand."""
    if one.squeezed == other.squeezed:
        return len(one.core) >= _LONG
    is_beside_brand = not one.has_trade and other.has_trade and one.core.startswith(other.brand)
    return is_beside_brand and len(other.core) > _SHORTEST_NEAR and OSA.distance(one.core, other.core) == 1


def _is_short_for(one: CompanyName, other: CompanyName) -> bool:
    """Whether one name is the brand of the other."""
    return one.core != other.core and (one.core == other.brand or other.core == one.brand)
