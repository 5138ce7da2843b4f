"""Texts in CSV files: an apostrophe before those that a spreadsheet would run as a formula, or take for a number without its digits."""

import re

EXPONENT = re.compile(r"[+-]?\d(?:[.,]\d+)?E\+\d{1,3}")
"""How Excel writes a number that is too long for its column into a CSV: the digits are gone."""
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_MARKED = re.compile(rf"'+(?:[=+\-@\t\r]|{EXPONENT.pattern}\Z)")
_NUMBER = re.compile(rf"'*{EXPONENT.pattern}")
_PLAIN = re.compile(r"[+-]?\(?\d[\d ().,-]*(?:[eE][+-]?\d+)?%?")
"""A number or a phone, like -1,200.50, 1e-5, +86 (10) 6552-9988."""


def guarded(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet that opens CSV would not show it as it is.

    A plain number or phone stays as it is.  `unguarded` takes exactly this apostrophe away.
    """
    if _NUMBER.fullmatch(text) or (_FORMULA.match(text) and not _PLAIN.fullmatch(text)):
        return f"'{text}"
    return text


def unguarded(text: str) -> str:
    """The text that `guarded` was given."""
    return text[1:] if _MARKED.match(text) else text
