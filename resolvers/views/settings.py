"""The settings of a saved view: checked when it is saved, and read with a sentence for what is gone or hidden since."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from models import Base
from models.custom_field import Book
from models.errors import Validation
from models.field_names import FIELD_NAMES
from policies.objects import FIELDS, field_name

from ..reading.clauses import search_text
from ..reading.condition_check import CUSTOM, NO_FIELDS
from ..reading.condition_fields import CONNECTIVES, fields_of, relations_of
from ..reading.conditions import checked
from ..reading.order import orderable
from ..runtime.custom_fields import visible_book
from ..runtime.ids import camel
from ..runtime.scope import Scope

DENSITIES = ("", "comfortable", "compact")
MAX_COLUMNS, MAX_ORDERS, MAX_SIZE = 40, 3, 200
Sentence = tuple[str, str]
"""The same in English and Chinese."""


@dataclass(frozen=True)
class ViewSettings:
    """How a view arranges its list.  `columns` and `order` name column keys; empty means as usual."""

    condition: Mapping[str, Any] = field(default_factory=dict)
    search: str = ""
    columns: tuple[str, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    density: str = ""
    size: int = 0
    tab: str = ""

    def stored(self) -> dict[str, Any]:
        """What the database keeps; `read` reads it."""
        order = [[key, descends] for key, descends in self.order]
        plain = {"search": self.search, "density": self.density, "size": self.size, "tab": self.tab}
        return {"condition": dict(self.condition), "columns": [*self.columns], "order": order, **plain}

    def check(self, model: type[Base], book: Book = NO_FIELDS) -> None:
        """Raise Validation for what a view of these records cannot hold; `book`: the custom fields that it may name."""
        checked(model, self.condition, book=book)
        search_text(self.search)
        known, sorted_by = _columns(model, book), _orderable(model, book)
        strange = [key for key in self.columns if key not in known]
        strange += [key for key, _ in self.order if key not in sorted_by]
        if strange or len(self.columns) > MAX_COLUMNS:
            name = strange[0] if strange else self.columns[-1]
            raise Validation(f"A list has no column “{name[:40]}”.", f"列表没有“{name[:40]}”列。", field="columns")
        if len(self.order) > MAX_ORDERS:
            raise Validation(
                f"A list is ordered by at most {MAX_ORDERS} columns.", f"最多按 {MAX_ORDERS} 列排序。", field="order"
            )
        if self.density not in DENSITIES or not 0 <= self.size <= MAX_SIZE or len(self.tab) > MAX_COLUMNS:
            raise Validation("A view has no such density or page size.", "视图没有该密度或每页条数。", field="pageSize")


@dataclass(frozen=True)
class Reading:
    """The settings as they can be used now, and what to tell its reader."""

    settings: ViewSettings
    notes: tuple[Sentence, ...]


def read(scope: Scope, model: type[Base], stored: Mapping[str, Any]) -> Reading:
    """The settings without what is gone since they were saved: a part of the condition, a column, a step of the order."""
    book = visible_book(scope.policy, scope.person)
    condition, gone = _pruned(model, stored.get("condition") or {}, book)
    known, sorted_by = _columns(model, book), _orderable(model, book)
    columns = [str(key) for key in stored.get("columns") or ()]
    order = [(str(key), bool(descends)) for key, descends in stored.get("order") or ()]
    gone += [key for key in columns if key not in known]
    settings = ViewSettings(
        condition=condition,
        search=str(stored.get("search") or ""),
        columns=tuple(key for key in columns if key in known),
        order=tuple(step for step in order if step[0] in sorted_by),
        density=str(stored.get("density") or ""),
        size=int(stored.get("size") or 0),
        tab=str(stored.get("tab") or ""),
    )
    notes = [_gone(name) for name in dict.fromkeys(gone)]
    return Reading(settings, (*notes, *(hidden_note(label) for label in hidden_in(scope, model, condition))))


def _columns(model: type[Base], book: Book) -> set[str]:
    """The columns that a list can have, custom fields among them."""
    return {x.key for x in fields_of(model).values()} | {"points"} | {x.word for x in book.of(model.module)}


def _orderable(model: type[Base], book: Book) -> set[str]:
    return {*orderable(model)} | {x.word for x in book.of(model.module) if x.is_sorted}


def hidden_in(scope: Scope, model: type[Base], condition: Mapping[str, Any]) -> list[Sentence]:
    """The names of the fields in a condition that the caller sees in no record.  They count as empty for the caller."""
    return list(dict.fromkeys(_hidden(scope, model, condition)))


def hidden_note(label: Sentence) -> Sentence:
    """What a reader is told of a condition on such a field."""
    return (
        f"You do not see the field “{label[0]}”, so it counts as empty here.",
        f"您无权查看“{label[1]}”字段，此处按空值处理。",
    )


def _gone(name: str) -> Sentence:
    label = FIELD_NAMES.get(name, (name, name))
    return (
        f"This view names “{label[0]}”, which is no longer there; that part is left out.",
        f"此视图使用的“{label[1]}”已不存在，该部分已忽略。",
    )


def _hidden(scope: Scope, model: type[Base], condition: Mapping[str, Any]) -> Iterator[Sentence]:
    for name, wanted in condition.items():
        if name in CONNECTIVES:
            for part in wanted if isinstance(wanted, list) else [wanted]:
                yield from _hidden(scope, model, part)
        elif name in fields_of(model):
            key = fields_of(model)[name].key
            if not _sees(scope, model, field_name(key)):
                yield FIELD_NAMES.get(key, (key.replace("_", " "), key))
        elif name in relations_of(model):
            target = relations_of(model)[name].target
            if not _sees(scope, model, name) or not scope.policy.ever(scope.person, "view", target.module):
                yield target.names.many, target.names.zh
            for part in wanted.values():
                yield from _hidden(scope, target, part)


def _sees(scope: Scope, model: type[Base], field: str) -> bool:
    word = f"{model.module}.{field}"
    return word not in FIELDS or scope.policy.ever(scope.person, "view", word)


def _pruned(model: type[Base], condition: Mapping[str, Any], book: Book) -> tuple[dict[str, Any], list[str]]:
    """The condition without the parts that the language no longer takes, and the names of those."""
    kept: dict[str, Any] = {}
    gone: list[str] = []
    for name, wanted in condition.items():
        if name in ("and", "or") and isinstance(wanted, list):
            parts = [_pruned(model, part, book) for part in wanted if isinstance(part, Mapping)]
            gone += [each for _, names in parts for each in names]
            found: Any = [part for part, _ in parts if part]
        elif name == "not" and isinstance(wanted, Mapping):
            found, names = _pruned(model, wanted, book)
            gone += names
        elif name in relations_of(model) and isinstance(wanted, Mapping):
            pruned = {
                how: _pruned(relations_of(model)[name].target, x, book)
                for how, x in wanted.items()
                if isinstance(x, Mapping)
            }
            gone += [each for _, names in pruned.values() for each in names]
            found = {how: inner for how, (inner, names) in pruned.items() if inner or not names}
        elif name == CUSTOM and isinstance(wanted, list):
            found = [each for each in wanted if _is_valid(model, name, [each], book)]
            gone += [_custom_name(each) for each in wanted if each not in found]
        else:
            found = wanted if _is_valid(model, name, wanted, book) else None
            gone += [] if found is not None else [_key(name)]
        if found or name in relations_of(model):
            kept[name] = found
    return {name: wanted for name, wanted in kept.items() if wanted}, gone


def _custom_name(each: Any) -> str:
    return f"{CUSTOM}.{each.get('key') if isinstance(each, Mapping) else each}"[:60]


def _is_valid(model: type[Base], name: str, wanted: Any, book: Book) -> bool:
    try:
        checked(model, {name: wanted}, book=book)
    except Validation:
        return False
    return True


def _key(name: str) -> str:
    """`ownerId` -> `owner_id`, where some field is called so."""
    return next((key for key in FIELD_NAMES if camel(key) == name), name)
