"""Custom fields of the demo, with values on its newest customers and on some contacts and opportunities."""

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from models import Contact, Customer, CustomField, Entity, Opportunity
from resolvers.records import create_update
from resolvers.runtime.backend import Backend
from resolvers.runtime.scope import Scope

FILLED = 60
"""Number of customers that get values, the newest ones."""
_PRODUCTS = (("desks", "Desks", "办公桌"), ("chairs", "Chairs", "办公椅"), ("walls", "Partitions", "隔断"), ("lamps", "Lamps", "灯具"))  # fmt: skip
_ROLES = (("decides", "Decides", "决策人"), ("advises", "Advises", "影响人"), ("uses", "Uses it", "使用人"))
_FIELDS: tuple[dict[str, Any], ...] = (
    {"key": "products", "kind": "MULTIPLE_CHOICE", "label_en": "Interested in", "label_zh": "关注产品", "options": _PRODUCTS},
    {"key": "yearly_budget", "kind": "MONEY", "label_en": "Yearly budget", "label_zh": "年度预算", "is_searchable": True},
    {"key": "staff", "kind": "NUMBER", "label_en": "Number of staff", "label_zh": "员工人数", "help_zh": "全职员工的大致人数", "help_en": "About how many work there full time."},
    {"key": "partner_since", "kind": "DATE", "label_en": "Partner since", "label_zh": "合作起始日"},
    {"key": "website", "kind": "LINK", "label_en": "Website", "label_zh": "官方网站"},
    {"key": "technical_contact", "kind": "PERSON", "label_en": "Our technician", "label_zh": "技术对接人"},
    {"for_module": "contact", "key": "role", "kind": "SINGLE_CHOICE", "label_en": "Part in the decision", "label_zh": "决策角色", "options": _ROLES},
    {"for_module": "opportunity", "key": "tender", "kind": "YES_NO", "label_en": "By tender", "label_zh": "招投标"},
)  # fmt: skip


def add(backend: Backend, now: datetime) -> None:
    """Define the fields as the administrator, and fill some of them in, so that log and history have entries of it."""
    scope = backend.scope(backend.person("ada"), "demo")
    for given in _FIELDS:
        values = {"for_module": "customer", **given}
        if named := values.pop("options", None):
            values["options"] = [{"key": key, "label_en": english, "label_zh": zh} for key, english, zh in named]
        scope.do(create_update.create, CustomField, values)
    with backend.writer.engine.connect() as connection:
        backend.refresh_policy(connection)
    scope = backend.scope(backend.person("ada"), "demo")
    rng = random.Random(7)  # noqa: S311  nothing secret is made of it
    for id in _newest(backend, Customer, FILLED):
        _fill(scope, Customer, id, _of_customer(rng, now.date(), scope.me))
    for id in _newest(backend, Contact, FILLED // 2):
        _fill(scope, Contact, id, {"custom.role": rng.choice(_ROLES)[0]})
    for id in _newest(backend, Opportunity, FILLED // 3):
        _fill(scope, Opportunity, id, {"custom.tender": rng.random() < 0.3})


def _of_customer(rng: random.Random, today: date, technician: int) -> dict[str, Any]:
    known = {
        "custom.products": [key for key, _english, _zh in rng.sample(_PRODUCTS, rng.randint(1, 3))],
        "custom.yearly_budget": Decimal(rng.randint(2, 90)) * 10_000,
        "custom.staff": Decimal(rng.choice((12, 45, 80, 150, 320, 1_200))),
        "custom.partner_since": today - timedelta(days=rng.randint(30, 3_000)),
        "custom.website": f"https://www.example.com/{rng.randint(100, 999)}",
        "custom.technical_contact": technician,
    }
    return {key: value for key, value in known.items() if rng.random() < 0.7}


def _fill(scope: Scope, model: type[Entity], id: int, values: dict[str, Any]) -> None:
    if values:
        scope.do(create_update.update, model, id, values)


def _newest(backend: Backend, model: type[Entity], count: int) -> list[int]:
    """The newest records that no lock closes."""
    table, customers = model.__table__.c, Customer.__table__.c
    held: Any = table["id" if model is Customer else "customer_id"]
    open_ones = select(customers.id).where(customers.locked_by_id.is_(None), customers.deleted_at.is_(None))
    wanted = select(table["id"]).where(table["deleted_at"].is_(None), held.in_(open_ones))
    with backend.writer.engine.connect() as connection:
        return list(connection.execute(wanted.order_by(table["id"].desc()).limit(count)).scalars())
