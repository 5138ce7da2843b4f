"""What one person may do under one policy, as SQL clauses."""

from functools import cache
from typing import Any, Protocol

from sqlalchemy import ColumnElement, True_, and_, case, true

from models import Base

from .cells import Cell, Written
from .objects import FIELDS, LISTED
from .principal import Principal
from .rows import Clause, Rows
from .words import together


class Cells(Protocol):
    """What the clauses need of a policy."""

    def cell(self, roles: frozenset[str], obj: str, action: str, /) -> Cell:
        """Return the cell of these roles, object and action."""
        ...


class Clauses:
    """The clauses of one person.  Those about the same rows are written once.

    `by_row` chooses the form that asks about each row by itself (`rows.py`); it changes no answer.
    """

    def __init__(self, policy: Cells, person: Principal, *, by_row: bool = False) -> None:
        self.policy, self.person, self.by_row = policy, person, by_row
        self._written: Written = {}
        self._looker = Clauses(policy, person.looker, by_row=by_row) if person.looker is not None else None

    def where(self, action: str, model: type[Base], e: Any) -> Clause:
        """The clause that lets through the rows of `model` to which the person may do `action`.

        `e` is the row source (class, alias, `.c` of a subquery).  A record with a parent is in reach only while the
        parent is visible; to restore it, a lock of the parent does not count.
        """
        return self._where(action, Rows(model, e, self.by_row))

    def guarded(self, model: type[Base], field: str, e: Any, column: ColumnElement[Any]) -> Any:
        """`column` where the person may see `field`, NULL elsewhere.  The very column when seeing the row is enough."""
        rule = self.guard(model, field, e)
        return column if rule is None else case((rule, column), else_=None)

    def guard(self, model: type[Base], field: str, e: Any, action: str = "view") -> Clause | None:
        """The clause under which `field` may be seen (or edited) in a row where `action` is allowed as such.

        None when the right on the row is enough, which is the usual case.  A part is asked about as its parent.
        """
        return self._guard(Rows(model, e, self.by_row), field, action)

    def _where(self, action: str, rows: Rows, *, past_locks: bool = False) -> Clause:
        """`past_locks`: as if no record were locked."""
        model = rows.model
        if is_part(model):
            return rows.of_parent(lambda parent: self._listed(action, parent, LISTED.get(model)))
        clause = self._sql(model.module, action, rows, past_locks=past_locks)
        if not model.visible_through:
            return clause
        # What was deleted before a lock, or under it, comes back unseen: else nobody but the owner could restore it.
        past = past_locks or action == "restore"
        return and_(clause, rows.of_parent(lambda parent: self._where("view", parent, past_locks=past)))

    def _listed(self, action: str, parent: Rows, field: str | None) -> Clause:
        """The parents whose parts are in reach: those in reach themselves, unless the list of parts is hidden."""
        clause = self._where(action, parent)
        guard = self._guard(parent, field or "", "edit" if action == "edit" else "view")
        return clause if guard is None else and_(clause, guard)

    def _guard(self, rows: Rows, field: str, action: str) -> Clause | None:
        model = rows.model
        word = f"{model.module}.{field}"
        if word not in FIELDS:
            return None
        left = self._cell(word, action).within(self._cell(model.module, action))
        if left is None and self._looker is None:
            return None
        clause = (
            rows.of_parent(lambda x: self._left(left, word, action, x))
            if is_part(model)
            else (self._left(left, word, action, rows))
        )
        return None if isinstance(clause, True_) else clause

    def _left(self, left: Cell | None, word: str, action: str, rows: Rows) -> Clause:
        """What is left to ask about a field, by the lines about the person and about a user who views as them."""
        clause = true() if left is None else left.sql(self.person, rows, self._written)
        return clause if self._looker is None else together([clause, self._looker.unlocked(word, action, rows)])

    def unlocked(self, obj: str, action: str, rows: Rows) -> Clause:
        """The rows that no line about locked records closes for this person."""
        return self._cell(obj, action).locks.sql(self.person, rows, self._written)

    def _cell(self, obj: str, action: str) -> Cell:
        return self.policy.cell(self.person.roles, obj, action)

    def _sql(self, obj: str, action: str, rows: Rows, *, past_locks: bool) -> Clause:
        cell = self._cell(obj, action)
        clause = (cell.past_locks if past_locks else cell).sql(self.person, rows, self._written)
        return clause if self._looker is None else and_(clause, self._looker.unlocked(obj, action, rows))


@cache
def is_part(model: type[Base]) -> bool:
    """Whether rows of `model` share the module of their parent, and so are the same thing to the policy."""
    if not model.visible_through:
        return False
    parent: type[Base] = getattr(model, model.visible_through).property.mapper.class_
    return parent.module == model.module
