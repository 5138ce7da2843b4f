"""Where a person is named outside their own record: texts and values that hold the name, a number or an address."""

import json
from collections.abc import Sequence
from typing import Any

SHORTEST = 2
"""Names with fewer characters are looked for nowhere else: they would be found in every text."""


def needles_of(values: Sequence[str | None]) -> tuple[str, ...]:
    """What names the person, the longest first."""
    found = {text for value in values if value and len(text := value.strip()) >= SHORTEST}
    return tuple(sorted(found, key=lambda text: (-len(text), text)))


def names(needles: Sequence[str], value: Any) -> bool:
    """Whether a value of JSON, or a text, holds one of them."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return any(needle in text for needle in needles)


def without(needles: Sequence[str], text: str, instead: str) -> str:
    """The text without them."""
    for needle in needles:
        text = text.replace(needle, instead)
    return text
