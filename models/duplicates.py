"""What makes a customer or a contact a duplicate of another one: the keys under which they meet, and how certain it is.

Pure rules.  `dup_key` rows hold the keys; a check looks for the keys of what is typed, and `judge` says of each record
found whether it is certainly the same, possibly, or neither.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from .company_names import CompanyName, company_name
from .reach_keys import domain_key, email_key, phone_keys, registration_key


class KeyKind(StrEnum):
    """The kinds of keys, those that say most first."""

    REGISTRATION = "registration"
    EMAIL = "email"
    NAME = "name"
    SOUND = "sound"
    PHONE = "phone"
    DOMAIN = "domain"


class Likeness(StrEnum):
    """How much speaks for one and the same: CERTAIN asks for a reason to go on, POSSIBLE only warns."""

    CERTAIN = "certain"
    POSSIBLE = "possible"


@dataclass(frozen=True)
class Traits:
    """What a check knows of a company or a person.  Empty where something is unknown or hidden."""

    name: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    registration: str = ""


Key = tuple[KeyKind, str]


def keys_of(traits: Traits) -> list[Key]:
    """The keys under which a record is found, each once, those that say most first."""
    return list(dict.fromkeys(_keys(traits)))


def judge(one: Traits, other: Traits, alike: float) -> tuple[Likeness, list[KeyKind]] | None:
    """(how certain, the kinds of keys that both have); None for two that only seem alike.

    `alike`: the likeness of both names from 0 to 1, as the caller measures it.
    """
    mine, theirs = set(keys_of(one)), set(keys_of(other))
    shared = [kind for kind in KeyKind if any(key in theirs for key in mine if key[0] is kind)]
    places_allow = _named(one).may_be(_named(other))
    is_certain = (
        KeyKind.REGISTRATION in shared
        or KeyKind.EMAIL in shared
        or (places_allow and (KeyKind.NAME in shared or KeyKind.SOUND in shared))
        or (KeyKind.PHONE in shared and alike >= _ALIKE_WITH_PHONE)
    )
    if is_certain:
        return Likeness.CERTAIN, shared
    if KeyKind.PHONE in shared or (places_allow and alike >= _ALIKE) or KeyKind.NAME in shared:
        return Likeness.POSSIBLE, shared
    return None


_ALIKE, _ALIKE_WITH_PHONE = 0.80, 0.70
"""Likeness of names from which they are possibly one, and from which a shared phone makes it certain."""


def _keys(traits: Traits) -> Iterator[Key]:
    if number := registration_key(traits.registration):
        yield KeyKind.REGISTRATION, number
    yield from _each(KeyKind.EMAIL, (email_key(text) for text in traits.emails))
    if traits.name:
        name = _named(traits)
        yield KeyKind.NAME, name.core
        if name.sound != name.core:
            yield KeyKind.SOUND, name.sound
    yield from _each(KeyKind.PHONE, (key for text in traits.phones for key in phone_keys(text)))
    yield from _each(KeyKind.DOMAIN, (domain_key(text) for text in traits.emails))


def _each(kind: KeyKind, keys: Iterable[str | None]) -> Iterator[Key]:
    return ((kind, key) for key in keys if key)


def _named(traits: Traits) -> CompanyName:
    return company_name(traits.name)
