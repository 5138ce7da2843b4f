"""Every kind of share at every door: grantees x levels x related records x states, against an oracle of its own.

Each combination is a customer of another user, so that a share alone opens it.  The oracle is the requirement: a share
that is in force, of a customer that is not locked, opens the customer and the kinds of records that it includes.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import insert

from models import Contact, Customer, FollowUp, Opportunity, Plan, Share
from models.follow_up import FollowUpKind
from models.pool import GranteeKind
from models.share import ShareLevel
from tests.support.exporting import Exports
from tests.support.graphql import Api
from tests.support.refusals import add_line
from tests.support.world import START, World

pytestmark = pytest.mark.long
HOUR = timedelta(hours=1)
KINDS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "contacts": (Contact, "contacts", {"is_primary": False, "do_not_contact": False}),
    "opportunities": (Opportunity, "opportunities", {"currency": "CNY"}),
    "follow_ups": (FollowUp, "followUps", {"kind": FollowUpKind.CALL, "happened_at": START}),
    "plans": (Plan, "plans", {"kind": FollowUpKind.CALL, "due_at": START + HOUR}),
}
"""Column of a share -> the model, its list in GraphQL, and what its records need."""
GRANTEES = {GranteeKind.USER: "mei", GranteeKind.DEPARTMENT: "west", GranteeKind.ROLE: "sales"}
STATES: dict[str, dict[str, Any]] = {
    "active": {"starts_at": START - HOUR, "ends_at": START + HOUR},
    "not yet": {"starts_at": START + HOUR, "ends_at": None},
    "ended": {"starts_at": START - HOUR, "ends_at": START},
    "revoked": {"starts_at": START - HOUR, "ends_at": None, "revoked_at": START},
    "locked": {"starts_at": START - HOUR, "ends_at": None},
}
INCLUDED = (frozenset(KINDS), frozenset[str](), *(frozenset({name}) for name in KINDS))


class Case(NamedTuple):
    """One combination and the customer that has it."""

    grantee: GranteeKind
    level: ShareLevel
    include: frozenset[str]
    state: str
    customer: int

    @property
    def opens(self) -> bool:
        return self.state == "active"


def cases(world: World) -> Iterator[Case]:
    """The cases, stored with one record of each kind."""
    for number, (kind, level, include, state) in enumerate(product(GRANTEES, ShareLevel, INCLUDED, STATES), 1):
        customer = world.customer(f"Zinc {number}", owner="li")
        with world.backend.writer.engine.begin() as connection:
            share = {"customer_id": customer, "grantee_kind": kind, "grantee_id": world.ids[GRANTEES[kind]]}
            connection.execute(insert(Share), {**share, "level": level, **STATES[state], **_columns(include)})
            for model, _field, more in KINDS.values():
                stamps = {"version": 1, "created_at": START, "updated_at": START, "customer_id": customer}
                named = {"content": f"Said {number}"} if model in (FollowUp, Plan) else {"name": f"Thing {number}"}
                connection.execute(insert(model.__table__), {**_needs(model), **stamps, **named, **more})
        if state == "locked":
            assert Api(world).change("li", "lockCustomers", {"ids": [f"cus_{customer}"]}, "ids")["ids"]
        yield Case(kind, level, include, state, customer)


def _columns(include: frozenset[str]) -> dict[str, bool]:
    return {name: name in include for name in KINDS}


def _needs(model: Any) -> dict[str, Any]:
    return {x.key: x.default.arg for x in model.__table__.c if x.default is not None and x.default.is_scalar}


LISTED = """{
  customers(first: 200, filter: {name: {contains: "Zinc"}}) { totalCount nodes { id contacts { totalCount }
    opportunities { totalCount } followUps { totalCount } plans { totalCount } history(first: 1) { nodes { id } } } }
}"""
SEARCHED = '{ customers(first: 200, search: "Zinc") { totalCount nodes { id } } }'
CHILDREN = "{ %s(first: 200) { totalCount nodes { customer { id } } } }"


def test_every_share_opens_at_every_door_what_it_says(world: World, tmp_path: Path) -> None:
    for module in ("customer", "contact", "opportunity", "followup", "plan"):
        add_line(world, f"p, sales, {module}, export, all, any, allow")
    every = list(cases(world))
    opened = {f"cus_{x.customer}" for x in every if x.opens}
    assert len(opened) == len(every) // len(STATES)
    api = Api(world)

    listed = api.ask("mei", LISTED)["customers"]
    assert {row["id"] for row in listed["nodes"]} == opened
    assert listed["totalCount"] == len(opened)
    shown = {row["id"]: row for row in listed["nodes"]}
    assert all(row["history"] is not None for row in shown.values())
    searched = api.ask("mei", SEARCHED)["customers"]
    assert ({row["id"] for row in searched["nodes"]}, searched["totalCount"]) == (opened, len(opened))
    for name, (_model, field, _more) in KINDS.items():
        expected = {f"cus_{x.customer}" for x in every if x.opens and name in x.include}
        assert {id for id, row in shown.items() if row[field]["totalCount"]} == expected, field
        found = api.ask("mei", CHILDREN % field)[field]
        assert {row["customer"]["id"] for row in found["nodes"]} == expected, field
        assert found["totalCount"] == len(expected)
    for case in every:
        id = f"cus_{case.customer}"
        answer = api.ask("mei", f'{{ customer(id: "{id}") {{ id contacts {{ nodes {{ id name }} }} }} }}')["customer"]
        assert (answer is not None) == case.opens, case
        given = {"id": id, "remark": "x", "version": world.row(Customer, case.customer)["version"]}
        may_edit = case.opens and case.level is ShareLevel.EDIT
        changed = api.change("mei", "updateCustomer", given, "customer { id } problems { code }")
        assert (changed["customer"] is not None) == may_edit, case

    exporting = Exports(world, tmp_path / "files")
    rows = exporting.made("mei", Customer, columns=["name"])
    assert len(rows) - 1 == len(opened)
    for name, (model, _field, _more) in KINDS.items():
        expected = {x.customer for x in every if x.opens and name in x.include}
        assert len(exporting.made("mei", model, columns=["customer_id"])) - 1 == len(expected), name
