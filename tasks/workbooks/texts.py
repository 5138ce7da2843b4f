"""Texts in files for spreadsheets: what a cell cannot hold, and what CSV readers would take for a formula."""

import re

LONGEST_CELL = 32_767
"""Maximum length of a text in a cell, in UTF-16 units."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def without_control(text: str) -> str:
    """The text without characters that no file of a spreadsheet can hold."""
    return _CONTROL.sub("", text)


def cell_text(text: str) -> str:
    """The text as an .xlsx cell holds it: line ends as LF, cut at LONGEST_CELL, and `_x0041_` kept as it is written."""
    clean = _CONTROL.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _ESCAPE.sub("_x005F_", cut(clean))


def cut(text: str) -> str:
    """The text up to LONGEST_CELL, without half a character at its end."""
    if len(text) * 2 <= LONGEST_CELL or len(encoded := text.encode("utf-16-le")) <= LONGEST_CELL * 2:
        return text
    return encoded[: LONGEST_CELL * 2].decode("utf-16-le", errors="ignore")
