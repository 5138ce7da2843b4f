"""The write guard: what a flush may change.  A session without a principal changes nothing.

Use cases ask for the action they need (`scope.load`); the guard also holds when one forgets to.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Column, event, inspect, select
from sqlalchemy.orm import (
    InstanceState,
    RelationshipDirection,
    Session,
)

from models import Base, Entity, Part
from models.audit.entries import Signature
from models.audit.recording import action_logged
from models.base import columns, trait_of
from models.custom_field import PREFIX, Customised
from models.database.bypass import Because, bypass_policy
from models.database.engines import WHEN_MADE, WriteSession
from models.database.sqlalchemy_internals import added_values
from models.errors import Forbidden, NotFound
from policies.objects import ACTIONS, GROUPS

from .custom_fields import referred_kind
from .gathering import Gathering
from .held_definitions import hold_definitions
from .ids import camel
from .read_guard import _take_current, rights
from .rights_on_many import allowed, visible
from .statement_guard import MODELS
from .statement_guard import PolicyBypassed as PolicyBypassed

WHEN_MADE.append(_take_current)


Key = tuple[type[Base], int, str]
PERMITTED, CHECKED, CREATABLE = "permitted", "checked", "creatable"


def permit(session: Session, row: Entity, action: str) -> None:
    """Let `action` be done to `row` without a check, because it follows from the action on another record."""
    _noted(session, PERMITTED).add((type(row), row.id, action))


def permit_reference(session: Session, model: type[Entity], id: int) -> None:
    """Let this use case point to a record that the person need not see, because the application chose it."""
    _noted(session, PERMITTED).add((model, id, "view"))


def checked(session: Session, row: Entity, action: str) -> None:
    """Note that the policy allows `action` on `row` as it is.  After an edit the policy is asked again."""
    _noted(session, PERMITTED).add((type(row), row.id, action))
    _noted(session, CHECKED).add((type(row), row.id, action))


def permit_create(session: Session, model: type[Entity]) -> None:
    """Let this use case create records of `model` as part of another one: a customer's first contact."""
    _noted(session, CREATABLE).add(model)


def _noted(session: Session, kind: str) -> set[Any]:
    found: set[Any] = session.info.setdefault(kind, set())
    return found


def action_of(session: Session) -> str:
    """The verb that the open `scope.write` names: `claim` of `customer.claim`."""
    signature: Signature = session.info["signature"]
    return signature.action.rpartition(".")[2]


def is_import(session: Session) -> bool:
    """Whether the log calls what is done an import."""
    return action_logged(session).endswith(".import")


@event.listens_for(WriteSession, "before_flush")
def _guard_writes(session: Session, _context: object, _instances: object) -> None:
    changed = [row for row in (*session.new, *session.dirty, *session.deleted) if _is_changed(session, row)]
    if changed and "signature" not in session.info:
        raise RuntimeError("records may only change inside scope.write(action)")
    with session.no_autoflush:
        if any(isinstance(row, Customised) for row in changed):
            hold_definitions(session, rights(session)[1], changed)
        for row in changed:
            _stamp(session, row)
            for key in _required(session, row):
                _check(session, key)
            _check_references(session, row)


def _is_changed(session: Session, row: object) -> bool:
    if not isinstance(row, Entity | Part):
        return False
    return row in session.new or row in session.deleted or session.is_modified(row)


def _stamp(session: Session, row: Entity | Part) -> None:
    if not isinstance(row, Entity):
        return
    principal, now = session.info["principal"], session.info["now"]
    if row in session.new:
        row.created_at = getattr(row, "created_at", None) or now
        row.created_by_id = row.created_by_id or principal.id
    row.updated_at, row.updated_by_id = now, principal.id


# -- as it was


def _required(session: Session, row: Entity | Part) -> Iterator[Key]:
    """The rights that a change of the row needs.  A new record is checked after the flush; a part as its entity."""
    if isinstance(row, Part):
        whole = inspect(type(row)).relationships[row.part_of].mapper.class_
        yield from ((whole, id, _change_of(session)) for id in _wholes(session, row))
    elif row in session.deleted:
        yield type(row), row.id, "purge"
    elif row not in session.new:
        yield type(row), row.id, _change_of(session)


def _change_of(session: Session) -> str:
    """The action that a change needs: the one that is named, or `edit` when that is a right to read."""
    action = action_of(session)
    return "edit" if action in ACTIONS and action not in GROUPS["write"] else action


def _wholes(session: Session, row: Part) -> set[int]:
    """The ids of the records that the part belongs to and, when it is moved, belonged to."""
    key, table = f"{row.part_of}_id", type(row).__table__
    ids = {getattr(row, key), *(whole.id for whole in inspect(row).attrs[row.part_of].history.sum() if whole)}
    if row not in session.new:
        ids.add(
            session.execute(
                select(table.c[key]).where(table.c.id == row.id), execution_options=bypass_policy(Because.JUDGES_RIGHTS)
            ).scalar()
        )
    return {id for id in ids if id is not None}


def _check(session: Session, key: Key) -> None:
    if key in _noted(session, PERMITTED):
        return
    if not _may(session, *key):
        raise forbidden(key[0], key[2])
    _noted(session, PERMITTED).add(key)
    _noted(session, CHECKED).add(key)


def _may(session: Session, model: type[Base], id: int, action: str) -> bool:
    """Ask the database, which has the row as it was before the flush, or after it as it has become."""
    return id in allowed(session, model, [id], action)


# -- what it points to


def _check_references(session: Session, row: Entity | Part) -> None:
    """Raise NotFound for each changed foreign key to a record that the person may not see."""
    if row in session.deleted:
        return
    found = Gathering()
    for column, target, relations in _pointing(type(row)):
        ids = set(_pointed(row, column, relations))
        if ids - seen_by(session, target, ids):
            found.note(NotFound(what=target.names, field=camel(column.key)))
    if isinstance(row, Customised) and (held := next(iter(added_values(row, "custom")), None)):
        with found.noting():
            _check_customs(session, row, held)
    found.settle()


def check_given_references(session: Session, model: type[Base], values: Mapping[str, Any]) -> None:
    """The same for the values of a record that is not made yet."""
    found = Gathering()
    for column, target, _ in _pointing(model):
        id = values.get(column.key)
        if id is not None and {id} - seen_by(session, target, {id}):
            found.note(NotFound(what=target.names, field=camel(column.key)))
    found.settle()


def _check_customs(session: Session, row: Any, held: Mapping[str, Any]) -> None:
    """The same for the custom fields that refer to a record and hold another one than before.

    A merge and its undoing move what a record holds, whether or not the person sees that.
    """
    if action_of(session) in ("merge", "unmerge"):
        return
    found, (_, policy) = Gathering(), rights(session)
    before = next(iter(inspect(row).attrs["custom"].history.deleted or ()), None) or {}
    for key, id in held.items():
        custom = policy.book.find(row.module, f"{PREFIX}{key}")
        target = None if custom is None else referred_kind(custom)
        if target is not None and before.get(key) != id and {id} - seen_by(session, target, {id}):
            found.note(NotFound(what=target.names, field=f"{PREFIX}{key}"))
    found.settle()


def references(model: type[Base]) -> list[tuple[str, type[Base]]]:
    """(column, what it points to) for the references that people set."""
    return [(column.key, target) for column, target, _ in _pointing(model)]


@cache
def _pointing(model: type[Base]) -> list[tuple[Column[Any], type[Base], list[str]]]:
    """(column, what it points to, the relations that set it) for the references that people set."""
    found = []
    for column in columns(model):
        target = next((MODELS.get(key.column.table.name) for key in column.foreign_keys), None)
        if target is not None and not trait_of(column).system_managed:
            many = (x for x in inspect(model).relationships if x.direction is RelationshipDirection.MANYTOONE)
            found.append((column, target, [x.key for x in many if column in x.local_columns]))
    return found


def _pointed(row: Entity | Part, column: Column[Any], relations: Iterable[str]) -> Iterator[int]:
    """The id that was put into the column, or that will be, because its relation was given a record."""
    state: InstanceState[Entity | Part] = inspect(row)
    yield from (id for id in added_values(row, column.key) if id is not None)
    for key in relations:
        if key in state.dict:
            yield from (it.id for it in added_values(row, key) if it is not None and it.id)


def seen_by(session: Session, model: type[Base], ids: Collection[int]) -> set[int]:
    """Those among these records that the person may see, or that the use case has permitted."""
    if not ids:
        return set()
    noted, actions = _noted(session, PERMITTED), ("view", action_of(session))
    known = {id for id in ids if any((model, id, action) in noted for action in actions)}
    return known | visible(session, model, set(ids) - known)


# -- as it has become


@event.listens_for(WriteSession, "after_flush")
def _guard_results(session: Session, _context: object) -> None:
    """Raise Forbidden for a record that the person may not create, or has edited out of their own reach."""
    rows = [row for row in session.new if isinstance(row, Entity)]
    may = {model: allowed(session, model, [x.id for x in rows if type(x) is model], "create") for model in _kinds(rows)}
    for row in rows:
        if type(row) not in _noted(session, CREATABLE) and row.id not in may[type(row)]:
            _check_references(session, row)  # what it points to may have left the person's sight while this waited
            raise forbidden(type(row), "create")
        permit(session, row, action_of(session))
    if "signature" not in session.info or action_of(session) != "edit":
        return
    edited = [row for row in session.dirty if isinstance(row, Entity)]
    edited = [row for row in edited if (type(row), row.id, "edit") in _noted(session, CHECKED)]
    for model in _kinds(edited):
        ids = {row.id for row in edited if type(row) is model}
        if ids - allowed(session, model, ids, "edit"):
            raise forbidden(model, "edit")


def _kinds(rows: Iterable[Entity]) -> Iterable[type[Entity]]:
    return dict.fromkeys(type(row) for row in rows)


def forbidden(model: type[Base], action: str) -> Forbidden:
    return Forbidden(action=f"{model.module}.{action}")
