"""Destinations: the open pool into which a customer goes, or the reason for which there is none."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, Pool, User
from models.database.bypass import Because, bypass_policy
from models.errors import NotFound, RuleMissing

from ..reading.clauses import value
from ..runtime import principals
from ..runtime.scope import Scope
from ..runtime.write_guard import permit


def chosen_pool(db: Session, pool_id: int) -> Pool:
    """The pool with this id, which is open and visible.  Raises NotFound, RuleMissing."""
    chosen = select(Pool).where(Pool.id == pool_id, Pool.deleted_at.is_(None))
    pool = db.execute(chosen).scalar_one_or_none()
    if pool is None:
        raise NotFound(what=Pool.names, field="poolId")
    if not pool.enabled:
        raise _no_open_pool(db) or _missing(
            f"The pool {pool.name} is closed. Choose another.", f"公海 {pool.name} 已停用，请选择其他公海。"
        )
    return pool


def default_pool(scope: Scope, db: Session, owner_id: int) -> Pool:
    """The open pool of highest priority of which the owner is a member.

    Raises RuleMissing with the first reason that is true: there is no pool, every pool is closed, the owner is no
    longer active, the owner is a member of no pool, every pool of the owner is closed.
    """
    pool_ids = _seats_of(scope, db, owner_id)
    best = select(Pool).where(Pool.id.in_(pool_ids or ()), Pool.enabled, Pool.deleted_at.is_(None))
    best = best.order_by(Pool.priority.desc(), Pool.id).limit(1)
    pool = db.execute(best, execution_options=bypass_policy(Because.KEEPS_RULE)).scalar_one_or_none()
    if pool is None:
        raise _no_open_pool(db) or _not_in_reach(db, owner_id, pool_ids)
    permit(db, pool, "view")
    return pool


def pools_of(scope: Scope, db: Session, customer_ids: Sequence[int]) -> set[int]:
    """The pools in which these customers lie, as far as the caller may see it.  Under the read guard."""
    pool_id = value(scope.viewer, Customer, Customer, "pool_id")
    found = select(pool_id).where(Customer.id.in_(customer_ids), Customer.deleted_at.is_(None)).distinct()
    return {id for id in db.execute(found).scalars() if id is not None} if customer_ids else set()


def _no_open_pool(db: Session) -> RuleMissing | None:
    """The refusal for an organisation in which no pool is open; None where one is."""
    states = select(Pool.enabled).where(Pool.deleted_at.is_(None)).distinct()
    found = set(db.execute(states, execution_options=bypass_policy(Because.KEEPS_RULE)).scalars())
    if True in found:
        return None
    if found:
        return _missing(
            "Every customer pool is closed. Ask an administrator to open one.",
            "所有公海均已停用，请联系管理员启用。",
        )
    return _missing("There is no customer pool yet. Ask an administrator for one.", "尚未设置公海，请联系管理员新建。")


def _not_in_reach(db: Session, owner_id: int, pool_ids: frozenset[int] | None) -> RuleMissing:
    """The refusal for an owner whose customers go into no open pool by themselves, although there is one."""
    if pool_ids is None:
        named = select(User.name).where(User.id == owner_id)
        name = db.execute(named).scalar_one_or_none()
        return _missing(
            f"{name or 'The owner'} is no longer active, so no pool is theirs. Choose a pool.",
            f"{name or '负责人'} 已停用，不属于任何公海。请选择公海。",
        )
    there = select(Pool.id).where(Pool.id.in_(pool_ids), Pool.deleted_at.is_(None)).limit(1)
    if db.execute(there, execution_options=bypass_policy(Because.KEEPS_RULE)).first() is None:
        return _missing(
            "No open pool takes this customer: its owner has no seat in one. Choose a pool.",
            "没有可移入的公海：负责人不是任何公海的成员。请选择公海。",
        )
    return _missing(
        "Every pool of the owner is closed. Choose another pool.", "负责人所属的公海均已停用，请选择其他公海。"
    )


def _missing(reason: str, reason_zh: str) -> RuleMissing:
    return RuleMissing(reason=reason, reason_zh=reason_zh, field="poolId")


def _seats_of(scope: Scope, db: Session, user_id: int) -> frozenset[int] | None:
    """The pools in which a user has a seat; None for a user who is not active."""
    try:
        return principals.by_id(db.connection(), user_id, scope.person.now).pools
    except NotFound:
        return None
