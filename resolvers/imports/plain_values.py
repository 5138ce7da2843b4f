"""What a cell of a sheet comes to, where no other cell has a say: text, a number, yes or no.

Each takes a cell (`models/sheet_cells.py`), returns None for a blank one, and raises a refusal of `models/cell_errors.py`.
"""

import re
import unicodedata
from decimal import Decimal

from models.amounts import amount_of, currencies
from models.errors import CellHoldsError, DigitsLost, FormulaNotCalculated, NoNumber, NotYesOrNo
from models.sheet_cells import ERROR, FORMULA, LOST, Cell, text

_SHOWN = 40
"""Characters of a cell that a refusal quotes."""
_LONGEST = 60
_UNITS = {"百": 100, "千": 1_000, "万": 10_000, "萬": 10_000, "亿": 10**8, "億": 10**8}
_CURRENCY = "|".join(("美元", "欧元", "人民币", "RMB", "[A-Z]{3}"))
_YUAN = "|".join(("元整", "圆整", "元", "圆"))
_MONEY = re.compile(rf"^(?:CN¥|US\$|HK\$|NT\$|{_CURRENCY})(?=[\s\d¥$€£.+-])\s*|\s*(?:{_CURRENCY}|{_YUAN})$")
_FACTOR = re.compile(r"\s*([百千]?[万萬亿億]|[百千])$")
_BRACKETED = re.compile(r"\((.+)\)")
_TWO_MARKS = re.compile(r"[-+]?\D?\d{1,3}(?:\.\d{3})+,\d+")
"""1.234,56: the last mark is the decimal one, because the other stands between groups of three."""
_YES = frozenset({"是", "有", "对", "真", "√", "✓", "✔", "☑", "y", "yes", "true", "t", "on", "1", "启用", "已启用", "开", "需要", "同意", "enabled", "active"})  # fmt: skip
_NO = frozenset(
    [
        "否",
        "无",
        "错",
        "假",
        "不",
        "没有",
        "×",
        "✗",
        "✘",
        "x",
        "☐",
        "n",
        "no",
        "false",
        "f",
        "off",
        "0",
        "停用",
        "禁用",
        "未启用",
        "关",
        "不需要",
        "不同意",
        "disabled",
        "inactive",
    ]
)


def text_of(cell: Cell) -> str | None:
    """What a person sees in the cell, with blanks at its ends removed.

    Raises CellHoldsError, DigitsLost, FormulaNotCalculated.
    """
    if isinstance(cell, list):
        kind, said = cell
        if kind == ERROR:
            raise CellHoldsError(error=said)
        if kind == LOST:
            raise DigitsLost(text=said)
        if kind == FORMULA:
            raise FormulaNotCalculated
    return text(cell).strip() or None


def number_of(cell: Cell, *, in_percent: bool = False) -> Decimal | None:
    """The number in a cell: `1,234.50`, `¥１２３４`, `3.5万`, `(120)`, `15%`.

    `in_percent`: the field counts percent, so `15%` is 15; elsewhere it is 0.15.  Raises NoNumber, and what `text_of` raises.
    """
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return Decimal(repr(cell))
    if (said := text_of(cell)) is None:
        return None
    if isinstance(cell, bool):
        raise NoNumber(text=said)
    try:
        return _number(said, in_percent=in_percent)
    except ValueError:
        raise NoNumber(text=said[:_SHOWN]) from None


def yes_no_of(cell: Cell) -> bool | None:
    """Yes or no: `是`, `否`, `yes`, `N`, `√`, 1, 0.  Raises NotYesOrNo, and what `text_of` raises."""
    if (said := text_of(cell)) is None:
        return None
    word = unicodedata.normalize("NFKC", said[:_SHOWN]).casefold()
    if word not in _YES and word not in _NO:
        raise NotYesOrNo(text=said[:_SHOWN])
    return word in _YES


def _number(said: str, *, in_percent: bool) -> Decimal:
    if len(said) > _LONGEST:
        raise ValueError
    plain = unicodedata.normalize("NFKC", said).replace("\u2212", "-").strip()
    if bracketed := _BRACKETED.fullmatch(plain):
        return -_number(bracketed[1], in_percent=in_percent) if bracketed[1][:1] not in "-(" else _refuse()
    if plain.endswith("%"):
        share = _number(plain[:-1], in_percent=in_percent)
        return share if in_percent else share / 100
    plain = _without_money(plain)
    factor = 1
    if found := _FACTOR.search(plain):
        plain, factor = plain[: found.start()], _product(found[1])
    if _TWO_MARKS.fullmatch(plain):
        plain = plain.replace(".", "").replace(",", ".")
    return amount_of(plain.removeprefix("+").lstrip()) * factor


def _refuse() -> Decimal:
    raise ValueError


def _without_money(plain: str) -> str:
    """Without names of currencies; three letters that are none stay, and are no number then."""

    def strip(match: re.Match[str]) -> str:
        word = match[0].strip()
        return (
            match[0]
            if len(word) == 3 and word.isascii() and word.isalpha() and word not in {"RMB", *currencies()}
            else ""
        )

    return _MONEY.sub(strip, plain)


def _product(units: str) -> int:
    product = 1
    for unit in units:
        product *= _UNITS[unit]
    return product
