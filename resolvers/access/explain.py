"""Explanations of access: every policy line about an action, and the condition that failed where a line did not apply."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import inspect, or_, select
from sqlalchemy.orm import Session

from models import Base, Customer, Entity, Share, User
from models.custom_field import is_custom
from models.customer import locked
from models.database.bypass import Because, bypass_policy
from models.errors import NotFound, Validation
from models.share import INCLUDED
from policies import Facts, Principal, Snapshot, parse, proof
from policies.branches import dictionary_of, held_by
from policies.objects import ACTIONS, FIELDS
from policies.review import may_use
from policies.saying import Called, phrase
from policies.snapshot import Reason

from ..runtime import principals
from ..runtime.ids import BY_PREFIX, global_id, parts_of
from ..runtime.scope import Scope
from .branch_names import called_in_force
from .grant_limits import holdings, sets_of
from .user_names import name_of, or_somebody, seen, shown_name


@dataclass(frozen=True)
class Explained:
    """Whether a user may do an action to a record or to one of its fields, and what every policy line says about it.

    A child record is visible only with its parent; `whole` then explains why the user may see the parent.
    """

    person: Principal
    action: str
    object: str
    allowed: bool
    reasons: list[Reason]
    facts: Facts
    whole: "Explained | None" = None


@dataclass(frozen=True)
class Access:
    """A user who may do the action, and the policy lines that allow it."""

    user_id: int
    name: str
    lines: list[str]


def explain_access(
    scope: Scope,
    db: Session,
    user_id: int,
    action: str,
    model: type[Entity],
    id: int | None = None,
    field: str | None = None,
) -> Explained:
    """Why this user may or may not do the action to this record; without an id, to a new record of their own.

    Every caller may ask about themselves; asking about other users, whom they see, needs the right to view the policy.
    The record has to be one that the caller sees.  Raises NotFound, Forbidden, Validation (unknown action or field).
    """
    if user_id != scope.person.id:
        scope.allow("view", "policy")
    _check_words(scope.policy, model, action, field)
    person = _person(scope, db, user_id)
    if id is None:
        facts = Facts(owner_id=person.id, department_id=person.department_id, created_by_id=person.id)
        reasons = scope.policy.explain(person, action, model.module, facts, field)
        return Explained(person, action, _object(model, field), _verdict(reasons), reasons, facts)
    _check_exists(scope, db, model, id)
    return _explained(scope.policy, db, person, action, model, id, field)


async def verdict_of_casbin(scope: Scope, explained: Explained) -> bool:
    """Casbin's own verdict on the same question, by the same lines.  Runs on a thread for some milliseconds."""
    return await asyncio.to_thread(_by_casbin, scope.policy, explained)


def who_can_access(scope: Scope, db: Session, model: type[Entity], id: int, action: str = "view") -> list[Access]:
    """All visible active users who may do the action to this record, ordered by name.  Some milliseconds for a hundred.

    Raises Forbidden for a caller who may not view the policy, NotFound for a record out of sight, Validation.
    """
    scope.allow("view", "policy")
    _check_words(scope.policy, model, action, None)
    _check_exists(scope, db, model, id)
    return list(_allowed_users(scope, db, model, id, action))


def whom_to_ask(scope: Scope, db: Session) -> list[str]:
    """The visible names of at most five users who may put a policy in force now, and so can grant rights."""
    now = scope.now()
    able = [
        id
        for id, held in holdings(db, now).items()
        if any(may_use(scope.policy, roles, "policy", "activate") for roles in sets_of(held, now))
    ]
    named = select(shown_name(scope)).where(User.id.in_(sorted(able)), shown_name(scope).is_not(None))
    named = named.order_by(User.__table__.c.name_key, User.id).limit(5)
    return list(db.execute(named, execution_options=bypass_policy(Because.JUDGES_RIGHTS)).scalars())


def facts_of(
    db: Session, model: type[Base], id: int, person: Principal, below: type[Base] | None = None
) -> Facts | None:
    """The facts of a stored record that policy conditions test; None for a missing record.

    Facts that a child record lacks are those of its parent.  `below`: the child records for which a parent is asked.
    """
    row = db.execute(
        select(model.__table__).where(model.__table__.c.id == id),
        execution_options=bypass_policy(Because.JUDGES_RIGHTS),
    ).first()
    if row is None:
        return None
    own: dict[str, Any] = {name: getattr(row, model.policy_columns.get(name, name), None) for name in _KEYS}
    branches = held_by(db, model, row)
    found = Facts(**own, deleted=getattr(row, "deleted_at", None) is not None, branches=branches)
    if model is Customer:
        return replace(found, locked=_is_locked(db, id, person), shares=_shares(db, id, person, below))
    if not model.visible_through:
        return found
    parent, key = _parent_of(model)
    above = facts_of(db, parent, getattr(row, key), person, model) or Facts()
    merged: dict[str, Any] = {name: own[name] if own[name] is not None else getattr(above, name) for name in _KEYS}
    merged["created_by_id"] = own["created_by_id"]
    words = {(name, key) for name, key in above.branches if dictionary_of(model, name) is None}
    return replace(found, **merged, locked=above.locked, shares=above.shares, branches=branches | words)


# --- steps -----------------------------------------------------------------------------------------------

_KEYS = ("owner_id", "department_id", "created_by_id", "pool_id")


def _explained(
    policy: Snapshot,
    db: Session,
    person: Principal,
    action: str,
    model: type[Base],
    id: int,
    field: str | None,
    *,
    past_locks: bool = False,
    below: type[Base] | None = None,
) -> Explained:
    facts = facts_of(db, model, id, person, below) or Facts()
    if past_locks:
        facts = replace(facts, locked=False)
    reasons = policy.explain(person, action, model.module, facts, field)
    above = None
    if model.visible_through:
        parent, key = _parent_of(model)
        belongs_to = db.execute(
            select(model.__table__.c[key]).where(model.__table__.c.id == id),
            execution_options=bypass_policy(Because.JUDGES_RIGHTS),
        )
        whole, past = belongs_to.scalar_one(), past_locks or action == "restore"
        above = _explained(policy, db, person, "view", parent, whole, None, past_locks=past, below=model)
    allowed = _verdict(reasons) and (above is None or above.allowed)
    return Explained(person, action, _object(model, field), allowed, reasons, facts, above)


def _verdict(reasons: Sequence[Reason]) -> bool:
    fired = {reason.effect for reason in reasons if reason.fired}
    return "allow" in fired and "deny" not in fired


def _by_casbin(policy: Snapshot, explained: Explained) -> bool:
    """Casbin's verdict on a record and on its parents: a child record is visible only with its parent."""
    is_allowed = proof.verdict(policy, explained.person, explained.object, explained.action, explained.facts)
    return is_allowed and (explained.whole is None or _by_casbin(policy, explained.whole))


def _allowed_users(scope: Scope, db: Session, model: type[Entity], id: int, action: str) -> Iterator[Access]:
    name = shown_name(scope)
    people = select(User.id, name).where(User.active, User.deleted_at.is_(None), seen(scope)).order_by(name, User.id)
    for user_id, shown in db.execute(people, execution_options=bypass_policy(Because.JUDGES_RIGHTS)).all():
        person = principals.by_id(db.connection(), user_id, scope.now())
        explained = _explained(scope.policy, db, person, action, model, id, None)
        if explained.allowed:
            lines = [reason.line for reason in explained.reasons if reason.fired and reason.effect == "allow"]
            yield Access(user_id, or_somebody(scope, shown), lines)


def _check_words(policy: Snapshot, model: type[Base], action: str, field: str | None) -> None:
    if action not in ACTIONS:
        known = ", ".join(ACTIONS)
        raise Validation(
            f"There is no action {action}; known: {known}.", f"没有操作 {action}，可选：{known}。", field="action"
        )
    is_gone = is_custom(field or "") and policy.book.find(model.module, field or "") is None
    if field is not None and (is_gone or _object(model, field) not in FIELDS):
        raise Validation(f"There is no field {field}.", f"没有字段 {field}。", field="field")


def _object(model: type[Base], field: str | None) -> str:
    return f"{model.module}.{field}" if field else model.module


def _person(scope: Scope, db: Session, user_id: int) -> Principal:
    if user_id == scope.person.id:
        return scope.person
    name = name_of(scope, db, user_id)
    if name is None:
        raise NotFound(what=User.names, field="userId")
    try:
        return replace(principals.by_id(db.connection(), user_id, scope.now()), name=name)
    except NotFound:
        raise NotFound(what=User.names, field="userId") from None


def _check_exists(scope: Scope, db: Session, model: type[Entity], id: int) -> None:
    """Raise NotFound unless the record exists and the caller may view it: the right to view the policy is not enough.

    The system itself, which has the database anyway, sees all.
    """
    columns = model.__table__.c
    there = select(columns.id).where(columns.id == id)
    if scope.person.id is not None:
        there = there.where(scope.policy.where(scope.person, "view", model, columns))
    if not id or db.execute(there, execution_options=bypass_policy(Because.JUDGES_RIGHTS)).first() is None:
        raise NotFound(what=model.names, field="recordId", record_id=global_id(model, id) if id else None)


def _parent_of(model: type[Base]) -> tuple[type[Base], str]:
    """(the model of the parent record, the foreign key to it)."""
    relation = inspect(model).relationships[model.visible_through]
    ((mine, _),) = relation.local_remote_pairs or ()
    return relation.mapper.class_, str(mine.key)


def _is_locked(db: Session, id: int, person: Principal) -> bool:
    columns = Customer.__table__.c
    asked = select(columns.id).where(columns.id == id, locked(columns, person.now))
    return db.execute(asked, execution_options=bypass_policy(Because.JUDGES_RIGHTS)).first() is not None


def _shares(db: Session, id: int, person: Principal, below: type[Base] | None) -> frozenset[Any]:
    """The shares of a customer that are in force and open these child records: (kind of grantee, its id, level)."""
    columns = Share.__table__.c
    in_force = (
        columns.revoked_at.is_(None),
        columns.starts_at <= person.now,
        or_(columns.ends_at.is_(None), columns.ends_at > person.now),
    )
    opens = [columns[INCLUDED[below.module]]] if below is not None and below.module in INCLUDED else []
    asked = select(columns.grantee_kind, columns.grantee_id, columns.level)
    asked = asked.where(columns.customer_id == id, *in_force, *opens)
    return frozenset(tuple(row) for row in db.execute(asked))


# --- of a refusal ----------------------------------------------------------------------------------------


def refusal_in_words(scope: Scope, db: Session, action: str, record: str) -> str | None:
    """Why the policy refuses the caller this action, in sentences: `customer.delete`, or a field like `customer.phone`.

    None for a record that the caller does not see, and for a right that no line of the policy is about.
    """
    prefix, id = parts_of(record)
    model = BY_PREFIX.get(prefix)
    module, _, word = action.partition(".")
    if model is None or not issubclass(model, Entity) or model.module != module:
        return None
    verb, field = (word, None) if word in ACTIONS else ("edit", word)
    try:
        explained = explain_access(scope, db, scope.me, verb, model, id, field)
    except (NotFound, Validation):
        return None
    if explained.allowed:
        return None
    called, chinese = called_in_force(scope, db), scope.language.startswith("zh")
    if denials := [x for x in explained.reasons if x.effect == "deny" and x.fired]:
        return " ".join(dict.fromkeys(_forbids(x, scope.language, called) for x in denials))
    wanted = [said for x in explained.reasons if x.effect == "allow" and (said := x.why_not(scope.language, called))]
    return " ".join(dict.fromkeys(wanted)) or _NO_LINE[chinese]


def _forbids(reason: Reason, language: str, called: Called) -> str:
    """That a line forbids it, and when it does."""
    scope, when = parse(reason.line)[0].columns[3:5]
    words = [word for word in (scope, *when.split("&")) if word not in ("all", "any")]
    if language.startswith("zh"):
        return f"策略禁止此操作，条件：{phrase(words, language, called)}。" if words else "策略禁止此操作。"
    return f"A line of the policy forbids this when {phrase(words, language, called)}." if words else _FORBIDS


_FORBIDS = "A line of the policy forbids this."
_NO_LINE = "No line of the policy gives your roles this right.", "策略中没有任何规则授予您的角色此权限。"
