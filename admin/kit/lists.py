"""A list as its address asks for it: tab, search, filters, order, columns and page, and the addresses beside it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from models import Base
from resolvers.reading.clauses import orderable
from resolvers.reading.pages import Asked, display_column

from .fields import Field, Kind, field_of, shown_keys
from .filters import Filter, read, tree_of
from .panel_request import PanelRequest

if TYPE_CHECKING:
    from .list_page import ListPage

SIZES = (25, 50, 100)
_LONGEST_CURSOR = 4_000


@dataclass(frozen=True)
class Tab:
    """A narrower list beside the whole one."""

    name: str
    label: str
    narrows: Callable[[PanelRequest], Mapping[str, Any]]
    order: tuple[tuple[str, bool], ...] = ()
    needs: str = ""
    """The action without which nobody sees the tab."""


@dataclass(frozen=True)
class Column:
    """The head of a column: its field, where a click on it leads, how the list is ordered by it now."""

    field: Field
    href: str | None
    direction: str


class ListState:
    """What the address says.  Nothing in it is trusted: what makes no sense is as if it were not there."""

    def __init__(self, view: "ListPage", ask: PanelRequest) -> None:
        query = ask.request.query_params
        self.view, self.ask = view, ask
        self.tabs = [tab for tab in view.tabs if not tab.needs or ask.may(tab.needs)]
        self.tab = next((tab for tab in self.tabs if tab.name == query.get("tab")), self.tabs[0] if self.tabs else None)
        self.search = query.get("q", "").strip()[:100]
        self.filters = read(self._filterable(), query)
        self.order = self._order(query.get("order", ""))
        self.size = next((n for n in SIZES if str(n) == query.get("size")), SIZES[0])
        self.after = query.get("after", "")[:_LONGEST_CURSOR]
        self.before = "" if self.after else query.get("before", "")[:_LONGEST_CURSOR]
        self.columns = view.columns_for(ask)

    def asked(self) -> Asked:
        """The question for `resolvers.reading.pages.page`."""
        narrowed = {**self.view.base, **(self.tab.narrows(self.ask) if self.tab else {})}
        return Asked(
            self.view.model,
            tuple(dict.fromkeys([*(each.key for each in self.columns), *self.view.always])),
            filter=tree_of(self.ask, self.filters, narrowed),
            search=self.search,
            order=self.order or (self.tab.order if self.tab else ()) or self.view.ordered,
            after=self.after or None,
            before=self.before or None,
            size=self.size,
            binned=self.view.binned,
            may=self.view.verbs,
        )

    def counted(self, tab: Tab) -> Asked:
        """The question for the number on a tab."""
        narrowed = {**self.view.base, **tab.narrows(self.ask)}
        return replace(self.asked(), filter=narrowed, search="", after=None, before=None)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.search) or any(each.is_set for each in self.filters)

    @property
    def shown_filters(self) -> list[Filter]:
        return [each for each in self.filters if each.is_set]

    # -- addresses ---------------------------------------------------------------------------------------

    def url(self, **changes: Any) -> str:
        """This list with something changed; it begins at its first page unless a cursor is given."""
        return self._address({**self._parameters(), **changes}, self.filters)

    def without(self, gone: Filter) -> str:
        return self._address(self._parameters(), [each for each in self.filters if each is not gone])

    def cleared(self) -> str:
        return self._address({**self._parameters(), "q": ""}, [])

    def heads(self) -> Iterator[Column]:
        sortable = set(orderable(self.view.model))
        for each in self.columns:
            at = next((way for key, way in self.order if key == each.key), None)
            href = self.url(order=each.key if at else f"-{each.key}") if each.key in sortable else None
            yield Column(each, href, {None: "none", True: "descending", False: "ascending"}[at])

    def hidden(self) -> list[tuple[str, str]]:
        """What the search form carries along beside what it asks for itself."""
        kept = [(k, str(v)) for k, v in self._parameters().items() if v and k != "q"]
        return [*kept, *(pair for each in self.filters for pair in each.parameters())]

    def _parameters(self) -> dict[str, Any]:
        order = ",".join(f"{'-' if down else ''}{key}" for key, down in self.order)
        size = self.size if self.size != SIZES[0] else ""
        first = self.tabs[0] if self.tabs else None
        return {
            "tab": self.tab.name if self.tab and self.tab is not first else "",
            "q": self.search,
            "order": order,
            "size": size,
        }

    def _address(self, parameters: Mapping[str, Any], filters: list[Filter]) -> str:
        pairs = [(key, value) for key, value in parameters.items() if value not in ("", None)]
        pairs += [pair for each in filters for pair in each.parameters()]
        return f"{self.view.url('list')}?{urlencode(pairs)}" if pairs else self.view.url("list")

    # -- reading -----------------------------------------------------------------------------------------

    def _filterable(self) -> list[Field]:
        return [field_of(self.view.model, key) for key in self.view.filter_keys(self.ask)]

    def _order(self, text: str) -> tuple[tuple[str, bool], ...]:
        known = {*orderable(self.view.model)} & {each.key for each in self.view.fields(self.ask)}
        steps = [(step.lstrip("-"), step.startswith("-")) for step in text.split(",")[:3]]
        return tuple((key, down) for key, down in steps if key in known)


def default_filters(model: type[Base]) -> list[str]:
    """What a list can be narrowed by when its screen does not say: all but long texts and what names it."""
    fields = [field_of(model, key) for key in shown_keys(model)]
    plain, gone = (Kind.LONG, Kind.LINES, Kind.POINTS), ("deleted_at", "deleted_by_id")
    return [
        each.key
        for each in fields
        if each.kind not in plain and each.key not in (display_column(model), "number", *gone)
    ]
