"""Numbers of customers: the pattern, the counter behind it, and that no number ever comes twice."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest

from models import Customer, NumberCounter, NumberRule, Organisation
from models.errors import Duplicate, Validation
from models.numbering import LARGEST_SEQUENCE, Pattern
from resolvers.records import create_update
from tests.support.engines import at_length_on_postgresql
from tests.support.world import World

NOVEMBER = date(2026, 11, 24)


def number(world: World, **values: Any) -> str:
    """The number of a new customer of Li."""
    return world.li.do(create_update.create, Customer, {"name": "Acme", **values}).number


def pattern(world: World, text: str) -> None:
    world.make(NumberRule, for_module="customer", pattern=text)


# --- the pattern -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sequence", "made"),
    [
        ("C{YYYY}{seq:3}", 1, "C2026001"),
        ("C{YYYY}{seq:3}", 999, "C2026999"),
        ("C{YYYY}{seq:3}", 1000, "C20261000"),
        ("KH-{YY}{MM}{DD}-{seq:4}", 7, "KH-261124-0007"),
        ("{seq:6}", 42, "000042"),
        ("{seq:2}/{YYYY}", 5, "05/2026"),
    ],
)
def test_a_pattern_makes_numbers_and_reads_them_back(text: str, sequence: int, made: str) -> None:
    rule = Pattern(text)

    assert rule.number(NOVEMBER, sequence) == made
    assert rule.read(made) == (rule.period(NOVEMBER), sequence)


@pytest.mark.parametrize(
    "other", ["", "X2026001", "C202601", "C20260001", "C2026 001", "c2026001", "C2026001x", "C２026001"]
)
def test_a_number_of_another_kind_is_not_read(other: str) -> None:
    assert Pattern("C{YYYY}{seq:3}").read(other) is None


@pytest.mark.parametrize(
    "text",
    ["", "C", "C{YYYY}", "{seq}", "{seq:0}", "{seq:10}", "{seq:3}{seq:3}", "C{YYY}{seq:3}", "C{seq:3", "C}{seq:3}",
     "C#{seq:3}", "客{seq:3}", "C {seq:3}", "C{MM}{seq:3}", "C{YYYY}{DD}{seq:3}", "C" * 32 + "{seq:3}"],
)  # fmt: skip
def test_what_cannot_number_records_is_no_pattern(text: str) -> None:
    with pytest.raises(Validation) as caught:
        Pattern(text)

    assert caught.value.field == "pattern"
    assert "pattern" in caught.value.say("zh")


@at_length_on_postgresql
def test_a_rule_that_is_none_is_not_stored(world: World) -> None:
    before = world.everything()

    for given in ({"for_module": "customer", "pattern": "C#{seq:3}"}, {"for_module": "contact", "pattern": "K{seq:3}"}):
        with pytest.raises(Validation):
            world.ada.do(create_update.create, NumberRule, given)

    assert world.everything() == before


# --- the counter -----------------------------------------------------------------------------------------


def test_the_first_numbers_of_a_year(world: World) -> None:
    assert [number(world) for _ in range(3)] == ["C2026001", "C2026002", "C2026003"]


def test_the_sequence_starts_again_with_the_year_of_the_organisation(world: World) -> None:
    world.system.do(create_update.update, Organisation, 1, {"time_zone": "Asia/Shanghai"})
    assert number(world) == "C2026001"

    world.clock.now = datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC)
    assert number(world) == "C2026002"
    world.clock.now = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    assert number(world) == "C2027001"


def test_the_sequence_grows_beyond_its_digits(world: World) -> None:
    number(world, number="C2026998")

    assert [number(world) for _ in range(3)] == ["C2026999", "C20261000", "C20261001"]


@at_length_on_postgresql
def test_another_pattern_counts_for_itself(world: World) -> None:
    number(world)
    pattern(world, "KH{YY}{MM}-{seq:2}")

    assert [number(world), number(world)] == ["KH2611-01", "KH2611-02"]


# --- given by hand ---------------------------------------------------------------------------------------


def test_a_number_may_be_given_by_hand_and_the_counter_jumps_past_it(world: World) -> None:
    assert number(world, number=" C2026050 ") == "C2026050"
    assert number(world) == "C2026051"


@at_length_on_postgresql
def test_a_number_below_the_counter_leaves_it_where_it_is(world: World) -> None:
    number(world, number="C2026050")
    number(world, number="C2026007")

    assert number(world) == "C2026051"


def test_a_number_of_next_year_is_counted_for_next_year(world: World) -> None:
    number(world, number="C2027002")
    assert number(world) == "C2026001"

    world.clock.now = datetime(2027, 1, 1, 12, tzinfo=UTC)

    assert number(world) == "C2027003"


@at_length_on_postgresql
def test_numbers_of_another_kind_are_taken_as_they_are(world: World) -> None:
    assert number(world, number="OLD-7") == "OLD-7"
    assert number(world) == "C2026001"


@at_length_on_postgresql
def test_a_number_that_stands_in_the_way_is_stepped_over(world: World) -> None:
    number(world, number="KH02")
    pattern(world, "KH{seq:2}")

    assert [number(world), number(world)] == ["KH01", "KH03"]


@at_length_on_postgresql
def test_nobody_brings_the_counter_to_its_end(world: World) -> None:
    number(world, number=f"C2026{2**31 - 1}")
    assert number(world) == "C2026001"

    number(world, number=f"C2026{LARGEST_SEQUENCE}")
    assert number(world) == "C20261000000000"


def test_a_number_that_is_taken_is_refused_in_and_out_of_the_bin(world: World) -> None:
    id = world.customer(number="C2026005")
    for _ in range(2):
        before = world.everything()
        with pytest.raises(Duplicate) as caught:
            number(world, number="C2026005")
        assert (caught.value.field, caught.value.say()) == ("number", "C2026005 is taken already. Choose another.")
        assert world.everything() == before
        world.li.do(create_update.delete, Customer, [id])


# --- never again (defect 20) -----------------------------------------------------------------------------


def test_a_number_does_not_come_again_after_delete_and_purge(world: World) -> None:
    ids = [world.customer(), world.customer()]
    world.li.do(create_update.delete, Customer, ids)
    world.ada.do(create_update.purge, Customer, ids, confirm=True)

    assert number(world) == "C2026003"


@at_length_on_postgresql
def test_a_purged_number_does_not_come_again_even_if_the_counter_is_lost(world: World) -> None:
    gone, there = world.customer(), world.customer()
    world.li.do(create_update.delete, Customer, [gone])
    world.ada.do(create_update.purge, Customer, [gone], confirm=True)
    with world.backend.writer.engine.begin() as connection:
        connection.execute(NumberCounter.__table__.delete())  # type: ignore[attr-defined]

    assert world.row(Customer, there)["number"] == "C2026002"
    assert number(world) == "C2026003"


def test_a_creation_that_is_undone_leaves_no_hole(world: World) -> None:
    number(world)
    for given in ({"industry": "nonsense"}, {"phone": "no phone"}, {"number": "C2026001"}):
        with pytest.raises((Validation, Duplicate)):
            number(world, **given)

    assert number(world) == "C2026002"


def test_every_one_of_many_at_once_gets_a_number_of_its_own(world: World) -> None:
    async def rush() -> list[str]:
        people = [world.li, world.wu, world.mei]
        calls = [people[n % 3].run(create_update.create, Customer, {"name": f"Acme {n}"}) for n in range(30)]
        return [made.number for made in await asyncio.gather(*calls)]

    numbers = world.run(rush())

    assert sorted(numbers) == [f"C2026{n:03d}" for n in range(1, 31)]
