"""Another kind for a field that many records hold: a job writes them, and what users write meanwhile stays."""

from typing import Any

import pytest

import tasks
from models import Customer, CustomField, DictionaryItem, Organisation
from models.custom_field import CustomKind, UnconvertedValue
from models.errors import Validation
from resolvers.merging import word_merge
from resolvers.merging.merge import merge
from resolvers.merging.word_merge import merge_words
from resolvers.merging.word_unmerge import unmerge_words
from resolvers.reading import pages
from resolvers.reading.pages import ListRequest
from resolvers.records import custom_kinds, custom_writing
from resolvers.records.create_update import delete, update
from resolvers.records.recycle_bin import purge
from tasks.engine import Engine
from tests.support.custom_fields import define, options, refresh
from tests.support.world import World


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom_writing, "AT_ONCE", 2)


def customs(world: World, ids: list[int]) -> list[Any]:
    return [world.row(Customer, id)["custom"] for id in ids]


def listed(world: World, **condition: Any) -> list[Any]:
    """The values that a list shows, in the order of the field."""
    order = (("custom.staff", False), ("id", False))
    wanted = ListRequest(Customer, ("custom.staff",), filter=condition, order=order, size=50)
    return [row["custom.staff"] for row in world.run(world.ada.read(pages.page, wanted)).rows]


def run_due(world: World) -> None:
    tasks.load()
    Engine(world.backend, "w0").run_due(20)
    refresh(world)


def test_a_job_converts_and_keeps_what_is_written_meanwhile(world: World) -> None:
    field = define(world, "staff", is_searchable=True)
    ids = [world.customer(f"C{n}", owner="li", **{"custom.staff": f"1,{n}00"}) for n in range(5)]
    plain = world.customer("Plain", owner="li", **{"custom.staff": "7"})
    run_due(world)
    mark = world.mark()

    world.ada.do(custom_kinds.change_kind, field, CustomKind.NUMBER)
    refresh(world)

    assert world.row(CustomField, field)["converting_at"] == world.clock()
    assert world.count(UnconvertedValue) == 5
    assert [value for value in listed(world) if value is not None] == [7]
    assert listed(world, **{"custom.staff": {"gt": 5}}) == [7]
    world.li.do(update, Customer, ids[0], {"custom.staff": 42})
    world.li.do(update, Customer, ids[1], {"custom.staff": None})
    world.li.do(update, Customer, ids[2], {"name": "Renamed"})
    with pytest.raises(Validation, match="still being converted"):
        world.ada.do(custom_kinds.change_kind, field, CustomKind.TEXT)
    with pytest.raises(Validation, match="still being converted"):
        world.ada.do(merge, ids[3], [ids[4]])

    run_due(world)

    assert customs(world, [*ids, plain]) == [
        {"staff": "42"}, None, {"staff": "1200"}, {"staff": "1300"}, {"staff": "1400"}, {"staff": "7"}
    ]  # fmt: skip
    assert listed(world, **{"custom.staff": {"gt": 41}}) == [42, 1200, 1300, 1400]
    assert world.count(UnconvertedValue) == 0
    row = world.row(CustomField, field)
    assert (row["converting_at"], row["searchable_at"]) == (None, world.clock())
    assert [x["changes"] for x in world.log("customer", ids[3], mark)] == [{"custom.staff": ["1,300", "1300"]}]
    assert world.log("customer", ids[0], mark)[-1]["changes"] == {"custom.staff": ["1,000", "42"]}


def test_a_few_values_are_converted_at_once(world: World) -> None:
    field = define(world, "staff", CustomKind.YES_NO)
    id = world.customer(**{"custom.staff": True})

    world.ada.do(custom_kinds.change_kind, field, CustomKind.TEXT)

    assert (customs(world, [id]), world.row(CustomField, field)["converting_at"]) == ([{"staff": "yes"}], None)


def test_yes_and_no_become_words_of_the_language_of_the_organisation(world: World) -> None:
    (organisation,) = world.rows(Organisation)
    world.ada.do(update, Organisation, organisation["id"], {"language": "zh"})
    field = define(world, "listed", CustomKind.YES_NO)
    ids = [world.customer(**{"custom.listed": value}) for value in (True, False)]

    world.ada.do(custom_kinds.change_kind, field, CustomKind.TEXT)

    assert customs(world, ids) == [{"listed": "是"}, {"listed": "否"}]


def test_a_new_record_with_the_id_of_a_purged_one_keeps_its_value(world: World) -> None:
    field = define(world, "staff")
    ids = [world.customer(f"C{n}", owner="li", **{"custom.staff": f"1,{n}00"}) for n in range(3)]
    world.ada.do(custom_kinds.change_kind, field, CustomKind.NUMBER)
    refresh(world)
    world.ada.do(delete, Customer, [ids[2]])
    world.ada.do(purge, Customer, [ids[2]], confirm=True)
    world.clock.pass_by(minutes=1)
    new = world.customer("New", owner="li", **{"custom.staff": 42})

    run_due(world)

    assert customs(world, [*ids[:2], new]) == [{"staff": "1000"}, {"staff": "1100"}, {"staff": "42"}]


def test_no_undoing_of_a_merge_of_words_puts_keys_among_texts(world: World) -> None:
    options(world)
    field = define(world, "mood", CustomKind.SINGLE_CHOICE, dictionary="satisfaction")
    ids = [world.customer(f"C{n}", owner="li", **{"custom.mood": "good"}) for n in range(3)]
    words = {row["key"]: row["id"] for row in world.rows(DictionaryItem)}
    merged = world.ada.do(merge_words, words["fair"], words["good"])
    world.ada.do(custom_kinds.change_kind, field, CustomKind.TEXT)
    refresh(world)

    with pytest.raises(Validation, match="still being converted"):
        world.ada.do(unmerge_words, merged)

    run_due(world)
    world.ada.do(unmerge_words, merged)
    assert customs(world, ids) == [{"mood": "Fair"}] * 3


def test_a_kind_waits_for_a_merge_of_its_words(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_merge, "AT_ONCE", 2)
    options(world)
    field = define(world, "mood", CustomKind.SINGLE_CHOICE, dictionary="satisfaction")
    ids = [world.customer(f"C{n}", owner="li", **{"custom.mood": "good"}) for n in range(3)]
    words = {row["key"]: row["id"] for row in world.rows(DictionaryItem)}
    world.ada.do(merge_words, words["fair"], words["good"])

    with pytest.raises(Validation, match="still being merged"):
        world.ada.do(custom_kinds.change_kind, field, CustomKind.TEXT)

    run_due(world)
    world.ada.do(custom_kinds.change_kind, field, CustomKind.TEXT)
    run_due(world)
    assert customs(world, ids) == [{"mood": "Fair"}] * 3


@pytest.mark.parametrize(
    ("kind", "wanted"), [(CustomKind.TEXT, "Good"), (CustomKind.MULTIPLE_CHOICE, ["good"])], ids=["text", "several"]
)
def test_archived_words_convert_by_their_names(world: World, kind: CustomKind, wanted: Any) -> None:
    options(world)
    field = define(world, "mood", CustomKind.SINGLE_CHOICE, dictionary="satisfaction")
    id = world.customer(owner="li", **{"custom.mood": "good"})
    (word,) = world.rows(DictionaryItem, DictionaryItem.key == "good")
    world.system.do(update, DictionaryItem, word["id"], {"archived_at": world.clock.now})

    more = {"dictionary": "satisfaction"} if kind is CustomKind.MULTIPLE_CHOICE else {}
    world.ada.do(custom_kinds.change_kind, field, kind, **more)

    assert customs(world, [id]) == [{"mood": wanted}]
