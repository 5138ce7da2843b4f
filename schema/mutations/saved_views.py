"""Saved views: save, delete and share one's own."""

from typing import Any, cast

import strawberry
from strawberry.scalars import JSON

from models import Department, Role, SavedView
from models.errors import Refusal
from resolvers.runtime.ids import number_of
from resolvers.runtime.scope import Scope
from resolvers.views import saved_views as views
from resolvers.views.settings import ViewSettings

from ..closed_lists import model_name
from ..contract import DonePayload, GraphQLInfo, done, mutation
from ..problems import Problem, problems_of
from ..queries.saved_views import SavedViewType, shown
from ..types.enums import DensityType, EntityNameType


@strawberry.input(description="One step of the order of a view.")
class ViewOrderInput:
    field: str
    descending: bool = False
    """Whether the largest comes first."""


@strawberry.input(description="A view as it shall be: without `id` a new one; with it all of that one.")
class SaveViewInput:
    entity: EntityNameType
    """The kind of records, by the name of its type."""
    name: str
    """What the view is called."""
    filter: JSON | None = None
    """Its conditions, as JSON."""
    search: str = ""
    """Its words to search for."""
    columns: list[str] = strawberry.field(default_factory=list)
    """Its columns by their names in the API; without them the usual ones."""
    order: list[ViewOrderInput] = strawberry.field(default_factory=list)
    """The steps of its order; without them the usual one."""
    density: DensityType | None = None
    """How close the rows stand in the panel."""
    page_size: int = 0
    """Rows on a page of the panel."""
    position: int | None = None
    """The place among your views."""
    id: strawberry.ID | None = None
    version: int | None = None


@strawberry.input(description="One of your views.")
class ViewInput:
    id: strawberry.ID


@strawberry.input(description="Who sees one of your views beside you; nobody where nothing is given.")
class ShareViewInput:
    id: strawberry.ID
    for_everyone: bool = False
    """Whether all users get it."""
    role_ids: list[strawberry.ID] = strawberry.field(default_factory=list)
    """Roles whose holders get it; the list replaces what was there."""
    department_ids: list[strawberry.ID] = strawberry.field(default_factory=list)
    """Departments whose users get it, with all below them; the list replaces what was there."""


@strawberry.type(description="The view, or what was refused; `field` is the place in the condition.")
class SavedViewPayload:
    view: SavedViewType | None = None
    """The view as it is stored; null where it was refused."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@mutation("user.views")
async def save_view(info: GraphQLInfo, input: SaveViewInput) -> SavedViewPayload:
    """Store a view of yours, a new one or, with `id` and `version`, one that is there."""
    scope = info.context.scope
    settings = ViewSettings(
        condition=cast("Any", input.filter) if input.filter is not None else {},
        search=input.search,
        columns=tuple(input.columns),
        order=tuple((step.field, step.descending) for step in input.order),
        density=input.density.value if input.density is not None else "",
        size=input.page_size,
    )
    try:
        id = number_of(SavedView, input.id) if input.id is not None else None
        more = {"id": id, "version": input.version, "position": input.position}
        made = await scope.run(
            views.save_view, views.model_called(model_name(input.entity)), input.name, settings, **more
        )
        view = await scope.read(views.view_of, made)
    except Refusal as refusal:
        return SavedViewPayload(problems=problems_of([refusal], scope.language))
    return SavedViewPayload(view=shown(view, scope.language))


@mutation("user.views")
async def delete_view(info: GraphQLInfo, input: ViewInput) -> DonePayload:
    """Delete a view of yours; it is gone for all with whom it was shared."""
    return await done(info.context.scope, views.delete_view, number_of(SavedView, input.id))


@mutation("user.share_views")
async def share_view(info: GraphQLInfo, input: ShareViewInput) -> DonePayload:
    """Shows one of your views to roles, departments or everyone.  To end it asks for nothing."""
    roles = [number_of(Role, x) for x in input.role_ids]
    departments = [number_of(Department, x) for x in input.department_ids]

    def share(scope: Scope) -> None:
        id = number_of(SavedView, input.id)
        views.share_view(scope, id, everyone=input.for_everyone, roles=roles, departments=departments)

    return await done(info.context.scope, share)
