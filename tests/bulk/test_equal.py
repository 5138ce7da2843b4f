"""Rows in bulk are answered like rows one by one, and leave the same in the tables."""

from typing import Any

import pytest
from sqlalchemy import text

from models import Customer
from tests.support.bulk_writes import both, differences
from tests.support.claim_checks import organise
from tests.support.world import World

_CONTACT = {"contact_name": "王一", "contact_phone": "13800000001"}
_LONG = "长" * 201


def customers(world: World) -> list[dict[str, Any]]:
    """Good and bad rows, some of which refer to each other."""
    ids = world.ids
    return [
        {"name": "一号客户", "industry": "internet", **_CONTACT, "contact_email": "A@b.cn"},
        {"name": "wrong word", "industry": "电商", **_CONTACT},
        {"name": "bad phone", "phone": "12", **_CONTACT},
        {"name": "two phones", "phone": "13800000001/13800000002"},
        {"name": "bad address", "email": "at home"},
        {"name": "phone of the contact", "contact_name": "x", "contact_phone": "1"},
        {"name": "address of the contact", "contact_name": "x", "contact_email": "nowhere"},
        {"name": "contact without a name", "contact_phone": "13800000001"},
        {"name": "taken number", "number": "C2026001"},
        {"name": "given number", "number": "C2026050", **_CONTACT, "remark": "line\r\nline  "},
        {"name": "the same number in other letters", "number": "ｃ2026050"},
        {"name": "drawn after a given one"},
        {"name": "far ahead", "number": "C202699999"},
        {"name": "drawn after one far ahead"},
        {"name": "no number of ours", "number": "OLD-7"},
        {"name": "taken before", "number": "old-7"},
        {"name": "wrong word and taken number", "number": "OLD-7", "industry": "电商"},
        {"name": "for mei", "owner_id": ids["mei"], **_CONTACT},
        {"name": "for wu", "owner_id": ids["wu"]},
        {"name": "for nobody", "owner_id": 999_999},
        {"name": "into the north", "pool_id": ids["north"], **_CONTACT},
        {"name": "into the south", "pool_id": ids["south"]},
        {"name": "into no pool", "pool_id": 999_999},
        {"name": "owner and pool", "pool_id": ids["north"], "owner_id": ids["li"]},
        {"name": ""},
        {"name": None},
        {"industry": "internet"},
        {"name": 7},
        {"name": "a word of a field", "level": "b"},
        {
            "name": "everything",
            "industry": "steel",
            "stage": "early",
            "source": "web",
            "region": "east",
            "phone": "010-1",
        },
        {"name": "too long" * 40},
        {"name": "long contact", "contact_name": _LONG},
        {"name": "unknown field", "nonsense": 1},
        {"name": "kept field", "pooled_at": world.clock.now},
        {"name": "kept by the system", "department_id": ids["east"]},
        {"name": "\u200b 隐 形 \ufeff", "contact_name": "Ｗ宽", "contact_phone": "１３８００００００４"},
        {"name": "control \x00 character"},
        {"name": "reason", "duplicate_reason": "told apart"},
        {"name": "reason too long", "duplicate_reason": _LONG},
        {"name": "Hua Xing Steel", "email": "info@huaxing.cn"},
        {"name": "Hua Xing Steel", "email": "info@huaxing.cn"},
        {"name": "Hua Xing Steel", "email": "info@huaxing.cn", "duplicate_reason": "another branch"},
        {"name": "registered", "registration_number": "91110000710924945A"},
        {"name": "registered elsewhere", "registration_number": "91110000710924945A"},
        {"name": "contact of another", "contact_name": "x", "contact_email": "info@huaxing.cn"},
        {"name": "drawn at last", **_CONTACT, "contact_title": "Boss"},
    ]


@pytest.mark.parametrize("login", ["ada", "li", "lead", "sam", "aud"])
def test_customers_are_answered_alike(world: World, login: str) -> None:
    world.customer("Acme", owner="wu")

    single, bulk = both(world, login, Customer, customers(world))

    assert bulk.answers == single.answers
    assert differences(single.tables, bulk.tables) == {}
    assert bulk.denied == single.denied


def test_customers_and_duplicates_are_answered_alike(world: World) -> None:
    with world.backend.writer.engine.begin() as connection:
        connection.execute(text("DELETE FROM duplicate_rule"))
    world.customer("Hua Xing", owner="mei", phone="010-88886666")
    rows = [*customers(world), {"name": "Huaxing", "phone": "01088886666"}]

    single, bulk = both(world, "ada", Customer, rows)

    assert bulk.answers == single.answers
    assert differences(single.tables, bulk.tables) == {}


def test_a_full_owner_gets_as_many_as_have_room(world: World) -> None:
    organise(world, capacity=3, contact_required=True)
    rows = [{"name": f"No. {n}", **_CONTACT} for n in range(6)] + [{"name": "without a contact"}]

    single, bulk = both(world, "li", Customer, rows)

    assert [answers[0] and answers[0][0] for answers in single.answers[2:5]] == [
        None,
        "CAPACITY_REACHED",
        "CAPACITY_REACHED",
    ]
    assert bulk.answers == single.answers
    assert differences(single.tables, bulk.tables) == {}
