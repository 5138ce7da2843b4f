"""The tables cover the whole panel; where a line is missing, the test names it and the file it belongs to."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

import models
from models import Contact, Customer, Opportunity, User
from tests.support.panel import Panel

from . import tables
from .dataset import Dataset, make_hostile
from .declared import FILE, Kind, Table
from .gaps import missing_lines, weak_lines
from .worlds import small

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def test_every_screen_tab_command_input_and_page_has_its_line() -> None:
    found = list(missing_lines())

    assert not found, "\n".join(found)


@on_sqlite
@pytest.mark.short
def test_every_line_covers_something(panel: Panel, dataset: Dataset) -> None:
    found = list(weak_lines(panel, dataset))

    assert not found, "\n".join(found)


def test_every_hostile_record_can_be_created(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        before = {model: panel.world.count(model) for model in tables.KINDS}

        make_hostile(panel.world)

        made = {model: panel.world.count(model) - before[model] for model in tables.KINDS}
        assert made == {model: len(kind.hostile) for model, kind in tables.KINDS.items()}


@pytest.mark.parametrize(
    ("table", "key", "sentence"),
    [
        ("KINDS", Customer, "add a line for Customer, the form that creates"),
        ("TABS", ("customer", "mine"), "add a line for “customer” “mine”, whether a row"),
        ("DIALOG", "until", "add a line for “until”, what this input"),
        ("PAGES", "/admin/log", "add a line for “/admin/log”, the names"),
    ],
)
def test_a_missing_line_is_named(monkeypatch: pytest.MonkeyPatch, table: str, key: object, sentence: str) -> None:
    lines: Table[object, object] = getattr(tables, table)
    monkeypatch.delitem(lines, key)

    assert [gap for gap in missing_lines() if gap.startswith(f"{FILE}, {table}: {sentence}")] != []
    with pytest.raises(LookupError, match=sentence):
        lines[key]


def test_a_line_of_what_the_panel_no_longer_has_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tables.TABS, ("customer", "yours"), lambda _oracle, _row: True)
    monkeypatch.setitem(tables.TEXTS, "fax", "{n:03d}")

    assert list(missing_lines()) == [
        f"{FILE}, TABS: remove the line of “customer” “yours”, which the panel does not have",
        f"{FILE}, TEXTS: remove “fax”, which no entity has",
    ]


def changed(model: type[models.Base], **how: object) -> tuple[type[models.Base], Kind]:
    return model, replace(tables.KINDS[model], **how)  # type: ignore[arg-type]  # one field after the other


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (changed(User, new=None), "`new` of User has a form if the panel can create one"),
        (changed(Contact, hostile=()), "name in `hostile` of Contact the values"),
    ],
    ids=["form", "hostile"],
)
def test_half_a_line_is_named(monkeypatch: pytest.MonkeyPatch, line: tuple[type, Kind], sentence: str) -> None:
    monkeypatch.setitem(tables.KINDS, *line)

    assert [gap for gap in missing_lines() if gap.startswith(f"{FILE}, KINDS: {sentence}")] != []


def test_a_record_that_cannot_be_created_is_named(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tables.KINDS, *changed(models.Role, hostile=({"code": "NO CODE"},)))
    with small(sqlite_url) as panel, pytest.raises(AssertionError, match=f"{FILE}, KINDS and TEXTS: no Role can be"):
        make_hostile(panel.world)


@on_sqlite
def test_a_line_that_covers_nothing_is_named(panel: Panel, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    for line in (
        changed(Contact, new={"name": "New"}),
        changed(Opportunity, change={"name": ""}),
        changed(models.PoolMember, pointers={"to_user": User}),
    ):
        monkeypatch.setitem(tables.KINDS, *line)
    with dataset.world.backend.writer.engine.begin() as connection:
        connection.execute(models.ClaimRule.__table__.delete())

    assert sorted(_beginnings(weak_lines(panel, dataset))) == [
        "KINDS: `change` of Opportunity edits no record",
        "KINDS: name in `pointers` of PoolMember the entity that “to_department” points to",
        "KINDS: name in `pointers` of PoolMember the entity that “to_role” points to",
        "KINDS: name in `records` and `deleted` of ClaimRule a record for /admin/bin-claim-rule/list, which is empty",
        "KINDS: name in `records` of ClaimRule a record for /admin/claim-rule/list, which is empty",
        "KINDS: the form `new` of Contact creates no record",
    ]


def _beginnings(gaps: Iterator[str]) -> Iterator[str]:
    for gap in gaps:
        assert gap.startswith(f"{FILE}, "), gap
        yield gap.removeprefix(f"{FILE}, ").partition(": ")[0] + ": " + gap.partition(": ")[2].partition(": ")[0]
