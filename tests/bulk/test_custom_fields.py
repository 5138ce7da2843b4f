"""Custom fields of every kind in bulk changes: set, cleared, words that come and go, previewed and undone."""

from decimal import Decimal

import pytest

from models import Customer
from models.custom_field import CustomKind
from models.errors import Refusal
from resolvers.bulk.previewing import preview
from resolvers.bulk.wanted import Words
from resolvers.exports.listing import Listing
from resolvers.records import create_update
from tests.support.bulk_changes import BulkChanges
from tests.support.custom_fields import both, define, define_all, options, with_lines
from tests.support.world import World


def test_every_kind_is_changed_and_comes_back(world: World, bulk: BulkChanges) -> None:
    kinds = define_all(world)
    first, second = ({f"custom.{key}": both(world, kind)[n] for key, kind in kinds.items()} for n in (0, 1))
    customer = world.customer("A")
    world.li.do(create_update.update, Customer, customer, first)
    before = world.row(Customer, customer)["custom"]

    id = bulk.changed("li", second, ids=[customer])

    assert bulk.said(id) == {}
    assert world.row(Customer, customer)["custom"] != before
    undone = bulk.undo("li", id)
    assert bulk.said(undone) == {}
    assert world.row(Customer, customer)["custom"] == before


def test_words_come_into_a_list_and_leave_it(world: World, bulk: BulkChanges) -> None:
    options(world)
    define(world, "tags", CustomKind.MULTIPLE_CHOICE)
    held, empty = world.customer("A"), world.customer("B")
    world.li.do(create_update.update, Customer, held, {"custom.tags": ["good", "bad"]})

    id = bulk.changed("li", {"custom.tags": Words(add=("fair",), remove=("bad",))}, ids=[held, empty])

    assert [world.row(Customer, each)["custom"] for each in (held, empty)] == [
        {"tags": ["good", "fair"]},
        {"tags": ["fair"]},
    ]
    bulk.undo("li", id)
    assert [world.row(Customer, each)["custom"] for each in (held, empty)] == [{"tags": ["good", "bad"]}, None]


def test_a_hidden_custom_field_is_in_no_preview_and_in_no_change(world: World, bulk: BulkChanges) -> None:
    define(world, "secret")
    customer = world.customer("A")
    world.ada.do(create_update.update, Customer, customer, {"custom.secret": "Hush"})
    with_lines(world, "p, sales, customer.custom.secret, *, all, any, deny")

    with pytest.raises(Refusal) as caught:
        world.run(preview(world.li, Customer, Listing(ids=(customer,)), {"custom.secret": "Other"}))
    assert "Hush" not in caught.value.say("en")
    found = world.run(preview(world.li, Customer, Listing(ids=(customer,)), {"stage": "won"}))
    assert "Hush" not in str(found)


def test_a_preview_shows_them_as_lists_do(world: World) -> None:
    kinds = define_all(world)
    customer = world.customer("A")
    given = {f"custom.{key}": both(world, kind)[0] for key, kind in kinds.items() if key in ("money", "single_choice")}

    found = world.run(preview(world.li, Customer, Listing(ids=(customer,)), given))

    (sample,) = found.samples
    assert sample.after == {"custom.money": Decimal("19.90"), "custom.single_choice": "Good"}
