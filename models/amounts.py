"""Amounts as people write them, and the currencies that they may be in."""

import re
import unicodedata
from decimal import Decimal
from functools import cache

from babel import Locale
from babel.numbers import get_territory_currencies

_LONGEST = 60
"""Maximum number of characters of an amount as it is typed, with separators and blanks."""
_WRITTEN = re.compile(
    r"(?P<sign>-?)[¥$€£]? ?(?P<whole>\d{1,3}(?:(?P<gap>[, '])\d{3})(?:(?P=gap)\d{3})*|\d+)(?P<part>\.\d+)?"
)


def amount_of(text: str) -> Decimal:
    """The amount that a user typed: `1,234.56`, `¥１２３４`, `1 234.5`.

    Raises ValueError for any other text: an exponent (`1e5`), or a comma before the decimals, which could mean two amounts.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"“{text[:40]}” is no amount")
    plain = unicodedata.normalize("NFKC", text).replace("\u2212", "-").replace("’", "'").strip()
    found = _WRITTEN.fullmatch(plain)
    if found is None:
        raise ValueError(f"“{text[:40]}” is no amount")
    whole = re.sub(r"\D", "", found["whole"])
    return Decimal(f"{found['sign']}{whole}{found['part'] or ''}")


@cache
def currencies() -> frozenset[str]:
    """The codes of the currencies that some country uses today (ISO 4217, from CLDR)."""
    territories = [str(x) for x in Locale("en").territories if len(str(x)) == 2]
    return frozenset(code for territory in territories for code in get_territory_currencies(territory))
