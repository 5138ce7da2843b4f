"""Files for spreadsheets: workbooks and CSV that hold texts as texts, whatever a person has typed into them."""

from models.export import ExportFormat
from resolvers.exports.writing import Book, Sheet

from .csv_book import CsvBook
from .xlsx_book import XlsxBook


def book_for(sheet: Sheet) -> Book:
    """An empty book of the format that the sheet asks for."""
    return CsvBook(sheet) if sheet.format is ExportFormat.CSV else XlsxBook(sheet)
