"""A template as a workbook: locked headings, cells that keep what is typed, drop-downs, and what each column is for."""

import io
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation

from models.choice_names import in_language
from models.workbook_marks import WORDS_SHEET
from resolvers.imports.fields import FieldKind
from resolvers.imports.templates import Template, TemplateColumn

from .marks_sheet import add_marks, text_cell
from .pages import AMOUNT, DAY, MOST_ROWS, TEXT, WHOLE, sheet_title
from .texts import cell_text

MOMENT = "yyyy-mm-dd hh:mm"
LISTS = "millpond_list_"
CHECKED_ROWS = 5_000
"""Rows in which a value that comes twice is noticed while somebody types."""
_FORMATS = {FieldKind.NUMBER: WHOLE, FieldKind.AMOUNT: AMOUNT, FieldKind.DATE: DAY, FieldKind.TIME: MOMENT}
_WIDTHS = {FieldKind.LONG_TEXT: 40, FieldKind.TIME: 18, FieldKind.DATE: 13, FieldKind.YES_NO: 9, FieldKind.NUMBER: 10}
_PLAIN, _REQUIRED = PatternFill("solid", fgColor="FFE8EEF4"), PatternFill("solid", fgColor="FFFCE9D4")
_NOTES = ("Notes", "填写说明")
_NOTES_HEAD = (("Column", "Required", "Rule", "Example"), ("列", "必填", "规则", "示例"))
_YES = ("yes", "是")
_NOT_LISTED = ("This is not in the list", "不在列表中")
_TWICE = ("This value stands in another row, too", "该值与其他行重复")
_NO_NUMBER = ("Type a number", "请输入数字")
_NO_DAY = ("Type a date", "请输入日期")


def written(plan: Template) -> bytes:
    """The template as an .xlsx file."""
    book: Any = Workbook()
    page = book.active
    page.title = sheet_title(plan.title)
    for at, column in enumerate(plan.columns, 1):
        _head(page, at, column)
        _body(page, at, column)
    page.freeze_panes = "A2"
    page.row_dimensions[1].height = 24
    _protect(page)
    _notes(book, plan)
    _validate(book, page, plan)
    add_marks(book, page.title, plan.about, [(each.key, each.heading) for each in plan.columns])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _head(page: Any, at: int, column: TemplateColumn) -> None:
    cell = page.cell(1, at)
    cell.value = cell_text(f"{column.heading} *" if column.is_required else column.heading)
    cell.data_type = "s"
    cell.font, cell.fill = Font(bold=True), _REQUIRED if column.is_required else _PLAIN
    cell.alignment = Alignment(vertical="center")
    cell.comment = Comment(column.note, "Millpond", height=120, width=280)


def _body(page: Any, at: int, column: TemplateColumn) -> None:
    """What is typed below the heading stays as it is typed, unless it is a number or a date."""
    dimension = page.column_dimensions[get_column_letter(at)]
    dimension.width = _WIDTHS.get(column.kind, max(14, min(30, 2 * len(column.heading) + 6)))
    dimension.number_format = _FORMATS.get(column.kind, TEXT)
    dimension.protection = Protection(locked=False)


def _protect(page: Any) -> None:
    """The headings alone are locked; there is no password."""
    page.protection.sheet = True
    for allowed in ("formatCells", "formatColumns", "formatRows", "insertRows", "deleteRows", "sort", "autoFilter"):
        setattr(page.protection, allowed, False)


def _notes(book: Any, plan: Template) -> None:
    page = book.create_sheet(in_language(_NOTES, plan.language))
    head = _NOTES_HEAD[plan.language.startswith("zh")]
    page.append([text_cell(page, text) for text in head])
    for cell in page[1]:
        cell.font, cell.fill = Font(bold=True), _PLAIN
    for column in plan.columns:
        required = in_language(_YES, plan.language) if column.is_required else ""
        page.append([text_cell(page, text) for text in (column.heading, required, column.rule, column.example)])
    for letter, width in zip("ABCD", (24, 10, 70, 36), strict=True):
        page.column_dimensions[letter].width = width
    page.freeze_panes = "A2"


# --- what may be typed -----------------------------------------------------------------------------------


def _validate(book: Any, page: Any, plan: Template) -> None:
    """Rules warn and do not forbid: the import knows other spellings of words, and is the one that judges."""
    lists = book.create_sheet(WORDS_SHEET)
    lists.sheet_state = "veryHidden"
    for at, column in enumerate(plan.columns, 1):
        if (rule := _rule(book, lists, at, column, plan.language)) is not None:
            letter = get_column_letter(at)
            rule.add(f"{letter}2:{letter}{MOST_ROWS}")
            page.add_data_validation(rule)


def _rule(book: Any, lists: Any, at: int, column: TemplateColumn, language: str) -> DataValidation | None:
    if column.words:
        return _made(_NOT_LISTED, language, type="list", formula1=_list(book, lists, at, column.words))
    letter = get_column_letter(at)
    if column.is_unique:
        same = f"SUMPRODUCT(--EXACT(${letter}$2:${letter}${CHECKED_ROWS},{letter}2))=1"
        return _made(_TWICE, language, type="custom", formula1=same)
    if column.kind in (FieldKind.DATE, FieldKind.TIME):
        return _made(_NO_DAY, language, type="date", operator="greaterThan", formula1="1")
    if column.kind in (FieldKind.NUMBER, FieldKind.AMOUNT):
        kind = "whole" if column.kind is FieldKind.NUMBER else "decimal"
        return _made(_NO_NUMBER, language, type=kind, operator="between", formula1="-1000000000000", formula2="1000000000000")  # fmt: skip
    return None


def _made(said: tuple[str, str], language: str, **rule: Any) -> DataValidation:
    made = DataValidation(allow_blank=True, errorStyle="warning", showErrorMessage=True, **rule)
    made.error = in_language(said, language)  # without a title, which may have 32 characters alone
    return made


def _list(book: Any, lists: Any, at: int, words: tuple[str, ...]) -> str:
    """The defined name of a list of words, which stand in a column of the hidden sheet."""
    for row, word in enumerate(words, 1):
        cell = lists.cell(row, at)
        cell.value, cell.data_type = cell_text(word), "s"
    name, letter = f"{LISTS}{at}", get_column_letter(at)
    where = f"{quote_sheetname(WORDS_SHEET)}!${letter}$1:${letter}${len(words)}"
    book.defined_names[name] = DefinedName(name, attr_text=where)
    return name
