"""How code in the child process refuses a file: by the public code of a refusal and the words of its sentence."""

from typing import Any


class Refused(Exception):
    """`code` is that of a refusal in `models/sheet_errors.py`, `words` its parameters.  The parent raises it."""

    def __init__(self, code: str, **words: Any) -> None:
        self.code, self.words = code, words
        super().__init__(code)


UNUSUAL = {
    "parts": ("it has too many parts", "内部文件过多"),
    "overlap": ("its parts overlap", "内部文件相互重叠"),
    "twice": ("a part is in it twice", "内部文件重复"),
    "doctype": ("it declares its own document type", "含有文档类型声明"),
    "markup": ("its sheet holds markup that does not belong there", "工作表中含有不应出现的标记"),
    "encoding": ("a part is not UTF-8", "内部文件不是 UTF-8 编码"),
    "row": ("one row of it is too long", "其中一行过长"),
}
"""Why no spreadsheet program builds such a workbook, in both languages."""


def unusual(why: str) -> Refused:
    english, chinese = UNUSUAL[why]
    return Refused("SHEET_UNUSUAL", why=english, why_zh=chinese)


def damaged() -> Refused:
    return Refused("SHEET_DAMAGED")
