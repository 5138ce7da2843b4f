"""The custom fields that are in force for the request: set once by who is signed in, read wherever fields are derived."""

from contextvars import ContextVar

from models import Base
from models.base import is_customised
from models.custom_field import Book, Custom

_NONE = Book()
_book: ContextVar[Book] = ContextVar("book", default=_NONE)


def hold_book(book: Book) -> None:
    """Set the custom fields of the request from here on."""
    _book.set(book)


def customs_of(model: type[Base]) -> tuple[Custom, ...]:
    """The custom fields of a kind of records in the order of forms, retired ones left out."""
    return _book.get().of(model.module) if is_customised(model) else ()


def custom_keys(model: type[Base]) -> list[str]:
    """What they are called among the columns: `custom.satisfaction`."""
    return [custom.word for custom in customs_of(model)]


def custom_of(model: type[Base] | None, key: str) -> Custom | None:
    """The custom field that a key names, a retired one, too; None for any other key."""
    return _book.get().find(model.module, key) if model is not None else None
