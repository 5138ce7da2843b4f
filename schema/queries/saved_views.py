"""The query `savedViews`: lists that the caller has kept, and those that others share with them."""

import strawberry
from strawberry.scalars import JSON

from models import Department, Role, SavedView, User
from resolvers.runtime.ids import global_id
from resolvers.views import saved_views as views

from ..contract import GraphQLInfo, Pointer, query
from ..types.make import record_of


@strawberry.type(description="One step of the order of a view: a column, as `order` of a list names it.")
class ViewOrder:
    field: str
    descending: bool


@strawberry.type(
    name="SavedView",
    description="A list as somebody keeps it. It gives no right: you find in it what you may see anyway.",
)
class SavedViewType:
    id: strawberry.ID
    entity: str
    name: str
    filter: JSON = strawberry.field(description="The condition, in the form of the filters of lists.")
    search: str
    columns: list[str]
    order: list[ViewOrder]
    density: str
    page_size: int
    position: int
    owner: Pointer | None = strawberry.field(graphql_type=record_of(User))
    is_mine: bool
    is_shared: bool
    for_everyone: bool
    role_ids: list[strawberry.ID] = strawberry.field(description="Told to its owner alone.")
    department_ids: list[strawberry.ID] = strawberry.field(description="Told to its owner alone.")
    version: int
    notes: list[str] = strawberry.field(description="What is gone since it was saved, or hidden from you.")
    view: strawberry.Private[views.View]

    @strawberry.field(description="The number of records that you see in it, counted up to 1,001.")  # type: ignore[untyped-decorator]  # Strawberry's overloads
    async def count(self, info: GraphQLInfo) -> int:
        return await info.context.scope.read(views.count, self.view)


@query("user.views")
async def saved_views(info: GraphQLInfo, entity: str | None = None) -> list[SavedViewType]:
    """Your views and those that are shared with you; `entity` is the type of their records, like `Customer`."""
    scope = info.context.scope
    model = views.model_called(entity) if entity is not None else None
    return [shown(view, scope.language) for view in await scope.read(views.saved_views, model)]


def shown(view: views.View, language: str) -> SavedViewType:
    s = view.settings
    return SavedViewType(
        id=strawberry.ID(global_id(SavedView, view.id)),
        entity=view.model.__name__,
        name=view.name,
        filter=JSON(dict(s.condition)),
        search=s.search,
        columns=[*s.columns],
        order=[ViewOrder(field=key, descending=descends) for key, descends in s.order],
        density=s.density,
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
