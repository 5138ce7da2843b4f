"""Filters and pages of the log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from models import Contact, Customer, User
from models.audit.entries import Outcome
from models.errors import Validation
from resolvers.audit.history import Pages, Wanted
from resolvers.records import create_update
from tests.support.claim_checks import change
from tests.support.engines import at_length_on_postgresql
from tests.support.history import live, log, of_record
from tests.support.world import START, World

# --- filters ---------------------------------------------------------------------------------------------


Fits = Callable[[Any], bool]


ALL, NONE = (lambda _: True), (lambda _: False)


def filters(world: World, made: dict[str, int]) -> dict[str, tuple[Wanted, Fits]]:
    """What can be wanted, and which rows of the log fit."""
    mine, li = made["mine"], world.ids["li"]
    second, third, fourth = (START + timedelta(minutes=n) for n in (2, 3, 4))
    batch = world.log("customer", mine)[-1]["batch_id"]
    several = {"actor_id": li, "model": Customer, "record_id": mine, "action": "customer.edit", "text": "C2026"}
    return {
        "everything": (Wanted(), ALL),
        "what is no word": (Wanted(action="\0", batch_id=" ", text="\0"), ALL),
        "a person": (Wanted(actor_id=li), lambda row: row["actor_id"] == li),
        "nobody": (Wanted(actor_id=10**12), NONE),
        "a kind": (Wanted(model=Contact), lambda row: row["entity"] == "contact"),
        "a record": (
            Wanted(model=Customer, record_id=mine),
            lambda row: (row["entity"], row["record_id"]) == ("customer", mine),
        ),
        "a number": (Wanted(record_id=mine), lambda row: row["record_id"] == mine),
        "an action": (Wanted(action="customer.lock"), lambda row: row["action"] == "customer.lock"),
        "a module": (Wanted(action="customer"), lambda row: row["action"].startswith("customer.")),
        "a part of a module": (Wanted(action="custom"), NONE),
        "a verb": (Wanted(action=".create"), lambda row: row["action"].endswith(".create")),
        "refusals": (Wanted(outcome=Outcome.DENIED), lambda row: row["outcome"] == "DENIED"),
        "a time": (Wanted(since=second, until=fourth), lambda row: second <= row["at"] < fourth),
        "a batch": (Wanted(batch_id=batch), lambda row: row["batch_id"] == batch),
        "a label": (Wanted(text=" mINE's "), lambda row: row["label"] == "mine's Ann"),
        "a stroke": (Wanted(text="_"), lambda row: "_" in (row["label"] or "")),
        "all at once": (
            Wanted(**several, outcome=Outcome.OK, since=third),
            lambda row: row["action"] == "customer.edit" and row["at"] >= third,
        ),
    }


def test_every_filter_finds_what_fits_and_nothing_else(world: World) -> None:
    made = live(world)
    rows = world.log()[::-1]
    assert len(rows) < 200

    for name, (wanted, fits) in filters(world, made).items():
        found = [it.id for it in log(world, "ada", wanted, size=200).entries]
        assert found == [row["id"] for row in rows if fits(row)], name
        assert bool(found) is (fits is not NONE), name


@at_length_on_postgresql
def test_a_text_too_long_is_refused(world: World) -> None:
    with pytest.raises(Validation):
        log(world, "ada", Wanted(text="x" * 101))


# --- pages -----------------------------------------------------------------------------------------------


def walk(read: Callable[..., Pages]) -> list[list[int]]:
    """The ids of every page there and back; the way back shows the very same pages."""
    there, at = [], read()
    assert at.newer is None
    while True:
        there.append(at)
        if at.older is None:
            break
        at = read(before=at.older)
    back = [at]
    while at.newer is not None:
        at = read(after=at.newer)
        back.append(at)
    assert [page.entries for page in back[::-1]] == [page.entries for page in there]
    assert [page.older for page in back[::-1]] == [page.older for page in there]
    return [[entry.id for entry in page.entries] for page in there]


def test_pages_lead_there_and_back_without_a_gap(world: World) -> None:
    made = live(world)
    ids = [row["id"] for row in world.log()[::-1]]
    mine = [row["id"] for row in world.log("customer", made["mine"])[::-1]]

    for size in (1, 2, 3, len(mine), 50):
        pages = walk(lambda size=size, **at: of_record(world, "lead", Customer, made["mine"], size=size, **at))
        assert pages == [mine[n : n + size] for n in range(0, len(mine), size)]
    assert walk(lambda **at: log(world, "ada", size=40, **at)) == [ids[n : n + 40] for n in range(0, len(ids), 40)]
    verbs = walk(lambda **at: log(world, "ada", Wanted(action=".create"), size=40, **at))
    assert [id for page in verbs for id in page] == [
        row["id"] for row in world.log()[::-1] if row["action"].endswith(".create")
    ]


def test_a_folded_page_has_one_line_for_each_use_case(world: World) -> None:
    mine = [world.customer(f"C{n}", "li") for n in range(3)]
    world.ada.do(create_update.update, User, world.ids["li"], {"department_id": world.ids["west"]})
    moved, *_ = world.log("app_user", world.ids["li"])[::-1]
    of_batch = [row for row in world.log() if row["batch_id"] == moved["batch_id"]]
    assert [row["record_id"] for row in of_batch if row["entity"] == "customer"] == mine

    for login, wanted in (("ada", Wanted()), ("ada", Wanted(model=Customer)), ("aud", Wanted(action=".edit"))):
        shown = log(world, login, wanted, size=200).entries[::-1]
        heads: dict[object, int] = {}
        for entry in shown:
            heads.setdefault((entry.batch_id, entry.action, entry.at), entry.id)
        folded = walk(
            lambda login=login, wanted=wanted, **at: log(world, login, replace(wanted, folded=True), size=7, **at)
        )
        assert [id for page in folded for id in page] == sorted(heads.values(), reverse=True)
    together = world.backend.scope(world.principal("ada"), "test", batch_id="job")
    for name in ("One", "Two"):
        world.clock.pass_by(minutes=1)
        together.do(create_update.update, Customer, mine[0], {"name": name})
    job = [x for x in log(world, "ada", Wanted(folded=True)).entries if x.batch_id == "job"]
    assert [(x.others, x.changes[0].new) for x in job] == [(0, "Two"), (0, "One")]
    (head,) = [x for x in log(world, "ada", Wanted(folded=True)).entries if x.batch_id == moved["batch_id"]]
    assert (head.id, head.others) == (moved["id"], 3)
    inside = log(world, "ada", Wanted(batch_id=moved["batch_id"])).entries
    assert [x.id for x in inside[::-1]] == [row["id"] for row in of_batch]


@at_length_on_postgresql
def test_a_page_beyond_the_end_is_empty_and_a_page_has_a_size(world: World) -> None:
    newest = world.mark()

    for at in ({"before": -(10**12)}, {"before": 1}, {"after": 10**12}, {"after": newest}):
        assert log(world, "ada", **at) == Pages([], None, None)
    assert [len(log(world, "ada", size=size).entries) for size in (-1, 0, 1)] == [1, 1, 1]
    assert log(world, "ada", before=10**12, size=3).entries == log(world, "ada", size=3).entries


@pytest.mark.long
def test_a_page_takes_the_same_number_of_statements_whatever_its_size(world: World) -> None:
    id = world.customer("Acme", "li", stage="early")
    change(world, Customer, id, stage="won")
    with counted(world) as few:
        of_record(world, "lead", Customer, id)
        log(world, "ada", Wanted(model=Customer))
    for n in range(12):
        other = world.customer(f"Other {n}", ("li", "wu", "mei")[n % 3], stage="early")
        change(world, Customer, other, stage="won")
        change(world, Customer, id, stage=("early", "won")[n % 2])

    with counted(world) as many:
        assert len(of_record(world, "lead", Customer, id).entries) > 10
        assert len(log(world, "ada", Wanted(model=Customer)).entries) > 30

    assert len(many) == len(few) == 13, "merged records; entries, winners, sight, people, departments, words twice"


@contextmanager
def counted(world: World) -> Iterator[list[str]]:
    """The statements that are read with meanwhile."""
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT"):
            said.append(statement)

    engine = world.backend.read_engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield said
    event.remove(engine, "before_cursor_execute", note)
