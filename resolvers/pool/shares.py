"""Shares of members in automatic assignment, as administrators of a pool edit them."""

from typing import Any

from sqlalchemy.orm import Session

from models import AssignmentShare
from models.errors import Validation
from models.pool_assignment import LARGEST_WEIGHT

from ..runtime.lifecycle import Rules
from ..runtime.scope import Scope
from .condition_text import stored


class ShareRules(Rules[AssignmentShare]):
    """A share has a weight within bounds, and a condition that says something."""

    def check(self, scope: Scope, db: Session, row: AssignmentShare, values: dict[str, Any]) -> None:
        if row.condition is not None:
            row.condition = stored(row.condition)
        if not 0 <= values.get("weight", 1) <= LARGEST_WEIGHT:
            raise Validation(
                f"The weight is a number from 0 to {LARGEST_WEIGHT}.",
                f"权重须为 0 到 {LARGEST_WEIGHT} 之间的数字。",
                field="weight",
            )
