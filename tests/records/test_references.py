"""What other records rely on is not deleted under them: seats and shares, words and their dictionaries."""

from typing import Any

import pytest
from sqlalchemy import insert

from models import Contact, Customer, Department, Dictionary, DictionaryItem, Entity, PoolMember, Role, Share, User
from models.pool import GRANTEE_KINDS
from models.share import ShareLevel
from policies import Snapshot
from resolvers.records import create_update
from tests.support.recycle_bin import codes
from tests.support.world import World

GRANTEES: list[tuple[type[Entity], dict[str, Any]]] = [
    (User, {"login": "new", "name": "New"}),
    (Department, {"name": "New"}),
    (Role, {"code": "new", "name": "New"}),
]


@pytest.mark.parametrize(("model", "values"), GRANTEES, ids=lambda x: getattr(x, "__tablename__", ""))
def test_seats_go_to_the_bin_with_their_holder_and_come_back(
    world: World, model: type[Entity], values: dict[str, Any]
) -> None:
    grantee, other = world.make(model, **values), world.ids["south"]
    kind = GRANTEE_KINDS[model]
    seat = world.make(PoolMember, pool_id=world.ids["north"], grantee_kind=kind, grantee_id=grantee)
    former = world.make(PoolMember, pool_id=other, grantee_kind=kind, grantee_id=grantee)
    world.ada.do(create_update.delete, PoolMember, [former])

    assert world.ada.do(create_update.delete, model, [grantee]).problems == []

    gone = world.row(PoolMember, seat)
    assert gone["delete_batch_id"] == world.row(model, grantee)["delete_batch_id"] is not None
    assert world.log(entity="pool_member", record_id=seat)[-1]["changes"]["deleted_at"][0] is None

    assert world.ada.do(create_update.restore, model, [grantee]).problems == []

    assert world.row(PoolMember, seat)["deleted_at"] is None
    assert world.row(PoolMember, former)["deleted_at"] is not None


def test_a_purge_takes_seats_and_shares_of_a_role(world: World) -> None:
    role, customer = world.make(Role, code="new", name="New"), world.customer()
    seat = world.make(PoolMember, pool_id=world.ids["north"], grantee_kind=GRANTEE_KINDS[Role], grantee_id=role)
    share = {"customer_id": customer, "grantee_kind": GRANTEE_KINDS[Role], "level": ShareLevel.VIEW}
    with world.backend.writer.engine.begin() as connection:
        for id in (role, world.ids["sales"]):
            connection.execute(insert(Share.__table__), {**share, "grantee_id": id, "starts_at": world.clock.now})
    world.ada.do(create_update.delete, Role, [role])

    assert world.ada.do(create_update.purge, Role, [role], confirm=True).problems == []

    assert world.rows(PoolMember, PoolMember.id == seat) == []
    assert [x["grantee_id"] for x in world.rows(Share)] == [world.ids["sales"]]


def test_a_dictionary_that_a_field_needs_stays(world: World) -> None:
    (industry,) = world.rows(Dictionary, Dictionary.code == "industry")

    unused = world.ada.do(create_update.delete, Dictionary, [industry["id"]])
    world.customer(industry="steel")
    used = world.ada.do(create_update.delete, Dictionary, [industry["id"]])

    assert (codes(unused), codes(used)) == (["VALIDATION"], ["IN_USE"])
    assert unused.problems[0].say() == (
        "Industry stays: a field of customers takes its words from it. Archive words instead."
    )
    assert "客户" in unused.problems[0].say("zh")
    assert used.problems[0].params["count"] == 1


def test_a_dictionary_of_nothing_goes(world: World) -> None:
    spare = world.make(Dictionary, code="spare", name="Spare")
    world.make(DictionaryItem, dictionary_id=spare, key="a", label_en="A")

    assert world.ada.do(create_update.delete, Dictionary, [spare]).problems == []
    assert world.ada.do(create_update.purge, Dictionary, [spare], confirm=True).problems == []
    assert world.rows(DictionaryItem, DictionaryItem.dictionary_id == spare) == []


def test_a_word_that_a_record_in_the_bin_holds_is_not_purged(world: World) -> None:
    (steel,) = world.rows(DictionaryItem, DictionaryItem.key == "steel")
    customer = world.customer(industry="steel")
    world.ada.do(create_update.delete, Customer, [customer])
    assert world.ada.do(create_update.delete, DictionaryItem, [steel["id"]]).problems == []

    outcome = world.ada.do(create_update.purge, DictionaryItem, [steel["id"]], confirm=True)

    assert codes(outcome) == ["IN_USE"]


def test_a_role_without_policy_lines_goes(world: World) -> None:
    lines = [line for line in world.backend.policy.text.splitlines() if "auditor" not in line]
    held = world.make(Role, code="spare", name="Spare")
    world.backend.policy = Snapshot("\n".join(lines), revision=world.backend.policy.revision)

    assert world.ada.do(create_update.delete, Role, [held]).problems == []
    assert world.count(Contact) == 0
