"""What makes a customer or a contact a duplicate: the keys under which two records meet, and the evidence between them.

Pure rules.  `models/duplicate_keys.py` stores keys, `resolvers/duplicates` looks them up, and the rules that
administrators set (`models/duplicate_rule.py`) say what each kind of evidence counts for.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cached_property, lru_cache
from hashlib import blake2b
from operator import attrgetter
from typing import Generic, TypeVar

from rapidfuzz.distance import OSA

from .company_names import CompanyName, company_name
from .reach_keys import domain_key, email_key, phone_keys, registration_key
from .simplified import simplified
from .text import fold

T = TypeVar("T")


class KeyKind(IntEnum):
    """The kinds of keys.  The number is part of stored keys."""

    REGISTRATION = 1
    EMAIL = 2
    NAME = 3
    SOUND = 4
    PHONE = 5
    DOMAIN = 6
    BRAND = 7
    NEAR = 8
    """A core, or a core with one character left out: names that differ by one typing error share one of these."""
    PERSON = 9


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


@dataclass(frozen=True)
class Traits:
    """What is known of a company or a person.  Empty where something is unknown."""

    name: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    registration: str = ""
    person_at: str = ""
    """Of a person: where, because the same name elsewhere is another person."""

    @cached_property
    def named(self) -> CompanyName:
        if not self.person_at:
            return company_name(self.name)
        return CompanyName(simplified(fold(self.name)).replace(" ", ""), self.person_at)

    @cached_property
    def reached_by(self) -> frozenset[tuple[KeyKind, str]]:
        """The keys of everything but the name."""
        return frozenset(_reach(self))

    @cached_property
    def hashed_keys(self) -> tuple[int, ...]:
        """The keys under which the record is found, as they are stored, those that say most first."""
        return tuple(dict.fromkeys((*map(hashed, _reach(self)), *_hashed_names(self))))


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


Key = tuple[KeyKind, str]
_HASH_BITS = 59
_LONGEST_NEAR = 24
"""Maximum length of a core that is stored once without each character; of longer ones, both ends are."""
_END = 12
_LONG = 8
_SHORTEST_NEAR = 3
_ALIKE, _ALIKE_WITH_PHONE = 0.78, 0.70
"""Similarity of names from which they are similar, and from which a shared phone says that they are one."""


def keys_of(traits: Traits) -> list[Key]:
    """The keys under which a record is found, each once, those that say most first."""
    return list(dict.fromkeys((*_reach(traits), *_naming(traits))))


def hashed(key: Key) -> int:
    """A key as it is stored: its kind above 59 bits of a hash, so that keys of one kind are adjacent."""
    kind, text = key
    return kind << _HASH_BITS | int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) >> 5


def kind_of(key: int) -> KeyKind:
    """The kind of a hashed key."""
    return KeyKind(key >> _HASH_BITS)


def range_of(kind: KeyKind) -> tuple[int, int]:
    """The first hashed key of a kind, and the first behind them."""
    return kind << _HASH_BITS, kind + 1 << _HASH_BITS


def evidence_of(one: Traits, other: Traits) -> list[Evidence]:
    """What speaks for one and the same, that which says most first; empty for two that are different."""
    return sorted(_evidence(one, other), key=[*Evidence].index)


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


def _reach(traits: Traits) -> Iterator[Key]:
    if number := registration_key(traits.registration):
        yield KeyKind.REGISTRATION, number
    yield from _each(KeyKind.EMAIL, (email_key(text) for text in traits.emails))
    yield from _each(KeyKind.PHONE, (key for text in traits.phones for key in phone_keys(text)))
    yield from _each(KeyKind.DOMAIN, (domain_key(text) for text in traits.emails))


def _naming(traits: Traits) -> Iterator[Key]:
    if not traits.name:
        return
    yield from _names(traits.named, is_person=bool(traits.person_at))


def _names(name: CompanyName, *, is_person: bool) -> Iterator[Key]:
    if is_person:
        yield KeyKind.PERSON, name.core
        return
    yield KeyKind.NAME, name.core
    yield from ((KeyKind.SOUND, sound) for sound in sorted(name.sounds))
    yield KeyKind.BRAND, name.brand
    yield from ((KeyKind.NEAR, near) for core in (name.core, name.without_broken_place) for near in _near(core))


def _hashed_names(traits: Traits) -> tuple[int, ...]:
    return _hashed_name(traits.named, is_person=bool(traits.person_at)) if traits.name else ()


@lru_cache(maxsize=8_192)
def _hashed_name(name: CompanyName, *, is_person: bool) -> tuple[int, ...]:
    return tuple(dict.fromkeys(map(hashed, _names(name, is_person=is_person))))


def _near(core: str) -> Iterator[str]:
    if _SHORTEST_NEAR <= len(core) <= _LONGEST_NEAR:
        yield core
        yield from (core[:at] + core[at + 1 :] for at in range(len(core)))
    elif len(core) > _LONGEST_NEAR:
        yield core[:_END] + "…"
        yield "…" + core[-_END:]


def _each(kind: KeyKind, keys: Iterable[str | None]) -> Iterator[Key]:
    return ((kind, key) for key in keys if key)
