"""What every screen over a kind of record is: its model, its place, its fields, and who may come."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from sqladmin import ModelView
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from models import ENTITIES, Base, Entity
from resolvers.reading.pages import Asked, Row, display_column, names_of
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from .commands import Command, commands_of
from .fields import Field, field_of, shown_keys
from .filters import ME
from .labels import many
from .lists import Tab
from .panel_request import BASE, PanelRequest
from .related import Related
from .translation import language


@dataclass(frozen=True)
class Served:
    """A page of a view: where, how, and which right of the module it asks for."""

    path: str
    methods: tuple[str, ...]
    action: str
    serve: Callable[[Any, Request], Any]


def served(path: str, action: str, *methods: str) -> Callable[[Any], Any]:
    """Make a method `async (self, request)` a page below the view's address."""

    def made(serve: Any) -> Any:
        serve.served = Served(path, methods or ("GET",), action, serve)
        return serve

    return made


class Screen(ModelView):
    """A screen over one model.  Everything here can be left out; what is left out is derived from the model."""

    model: ClassVar[type[Any]]
    _admin_ref: ClassVar[Any]

    slug: ClassVar[str] = ""
    """The word in addresses, when the model has several screens."""
    icon: ClassVar[str] = "template"
    group: ClassVar[str] = "more"
    """Where in the menu it stands; "" is nowhere."""
    title: ClassVar[str] = ""
    hint: ClassVar[str] = ""
    """One sentence below the title: what one does here."""
    empty: ClassVar[str] = ""
    """What to do when the list is empty."""
    columns: ClassVar[tuple[str, ...]] = ()
    always: ClassVar[tuple[str, ...]] = ()
    """What is read with each row beside what is shown, for `when` of commands."""
    filters: ClassVar[tuple[str, ...] | None] = None
    tabs: ClassVar[tuple[Tab, ...]] = ()
    base: ClassVar[Mapping[str, Any]] = {}
    """What narrows the list always."""
    ordered: ClassVar[tuple[tuple[str, bool], ...]] = ()
    binned: ClassVar[bool | None] = False
    sections: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = ()
    related: ClassVar[tuple[Related, ...]] = ()
    makes: ClassVar[bool] = True
    edits: ClassVar[bool] = True
    list_page_template: ClassVar[str] = "list.html"
    page_template: ClassVar[str] = "details.html"
    kept: ClassVar[bool] = False
    """Whether it is of interest only to those who may change something there."""
    needs: ClassVar[str] = ""
    """The action of which somebody must have some right to come here; "" is `view`."""

    def __init__(self) -> None:
        super().__init__()
        made = [replace(x, action=x.action.replace("*", self.module)) for x in commands_of(type(self))]
        wanted = [x for x in made if x.verb != "delete" or (is_deletable(self.model) and not self.binned)]
        self.commands: Sequence[Command] = sorted(wanted, key=lambda x: x.tone == "danger")  # harm comes last
        self.verbs = tuple(dict.fromkeys([*(x.verb for x in self.commands), *(["edit"] if self.is_edited else [])]))

    @property
    def panel(self) -> Any:
        """The panel that this screen is part of; sqladmin sets it."""
        return self._admin_ref

    @property
    def module(self) -> str:
        return str(self.model.module)

    @property
    def is_entity(self) -> bool:
        return self.model in ENTITIES

    @property
    def is_made(self) -> bool:
        return self.makes and self.is_entity and not self.model.singleton

    @property
    def is_edited(self) -> bool:
        return self.edits and self.is_entity

    @property
    def heading(self) -> str:
        return str(self.title or many(self.model))

    def url(self, *path: str) -> str:
        return "/".join((BASE, self.identity, *path))

    def is_accessible(self, request: Request) -> bool:
        found = getattr(request.state, "panel_request", None)
        return found is not None and found.may(f"{self.module}.{self.needs or 'view'}")

    def is_listed(self, ask: PanelRequest) -> bool:
        """Whether the menu leads here: to work for everybody who sees it, to the rest for who may change it."""
        if not self.is_accessible(ask.request):
            return False
        return self.group == "work" or not self.kept or ask.may(f"{self.module}.edit")

    def address(self, ask: PanelRequest) -> Callable[[type[Base], int], str | None]:
        """Where records have their pages, for links."""
        return partial(self.panel.address, ask)

    @classmethod
    def pages(cls) -> Iterator[Served]:
        """The pages of this view, its own before those of the kit."""
        found = {}
        for base in reversed(cls.__mro__):
            for name, member in vars(base).items():
                if isinstance(page := getattr(member, "served", None), Served):
                    found[name] = page
        yield from found.values()

    def fields(self, ask: PanelRequest) -> list[Field]:
        """Every field that this person may see in some record."""
        if self.identity not in ask.fields:
            ask.fields[self.identity] = [field_of(self.model, key) for key in self.keys() if self.is_seen(ask, key)]
        return ask.fields[self.identity]

    def keys(self) -> list[str]:
        return shown_keys(self.model)

    def is_seen(self, ask: PanelRequest, key: str) -> bool:
        return ask.sees(self.module, key.removesuffix("_id"))

    def name_of(self, row: Row) -> str:
        """How a record is called in a heading."""
        chinese = row[f"{display_column(self.model).removesuffix('_en')}_zh"] if language() == "zh" else None
        return str(
            chinese or row[display_column(self.model)] or row[self.model.named_by] or global_id(self.model, row.id)
        )

    def asked_one(self) -> Asked:
        own = [column.key for column in self.model.__table__.columns if column.key in ("version", "deleted_at")]
        keys = [*self.keys(), *self.always, *own]
        wanted = tuple(dict.fromkeys(key for key in keys if key != "points"))
        return Asked(self.model, wanted, binned=None, may=self.verbs, order=self.ordered)

    def record_url(self, row: Row) -> str:
        return self.url("details", global_id(self.model, row.id))

    def enrich(self, scope: Scope, db: Session, rows: list[Row]) -> dict[int, dict[str, Any]]:
        """What a screen shows beside the columns, by record: `{12: {"why": "…"}}`.  A constant number of queries."""
        return {}

    def extra_columns(self, ask: PanelRequest) -> list[tuple[str, str]]:
        """(key, label) of what `enrich` adds to the list."""
        return []

    def _asked_id(self, request: Request) -> int:
        return number_of(self.model, request.path_params["id"])

    async def render(self, ask: PanelRequest, template: str, context: dict[str, Any], status: int = 200) -> Response:
        response: Response = await self.panel.render(ask, template, {"view": self, **context}, status)
        return response


def names_in(scope: Scope, db: Session, model: type[Base] | None, ids: list[str]) -> dict[str, str]:
    """What these records are called, as far as the person sees them."""
    numbers = [number for text in ids if text != ME and model is not None and (number := number_of(model, text))]
    if model is None or not numbers:
        return {}
    found = names_of(scope, db, model, numbers)
    return {global_id(model, id): name for id, name in found.items()}


def is_deletable(model: type[Base]) -> bool:
    """Whether a screen over the model has a button to delete."""
    return issubclass(model, Entity) and not model.singleton
