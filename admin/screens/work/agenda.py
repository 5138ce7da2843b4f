"""The agenda on Home: the user's plans that are overdue, due today, or due within the next seven days."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models import Plan
from resolvers.reading.pages import ListRequest, Page, page
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope

from ...kit.labels import choice_label
from ...kit.panel_request import PanelRequest
from ...kit.routes import BASE
from ...kit.translation import Label
from .plans import coming, overdue, today

SHOWN: tuple[str, ...] = ("due_at", "kind", "content", "customer_id")
PARTS: tuple[tuple[str, str, Callable[[PanelRequest], Mapping[str, Any]]], ...] = (
    ("overdue", Label("Overdue"), overdue),
    ("today", Label("Today"), today),
    ("coming", Label("Next seven days"), coming),
)
MOST = 6
"""Maximum number of plans of a part."""


@dataclass(frozen=True)
class Due:
    """A plan as the agenda shows it."""

    due_at: Any
    what: str
    customer: str
    href: str


@dataclass(frozen=True)
class Part:
    """The plans of one part, the earliest first; `href`: the list of all of them."""

    name: str
    label: str
    href: str
    rows: list[Due]
    has_more: bool


async def agenda(ask: PanelRequest) -> list[Part]:
    """The parts that hold something."""
    if not ask.may("plan.view"):
        return []
    wanted = [
        ListRequest(Plan, SHOWN, narrows(ask), order=(("due_at", False),), size=MOST, counts=False)
        for _name, _label, narrows in PARTS
    ]
    pages: list[Page] = await ask.scope.read(_read, wanted)
    return [_part(name, label, part) for (name, label, _narrows), part in zip(PARTS, pages, strict=True) if part.rows]


def _read(scope: Scope, db: Session, wanted: list[ListRequest]) -> list[Page]:
    return [page(scope, db, each) for each in wanted]


def _part(name: str, label: str, found: Page) -> Part:
    rows = [
        Due(
            row["due_at"],
            str(row["content"] or choice_label(row["kind"] or "")),
            row.names.get("customer_id") or "–",
            f"{BASE}/plan/details/{global_id(Plan, row.id)}",
        )
        for row in found.rows
    ]
    return Part(name, label, f"{BASE}/plan/list?tab={name}", rows, found.after is not None)
