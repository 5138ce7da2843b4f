"""`hidden` of a record names what the policy hides in it: compared with what an administrator is answered, by attempt."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type, is_required_argument
from sqlalchemy import Date, Enum, Integer, String, update
from sqlalchemy.exc import DBAPIError

from models import ENTITIES, Contact, FollowUp, Opportunity
from models.base import Money, Utc, columns
from resolvers.reading.condition_fields import plural
from tests.audit.test_entries import live_through_much
from tests.support import forms
from tests.support.custom_fields import define, with_lines
from tests.support.graphql import Api
from tests.support.world import PEOPLE, START, World

LINES = (
    "p, sales, customer.phone, view, own, any, deny",
    "p, sales, customer.owner, view, all, any, deny",
    "p, sales, customer.custom.size, view, own, any, deny",
    "p, sales, customer.custom.secret, view, all, any, deny",
    "p, sales, contact.points, view, all, any, deny",
    "p, sales, contact.name, view, own, any, deny",
    "p, sales, followup.content, view, others, any, deny",
    "p, sales_lead, pool.retain_days, view, all, any, deny",
    "p, support, customer.stage, view, all, any, deny",
    "p, sales, user.department, view, all, any, deny",
    "p, auditor, audit.changes, view, all, any, deny",
)
"""What is hidden in some records, in all of them, of parts, of words with a label, of people and of the log."""
KEPT = {"id", "version", "deleted_at", "deleted_by_id", "delete_batch_id", "merged_into_id", "owner_id", "pool_id"}
"""Columns that `filled` leaves alone: they decide who sees a record."""


def filled(world: World) -> None:
    """Fill what is empty in every record, so that a null is the work of the policy."""
    with world.backend.writer.engine.begin() as db:
        for model in ENTITIES:
            for column in columns(model):
                if not column.nullable or column.key in KEPT:
                    continue
                value = _some(column)
                if value is None:
                    continue
                try:
                    with db.begin_nested():
                        wanted = update(model.__table__).where(column.is_(None)).values({column.key: value})
                        db.execute(wanted)
                except DBAPIError:
                    continue  # a rule of the table keeps it empty: a date without its reason


def _some(column: Any) -> Any:
    if column.foreign_keys:
        return 1
    if isinstance(column.type, Utc):
        return START
    if isinstance(column.type, Date):
        return START.date()
    if isinstance(column.type, Money):
        return Decimal(1)
    if isinstance(column.type, Integer):
        return 1
    return "x" if isinstance(column.type, String) and not isinstance(column.type, Enum) else None


def selection(api: Api, name: str) -> str:
    """Every field of a type that needs no argument; of a record behind it the id."""
    kind = api.engine.schema.type_map[name]
    assert isinstance(kind, GraphQLObjectType)
    found = []
    for field, definition in kind.fields.items():
        inner = get_named_type(definition.type)
        if any(is_required_argument(x) for x in definition.args.values()) or inner.name.endswith("Connection"):
            continue
        if is_leaf_type(inner):
            found.append(field)
        elif isinstance(inner, GraphQLObjectType):
            found.append(f"{field} {{ {'id' if 'id' in inner.fields else '__typename'} }}")
    customs = "custom { ... on CustomText { key text } }" if "custom" in kind.fields else ""
    return " ".join([*found, customs])


def answered(api: Api, login: str, model_name: str, lists: str) -> dict[str, dict[str, Any]]:
    rows = api.ask(login, f"{{ {lists}(first: 100) {{ nodes {{ {selection(api, model_name)} }} }} }}")[lists]["nodes"]
    return {row["id"]: _plain(row) for row in rows}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row with each custom field under its own name."""
    return {**row, **{f"custom.{x['key']}": x["text"] for x in row.pop("custom", None) or () if x}}


def empty(name: str, value: Any) -> bool:
    """Whether a field says nothing.  A list of other records is shorter where some are out of sight, and never hidden."""
    return value is None or (value == [] and name in ("points", "changes"))


@pytest.fixture
def full(world: World) -> World:
    """Records of every kind without an empty field, under lines that hide some."""
    live_through_much(world)
    define(world, "secret")
    held = {"custom.size": "Large", "custom.secret": "Zq", "phone": "10086", "stage": "early"}
    for login, name in (("li", "Own"), ("wu", "Other"), (None, "Pooled")):
        place = {"owner": login} if login else {"pool": "north"}
        customer = world.customer(name, **place, **held)
        world.make(Contact, customer_id=customer, name="Bea", points=[{"kind": "PHONE", "value": "2001"}])
        world.make(Opportunity, customer_id=customer, name="Deal", amount=5)
        world.make(FollowUp, customer_id=customer, kind="NOTE", content="Talk", happened_at=START)
    filled(world)
    with_lines(world, *LINES)
    return world


def compared(api: Api, name: str, lists: str, logins: Iterable[str]) -> int:
    """Compare what these users and an administrator are answered; returns how many fields were hidden.

    An administrator sees no entry about a record that somebody keeps locked whole, and no such record.
    """
    told, whole = 0, answered(api, "ada", name, lists)
    assert name == "AuditEntry" or {id: row["hidden"] for id, row in whole.items() if row["hidden"]} == {}, name
    for login in logins:
        for id, row in answered(api, login, name, lists).items():
            if id not in whole or whole[id]["hidden"]:
                continue
            hidden = {x for x in row["hidden"] if not empty(x, whole[id].get(x))}
            missing = {x for x, value in whole[id].items() if not empty(x, value) and empty(x, row.get(x))}
            unknown = {x for x in missing if x.startswith("custom.") and x not in row}
            assert hidden == missing - unknown, (name, login, id)
            assert all(empty(x, row.get(x)) for x in row["hidden"]), (name, login, id)
            told += len(hidden)
    return told


def test_hidden_is_what_an_administrator_sees_and_the_caller_does_not(full: World) -> None:
    api = Api(full)

    told = [compared(api, *kind, ["li"]) for kind in (("Customer", "customers"), ("Contact", "contacts"))]

    assert all(told), "the lines hide something"
    assert not any(
        "secret" in x for row in answered(api, "li", "Customer", "customers").values() for x in row["hidden"]
    )


@pytest.mark.long
@pytest.mark.sampled
def test_so_it_is_for_every_kind_and_every_role(full: World) -> None:
    """On PostgreSQL for two people, because what is hidden is hidden above the database; `make sweep` asks everybody."""
    is_sample = full.backend.dialect == "postgresql" and not forms.IS_THOROUGH
    kinds = [*((x.__name__, plural(x)) for x in ENTITIES if not x.singleton), ("AuditEntry", "auditEntries")]
    logins = ("li", "lead") if is_sample else PEOPLE
    told = {name: compared(Api(full), name, lists, logins) for name, lists in kinds}
    wanted = {"Customer", "Contact"}
    wanted |= set() if is_sample else {"FollowUp", "Opportunity", "Pool", "User", "AuditEntry"}
    assert wanted <= {x for x in told if told[x]}
