"""Every word of the policy, on every kind of record, for everybody: its SQL is never NULL and says what its Python says.

This is the main proof of the policy.  Random tests alone miss a word that is blind to NULL.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest
from sqlalchemy import Connection, and_, select

from models import Base, Customer, Share
from models.pool import GranteeKind
from policies import Principal
from policies.rows import Clause, Rows
from policies.words import SCOPES, STATES, Scope, State
from tests.support.policy_facts import CHILDREN, Kind, children, customers, people, populate, store
from tests.support.world import World


@pytest.fixture
def peopled(world: World) -> World:
    return populate(world)


def disagreements(
    connection: Connection, people: list[Principal], model: type[Base], kinds: list[Kind], word: Scope | State
) -> list[str]:
    """Every person and record for which the word's SQL is NULL or something else than its Python."""
    found = []
    table = model.__table__
    for p, by_row in product(people, (False, True)):
        holds = word.sql(p, Rows(model, table.c, by_row)).label("holds")
        said = dict(connection.execute(select(table.c.id, holds).where(table.c.id >= 10_000)).all())
        for kind in kinds:
            wanted = word.test(p, kind.facts) if isinstance(word, Scope) else word.test(kind.facts)
            sql = said[kind.row["id"]]
            if sql is None or bool(sql) is not wanted:
                found.append(f"{p.name} {kind.facts}: SQL {sql}, Python {wanted}")
    return found


def test_every_word_means_the_same_in_sql_and_python_for_customers(peopled: World) -> None:
    kinds, everybody = customers(peopled.ids), people(peopled)
    with peopled.backend.writer.engine.begin() as connection:
        store(connection, Customer, kinds)

        for name, word in (SCOPES | STATES).items():
            assert disagreements(connection, everybody, Customer, kinds, word) == [], name


@pytest.mark.parametrize("model", CHILDREN, ids=lambda model: model.__name__)
def test_every_word_means_the_same_in_sql_and_python_for_what_hangs_on_a_customer(
    peopled: World, model: type[Base]
) -> None:
    wholes = customers(peopled.ids)
    kinds, everybody = children(peopled.ids, wholes), people(peopled)
    with peopled.backend.writer.engine.begin() as connection:
        store(connection, Customer, wholes)
        store(connection, model, kinds)

        for name, word in (SCOPES | STATES).items():
            assert disagreements(connection, everybody, model, kinds, word) == [], name


def test_every_word_is_true_of_some_record_and_false_of_another(peopled: World) -> None:
    kinds, everybody = customers(peopled.ids), people(peopled)

    always = {name for name, scope in SCOPES.items() if all(scope.test(p, k.facts) for p in everybody for k in kinds)}
    never = {
        name for name, scope in SCOPES.items() if not any(scope.test(p, k.facts) for p in everybody for k in kinds)
    }
    states = {name: {state.test(kind.facts) for kind in kinds} for name, state in STATES.items()}

    assert (always, never) == ({"all"}, set())
    assert states == {"any": {True}} | {name: {True, False} for name in STATES if name != "any"}


def _forgets_the_end(p: Principal, rows: Rows) -> Clause:
    share = Share.__table__.c
    mine = and_(share.grantee_kind == GranteeKind.USER, share.grantee_id == p.id, share.revoked_at.is_(None))
    return rows.e.id.in_(select(share.customer_id).where(mine))


FAULTS: dict[str, tuple[str, Callable[[Principal, Rows], Clause]]] = {
    "own is blind to NULL": ("own", lambda p, rows: rows.e.owner_id == p.id),
    "others is blind to NULL": ("others", lambda p, rows: rows.e.owner_id != p.id),
    "team is blind to NULL": ("team", lambda p, rows: rows.e.department_id == p.department_id),
    "subtree forgets what is below": ("subtree", SCOPES["team"].sql),
    "a viewer's seat counts as a member's": ("pool_member", SCOPES["pool"].sql),
    "a share forgets its end, departments and roles": ("shared", _forgets_the_end),
    "every share is one for editing": ("shared_edit", SCOPES["shared"].sql),
    "an ended lock still holds": ("locked", lambda _p, rows: rows.e.locked_by_id.is_not(None)),
    "a lock without an end is none": (
        "locked",
        lambda p, rows: and_(rows.e.locked_by_id.is_not(None), rows.e.lock_expires_at > p.now),
    ),
}


def test_every_planted_fault_is_found(peopled: World) -> None:
    kinds, everybody = customers(peopled.ids), people(peopled)
    with peopled.backend.writer.engine.begin() as connection:
        store(connection, Customer, kinds)

        for fault, (word, sql) in FAULTS.items():
            faulty = replace((SCOPES | STATES)[word], sql=sql)
            assert disagreements(connection, everybody, Customer, kinds, faulty) != [], fault
