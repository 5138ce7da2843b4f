"""What a pass over the XML of a sheet looks for.

First single characters, which cost next to nothing in a text of megabytes, then literals; patterns take apart only what
holds one of them.  No pattern looks past the next tag, goes back, or looks for an end that may not come: else a file of a
few kilobytes costs minutes.
"""

import re
from functools import lru_cache

from models.sheet_cells import column_letters

REFERENCE = re.compile(rb"\br=[\"']([A-Z]{1,4})(\d{1,9})[\"']")
ROW_NUMBER = re.compile(rb"\br=[\"'](\d{1,9})[\"']")
HIDDEN = re.compile(rb"\bhidden=[\"'](?:1|true)[\"']")
STYLE = re.compile(rb"\bs=[\"'](\d{1,6})[\"']")
TYPE = re.compile(rb"\bt=[\"'](\w+)[\"']")
ROOT = re.compile(rb"<(?:([A-Za-z_][\w.-]{0,30}):)?worksheet[\s>/]")
NUMBER = re.compile(rb"[+-]?\d{1,330}(?:\.\d{0,330})?(?:[eE][+-]?\d{1,3})?")
_ERRORS = (b'"e"', b"'e'")
_NO_RESULT = (b"</%bf></%bc>", b"/></%bc>", b"<%bv></%bv>", b"</%bf> ", b"</%bf>\n", b"</%bf>\r", b"</%bf>\t")
"""How a formula without a result ends, or may end."""


class Patterns:
    """`prefix` is that of the namespace: some programs write <x:c> for <c>.  `styles`: those whose numbers are shown otherwise."""

    def __init__(self, prefix: bytes, columns: int, styles: tuple[int, ...]) -> None:
        p = re.escape(prefix)
        self.end_row, self.end_cell = b"</" + prefix + b"row>", b"</" + prefix + b"c>"
        self.end, self.cell = b"</" + prefix + b"sheetData>", b"<" + prefix + b"c"
        self.value = re.compile(rb"<%b(?:v|is|f)[\s/>]" % p)
        self.row = re.compile(rb"<%brow(?=[\s/>])(?: r=\"(\d{1,9})\")?([^<>]*)>" % p)
        self.row_sign = b"<" + prefix + b"row"
        self.plain_row, self.plain_cell = b"<" + prefix + b'row r="', b"<" + prefix + b'c r="'
        self.value_sign = b"<" + prefix + b"v>"
        self.cells = re.compile(rb"<%bc(?=[\s/>])([^<>]*?)(?:/>|>(.*?)</%bc>)" % (p, p), re.DOTALL)
        self.stored = re.compile(rb"<%bv(?:\s[^<>]*)?>([^<]*)</%bv>" % (p, p))
        self.empty = re.compile(rb"<%bv(?:\s[^<>]*)?(?:/>|></%bv>)" % (p, p))
        self.formula = re.compile(rb"<%bf[\s/>]" % p)
        self.merge = re.compile(
            b"<%bmergeCell\\s[^<>]*?ref=[\"']([A-Z]{1,3})(\\d{1,7}):([A-Z]{1,3})(\\d{1,7})[\"']" % p
        )
        beyond = rb"(?:%b)\d+|[A-Z]{1,4}(\d{7,})" % _letters_beyond(columns)
        self.far = re.compile(rb"<%bc\s(?>[^<>]*?\br=[\"'](?:%b)[\"'])[^<>]*+(?<!/)>" % (p, beyond))
        self.maybe_far = re.compile(b"r=[\"'](?:%b)" % beyond)
        self._formula_sign = b"<" + prefix + b"f"
        self._no_result = [sign.replace(b"%b", prefix) for sign in _NO_RESULT]
        shown = b"|".join(b"%d" % style for style in styles) or b"-"
        self._styles = re.compile(b"s=[\"'](?:%b)[\"']" % shown) if styles else None
        mark = rb"\s(?:s=[\"'](?:%b)[\"']|t=[\"']e[\"'])" % shown
        self.marked = re.compile(rb"<%bc(?=\s)((?>[^<>]*?%b)[^<>]*+)(?<!/)>(.*?)</%bc>" % (p, mark, p), re.DOTALL)
        """Cells with an error, or with a style of `styles`."""

    def special(self, text: bytes) -> bool:
        """Whether the XML may hold an error, a formula without a result, or a number in a format that matters."""
        return (
            (b"#" in text and any(sign in text for sign in _ERRORS))
            or self.lacks_result(text)
            or (self._styles is not None and self._styles.search(text) is not None)
        )

    def lacks_result(self, text: bytes) -> bool:
        return b"f" in text and self._formula_sign in text and any(sign in text for sign in self._no_result)


def has_markup(text: bytes) -> bool:
    """Whether there are declarations, comments, CDATA or processing instructions, in which a row could hide."""
    return (b"!" in text and b"<!" in text) or (b"?" in text and b"<?" in text)


patterns = lru_cache(maxsize=8)(Patterns)


@lru_cache(maxsize=8)
def _letters_beyond(columns: int) -> bytes:
    """A pattern for the letters of every column after so many."""
    last = column_letters(columns - 1)
    parts = [f"[A-Z]{{{len(last) + 1},}}"]
    for at, letter in enumerate(last):
        if letter < "Z":
            parts.append(f"{last[:at]}[{chr(ord(letter) + 1)}-Z][A-Z]{{{len(last) - at - 1}}}")
    return "|".join(parts).encode()
