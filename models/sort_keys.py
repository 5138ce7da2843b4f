"""Sort keys: the columns by which lists of names are sorted, declared beside every name."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import mapped_column

from .column_types import LIVE, text_type
from .text import KEY_BYTES, name_key
from .traits import trait, trait_of

SORTED = ("name", "name_zh", "label_en", "label_zh")
"""The columns that sort as names do, whatever the model: each has a column `…_key` beside it."""


def sort_key(source: str, *, by: Callable[[str], str], nullable: bool = False, length: int = KEY_BYTES) -> Any:
    """A column that holds the sort key of the column `source`."""
    default = None if nullable else text("''")
    info = trait(system_managed=True, key_of=source, by=by, sorts=True)
    return mapped_column(text_type(length), nullable=nullable, server_default=default, info=info, sort_order=98)


def add_sort_keys(model: type[Any]) -> None:
    """Declare the sort keys of the names of an entity that has lists."""
    if not any(base.__name__ == "Entity" for base in model.__mro__) or getattr(model, "singleton", False):
        return
    for name, kind in vars(model).get("__annotations__", {}).items():
        if name in SORTED and "__tablename__" in vars(model):
            setattr(model, f"{name}_key", sort_key(name, by=name_key, nullable="None" in str(kind)))


def index_sort_keys(model: type[Any]) -> None:
    """Add the indexes in which lists by name are read."""
    table: Any = vars(model).get("__table__")
    for column in () if table is None else tuple(table.c):
        if trait_of(column).sorts and not column.nullable and "deleted_at" in table.c:
            Index(f"ix_{table.name}_{column.key}", column, table.c.id, **LIVE)
