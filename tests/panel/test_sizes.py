"""Addresses and forms of any size get an answer of the panel, and none breaks."""

import pytest

from tests.support.engines import at_length_on_postgresql
from tests.support.panel import Door, Panel, over_records
from tests.support.world import World

LARGE = (
    "1e999999999",
    "-1e999999999",
    "1e-999999999",
    "9" * 40,
    "0.00000000000000000000000000000000001",
    "99999999999999.99",
    "9999-12-31",
    "0001-01-01",
    "a" * 700,
    "客" * 70,
    "a" + "\u0301\u0323" * 50,
    "%" * 200,
    "[" * 200,
)
OTHERS = ("q", "order", "after", "before", "size", "tab", "columns")
AT_ONCE = 40
"""Maximum number of parameters of one address, which a client sends up to 64 KiB."""
LISTS = list(over_records("GET", "list"))


def filters(door: Door) -> list[str]:
    return [f"f_{column.key}{end}" for column in door.model.__table__.c for end in ("", "_from", "_to")]


@at_length_on_postgresql
@pytest.mark.sampled(sqlite=16, postgresql=4)
@pytest.mark.parametrize("door", [pytest.param(d, id=d.path, marks=[] if "opportunity" in d.path else pytest.mark.long) for d in LISTS])  # fmt: skip
def test_no_size_of_a_parameter_breaks_a_list(world: World, door: Door) -> None:
    ada, names, answer = Panel(world).of("ada"), filters(door), 303 if door.model.singleton else 200  # type: ignore[attr-defined]  an entity

    for value in LARGE:
        for at in range(0, len(names), AT_ONCE):
            given = dict.fromkeys(names[at : at + AT_ONCE], value)
            assert ada.get(door.path, given).status_code == answer, value[:20]
    for name in OTHERS:
        assert ada.get(door.path, {name: LARGE[-1]}).status_code in (200, 303, 404, 422), name


def test_an_amount_beyond_every_column_is_not_understood(world: World) -> None:
    page = Panel(world).of("ada").get("/admin/opportunity/list", {"f_amount_from": "1e999999999"})

    assert page.status_code == 200
    assert "not understood" in page.text


def test_a_name_of_combining_marks_is_refused_before_it_is_sorted(world: World) -> None:
    ada = Panel(world).of("ada")

    answer = ada.post("/admin/customer/create", {"name": "a" + "\u0301\u0323" * 60})

    assert answer.status_code == 422
    assert "characters that cannot be printed" in answer.text
