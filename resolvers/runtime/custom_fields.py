"""Custom fields as a person knows them: those that they may see in some record are there, all others are not."""

from itertools import count

from models import Base, Customer, User
from models.base import columns
from models.custom_field import Book, Custom, CustomKind
from models.errors import Forbidden, Validation
from models.field_names import column_in_words, field_in_words
from models.headings import heading_form, is_chinese
from models.people import LANGUAGES
from policies import Principal, Snapshot
from policies.objects import MODULE_OF, field_name

from .ids import camel


def known_field(policy: Snapshot, person: Principal, model: type[Base], word: str, place: str) -> Custom:
    """The custom field `custom.<key>`.  Raises Validation, at this place of the input, for one that is not there.

    One that the person sees in no record is not there for them, so that nobody learns of it by its key.
    """
    custom = policy.book.find(model.module, word)
    if custom is None or not policy.ever(person, "view", custom.object):
        raise unknown_field(model, word, place)
    return custom


def visible_fields(policy: Snapshot, person: Principal, model: type[Base]) -> tuple[Custom, ...]:
    """The fields that the person may see in some record, in the order of forms, retired ones left out."""
    return tuple(x for x in policy.book.of(model.module) if policy.ever(person, "view", x.object))


def visible_book(policy: Snapshot, person: Principal) -> Book:
    """The book without the fields that the person sees in no record: to them they are like those that there are not."""
    if not policy.book.fields:
        return policy.book
    seen = {key: x for key, x in policy.book.fields.items() if policy.ever(person, "view", x.object)}
    return Book(seen, policy.book.revision)


def names_in_files(policy: Snapshot, person: Principal, model: type[Base]) -> dict[str, tuple[str, str]]:
    """`custom.<key>` -> what columns of files are called in English and Chinese, no two of them alike.

    A field that is called like a column, or like an older field that the person sees, has a number behind its name.
    """
    keys = [*(column.key for column in columns(model)), *_BESIDE.get(model, ())]
    taken: set[str] = {heading_form(name) for key in keys for name in column_in_words(model.__tablename__, key)}
    found = {}
    for custom in sorted(visible_book(policy, person).all_of(model.module), key=lambda x: x.id):
        english, chinese = (_apart(custom.label(language), taken) for language in LANGUAGES)
        found[custom.word] = (english, chinese)
        taken |= {heading_form(english), heading_form(chinese)}
    return found


def _apart(label: str, taken: set[str]) -> str:
    """The label, or the label with the first number with which it stands for nothing else."""
    mark = "" if is_chinese(label[-1:]) else " "
    ways = (label if n == 1 else f"{label[:_COMPARED]}{mark}{n}" for n in count(1))
    return next(name for name in ways if heading_form(name) not in taken)


_COMPARED = 180
"""Number of characters of a label before the number behind it: of a heading 200 are compared."""
_BESIDE: dict[type[Base], tuple[str, ...]] = {
    Customer: ("contact_name", "contact_title", "contact_phone", "contact_email")
}
"""Columns of files beside those of a kind of records."""


def unknown_field(model: type[Base], word: str, place: str) -> Validation:
    """The refusal of a custom field that is not there."""
    key = word.partition(".")[2].replace("\0", "")[:40]
    return Validation(
        f"{model.names.many} have no custom field “{key}”.", f"{model.names.zh}没有自定义字段“{key}”。", field=place
    )


def called(policy: Snapshot, model: type[Base], key: str) -> tuple[str, str]:
    """What a field is called at the beginning of a sentence, in English and Chinese; a custom one by its own labels."""
    custom = policy.book.find(model.module, key)
    return custom.named.names if custom is not None else field_in_words(key)


def may_not_set(policy: Snapshot, model: type[Base], key: str) -> Forbidden:
    """The refusal to set a field of a record that the person sees."""
    custom = policy.book.find(model.module, key)
    names = {} if custom is None else {"called": custom.label("en"), "called_zh": custom.label("zh")}
    return Forbidden(action=f"{model.module}.{field_name(key)}", field=camel(key), **names)


def referred_kind(custom: Custom) -> type[Base] | None:
    """The kind of records that a person or a reference is; None for any other field."""
    if custom.kind is CustomKind.PERSON:
        return User
    is_reference = custom.kind is CustomKind.REFERENCE
    return next((model for model, module in MODULE_OF.items() if is_reference and module == custom.target), None)
