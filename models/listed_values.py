"""Several values in one cell of a sheet, apart by semicolons: put together for a file, and taken apart again."""

from collections.abc import Iterable, Iterator

BETWEEN = "; "
MARKS = ";；\n、"
"""What stands between several values."""
_QUOTE = '"'


def joined(values: Iterable[str]) -> str:
    """The values as a cell; one that holds a mark itself stands in quotation marks, and `parted` takes it back."""
    return BETWEEN.join(_quoted(value) if _needs_quotes(value) else value for value in values)


def parted(text: str) -> list[str]:
    """The values of a cell, each once, without blanks at their ends."""
    return list(dict.fromkeys(part for part in _parts(text) if part))


def _parts(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        begin = at + len(text[at:]) - len(text[at:].lstrip(" "))
        if (found := _unquoted(text, begin)) is not None:
            value, at = found
            yield value
            continue
        end = next((place for place in range(at, len(text)) if text[place] in MARKS), len(text))
        yield text[at:end].strip()
        at = end + 1


def _unquoted(text: str, begin: int) -> tuple[str, int] | None:
    """(the value in quotation marks that begins here, where the next one begins); None where they are letters as others."""
    if not text.startswith(_QUOTE, begin):
        return None
    at, value = begin + 1, ""
    while (end := text.find(_QUOTE, at)) >= 0:
        value += text[at:end]
        if text.startswith(_QUOTE, end + 1):
            value, at = value + _QUOTE, end + 2
            continue
        rest = text[end + 1 :].lstrip(" ")
        if (rest and rest[0] not in MARKS) or not _needs_quotes(value, anywhere=True):
            return None
        return value, len(text) - len(rest) + 1
    return None


def _needs_quotes(value: str, *, anywhere: bool = False) -> bool:
    return any(mark in value for mark in MARKS) or (_QUOTE in value if anywhere else value.startswith(_QUOTE))


def _quoted(value: str) -> str:
    return f"{_QUOTE}{value.replace(_QUOTE, _QUOTE * 2)}{_QUOTE}"
