"""Concurrent edits of a contact and its phones and addresses."""

import random
from itertools import pairwise
from typing import Any

import pytest

from models import Contact, ContactPoint
from resolvers.customers.transfer_related import transfer
from resolvers.records import create_update
from resolvers.records.edit_conflicts import Line, fields_changed
from resolvers.runtime.scope import Scope
from tests.support.edit_conflicts import MAIL, PHONE, conflict, contact, edit, points
from tests.support.engines import at_length_on_postgresql
from tests.support.world import World


def test_phones_that_somebody_has_changed_are_not_overwritten(world: World) -> None:
    ann = contact(world, points=[PHONE])
    edit(world, "li", Contact, ann, 1, points=[PHONE, MAIL])

    assert conflict(world, "lead", Contact, ann, 1, points=[MAIL], title="CEO") == {
        "version": 2,
        "current": {"points": [PHONE, MAIL]},
        "given": {"points": [MAIL]},
    }
    assert conflict(world, "lead", Contact, ann, 1, points=None)["given"] == {"points": []}
    edit(world, "lead", Contact, ann, 1, points=[PHONE, MAIL], title="CEO")
    assert (world.row(Contact, ann)["title"], points(world, ann)) == ("CEO", [PHONE, MAIL])


def test_phones_and_columns_of_a_contact_merge_both_ways(world: World) -> None:
    ann = contact(world, title="CEO", points=[PHONE])
    edit(world, "li", Contact, ann, 1, title="CTO")
    edit(world, "li", Contact, ann, 2, points=[PHONE, MAIL])  # raises the version and changes no column

    edit(world, "lead", Contact, ann, 2, title="Chair")
    edit(world, "lead", Contact, ann, 3, points=[MAIL])

    assert world.row(Contact, ann)["title"] == "Chair"
    assert points(world, ann) == [MAIL]


def test_phones_that_came_with_the_contact_are_no_change(world: World) -> None:
    ann = contact(world, title="CEO", points=[PHONE])
    edit(world, "li", Contact, ann, 1, points=[MAIL])

    edit(world, "lead", Contact, ann, 1, title="CTO")

    assert (world.row(Contact, ann)["title"], points(world, ann)) == ("CTO", [MAIL])


def test_an_edit_of_both_counts_once(world: World) -> None:
    ann = contact(world, title="CEO", points=[PHONE])
    edit(world, "li", Contact, ann, 1, title="CTO")
    edit(world, "li", Contact, ann, 2, remark="nice", points=[MAIL])
    assert world.row(Contact, ann)["version"] == 3

    assert conflict(world, "lead", Contact, ann, 1, title="Chair", points=[]) == {
        "version": 3,
        "current": {"title": "CTO", "points": [MAIL]},
        "given": {"title": "Chair", "points": []},
    }
    edit(world, "lead", Contact, ann, 2, title="Chair")
    assert world.row(Contact, ann)["title"] == "Chair"


@at_length_on_postgresql
def test_a_contact_handed_on_keeps_its_phones_editable(world: World) -> None:
    ann = contact(world, points=[PHONE])
    assert world.li.do(transfer, Contact, [ann], world.ids["lead"]).ids

    edit(world, "lead", Contact, ann, 1, points=[MAIL])

    assert points(world, ann) == [MAIL]


@pytest.mark.parametrize("deeds", [1, 3])
def test_whatever_happens_to_a_contact_no_change_is_missed(world: World, deeds: int) -> None:
    """Nor is one made up, unless several things were done to it in one batch."""
    ann, dice = contact(world, is_primary=True, title="CEO", points=[PHONE]), random.Random(3)
    bob = world.make(Contact, customer_id=world.row(Contact, ann)["customer_id"], name="Bob")
    past, missed, made_up = [_state(world, ann)], [], []

    for n in range(40):
        _something(world, dice, ann, bob, str(n), deeds)
        past.append(_state(world, ann))
        lines = [Line(x["batch_id"], x["action"], x["changes"]) for x in reversed(world.log("contact", ann))]
        for place, then in enumerate(past):
            found = fields_changed(Contact, lines, past[-1]["version"] - then["version"])
            changed = {key for a, b in pairwise(past[place:]) for key in a if a[key] != b[key]} - {"version"}
            told = changed if found is None else found & then.keys()
            missed += [(n, place, key) for key in changed - told]
            made_up += [(n, place)] if found is None or told != changed else []

    assert missed == []
    assert deeds > 1 or made_up == []


def _state(world: World, id: int) -> dict[str, Any]:
    """What the log may say about a contact: some columns, and its points by kind."""
    row = world.row(Contact, id)
    state = {key: row[key] for key in ("version", "title", "remark", "is_primary", "owner_id")}
    have = sorted(world.rows(ContactPoint, ContactPoint.contact_id == id), key=lambda point: point["position"])
    return state | {kind: [x["value"] for x in have if x["kind"] == kind.upper()] for kind in ("phone", "wechat")}


def _something(world: World, dice: random.Random, id: int, other: int, word: str, most: int) -> None:
    """One of the things that people do to a contact, or up to `most` of them in one batch."""
    some = [{"kind": kind, "value": f"{word}0{dice.randrange(9)}"} for kind in dice.sample(["PHONE", "WECHAT"], 2)]
    deeds: list[Any] = [
        lambda scope: create_update.update(scope, Contact, id, {"title": word}),
        lambda scope: create_update.update(scope, Contact, id, {"points": some[: dice.randrange(3)]}),
        lambda scope: create_update.update(scope, Contact, id, {"points": some, "remark": word}),
        lambda scope: create_update.update(scope, Contact, dice.choice([id, other]), {"is_primary": True}),
        lambda scope: transfer(scope, Contact, [id], world.ids[dice.choice(["li", "wu", "lead"])]),
        lambda scope: [create_update.delete(scope, Contact, [id]), create_update.restore(scope, Contact, [id])],
    ]

    def work(scope: Scope) -> None:
        with scope.write("contact.import"):
            for deed in dice.sample(deeds, dice.randint(1, most)):
                deed(scope)

    world.system.do(work)
