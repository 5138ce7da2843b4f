"""Rules of pools: what their settings must make sense of, and what keeps a pool from vanishing."""

from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import AssignmentRule, OwnershipPeriod, Pool
from models.database.bypass import Because, bypass_policy
from models.errors import InUse, Validation
from models.pool import OnExpire

from ..runtime.form_terms import FormTerms, given, holds
from ..runtime.inputs import out_of_range
from ..runtime.lifecycle import Rules, is_new
from ..runtime.scope import Scope

_MOST_DAYS = 3_650
_KEEPS = bypass_policy(Because.KEEPS_RULE)
_MOVES = (OnExpire.MOVE_TO_POOL, OnExpire.ARCHIVE)
_RETENTION = {"retain_days", "on_expire", "expire_pool_id", "notice_days"}


class PoolRules(Rules[Pool]):
    """A pool is never purged, because quota counters and ownership periods refer to it; it can be closed.

    Customers whose days are over have a place to go to, and never go round in a circle.
    """

    form: ClassVar[FormTerms] = FormTerms(
        required_when={
            "retain_days": (
                *given("notice_days"),
                *holds("on_expire", *(x.name for x in OnExpire if x is not OnExpire.NOTIFY)),
            ),
            "expire_pool_id": holds("on_expire", *(x.name for x in OnExpire if x in _MOVES)),
        },
        bounds={"retain_days": (1, _MOST_DAYS), "notice_days": (1, _MOST_DAYS)},
    )

    def check(self, scope: Scope, db: Session, row: Pool, values: dict[str, Any]) -> None:
        if values.keys() & _RETENTION:
            _check_days(row)
            _check_target(db, row)
            _check_assignment(db, row)
        if values.get("enabled") is False or values.get("is_archive") is False:
            _refuse_if_target(db, row)

    def purged(self, scope: Scope, db: Session, row: Pool) -> None:
        raise InUse(label=row.label, count="…", what=OwnershipPeriod.names)


def _check_days(row: Pool) -> None:
    if row.retain_days is None:
        if (row.on_expire or OnExpire.NOTIFY) is not OnExpire.NOTIFY or row.notice_days is not None:
            raise Validation(
                "Say after how many days that happens: fill in how long a customer may stay.",
                "请填写保留期，即多少天后执行。",
                field="retainDays",
            )
        return
    for key, days in (("retain_days", row.retain_days), ("notice_days", row.notice_days)):
        if days is not None and not 1 <= days <= _MOST_DAYS:
            raise out_of_range(key, 1, _MOST_DAYS)
    if row.notice_days is not None and row.notice_days >= row.retain_days:
        raise Validation(
            "The reminder comes before the customer even arrives: choose fewer days than it may stay.",
            "提醒天数须小于保留期。",
            field="noticeDays",
        )


def _check_target(db: Session, row: Pool) -> None:
    """Raise Validation unless the pool that customers go to is there, open and another one, without a circle."""
    if row.on_expire not in _MOVES:
        return
    target = _pool(db, row.expire_pool_id)
    if target is None:
        raise Validation("Choose the pool that customers go to then.", "请选择到期后移入的公海。", field="expirePoolId")
    if not target.enabled:
        raise Validation(
            f"The pool {target.name} is closed. Choose another.",
            f"公海 {target.name} 已停用，请选择其他公海。",
            field="expirePoolId",
        )
    if row.on_expire is OnExpire.ARCHIVE and not target.is_archive:
        raise Validation(
            f"{target.name} is no archive. Choose a pool that is one.",
            f"{target.name} 不是归档公海，请选择归档公海。",
            field="expirePoolId",
        )
    met = {row.id}
    while target is not None:
        if target.id in met:
            raise Validation(
                "Customers would move from pool to pool in a circle, without end. Choose another pool.",
                "客户将在公海之间循环移动，请选择其他公海。",
                field="expirePoolId",
            )
        met.add(target.id)
        goes_on = target.retain_days is not None and target.on_expire in _MOVES
        target = _pool(db, target.expire_pool_id) if goes_on else None


def _check_assignment(db: Session, row: Pool) -> None:
    if row.on_expire is not OnExpire.AUTO_ASSIGN:
        return
    rule = select(AssignmentRule.id).where(AssignmentRule.pool_id == row.id, AssignmentRule.deleted_at.is_(None))
    if is_new(row) or db.execute(rule, execution_options=_KEEPS).first() is None:
        raise Validation(
            "The pool has no rule for automatic assignment yet. Save the pool, add the rule on its page, then choose this.",
            "该公海尚无自动分配规则。请先保存公海并添加规则，再选择此项。",
            field="onExpire",
        )


def _refuse_if_target(db: Session, row: Pool) -> None:
    """Raise Validation for a pool that could not take the customers any more that other pools send to it."""
    sending = select(Pool.on_expire).where(Pool.expire_pool_id == row.id, Pool.retain_days.is_not(None))
    sending = sending.where(Pool.deleted_at.is_(None), Pool.on_expire.in_(_MOVES))
    kinds = set() if is_new(row) else set(db.execute(sending, execution_options=_KEEPS).scalars())
    if kinds and not row.enabled:
        raise Validation(
            "Another pool sends customers here when their days are over. Change that first.",
            "其他公海的到期客户会移入此处，请先修改其设置。",
            field="enabled",
        )
    if OnExpire.ARCHIVE in kinds and not row.is_archive:
        raise Validation(
            "Another pool archives its customers here. Change that first.",
            "其他公海的客户归档在此处，请先修改其设置。",
            field="isArchive",
        )


def _pool(db: Session, id: int | None) -> Pool | None:
    found = select(Pool).where(Pool.id == id, Pool.deleted_at.is_(None))
    return db.execute(found, execution_options=_KEEPS).scalar_one_or_none() if id is not None else None
