"""Stale opportunities: open ones that nobody has changed for long."""

from ..reading.conditions import Condition
from .open_opportunities import OPEN

DAYS = 30
"""The number of days without a change after which an open opportunity is stale."""
STALE: Condition = {"and": [OPEN, {"updatedAt": {"during": f"more than {DAYS} days ago"}}]}
"""The condition of a stale opportunity."""
MY_STALE: Condition = {"and": [{"ownerId": {"eq": "me"}}, STALE]}
"""The condition of one that the reader owns."""
