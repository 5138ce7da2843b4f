"""Pinyin of Chinese text, from readings that are part of this version, so that stored keys stay comparable."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

DATA = Path(__file__).with_name("pinyin.txt")
"""Lines `syllable characters` and `phrase syllable syllable …`, written by `millpond/new_pinyin.py`."""
_SURNAMES = {"曾": "zeng1", "仇": "qiu2"}
"""Characters with another reading where a name begins with them."""
_LONGEST_PHRASE = 4
_LONGEST_SYLLABLE = 6


def syllables(text: str) -> Iterator[tuple[str, str | None]]:
    """Each character with its syllable and tone (`zhong4`), None for one that is not Chinese.

    A phrase decides before its characters: 重 in 重庆 is `chong2`.
    """
    readings, phrases = _data()
    at = 0
    while at < len(text):
        said = phrases.get(text[at]) and _phrase(phrases[text[at]], text, at)
        if said:
            yield from zip(text[at:], said, strict=False)
            at += len(said)
        else:
            reading = readings.get(text[at])
            yield text[at], _SURNAMES.get(text[at], reading) if at == 0 else reading
            at += 1


def pinyin(text: str) -> str:
    """The text in pinyin without tones and spaces; what is not Chinese stays."""
    return "".join(said[:-1] if said else character for character, said in syllables(text))


def is_pinyin(word: str) -> bool:
    """Whether small letters can be read as syllables of pinyin."""
    ends, known = {0}, without_tones()
    for at in range(1, len(word) + 1):
        if any(word[start:at] in known for start in ends if at - start <= _LONGEST_SYLLABLE):
            ends.add(at)
    return bool(word) and len(word) in ends


def _phrase(known: dict[str, tuple[str, ...]], text: str, at: int) -> tuple[str, ...] | None:
    """The syllables of the longest phrase that begins here."""
    for length in range(_LONGEST_PHRASE, 1, -1):
        if (found := known.get(text[at : at + length])) is not None:
            return found
    return None


@cache
def without_tones() -> frozenset[str]:
    return frozenset(reading[:-1] for reading in _data()[0].values())


@cache
def _data() -> tuple[dict[str, str], dict[str, dict[str, tuple[str, ...]]]]:
    """(character -> syllable, first character -> phrase -> syllables)."""
    readings: dict[str, str] = {}
    phrases: dict[str, dict[str, tuple[str, ...]]] = {}
    for line in DATA.read_text(encoding="utf-8").splitlines():
        first, *rest = line.split(" ")
        if first.isascii():
            readings.update(dict.fromkeys(rest[0], first))
        else:
            phrases.setdefault(first[0], {})[first] = tuple(rest)
    return readings, phrases
