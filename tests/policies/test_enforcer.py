"""Casbin's own Enforcer, the cell and the SQL agree on policies that nobody would think of."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import pytest
from casbin import Enforcer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from models import Base, Contact, Customer
from policies import Principal, Snapshot
from policies.rows import Rows
from policies.words import SCOPES, STATES
from tests.support import forms
from tests.support.policy_facts import Kind, children, customers, people, populate, store
from tests.support.world import World

ROLES = ("clerk", "seller", "lead", "head")
OBJECTS = ("customer", "customer.phone", "contact", "contact.points", "user.email", "*")
ACTIONS = ("view", "edit", "unlock", "write", "touch", "*")

_states = st.lists(st.tuples(st.booleans(), st.sampled_from(sorted(STATES))), min_size=1, max_size=2, unique=True)
_line = st.tuples(
    st.sampled_from(("*", "*", *ROLES, "system")),
    st.sampled_from(("customer", "contact", *OBJECTS)),
    st.sampled_from(("view", "touch", *ACTIONS)),
    st.sampled_from(sorted(SCOPES)),
    _states.map(lambda words: "&".join(("!" if negated else "") + word for negated, word in words)),
    st.sampled_from(("allow", "allow", "deny")),
)
_link = st.tuples(st.integers(0, 2), st.integers(1, 3)).map(lambda x: (ROLES[x[0]], ROLES[min(x[0] + x[1], 3)]))
policies = st.builds(
    lambda lines, links: "\n".join([*("p, " + ", ".join(x) for x in lines), *(f"g, {a}, {b}" for a, b in links)]),
    st.lists(_line, min_size=3, max_size=12, unique=True),
    st.lists(_link, max_size=3, unique=True),
)
roles = st.frozensets(st.sampled_from(ROLES), max_size=2)
questions = st.tuples(
    st.sampled_from(("customer", "contact", "customer.phone", "contact.points", "user.email")),
    st.sampled_from(("view", "edit", "unlock", "purge", "review")),
)
samples = st.lists(st.integers(0, 10**6), max_size=4)


@dataclass(frozen=True)
class Court:
    """A database with every kind of record, and the people who ask."""

    connection: Connection
    people: list[Principal]
    kinds: dict[type[Base], list[Kind]]


def judge(court: Court, policy: Snapshot, p: Principal, question: tuple[str, str], sample: list[int]) -> Counter[bool]:
    """Ask all three; Casbin, who is slow, about a few records only.  Gives how many were allowed and denied."""
    obj, action = question
    model: type[Base] = Contact if obj.startswith("contact") else Customer
    kinds, cell = court.kinds[model], policy.cell(p.roles, obj, action)
    said = _ask_sql(court.connection, cell.sql(p, Rows(model, model.__table__.c)).label("allowed"), model)

    verdicts = [cell.test(p, kind.facts) for kind in kinds]
    assert [said[kind.row["id"]] for kind in kinds] == verdicts
    for kind in (kinds[number % len(kinds)] for number in sample):
        assert _enforcer(policy, p).enforce(p.name, obj, action, (p, kind.facts)) is cell.test(p, kind.facts)
    return Counter(verdicts)


@lru_cache(maxsize=1)
def _enforcer(policy: Snapshot, p: Principal) -> Enforcer:
    """Casbin with the policy; to load it takes longer than to ask."""
    return policy.enforcer([(p.name, role) for role in p.roles])


def _ask_sql(connection: Connection, allowed: Any, model: type[Base]) -> dict[int, bool]:
    rows = connection.execute(select(model.__table__.c.id, allowed).where(model.__table__.c.id >= 10_000))
    return {id: {0: False, 1: True}[answer] for id, answer in rows}


def try_them(world: World, examples: int, *, same_every_time: bool) -> Counter[bool]:
    """Run so many random policies; gives how many records were allowed and denied in all."""
    populate(world)
    wholes, seen, asking = customers(world.ids), Counter[bool](), people(world)
    kinds = {Customer: wholes[::5], Contact: children(world.ids, wholes[::5])[::3]}

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=same_every_time,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(policies, st.sampled_from(asking), roles, st.lists(questions, min_size=2, max_size=4), samples)
    def run(text: str, p: Principal, held: frozenset[str], asked: list[tuple[str, str]], sample: list[int]) -> None:
        asks = p if p.id is None else replace(p, roles=held)
        policy = Snapshot(text)
        for question in asked:
            seen.update(judge(court, policy, asks, question, sample))

    with world.backend.writer.engine.begin() as connection:
        for model, rows in kinds.items():
            store(connection, model, rows)
        court = Court(connection, asking, kinds)
        run()
    return seen


def test_casbin_the_cell_and_the_database_agree_on_random_policies(world: World) -> None:
    seen = try_them(world, 60, same_every_time=True)

    assert seen[True] > 60, "some records must be allowed, or nothing was tried"
    assert seen[False] > 60


@pytest.mark.long
@pytest.mark.sampled
def test_casbin_the_cell_and_the_database_agree_on_very_many_random_policies(world: World) -> None:
    many = 1_500 if forms.IS_THOROUGH else 400
    seen = try_them(world, many, same_every_time=False)

    assert seen[True] > 5 * many
    assert seen[False] > 5 * many


def test_the_judge_would_notice_a_cell_that_forgets_a_deny(world: World) -> None:
    text = "p, *, customer, view, all, any, allow\np, *, customer, touch, others, locked, deny"
    policy, p = Snapshot(text), world.principal("li")
    locked = next(kind for kind in customers(populate(world).ids) if kind.facts.locked and kind.facts.owner_id != p.id)
    cell = policy.cell(p.roles, "customer", "view")
    forgetful = replace(cell, deny=frozenset())

    assert not policy.enforcer().enforce(p.name, "customer", "view", (p, locked.facts))
    assert not cell.test(p, locked.facts)
    assert forgetful.test(p, locked.facts)
