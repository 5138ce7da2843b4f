"""The report of duplicates: which groups it has, for whom, and what a user takes out of it for good."""

import random
from itertools import combinations
from typing import Any

import pytest

from models import Customer, NotDuplicate
from models.duplicates import Evidence
from models.errors import Forbidden, NotFound, Validation
from resolvers.duplicates import groups as reporting
from resolvers.duplicates.groups import Group, groups
from resolvers.duplicates.told_apart import tell_apart
from resolvers.merging.merge import merge
from resolvers.records import create_update
from tests.support.graphql import Api
from tests.support.world import World

WHY = {"duplicate_reason": "A test"}


def found(world: World, by: str = "ada", size: int = 20) -> list[Group]:
    """All groups, page by page."""
    gathered: list[Group] = []
    after = None
    while True:
        page = world.run(world.scope(by).read(groups, size, after))
        gathered += page.groups
        if (after := page.after) is None:
            return gathered


def put(world: World, *names: str, **given: Any) -> list[int]:
    """The ids of customers with these names; none of the pairs is told apart by its making."""
    ids = [world.customer(name, **given, **WHY) for name in names]
    with world.backend.writer.engine.begin() as connection:
        connection.execute(NotDuplicate.__table__.delete())
    return ids


def test_customers_that_share_a_name_a_sound_or_an_address_are_one_group(strict: World) -> None:
    one, other, third = put(strict, "上海鸿发贸易有限公司", "鸿發貿易（上海）", "上海宏发贸易")
    put(strict, "成都食品", "北京鸿发贸易")
    x, y = put(strict, "Acme Pumps", "Umbrella Foods", email="info@one.example")

    assert found(strict) == [
        Group((one, other, third), (Evidence.NAME, Evidence.SOUND)),
        Group((x, y), (Evidence.EMAIL,)),
    ]


def test_pages_of_any_size_hold_each_group_once(strict: World, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(16)
    names = [f"第{dice.choice('甲乙丙丁戊己庚辛')}家贸易" for _ in range(24)]
    ids = put(strict, *names)
    expected = sorted(
        tuple(id for id, each in zip(ids, names, strict=True) if each == name)
        for name in set(names)
        if names.count(name) > 1
    )
    for step, size in ((400, 20), (3, 1), (1, 2)):
        monkeypatch.setattr(reporting, "STEP", step)
        assert [group.ids for group in found(strict, size=size)] == expected


def test_the_bin_what_was_merged_and_what_was_told_apart_is_no_duplicate(strict: World) -> None:
    one, other = put(strict, "鸿发贸易", "鸿發貿易")
    gone, stays = put(strict, "金达机械", "金达机械公司")
    binned, _ = put(strict, "明辉电子", "明辉电子公司")
    assert len(found(strict)) == 3

    strict.ada.do(tell_apart, [one, other], "Father and son")
    strict.ada.do(merge, stays, [gone])
    strict.ada.do(create_update.delete, Customer, [binned])

    assert found(strict) == []
    assert strict.log("customer", one)[-1]["action"] == "customer.tell_apart"
    assert strict.log("customer", one)[-1]["reason"] == "Father and son"
    strict.ada.do(tell_apart, [one, other])  # again changes nothing


def test_what_was_entered_with_a_reason_is_told_apart_by_it(strict: World) -> None:
    strict.customer("鸿发贸易")
    strict.customer("鸿發貿易", duplicate_reason="A branch of its own")

    assert found(strict) == []


def test_three_of_which_two_were_told_apart_are_still_linked_by_the_third(strict: World) -> None:
    one, other, third = put(strict, "鸿发贸易", "鸿發貿易", "鸿发贸易公司")

    strict.ada.do(tell_apart, [one, other])
    assert [group.ids for group in found(strict)] == [(one, other, third)]

    for pair in combinations((one, other, third), 2):
        strict.ada.do(tell_apart, list(pair))
    assert found(strict) == []


def test_who_may_not_merge_gets_no_report_and_others_only_what_they_see(strict: World) -> None:
    put(strict, "鸿发贸易", "鸿發貿易", owner="mei")
    mine = put(strict, "金达机械", "金达机械公司", owner="li")

    for login in ("sam", "aud"):
        with pytest.raises(Forbidden):
            found(strict, login)
    assert [group.ids for group in found(strict, "lead")] == [tuple(mine)]
    with pytest.raises(NotFound):
        strict.lead.do(tell_apart, [1, 2])
    assert strict.count(NotDuplicate) == 0


def test_a_page_that_does_not_exist_is_refused(strict: World) -> None:
    for size, after in ((0, None), (101, None)):
        with pytest.raises(Validation):
            strict.run(strict.ada.read(groups, size, after))
    for ids in ([], [1], list(range(1, 60))):
        with pytest.raises(Validation):
            strict.ada.do(tell_apart, ids)


def test_the_api_reports_groups_and_tells_apart(strict: World, api: Api) -> None:
    one, other = put(strict, "鸿发贸易", "鸿發貿易")
    query = "{ duplicateGroups { groups { evidence members { customerId customer { name } } } after } }"

    assert api.ask("ada", query)["duplicateGroups"] == {
        "groups": [
            {
                "evidence": ["NAME"],
                "members": [
                    {"customerId": f"cus_{one}", "customer": {"name": "鸿发贸易"}},
                    {"customerId": f"cus_{other}", "customer": {"name": "鸿發貿易"}},
                ],
            }
        ],
        "after": None,
    }
    mutation = "mutation($ids: [ID!]!) { tellCustomersApart(input: {ids: $ids}) { problems { message } } }"
    told = api.ask("ada", mutation, ids=[f"cus_{one}", f"cus_{other}"])
    assert told["tellCustomersApart"] == {"problems": []}
    assert api.ask("ada", query)["duplicateGroups"]["groups"] == []
