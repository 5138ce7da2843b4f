"""Custom fields as a person knows them: those that they may see in some record are there, all others are not."""

from models import Base, User
from models.custom_field import Book, Custom, CustomKind
from models.errors import Forbidden, Validation
from models.field_names import field_in_words
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
