"""JSON in a short form for addresses: `(stage:(in:!(won)),locked:(eq:!t))`.

Objects stand in round brackets, lists in `!(…)`, `!t`, `!f` and `!n` are true, false and null, and a text needs quotes
only where it could be taken for something else.
"""

import json
import re
from typing import Any

LONGEST, DEEPEST = 6_000, 40
"""Maximum number of characters of a text, and of brackets in one another."""
_BARE = re.compile(r"[^\W\d][\w.-]*")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_WORDS = {"t": True, "f": False, "n": None}


def written(value: Any) -> str:
    """The short form of a JSON value."""
    match value:
        case None:
            return "!n"
        case bool():
            return "!t" if value else "!f"
        case int() | float():
            return json.dumps(value)
        case dict():
            return "(" + ",".join(f"{written(str(key))}:{written(x)}" for key, x in value.items()) + ")"
        case list() | tuple():
            return "!(" + ",".join(written(x) for x in value) + ")"
    text = str(value)
    return text if _BARE.fullmatch(text) else "'" + text.replace("!", "!!").replace("'", "!'") + "'"


def read(text: str) -> Any:
    """The value of a short form.  Raises ValueError for any other text."""
    if len(text) > LONGEST:
        raise ValueError("too long")
    reader = _Reader(text)
    value = reader.value(0)
    if reader.at != len(text):
        raise ValueError("more text follows")
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def value(self, depth: int) -> Any:
        if depth > DEEPEST:
            raise ValueError("too deep")
        if self._take("("):
            return self._pairs(depth)
        if self._take("!("):
            return self._items(depth)
        if self._take("!"):
            return self._word()
        if self._take("'"):
            return self._quoted()
        for pattern, kind in ((_NUMBER, json.loads), (_BARE, str)):
            if found := pattern.match(self.text, self.at):
                self.at = found.end()
                return kind(found[0])
        return self._fail()

    def _word(self) -> Any:
        letter = self._next()
        return _WORDS[letter] if letter in _WORDS else self._fail()

    def _pairs(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not self._take(")"):
            if found and not self._take(","):
                self._fail()
            key = self.value(depth + 1)
            if not isinstance(key, str) or not self._take(":"):
                self._fail()
            found[key] = self.value(depth + 1)
        return found

    def _items(self, depth: int) -> list[Any]:
        found: list[Any] = []
        while not self._take(")"):
            if found and not self._take(","):
                self._fail()
            found.append(self.value(depth + 1))
        return found

    def _quoted(self) -> str:
        found = []
        while (char := self._next()) != "'":
            found.append(self._next() if char == "!" else char)
        return "".join(found)

    def _next(self) -> str:
        self.at += 1
        return self.text[self.at - 1] if self.at <= len(self.text) else self._fail()

    def _take(self, expected: str) -> bool:
        is_there = self.text.startswith(expected, self.at)
        self.at += len(expected) if is_there else 0
        return is_there

    def _fail(self) -> Any:
        raise ValueError(f"nothing is known at {self.at}")
