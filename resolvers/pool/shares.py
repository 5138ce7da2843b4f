"""Shares of members in automatic assignment, as administrators of a pool edit them."""

from typing import Any, ClassVar

from sqlalchemy.orm import Session

from models import AssignmentShare
from models.pool_assignment import LARGEST_WEIGHT

from ..runtime.custom_fields import visible_book
from ..runtime.form_terms import FormTerms
from ..runtime.inputs import out_of_range
from ..runtime.lifecycle import Rules
from ..runtime.scope import Scope
from .condition_text import stored


class ShareRules(Rules[AssignmentShare]):
    """A share has a weight within bounds, and a condition that says something."""

    form: ClassVar[FormTerms] = FormTerms(bounds={"weight": (0, LARGEST_WEIGHT)})

    def check(self, scope: Scope, db: Session, row: AssignmentShare, values: dict[str, Any]) -> None:
        if row.condition is not None and "condition" in values:
            row.condition = stored(row.condition, visible_book(scope.policy, scope.person))
        if not 0 <= values.get("weight", 1) <= LARGEST_WEIGHT:
            raise out_of_range("weight", 0, LARGEST_WEIGHT)
