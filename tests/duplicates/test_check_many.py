"""Many rows at once: what one check after the other finds, in few queries, bounded, and logged where it shows what is hidden."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from models import Base, Contact, Customer
from models.contact import PointKind
from models.errors import Forbidden, TooManyAttempts, Validation
from resolvers.duplicates import notice
from resolvers.duplicates.check import check, check_many
from resolvers.duplicates.notice import checked, checked_many
from resolvers.records import create_update
from resolvers.runtime.budgets import Budgets, Costly
from tests.support.world import START, World

ROWS: list[dict[str, Any]] = [
    {"name": "上海鸿发贸易有限公司"},
    {"name": "上海宏发贸易", "phone": "021-68881234"},
    {"name": "成都另一家食品"},
    {"phone": ["13800138000", "021 6888 1234"]},
    {"email": "sales@hongfa.example"},
    {"name": "Harbour Foods"},
    {"name": "没有这家公司"},
]


def one_by_one(world: World, by: str, model: type[Base], rows: list[dict[str, Any]]) -> list[Any]:
    return [world.run(world.scope(by).read(check, model, row)) for row in rows]


def at_once(world: World, by: str, model: type[Base], rows: list[dict[str, Any]]) -> Any:
    return world.run(world.scope(by).read(check_many, model, rows))


@pytest.fixture
def town(strict: World) -> World:
    strict.customer("上海鸿发贸易有限公司", phone="021-68881234", contact_name="Wang", contact_phone="13800138000")
    strict.customer("北京鸿发贸易", owner="mei", email="info@hongfa.example")
    strict.customer("Harbor Foods Ltd.", pool="north", phone="13800138000")
    gone = strict.customer("成都另一家食品有限公司", owner="li")
    strict.ada.do(create_update.delete, Customer, [gone])
    return strict


@pytest.mark.parametrize("by", ["li", "mei", "ada"])
def test_many_rows_are_judged_as_each_of_them_alone(town: World, by: str) -> None:
    found = at_once(town, by, Customer, ROWS)

    assert found == one_by_one(town, by, Customer, ROWS)
    assert [bool(matches) for matches in found] == [True, True, True, True, True, True, False]


def test_contacts_are_judged_alike(town: World) -> None:
    acme, point = town.customer("Acme"), [{"kind": PointKind.PHONE, "value": "13900000001"}]
    town.make(Contact, customer_id=acme, name="王芳", points=point)
    rows = [{"name": "王芳", "customer_id": acme}, {"phone": "139 0000 0001"}, {"name": "王芳"}, {"name": "Wang"}]

    found = at_once(town, "li", Contact, rows)

    assert found == one_by_one(town, "li", Contact, rows)
    assert [len(matches) for matches in found] == [1, 1, 0, 0]


def test_a_key_that_many_share_is_cut_to_its_newest_records(strict: World) -> None:
    for n in range(60):
        strict.customer(f"第{n}家贸易", phone="02168881234", duplicate_reason="One switchboard")
    rows = [{"phone": "02168881234"}, {"name": "第3家贸易", "phone": "02168881234"}, {"name": "第59家贸易"}]

    assert at_once(strict, "li", Customer, rows) == one_by_one(strict, "li", Customer, rows)


def test_two_hundred_rows_take_as_many_queries_as_two(town: World) -> None:
    def count(rows: int) -> int:
        with statements(town) as seen:
            at_once(town, "li", Customer, (ROWS * 40)[:rows])
        return len(seen)

    assert count(200) == count(7) <= 12


def test_more_rows_a_row_of_nothing_and_one_of_too_much_are_refused(town: World) -> None:
    for rows in (ROWS * 40, [{"name": "Acme"}, {}], [{"name": "x" * 201}]):
        with pytest.raises(Validation):
            at_once(town, "li", Customer, rows)
    assert at_once(town, "li", Customer, []) == []


def test_a_row_costs_as_much_as_one_check(town: World) -> None:
    town.backend.budgets = Budgets({Costly.DUPLICATE_CHECKS: 10}, clock=lambda: 0.0)

    at_once(town, "li", Customer, ROWS)
    at_once(town, "li", Customer, ROWS)
    with pytest.raises(TooManyAttempts):
        at_once(town, "li", Customer, [{"name": "Acme"}])


def test_only_those_who_may_look_for_duplicates_do(town: World) -> None:
    for call in (check, check_many):
        with pytest.raises(Forbidden):
            town.run(town.aud.read(call, Customer, [] if call is check_many else {"name": "Acme"}))


# --- the log ---------------------------------------------------------------------------------------------


def noted(world: World, id: int = 2) -> list[Mapping[str, Any]]:
    return [entry for entry in world.log("customer", id) if entry["action"] == "customer.dupcheck"]


def ask(world: World, by: str, *rows: dict[str, Any]) -> None:
    for row in rows:
        world.run(checked(world.scope(by), Customer, row))


def test_who_is_shown_a_hidden_record_is_logged_once_a_day(town: World) -> None:
    ask(town, "li", {"name": "北京鸿发贸易"}, {"name": "北京鸿发贸易公司"})
    assert [(x["actor_id"], x["label"]) for x in noted(town)] == [(town.ids["li"], "C2026002")]

    ask(town, "wu", {"name": "北京鸿发贸易"})
    town.clock.pass_by(hours=25)
    ask(town, "li", {"name": "北京鸿发贸易"})
    assert [x["actor_name"] for x in noted(town)] == ["Li Na", "Wu Wei", "Li Na"]


def test_many_rows_are_logged_alike(town: World) -> None:
    town.run(checked_many(town.li, Customer, ROWS))
    town.run(checked_many(town.li, Customer, ROWS))

    assert len(noted(town)) == 1
    assert noted(town, 1) == []


def test_what_the_user_sees_anyway_is_not_logged(town: World) -> None:
    ask(town, "mei", {"name": "北京鸿发贸易"})

    assert noted(town) == []


def test_a_log_that_cannot_be_written_takes_no_answer_away(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("The disk is full")

    monkeypatch.setattr(notice, "note", fail)
    (match,) = town.run(checked(town.li, Customer, {"name": "北京鸿发贸易"}))

    assert match.owner == "Mei Lin"
    assert town.clock.now == START


@contextmanager
def statements(world: World) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    engine = world.backend.sessions.kw["bind"].sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
