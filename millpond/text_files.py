"""Text files of users, in whatever encoding their editor or shell has written.

Windows writes Chinese text as GB18030, and PowerShell writes what a command prints as UTF-16.
"""

import codecs
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path


class UnreadableFile(Exception):
    """A file that is no text, or cannot be read; the message is the sentence."""


_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
"""Byte order marks that name the encoding."""
_SEEN = 4_000
"""Number of bytes that are judged for zero bytes."""


def read_text(file: Path) -> str:
    """The text of a file, or of the standard input for `-`.  Raises UnreadableFile with a sentence.

    UTF-8, UTF-16 with or without a byte order mark, and GB18030 are understood.
    """
    name = "the standard input" if str(file) == "-" else str(file)
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except IsADirectoryError:
        raise UnreadableFile(f"{name} is a folder. Name a file in it.") from None
    except OSError as failure:
        raise UnreadableFile(f"{name} cannot be read: {(failure.strerror or 'unknown reason').lower()}.") from None
    return _text_of(content, name)


def _text_of(content: bytes, name: str) -> str:
    for encoding in _candidates(content):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _is_text(text):
            return text.replace("\r\n", "\n")
    raise UnreadableFile(f"{name} is no text in UTF-8, UTF-16 or GB18030. Save it as UTF-8.")


def _candidates(content: bytes) -> Iterator[str]:
    """The encodings that the bytes may be in, the most certain first."""
    if marked := next((encoding for mark, encoding in _MARKS if content.startswith(mark)), ""):
        yield marked
        return
    zeros = [content[:_SEEN][start::2].count(0) for start in (0, 1)]
    if any(zeros):  # text in UTF-8 or GB18030 has none
        yield "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
        return
    yield "utf-8"
    yield "gb18030"


def _is_text(text: str) -> bool:
    """Whether these are characters that people write: no control characters, and none without a meaning."""
    return not any(unicodedata.category(c) in ("Cc", "Cn", "Co", "Cs") and c not in "\t\n\r\f" for c in set(text))
