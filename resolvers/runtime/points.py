"""Phone numbers and e-mail addresses as inputs: what cannot be one is refused, wherever it is given."""

import re
import unicodedata

from models.contact import PointKind

from .inputs import badly_formed


def check_point(kind: PointKind, value: str, field: str = "points") -> None:
    """Raise Validation for a value that cannot be a phone number or an e-mail address, or holds two numbers."""
    if kind is PointKind.PHONE and len(numbers := _numbers_in(value)) > 1:
        raise badly_formed(
            field,
            f"“{value}” holds {len(numbers)} phone numbers. Use one field for each.",
            f"“{value}”包含 {len(numbers)} 个电话号码，请分别填写。",
            numbers[0],
            whole=True,
        )
    if kind is PointKind.PHONE and not 3 <= sum(c.isdigit() for c in value) <= 20:
        raise badly_formed(
            field, f"“{value}” is no phone number.", f"“{value}”不是有效的电话号码。", "138 0013 8000", whole=True
        )
    if kind is PointKind.EMAIL and ("@" not in value.strip("@") or " " in value):
        raise badly_formed(
            field, f"“{value}” is no e-mail address.", f"“{value}”不是有效的邮箱地址。", "li.na@example.com", whole=True
        )


def _numbers_in(value: str) -> list[str]:
    """The whole phone numbers in a text; an extension is no number of its own."""
    parts = _BETWEEN_NUMBERS.split(unicodedata.normalize("NFKC", value))
    return [part for part in parts if sum(c.isdigit() for c in part) >= _DIGITS_OF_A_NUMBER]


_BETWEEN_NUMBERS = re.compile(r"[/\\|,;、\n]|\s(?=\+|1\d{10}\b)|\b(?:or|and)\b|[或和]")
_DIGITS_OF_A_NUMBER = 7
