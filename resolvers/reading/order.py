"""Order and cursor of lists as SQLAlchemy clauses under policy: names by their sort keys, words by their positions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import BigInteger, and_, case, cast, false, func, literal, literal_column, or_, select

from models import Base, Dictionary, DictionaryItem
from models.base import column_of, columns, sort_key_of, trait_of
from models.custom_field import Book, Custom, is_custom
from models.custom_sql import type_of
from models.errors import Validation
from policies.objects import field_name

from ..runtime.custom_fields import known_field
from ..runtime.viewer import UNGUARDED, Clause, Value, Viewer
from .clauses import COMPUTED, value


@dataclass(frozen=True)
class Key:
    """One sort key.  NULLs come last in both directions; first only in an order that is read backwards."""

    name: str
    descending: bool
    nullable: bool
    empty_first: bool = False
    custom: Custom | None = None
    """The custom field by which it sorts, if it is one."""

    def back(self) -> "Key":
        """The same key for reading backwards."""
        return replace(self, descending=not self.descending, empty_first=self.nullable and not self.empty_first)

    def order(self, column: Value) -> Value:
        ordered = column.desc() if self.descending else column.asc()
        if not self.nullable:
            return ordered
        return ordered.nulls_first() if self.empty_first else ordered.nulls_last()

    def after(self, column: Value, at: Any) -> Clause:
        """Condition: the row comes after `at` by this key alone."""
        if at is None:
            return column.is_not(None) if self.empty_first else false()
        later = column < at if self.descending else column > at
        return or_(later, column.is_(None)) if self.nullable and not self.empty_first else later

    def same(self, column: Value, at: Any) -> Clause:
        clause: Clause = column.is_(None) if at is None else column == at
        return clause


def order_of(
    viewer: Viewer, model: type[Base], asked: Sequence[tuple[str, bool]], tree: Mapping[str, Any] | None = None
) -> list[Key]:
    """The sort keys of a list: (name, descending) as asked for, else the model's own; the id breaks ties.

    `tree` is the filter of the list: a key that it requires to be not NULL can be sorted by an index.
    """
    conditions = (tree or {}).items()
    filled = {key for key, wanted in conditions if isinstance(wanted, Mapping) and wanted.get("is_null") is False}
    default = getattr(model, "order", "-id")
    steps = list(asked) or [(default.lstrip("-"), default.startswith("-"))]
    keys = [
        Key(name, down, _may_be_empty(viewer, model, name, filled), custom=_custom(viewer, model, name))
        for name, down in dict(steps).items()
        if name != "id"
    ]
    if "id" in dict(steps):
        keys = keys[: [name for name, _ in steps].index("id")]
    return [*keys, Key("id", dict(steps).get("id", steps[-1][1]), nullable=False)]


def _may_be_empty(viewer: Viewer, model: type[Base], name: str, filled: Collection[str]) -> bool:
    """Whether some row has nothing to sort by: the position of a word may be gone although the value is there."""
    if dictionary_of(viewer.policy.book, model, name) is not None or labelled_by(model, name) is not None:
        return True
    return name not in filled and (is_custom(name) or _nullable(viewer, model, name))


def _custom(viewer: Viewer, model: type[Base], name: str) -> Custom | None:
    """The custom field of this name.  Raises Validation for one by which the viewer cannot order."""
    if not is_custom(name):
        return None
    custom = known_field(viewer.policy, viewer.person, model, name, "orderBy")
    if not custom.is_sorted:
        raise Validation(
            f"A list cannot be ordered by “{custom.label('en')}”.",
            f"列表不能按“{custom.label('zh')}”排序。",
            field="orderBy",
        )
    return custom


def _nullable(viewer: Viewer, model: type[Base], name: str) -> bool:
    if (model, name) in COMPUTED:
        return False
    guard = viewer.guard(model, field_name(name), model.__table__.c)
    return bool(model.__table__.c[sort_key_of(model, name) or name].nullable) or guard is not None


def after_cursor(keys: Sequence[Key], values: Sequence[Value], at: Sequence[Any]) -> Clause:
    """Condition: the row comes after the row with the key values `at`."""
    at = [literal(a) if isinstance(a, bool) else a for a in at]  # SQLAlchemy does not compare a column with a bare bool
    steps = []
    for n, key in enumerate(keys):
        same = [k.same(v, a) for k, v, a in zip(keys[:n], values, at, strict=False)]
        steps.append(and_(*same, key.after(values[n], at[n])))
    first, value_, at_ = keys[0], values[0], at[0]
    if len(keys) == 1 or first.nullable:
        return or_(*steps)
    # Changes no result, but lets an index scan begin at the right place.
    return and_(value_ <= at_ if first.descending else value_ >= at_, or_(*steps))


def orderable(model: type[Base]) -> list[str]:
    """The keys by which a list can be ordered: columns except foreign keys, JSON and long text."""
    simple = [c.key for c in columns(model) if not c.foreign_keys and c.type.__class__.__name__ not in ("JSON", "Text")]
    return [key for key in simple if key != "delete_batch_id"]


_LABEL = "_label"
"""Ends the key of an order by what people read: `stage_label` sorts by the labels of stages in the reader's language."""


def orderable_labels(model: type[Base]) -> list[str]:
    """The keys by which a list can be ordered by the labels of words: `stage_label`."""
    return [f"{key}{_LABEL}" for key in orderable(model) if column_dictionary(model, key)]


def labelled_by(model: type[Base], key: str) -> str | None:
    """The column of words whose labels `key` sorts by; None for any other key."""
    column = key.removesuffix(_LABEL)
    return column if column != key and column_dictionary(model, column) is not None else None


# --- what is sorted by ---


def order_value(viewer: Viewer, model: type[Base], e: Any, key: str) -> Value:
    """What a list is sorted by that is ordered by `key`: its sort key, a word's position or label, or the value itself.

    NULL where the viewer may not see the value, so that the order tells nothing about it.
    """
    labelled = labelled_by(model, key)
    if labelled is not None:
        return _label_key(viewer, str(column_dictionary(model, labelled)), value(viewer, model, e, labelled))
    other = sort_key_of(model, key) if key not in UNGUARDED else None
    if other is not None:
        guard = viewer.guard(model, field_name(key), e)
        column: Value = getattr(e, other)
        return column if guard is None else case((guard, column), else_=None)
    plain = value(viewer, model, e, key)
    dictionary = dictionary_of(viewer.policy.book, model, key)
    return plain if dictionary is None else word_position(dictionary, plain)


def order_type(model: type[Base], key: Key) -> Any:
    """The type of `order_value`."""
    if key.custom is not None:
        return BigInteger() if key.custom.dictionary else type_of(key.custom.kind)
    name = key.name
    if labelled_by(model, name) is not None:
        return DictionaryItem.__table__.c.label_en_key.type
    return BigInteger() if column_dictionary(model, name) else model.__table__.c[sort_key_of(model, name) or name].type


def dictionary_of(book: Book, model: type[Base], key: str) -> str | None:
    """The code of the dictionary whose words a column or a custom field holds."""
    custom = book.find(model.module, key)
    return custom.dictionary if custom is not None else column_dictionary(model, key)


def column_dictionary(model: type[Base], key: str) -> str | None:
    """The code of the dictionary whose words a column holds."""
    return trait_of(column_of(model, key)).dictionary if key in model.__table__.c else None


def word_position(dictionary: str, word: Value) -> Value:
    """The place of a word in its dictionary, in the order in which forms offer it; NULL for one that is not there."""
    item = DictionaryItem.__table__.alias()
    place = cast(item.c.position, BigInteger) * literal_column(str(2**32)) + item.c.id
    return _of_word(item, place, dictionary, word)


def _label_key(viewer: Viewer, dictionary: str, word: Value) -> Value:
    """The sort key of the label of a word in the reader's language, as the lists show it."""
    item = DictionaryItem.__table__.alias()
    english, chinese = item.c.label_en_key, item.c.label_zh_key
    key = func.coalesce(chinese, english) if viewer.language.startswith("zh") else english
    return _of_word(item, key, dictionary, word, viewer.one_by_one.rows(DictionaryItem, item.c))


def word_label(viewer: Viewer, dictionary: str, word: Value) -> Value:
    """The label of a word in the reader's language; NULL where its dictionary has none that they may see."""
    item = DictionaryItem.__table__.alias()
    label = func.coalesce(item.c.label_zh, item.c.label_en) if viewer.language.startswith("zh") else item.c.label_en
    return _of_word(item, label, dictionary, word, viewer.one_by_one.rows(DictionaryItem, item.c))


def _of_word(item: Any, wanted: Value, dictionary: str, word: Value, *shown: Clause) -> Value:
    """A value of the item of a word in its dictionary; NULL where there is none."""
    code = Dictionary.__table__.alias()
    whole = select(code.c.id).where(code.c.code == _literal(dictionary), code.c.deleted_at.is_(None))
    found = select(wanted).where(item.c.key == word, item.c.deleted_at.is_(None), *shown)
    found = found.where(item.c.dictionary_id == whole.execution_options(policy=True).scalar_subquery())
    return found.correlate_except(item).execution_options(policy=True).scalar_subquery()


def _literal(text: str) -> Value:
    """A text of our own as a literal, so that plans share the statement."""
    quoted = text.replace("'", "''")
    return literal_column(f"'{quoted}'")
