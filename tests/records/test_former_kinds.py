"""Values of the kind that a custom field had before: none comes back as a value of the new kind, by whatever way."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from models import Customer, CustomField, DictionaryItem
from models.custom_field import CustomKind
from models.errors import Validation
from resolvers.records import create_update, custom_kinds
from resolvers.records.restore_field import restore_field
from resolvers.runtime.scope import Scope
from tests.support.bulk_changes import BulkChanges
from tests.support.custom_fields import define, options, refresh
from tests.support.merging import merged, undone
from tests.support.world import START, World


@pytest.fixture
def staff(world: World) -> int:
    return define(world, "staff", label_zh="人数")


@pytest.fixture
def bulk(world: World) -> BulkChanges:
    return BulkChanges(world)


def customs(world: World, id: int) -> Any:
    return world.row(Customer, id)["custom"]


def to_number(world: World, field: int) -> None:
    world.ada.do(custom_kinds.change_kind, field, CustomKind.NUMBER)
    refresh(world)


def test_one_field_does_not_get_it_back(world: World, staff: int) -> None:
    id = world.customer(owner="li", **{"custom.staff": "many"})
    world.clock.pass_by(hours=1)
    world.li.do(create_update.update, Customer, id, {"custom.staff": "12"})
    to_number(world, staff)

    with pytest.raises(Validation) as caught:
        world.li.do(restore_field, Customer, id, "custom.staff", at=START)

    assert caught.value.say("en") == "Staff was of another kind then."
    assert caught.value.say("zh") == "人数当时是其他类型。"
    assert customs(world, id) == {"staff": "12"}


def test_nor_does_the_undoing_of_a_bulk_change_bring_it(world: World, staff: int, bulk: BulkChanges) -> None:
    ids = [world.customer(f"C{n}", "li", **{"custom.staff": text}) for n, text in enumerate(("many", "7"))]
    id = bulk.changed("li", {"custom.staff": "12"}, ids=ids)
    to_number(world, staff)

    again = bulk.undo("li", id)

    assert [customs(world, each) for each in ids] == [{"staff": "12"}, {"staff": "7"}]
    assert [*bulk.said(again).values()] == ["Staff was of another kind then."]


def test_nor_does_the_undoing_of_a_merge(world: World, staff: int) -> None:
    winner = world.customer("Otter Ltd", "li", **{"custom.staff": "many"})
    loser = world.customer("Otter", "li", **{"custom.staff": "12"})
    done = merged(world, winner, loser, fields={"custom.staff": loser})
    assert customs(world, winner) == {"staff": "12"}
    to_number(world, staff)

    undone(world, done.id)

    assert customs(world, winner) == {"staff": "12"}


def held_open(world: World, first: Callable[[Scope], Any]) -> tuple[threading.Thread, threading.Event]:
    """A transaction of Ada that does this first and then waits a while, in a thread; set once it has done it."""
    inside = threading.Event()

    def use(scope: Scope) -> None:
        with scope.write("customfield.edit"):
            first(scope)
            inside.set()
            time.sleep(0.4)

    thread = threading.Thread(target=lambda: world.scope("ada").do(use))
    thread.start()
    return thread, inside


def test_a_kind_waits_for_a_value_that_is_being_written(world: World, staff: int) -> None:
    id = world.customer(owner="li", **{"custom.staff": "12"})
    writing, inside = held_open(
        world, lambda scope: create_update.update(scope, Customer, id, {"custom.staff": "many"})
    )
    assert inside.wait(5)

    with pytest.raises(Validation):
        world.scope("ada").do(custom_kinds.change_kind, staff, CustomKind.NUMBER)

    writing.join()
    assert (customs(world, id), world.row(CustomField, staff)["kind"]) == ({"staff": "many"}, CustomKind.TEXT)


def test_a_value_waits_for_a_kind_that_is_being_changed(world: World, staff: int) -> None:
    id = world.customer(owner="li", **{"custom.staff": "12"})
    changing, inside = held_open(world, lambda scope: custom_kinds.change_kind(scope, staff, CustomKind.NUMBER))
    assert inside.wait(5)

    with pytest.raises(Validation):
        world.scope("li").do(create_update.update, Customer, id, {"custom.staff": "many"})

    changing.join()
    assert (customs(world, id), world.row(CustomField, staff)["kind"]) == ({"staff": "12"}, CustomKind.NUMBER)


def test_nor_is_a_word_of_another_list_written_while_the_list_is_changed(world: World) -> None:
    options(world)
    options(world, "mood")
    fair = max(row["id"] for row in world.rows(DictionaryItem, DictionaryItem.key == "fair"))
    world.system.do(create_update.update, DictionaryItem, fair, {"archived_at": world.clock.now})
    field = define(world, "mood", CustomKind.SINGLE_CHOICE, dictionary="satisfaction")
    id = world.customer(owner="li", **{"custom.mood": "good"})
    change = lambda scope: custom_kinds.change_kind(scope, field, CustomKind.SINGLE_CHOICE, "mood")  # noqa: E731
    changing, inside = held_open(world, change)
    assert inside.wait(5)

    with pytest.raises(Validation):
        world.scope("li").do(create_update.update, Customer, id, {"custom.mood": "fair"})

    changing.join()
    assert customs(world, id) == {"mood": "good"}
