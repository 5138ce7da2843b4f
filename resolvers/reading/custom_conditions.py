"""What conditions ask about custom fields: the type of each, and with it the operators."""

from collections.abc import Mapping

from models import Base
from models.custom_field import Book, CustomKind

from ..runtime.custom_fields import referred_kind
from .condition_fields import ConditionField, Kind


def condition_field(book: Book, model: type[Base], name: str) -> ConditionField | None:
    """What a condition can ask about a custom field; None for any other name."""
    custom = book.find(model.module, name)
    if custom is None:
        return None
    return ConditionField(
        name,
        name,
        _KINDS[custom.kind],
        referred_kind(custom),
        custom.dictionary,
        labels=(custom.label("en"), custom.label("zh")),
    )


_KINDS: Mapping[CustomKind, Kind] = {
    CustomKind.TEXT: Kind.TEXT,
    CustomKind.LONG_TEXT: Kind.TEXT,
    CustomKind.NUMBER: Kind.NUMBER,
    CustomKind.MONEY: Kind.AMOUNT,
    CustomKind.DATE: Kind.DAY,
    CustomKind.MOMENT: Kind.MOMENT,
    CustomKind.YES_NO: Kind.YES_NO,
    CustomKind.SINGLE_CHOICE: Kind.WORD,
    CustomKind.MULTIPLE_CHOICE: Kind.WORDS,
    CustomKind.PHONE: Kind.TEXT,
    CustomKind.EMAIL: Kind.TEXT,
    CustomKind.LINK: Kind.TEXT,
    CustomKind.PERSON: Kind.RECORD,
    CustomKind.REFERENCE: Kind.RECORD,
}
