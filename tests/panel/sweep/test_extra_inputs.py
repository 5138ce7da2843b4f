"""Inputs that a form or a dialog does not offer change nothing when they are posted."""

from typing import Any

import pytest

from models import Customer, UserRole
from resolvers.pool import claim as claiming
from resolvers.runtime.ids import global_id
from tests.support.engines import at_length_on_postgresql
from tests.support.panel import Panel, over_records
from tests.support.world import START

from .cases import signed_in
from .columns import editable
from .dataset import Dataset
from .dry_run import assert_same, current_rows, dry_run
from .forms import edit_status, form_of
from .tables import KINDS

EXTRA: dict[str, Any] = {
    "id": "1",
    "number": "EVIL",
    "owner_id": "usr_1",
    "pool_id": "poo_1",
    "department_id": "dep_2",
    "customer_id": "cus_3",
    "created_by_id": "usr_1",
    "created_at": "2020-01-01T00:00",
    "updated_by_id": "usr_1",
    "deleted_at": "2026-11-24T08:00",
    "delete_batch_id": "x",
    "locked_by_id": "usr_1",
    "lock_reason": "evil",
    "claimed_at": "2020-01-01T00:00",
    "path": "/1/",
    "salt": "x",
    "contact_name": "Evil",
    "__class__": "x",
    "self": "x",
    "owner": "1",
    "version ": "1",
    "grantee_id": "1",
    "password_hash": "x",
}
"""What a user may add to a form by hand."""


@pytest.mark.long
@at_length_on_postgresql
def test_what_a_form_does_not_offer_changes_nothing_when_it_is_posted(panel: Panel, dataset: Dataset) -> None:
    """For each kind of record that Ada may edit: one field changes, and what follows every change."""
    browser, oracle = signed_in(panel, dataset, "ada")
    for door in over_records("POST", "edit"):
        own = {row["id"] for row in dataset.world.rows(UserRole) if row["user_id"] == dataset.ids["ada"]}
        others = oracle.ids(door.model, "edit") - (own if door.model is UserRole else set())
        id = min(id for id in others if edit_status(oracle, door, id) == 200)
        row, offered = dataset.world.row(door.model, id), editable(door.model)
        form, change = form_of(door.model, row, dataset.world), KINDS[door.model].change
        extra = {k: v for k, v in EXTRA.items() if k not in offered}

        done = browser.post(door.at(global_id(door.model, id)), {**form, **extra, **change})

        after = dataset.world.row(door.model, id)
        changed = {k for k in row if row[k] != after[k]} - {"version", "updated_at", "updated_by_id"}
        changed -= {f"{k}_key" for k in change}  # what a list is sorted by follows
        assert (done.status_code, changed) == (303, set(change)), door
        assert after["version"] == row["version"] + 1, door


@pytest.mark.long
@at_length_on_postgresql
def test_what_a_form_does_not_offer_makes_nothing_of_a_new_record(panel: Panel, dataset: Dataset) -> None:
    browser, _oracle = signed_in(panel, dataset, "li")
    extra = {k: v for k, v in EXTRA.items() if k not in ("number", "owner_id", "contact_name", "customer_id")}
    mark = dataset.world.count(Customer)

    done = browser.post("/admin/customer/create", {"name": "New", **extra})

    row = dataset.world.rows(Customer)[-1]
    assert (done.status_code, dataset.world.count(Customer)) == (303, mark + 1)
    assert (row["name"], row["owner_id"], row["pool_id"]) == ("New", dataset.ids["li"], None)
    assert (row["version"], row["deleted_at"], row["locked_by_id"]) == (1, None, None)
    assert (row["created_by_id"], row["created_at"], row["department_id"]) == (
        dataset.ids["li"],
        START,
        dataset.ids["east"],
    )


@pytest.mark.long
@at_length_on_postgresql
def test_what_a_command_does_not_ask_for_changes_nothing_when_it_is_posted(panel: Panel, dataset: Dataset) -> None:
    browser, _oracle = signed_in(panel, dataset, "li")
    id = dataset.ids["in north"]
    expected = dry_run(dataset.world, "li", lambda scope: claiming.claim(scope, [id]))

    browser.post(
        "/admin/customer/do/claim", {"ids": f"cus_{id}", **EXTRA, "user_id": "usr_5", "mode": "x", "scope": "x"}
    )

    assert_same(dataset.world, current_rows(dataset.world), expected.rows, "claim")
