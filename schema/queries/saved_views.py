"""The query `savedViews`: lists that the caller has kept, and those that others share with them."""

from collections.abc import Sequence

import strawberry
from strawberry.scalars import JSON

from models import Department, Role, SavedView, User
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope
from resolvers.views import saved_views as views

from ..closed_lists import Density, entity_of, model_name
from ..contract import GraphQLInfo, Pointer, query
from ..nodes import node
from ..types.enums import DensityType, EntityNameType
from ..types.make import record_of
from ..types.namespace import Node


@strawberry.type(description="One step of the order of a view: a column, as `order` of a list names it.")
class ViewOrder:
    field: str
    """The field by its name in the API."""
    descending: bool
    """Whether the largest comes first."""


@strawberry.type(
    name="SavedView",
    description="A list as somebody keeps it. It gives no right: you find in it what you may see anyway.",
)
class SavedViewType(Node):
    id: strawberry.ID
    entity: EntityNameType
    """The kind of records, by the name of its type."""
    name: str
    """What the view is called."""
    filter: JSON = strawberry.field(description="The condition, in the form of the filters of lists.")
    """Its conditions, as JSON; null for none."""
    search: str
    """Its words to search for; null for none."""
    columns: list[str]
    """Its columns by their names in the API; empty takes the usual ones."""
    order: list[ViewOrder]
    """The steps of its order; empty takes the usual one."""
    density: DensityType | None
    """How close the rows stand in the panel."""
    page_size: int
    """Rows on a page of the panel; null takes the usual number."""
    position: int
    """The place among your views."""
    owner: Pointer | None = strawberry.field(graphql_type=record_of(User))
    """WhoseRecords view it is; null where they are out of your sight."""
    is_mine: bool
    """Whether it is yours, so that you may change, share and delete it."""
    is_shared: bool
    """Whether others use it."""
    for_everyone: bool
    """Whether it is shared with all users."""
    role_ids: list[strawberry.ID] = strawberry.field(description="Told to its owner alone.")
    department_ids: list[strawberry.ID] = strawberry.field(description="Told to its owner alone.")
    version: int
    """Counts its changes; send it with `saveView`, so that two users do not overwrite each other."""
    notes: list[str] = strawberry.field(description="What is gone since it was saved, or hidden from you.")
    view: strawberry.Private[views.View]

    @strawberry.field(description="The number of records that you see in it, counted up to 1,001.")  # type: ignore[untyped-decorator]  # Strawberry's overloads
    async def count(self, info: GraphQLInfo) -> int:
        return await info.context.scope.read(views.count, self.view)


@query("user.views")
async def saved_views(info: GraphQLInfo, entity: EntityNameType | None = None) -> list[SavedViewType]:
    """Your views and those that are shared with you; `entity` is the type of their records."""
    scope = info.context.scope
    model = views.model_called(model_name(entity)) if entity is not None else None
    return [shown(view, scope.language) for view in await scope.read(views.saved_views, model)]


@node(SavedView)
async def _nodes(scope: Scope, ids: Sequence[int]) -> dict[int, SavedViewType]:
    found = await scope.read(views.saved_views)
    return {view.id: shown(view, scope.language) for view in found if view.id in ids}


def shown(view: views.View, language: str) -> SavedViewType:
    s = view.settings
    return SavedViewType(
        id=strawberry.ID(global_id(SavedView, view.id)),
        entity=entity_of(view.model),
        name=view.name,
        filter=JSON(dict(s.condition)),
        search=s.search,
        columns=[*s.columns],
        order=[ViewOrder(field=key, descending=descends) for key, descends in s.order],
        density=Density(s.density) if s.density else None,
        page_size=s.size,
        position=view.position,
        owner=Pointer(User, view.owner_id),
        is_mine=view.is_mine,
        is_shared=view.is_shared,
        for_everyone=view.for_everyone,
        role_ids=[strawberry.ID(global_id(Role, x)) for x in view.roles],
        department_ids=[strawberry.ID(global_id(Department, x)) for x in view.departments],
        version=view.version,
        notes=view.said(language),
        view=view,
    )
