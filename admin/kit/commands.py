"""Buttons that do something: always POST, on one record or many, each calling one use case, answered per record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resolvers.reading.pages import Row
from resolvers.runtime.batch import Outcome
from resolvers.runtime.scope import Scope

from .fields import Field

Call = Callable[[Any, Scope, list[int], Mapping[str, Any]], Outcome]
LIST, DETAIL, ROW = "list", "detail", "row"


@dataclass(frozen=True)
class Command:
    """One button.  `action` is the right it asks for; `call` the use case, made from the method it decorates.

    `fields`: what the dialog asks for; without any, and without `confirm`, one click does it.  `when`: whether it
    makes sense for a record that the right covers.  `where`: the list's selection, the page of a record, a row.
    `typed`: the person types a word before something that cannot be undone.
    """

    name: str
    label: str
    icon: str
    action: str
    call: Call
    fields: tuple[Field, ...] = ()
    where: tuple[str, ...] = (LIST, DETAIL)
    confirm: str = ""
    typed: str = ""
    tone: str = ""
    when: Callable[[Row], bool] = lambda _row: True

    @property
    def verb(self) -> str:
        return self.action.rpartition(".")[2]

    @property
    def asks(self) -> bool:
        """Whether a dialog comes before it."""
        return bool(self.fields or self.confirm or self.typed)

    def fits(self, row: Row) -> bool:
        """Whether its button belongs beside this record."""
        return self.verb in row.may and self.when(row)


def command(label: str, *, icon: str, action: str, **how: Any) -> Callable[[Call], Call]:
    """Make a method `(self, scope, ids, given) -> Outcome` a button of its view.  See Command."""

    def made(call: Call) -> Call:
        name = call.__name__.replace("_", "-")
        call.command = Command(name, label, icon, action, call, **how)  # type: ignore[attr-defined]  # how the view finds it
        return call

    return made


def commands_of(view: type) -> Sequence[Command]:
    """The commands of a view in the order in which they are written, those of its bases first."""
    found: dict[str, Command] = {}
    for base in reversed(view.__mro__):
        for member in vars(base).values():
            if isinstance(made := getattr(member, "command", None), Command):
                found[made.name] = made
    return list(found.values())
