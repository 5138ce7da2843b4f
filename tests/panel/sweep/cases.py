"""Which logins, screens, records and ids the sweep goes through: a sample in brief, all of them at length."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import pytest

from admin.kit.view import PolicyModelView
from admin.screens import screens
from tests.support import forms
from tests.support.panel import OURS, Browser, Door, Panel, over_records

from .dataset import CANARY, LOGINS, Dataset
from .oracle import Oracle

T = TypeVar("T")
MISSING = 987_654
"""The number of a record that never was."""
BROKEN = (
    "0",
    "x",
    "cus_",
    "cus_0",
    "cus_-1",
    "cus_1_2",
    "cus_99999999999",
    "cus_１",
    "%00",
    "usr_1%00",
    "..",
    "' OR 1=1",
)
"""Texts that are no id."""
PARTIAL = {**OURS, "hx-request": "true"}
"""The headers with which a page asks for a part of itself."""
FINE = (200, 204, 303, 400)
"""Answers to nonsense: the page without it, the page from its beginning, or a sentence that it is nonsense."""

EVERYTHING = forms.IS_THOROUGH
BRIEF = {"customer", "contact", "pool", "bin-customer"}
"""The screens of a sweep in brief."""
for_each_login = pytest.mark.parametrize(
    ("login", "thorough"),
    [
        pytest.param("li", False, id="li-in-brief"),
        *(pytest.param(x, True, id=x, marks=pytest.mark.long) for x in LOGINS),
    ],
)
in_brief_and_at_length = pytest.mark.parametrize(
    "thorough", [pytest.param(False, id="in brief"), pytest.param(True, id="at length", marks=pytest.mark.long)]
)
LISTS = sorted(
    f"/admin/{screen.slug or screen.identity}/list" for screen in screens() if issubclass(screen, PolicyModelView)
)
"""The paths of all lists, without the route table: test ids are made of them, and collecting tests must be cheap."""
for_each_list = pytest.mark.parametrize(
    ("path", "thorough"),
    [
        pytest.param("/admin/opportunity/list", False, id="in brief"),
        *(pytest.param(path, True, id=path, marks=pytest.mark.long) for path in LISTS),
    ],
)


def swept(thorough: bool, method: str, *pages: str) -> Iterator[Door]:
    """The doors of all screens, or in brief of a few."""
    return (x for x in over_records(method, *pages) if thorough or x.view.identity in BRIEF)


def sample(cases: Sequence[T], thorough: bool, few: int = 2) -> Sequence[T]:
    """All of them, or a few."""
    return cases if thorough else cases[:few]


def is_turn(turns: Iterator[int], of: int) -> bool:
    """Every so many-th of very many cases; each of them in `make sweep`."""
    return EVERYTHING or next(turns) % of == 0


def signed_in(panel: Panel, dataset: Dataset, login: str) -> tuple[Browser, Oracle]:
    """The browser of a user, which watches for hidden canaries, and what the policy says about the user."""
    browser, oracle = panel.of(login), Oracle(dataset.world, login)
    browser.marks, browser.secrets = CANARY, oracle.secrets(dataset.canaries)
    return browser, oracle


def may_create(oracle: Oracle, door: Door) -> bool:
    return is_open(oracle, door) and oracle.ever("create", door.asks[0])


def is_open(oracle: Oracle, door: Door) -> bool:
    """Whether the user comes to the screen of this door at all."""
    return oracle.ever(door.right, door.asks[0])
