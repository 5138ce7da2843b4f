"""Write `models/pinyin.txt`, the readings of Chinese characters, from the data of pypinyin (MIT licence).

Sort keys are stored, so the readings are a file of this repository: an upgrade of a library must not change them.  A
new file needs a migration that fills the keys again.

    pip install pypinyin==0.55.0
    python -m millpond.new_pinyin
"""

import importlib
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from models.pinyin import DATA

_LONGEST_PHRASE = 4


def lines() -> Iterator[str]:
    """A line for each syllable with the characters that are read so, then one for each phrase with other readings."""
    data: Any = importlib.import_module("pypinyin.pinyin_dict")
    phrases: Any = importlib.import_module("pypinyin.phrases_dict")
    readings = {chr(code): _plain(found.partition(",")[0]) for code, found in data.pinyin_dict.items()}
    by_syllable: dict[str, str] = defaultdict(str)
    for character in sorted(readings):
        by_syllable[readings[character]] += character
    yield from (f"{syllable} {by_syllable[syllable]}" for syllable in sorted(by_syllable))
    for phrase, found in sorted(phrases.phrases_dict.items()):
        said = [_plain(each[0]) for each in found]
        usual = [readings.get(character) for character in phrase]
        if len(said) == len(phrase) <= _LONGEST_PHRASE and None not in usual and _differ(said, usual):
            yield f"{phrase} {' '.join(said)}"


def _plain(reading: str) -> str:
    """`zhong4` for `zhòng`, `lv4` for `lǜ`, `ma5` for `ma`."""
    convert: Any = importlib.import_module("pypinyin.contrib.tone_convert")
    return str(convert.to_tone3(reading, neutral_tone_with_five=True))


def _differ(said: list[str], usual: list[Any]) -> bool:
    """Whether a phrase is read in other syllables than its characters are, tones aside."""
    return any(re.sub(r"\d", "", x) != re.sub(r"\d", "", y) for x, y in zip(said, usual, strict=True))


if __name__ == "__main__":
    text = "\n".join(lines())
    DATA.write_text(f"{text}\n", encoding="utf-8")
    sys.stdout.write(f"{DATA}: {len(text.encode()):,} bytes\n")
