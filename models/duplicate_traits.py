"""Traits: what companies and persons are compared by, and the keys under which two of them meet.  Pure functions."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, lru_cache
from hashlib import blake2b

from .company_names import CompanyName, company_name
from .reach_keys import domain_key, email_key, phone_keys, registration_key
from .simplified import simplified
from .text import fold


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


Key = tuple[KeyKind, str]
_HASH_BITS = 59
_LONGEST_NEAR = 24
"""Maximum length of a core that is stored once without each character; of longer ones, both ends are."""
_END = 12
_SHORTEST_NEAR = 3


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
