"""Buttons that do something to records: always by POST, each calling one use case or answering with a page of its own."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response

from resolvers.reading.pages import Row
from resolvers.runtime.batch import Outcome
from resolvers.runtime.scope import Scope

from .fields import Field
from .labels import ACTIONS
from .once import act_once
from .panel_request import PanelRequest

Given = Mapping[str, Any]
"""What the fields of the dialog hold, as values."""
UseCaseMethod = Callable[[Any, Scope, list[int], Given], Outcome]
"""`(self, scope, ids, given)`: calls a use case in its transaction; the kit reports the outcome record by record."""
ResponseMethod = Callable[[Any, PanelRequest, list[int], Given], Awaitable[Response]]
"""`async (self, ask, ids, given)`: does its work and returns the answer to the browser."""
LIST, DETAIL, ROW = "list", "detail", "row"


@dataclass(frozen=True)
class Command:
    """One button.

    `action`: the right that it asks for; `*` stands for the module of the screen.
    `fields`: what its dialog asks for.  A command without `fields`, `confirm` and `typed` has no dialog.
    `where`: the places of the button, which are the selection of a list, the page of a record and the row of a list.
    `when`: whether the command makes sense for a record that the right covers.
    `needs`: a further right without which the use case refuses the command.
    `for_others`: whether users cannot do it to themselves.
    `typed`: a word that the user types before something that cannot be undone.
    `key`: the letter that presses it, on the page of a record or in a row with the focus.
    `answers`: whether its method returns the answer itself, see ResponseMethod.
    """

    name: str
    label: str
    icon: str
    action: str
    method: str
    answers: bool = False
    fields: tuple[Field, ...] = ()
    where: tuple[str, ...] = (LIST, DETAIL)
    confirm: str = ""
    typed: str = ""
    tone: str = ""
    when: Callable[[Row], bool] = lambda _row: True
    needs: str = ""
    for_others: bool = False
    key: str = ""

    @property
    def verb(self) -> str:
        return self.action.rpartition(".")[2]

    @property
    def has_dialog(self) -> bool:
        return bool(self.fields or self.confirm or self.typed)

    def fits(self, row: Row) -> bool:
        """Whether the button is shown beside this record."""
        return self.verb in row.may and self.when(row)

    async def run(
        self, screen: Any, ask: PanelRequest, data: FormData, ids: list[int], given: Given
    ) -> Outcome | Response:
        """What the method returns: the outcome of a use case, or the answer itself.  Raises its Refusal.

        A form that was sent twice gets the outcome of the first time.
        """
        method = getattr(screen, self.method)
        if self.answers:
            answer: Response = await method(ask, ids, given)
            return answer
        about = {"ids": ids, "given": given, "screen": screen.identity}
        return await act_once(
            ask, data, f"do.{self.name}", about, lambda scope: method(scope, ids, given), screen.model
        )


def command(label: str = "", *, icon: str, action: str, **options: Any) -> Callable[[UseCaseMethod], UseCaseMethod]:
    """Make a method that calls a use case a button of its screen, with the name of the action unless `label` is another.

    `options`: see Command.
    """
    return _declare(label, icon=icon, action=action, **options)


def answering_command(
    label: str = "", *, icon: str, action: str, **options: Any
) -> Callable[[ResponseMethod], ResponseMethod]:
    """Make a method that returns the answer itself a button of its screen.  `options`: see Command."""
    return _declare(label, icon=icon, action=action, answers=True, **options)


def _declare(label: str, *, action: str, **options: Any) -> Callable[[Any], Any]:
    def declare(method: Any) -> Any:
        name = method.__name__
        said = label or ACTIONS.get(action.rpartition(".")[2], "")
        method.command = Command(name.replace("_", "-"), said, action=action, method=name, **options)
        return method

    return declare


def commands_of(screen: type) -> Sequence[Command]:
    """The commands of a screen in the order in which they are written, those of its bases first."""
    found: dict[str, Command] = {}
    for base in reversed(screen.__mro__):
        for member in vars(base).values():
            if isinstance(declared := getattr(member, "command", None), Command):
                found[declared.name] = declared
    return list(found.values())
