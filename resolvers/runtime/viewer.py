"""The viewer of a read: a principal, the policy in force and a language, with the clauses that follow from them."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement

from models import Base
from policies import Principal, Snapshot
from policies.objects import field_name

Clause = ColumnElement[bool]
Value = ColumnElement[Any]
UNGUARDED = {"id", "version"}
"""What whoever may see a row may always see: without these nobody can name or change it."""


@dataclass(frozen=True)
class Viewer:
    """Who looks, under which policy, in which language."""

    person: Principal
    policy: Snapshot
    language: str = "en"

    @cached_property
    def one_by_one(self) -> "Viewer":
        """The same look where few rows are asked, as one that is called by its key."""
        return self._with(sees_many=True)

    @cached_property
    def at_once(self) -> "Viewer":
        """The same look where every row is asked: what answers is found first."""
        return self._with(sees_many=False)

    def _with(self, *, sees_many: bool) -> "Viewer":
        same = self.person.sees_many is sees_many
        return self if same else replace(self, person=replace(self.person, sees_many=sees_many))

    def rows(self, model: type[Base], e: Any) -> Clause:
        """The rows that the person may view, those in the bin included where he may."""
        return self.policy.where(self.person, "view", model, e)

    def value(self, model: type[Base], e: Any, key: str) -> Value:
        """A column where he may see it, NULL elsewhere."""
        column: Value = getattr(e, key)
        if key in UNGUARDED:
            return column
        guarded: Value = self.policy.guarded(self.person, model, field_name(key), e, column)
        return guarded
