"""Every form changes what its use case changes for this user, and nothing else."""

import pytest

from models import User, UserRole
from resolvers.records import create_update
from resolvers.runtime.ids import global_id
from tests.support.engines import at_length_on_postgresql
from tests.support.panel import Browser, Door, Panel, over_records

from .cases import for_each_login, may_create, sample, signed_in, swept
from .dataset import Dataset
from .dry_run import assert_same, current_rows, dry_run, put_back
from .forms import as_values, edit_status, form_of, new_form
from .oracle import Oracle
from .tables import KINDS


@pytest.mark.long
@at_length_on_postgresql
@for_each_login
def test_every_form_changes_what_the_use_case_changes_for_this_person_and_nothing_else(
    panel: Panel, dataset: Dataset, login: str, thorough: bool
) -> None:
    browser, oracle = signed_in(panel, dataset, login)

    with put_back(dataset.world) as undo:
        for door in over_records("POST", "edit"):
            for id in sample(oracle.kinds(door.model, "edit"), thorough):
                edit(browser, oracle, door, id)
                undo()
        for door in swept(thorough, "POST", "create"):
            if create(browser, oracle, door):
                undo()


def edit(browser: Browser, oracle: Oracle, door: Door, id: int) -> bool:
    """Post the whole form with one field changed, and compare with the use case; returns whether it went through."""
    world, model = oracle.world, door.model
    row, change = world.row(model, id), KINDS[model].change
    before, values = current_rows(world), as_values(model, change)
    expected = dry_run(
        world, oracle.login, lambda scope: create_update.update(scope, model, id, values, row["version"])
    )

    answer = browser.post(door.at(global_id(model, id)), {**form_of(model, row, world), **change})

    wanted, what = edit_status(oracle, door, id), (door, oracle.login, id)
    if wanted == 200 and model is UserRole and row["user_id"] == world.ids[oracle.login]:
        wanted = 422  # nobody gives roles to themselves
    assert answer.status_code == (303 if wanted == 200 else wanted), what
    assert bool(expected.ids) is (wanted == 200), what
    assert_same(world, current_rows(world), expected.rows if wanted == 200 else before, what)
    return wanted == 200


def create(browser: Browser, oracle: Oracle, door: Door) -> bool:
    """Post a form for a new record, and compare with the use case; returns whether there is one now."""
    world, model = oracle.world, door.model
    form, before, is_allowed = new_form(model, world), current_rows(world), may_create(oracle, door)
    expected = dry_run(world, oracle.login, lambda scope: create_update.create(scope, model, as_values(model, form)))

    answer = browser.post(door.path, form)

    what = (door, oracle.login)
    made = 200 if model is User else 303  # a new person's password is shown this once
    assert answer.status_code == (403 if not is_allowed else made if expected.ids else 422), what
    is_made, found = is_allowed and bool(expected.ids), current_rows(world)
    if model is User and is_made:
        assert len(found["credential"]) == len(expected.rows["credential"]) + 1, what
        found["credential"] = expected.rows["credential"]
    assert_same(world, found, expected.rows if is_made else before, what)
    return is_made
