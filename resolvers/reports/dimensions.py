"""By what a report groups its records, how each group is called, and the condition that a list of the group has."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from models import Base
from models.base import is_customised
from models.choice_names import Said, choice_said, field_said, in_language
from models.custom_field import CustomKind
from policies.objects import FIELDS, field_name

from ..reading.clauses import value
from ..reading.condition_fields import ConditionField, Kind, fields_of
from ..reading.conditions import Condition
from ..reading.custom_conditions import condition_field
from ..reading.months import month_of_day
from ..reading.pages import titles_of
from ..records.dictionaries import in_tree, top_of, words_of
from ..runtime.custom_fields import visible_book
from ..runtime.ids import global_id
from ..runtime.scope import Scope
from ..runtime.viewer import Value, Viewer

_NAMED_AT_ONCE = 500
_EMPTY: Said = ("Empty", "未填写")


class Groups(StrEnum):
    """How the values of a field make groups."""

    VALUE = "value"
    """Each value is a group."""
    BRANCH = "branch"
    """Each word at the top of a tree is a group, with all words below it."""
    MONTH = "month"
    """Each month of the calendar is a group."""


@dataclass(frozen=True)
class Dimension:
    """One thing to group by.  `key` is its name in settings and addresses."""

    key: str
    said: Said
    model: type[Base]
    field: ConditionField
    groups: Groups = Groups.VALUE

    @property
    def is_time(self) -> bool:
        """Whether its groups are times: no group of one period is there in the one before."""
        return self.groups is Groups.MONTH

    def value(self, viewer: Viewer, e: Any) -> Value:
        """What groups a record: the value that the reader sees, NULL where it is hidden."""
        found = value(viewer, self.model, e, self.field.key)
        return month_of_day(found) if self.is_time else found

    def condition(self, key: Any) -> Condition:
        """The condition of the list of a group."""
        name = self.field.name
        if key is None:
            return {name: {"isNull": True}}
        if self.is_time:
            return {name: {"during": _month(str(key))}}
        if self.field.target is not None:
            return {name: {"eq": global_id(self.field.target, int(key))}}
        return {name: {"under" if self.groups is Groups.BRANCH else "eq": _plain(key)}}


def _plain(key: Any) -> Any:
    return key.value if isinstance(key, StrEnum) else key


def _month(key: str) -> str:
    first = date(int(key[:4]), int(key[5:7]), 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return f"{first.isoformat()} to {last.isoformat()}"


# --- which there are -------------------------------------------------------------------------------------


def of_field(model: type[Base], name: str, said: Said | None = None, groups: Groups = Groups.VALUE) -> Dimension:
    """The dimension of a column, by its name in conditions."""
    field = fields_of(model)[name]
    key = name if groups is Groups.VALUE else f"{name}.{groups.value}"
    return Dimension(key, said or field_said(model, field.key), model, field, groups)


def is_seen(scope: Scope, dimension: Dimension) -> bool:
    """Whether the reader sees the field in some record, and some records of the kind that it points to."""
    word = f"{dimension.model.module}.{field_name(dimension.field.key)}"
    if word in FIELDS and not scope.policy.ever(scope.person, "view", word):
        return False
    target = dimension.field.target
    return target is None or scope.policy.ever(scope.person, "view", target.module)


def customs_of(scope: Scope, model: type[Base]) -> list[Dimension]:
    """The custom fields that the reader sees and that hold one of several choices."""
    if not is_customised(model):
        return []
    book = visible_book(scope.policy, scope.person)
    found = []
    for custom in book.of(model.module):
        field = condition_field(book, model, custom.word)
        if field is not None and custom.kind in (CustomKind.SINGLE_CHOICE, CustomKind.YES_NO, CustomKind.PERSON):
            found.append(Dimension(custom.word, (custom.label("en"), custom.label("zh")), model, field))
    return found


# --- what their groups are called ------------------------------------------------------------------------


@dataclass(frozen=True)
class Labels:
    """The names of the groups of one report, in the reader's language, and their order."""

    names: Mapping[Any, str | None]
    order: Mapping[Any, int]
    above: Mapping[Any, Any]

    def name(self, key: Any) -> str | None:
        """The name of a group; None where the reader may not see what it is called."""
        return self.names.get(key)


def labels(scope: Scope, db: Session, dimension: Dimension, keys: Iterable[Any]) -> Labels:
    """The names of these groups.  One statement, or one for each 500 records."""
    wanted = [key for key in dict.fromkeys(keys) if key is not None]
    empty = {None: in_language(_EMPTY, scope.language)}
    field = dimension.field
    if field.target is not None:
        return Labels(empty | _titles(scope, db, field.target, wanted), {}, {})
    if field.dictionary is not None:
        words = words_of(scope, db, [field.dictionary]).get(field.dictionary, {})
        order = {word.key: n for n, (word, _depth) in enumerate(in_tree(words))}
        above = {key: top_of(words, key) for key in wanted}
        named = {key: words[key].label if key in words else str(key) for key in (*wanted, *above.values())}
        return Labels(empty | named, order, above)
    named = {key: in_language(_said(field.kind, key), scope.language) for key in wanted}
    order = {key: n for n, key in enumerate(sorted(wanted, key=str))}
    return Labels(empty | named, order, {})


def _said(kind: Kind, key: Any) -> Said:
    if kind is Kind.YES_NO:
        return ("Yes", "是") if key else ("No", "否")
    return choice_said(key) if kind is Kind.CHOICE else (str(key), str(key))


def _titles(scope: Scope, db: Session, model: type[Base], ids: list[Any]) -> dict[Any, str | None]:
    found: dict[Any, str | None] = dict.fromkeys(ids)
    for at in range(0, len(ids), _NAMED_AT_ONCE):
        found.update(titles_of(scope, db, model, ids[at : at + _NAMED_AT_ONCE]))
    return found
