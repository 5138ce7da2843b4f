"""Texts that hold code are shown as they are."""

from itertools import product
from typing import Any

import pytest

from models import Customer
from resolvers.runtime.ids import global_id
from tests.support.engines import at_length_on_postgresql
from tests.support.panel import mistakes

from .cases import sample, swept
from .dataset import make_hostile
from .tables import HOSTILE, PAGES
from .worlds import small


@pytest.mark.long
@at_length_on_postgresql
@pytest.mark.parametrize(
    ("login", "thorough"),
    [("ada", False), *(pytest.param(x, True, marks=pytest.mark.long) for x in ("ada", "li", "lead"))],
)
def test_hostile_texts_are_shown_as_they_are_and_never_run(url: str, login: str, thorough: bool) -> None:
    with small(url) as panel:
        make_hostile(panel.world)
        browser, shown = panel.of(login), 0
        for door in swept(thorough, "GET", "list", *(("create", "lookup", "ask") if thorough else ())):
            shown += harmless(browser.get(door.path, {"ids": ["cus_1", "cus_2", "con_1"]} if door.command else {}))
        for path in ("", "account", "log", "login", "pooled/list", "user/list", "follow-up/list"):
            shown += harmless(browser.get(f"/admin/{path}"))
        for door in swept(thorough, "GET", "details", "edit"):
            newest = max((row["id"] for row in panel.world.rows(door.model)), default=0)
            tabs = sample(door.view.related or [None], thorough, 4)
            for tab, id in product(tabs, {1, newest} if door.model is Customer else {newest}):
                answer = browser.get(door.at(global_id(door.model, id)), {"tab": tab.name} if tab else {})
                shown += harmless(answer)
        query = ("q", "f_stage", "f_owner_id", "f_created_at_from", "tab", "order", "after", "size")
        for key in sample(query, thorough, 3):
            harmless(browser.get("/admin/customer/list", {key: HOSTILE}))
        for path, page in PAGES.items():
            harmless(browser.get(path, dict.fromkeys(page.names, HOSTILE)))
        form = dict.fromkeys(("name", "owner_id", "stage", "phone", "ids", "user_id", "reason", "from"), HOSTILE)
        harmless(browser.post("/admin/customer/create", form))
        harmless(browser.post("/admin/customer/do/transfer", form))
        harmless(panel.browser().sign_in(HOSTILE, HOSTILE, next=f"/admin/{HOSTILE}"))
        assert shown > 12, "these pages hold hostile texts"


def harmless(response: Any) -> bool:
    """Whether a page holds a hostile text; each of them is escaped."""
    if not response.headers.get("content-type", "").startswith("text/html"):
        return False
    assert mistakes(response.text) == [], response.request.url
    assert "<script>alert" not in response.text, response.request.url
    assert "50337" not in response.text, response.request.url
    return "&lt;script&gt;" in response.text
