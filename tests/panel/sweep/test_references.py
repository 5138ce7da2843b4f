"""A reference to a hidden record is refused like one to a missing record."""

import re
from itertools import product

import pytest

from resolvers.runtime.ids import global_id
from tests.support.engines import at_length_on_postgresql
from tests.support.panel import Panel, over_records, told

from .cases import MISSING, may_create, signed_in
from .columns import pointers, references
from .dataset import LOGINS, Dataset
from .forms import dialog, edit_status, fields_of, form_of, new_form
from .tables import KINDS

CHOSEN = re.compile(r'<option selected value="ID">[^<]*</option>')
"""A dialog that is refused keeps a deleted record that was chosen, by the name that its reader may see."""
each_login = pytest.mark.parametrize(
    "login", ["li", *(pytest.param(x, marks=pytest.mark.long) for x in LOGINS if x != "li")]
)


@pytest.mark.long
@at_length_on_postgresql
@each_login
def test_a_new_record_that_points_to_a_hidden_one_is_refused_like_one_that_points_to_nothing(
    panel: Panel, dataset: Dataset, login: str
) -> None:
    """Every reference of every form that the user may fill: no record is created, and the answer tells nothing."""
    browser, oracle = signed_in(panel, dataset, login)
    before = dataset.world.everything()

    for door in over_records("POST", "create"):
        if not may_create(oracle, door):
            continue
        form, page = new_form(door.model, dataset.world), browser.get(door.path).text
        for key, target in pointers(door.model).items():
            for id in oracle.hidden(target)[:2] if f'name="{key}"' in page else ():
                ids = global_id(target, id), global_id(target, MISSING)
                shown, missing = (told(browser.post(door.path, {**form, key: x}), x) for x in ids)
                assert (shown[0], shown) == (422, missing), (door, key, id)

    assert dataset.world.everything() == before


@pytest.mark.long
@at_length_on_postgresql
@each_login
def test_an_edit_that_points_to_a_hidden_record_is_refused_like_one_that_points_to_nothing(
    panel: Panel, dataset: Dataset, login: str
) -> None:
    browser, oracle = signed_in(panel, dataset, login)
    before = dataset.world.everything()

    for door in over_records("POST", "edit"):
        mine = sorted(id for id in oracle.ids(door.model, "edit") if edit_status(oracle, door, id) == 200)[:1]
        for id, (key, target) in product(mine, references(door.model, creating=False)):
            form = form_of(door.model, dataset.world.row(door.model, id), dataset.world)
            for hidden in oracle.hidden(target)[:2]:
                ids = global_id(target, hidden), global_id(target, MISSING)
                answers = (browser.post(door.at(global_id(door.model, id)), {**form, key: x}) for x in ids)
                shown, missing = (told(answer, x) for answer, x in zip(answers, ids, strict=True))
                assert (shown[0], shown) == (422, missing), (door, key, hidden)

    assert dataset.world.everything() == before


@pytest.mark.long
@at_length_on_postgresql
@pytest.mark.parametrize(
    "login", ["li", pytest.param("lead", marks=pytest.mark.long), pytest.param("ada", marks=pytest.mark.long)]
)
def test_a_command_that_names_a_hidden_pool_or_nobody_is_refused_like_one_that_names_nothing(
    panel: Panel, dataset: Dataset, login: str
) -> None:
    browser, oracle = signed_in(panel, dataset, login)
    before = dataset.world.everything()

    for door in over_records("POST", "do"):
        for field in fields_of(door):
            if field.target is None or not oracle.ids(door.model, door.asks[1]):
                continue
            one = global_id(door.model, min(oracle.ids(door.model, door.asks[1])))
            deleted = [dataset.ids[name] for name in KINDS[field.target].deleted]
            for id in (*oracle.hidden(field.target)[:2], *deleted):
                ids = global_id(field.target, id), global_id(field.target, MISSING)
                form = {"ids": one, **dialog(dataset.world)}
                shown, missing = (told(browser.post(door.path, {**form, field.key: x}), x) for x in ids)
                if id in oracle.ids(field.target):
                    shown = (*shown[:2], CHOSEN.sub("", shown[2]))
                assert shown == missing, (door, field.key, id)

    assert dataset.world.everything() == before
