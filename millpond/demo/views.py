"""Saved views of the demo: what sales people and their lead look at every morning."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select

from models import Customer, Entity, Opportunity, Role, SavedView, SavedViewShare
from models.pool import GranteeKind
from resolvers.views.settings import ViewSettings


class DemoView(NamedTuple):
    """One view; `team`: the department with which it is shared, "*" for everyone; `role`: the role with which it is."""

    owner: str
    model: type[Entity]
    name: str
    condition: Mapping[str, Any]
    columns: tuple[str, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    team: str = ""
    role: str = ""


_QUIET = {"followUps": {"none": {"happenedAt": {"during": "last 30 days"}}}}
_OPEN = {"not": {"stage": {"in": ["won", "lost"]}}}
VIEWS = (
    DemoView("lead", Customer, "30天未跟进 Not contacted", {"and": [{"departmentId": {"in": ["my-team"]}}, _QUIET]}, team="east"),
    DemoView("ada", Customer, "待领取 A/B Unclaimed", {"and": [{"poolId": {"isNull": False}}, {"level": {"in": ["a", "b"]}}]}, role="sales"),
    DemoView("li", Customer, "我的 A/B 级客户", {"and": [{"ownerId": {"in": ["me"]}}, {"level": {"in": ["a", "b"]}}]}),
    DemoView("lead", Customer, "正式客户·华东", {"and": [{"category": {"under": ["formal"]}}, {"region": {"in": ["east"]}}]}, team="*"),
    DemoView(
        "li",
        Opportunity,
        "我的大额在谈商机",
        {"and": [{"ownerId": {"in": ["me"]}}, {"amount": {"gt": "100000"}}, _OPEN]},
        ("name", "customer_id", "stage", "amount", "expected_close"),
        (("amount", True),),
    ),
    DemoView("ada", Opportunity, "Closing in 14 days", {"and": [{"expectedClose": {"during": "next 14 days"}}, _OPEN]}, team="*"),
)  # fmt: skip


def keep(connection: Connection, people: Mapping[str, int], departments: Mapping[str, int], now: datetime) -> None:
    """Write the views of the demo.  Raises Validation for one that a user could not save."""
    roles = {row.code: row.id for row in connection.execute(select(Role.code, Role.id))}
    for position, view in enumerate(VIEWS, 1):
        settings = ViewSettings(condition=view.condition, columns=view.columns, order=view.order)
        settings.check(view.model)
        values = {
            "owner_id": people[view.owner],
            "entity": view.model.__name__,
            "name": view.name,
            "position": position,
        }
        values |= {"settings": settings.stored(), "for_everyone": view.team == "*", "version": 1}
        made = connection.execute(insert(SavedView), {**values, "created_at": now, "updated_at": now})
        readers = [(GranteeKind.DEPARTMENT, departments[view.team])] if view.team in departments else []
        readers += [(GranteeKind.ROLE, roles[view.role])] if view.role else []
        for kind, id in readers:
            share = {"view_id": (made.inserted_primary_key or (0,))[0], "grantee_id": id}
            connection.execute(insert(SavedViewShare), {**share, "grantee_kind": kind})
