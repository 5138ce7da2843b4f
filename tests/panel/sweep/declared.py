"""What the tables are made of: an entity, a reference to a record, a posted command, a table that names its gaps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from models import Base
from resolvers.runtime.scope import Scope

K = TypeVar("K")
V = TypeVar("V")
_ROOT = next(folder for folder in Path(__file__).parents if (folder / "pyproject.toml").exists())
FILE = Path(__file__).with_name("tables.py").relative_to(_ROOT).as_posix()
"""Where a missing line goes."""

Canary = tuple[type[Base], int, str]
"""The field of a record in which a canary stands: a column, or nested rows like the `points` of a contact."""


class Ref(str):
    """The id of the record that the dataset calls by this name; `of` is its entity, where no foreign key tells it."""

    of: type[Base] | None

    def __new__(cls, name: str, of: type[Base] | None = None) -> "Ref":
        made = super().__new__(cls, name)
        made.of = of
        return made


class Nested(NamedTuple):
    """Rows inside a record, like the phones of a contact; a text holds the number of its record as `{n:03d}`."""

    key: str
    model: type[Base]
    parent: str
    """The foreign key to the record."""
    rows: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Kind:
    """What the sweep needs to know of an entity beside its model."""

    new: Mapping[str, str] | None = None
    """A form that creates a record, as a browser sends it; None where a record cannot be created."""
    change: Mapping[str, str] = field(default_factory=lambda: {"name": "Changed"})
    """The field that a test edits, as a form holds it."""
    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Name of a record in the dataset -> values that it needs; each text field gets a canary by itself."""
    deleted: tuple[str, ...] = ()
    """Names of those that lie in the recycle bin; each goes there before the next record of its kind is created."""
    is_taken: bool = False
    """Whether the dataset holds the only record that `new` could create."""
    under_customer: Mapping[str, Any] | None = None
    """For a child of a customer: values of the one that each customer of the dataset has."""
    called: str = ""
    """For a child of a customer: its name in the dataset is this word and the name of its customer."""
    nested: Nested | None = None
    """Rows inside a record that hold text, too."""
    pointers: Mapping[str, type[Base]] = field(default_factory=dict)
    """Inputs of the form that point to a record and are no foreign key."""
    inputs: Mapping[str, Callable[[str], dict[str, Any]]] = field(default_factory=dict)
    """Inputs of the form that are no column -> the values that a use case takes for them."""
    hostile: tuple[Mapping[str, Any], ...] = ()
    """Values of records whose every other text field holds code."""


def plain_kind(model: type[Base], needed: Mapping[str, str]) -> Kind:
    """The line of an entity whose records need texts only."""
    name = model.__name__.lower()
    return Kind(
        new=dict(needed),
        change=dict.fromkeys(list(needed)[:1], "Changed"),
        records={f"a {name}": {}, f"a deleted {name}": {}},
        deleted=(f"a deleted {name}",),
        hostile=({},),
    )


class Page(NamedTuple):
    """A page of its own: the names that its address takes, and whether it answers 404 to a name of nothing."""

    query: str = ""
    may_miss: bool = False

    @property
    def names(self) -> list[str]:
        return self.query.split()


@dataclass(frozen=True)
class Posted:
    """A command as a use case takes it: `it["reason"]` is an input of `DIALOG`."""

    model: type[Base]
    ids: list[int]
    login: str
    """Login of the first user, where the command is about users."""
    inputs: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.inputs[key]


UseCase = Callable[[Scope, Posted], Any]


class Table(dict[K, V]):
    """A table that says, for a key without a line, which line is missing and where it belongs."""

    def __init__(self, name: str, holds: str, lines: Mapping[K, V]) -> None:
        super().__init__(lines)
        self.name, self.holds = name, holds

    def __missing__(self, key: K) -> V:
        raise LookupError(self.gap(key))

    def gap(self, key: K) -> str:
        return f"{FILE}, {self.name}: add a line for {_said(key)}, {self.holds}"

    def surplus(self, key: K) -> str:
        return f"{FILE}, {self.name}: remove the line of {_said(key)}, which the panel does not have"


def _said(key: object) -> str:
    if isinstance(key, tuple):
        return " ".join(_said(part) for part in key if part is not None)
    return key.__name__ if isinstance(key, type) else f"“{key}”"
