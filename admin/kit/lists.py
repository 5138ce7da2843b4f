"""A list as its address asks for it: tab, search, filters, order, columns and page, and the addresses beside it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from models import Base, SavedView
from models.custom_field import CustomKind
from resolvers.reading.order import orderable
from resolvers.reading.pages import ListRequest, display_column
from resolvers.runtime.ids import global_id
from resolvers.views.saved_views import View
from resolvers.views.settings import ViewSettings

from .book import customs_of
from .condition_address import SAFE, all_of, condition_in
from .declared import Order, Tab
from .fields import Field, Kind, field_of, shown_keys
from .filters import Filter, filter_tree, filters_in
from .panel_request import PanelRequest
from .preferences import SIZES
from .short_json import written

LONGEST_CURSOR = 4_000
MOST_ORDERS = 3
"""Maximum number of columns by which a list is ordered."""
_LARGEST_FIRST = (Kind.WHOLE, Kind.MONEY, Kind.DECIMAL, Kind.DATE, Kind.TIME)
"""Kinds of columns whose first click sorts downwards; every other one sorts upwards."""


class ListScreen(Protocol):
    """What a ListState uses of its screen."""

    @property
    def model(self) -> type[Base]: ...
    @property
    def identity(self) -> str: ...
    @property
    def tabs(self) -> tuple[Tab, ...]: ...
    @property
    def base_filter(self) -> Mapping[str, Any]: ...
    @property
    def default_order(self) -> Order: ...
    @property
    def always(self) -> tuple[str, ...]: ...
    @property
    def binned(self) -> bool | None: ...
    @property
    def verbs(self) -> tuple[str, ...]: ...
    def url(self, *path: str) -> str: ...
    def fields(self, ask: PanelRequest) -> list[Field]: ...
    def columns_for(self, ask: PanelRequest) -> list[Field]: ...
    def filter_keys(self, ask: PanelRequest) -> list[str]: ...


@dataclass(frozen=True)
class ColumnHeader:
    """The head of a column: its field, the address that orders by it, and how it orders the list now (`aria-sort`)."""

    field: Field
    href: str | None
    direction: str
    width: str = ""


class ListState:
    """The list that the address asks for.  Whatever in the address makes no sense is ignored."""

    sizes = SIZES

    def __init__(
        self, view: ListScreen, ask: PanelRequest, saved: View | None = None, query: QueryParams | None = None
    ) -> None:
        """`saved`: the view that the address names; what the address says beside it changes the view.

        `query`: the address, where that of the request is of another page.
        """
        query = ask.request.query_params if query is None else query
        self.view, self.ask, self.saved = view, ask, saved
        self.kept = kept = saved.settings if saved is not None else ViewSettings()
        self.tabs = [tab for tab in view.tabs if tab.when(ask) and (not tab.needs or ask.may_all(tab.needs))]
        self.tab = next(
            (tab for tab in self.tabs if tab.name == query.get("tab", kept.tab)), self.tabs[0] if self.tabs else None
        )
        self.search = query.get("q", kept.search).strip()[:100]
        found = condition_in(ask, view.model, query["c"]) if "c" in query else (dict(kept.condition), "")
        self.condition, self.problem = found
        self.filters = filters_in(query, [field_of(view.model, key) for key in view.filter_keys(ask)])
        self.order = self._order(query["order"]) if "order" in query else kept.order
        self.usual_size = kept.size if kept.size in SIZES else ask.preferences.size or SIZES[0]
        self.size = next((n for n in SIZES if str(n) == query.get("size")), self.usual_size)
        self.after = query.get("after", "")[:LONGEST_CURSOR]
        self.before = "" if self.after else query.get("before", "")[:LONGEST_CURSOR]
        self.columns = self._columns() or view.columns_for(ask)

    def list_request(self) -> ListRequest:
        """The request for `resolvers.reading.pages.page`."""
        narrowed = {**self.view.base_filter, **(self.tab.narrows(self.ask) if self.tab else {})}
        return ListRequest(
            self.view.model,
            tuple(dict.fromkeys([*(column.key for column in self.columns), *self.view.always])),
            filter=filter_tree(self.ask, self.filters, narrowed),
            condition=self.condition,
            search=self.search,
            order=self.effective_order,
            after=self.after or None,
            before=self.before or None,
            size=self.size,
            binned=self.view.binned,
            may=self.view.verbs,
        )

    @property
    def effective_order(self) -> Order:
        """The order of the address, else that of the tab, else that of the screen."""
        return self.order or (self.tab.order if self.tab else ()) or self.view.default_order

    @property
    def is_narrowed(self) -> bool:
        return bool(self.search or self.condition) or any(each.is_set for each in self.filters)

    @property
    def is_changed(self) -> bool:
        """Whether the list is another one than the view of its address."""
        return self.saved is not None and replace(self.settings(), columns=self.kept.columns) != self.kept

    def settings(self) -> ViewSettings:
        """The list as a view keeps it: tab and filters become part of the condition, as far as its language has them."""
        tab = self.tab if self.tabs and self.tab is not self.tabs[0] else None
        parts = [dict(tab.condition)] if tab is not None and tab.condition is not None else []
        return ViewSettings(
            condition=all_of([self.condition, *parts, *(each.condition(self.ask) for each in self.filters)]),
            search=self.search,
            columns=tuple(column.key for column in self.columns),
            order=self.order,
            density=self.kept.density if self.saved is not None else self.ask.preferences.density,
            size=self.size if self.size != (self.ask.preferences.size or SIZES[0]) else 0,
            tab=tab.name if tab is not None and tab.condition is None else "",
        )

    @property
    def is_finding(self) -> bool:
        """Whether the user has still to choose among records that were found for a filter."""
        return any(each.found is not None and each.found.is_open for each in self.filters)

    @property
    def shown_filters(self) -> list[Filter]:
        return [each for each in self.filters if each.is_set]

    # -- addresses ---------------------------------------------------------------------------------------

    def url(self, **changes: Any) -> str:
        """This list with something changed, from its first page on unless a cursor is given."""
        return self._address({**self._parameters(), **changes}, self.filters)

    def without(self, removed: Filter) -> str:
        return self._address(self._parameters(), [each for each in self.filters if each is not removed])

    def cleared(self) -> str:
        return self._address(
            {**self._parameters(), "q": " " if self.kept.search else "", "c": "!n" if self.kept.condition else ""}, []
        )

    def search_url(self) -> str:
        """The search builder with the condition of this list; it sends along what else the address says."""
        whole = self.url(c=written(self.condition) if self.condition else "")
        return f"{self.view.url('search')}?{whole.partition('?')[2]}"

    def with_condition(self, condition: Mapping[str, Any]) -> str:
        """This list with another condition."""
        return self.url(c=written(condition) if condition else "!n" if self.kept.condition else "")

    def headers(self) -> Iterator[ColumnHeader]:
        sortable, widths = sortable_keys(self.view.model), self.ask.preferences.widths.get(self.view.identity, {})
        for column in self.columns:
            descends = next((way for key, way in self.effective_order if key == column.key), None)
            falls = column.kind in _LARGEST_FIRST if descends is None else not descends
            href = self.url(order=f"{'-' if falls else ''}{column.key}") if column.key in sortable else None
            way = {None: "none", True: "descending", False: "ascending"}[descends]
            yield ColumnHeader(column, href, way, widths.get(column.key, ""))

    def choosable_columns(self) -> list[Field]:
        """Every column that the list can show: those that it shows, in their order, then the others."""
        others = (x for x in self.view.fields(self.ask) if x.kind is not Kind.POINTS and x not in self.columns)
        return [*self.columns, *others]

    def hidden_inputs(self) -> list[tuple[str, str]]:
        """(name, value) of what the search form sends along beside its own input."""
        own = [(name, str(value)) for name, value in self._parameters().items() if value and name != "q"]
        return [*own, *(pair for each in self.filters for pair in each.parameters())]

    def _parameters(self) -> dict[str, Any]:
        order = ",".join(f"{'-' if descends else ''}{key}" for key, descends in self.order)
        first = self.tabs[0] if self.tabs else None
        return {
            "tab": self.tab.name if self.tab and self.tab is not first else "",
            "view": global_id(SavedView, self.saved.id) if self.saved is not None else "",
            "q": self.search if self.search != self.kept.search else "" if self.search or not self.kept.search else " ",
            "c": "" if self.condition == self.kept.condition else written(self.condition or None),
            "order": order if self.order != self.kept.order else "",
            "size": self.size if self.size != self.usual_size else "",
        }

    def _address(self, parameters: Mapping[str, Any], filters: list[Filter]) -> str:
        pairs = [(name, value) for name, value in parameters.items() if value not in ("", None)]
        pairs += [pair for each in filters for pair in each.parameters()]
        return f"{self.view.url('list')}?{urlencode(pairs, safe=SAFE)}" if pairs else self.view.url("list")

    def _columns(self) -> list[Field]:
        """The columns of the view that the user sees."""
        known = {field.key: field for field in self.view.fields(self.ask)}
        return [known[key] for key in self.kept.columns if key in known]

    def _order(self, text: str) -> Order:
        known = sortable_keys(self.view.model) & {field.key for field in self.view.fields(self.ask)}
        steps = [(step.lstrip("-"), step.startswith("-")) for step in text.split(",")[:MOST_ORDERS]]
        return tuple((key, descends) for key, descends in steps if key in known)


def sortable_keys(model: type[Base]) -> set[str]:
    """The columns and custom fields by which lists can be ordered."""
    return {*orderable(model), *(custom.word for custom in customs_of(model) if custom.is_sorted)}


def filterable_customs(model: type[Base]) -> list[str]:
    """The custom fields that the filter bar offers: all but long texts, which the search builder knows."""
    return [custom.word for custom in customs_of(model) if custom.kind is not CustomKind.LONG_TEXT]


def default_filters(model: type[Base]) -> list[str]:
    """The filters of a screen that declares none: every field but long texts, its name and its number."""
    fields = [field_of(model, key) for key in shown_keys(model)]
    unfit, left_out = (
        (Kind.LONG, Kind.LINES, Kind.POINTS, Kind.WORD_LIST),
        (display_column(model), "number", "deleted_at", "deleted_by_id"),
    )
    return [field.key for field in fields if field.kind not in unfit and field.key not in left_out]
