"""The clause of a right, in the database: the rows that it lets through, and the values that it leaves empty."""

import re
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select, true, update
from sqlalchemy.orm import aliased

from models import Contact, ContactPoint, Customer, OwnershipPeriod
from policies import Snapshot
from policies.words import SCOPES
from tests.support.policy_facts import customers as kinds
from tests.support.policy_facts import populate, store
from tests.support.world import AS_STORED, World


def snapshot(*lines: str) -> Snapshot:
    return Snapshot("\n".join(lines))


def names(world: World, policy: Snapshot, login: str, action: str, model: type[Any], column: Any = None) -> list[str]:
    """What of a model's rows `where` lets through."""
    statement = select(model.name if column is None else column).where(
        policy.where(world.principal(login), action, model)
    )
    with world.backend.writer.engine.connect() as connection:
        return sorted(map(str, connection.execute(statement).scalars()))


@pytest.fixture
def customers(world: World) -> dict[str, int]:
    """Li's, Mei's and one in Li's pool, each with a contact who has a phone, and Mei's Bob looked after by Li."""
    ids = {
        "Mine": world.customer("Mine", "li", phone="1001"),
        "Hers": world.customer("Hers", "mei", phone="1002"),
        "Pooled": world.customer("Pooled", pool="north", phone="1003"),
    }
    for number, (name, id) in enumerate(ids.copy().items()):
        ids[f"Ann of {name}"] = world.make(
            Contact, customer_id=id, name=f"Ann of {name}", points=[{"kind": "PHONE", "value": f"200{number}"}]
        )
    ids["Bob"] = world.make(Contact, customer_id=ids["Hers"], name="Bob")
    bob = Contact.__table__
    with (
        world.backend.writer.engine.begin() as connection
    ):  # nobody could give him to Li, who does not see the customer
        connection.execute(update(bob).where(bob.c.id == ids["Bob"]).values(owner_id=world.ids["li"]))
    return ids


@pytest.mark.usefixtures("customers")
def test_where_lets_through_exactly_what_may_be_done(world: World) -> None:
    policy = snapshot(
        "p, sales, customer, view, own, any, allow",
        "p, *, customer, view, pool, any, allow",
        "p, finance, customer, view, all, !in_pool, allow",
    )

    assert names(world, policy, "li", "view", Customer) == ["Mine", "Pooled"]
    assert names(world, policy, "mei", "view", Customer) == ["Hers"]
    assert names(world, policy, "fin", "view", Customer) == ["Hers", "Mine"]
    assert names(world, policy, "li", "edit", Customer) == []
    assert names(world, Snapshot(""), "ada", "view", Customer) == []


@pytest.mark.usefixtures("customers")
def test_where_takes_an_alias_for_the_rows_that_it_is_about(world: World) -> None:
    policy, other = snapshot("p, sales, customer, view, own, any, allow"), aliased(Customer)
    pairs = (
        select(Customer.name, other.name)
        .join(other, true())
        .where(policy.where(world.principal("li"), "view", Customer, other))
    )

    with world.backend.writer.engine.connect() as connection:
        found = connection.execute(pairs.order_by(Customer.name)).all()

    assert found == [("Hers", "Mine"), ("Mine", "Mine"), ("Pooled", "Mine")]


@pytest.mark.usefixtures("customers")
def test_what_hangs_on_a_record_is_out_of_reach_while_that_one_is_hidden(world: World) -> None:
    policy = snapshot(
        "p, sales, customer, view, own, any, allow",
        "p, *, contact, *, all, any, allow",
    )

    for action in ("view", "edit", "delete", "purge"):
        assert names(world, policy, "li", action, Contact) == ["Ann of Mine"], action
    assert names(world, policy, "fin", "view", Contact) == []


def test_parts_are_in_reach_with_their_whole(world: World, customers: dict[str, int]) -> None:
    policy = snapshot("p, sales, customer, view, own, any, allow", "p, sales, contact, view, all, any, allow")

    assert names(world, policy, "li", "view", ContactPoint, ContactPoint.value) == ["2000"]
    assert names(world, policy, "mei", "view", OwnershipPeriod, OwnershipPeriod.customer_id) == [str(customers["Hers"])]


@pytest.mark.usefixtures("customers")
def test_a_hidden_list_of_parts_hides_the_parts_themselves(world: World) -> None:
    policy = snapshot(
        "p, sales, customer, view, all, any, allow",
        "p, sales, contact, view, all, any, allow",
        "p, *, contact.points, view, pool, in_pool, deny",
    )

    assert names(world, policy, "li", "view", Contact)[1:3] == ["Ann of Mine", "Ann of Pooled"]
    assert names(world, policy, "li", "view", ContactPoint, ContactPoint.value) == ["2000", "2001"]
    assert names(world, policy, "mei", "view", ContactPoint, ContactPoint.value) == ["2000", "2001", "2002"]


@pytest.mark.usefixtures("customers")
def test_a_guarded_column_is_empty_where_the_field_is_hidden(world: World) -> None:
    policy = snapshot(
        "p, sales, customer, view, all, any, allow",
        "p, *, customer.phone, view, pool, in_pool, deny",
    )

    def phones(login: str | None) -> list[str | None]:
        p = world.principal(login) if login else None
        column = policy.guarded(p, Customer, "phone", Customer, Customer.__table__.c.phone)
        with world.backend.writer.engine.connect() as connection:
            return list(connection.execute(select(column).select_from(Customer).order_by(Customer.id)).scalars())

    assert phones("li") == ["1001", "1002", None]
    assert phones("mei") == ["1001", "1002", "1003"]
    assert phones(None) == [None, None, None]


@pytest.mark.usefixtures("customers")
def test_a_field_of_a_part_is_asked_about_as_its_whole(world: World) -> None:
    policy = snapshot(
        "p, sales, customer, view, all, any, allow",
        "p, sales, contact, view, all, any, allow",
        "p, *, contact.value, view, pool, in_pool, deny",
    )
    column = policy.guarded(world.principal("li"), ContactPoint, "value", ContactPoint, ContactPoint.__table__.c.value)

    with world.backend.writer.engine.connect() as connection:
        found = connection.execute(select(column).select_from(ContactPoint).order_by(ContactPoint.id)).scalars().all()

    assert found == ["2000", "2001", None]


@pytest.mark.usefixtures("customers")
def test_the_clause_of_where_is_never_null_so_it_can_be_negated_and_counted(world: World) -> None:
    policy = snapshot("p, *, customer, view, others, any, allow", "p, *, customer, view, team, any, deny")
    clause = policy.where(world.principal("li"), "view", Customer).label("seen")

    with world.backend.writer.engine.connect() as connection:
        seen = connection.execute(
            select(Customer.name, clause).order_by(Customer.name), execution_options=AS_STORED
        ).all()

    assert [(name, bool(value)) for name, value in seen if value is not None] == [
        ("Hers", True),
        ("Mine", False),
        ("Pooled", True),
    ]


def test_what_a_person_can_never_have_is_not_asked(world: World) -> None:
    """One branch of an OR that no index helps with makes SQLite read the whole table: 100 times as long."""
    li = replace(world.principal("li"), pools=frozenset(), member_pools=frozenset(), admin_pools=frozenset())
    for model in (Customer, Contact):
        for action in ("view", "edit", "claim", "assign"):
            clause = world.backend.policy.where(li, action, model, model.__table__.c)
            said = str(clause.compile(world.backend.writer.engine, compile_kwargs={"literal_binds": True}))
            assert said in ("0 = 1", "false") or not re.search(r"0 = 1|1 = 1|\btrue\b|\bfalse\b", said), said


@pytest.mark.parametrize("login", ["li", "lead"])
def test_two_lines_let_through_what_either_does_and_a_deny_takes_out_just_its_own(world: World, login: str) -> None:
    """No scope is part of another: one's own customers may lie in another department."""
    populate(world)
    person = world.principal(login)
    with world.backend.writer.engine.begin() as connection:
        store(connection, Customer, kinds(world.ids))

        def reached(*lines: str) -> set[int]:
            policy = snapshot(*(f"p, *, customer, view, {line}" for line in lines))
            return set(connection.execute(select(Customer.id).where(policy.where(person, "view", Customer))).scalars())

        alone = {scope: reached(f"{scope}, any, allow") for scope in SCOPES}
        for one, other in permutations(SCOPES, 2):
            assert reached(f"{one}, any, allow", f"{other}, any, allow") == alone[one] | alone[other], (one, other)
            assert reached(f"{one}, any, allow", f"{other}, any, deny") == alone[one] - alone[other], (one, other)
