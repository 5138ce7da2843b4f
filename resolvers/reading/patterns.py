"""Patterns of LIKE from typed text, in which no character has a meaning of its own."""

from models.errors import Validation

LONGEST_PATTERN = 1_000
"""Maximum number of characters of a text to look for; SQLite refuses patterns of more than 50,000 bytes."""


def containing(text: str) -> str:
    return f"%{_escaped(text)}%"


def beginning(text: str) -> str:
    return f"{_escaped(text)}%"


def ending(text: str) -> str:
    return f"%{_escaped(text)}"


def _escaped(text: str) -> str:
    if len(text) > LONGEST_PATTERN:
        raise Validation(
            f"A text to filter by has at most {LONGEST_PATTERN} characters.",
            f"筛选文本最多 {LONGEST_PATTERN} 个字符。",
            field="filter",
        )
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
