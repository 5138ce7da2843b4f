"""A hidden record is answered like a missing one, by every route that takes an id."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from models import Base
from resolvers.runtime.ids import global_id
from tests.support.engines import at_length_on_postgresql
from tests.support.panel import Browser, Door, Panel, told

from .cases import MISSING, PARTIAL, for_each_login, is_open, sample, signed_in, swept
from .columns import references
from .dataset import Dataset
from .forms import dialog
from .oracle import Oracle


@for_each_login
@at_length_on_postgresql
def test_a_hidden_record_and_a_missing_one_are_answered_alike_by_every_route_that_takes_an_id(
    panel: Panel, dataset: Dataset, login: str, thorough: bool
) -> None:
    browser, oracle = signed_in(panel, dataset, login)
    before = dataset.world.everything()

    for door in (
        *swept(thorough, "GET", "details", "edit", "fact", "ask", "list"),
        *swept(thorough, "POST", "edit", "fact", "restore-field", "do"),
    ):
        if not is_open(oracle, door) and not thorough:
            continue
        for id in sample(out_of_reach(oracle, door), thorough, 1):
            for ask in sample([*asking(browser, door)], thorough, 1):
                shown, missing = (told(ask(x), x) for x in (global_id(door.model, id), global_id(door.model, MISSING)))
                assert shown == missing, (door, id)

    assert dataset.world.everything() == before


def out_of_reach(oracle: Oracle, door: Door) -> list[int]:
    """Up to two records that are missing for the user here: neither seen nor open to the command."""
    open_ = oracle.ids(door.model, door.asks[1]) if door.page.startswith("do/") else set()
    return [id for id in oracle.hidden(door.model) if id not in open_][:2]


def asking(browser: Browser, door: Door) -> Iterator[Callable[[str], Any]]:
    """The ways in which a door takes the id of a record."""
    if "{id}" in door.path and door.method == "GET":
        yield lambda it: browser.get(door.at(it))
    elif "{id}" in door.path:
        yield lambda it: browser.post(door.at(it), {"version": "1", "name": "Changed"})
    elif door.page.startswith("ask/"):
        yield lambda it: browser.get(door.path, {"ids": it})
        yield lambda it: browser.get(door.path, {"one": it, "from": "row"}, **PARTIAL)
    elif door.page.startswith("do/"):
        yield lambda it: browser.post(door.path, {"ids": it, **dialog(browser.world)})
        yield lambda it: browser.post(door.path, {"one": it, "from": "detail", **dialog(browser.world)}, PARTIAL)
    else:
        yield from (lambda it, key=key: browser.get(door.path, {f"f_{key}": it}) for key in pointing_at(door))


def pointing_at(door: Door) -> list[str]:
    """The fields by which a list narrows to a record of its own kind."""
    return [key for key, target in references(door.model) if target is door.model]


@pytest.mark.long
@for_each_login
@at_length_on_postgresql
def test_a_filter_by_a_hidden_record_says_no_more_than_one_by_a_missing_record(
    panel: Panel, dataset: Dataset, login: str, thorough: bool
) -> None:
    browser, oracle = signed_in(panel, dataset, login)

    for door in swept(thorough, "GET", "list"):
        if not is_open(oracle, door) or door.model.singleton:  # type: ignore[attr-defined]
            continue
        for key, target in references(door.model):
            for id in sample(pointed_to_by_nothing_seen(oracle, door, key, target)[:2], thorough, 1):
                ids = global_id(target, id), global_id(target, MISSING)
                shown, missing = (told(browser.get(door.path, {f"f_{key}": [x, "x"]}), x) for x in ids)
                assert shown == missing, (door, key, id)


def pointed_to_by_nothing_seen(oracle: Oracle, door: Door, key: str, target: type[Base]) -> list[int]:
    """Hidden records, without those whose number a record that the user sees holds."""
    seen = oracle.with_field(door.model, key)
    known = {row[key] for row in oracle.world.rows(door.model) if row["id"] in seen}
    return [id for id in oracle.hidden(target) if id not in known]
