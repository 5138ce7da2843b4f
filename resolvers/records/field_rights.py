"""Rights on single fields: whether the caller may view and edit the fields that they set."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models import Entity
from policies.objects import field_name

from ..reading.condition_fields import HIDDEN as HIDDEN
from ..runtime.custom_fields import may_not_set
from ..runtime.gathering import Gathering
from ..runtime.scope import Scope


def check_fields(scope: Scope, db: Session, row: Entity, keys: Iterable[str], actions: Sequence[str]) -> None:
    """Raise Forbidden for the fields on which the caller lacks one of `actions` in this record.

    At most one query, which judges the stored row: a new record must be flushed already.
    """
    clauses = _clauses(scope, type(row), keys, actions)
    if not clauses:
        return
    table: Any = type(row).__table__
    labelled = [clause.label(f"c{place}") for place, (_, clause) in enumerate(clauses)]
    answer = db.execute(select(*labelled).where(table.c.id == row.id).execution_options(policy=True)).one()
    found = Gathering()
    for (field, _), allowed in zip(clauses, answer, strict=True):
        if not allowed:
            found.note(scope.denied(may_not_set(scope.policy, type(row), field), type(row), row.id, actions[-1]))
    found.settle()


def closed_to(
    scope: Scope, db: Session, model: type[Entity], keys_of: Mapping[int, Iterable[str]], actions: Sequence[str]
) -> set[int]:
    """Those among these records in which `check_fields` refuses one of the fields: id -> fields.  At most one query."""
    clauses = _clauses(scope, model, {key for keys in keys_of.values() for key in keys}, actions)
    if not clauses:
        return set()
    table: Any = model.__table__
    labelled = [clause.label(f"c{place}") for place, (_, clause) in enumerate(clauses)]
    asked = select(table.c.id, *labelled).where(table.c.id.in_(keys_of)).execution_options(policy=True)
    fields_of = {id: {field_name(key) for key in keys} for id, keys in keys_of.items()}
    return {
        id
        for id, *answers in db.execute(asked)
        if any(not yes and field in fields_of[id] for (field, _), yes in zip(clauses, answers, strict=True))
    }


def open_fields(
    scope: Scope,
    db: Session,
    model: type[Entity],
    id: int,
    keys: Iterable[str],
    actions: Sequence[str] = ("view", "edit"),
) -> set[str]:
    """The fields among `keys` on which the caller may do all of `actions` in this record.  At most one query.

    Asks about the fields alone: the right on the record itself must be checked before.
    """
    keys = list(keys)
    clauses = _clauses(scope, model, keys, actions)
    if not clauses:
        return set(keys)
    table: Any = model.__table__
    labelled = [clause.label(f"c{place}") for place, (_, clause) in enumerate(clauses)]
    answer = db.execute(select(*labelled).where(table.c.id == id).execution_options(policy=True)).one()
    closed = {field for (field, _), allowed in zip(clauses, answer, strict=True) if not allowed}
    return {key for key in keys if field_name(key) not in closed}


def _clauses(
    scope: Scope, model: type[Entity], keys: Iterable[str], actions: Sequence[str]
) -> list[tuple[str, ColumnElement[bool]]]:
    """(field, condition of an action on it) for the fields where the right on the record is not enough."""
    found = []
    for key in sorted(keys):
        field = field_name(key)
        for action in actions:
            clause = scope.policy.guard(scope.person, model, field, model.__table__.c, action)
            if clause is not None:
                found.append((field, clause))
    return found
