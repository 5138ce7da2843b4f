"""Whether the values of a column fit a field: phone numbers, words of its dictionary, names of companies."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from models.text import fold

from .cells import SHAPE_NAMES, Cells, Shape
from .fields import FieldKind, ImportField

Words = Mapping[str, Collection[str]]
"""Code of a dictionary -> every spelling of its words, folded."""

_OF_KIND = {
    FieldKind.PHONE: Shape.PHONE,
    FieldKind.EMAIL: Shape.EMAIL,
    FieldKind.NUMBER: Shape.NUMBER,
    FieldKind.AMOUNT: Shape.NUMBER,
    FieldKind.DATE: Shape.DATE,
    FieldKind.TIME: Shape.DATE,
    FieldKind.YES_NO: Shape.YES_NO,
    FieldKind.LONG_TEXT: Shape.LONG,
    FieldKind.PERSON: Shape.PERSON,
}
_OF_KEY = {
    "customer.name": Shape.COMPANY,
    "customer_id": Shape.COMPANY,
    "contact_name": Shape.PERSON,
    "contact.name": Shape.PERSON,
    "contact_id": Shape.PERSON,
    "app_user.name": Shape.PERSON,
    "address": Shape.ADDRESS,
    "registration_number": Shape.REGISTRATION,
    "number": Shape.CODE,
    "customer_number": Shape.CODE,
    "login": Shape.CODE,
}
STRICT = frozenset((Shape.PHONE, Shape.EMAIL, Shape.NUMBER, Shape.DATE, Shape.YES_NO))
"""Shapes that nearly all values of such a field have."""
_TELLING = (Shape.EMAIL, Shape.LINK, Shape.DATE, Shape.PHONE, Shape.NUMBER, Shape.YES_NO)
"""Shapes that say what a column is, in this order."""
_FOREIGN_TO = {
    Shape.COMPANY: frozenset((*_TELLING, Shape.CODE, Shape.REGISTRATION)),
    Shape.PERSON: frozenset((*_TELLING, Shape.REGISTRATION)),
    Shape.ADDRESS: frozenset(_TELLING),
    Shape.CODE: frozenset((Shape.LINK, Shape.DATE)),
    Shape.REGISTRATION: frozenset((Shape.EMAIL, Shape.LINK, Shape.DATE)),
}
FEWEST = 3
"""Fewest values that say anything against a heading."""
_MOST, _SOME = 0.5, 0.2


@dataclass(frozen=True)
class Fit:
    """How the values stand to a field: `fits`, `differs` or neither.  `count` of `total` are `what`, in both languages."""

    fits: bool = False
    differs: bool = False
    count: int = 0
    total: int = 0
    what: tuple[str, str] = ("", "")


def fit_of(field: ImportField, cells: Cells, words: Words) -> Fit:
    """How these cells stand to a field."""
    if (known := _words_of(field, words)) is not None:
        count = cells.among(known)
        said = (f"words of {field.label[0]}", f"“{field.label[1]}”的词条")
        return Fit(bool(cells.count) and count / cells.count >= _MOST, False, count, cells.count, said)
    shape = shape_of(field)
    if shape is None:
        return _fit_of_text(cells)
    if shape is Shape.CODE and cells.count >= FEWEST and cells.is_run:
        return Fit(False, True, cells.count, cells.count, ("numbers of rows", "行号"))
    count, share = cells.shapes.get(shape, 0), cells.share(shape)
    if share >= _MOST:
        return Fit(True, False, count, cells.count, SHAPE_NAMES[shape])
    enough = cells.count >= FEWEST
    if shape in STRICT:
        return Fit(False, enough and share < _SOME, count, cells.count, SHAPE_NAMES[shape])
    other = telling(cells, _FOREIGN_TO.get(shape, frozenset())) if enough and share < _SOME else None
    if other is None:
        return Fit(total=cells.count)
    return Fit(False, True, cells.shapes[other], cells.count, SHAPE_NAMES[other])


def telling(cells: Cells, among: Collection[Shape] = _TELLING) -> Shape | None:
    """The shape among these that most of the values have."""
    return next(
        (
            shape
            for shape in (*_TELLING, Shape.CODE, Shape.REGISTRATION)
            if shape in among and cells.share(shape) > _MOST
        ),
        None,
    )


def shape_of(field: ImportField) -> Shape | None:
    """The shape that values of a field have; None for a text of any."""
    return _OF_KEY.get(f"{field.table}.{field.key}") or _OF_KEY.get(field.key) or _OF_KIND.get(field.kind)


def _fit_of_text(cells: Cells) -> Fit:
    other = telling(cells, (Shape.EMAIL, Shape.LINK, Shape.DATE)) if cells.count >= FEWEST else None
    return Fit(False, True, cells.shapes[other], cells.count, SHAPE_NAMES[other]) if other else Fit(total=cells.count)


def _words_of(field: ImportField, words: Words) -> Collection[str] | None:
    if field.kind is FieldKind.CHOICE:
        return frozenset(fold(word) for choice in field.choices for word in choice.words)
    return words.get(field.dictionary) if field.dictionary else None
