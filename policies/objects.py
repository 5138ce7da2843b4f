"""What policy lines speak about: actions and their groups, modules, fields.  Derived from the models, never typed in."""

from collections.abc import Iterator

from sqlalchemy import inspect

from models import PROTECTED, Base
from models.base import columns, trait_of

# --- actions ---------------------------------------------------------------------------------------------

_READS = ("view", "export", "dupcheck")
_CHANGES = ("create", "edit", "delete", "restore", "purge", "import", "transfer", "release", "claim", "assign")
_MORE = ("share", "merge", "bulk", "approve", "handover")
_POLICY = ("review", "activate", "view_as")
_LOCKS = ("lock", "unlock")

ACTIONS: tuple[str, ...] = (*_READS, *_CHANGES, *_MORE, *_LOCKS, *_POLICY)
GROUPS: dict[str, tuple[str, ...]] = {
    # Whatever changes something.
    "write": (*_CHANGES, *_MORE, *_LOCKS, "activate"),
    # Whatever reads or changes content: all that a lock closes.
    "touch": ("view", "export", *_CHANGES, *_MORE),
}

# --- modules and fields ----------------------------------------------------------------------------------

MODULE_OF: dict[type[Base], str] = {model: model.module for model in PROTECTED}
SYSTEM_MODULES: tuple[str, ...] = ("policy", "session", "system")
"""Modules without a table that people look into: the policy itself, signing in, running the house."""


def field_name(column_key: str) -> str:
    """The word for a column in lines and masks: `owner` for `owner_id`."""
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
FIELDS: dict[str, str] = {
    **{word: module for word, module, _ in _columns_as_words()},
    **{f"{whole.module}.{name}": whole.module for _, whole, name in _listed()},
}
"""Field word -> module: `customer.phone`, `contact.points`."""
APART: frozenset[str] = frozenset(word for word, _, separate_right in _columns_as_words() if separate_right)
"""Fields that stand apart from their module: only lines that name them, or `*`, reach them."""
MODULES: frozenset[str] = frozenset({*MODULE_OF.values(), *SYSTEM_MODULES})
OBJECTS: frozenset[str] = MODULES | FIELDS.keys() | {"*"}
