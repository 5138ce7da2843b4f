"""Refusals of import files: why a file is not read, and what the user does about it."""

from .refusal import Refusal


class SheetEmpty(Refusal):
    sentence = "There is nothing in this file. Save the sheet with its rows and choose it again."
    zh = "文件中没有内容。请在表格中保存数据后重新选择。"


class SheetTooLarge(Refusal):
    sentence = "The file is larger than {limit} MiB. Split it into several files, or remove pictures from it."
    zh = "文件超过 {limit} MiB。请拆分为多个文件，或删除其中的图片。"


class NoSheet(Refusal):
    """`kind` says what the file is, as far as its first bytes show."""

    sentence = "This file is {kind}. Open it in Excel or WPS, save it as .xlsx or .csv, and choose that file."
    zh = "此文件是{kind}。请用 Excel 或 WPS 打开，另存为 .xlsx 或 .csv 后再选择。"


class SheetHasPassword(Refusal):
    sentence = "The file is protected by a password. Save a copy without the password and choose that one."
    zh = "文件设有密码。请另存一份不带密码的副本后再选择。"


class SheetDamaged(Refusal):
    sentence = "The file is damaged, or was not uploaded completely. Open it in Excel or WPS, save it anew and choose it again."
    zh = "文件已损坏或上传不完整。请用 Excel 或 WPS 打开并重新保存后再选择。"


class SheetUnusual(Refusal):
    sentence = "No spreadsheet program saves a workbook like this one: {why}. Open it in Excel or WPS and save it as a new .xlsx."
    zh = "此工作簿的结构异常：{why}。请用 Excel 或 WPS 打开并另存为新的 .xlsx。"


class SheetUnpacksTooLarge(Refusal):
    sentence = (
        "The file unpacks to far more than it may. Copy the rows that you need into a new workbook and save that."
    )
    zh = "文件解压后过大。请将需要的行复制到新工作簿中保存后再选择。"


class TooManyColumns(Refusal):
    sentence = "The sheet “{sheet}” has more than {limit} columns. Delete those that you do not need, also empty ones at the right."
    zh = "工作表“{sheet}”超过 {limit} 列。请删除不需要的列，包括右侧的空列。"


class TooManyRows(Refusal):
    sentence = "The sheet “{sheet}” has more than {limit} rows. Split it into several files."
    zh = "工作表“{sheet}”超过 {limit} 行。请拆分为多个文件。"


class TooManyCells(Refusal):
    sentence = "The cells of “{sheet}” lie too far apart: {rows} rows by {columns} columns. Delete stray cells, or split the sheet."
    zh = "工作表“{sheet}”范围过大：{rows} 行 × {columns} 列。请删除零散的单元格，或拆分工作表。"


class CellTooLong(Refusal):
    sentence = "Cell {cell} holds more than {limit} characters. Shorten it. In a .csv, check that each quotation mark is closed."
    zh = "单元格 {cell} 超过 {limit} 个字符，请缩短。如为 .csv，请检查引号是否成对。"


class TooMuchText(Refusal):
    sentence = "The cells hold more than {limit} MiB of text. Split the sheet into several files."
    zh = "单元格文本总量超过 {limit} MiB。请拆分为多个文件。"


class SheetTooHeavy(Refusal):
    sentence = (
        "Reading the file needs too much memory or time. Copy the rows into a new workbook, or save the sheet as .csv."
    )
    zh = "读取该文件所需的内存或时间过多。请将数据复制到新工作簿，或另存为 .csv 后再选择。"


class SheetUnknown(Refusal):
    sentence = "The file has no sheet “{sheet}” any more. Choose one of: {sheets}."
    zh = "文件中没有工作表“{sheet}”。请选择：{sheets}。"


class NoHeaderRow(Refusal):
    sentence = "The sheet “{sheet}” has no row {row}. Choose the row with the headers."
    zh = "工作表“{sheet}”没有第 {row} 行。请选择表头所在的行。"


class WrongEncoding(Refusal):
    sentence = "The file is not written in {encoding}: line {line} cannot be read so. Choose another encoding."
    zh = "文件编码不是 {encoding}：第 {line} 行无法读取。请选择其他编码。"


class NotText(Refusal):
    sentence = "The file holds characters that no text has, in line {line}. Save the sheet as .xlsx, or as CSV UTF-8."
    zh = "文件第 {line} 行含有非文本字符。请将表格另存为 .xlsx 或 CSV UTF-8。"


class QuoteNotClosed(Refusal):
    sentence = "A quotation mark in row {row} is not closed. Correct the file, or save the sheet as .xlsx."
    zh = "第 {row} 行的引号未成对。请修正文件，或另存为 .xlsx。"
