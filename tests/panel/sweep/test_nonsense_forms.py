"""No nonsense in a form or a body breaks it."""

from itertools import count
from typing import Any

import pytest

from models import FollowUp, Opportunity
from models.base import columns, trait_of
from resolvers.runtime.ids import global_id
from tests.support import forms
from tests.support.engines import at_length_on_postgresql
from tests.support.panel import Door, Panel, over_records

from .cases import MISSING, is_turn
from .dataset import Dataset
from .forms import dialog, edit_status, form_of, new_form
from .nonsense import BRIEFLY, EAST, NONSENSE, WEST, move_to
from .oracle import Oracle

EVERY = 11 if forms.IS_THOROUGH else 97
"""Of how many combinations of a field and a nonsense one is sent."""
EVERY_WHOLE = 3
"""Of how many forms that are nonsense in all fields `make check` sends one."""


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", ["create", "edit", "do"])
@pytest.mark.parametrize(("zone", "thorough"), [(EAST, False), (WEST, False), (EAST, True)])
def test_no_nonsense_in_any_form_breaks_it(
    panel: Panel, dataset: Dataset, page: str, thorough: bool, zone: str
) -> None:
    """Each field in turn holds nonsense while the others are in order; then all of them do."""
    move_to(dataset.world, zone)
    browser, oracle = panel.of("ada"), Oracle(dataset.world, "ada")
    turns, whole_turns = count(), count()
    for door in over_records("POST", page):
        if not thorough and (door.model not in (Opportunity, FollowUp) and door.command != "lock"):
            continue
        form, path = form_for(oracle, door)
        for bad in NONSENSE if thorough else BRIEFLY:
            for name in form if thorough else [key for key in form if key in TRIED]:
                if not thorough or is_turn(turns, EVERY):
                    browser.post(path, {**form, name: bad})
            if not thorough or is_turn(whole_turns, EVERY_WHOLE):
                browser.post(path, dict.fromkeys(form, bad))


TRIED = {
    "name",
    "_was",
    "version",
    "happened_at",
    "until",
    "expected_close",
    "amount",
    "ids",
    "capacity",
    "absent_until",
}
"""The fields that the short form tries in turn: a text, the hidden inputs, times, numbers."""


def form_for(oracle: Oracle, door: Door) -> tuple[dict[str, Any], str]:
    """(A form in order for this door, where to post it)."""
    world, model = oracle.world, door.model
    if door.page == "create":
        keys = {
            column.key: ""
            for column in columns(model)
            if not trait_of(column).system_managed and not column.primary_key
        }
        return {**keys, **new_form(model, world)}, door.path
    if door.page == "edit":
        id = min(id for id in oracle.ids(model, "edit") if edit_status(oracle, door, id) == 200)
        return {**form_of(model, world.row(model, id), world), "version": "1"}, door.at(global_id(model, id))
    return {"ids": global_id(model, MISSING), "one": "", "from": "list", **dialog(world)}, door.path


BODIES: list[tuple[str, bytes]] = [
    ("application/x-www-form-urlencoded", b"\xff\xfe=%ff&name=%ed%a0%80&&&===&%"),
    ("application/x-www-form-urlencoded", b"name=" + b"%" * 5_000),
    ("application/x-www-form-urlencoded", b"&".join(b"ids=cus_%d" % n for n in range(2_000))),
    ("application/x-www-form-urlencoded; charset=utf-16", b"name=x"),
    ("application/json", b'{"name": "x"}'),
    ("text/plain", b"name=x"),
    ("", b""),
    ("multipart/form-data", b"no boundary"),
    ("multipart/form-data; boundary=x", b"--x\r\nno header\r\n\r\n--x--"),
    (
        "multipart/form-data; boundary=x; charset=nonsense",
        b'--x\r\ncontent-disposition: form-data; name="name"\r\n\r\nx\r\n--x--\r\n',
    ),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\ncontent-disposition: form-data; name="name"\r\n\r\n\xff\xed\xa0\x80\r\n--x--\r\n',
    ),
]


@pytest.mark.long
@at_length_on_postgresql
def test_a_body_that_is_no_form_breaks_nothing(panel: Panel, dataset: Dataset) -> None:
    browser, stranger = panel.of("ada"), panel.browser()

    for kind, body in BODIES:
        for path in ("customer/create", "customer/do/transfer"):
            browser.post_raw(f"/admin/{path}", body, kind)
        assert stranger.post_raw("/admin/login", body, kind).status_code in (400, 429)
