"""The viewer of a read: a principal, the policy in force and a language, with the clauses that follow from them."""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, case, cast, func, inspect, literal_column, null, or_, select

from models import Base
from models.base import column_of, trait_of
from models.custom_field import Custom, UnconvertedValue, is_custom
from models.custom_sql import CustomJson, CustomText, CustomValue, WithoutKeys
from policies import Principal, Snapshot
from policies.clauses import Clauses
from policies.objects import field_name
from policies.principal import NUMBERS, SETS
from policies.rows import WithParent

Clause = ColumnElement[bool]
Value = ColumnElement[Any]
UNGUARDED = {"id", "version"}
"""The columns that every user sees of a row in sight: without them a record can be neither named nor changed."""


@dataclass(frozen=True)
class Viewer:
    """Who reads, under which policy, in which language."""

    person: Principal
    policy: Snapshot
    language: str = "en"
    sees_many: bool = False
    """A hint to the planner (`selectivity.py`): the clauses ask row by row.  It changes no answer."""

    @cached_property
    def one_by_one(self) -> "Viewer":
        """The same viewer where few rows are asked about, as one that is named by its key."""
        return self._with(sees_many=True)

    @cached_property
    def at_once(self) -> "Viewer":
        """The same viewer where every row is asked about: what answers is found first."""
        return self._with(sees_many=False)

    def _with(self, *, sees_many: bool) -> "Viewer":
        return self if self.sees_many is sees_many else replace(self, sees_many=sees_many)

    @cached_property
    def _clauses(self) -> Clauses:
        return Clauses(self.policy, self.person, by_row=self.sees_many)

    def where(self, action: str, model: type[Base], e: Any) -> Clause:
        """The rows to which the person may do `action`."""
        return self._clauses.where(action, model, e)

    def rows(self, model: type[Base], e: Any) -> Clause:
        """The rows that the person may view, those in the bin included where the policy allows it."""
        return self._clauses.where("view", model, e)

    def value(self, model: type[Base], e: Any, key: str) -> Value:
        """A column or a custom field where the person may see it, NULL elsewhere.

        An empty one that the record inherits is the parent's, as far as the person may see that.
        """
        if is_custom(key):
            return self.custom(model, e, key)
        column: Value = getattr(e, key)
        if key in UNGUARDED:
            return column
        if key in model.inherited:
            column = func.coalesce(column, self._of_parent(model, e, key))
        if hidden := self._hidden_among(model, key):
            column = WithoutKeys(column, hidden)
        if asks := self._asks_hidden(model, key, column):
            column = case((or_(*asks), literal_column(f"'{UNSAID}'")), else_=column)
        guarded: Value = self._clauses.guarded(model, field_name(key), e, column)
        return guarded

    def _asks_hidden(self, model: type[Base], key: str, text: Value) -> list[Clause]:
        """The conditions that a stored condition asks about a custom field that the person sees in no record."""
        hidden = self._never_seen(trait_of(column_of(model, key)).condition_of)
        return [
            text.contains(named, autoescape=True)
            for x in hidden
            for named in (f'"{x.word}"', f'"key":"{x.key}"', f'"key": "{x.key}"')
        ]

    def _hidden_among(self, model: type[Base], key: str) -> list[str]:
        """The custom fields that a list of keys may name, and that the person sees in no record."""
        return [x.word for x in self._never_seen(trait_of(column_of(model, key)).fields_of)]

    def _never_seen(self, module: str | None) -> list[Custom]:
        """The custom fields of a module that the person sees in no record."""
        fields = self.policy.book.all_of(module) if module is not None else ()
        return [x for x in fields if not self.policy.ever(self.person, "view", x.object)]

    def custom(self, model: type[Base], e: Any, word: str, *, as_text: bool = False, as_json: bool = False) -> Value:
        """The value of a custom field, `custom.<key>`, where the person may see it, NULL elsewhere.

        One that is not defined is NULL for everybody.  `as_text`, `as_json`: as it is stored.
        """
        custom = self.policy.book.find(model.module, word)
        if custom is None:
            return cast(null(), Text)
        form = CustomText if as_text else CustomJson if as_json else CustomValue
        held: Value = form(e.custom, custom)
        if custom.is_converting:
            held = case((_is_of_former_kind(custom, e), null()), else_=held)
        guarded: Value = self._clauses.guarded(model, word, e, held)
        return guarded

    def _of_parent(self, model: type[Base], e: Any, key: str) -> Value:
        if isinstance(e, WithParent):
            return self.value(e.parent.model, e.parent.e, key)
        relation = inspect(model).relationships[model.visible_through]
        parent: type[Base] = relation.mapper.class_
        above = parent.__table__.alias()
        mine = getattr(e, f"{model.visible_through}_id")
        found: Select[Any] = select(self.value(parent, above.c, key)).where(above.c.id == mine).correlate_except(above)
        return found.execution_options(policy=True).scalar_subquery()

    def shows(self, model: type[Base], e: Any, key: str) -> Clause | None:
        """The condition under which `value` of a column or a custom field is not hidden; None where it never is."""
        if key in UNGUARDED:
            return None
        own = self.guard(model, field_name(key), e)
        above = self._parent_shows(model, e, key) if key in model.inherited else None
        if above is None:
            return own
        known = or_(getattr(e, key).is_not(None), above)
        return known if own is None else and_(own, known)

    def _parent_shows(self, model: type[Base], e: Any, key: str) -> Clause | None:
        if isinstance(e, WithParent):
            return self.shows(e.parent.model, e.parent.e, key)
        parent: type[Base] = inspect(model).relationships[model.visible_through].mapper.class_
        above = parent.__table__.alias()
        shown = self.shows(parent, above.c, key)
        if shown is None:
            return None
        mine = getattr(e, f"{model.visible_through}_id")
        found: Any = (
            select(literal_column("1")).select_from(above).where(above.c.id == mine, shown).correlate_except(above)
        )
        there: Clause = found.execution_options(policy=True).exists()
        return there

    def guard(self, model: type[Base], field: str, e: Any) -> Clause | None:
        """The clause under which a field, by its word in policy lines, may be seen; None where seeing the row is enough."""
        return self._clauses.guard(model, field, e)


def _is_of_former_kind(custom: Custom, e: Any) -> Clause:
    """Condition: what the record holds is no value of the present kind yet, so that no statement may read it as one."""
    left = UnconvertedValue.__table__.alias()
    found: Select[Any] = select(literal_column("1")).where(
        left.c.field_id == literal_column(str(custom.id)), left.c.record_id == e.id
    )
    return found.correlate_except(left).execution_options(policy=True).exists()


UNSAID = '"…"'
"""What stands for a condition that asks about hidden fields: JSON that says nothing, which no condition is."""


@dataclass(frozen=True)
class Requester:
    """A principal as the plan cache knows them: with the planner's hint, and what the key of a plan takes of them."""

    person: Principal
    sees_many: bool = False

    def at(self, now: datetime) -> "Requester":
        """The same requester at another moment, with what was computed of them.  Two microseconds."""
        other = Requester(self.person.at(now), self.sees_many)
        other.__dict__.update(likeness=self.likeness, ordered=self.ordered)
        return other

    @cached_property
    def likeness(self) -> Hashable:
        """What all people have in common for whom the same statement is written with other values."""
        p = self.person
        numbers = (getattr(p, name) is None for name in NUMBERS)
        return p.roles, p.language, p.zone, self.sees_many, *numbers, *(len(getattr(p, name)) for name in SETS)

    @cached_property
    def ordered(self) -> dict[str, tuple[int, ...]]:
        """The sets of numbers, each in the order in which a statement takes them."""
        return {name: tuple(sorted(getattr(self.person, name))) for name in SETS}
