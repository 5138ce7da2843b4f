"""What every screen over a kind of record is: its model, its place in the menu, its fields, and who may open it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from sqladmin import ModelView
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from models import ENTITIES, Base, Entity
from resolvers.reading.offers import Place
from resolvers.reading.pages import ListRequest, Row, display_column, names_of
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from .commands import Command, commands_of
from .declared import Order, Related, Tab
from .fields import Field, field_of, shown_keys, word_of
from .filters import ME
from .formatting import Address
from .labels import many, one
from .panel_request import PanelRequest
from .routes import BASE, PageRoute, routes_of
from .translation import language

LAST = 1_000
"""The position of a screen that declares none: after those that do."""


class Screen(ModelView):
    """A screen over one model.  Every declaration is optional, because its default is derived from the model."""

    model: ClassVar[type[Any]]
    _admin_ref: ClassVar[Any]

    slug: ClassVar[str] = ""
    """The word in addresses, for a further screen over the same model."""
    icon: ClassVar[str] = "template"
    group: ClassVar[str] = "more"
    """The group of the menu; "" keeps the screen out of the menu."""
    position: ClassVar[int] = LAST
    """The place in the group, in ascending order."""
    title: ClassVar[str] = ""
    hint: ClassVar[str] = ""
    """One sentence below the title: what the screen is for."""
    empty: ClassVar[str] = ""
    """What an empty list says."""
    begin: ClassVar[tuple[str, str, str] | None] = None
    """(Label, address, right) of the button below it, for records that begin on another screen."""
    columns: ClassVar[tuple[str, ...]] = ()
    always: ClassVar[tuple[str, ...]] = ()
    """Columns that are read with each row even if they are not shown, for `when` of commands."""
    filters: ClassVar[tuple[str, ...] | None] = None
    tabs: ClassVar[tuple[Tab, ...]] = ()
    base_filter: ClassVar[Mapping[str, Any]] = {}
    """The filter of every list of this screen."""
    default_order: ClassVar[Order] = ()
    binned: ClassVar[bool | None] = False
    """Whether the list holds the records in the recycle bin, those outside it, or (None) both."""
    is_whole: ClassVar[bool] = False
    """Whether the list is shown on one page, as a tree is, up to MOST_AT_ONCE rows."""
    sections: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = ()
    related: ClassVar[tuple[Related, ...]] = ()
    can_create: ClassVar[bool] = True
    can_edit: ClassVar[bool] = True
    list_page_template: ClassVar[str] = "list.html"
    page_template: ClassVar[str] = "details.html"
    for_editors: ClassVar[bool] = False
    """Whether the menu leads here only for users who may edit something here."""
    needs: ClassVar[str] = ""
    """The action without which the screen is closed; "" is `view`."""
    imports: ClassVar[str] = ""
    """The code of what sheets bring into this list (`resolvers/imports/targets.py`); "" for a list without imports."""

    def __init__(self) -> None:
        super().__init__()
        declared = [replace(x, action=x.action.replace("*", self.module)) for x in commands_of(type(self))]
        offered = [x for x in declared if x.verb != "delete" or (is_deletable(self.model) and not self.binned)]
        self.commands: Sequence[Command] = sorted(offered, key=lambda x: x.tone == "danger")  # dangerous ones come last
        verbs = [*(x.verb for x in self.commands), *(["edit"] if self.offers_edit else [])]
        self.verbs = tuple(dict.fromkeys(verbs))

    @property
    def panel(self) -> Any:
        """The panel that this screen belongs to; sqladmin sets it."""
        return self._admin_ref

    @property
    def module(self) -> str:
        return str(self.model.module)

    @property
    def offers_create(self) -> bool:
        return self.can_create and self.model in ENTITIES and not self.model.singleton

    @property
    def offers_edit(self) -> bool:
        return self.can_edit and self.model in ENTITIES

    @property
    def heading(self) -> str:
        return str(self.title or many(self.model))

    @property
    def templates_used(self) -> set[str]:
        return {self.list_page_template, self.page_template, *(tab.template for tab in self.related)}

    def url(self, *path: str) -> str:
        return "/".join((BASE, self.identity, *path))

    def routes(self) -> list[PageRoute]:
        """Every route with its path below the panel and its whole right, without forms that the screen does not offer."""
        edits = dict.fromkeys(("/edit/{id}", "/fact/{id}", "/restore-field/{id}"), not self.offers_edit)
        closed = {"/create": not self.offers_create, **edits}
        return [
            replace(route, path=f"/{self.identity}{route.path}", right=(self.module, str(route.right)))
            for route in routes_of(type(self))
            if not closed.get(route.path)
        ]

    def is_accessible(self, request: Request) -> bool:
        found = getattr(request.state, "panel_request", None)
        return found is not None and found.may(f"{self.module}.{self.needs or 'view'}")

    @property
    def place(self) -> Place | None:
        """The records of this screen, as `offers` asks about them."""
        filled = (key for key, wanted in self.base_filter.items() if wanted == {"is_null": False})
        return Place(self.model, tuple(filled))

    def is_listed(self, ask: PanelRequest) -> bool:
        """Whether the menu leads here for this user: to records, or to a list that they could begin."""
        if not self.is_accessible(ask.request):
            return False
        if self.for_editors and not ask.may(f"{self.module}.edit"):
            return False
        return self.place in ask.offers.found or (self.offers_create and self.model in ask.offers.drafted)

    def is_fit(self, ask: PanelRequest, which: Command, row: Row) -> bool:
        """Whether the user is offered a command beside this record."""
        if which.needs and not ask.may(which.needs):
            return False
        return which.fits(row) and not (which.for_others and row.id == ask.scope.me)

    def address(self, ask: PanelRequest) -> Address:
        """The addresses of records, for links."""
        return partial(self.panel.address, ask)

    def fields(self, ask: PanelRequest) -> list[Field]:
        """Every field that the user sees in some record."""
        if self.identity not in ask.fields:
            ask.fields[self.identity] = [field_of(self.model, key) for key in self.keys() if self.is_seen(ask, key)]
        return ask.fields[self.identity]

    def keys(self) -> list[str]:
        return shown_keys(self.model)

    def is_seen(self, ask: PanelRequest, key: str) -> bool:
        return ask.sees(self.module, word_of(key))

    def name_of(self, row: Row) -> str:
        """The name of a record, for headings."""
        chinese = row[f"{display_column(self.model).removesuffix('_en')}_zh"] if language() == "zh" else None
        return str(chinese or row[display_column(self.model)] or row[self.model.named_by] or one(self.model))

    def record_request(self) -> ListRequest:
        """The request by which one record is read: every column, in the bin or not."""
        own = [column.key for column in self.model.__table__.columns if column.key in ("version", "deleted_at")]
        keys = [*self.keys(), *self.always, *own]
        columns = tuple(dict.fromkeys(key for key in keys if key != "points"))
        return ListRequest(self.model, columns, binned=None, may=self.verbs, order=self.default_order)

    def record_url(self, row: Row) -> str:
        return self.url("details", global_id(self.model, row.id))

    def extra_values(self, scope: Scope, db: Session, rows: list[Row]) -> dict[int, dict[str, Any]]:
        """What is shown beside the columns, by record: `{12: {"why": "…"}}`.  Takes a constant number of queries."""
        return {}

    def extra_columns(self, ask: PanelRequest) -> list[tuple[str, str]]:
        """(key, label) of what the list shows of `extra_values`."""
        return []

    def _record_id(self, request: Request) -> int:
        return number_of(self.model, request.path_params["id"])

    async def render(self, ask: PanelRequest, template: str, context: dict[str, Any], status: int = 200) -> Response:
        response: Response = await self.panel.render(ask, template, {"view": self, **context}, status)
        return response


def names_in(scope: Scope, db: Session, model: type[Base] | None, ids: list[str]) -> dict[str, str]:
    """The names of these records by id, without those that the user does not see."""
    numbers = [number for text in ids if text != ME and model is not None and (number := number_of(model, text))]
    if model is None or not numbers:
        return {}
    found = names_of(scope, db, model, numbers)
    return {global_id(model, id): name for id, name in found.items()}


def is_deletable(model: type[Base]) -> bool:
    """Whether a screen over the model has a button that deletes."""
    return issubclass(model, Entity) and not model.singleton
