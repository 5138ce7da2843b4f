"""Duplicates of the demo: one pair ready to be merged, one merge that is done, and customers that a new one meets."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select

from models import Customer, FollowUp, NotDuplicate, Opportunity, Pool
from resolvers.merging.merge import merge
from resolvers.records import create_update
from resolvers.runtime.backend import Backend

COUNT = 8
"""Number of customers that both functions add, one of which becomes part of another one."""


def add(backend: Backend, now: datetime) -> None:
    """Create both pairs, as the users who would have, and merge one."""
    first = _customer(
        backend, "li", "宁波海狸家具有限公司", "0574 8766 1200", title="采购经理", region="east", level="a"
    )
    second = _customer(
        backend, "wu", "宁波海狸家具", "0574-87661200", title="采购总监", email="zhou@beaver-home.example"
    )
    _work(backend, "li", first, now, "已寄送报价单，周敏下周回复。", "办公家具年度框架")
    _work(backend, "wu", second, now, "周敏来电询问交货周期。", "会议室改造")
    with backend.writer.engine.begin() as connection:  # as if both had been there before the duplicate check
        connection.execute(delete(NotDuplicate))
    stays = _customer(backend, "li", "杭州鹭鸟科技有限公司", "0571 8820 3300", contact="许航", stage="contacted")
    gone = _customer(backend, "wu", "鹭鸟科技（杭州）", "0571-88203300", contact="许航", remark="展会上交换的名片。")
    _work(backend, "wu", gone, now, "展会后电话回访，对方愿意看演示。", "演示环境试用")
    backend.scope(backend.person("lead"), "demo").do(merge, stays, [gone], None, "同一家公司，展会后重复登记")


def add_near_misses(backend: Backend) -> None:
    """Create what a user finds who enters 上海华兴 or Harbor Foods: in the pool, and with colleagues."""
    with backend.writer.engine.connect() as connection:
        pool = connection.execute(select(func.min(Pool.id))).scalar_one()
    _customer(backend, "ada", "上海华兴贸易有限公司", "021 5888 6600", contact="顾芸", pool_id=pool)
    _customer(backend, "mei", "上海华星贸易有限公司", "021 5866 9012", contact="程远")
    _customer(backend, "ada", "Harbor Foods Ltd", "021 6133 7700", contact="Grace Hall", pool_id=pool)
    _customer(backend, "wu", "Harbour Food Services", "0574 8790 4411", contact="Tom Reed")


def _customer(
    backend: Backend, login: str, name: str, phone: str, *, contact: str = "周敏", title: str | None = None, **more: Any
) -> int:
    person = {"contact_name": contact, "contact_phone": phone, "contact_title": title}
    values = {"name": name, "phone": phone, "duplicate_reason": "演示：查重启用前的数据", **person, **more}
    made: Customer = backend.scope(backend.person(login), "demo").do(create_update.create, Customer, values)
    return made.id


def _work(backend: Backend, login: str, customer: int, now: datetime, said: str, deal: str) -> None:
    """A call and an opportunity of this user at the customer."""
    scope = backend.scope(backend.person(login), "demo")
    call = {"customer_id": customer, "kind": "CALL", "content": said, "happened_at": now - timedelta(hours=3)}
    scope.do(create_update.create, FollowUp, call)
    scope.do(create_update.create, Opportunity, {"customer_id": customer, "name": deal})
