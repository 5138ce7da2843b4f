"""The command line's door: previews, changes and undoes with the rights of one person."""

import json

from models import Customer
from tests.support.terminal import millpond, told
from tests.support.world import World


def test_records_are_previewed_changed_and_undone(world: World) -> None:
    for name in "AB":
        world.customer(name, stage="early")
    other = world.customer("C", stage="early", owner="mei")
    words = (
        "change",
        "customers",
        "--as",
        "li",
        "--filter",
        '{"stage": {"in": ["early"]}}',
        "--set",
        '{"stage": "won"}',
    )

    checked = json.loads(millpond(world.backend.url, *words, "--check", "--json").stdout)
    assert checked == {"matches": 2, "tried": 2, "changes": 2, "same": 0, "refused": 0}
    assert {row["stage"] for row in world.rows(Customer)} == {"early"}

    done = json.loads(millpond(world.backend.url, *words, "--json").stdout)
    assert (done["done"], done["reasons"]) == (2, [])
    assert sorted(row["stage"] for row in world.rows(Customer)) == ["early", "won", "won"]

    status, _out, said = told(millpond(world.backend.url, "change", "--undo", done["batch"], "--as", "li"))
    assert (status, "2 done" in said) == (0, True)
    assert {row["stage"] for row in world.rows(Customer)} == {"early"}
    assert world.row(Customer, other)["version"] == 1


def test_what_cannot_be_meant_is_said(world: World) -> None:
    for given, sentence in (
        (("customers", "--set", '{"stage": "won"}'), "Say which records"),
        (("vehicles", "--filter", "{}", "--set", "{}"), "There is nothing called “vehicles”"),
        (("customers", "--filter", "{}", "--set", "stage"), "--set takes a JSON object."),
        (("opportunities", "--filter", "{}", "--set", '{"expectedClose": "soon"}'), "is no value of expectedClose"),
        (("customers", "--filter", "{}", "--set", "{}"), "Choose what to change."),
    ):
        status, _out, said = told(millpond(world.backend.url, "change", *given, "--as", "li"))
        assert (status, sentence in said) == (1, True), said
