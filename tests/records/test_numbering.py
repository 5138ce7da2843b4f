"""Numbers of customers: the pattern, the counter behind it, and that no number ever comes twice."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest

from models import Customer, NumberCounter, NumberRule, Organisation
from models.errors import Duplicate, Validation
from models.numbering import LARGEST_SEQUENCE, Pattern
from resolvers.records import create_update
from resolvers.setup.invariants import broken
from tests.support.claim_checks import unchanged
from tests.support.engines import at_length_on_postgresql
from tests.support.graphql import Api
from tests.support.panel import Panel
from tests.support.world import World

NOVEMBER = date(2026, 11, 24)


def number(world: World, **values: Any) -> str:
    """The number of a new customer of Li."""
    return world.li.do(create_update.create, Customer, {"name": "Acme", **values}).number


def pattern(world: World, text: str, **more: Any) -> None:
    world.make(NumberRule, for_module="customer", pattern=text, **more)


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
    assert "编号格式" in caught.value.say("zh")


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

    pattern(world, "C{YYYY}{seq:3}", largest_jump=2**31 - 1)
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


@pytest.mark.parametrize("same", ["c2026005", "Ｃ２０２６００５", "ｃ2026００5", "C2026005\u200b"])
def test_a_number_is_one_number_in_every_case_and_width(world: World, api: Api, same: str) -> None:
    id = world.customer(number="C2026005")
    with unchanged(world), pytest.raises(Duplicate) as caught:
        number(world, number=same)
    assert caught.value.field == "number"

    for query in (
        "query ($n: String) { customer(number: $n) { id } }",
        "query ($n: String!) { customer: customers(filter: {number: {eq: $n}}) { nodes { id } } }",
        "query ($n: String!) { customer: customers(filter: {number: {in: [$n]}}) { nodes { id } } }",
        "query ($n: String!) { customer: customers(filter: {number: {startsWith: $n}}) { nodes { id } } }",
        "query ($n: String!) { customer: customers(search: $n) { nodes { id } } }",
    ):
        found = api.ask("li", query, n=same)["customer"]
        assert found == {"id": f"cus_{id}"} or found == {"nodes": [{"id": f"cus_{id}"}]}, query

    world.li.do(create_update.delete, Customer, [id])
    world.ada.do(create_update.purge, Customer, [id], confirm=True)
    with pytest.raises(Duplicate):
        number(world, number=same)


def test_two_writers_do_not_make_one_number_in_two_cases(world: World) -> None:
    async def rush() -> list[Any]:
        people, typed = (world.li, world.wu, world.mei), ("OLD-7", "old-7", "Old-7")
        calls = [
            x.run(create_update.create, Customer, {"name": "A", "number": n})
            for x, n in zip(people, typed, strict=True)
        ]
        return await asyncio.gather(*calls, return_exceptions=True)

    done = world.run(rush())
    assert sorted(type(x).__name__ for x in done) == ["Customer", "Duplicate", "Duplicate"]


def test_a_number_is_stored_in_the_letters_of_the_pattern_and_another_as_it_is_typed(world: World) -> None:
    assert number(world, number="c２０２６007") == "C2026007"
    assert number(world) == "C2026008"
    assert number(world, number="Kd-ａ１") == "Kd-a1"
    pattern(world, "k{YY}/{seq:2}x")
    assert number(world, number="K26/07X") == "k26/07x"
    assert number(world) == "k26/08x"


def test_a_number_far_ahead_is_reserved_and_leaves_the_sequence(world: World, api: Api) -> None:
    made = api.change(
        "li",
        "createCustomer",
        {"name": "Acme", "number": "C2026999999"},
        "customer { number } problems { code field message }",
    )

    assert made["customer"] == {"number": "C2026999999"}
    assert made["problems"] == [
        {
            "code": "NUMBER_AHEAD",
            "field": "number",
            "message": "C2026999999 is far ahead, so it was reserved, but the sequence goes on with C2026001. "
            "Check it for a typing error.",
        }
    ]
    assert number(world) == "C2026001"
    with pytest.raises(Duplicate):
        number(world, number="c2026999999")
    assert number(world, number="C202610001") == "C202610001"
    assert number(world) == "C202610002"
    with world.backend.writer.engine.connect() as connection:
        assert broken(connection) == []


def test_the_panel_tells_it_too_and_the_rule_decides_how_far_is_far(world: World) -> None:
    pattern(world, "C{YYYY}{seq:3}", largest_jump=5)
    browser = Panel(world).of("li")
    for typed, told in (("C2026005", False), ("C2026050", True)):
        id = world.customer(number=typed, owner="li")
        page = browser.get(f"/admin/customer/details/cus_{id}?saved=1").text
        assert ("the sequence goes on with C2026006" in page) is told
    assert number(world) == "C2026006"


def test_a_reserved_number_is_stepped_over_when_the_sequence_comes_to_it(world: World) -> None:
    pattern(world, "C{YYYY}{seq:3}", largest_jump=1)
    assert [number(world, number="C2026003"), *(number(world) for _ in range(3))] == [
        "C2026003", "C2026001", "C2026002", "C2026004"
    ]  # fmt: skip


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
