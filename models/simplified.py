"""Traditional Chinese as simplified Chinese, character by character, from forms that are part of this version."""

from functools import cache
from pathlib import Path

DATA = Path(__file__).with_name("simplified.txt")
"""Lines `simplified traditional…`, written by `millpond/new_simplified.py`."""


def simplified(text: str) -> str:
    """The text with each traditional character as its simplified one: `鴻發` is `鸿发`."""
    return text if text.isascii() else text.translate(_forms())


@cache
def _forms() -> dict[int, str]:
    found = (line.split(" ", 1) for line in DATA.read_text(encoding="utf-8").splitlines())
    return {ord(character): simple for simple, characters in found for character in characters}
