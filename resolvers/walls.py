"""The two walls around protected records: what a session may read, and what a flush may change.

Use cases ask for the action they need (`scope.load`); the walls are there for the day somebody forgets.  A session
without a principal sees nothing and changes nothing.
"""

from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Column, Executable, FromClause, Select, Table, and_, event, inspect, select
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.sql import visitors

from models import PROTECTED, Base, Entity, Part
from models.audit import UNWALLED, Signature
from models.base import columns, trait_of
from models.db import ReadSession, WriteSession
from models.errors import Forbidden, NotFound
from policies import Principal, Snapshot

from .names import camel, noun

current: ContextVar[tuple[Principal | None, Snapshot] | None] = ContextVar("current", default=None)
"""Principal and policy for sessions that somebody else opens, as sqladmin does; read once, when the session is made."""

TABLES: dict[Table, type[Base]] = {model.__table__: model for model in PROTECTED}  # type: ignore[misc]
MODELS: dict[str, type[Base]] = {table.name: model for table, model in TABLES.items()}


class Unwalled(RuntimeError):
    """A statement reached for protected tables without the policy clause: a bug, never a refusal."""


# --- reading ---------------------------------------------------------------------------------------------


@event.listens_for(ReadSession, "do_orm_execute")
@event.listens_for(WriteSession, "do_orm_execute")
def _read_wall(state: ORMExecuteState) -> None:
    if state.execution_options.get("unwalled") or state.is_column_load:
        return
    if not state.is_orm_statement:
        _refuse_core(state.statement)
        return
    if not state.is_select:
        if state.bind_mapper is not None and state.bind_mapper.class_ in PROTECTED:
            raise Unwalled("a bulk write skips the policy and the log; load the rows, or use guarded_update")
        return
    reached = set(_models_in(state.statement))
    if _is_raw(state.statement):
        raise Unwalled("a Core select on a protected table inside an ORM statement carries no policy")
    if state.is_relationship_load or getattr(state.statement, "_with_options", ()):
        reached = set(PROTECTED)  # eager loads bring in models that the statement does not name
    principal, policy = rights(state.session)
    state.statement = state.statement.options(  # type: ignore[attr-defined]
        *(
            with_loader_criteria(model, policy.where(principal, "view", model), include_aliases=True)
            for model in PROTECTED
            if model in reached
        )
    )


def rights(session: Session) -> tuple[Principal | None, Snapshot]:
    """Who looks, under which policy: given with the session, else whoever the request belongs to."""
    if "principal" not in session.info:
        found = current.get()
        session.info["principal"], session.info["policy"] = found or (None, _NOTHING)
    return session.info["principal"], session.info["policy"]


_NOTHING = Snapshot("")


def _refuse_core(statement: Executable) -> None:
    if statement.__visit_name__ == "textclause":  # type: ignore[attr-defined]
        raise Unwalled("a text statement carries no policy")
    if set(_models_in(statement)):
        raise Unwalled("a Core statement on a protected table carries no policy")


def _models_in(statement: Executable) -> Iterator[type[Base]]:
    for element in visitors.iterate(statement):  # type: ignore[arg-type]
        if isinstance(element, Table) and element in TABLES:
            yield TABLES[element]


def _is_raw(statement: Executable) -> bool:
    """Whether a protected table is named below its model, where no criteria would reach it.  Policy clauses may."""
    waiting: list[Any] = [statement]
    while waiting:
        element = waiting.pop()
        if isinstance(element, Select) and element.get_execution_options().get("policy"):
            continue
        mapped = "parententity" in element._annotations  # noqa: SLF001  the mark of what came through a model
        if isinstance(element, Table | Column) and not mapped and _table_of(element) in TABLES:
            return True
        if not (mapped and isinstance(element, FromClause)):
            waiting += element.get_children()
    return False


def _table_of(element: Table | Column[Any]) -> Any:
    return element if isinstance(element, Table) else element.table


# --- writing ---------------------------------------------------------------------------------------------

GRANTED, MAKING = "granted", "making"


def grant(session: Session, row: Entity, action: str) -> None:
    """Remember that `action` on `row` was judged, or follows from the record it hangs on."""
    session.info.setdefault(GRANTED, set()).add((type(row), row.id, action))


def making(session: Session, model: type[Entity]) -> None:
    """Let this use case make records of `model` as part of the one it was asked for: a customer's first contact."""
    session.info.setdefault(MAKING, set()).add(model)


def action_of(session: Session) -> str:
    """The verb that the open `scope.write` names: `claim` of `customer.claim`."""
    signature: Signature = session.info["signature"]
    return signature.action.rpartition(".")[2]


@event.listens_for(WriteSession, "before_flush")
def _write_wall(session: Session, _context: object, _instances: object) -> None:
    with session.no_autoflush:
        for row in [*session.new, *session.dirty, *session.deleted]:
            if not isinstance(row, Entity | Part) or (row not in session.new and not _touched(session, row)):
                continue
            _stamp(session, row)
            _judge_before(session, row)
            if isinstance(row, Entity):
                _judge_references(session, row)


@event.listens_for(WriteSession, "after_flush")
def _after_wall(session: Session, _context: object) -> None:
    """Judge what a creation or an edit has made: nobody may make a record that is out of his own reach."""
    action = action_of(session) if "signature" in session.info else ""
    rows = {"create": list(session.new), "edit": list(session.dirty)}.get(action, [])
    for row in rows:
        if (
            isinstance(row, Entity)
            and type(row) not in session.info.get(MAKING, ())
            and not _may(session, type(row), row.id, action)
        ):
            raise forbidden(type(row), action)


def _touched(session: Session, row: Entity | Part) -> bool:
    return row in session.deleted or session.is_modified(row)


def _stamp(session: Session, row: Entity | Part) -> None:
    if not isinstance(row, Entity):
        return
    principal, now = session.info["principal"], session.info["now"]
    if row in session.new:
        row.created_at = row.created_at or now
        row.created_by_id = row.created_by_id or principal.id
    row.updated_at, row.updated_by_id = now, principal.id


def _judge_before(session: Session, row: Entity | Part) -> None:
    """A changed row must be one that the open action was granted for; a part is judged as its whole."""
    if row in session.new and isinstance(row, Entity):
        return
    model, id = _subject(row)
    key = (model, id, action_of(session))
    if key in session.info.get(GRANTED, ()) or model in session.info.get(MAKING, ()):
        return
    if id is not None and not _may(session, *key):
        raise forbidden(model, key[2])
    session.info.setdefault(GRANTED, set()).add(key)


def _subject(row: Entity | Part) -> tuple[type[Base], int]:
    if isinstance(row, Part):
        whole = inspect(type(row)).relationships[row.part_of].mapper.class_
        return whole, getattr(row, f"{row.part_of}_id")
    return type(row), row.id


def _may(session: Session, model: type[Base], id: int, action: str) -> bool:
    """Ask the database, which still holds the row as it was before the flush (or as the flush has made it)."""
    principal, policy = rights(session)
    table = model.__table__
    statement = select(table.c.id).where(table.c.id == id, policy.where(principal, action, model, table.c))
    return session.execute(statement, execution_options=UNWALLED).first() is not None


def _judge_references(session: Session, row: Entity) -> None:
    """Every record that a changed foreign key points to must be one that the person may see."""
    if row in session.deleted:
        return
    for column in columns(type(row)):
        target = next((MODELS.get(key.column.table.name) for key in column.foreign_keys), None)
        if target is None or trait_of(column).kept:
            continue
        history = inspect(row).attrs[column.key].history
        id = next(iter(history.added or ()), None)
        if id is not None and history.has_changes() and not _is_visible(session, target, id):
            raise NotFound(what=noun(target), field=camel(column.key))


def _is_visible(session: Session, model: type[Base], id: int) -> bool:
    if any((model, id, action) in session.info.get(GRANTED, ()) for action in ("view", action_of(session))):
        return True
    principal, policy = rights(session)
    table = model.__table__
    clause = and_(table.c.id == id, policy.where(principal, "view", model, table.c))
    if "deleted_at" in table.c:
        clause = and_(clause, table.c.deleted_at.is_(None))
    return session.execute(select(table.c.id).where(clause), execution_options=UNWALLED).first() is not None


def forbidden(model: type[Base], action: str) -> Forbidden:
    return Forbidden(action=f"{model.module}.{action}")
