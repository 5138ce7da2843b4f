"""Write `models/simplified.txt`, the simplified form of traditional characters, from OpenCC (Apache licence 2.0).

Keys of duplicates and of the search are stored, so the forms are a file of this repository: an upgrade of a library
must not change them.  A new file needs a migration that fills the keys again.

    pip install opencc==1.4.2
    python -m millpond.new_simplified
"""

import importlib
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from models.simplified import DATA

_BLOCKS = (range(0x3400, 0xA000), range(0xF900, 0xFB00))
"""Chinese characters in two bytes: the basic block, its first extension, and the compatibility forms."""


def lines() -> Iterator[str]:
    """A line for each simplified character, followed by the characters that become it."""
    converter: Any = importlib.import_module("opencc").OpenCC("t2s")
    forms: dict[str, str] = defaultdict(str)
    for character in (chr(code) for block in _BLOCKS for code in block):
        simple = converter.convert(character)
        if simple != character and len(simple) == 1 and simple < "\U00010000":
            forms[simple] += character
    yield from (f"{simple} {forms[simple]}" for simple in sorted(forms))


if __name__ == "__main__":
    text = "\n".join(lines())
    DATA.write_text(f"{text}\n", encoding="utf-8")
    sys.stdout.write(f"{DATA}: {len(text.encode()):,} bytes\n")
