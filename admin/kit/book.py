"""The custom fields of the request: those that its user sees, set once when they are known, read wherever fields are derived."""

from collections.abc import Mapping
from contextvars import ContextVar

from models import Base
from models.base import is_customised
from models.custom_field import Book, Custom
from resolvers.reading.condition_fields import ConditionField, fields_of
from resolvers.reading.custom_conditions import condition_field

_NONE = Book()
_book: ContextVar[Book] = ContextVar("book", default=_NONE)
_whole: ContextVar[Book] = ContextVar("whole", default=_NONE)


def hold_book(book: Book = _NONE, whole: Book | None = None) -> None:
    """Set the custom fields of the request from here on; without a book there are none.

    `whole`: those that the user does not see, too, for the screens of the policy, which name every field.
    """
    _book.set(book)
    if whole is not None:
        _whole.set(whole)


def named_in_policy(module: str, key: str) -> Custom | None:
    """The custom field that a policy line names, whoever sees it; None for any other word."""
    return _whole.get().find(module, key)


def held_book() -> Book:
    """The custom fields that the user of the request sees in some record, retired ones included."""
    return _book.get()


def customs_of(model: type[Base]) -> tuple[Custom, ...]:
    """The custom fields of a kind of records in the order of forms, retired ones left out."""
    return _book.get().of(model.module) if is_customised(model) else ()


def custom_keys(model: type[Base]) -> list[str]:
    """What they are called among the columns: `custom.satisfaction`."""
    return [custom.word for custom in customs_of(model)]


def custom_of(model: type[Base] | None, key: str) -> Custom | None:
    """The custom field that a key names, a retired one, too; None for any other key."""
    return _book.get().find(model.module, key) if model is not None else None


def known_fields(model: type[Base]) -> Mapping[str, ConditionField]:
    """Name -> what conditions can ask about: columns, computed values, and custom fields with retired ones."""
    if not is_customised(model) or not (customs := _book.get().all_of(model.module)):
        return fields_of(model)
    found = {custom.word: condition_field(_book.get(), model, custom.word) for custom in customs}
    return {**fields_of(model), **{word: field for word, field in found.items() if field is not None}}
