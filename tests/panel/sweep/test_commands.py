"""Every command does what its use case does for this user, and nothing else."""

from collections.abc import Iterator, Mapping
from html import unescape

import pytest

from models.errors import Refusal
from resolvers.runtime.batch import Outcome
from resolvers.runtime.ids import global_id, table_of
from tests.support.engines import at_length_on_postgresql
from tests.support.panel import Browser, Door, Panel, refused_in

from .cases import MISSING, for_each_login, is_open, sample, signed_in, swept
from .dataset import Canary, Dataset
from .dry_run import assert_same, current_rows, denied_since, dry_run, newest_entry, put_back
from .forms import dialog, use_case_of
from .oracle import Oracle
from .tables import COVERED_ELSEWHERE


@pytest.mark.long
@at_length_on_postgresql
@for_each_login
def test_every_command_does_what_the_use_case_does_for_this_person_and_nothing_else(
    panel: Panel, dataset: Dataset, login: str, thorough: bool
) -> None:
    browser, oracle = signed_in(panel, dataset, login)

    with put_back(dataset.world) as undo:
        for door in (door for door in swept(thorough, "POST", "do") if door.command not in COVERED_ELSEWHERE):
            for ids in sample([*batches(oracle, door)], thorough, 1):
                if run_command(browser, oracle, door, ids, dataset.canaries):
                    undo()
                    browser, oracle = signed_in(panel, dataset, login)  # on PostgreSQL the rights may have changed


def batches(oracle: Oracle, door: Door) -> Iterator[list[int]]:
    """A record of each kind together with one that is missing, then each alone."""
    kinds = [id for id in oracle.kinds(door.model, door.asks[1]) if not is_own_password(oracle, door, id)]
    if door.command != "one-time-password":
        yield [*kinds, MISSING]
    yield from ([id] for id in kinds)


def is_own_password(oracle: Oracle, door: Door, id: int) -> bool:
    """Whether a command is about the user's own password: test_closed_holes.py covers it."""
    return door.command == "one-time-password" and id == oracle.person.id


def run_command(browser: Browser, oracle: Oracle, door: Door, ids: list[int], canaries: Mapping[str, Canary]) -> bool:
    """Post a command, and compare with the use case; returns whether any row has changed.

    The answer may name what was hidden before only where the command itself has shown it: an unlocked customer.
    """
    world, mark = oracle.world, newest_entry(oracle.world)
    before, expected = current_rows(world), dry_run(world, oracle.login, use_case_of(door, world, ids))

    hidden, browser.secrets = browser.secrets, frozenset()
    answer = browser.post(door.path, {"ids": [global_id(door.model, id) for id in ids], **dialog(world, door.command)})
    named, browser.secrets = hidden.intersection(browser.marks.findall(unescape(answer.text))), hidden
    assert not named or not named & Oracle(world, oracle.login).secrets(canaries), (door, oracle.login, ids, named)

    what = (door, oracle.login, ids)
    if not is_open(oracle, door):
        attempt = [(".".join(door.asks), table_of(door.asks[0]), None)]
        assert (answer.status_code, current_rows(world), denied_since(world, mark)) == (403, before, attempt), what
        return False
    assert denied_since(world, mark) == expected.denied, what
    if isinstance(expected.answer, Outcome):
        assert answer.status_code == 200, what
        alike: dict[str, list[str]] = {}
        for problem in expected.answer.problems:
            alike.setdefault(problem.say_of_many("en"), []).append(problem.say("en"))
        told = [said[0] if len(said) == 1 else reason for reason, said in alike.items()]
        assert refused_in(answer.text) == told, what
    elif isinstance(expected.answer, Refusal):
        assert answer.status_code in (404, 422), what
    is_done = bool(expected.ids) or expected.answer is None
    keeps_decision = door.command == "auto-assign"  # also that nobody fits
    assert_same(world, current_rows(world), expected.rows if is_done or keeps_decision else before, what)
    return is_done
