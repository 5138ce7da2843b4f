"""Impact of a new policy: how many records users gain and lose, counted in the database, with three samples each."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, not_, or_, select, true, union
from sqlalchemy.orm import Session

from models import PROTECTED, Base, Entity
from models.database.bypass import Because, bypass_policy
from policies import Principal, Snapshot
from policies.logic import asks_who
from policies.objects import FIELDS, field_name
from policies.review import Change
from policies.rows import Rows

from ..runtime import principals
from ..runtime.ids import global_id
from ..runtime.policy_store import newest
from ..runtime.scope import Scope
from .policy_review import Review, current_policy

AT_ONCE = 25
"""Maximum number of users whose clauses share one SELECT; a UNION of such SELECTs serves any number of users."""
_WITHOUT_RECORD = ("create", "import")
"""Actions that are done before a record exists."""


@dataclass(frozen=True)
class Sample:
    """A record by its global id, and its name where the caller may see it."""

    id: str
    label: str | None


@dataclass(frozen=True)
class Effect:
    """Numbers of records of one object that users gain or lose for one action, each record counted once."""

    object: str
    action: str
    won: int
    lost: int
    samples_won: list[Sample]
    samples_lost: list[Sample]


def effects(scope: Scope, db: Session, review: Review, change: Change) -> list[Effect]:
    """The effect of a policy change on the records that the caller sees: one `Effect` for each object that has records.

    Only the first action that concerns existing records is counted, because the others concern the same ones.
    """
    action = next((x for x in change.actions if x not in _WITHOUT_RECORD), None)
    if action is None:
        return []
    old, new = current_policy(scope, newest(db)), Snapshot(review.text, review.base, book=scope.policy.book)
    people = _people(scope, db, review, change)
    found = (_effect(scope, db, change, object, action, (old, new), people) for object in change.objects)
    return [effect for effect in found if effect is not None]


# --- steps -----------------------------------------------------------------------------------------------


def _people(scope: Scope, db: Session, review: Review, change: Change) -> list[Principal]:
    """The users whom the change concerns; one of them where the change depends on the record alone."""
    ids = [person.id for person in review.people_of(change)]
    if not asks_who(change.gained) and not asks_who(change.lost):
        ids = ids[:1]
    return [principals.by_id(db.connection(), id, scope.now()) for id in ids]


def _effect(
    scope: Scope,
    db: Session,
    change: Change,
    object: str,
    action: str,
    policies: tuple[Snapshot, Snapshot],
    people: Sequence[Principal],
) -> Effect | None:
    model = _model_of(object)
    if model is None or not people:
        return None
    before, after = ([_clause(policy, p, model, object, action) for p in people] for policy in policies)
    won = [and_(new, not_(old)) for old, new in zip(before, after, strict=True)] if change.gained else []
    lost = [and_(old, not_(new)) for old, new in zip(before, after, strict=True)] if change.lost else []
    return Effect(
        object,
        action,
        _counted(scope, db, model, won),
        _counted(scope, db, model, lost),
        _samples(scope, db, model, won),
        _samples(scope, db, model, lost),
    )


def _clause(policy: Snapshot, p: Principal, model: type[Base], object: str, action: str) -> ColumnElement[bool]:
    """The records to which, or to whose field, the user may do the action."""
    if object not in FIELDS:
        return policy.where(p, action, model)
    rows = Rows(model, model)
    return and_(policy.where(p, "view", model), policy.cell(p.roles, object, action).sql(p, rows))


def _model_of(object: str) -> type[Entity] | None:
    """The model of a policy object: the first entity of its module."""
    module = FIELDS.get(object, object)
    return next((x for x in PROTECTED if x.module == module and issubclass(x, Entity)), None)


def _in_sight(scope: Scope, model: type[Entity]) -> ColumnElement[bool]:
    """The records that the caller sees; the system itself, which has the database anyway, counts all."""
    return true() if scope.person.id is None else scope.policy.where(scope.person, "view", model)


def _counted(scope: Scope, db: Session, model: type[Entity], clauses: Sequence[ColumnElement[bool]]) -> int:
    if not clauses:
        return 0
    parts = [clauses[at : at + AT_ONCE] for at in range(0, len(clauses), AT_ONCE)]
    found = [select(model.id).where(or_(*part), _in_sight(scope, model)) for part in parts]
    ids = (union(*found) if len(found) > 1 else found[0]).subquery()
    return db.execute(
        select(func.count()).select_from(ids), execution_options=bypass_policy(Because.JUDGES_RIGHTS)
    ).scalar_one()


def _samples(scope: Scope, db: Session, model: type[Entity], clauses: Sequence[ColumnElement[bool]]) -> list[Sample]:
    if not clauses:
        return []
    seen = _in_sight(scope, model)
    title = getattr(model, model.named_by)
    shown = scope.policy.guarded(scope.person, model, field_name(model.named_by), model, title)
    named = select(model.id, shown.label("name")).where(or_(*clauses[:AT_ONCE]), seen)
    found = db.execute(named.order_by(model.id).limit(3), execution_options=bypass_policy(Because.JUDGES_RIGHTS))
    return [Sample(global_id(model, id), None if name is None else str(name)) for id, name in found]
