"""What a screen only declares: the tabs of its list, and the tabs on the page of a record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.orm import Session

from models import Base
from resolvers.reading.pages import Row
from resolvers.runtime.scope import Scope

from .formatting import Address
from .panel_request import PanelRequest

Order = tuple[tuple[str, bool], ...]
"""(column, whether it descends), the first column first."""


MINE: Mapping[str, Any] = {"ownerId": {"eq": "me"}}
"""The condition of a tab with the records of the user."""


@dataclass(frozen=True)
class Tab:
    """A part of a list under a name of its own.  `needs`: what the user must be allowed for every record, else the tab
    is not shown.  `when`: whether the organisation has a use for it.  `empty`: what the tab says without rows, else what the list says.  `condition`: the same as `narrows` as a
    condition, by which a view of the tab is saved."""

    name: str
    label: str
    narrows: Callable[[PanelRequest], Mapping[str, Any]]
    order: Order = ()
    needs: str = ""
    empty: str = ""
    when: Callable[[PanelRequest], bool] = lambda _ask: True
    condition: Mapping[str, Any] | None = None


class RecordScreen(Protocol):
    """What the tabs of a record use of a screen: of the one that shows the record, and of those over related records."""

    @property
    def model(self) -> type[Base]: ...
    @property
    def panel(self) -> "ScreenDirectory": ...
    @property
    def always(self) -> Sequence[str]: ...
    @property
    def offers_create(self) -> bool: ...
    def url(self, *path: str) -> str: ...
    def address(self, ask: PanelRequest) -> Address: ...
    def extra_columns(self, ask: PanelRequest) -> list[tuple[str, str]]: ...
    def extra_values(self, scope: Scope, db: Session, rows: list[Row]) -> dict[int, dict[str, Any]]: ...


class ScreenDirectory(Protocol):
    """Where a screen finds the screen of another model."""

    def view_of(self, model: type[Base]) -> RecordScreen | None: ...


@dataclass(frozen=True)
class Related:
    """One tab on the page of a record.  `template` draws what `read` returns."""

    name: str
    label: str
    icon: str = "list"
    template: str = "related/table.html"

    def is_open_to(self, ask: PanelRequest, row: Row) -> bool:
        return True

    def mistake(self) -> str | None:
        """What is declared wrongly, for the sentence that stops the start; None if all is well."""
        return None

    async def read(self, view: RecordScreen, ask: PanelRequest, row: Row) -> dict[str, Any]:
        raise NotImplementedError
