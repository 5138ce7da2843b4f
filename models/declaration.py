"""What a protected table has to declare before anything is derived from it.  What is missing is said with its file."""

import sys
from typing import Any

from .names import OF_MODULE, Names

_EXAMPLES = {"module": '"vehicle"', "prefix": '"veh"'}
_BY_PREFIX: dict[str, type[Any]] = {}
"""Prefix of global ids -> the model that has it."""


class Misdeclared(RuntimeError):
    """A declaration in the code has no effect, or not the one that is meant.  The sentences name the file; nothing starts."""


def check_declared(model: type[Any]) -> None:
    """Note the prefix and the names of a new model.

    Raises Misdeclared for what it leaves out, for a prefix that another model has, and for a protected table outside of
    `models/`, where it would not be found.
    """
    own = vars(model)
    is_protected = "prefix" in own or any(base.__name__ in ("Entity", "Part") for base in model.__mro__[1:])
    if "__abstract__" in own or not is_protected:
        return
    at = f"{file_of(model)}: {model.__name__}"
    if not model.__module__.startswith("models."):
        raise Misdeclared(f"{at} is a protected table. Move it into a file of models/, where it is found.")
    for word, example in _EXAMPLES.items():
        if not own.get(word):
            raise Misdeclared(f"{at} has no {word}. Write, for example: {word} = {example}")
    if not isinstance(own.get("names"), Names):
        raise Misdeclared(f'{at} has no names. Write, for example: names = Names("Vehicle", "Vehicles", zh="车辆")')
    first = _BY_PREFIX.setdefault(model.prefix, model)
    if first is not model:
        raise Misdeclared(f"{at} has the prefix “{model.prefix}” of {first.__name__}. Choose another.")
    OF_MODULE.setdefault(model.module, model.names)


def protected_tables() -> list[type[Any]]:
    """Every table that has declared a prefix so far, in the order of their files' imports."""
    return list(_BY_PREFIX.values())


def file_of(kind: type[Any]) -> str:
    """The file that defines a class, from the folder of the packages on: `models/customer.py`."""
    path = str(getattr(sys.modules.get(kind.__module__), "__file__", kind.__module__))
    parts = path.replace("\\", "/").split("/")
    depth = kind.__module__.count(".") + (2 if parts[-1] == "__init__.py" else 1)
    return "/".join(parts[-depth:])
