"""Rules of duplicate rules: one for each kind of evidence of each entity that is checked."""

from typing import Any

from sqlalchemy.orm import Session

from models import DuplicateRule
from models.duplicates import DEFAULTS

from ..runtime.inputs import not_offered
from ..runtime.lifecycle import Rules
from ..runtime.scope import Scope


class DuplicateRuleRules(Rules[DuplicateRule]):
    """A duplicate rule is about an entity that is checked."""

    def check(self, scope: Scope, db: Session, row: DuplicateRule, values: dict[str, Any]) -> None:
        if row.for_module not in DEFAULTS:
            raise not_offered("for_module")
