"""What policy lines speak about: actions and their groups, modules, fields.  All of it derives from `models/`."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import inspect

from models import PROTECTED, Base, Entity
from models.actions import KIND, MADE, OWNED, TABLE, TOUCH, WRITE, Action
from models.attachment import FIELD, with_files
from models.base import columns, is_customised, trait_of
from models.custom_field import PREFIX, is_key
from models.names import SYSTEM_MODULES as _SYSTEM

# --- actions ---------------------------------------------------------------------------------------------

RIGHTS: tuple[Action, ...] = tuple(action for action in TABLE if action.is_right)
ACTIONS: tuple[str, ...] = tuple(action.name for action in RIGHTS)
GROUPS: dict[str, tuple[str, ...]] = {
    group: tuple(action.name for action in RIGHTS if group in action.groups) for group in (WRITE, TOUCH)
}


def is_done_to(action: Action, module: str) -> bool:
    """Whether the action makes sense for records of a module."""
    kinds = [model for model, of in MODULE_OF.items() if of == module]
    entities = [model for model in kinds if issubclass(model, Entity)]
    holds = {
        KIND: bool(entities),
        MADE: any(not model.singleton for model in entities),
        OWNED: any("owner_id" in model.__table__.c for model in kinds),
    }
    return any(to == module or holds.get(to, False) for to in action.to)


# --- modules and fields ----------------------------------------------------------------------------------

MODULE_OF: dict[type[Base], str] = {model: model.module for model in PROTECTED}
SYSTEM_MODULES: tuple[str, ...] = tuple(_SYSTEM)


def field_name(column_key: str) -> str:
    """The word for a column in lines and masks: `owner` for `owner_id`.  A custom field keeps its key."""
    if column_key.startswith(PREFIX):
        return column_key
    return column_key.removesuffix("_id") if column_key != "id" else column_key


def _columns_as_words() -> Iterator[tuple[str, str, bool]]:
    """(field word, module, whether it stands apart) for every column of every protected table."""
    for model in PROTECTED:
        for column in columns(model):
            yield f"{model.module}.{field_name(column.key)}", model.module, trait_of(column).separate_right


def _listed() -> Iterator[tuple[type[Base], type[Base], str]]:
    """(model, the one that lists it, under which name): contact points under `points` of a contact."""
    for model in PROTECTED:
        for relation in inspect(model).relationships:
            if relation.uselist:
                yield relation.mapper.class_, model, relation.key


LISTED: dict[type[Base], str] = {part: name for part, _, name in _listed()}
"""The field word under which the rows of a model appear in the record that they belong to."""
CUSTOMISED: frozenset[str] = frozenset(model.module for model in PROTECTED if is_customised(model))
"""The modules whose records have custom fields."""


def is_custom_object(word: str) -> bool:
    """Whether an object of lines is a custom field, defined or not: `customer.custom.satisfaction`."""
    module, _, field = word.partition(".")
    return module in CUSTOMISED and field.startswith(PREFIX) and is_key(field.removeprefix(PREFIX))


class Fields(dict[str, str]):
    """Field word -> module.  It knows the fields of the tables, and whatever has the form of a custom field.

    Which custom fields there are changes while the application runs, so only the snapshot knows them.
    """

    def __contains__(self, word: object) -> bool:
        return super().__contains__(word) or (isinstance(word, str) and is_custom_object(word))

    def __missing__(self, word: str) -> str:
        if is_custom_object(word):
            return word.partition(".")[0]
        raise KeyError(word)

    def get(self, word: str, default: Any = None) -> Any:
        return self.__missing__(word) if is_custom_object(word) else super().get(word, default)


FIELDS = Fields(
    {
        **{word: module for word, module, _ in _columns_as_words()},
        **{f"{whole.module}.{name}": whole.module for _, whole, name in _listed()},
        **{f"{model.module}.{FIELD}": model.module for model in with_files().values()},
    }
)
"""Field word -> module: `customer.phone`, `contact.points`, `customer.custom.satisfaction`."""
APART: frozenset[str] = frozenset(word for word, _, separate_right in _columns_as_words() if separate_right)
"""Fields that stand apart from their module: only lines that name them, or `*`, reach them."""
MODULES: frozenset[str] = frozenset({*MODULE_OF.values(), *SYSTEM_MODULES})
OBJECTS: frozenset[str] = MODULES | FIELDS.keys() | {"*"}
