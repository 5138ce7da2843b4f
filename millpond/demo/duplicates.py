"""Duplicates of the demo: one pair that is ready to be merged, and one merge that is done."""

from datetime import datetime, timedelta
from typing import Any

from models import Customer, FollowUp, Opportunity
from resolvers.merging.merge import merge
from resolvers.records import create_update
from resolvers.runtime.backend import Backend

COUNT = 4
"""Number of customers that this adds, one of which becomes part of another one."""


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
    stays = _customer(backend, "li", "杭州鹭鸟科技有限公司", "0571 8820 3300", contact="许航", stage="contacted")
    gone = _customer(backend, "wu", "鹭鸟科技（杭州）", "0571-88203300", contact="许航", remark="展会上交换的名片。")
    _work(backend, "wu", gone, now, "展会后电话回访，对方愿意看演示。", "演示环境试用")
    backend.scope(backend.person("lead"), "demo").do(merge, stays, [gone], None, "同一家公司，展会后重复登记")


def _customer(
    backend: Backend, login: str, name: str, phone: str, *, contact: str = "周敏", title: str | None = None, **more: Any
) -> int:
    person = {"contact_name": contact, "contact_phone": phone, "contact_title": title}
    values = {"name": name, "phone": phone, **person, **more}
    made: Customer = backend.scope(backend.person(login), "demo").do(create_update.create, Customer, values)
    return made.id


def _work(backend: Backend, login: str, customer: int, now: datetime, said: str, deal: str) -> None:
    """A call and an opportunity of this user at the customer."""
    scope = backend.scope(backend.person(login), "demo")
    call = {"customer_id": customer, "kind": "CALL", "content": said, "happened_at": now - timedelta(hours=3)}
    scope.do(create_update.create, FollowUp, call)
    scope.do(create_update.create, Opportunity, {"customer_id": customer, "name": deal})
