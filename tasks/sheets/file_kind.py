"""What a file is by its first bytes, whatever its name ends in, and the reader for it."""

import os
from typing import BinaryIO

from .limits import MIB, Limits
from .overview import Choices
from .refused import Refused, damaged
from .table import Table

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "a PDF", "PDF 文件"),
    (b"\x89PNG", "a picture", "图片"),
    (b"\xff\xd8\xff", "a picture", "图片"),
    (b"GIF8", "a picture", "图片"),
    (b"Rar!", "an archive of other files: unpack it first", "压缩包（请先解压）"),
    (b"7z\xbc\xaf", "an archive of other files: unpack it first", "压缩包（请先解压）"),
    (b"\x1f\x8b", "an archive of other files: unpack it first", "压缩包（请先解压）"),
    (b"{\\rtf", "a document", "文档"),
)
_MARKUP: tuple[tuple[bytes, str, str], ...] = (
    (b"<!doctype html", "a web page", "网页"),
    (b"<html", "a web page", "网页"),
    (b"<table", "a web page", "网页"),
    (b"<?xml", "an XML file", "XML 文件"),
)


def open_table(path: str, name: str, choices: Choices, limits: Limits, *, count_sheets: bool) -> Table:
    """The table in a file.  Refuses empty and oversized files, and those that are neither workbook nor text."""
    size = os.path.getsize(path)
    if size == 0:
        raise Refused("SHEET_EMPTY")
    if size > limits.file_mib * MIB:
        raise Refused("SHEET_TOO_LARGE", limit=limits.file_mib)
    file = open(path, "rb")  # noqa: SIM115  # the process that reads ends with the file
    head = file.read(512)
    file.seek(0)
    if head.startswith(ZIP):
        return _workbook(file, path, name, choices, limits, count_sheets=count_sheets)
    if head.startswith(b"PK"):
        raise damaged()
    if head.startswith(OLE):
        return _old_workbook(file, path, name, choices, limits, count_sheets=count_sheets)
    _refuse_others(head)
    from .csv_file import open_csv

    return open_csv(file, name, choices, limits)


def _workbook(file: BinaryIO, path: str, name: str, choices: Choices, limits: Limits, *, count_sheets: bool) -> Table:
    from .workbook import open_workbook

    table = open_workbook(file, path, choices, limits, count_sheets=count_sheets)
    table.name = name
    return table


def _old_workbook(
    file: BinaryIO, path: str, name: str, choices: Choices, limits: Limits, *, count_sheets: bool
) -> Table:
    if _PACKAGE in file.read():
        raise Refused("SHEET_HAS_PASSWORD")
    from .old_workbook import open_old_workbook

    table = open_old_workbook(path, choices, limits, count_sheets=count_sheets)
    table.name = name
    return table


def _refuse_others(head: bytes) -> None:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, english, chinese in _OTHERS:
        if head.startswith(magic):
            raise Refused("NO_SHEET", kind=english, kind_zh=chinese)
    for magic, english, chinese in _MARKUP:
        if start.startswith(magic):
            raise Refused("NO_SHEET", kind=english, kind_zh=chinese)
