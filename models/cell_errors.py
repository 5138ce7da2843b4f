"""Refusals of single cells of a sheet: what is wrong with the cell, and what the user does about it."""

from .refusal import Refusal


class CellHoldsError(Refusal):
    sentence = "The cell holds the error {error}. Correct it in the sheet."
    zh = "单元格为错误值 {error}，请在表格中更正。"


class DigitsLost(Refusal):
    """`text` is what is left of the number."""

    sentence = "{text}: the file does not hold all digits of this number. Format the column as text and enter it again."
    zh = "{text}：该数字的部分位数已丢失。请将该列设为文本格式后重新填写。"


class FormulaNotCalculated(Refusal):
    sentence = "The cell holds a formula without a result. Open the file in Excel and save it."
    zh = "公式没有计算结果。请用 Excel 打开文件并保存后重新上传。"


class NoDate(Refusal):
    sentence = "“{text}” is no date. Write it like 2026/6/30."
    zh = "“{text}”不是日期，请按 2026/6/30 的格式填写。"


class OtherDateOrder(Refusal):
    """`order` and `order_zh` say how the dates of the column are written."""

    sentence = "“{text}” is written in another order than the other dates of this column ({order}). Write it like them."
    zh = "“{text}”与该列其他日期的顺序（{order}）不同，请按相同格式填写。"


class NoNumber(Refusal):
    sentence = "“{text}” is no number. Write it like 1234.50."
    zh = "“{text}”不是数字，请按 1234.50 的格式填写。"


class NotYesOrNo(Refusal):
    sentence = "“{text}” is neither yes nor no."
    zh = "“{text}”无法识别，请填写“是”或“否”。"
