"""Unread notifications of the demo: what its users were told since yesterday."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from models import Customer, Notice
from models.base import time_text

_TOLD: tuple[tuple[str, str, str | None, float], ...] = (
    ("li", "assigned", "lead", 1.5),
    ("li", "transferred_to_you", "lead", 5),
    ("li", "release_coming", None, 9),
    ("wu", "locked", "ada", 2),
    ("wu", "plan_overdue", None, 12),
    ("mei", "assigned", "ada", 3),
    ("lead", "commented", "li", 4),
    ("lead", "seen_as", "ada", 20),
)
"""(receiver, kind, who did it, hours ago)."""
_LATER = {"release_coming": timedelta(days=3), "plan_overdue": timedelta(days=-1)}
"""Kind -> the time from the demo's beginning to the moment that the notification names."""
_T: Any = Customer.__table__


def keep(connection: Connection, people: Mapping[str, int], now: datetime) -> None:
    """Write the notifications, each about another customer of its receiver."""
    for number, (receiver, kind, actor, hours) in enumerate(_TOLD):
        mine = select(_T.c.id).where(_T.c.owner_id == people[receiver], _T.c.deleted_at.is_(None))
        found = connection.execute(mine.order_by(_T.c.id.desc()).offset(number).limit(1)).scalar()
        facts: dict[str, Any] = {"due": {"at": time_text(now + _LATER[kind])}} if kind in _LATER else {}
        facts |= {"former": people["wu"]} if kind == "transferred_to_you" else {}
        about = {"entity": "customer", "record_id": found} if kind != "seen_as" else {}
        told = {"receiver_id": people[receiver], "kind": kind, "actor_id": people[actor] if actor else None}
        told |= {"facts": facts, "at": now - timedelta(hours=hours), "in_panel": True, "mail_tries": 0}
        connection.execute(insert(Notice), told | about)
