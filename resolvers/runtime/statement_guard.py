"""The statement guard: whether every protected table in a statement stands where the policy's criteria reach it.

SQLAlchemy adds criteria to entities in the columns, in FROM and in joins.  It leaves out, or only lately takes in,
an entity named nowhere but in WHERE, ORDER BY, HAVING or behind another one in an expression, and both sides of a
FULL JOIN.  So a protected table must be selected, joined or in `select_from`; anything else is refused.
"""

import re
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnClause, Executable, FromClause, Select, Table, TableClause, TextClause
from sqlalchemy.sql.selectable import AliasedReturnsRows, Lateral

from models import PROTECTED, Base
from models.database.prepared import WHEN_COMPILED
from models.database.sqlalchemy_internals import correlated_with, joins_of, mapped_sources, parts_beside_joins

MODELS: dict[str, type[Base]] = {model.__tablename__: model for model in PROTECTED}
Scope = frozenset[Any]
"""The row sources of one SELECT to which the policy's criteria will be added."""

_PLAIN_WORD = re.compile(r"\*|\w+")


class PolicyBypassed(RuntimeError):
    """A statement reached for protected tables without the policy clause: a bug, never a refusal."""


def models_of(statement: Executable, *, is_filtered: bool) -> set[type[Base]]:
    """The protected models that a statement selects.  Raises PolicyBypassed where one would escape the policy.

    `is_filtered`: whether criteria will be added; without them no protected table may be named at all.
    A SELECT with the execution option `policy` carries its own clause and is passed by.
    """
    walk = _Walk(is_filtered)
    walk.at(statement, frozenset())
    return walk.found


def check_prepared(statement: Executable) -> None:
    """Raise PolicyBypassed for a prepared statement that names a protected table and carries no policy clause."""
    models_of(statement, is_filtered=False)


WHEN_COMPILED.append(check_prepared)


class _Walk:
    def __init__(self, is_filtered: bool) -> None:
        self.is_filtered = is_filtered
        self.found: set[type[Base]] = set()
        self._seen: set[tuple[int, Scope]] = set()

    def at(self, element: Any, scope: Scope) -> None:
        if (id(element), scope) in self._seen:
            return
        self._seen.add((id(element), scope))
        if isinstance(element, Select):
            self._select(element, scope)
        elif isinstance(element, TextClause):
            raise PolicyBypassed("a text statement carries no policy")
        elif isinstance(element, ColumnClause):
            self._column(element, scope)
        elif isinstance(element, FromClause):
            self._source(element, scope)
        else:
            self._all(element.get_children(), scope)

    def _all(self, elements: Iterable[Any], scope: Scope) -> None:
        for element in elements:
            self.at(element, scope)

    def _select(self, statement: Select[Any], outer: Scope) -> None:
        if statement.get_execution_options().get("policy"):
            return
        entities = list(mapped_sources(statement)) if self.is_filtered else []
        self.found |= {entity.mapper.class_ for entity in entities} & set(PROTECTED)
        scope = frozenset(entity.selectable for entity in entities) | correlated_with(statement, outer)
        self._all(parts_beside_joins(statement), scope)
        for join in joins_of(statement):
            if join.is_full:
                raise PolicyBypassed("a FULL JOIN shows rows that no criteria reach")
            self._all(join.clauses, scope)

    def _column(self, column: ColumnClause[Any], scope: Scope) -> None:
        if column.is_literal and not _PLAIN_WORD.fullmatch(column.name):
            raise PolicyBypassed("a text column carries no policy")
        if column.table is not None:
            self.at(column.table, scope)

    def _source(self, source: FromClause, scope: Scope) -> None:
        if source in scope and isinstance(source, TableClause):
            return
        if isinstance(source, TableClause) and source.name in MODELS:
            raise PolicyBypassed(
                f"{source.name} stands where no policy reaches it: select it, join it or select_from it"
            )
        if isinstance(source, AliasedReturnsRows):
            self._alias(source, scope)
        elif not isinstance(source, Table):
            self._all(source.get_children(), scope)

    def _alias(self, source: AliasedReturnsRows, scope: Scope) -> None:
        below = source.element
        if source in scope and isinstance(below, TableClause):
            return
        self.at(below, scope if isinstance(source, Lateral) else frozenset())
