"""The read guard: row-level security on every session.  A session without a principal sees nothing.

Use cases ask for the action they need (`scope.load`); the guard also holds when one forgets to.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import cache, lru_cache
from typing import Any, cast

from sqlalchemy import Select, event, inspect
from sqlalchemy.orm import LoaderCriteriaOption, ORMExecuteState, Session, with_loader_criteria

from models import PROTECTED, Base
from models.database.bypass import OPTION
from models.database.engines import ReadSession, WriteSession
from models.database.sqlalchemy_internals import has_loader_options
from policies import NOW, Principal, Snapshot, whenever

from .statement_guard import PolicyBypassed as PolicyBypassed
from .statement_guard import models_of

current: ContextVar[tuple[Principal | None, Snapshot] | None] = ContextVar("current", default=None)
"""Principal and policy for sessions that a library makes, like sqladmin; read once, when the session is made."""


@event.listens_for(ReadSession, "do_orm_execute")
@event.listens_for(WriteSession, "do_orm_execute")
def _guard_reads(state: ORMExecuteState) -> None:
    _bind_now(state)
    if state.execution_options.get(OPTION) is not None or state.is_column_load:
        return
    reached = _reached(state)
    if reached:
        state.statement = cast("Select[Any]", state.statement).options(*_criteria(state.session, reached))


def _bind_now(state: ORMExecuteState) -> None:
    """Give a statement the time of the request, which clauses about a principal `whenever` take as a parameter."""
    principal, _policy = rights(state.session)
    given = state.parameters or {}
    if principal is not None and state.is_select and isinstance(given, Mapping):
        state.parameters = {NOW.key: principal.now, **given}


def _reached(state: ORMExecuteState) -> set[type[Base]]:
    """The protected models that get criteria.  Raises PolicyBypassed where a table would not get them."""
    statement = state.statement
    if state.is_relationship_load:
        return _around({mapper.class_ for mapper in state.all_mappers})
    if state.is_from_statement:
        raise PolicyBypassed("a statement inside from_statement carries no policy")
    reached = models_of(statement, is_filtered=bool(state.is_orm_statement and state.is_select))
    if not state.is_select and state.bind_mapper is not None and state.bind_mapper.class_ in PROTECTED:
        raise PolicyBypassed("a bulk write skips the policy and the log; load the rows, or use guarded_update")
    if has_loader_options(statement):
        return _around(reached | {mapper.class_ for mapper in state.all_mappers})
    return reached


@cache
def _neighbours(model: type[Base]) -> frozenset[type[Base]]:
    """Every model that relations lead to, however far: an eager load may read them."""
    found, waiting = {model}, [model]
    while waiting:
        for relation in inspect(waiting.pop()).relationships:
            if relation.mapper.class_ not in found:
                found.add(relation.mapper.class_)
                waiting.append(relation.mapper.class_)
    return frozenset(found)


def _around(models: Iterable[type[Base]]) -> set[type[Base]]:
    return {near for model in models for near in _neighbours(model)} & set(PROTECTED)


def _criteria(session: Session, models: Iterable[type[Base]]) -> Iterator[LoaderCriteriaOption]:
    principal, policy = rights(session)
    who = None if principal is None else whenever(principal)
    by_row = bool(session.info.get("sees_many"))
    return (_criterion(policy, who, model, by_row=by_row) for model in models)


@lru_cache(maxsize=512)
def _criterion(
    policy: Snapshot, principal: Principal | None, model: type[Base], *, by_row: bool
) -> LoaderCriteriaOption:
    """Made once for each person, because a clause takes longer to write than to run."""
    return with_loader_criteria(model, policy.where(principal, "view", model, by_row=by_row), include_aliases=True)


def rights(session: Session) -> tuple[Principal | None, Snapshot]:
    """The principal and policy of a session; without any, no principal and an empty policy."""
    return session.info.get("principal"), session.info.get("policy", _NOTHING)


_NOTHING = Snapshot("")


def _take_current(session: Session) -> None:
    """Give a session that was made without a principal that of the current request."""
    found = current.get()
    if "principal" not in session.info and found is not None:
        session.info["principal"], session.info["policy"] = found
