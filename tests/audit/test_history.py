"""The history of a record and the log: what they say, and who may read them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from models import Contact, Customer, DictionaryItem, User
from models.audit.entries import Outcome
from models.errors import Forbidden, NotFound, NotSignedIn, Refusal
from resolvers.audit import history
from resolvers.audit.history import Change, Entry, Wanted
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.people import tokens
from resolvers.records import create_update
from resolvers.runtime import ids as record_ids
from tests.support.claim_checks import MISSING, change
from tests.support.engines import at_length_on_postgresql
from tests.support.history import actions, log, of_record, told
from tests.support.refusals import add_line
from tests.support.world import START, World

# --- what it says ----------------------------------------------------------------------------------------


def test_the_history_of_a_record_says_who_did_what_newest_first(world: World) -> None:
    id = world.customer("Acme", "li")
    world.clock.pass_by(hours=1)
    world.scope("li", "panel").do(locking.lock, [id], reason="talks")

    pages = of_record(world, "li", Customer, id)

    newest, first = pages.entries
    assert replace(newest, id=0, batch_id="", changes=[]) == Entry(
        id=0,
        at=START + timedelta(hours=1),
        actor_id=world.ids["li"],
        actor="Li Na",
        door="panel",
        action="customer.lock",
        model=Customer,
        record_id=id,
        label=world.row(Customer, id)["number"],
        reason="talks",
        outcome=Outcome.OK,
        batch_id="",
        is_visible=True,
        changes=[],
    )
    assert told(newest)["locked_by_id"] == Change("locked_by_id", None, world.ids["li"], None, "Li Na")
    assert told(newest)["locked_at"] == Change("locked_at", None, "2026-11-24T09:00:00.000Z")
    assert (first.action, first.actor_id, first.actor) == ("customer.create", None, "The system")
    assert (pages.newer, pages.older) == (None, None)
    assert newest.batch_id == world.log("customer", id)[-1]["batch_id"]


def test_keys_are_told_in_words_of_the_readers_language(world: World) -> None:
    id = world.customer("Acme", "li", stage="early")
    change(world, Customer, id, stage="won", name="Acme Ltd")
    world.lead.do(transferring.transfer, [id], world.ids["wu"])

    transfer, edit, create = of_record(world, "lead", Customer, id).entries

    li, wu, east = (world.ids[name] for name in ("li", "wu", "east"))
    assert told(transfer)["owner_id"] == Change("owner_id", li, wu, "Li Na", "Wu Wei")
    assert told(create)["department_id"] == Change("department_id", None, east, None, "East")
    assert edit.changes == [
        Change("name", "Acme", "Acme Ltd"),
        Change("stage", "early", "won", "Early", "Won"),
    ]
    chinese = world.backend.scope(replace(world.principal("lead"), language="zh"), "test")
    _, edit, _ = world.run(chinese.read(history.of_record, Customer, id)).entries
    assert told(edit)["stage"] == Change("stage", "early", "won", "early中", "won中")


@at_length_on_postgresql
def test_a_word_that_the_dictionary_has_forgotten_is_told_as_it_is(world: World) -> None:
    id = world.customer("Acme", "li", stage="early", industry="steel")
    item = DictionaryItem.__table__
    with world.backend.writer.engine.begin() as connection:
        connection.execute(update(item).where(item.c.key == "early").values(deleted_at=START))
        connection.execute(update(item).where(item.c.key == "steel").values(label_zh=None))

    chinese = world.backend.scope(replace(world.principal("li"), language="zh"), "test")
    (create,) = world.run(chinese.read(history.of_record, Customer, id)).entries

    assert told(create)["stage"] == Change("stage", None, "early", None, "early")
    assert told(create)["industry"] == Change("industry", None, "steel", None, "Steel"), "rather English than nothing"


def test_parts_are_told_as_fields_of_their_whole(world: World) -> None:
    points = [{"kind": "PHONE", "value": "2001"}, {"kind": "EMAIL", "value": "a@b.cn"}]
    ann = world.make(Contact, customer_id=world.customer("Acme", "li"), name="Ann", points=points)
    world.li.do(create_update.update, Contact, ann, {"points": [*points, {"kind": "PHONE", "value": "2002"}]})

    edit, born, _ = of_record(world, "li", Contact, ann).entries

    assert edit.changes == [Change("phone", "2001", ["2001", "2002"])]
    assert born.changes == [Change("email", None, "a@b.cn"), Change("phone", None, "2001")]


def test_what_was_refused_stands_in_the_log_and_not_in_the_history(world: World) -> None:
    id = world.customer("Acme", "mei")
    world.li.do(locking.lock, [id])
    with pytest.raises(Forbidden):
        world.aud.do(create_update.create, Customer, {"name": "Mine"})

    assert actions(of_record(world, "mei", Customer, id)) == ["customer.create"]
    refused = log(world, "ada", Wanted(outcome=Outcome.DENIED)).entries
    assert [(x.action, x.model, x.record_id, x.is_visible, x.changes) for x in refused] == [
        ("customer.create", Customer, None, True, []),
        ("customer.lock", Customer, id, True, []),
    ]


@at_length_on_postgresql
def test_what_is_no_kind_of_record_has_no_model_and_what_is_no_field_no_meaning(world: World) -> None:
    world.li.do(tokens.create_token, "robot")
    with pytest.raises(NotFound):
        world.li.do(tokens.revoke_token, MISSING)

    refused, made = log(world, "aud", size=2).entries

    assert (refused.model, refused.record_id, refused.is_visible, refused.changes) == (None, None, True, [])
    assert (made.action, made.model, made.changes) == ("session.token", User, [Change("token", None, "robot")])


# --- who may read ----------------------------------------------------------------------------------------


def test_a_hidden_record_and_a_missing_one_have_no_history_alike(world: World) -> None:
    hidden = world.customer("Acme", "mei")

    def refusal(id: int) -> tuple[Any, ...]:
        with pytest.raises(NotFound) as caught:
            of_record(world, "li", Customer, id)
        it: Refusal = caught.value
        assert it.record_id == (record_ids.global_id(Customer, id) if 0 < id <= record_ids.LARGEST_ID else None)
        return it.field, it.params, it.say("en"), it.say("zh")

    alike = {repr(refusal(id)) for id in (hidden, MISSING, 0, -1, 10**12)}
    assert len(alike) == 1
    assert "There is no such customer" in alike.pop()


def test_whoever_sees_a_record_reads_its_history_and_only_the_log_needs_a_right(world: World) -> None:
    id = world.customer("Acme", "li")

    assert len(of_record(world, "li", Customer, id).entries) == 1
    with pytest.raises(Forbidden) as caught:
        log(world, "li")
    assert caught.value.params == {"action": "audit.view"}
    nobody = world.backend.scope(None, "test")
    for call, args in ((history.of_record, (Customer, id)), (history.log, (Wanted(),))):
        with pytest.raises(NotSignedIn):
            world.run(nobody.read(call, *args))


def test_somebody_who_may_view_his_own_entries_reads_those(world: World) -> None:
    mine, hers = world.customer("Acme", "li"), world.customer("Beta", "mei")
    change(world, Customer, mine, name="Acme Ltd")
    world.li.do(locking.lock, [mine])
    world.mei.do(locking.lock, [hers])
    add_line(world, "p, sales, audit, view, own, any, allow")

    assert [(x.action, x.record_id) for x in log(world, "li").entries] == [("customer.lock", mine)]
    assert log(world, "li", Wanted(actor_id=world.ids["mei"])).entries == []
