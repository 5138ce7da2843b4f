"""Merges at the same moment as other merges, claims and edits: one order or the other, and nothing in between."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from models import Customer, MergeRecord
from models.errors import Refusal
from resolvers.merging.merge import merge
from resolvers.merging.unmerge import unmerge
from resolvers.pool.claim import claim
from resolvers.records import create_update
from resolvers.runtime.batch import Outcome
from tests.support.claim_checks import owner, whole
from tests.support.merging import contact, merged
from tests.support.world import World


def at_once(world: World, *calls: tuple[str, Callable[..., Any], Any]) -> list[str]:
    """The codes of what was refused, "" for what was done."""
    ready = Barrier(len(calls))

    def one(call: tuple[str, Callable[..., Any], Any]) -> str:
        login, use_case, arguments = call
        scope = world.scope(login)
        ready.wait()
        try:
            answer = scope.do(use_case, *arguments)
        except Refusal as refusal:
            return refusal.code()
        return answer.problems[0].code() if isinstance(answer, Outcome) and answer.problems else ""

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(one, calls))


@pytest.mark.parametrize("turn", range(3))
def test_two_merges_of_the_same_customers_make_one(world: World, turn: int) -> None:
    first, second = world.customer("A", "li"), world.customer("A", "wu")
    for id in (first, second):
        contact(world, id, "Ann", "138 0013 8000", is_primary=True)

    codes = at_once(world, ("ada", merge, (first, [second])), ("lead", merge, (second, [first])))

    assert sorted(codes) == ["", "MERGED"]
    assert world.count(MergeRecord) == 1
    assert whole(world) == []


@pytest.mark.parametrize("turn", range(3))
def test_a_claim_and_a_merge_of_one_customer(world: World, turn: int) -> None:
    stays, pooled = world.customer("A", "li"), world.customer("B", pool="north")

    told = at_once(world, ("ada", merge, (stays, [pooled])), ("wu", claim, ([pooled],)))

    assert told in (["", ""], ["", "NOT_FOUND"])
    assert world.row(Customer, pooled)["merged_into_id"] == stays
    assert owner(world, stays) == world.ids["li"]
    assert whole(world) == []


def test_an_edit_and_a_merge_of_one_customer(world: World) -> None:
    stays, other = world.customer("A", "li"), world.customer("B", "li")
    edit = (Customer, other, {"remark": "New"})

    told = at_once(world, ("ada", merge, (stays, [other])), ("li", create_update.update, edit))

    assert told in (["", ""], ["", "MERGED"])
    assert world.row(Customer, stays)["remark"] == ("New" if told[1] == "" else None)
    assert whole(world) == []


def test_a_merge_is_undone_once(world: World) -> None:
    first, second = world.customer("A", "li"), world.customer("B", "wu")
    done = merged(world, first, second)

    def undo(scope: Any) -> Any:
        return unmerge(scope, merge_id=done.id)

    assert sorted(at_once(world, ("ada", undo, ()), ("ada", undo, ()))) == ["", "VALIDATION"]
    assert whole(world) == []
