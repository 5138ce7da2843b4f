"""The preview of a bulk change: true figures, samples, nothing hidden, and nothing changed."""

from typing import Any

import pytest

from models import Contact, Customer, Entity, Opportunity
from models.errors import Forbidden, Validation
from resolvers.bulk import previewing
from resolvers.bulk.previewing import Preview, preview
from resolvers.bulk.wanted import Handover
from resolvers.customers import lock
from resolvers.exports.listing import Listing
from resolvers.records import create_update
from tests.support.refusals import add_line
from tests.support.world import World


def previewed(world: World, login: str, given: dict[str, Any], model: type[Entity] = Customer, **list: Any) -> Preview:
    return world.run(preview(world.scope(login), model, Listing(**list), given))


def test_it_says_what_the_change_would_come_to_and_changes_nothing(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(previewing, "TRIED_AT_ONCE", 2)
    ids = [world.customer(name, stage=stage) for name, stage in (("A", None), ("B", "won"), ("C", "early"))]
    others = [world.customer(name, owner="mei") for name in "DE"]
    before = world.everything()

    found = previewed(world, "li", {"stage": "won"}, ids=(*ids, *others))

    assert (found.matches, found.tried, found.changes, found.same) == (5, 5, 2, 1)
    ((refusal, number),) = found.refused
    assert (refusal.code(), number) == ("NOT_FOUND", 2)
    samples = [(each.name[-1], each.before["stage"], each.after["stage"]) for each in found.samples]
    assert samples == [("A", None, "Won"), ("C", "Early", "Won")]
    assert world.everything() == before


def test_beyond_its_limit_it_says_how_many_it_has_tried(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(previewing, "MOST_TRIED", 4)
    for n in range(6):
        world.customer(f"C{n}", industry="retail")

    found = previewed(world, "li", {"stage": "won"}, filter={"industry": {"eq": "retail"}})

    assert (found.matches, found.tried, found.changes, found.is_whole) == (6, 4, 4, False)


def test_a_hidden_field_is_in_none_of_it(world: World) -> None:
    customer = world.customer("A", latest_need="Secret")
    add_line(world, "p, sales, customer.latest_need, *, all, any, deny")
    with pytest.raises(Forbidden):
        previewed(world, "li", {"latest_need": "Steel"}, ids=(customer,))
    assert all(
        "latest_need" not in each.before for each in previewed(world, "li", {"stage": "won"}, ids=(customer,)).samples
    )


def test_a_selection_that_is_too_large_is_refused_as_the_change_would_be(world: World) -> None:
    with pytest.raises(Validation) as caught:
        previewed(world, "li", {"stage": "won"}, ids=(*range(1, 1_002),))
    assert caught.value.say("zh") == "最多选择 1000 条记录。"


def test_related_records_that_the_caller_does_not_see_are_not_counted(world: World) -> None:
    customer = world.customer("A")
    for model in (Contact, Opportunity):
        world.li.do(create_update.create, model, {"customer_id": customer, "name": "X", "owner_id": world.ids["li"]})
    add_line(world, "p, sales, opportunity, view, all, any, deny")

    found = previewed(world, "li", {"owner_id": Handover(world.ids["wu"])}, ids=(customer,))

    assert found.handing is not None
    assert {kind.module: n for kind, n in found.handing.related.items() if n} == {"contact": 1}


def test_a_transfer_says_what_goes_along_who_gets_it_and_what_is_locked(world: World) -> None:
    ids = tuple(world.customer(name) for name in "AB")
    for model in (Contact, Opportunity):
        world.li.do(create_update.create, model, {"customer_id": ids[0], "name": "X", "owner_id": world.ids["li"]})
    world.li.do(lock.lock, [ids[1]], "Mine", None)

    found = previewed(world, "li", {"owner_id": Handover(world.ids["wu"])}, ids=ids)

    assert (found.changes, [refusal.code() for refusal, _ in found.refused]) == (1, ["LOCK_WOULD_END"])
    assert found.handing is not None
    assert {kind.module: n for kind, n in found.handing.related.items() if n} == {"contact": 1, "opportunity": 1}
    assert found.handing.receiver is not None
    assert found.handing.receiver.name == "Wu Wei"
    (sample,) = found.samples
    assert (sample.before, sample.after) == ({"owner_id": "Li Na"}, {"owner_id": "Wu Wei"})
