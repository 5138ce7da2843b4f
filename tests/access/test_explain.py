"""Why: what is said about a record agrees with what the database lets through, line for line."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Contact, Customer, Entity
from models.errors import Forbidden, NotFound, Validation
from resolvers.access import explain
from resolvers.runtime.scope import Scope
from tests.support.policy_facts import CHILDREN, children, customers, populate, store
from tests.support.world import AS_STORED, World

EVERY = 13
"""One kind of record in so many is looked at; prime, so that every owner, pool, lock and share comes up."""


@pytest.fixture
def peopled(world: World) -> World:
    populate(world)
    wholes = customers(world.ids)
    with world.backend.writer.engine.begin() as connection:
        store(connection, Customer, wholes)
        for model in CHILDREN:
            store(connection, model, children(world.ids, wholes))
    return world


@pytest.mark.parametrize("model", [Customer, *CHILDREN], ids=lambda model: model.__name__)
def test_the_facts_of_a_stored_record_are_those_that_the_words_are_proved_with(
    peopled: World, model: type[Entity]
) -> None:
    kinds = customers(peopled.ids)
    kinds = kinds if model is Customer else children(peopled.ids, kinds)
    ada = peopled.principal("ada")

    def look(_scope: Scope, db: Session) -> list[tuple[Any, Any]]:
        return [(explain.facts_of(db, model, x.row["id"], ada), x.facts) for x in kinds[::EVERY]]

    pairs = peopled.run(peopled.ada.read(look))

    assert len(pairs) > 50
    assert [pair for pair in pairs if pair[0] != pair[1]] == []


@pytest.mark.parametrize("action", ["view", "edit", "claim", "delete", "unlock"])
@pytest.mark.parametrize("model", [Customer, Contact], ids=lambda model: model.__name__)
@pytest.mark.sampled(sqlite=4, postgresql=2)
def test_the_verdict_is_that_of_the_clause(peopled: World, model: type[Entity], action: str) -> None:
    policy, columns = peopled.backend.policy, model.__table__.c
    ids = [x["id"] for x in peopled.rows(model, columns.id >= 10_000)][:: EVERY * 2]

    def look(scope: Scope, db: Session) -> list[str]:
        wrong = []
        for login in ("li", "mei", "lead", "sam", "ada", "aud"):
            person = peopled.principal(login)
            clause = policy.where(person, action, model, columns).label("may")
            may = {row.id: bool(row.may) for row in db.execute(select(columns.id, clause), execution_options=AS_STORED)}
            for id in ids:
                told = explain.explain_access(scope, db, peopled.ids[login], action, model, id)
                if told.allowed is not may[id]:
                    wrong.append(f"{login} {id}: {told}")
        return wrong

    assert peopled.run(peopled.system.read(look)) == []


def test_every_line_about_it_says_whether_it_fired_or_which_word_failed(world: World) -> None:
    theirs = world.customer("Acme", "wu")

    told = world.run(world.aud.read(explain.explain_access, world.ids["li"], "edit", Customer, theirs))

    assert not told.allowed
    said = {reason.line: (reason.fired, reason.missing) for reason in told.reasons}
    assert said["p, sales, customer, edit, own, any, allow"] == (False, "own")
    assert said["p, *, customer, touch, others, locked, deny"] == (False, "locked")


def test_of_what_hangs_on_a_record_it_is_said_why_that_one_is_out_of_sight(world: World) -> None:
    theirs = world.customer("Acme", "wu")
    contact = world.make(Contact, name="Ann", customer_id=theirs)

    told = world.run(world.aud.read(explain.explain_access, world.ids["li"], "view", Contact, contact))

    assert not told.allowed
    assert any(reason.fired for reason in told.reasons)
    assert told.whole is not None
    assert (told.whole.object, told.whole.allowed) == ("customer", False)


def test_a_hidden_field_is_explained_by_the_line_that_hides_it(world: World) -> None:
    pooled = world.customer("Acme", pool="north")

    told = world.run(world.li.read(explain.explain_access, world.ids["li"], "view", Customer, pooled, "phone"))

    assert not told.allowed
    fired = [reason.line for reason in told.reasons if reason.fired and reason.effect == "deny"]
    assert fired == ["p, *, customer.phone, view, pool, in_pool, deny"]


def test_who_can_access_names_everybody_and_the_line_that_lets_him(world: World) -> None:
    mine = world.customer("Acme", "li")

    found = {x.name: x.lines for x in world.run(world.aud.read(explain.who_can_access, Customer, mine, "edit"))}

    assert found == {
        "Ada Ng": ["p, administrator, *, *, all, any, allow"],
        "Lena Lead": ["p, sales_lead, customer, edit, subtree, any, allow"],
        "Li Na": ["p, sales, customer, edit, own, any, allow"],
    }


def test_who_may_not_see_the_policy_asks_about_himself_and_what_he_sees(world: World) -> None:
    mine, theirs = world.customer("Acme", "li"), world.customer("Other", "mei")

    assert world.run(world.li.read(explain.explain_access, world.ids["li"], "edit", Customer, mine)).allowed
    for kind, look, given in (
        (Forbidden, explain.explain_access, (world.ids["wu"], "edit", Customer, mine)),
        (Forbidden, explain.who_can_access, (Customer, mine)),
        (NotFound, explain.explain_access, (world.ids["li"], "edit", Customer, theirs)),
        (NotFound, explain.explain_access, (world.ids["li"], "edit", Customer, 999_999)),
        (Validation, explain.explain_access, (world.ids["li"], "fly", Customer, mine)),
        (Validation, explain.explain_access, (world.ids["li"], "view", Customer, mine, "wings")),
    ):
        with pytest.raises(kind):
            world.run(world.li.read(look, *given))
