"""Custom fields at the terminal: with the rights of one person, and with a sentence for what cannot be meant."""

from models import Customer, CustomField
from models.custom_field import CustomKind
from tests.support.custom_fields import refresh
from tests.support.terminal import millpond, told
from tests.support.world import World


def run(world: World, *words: str, by: str = "ada") -> tuple[int, str, str]:
    return told(millpond(world.backend.url, "fields", *words, "--as", by))


def test_a_field_is_added_listed_retired_and_brought_back(world: World) -> None:
    options = ("--option", "Good|好", "--option", "Poor", "--required")
    assert run(world, "add", "customers", "single-choice", "--name", "Mood", "--name-zh", "心情", *options)[0] == 0
    assert run(world, "add", "客户", "number", "--name", "Staff", "--key", "head_count", "--searchable")[0] == 0

    listed = ["mood\tSINGLE_CHOICE\tMood\t心情\trequired", "head_count\tNUMBER\tStaff\t\tsearchable"]
    assert run(world, "list", "customers")[1].splitlines() == listed

    status, _out, said = run(world, "retire", "customers", "mood")
    assert (status, "The field mood is retired." in said) == (0, True)
    assert run(world, "list", "customers")[1].splitlines()[0].endswith("\trequired, retired")
    status, _out, said = run(world, "retire", "customers", "mood")
    assert (status, "Mood is retired already." in said) == (1, True)
    assert run(world, "bring-back", "customers", "mood")[0] == 0
    assert run(world, "list", "customers")[1].splitlines() == listed


def test_another_kind_is_looked_at_before_it_is_chosen(world: World) -> None:
    run(world, "add", "customers", "text", "--name", "Staff")
    refresh(world)
    ids = [world.customer(f"C{n}", "li", **{"custom.staff": text}) for n, text in enumerate(("12", "many"))]

    status, _out, said = run(world, "change-kind", "customers", "staff", "number")
    assert (status, "1 of 2 stored values convert." in said, "C1: many" in said) == (1, True, True)
    status, _out, said = run(world, "change-kind", "customers", "staff", "number", "--yes")
    assert (status, "1 stored values are none of that kind." in said) == (1, True)
    status, _out, said = run(world, "change-kind", "customers", "staff", "single-choice", "--dictionary", "anew")
    assert (status, "Options: 12, many" in said) == (0, True)

    status, _out, said = run(
        world, "change-kind", "customers", "staff", "single-choice", "--dictionary", "anew", "--yes"
    )
    assert (status, "The field staff is changed." in said) == (0, True)
    assert world.rows(CustomField)[0]["kind"] is CustomKind.SINGLE_CHOICE
    assert world.row(Customer, ids[1])["custom"] == {"staff": "many"}
    assert "2 records hold a value, 0 lack one." in run(world, "missing", "customers", "staff")[2]


def test_what_cannot_be_meant_is_said(world: World) -> None:
    for words, by, sentence in (
        (("add", "pools", "text", "--name", "X"), "ada", "“pools” have no custom fields"),
        (("add", "customers", "colour", "--name", "X"), "ada", "There is no kind “colour”"),
        (("add", "customers", "text"), "ada", "is required"),
        (("add", "customers", "single-choice", "--name", "X"), "ada", "at least one"),
        (("add", "customers", "text", "--name", "X"), "li", "Your roles do not allow"),
        (("retire", "customers", "nothing"), "ada", "There is no such custom field"),
        (("list", "customers"), "li", "Your roles do not allow"),
    ):
        status, _out, said = run(world, *words, by=by)
        assert (status, sentence in said) == (1, True), said
