"""What bulk writes leave behind, what a check leaves, and what an import means."""

import random
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from models import AuditEntry, Contact, Customer, FollowUp, Opportunity, OwnershipPeriod, User
from models.database.engines import WriteSession
from models.errors import Validation
from resolvers.audit.replay import Comparison
from resolvers.audit.verification import verify
from resolvers.bulk import many, singly
from resolvers.bulk.verdicts import Verdict
from resolvers.records import create_update
from resolvers.runtime.scope import Scope
from resolvers.setup.invariants import broken
from tests.bulk.test_equal import customers
from tests.support.bulk_writes import answer, same
from tests.support.claim_checks import organise, unchanged
from tests.support.world import World

FOLLOWED = {
    ("models.audit.recording", "_log_the_flush"),
    ("models.custom_field", "_begin_edition"),
    ("models.duplicate_key", "_follow_the_flush"),
    ("models.former_name", "_remember_renames"),
    ("models.keys", "_write_keys"),
    ("models.last_contact", "_follow_the_flush"),
    ("models.next_contact", "_follow_the_flush"),
    ("models.search", "_follow_the_flush"),
    ("models.stage_terms", "_forget_terms"),
    ("models.stage_terms", "_keep_terms"),
    ("resolvers.ownership.release_dates", "_begin_edition"),
    ("resolvers.ownership.release_dates", "_date_customers"),
    ("resolvers.ownership.release_dates", "_date_masked_customers"),
    ("resolvers.ownership.release_dates", "_follow_opportunities"),
    ("resolvers.runtime.write_guard", "_guard_results"),
    ("resolvers.runtime.write_guard", "_guard_writes"),
}
"""What a flush does beside writing rows; `resolvers/bulk` does the same for rows that are written without one."""


def test_bulk_writes_know_everything_that_a_flush_does() -> None:
    """A new listener of flushes belongs here once `resolvers/bulk` does what it does, or it concerns no bulk kind."""
    session = WriteSession()
    listeners = {
        (call.__module__, call.__name__)
        for moment in (session.dispatch.before_flush, session.dispatch.after_flush)
        for call in moment
    }
    assert {found for found in listeners if found[0].startswith(("models.", "resolvers."))} == FOLLOWED


def imported(scope: Scope, model: Any, rows: list[Any]) -> list[Verdict]:
    verdicts: list[Verdict] = scope.do(many.create_many, model, rows, action="customer.import")
    return verdicts


def test_all_promises_hold_after_an_import(world: World) -> None:
    with world.backend.writer.engine.begin() as connection:
        connection.execute(text("DELETE FROM duplicate_rule"))
        before = Comparison().known(connection)

    verdicts = imported(world.ada, Customer, customers(world))

    done = [verdict.id for verdict in verdicts if verdict.is_done and verdict.id]
    assert len(done) > 15
    changes = [(id, {"address": f"Street {id}", "industry": "steel"}) for id in done]
    changed = world.ada.do(many.update_many, Customer, changes, action="customer.import")
    assert [verdict.id for verdict in changed] == done
    now = world.clock.now
    people = [
        {"customer_id": id, "name": f"Ann {id}", "points": [{"kind": "PHONE", "value": f"138001{id:05}"}]}
        for id in done
    ]
    called = {"kind": "CALL", "content": "Talked about the steel that they need", "happened_at": now}
    calls, deals = ([{"customer_id": id, **more} for id in done] for more in (called, {"name": "Deal"}))
    for model, rows in ((Contact, people), (FollowUp, calls), (Opportunity, deals)):
        assert [verdict.refusal for verdict in imported(world.ada, model, rows)] == [None] * len(done)
    with world.backend.writer.engine.connect() as connection:
        assert broken(connection) == []
        assert verify(connection).problems == []
        assert Comparison().known(connection) == before
    entries = world.rows(AuditEntry, AuditEntry.action == "customer.import")
    assert {entry["record_id"] for entry in entries if entry["entity"] == "customer"} == set(done)
    assert len({entry["batch_id"] for entry in entries}) == 5
    assert {row["began"] for row in world.rows(OwnershipPeriod, OwnershipPeriod.customer_id.in_(done))} == {"IMPORT"}


@pytest.mark.parametrize("has_changes", [False, True])
def test_a_check_answers_like_the_import_and_leaves_nothing(world: World, has_changes: bool) -> None:
    there = world.customer("There", owner="mei")
    organise(world, capacity=12)
    rows: list[Any] = customers(world)
    if has_changes:
        rows += [(there, {"industry": "steel"}), (there, {"industry": "x"}), {"name": "Last"}]

    with unchanged(world):
        mark = world.mark()
        checked = world.li.do(many.check_many, Customer, rows)
        assert world.log(since=mark) == []

    written = world.li.do(many.create_many, Customer, [row for row in rows if isinstance(row, dict)])
    created = [verdict for row, verdict in zip(rows, checked, strict=True) if isinstance(row, dict)]
    assert [verdict.is_done for verdict in created] == [verdict.is_done for verdict in written]
    assert [str(verdict.refusal) for verdict in created] == [str(verdict.refusal) for verdict in written]
    changed = [verdict for row, verdict in zip(rows, checked, strict=True) if isinstance(row, tuple)]
    assert [type(verdict.refusal).__name__ for verdict in changed] == ["NotFound", "NotFound"] * has_changes


def test_good_rows_are_not_written_one_by_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with world.backend.writer.engine.begin() as connection:
        connection.execute(text("DELETE FROM duplicate_rule"))
    rows = [{"name": f"{name} Trading", "contact_name": "Ann"} for name in ("Heron", "Zebra", "Quartz", "Juniper")]
    monkeypatch.delattr(singly, "create")
    monkeypatch.delattr(singly, "update")

    assert all(verdict.is_done for verdict in world.li.do(many.check_many, Customer, rows))
    ids = [verdict.id for verdict in world.li.do(many.create_many, Customer, rows)]
    calls = [{"customer_id": id, "kind": "CALL", "content": f"Talk {id}", "happened_at": world.clock.now} for id in ids]
    for model, given in ((FollowUp, calls), (Contact, [{"customer_id": id, "name": f"Bo {id}"} for id in ids])):
        assert all(verdict.is_done for verdict in world.li.do(many.create_many, model, given))
    changes = [(id, {"phone": f"1380000000{n}"}) for n, id in enumerate(ids)]
    assert all(verdict.is_done for verdict in world.li.do(many.check_many, Customer, changes))
    assert all(verdict.is_done for verdict in world.li.do(many.update_many, Customer, changes))


def test_too_many_rows_are_refused_whole(world: World) -> None:
    with unchanged(world), pytest.raises(Validation, match=f"At most {many.LARGEST} rows"):
        world.ada.do(many.create_many, Customer, [{"name": "x"}] * (many.LARGEST + 1))


def test_an_imported_follow_up_of_a_leaver_is_history(world: World) -> None:
    customer, leaver = world.customer("Acme"), world.user("old", "Olga Past", "sales", "east")
    world.ada.do(create_update.update, User, leaver, {"active": False})
    before = world.row(Customer, customer)
    at = world.clock.now - timedelta(days=400)
    rows = [
        {"customer_id": customer, "kind": "CALL", "content": "Sent the offer", "happened_at": at, "owner_id": leaver},
        {"customer_id": customer, "kind": "VISIT", "content": "Signed here", "happened_at": world.clock.now},
    ]

    plain = world.ada.do(many.create_many, FollowUp, rows[:1])
    verdicts = imported(world.ada, FollowUp, rows)

    assert [type(verdict.refusal) for verdict in plain] == [Validation]
    assert [verdict.refusal for verdict in verdicts] == [None, None]
    found = world.row(FollowUp, verdicts[0].id or 0)
    assert (found["owner_id"], found["happened_at"], found["counts"]) == (leaver, at, False)
    assert (found["created_by_id"], found["created_at"]) == (world.ids["ada"], world.clock.now)
    assert world.row(Customer, customer) == before


def test_only_who_may_import_a_customer_names_another_author(world: World) -> None:
    customer = world.customer("Acme")
    row = {"customer_id": customer, "kind": "CALL", "content": "Talked", "happened_at": world.clock.now}

    verdicts = imported(world.li, FollowUp, [{**row, "owner_id": world.ids["wu"]}, row])

    assert [verdict.refusal and verdict.refusal.code() for verdict in verdicts] == ["FORBIDDEN", None]


@pytest.mark.long
@pytest.mark.sampled(sqlite=2, postgresql=1)
@pytest.mark.parametrize("seed", range(6))
def test_random_rows_are_answered_alike(world: World, seed: int) -> None:
    """Rows put together at random from good and bad values, as different users, with and without the duplicate rules."""
    choose = random.Random(seed)
    if seed % 2:
        with world.backend.writer.engine.begin() as connection:
            connection.execute(text("DELETE FROM duplicate_rule"))
    world.customer("Hua Xing Steel", owner="mei", phone="010-88886666", email="info@huaxing.cn", number="OLD-1")
    for login in ("ada", "li", "lead"):
        made = [_random_row(world, choose) for _ in range(60)]
        same(world, login, Customer, made, choose.choice([None, "customer.import"]))
        checked = world.scope(login).do(many.check_many, Customer, made, action="customer.import")
        written = imported(world.scope(login), Customer, made)
        assert [answer(verdict.refusal) for verdict in checked] == [answer(verdict.refusal) for verdict in written]
        ids = [verdict.id for verdict in written if verdict.id]
        changes = [(choose.choice([*ids, 1, 999_999]), _random_change(world, choose)) for _ in range(60)]
        same(world, login, Customer, changes, choose.choice([None, "customer.import"]))
    with world.backend.writer.engine.connect() as connection:
        assert broken(connection) == []


_GOOD_AND_BAD: dict[str, list[Any]] = {
    "name": [
        "Hua Xing Steel",
        "华兴钢铁",
        "Blue Heron Oil",
        "Acme",
        "ＡＣＭＥ",
        "",
        None,
        7,
        "x" * 300,
        "a\tb",
        "\u200b 隐形",
    ],
    "industry": ["steel", "retail", "电商", None, ""],
    "region": ["east", "west"],
    "phone": ["010-88886666", "13800000001", "1", "13800000001/13800000002", None],
    "email": ["info@huaxing.cn", "a@b.cn", "nowhere", None],
    "registration_number": ["91110000710924945A", None],
    "remark": ["line\r\nline", "\x00", " "],
    "owner_id": ["li", "wu", "mei", 999_999, None],
    "pool_id": ["north", "south", 999_999],
    "number": ["OLD-1", "old-2", "C2026004", "C202699999", ""],
    "duplicate_reason": ["a branch", ""],
    "contact_name": ["Ann", "王一", None],
    "contact_phone": ["13800000001", "2"],
    "contact_email": ["info@huaxing.cn", "x"],
    "nonsense": [1],
}
_OFTEN = {"name": 0.95, "nonsense": 0.02, "pool_id": 0.1, "number": 0.25}


def _random_row(world: World, choose: random.Random) -> dict[str, Any]:
    keys = [key for key in _GOOD_AND_BAD if choose.random() < _OFTEN.get(key, 0.2)]
    row = {key: choose.choice(_GOOD_AND_BAD[key]) for key in keys}
    row = {
        key: world.ids.get(value, value) if re.fullmatch(r"(owner|pool)_id", key) else value
        for key, value in row.items()
    }
    if isinstance(row.get("name"), str) and choose.random() < 0.6:
        row["name"] += f" {choose.choice('BCDEFGH')}{choose.randrange(99)}"
    return row


def _random_change(world: World, choose: random.Random) -> dict[str, Any]:
    row = _random_row(world, choose)
    return {
        key: value
        for key, value in row.items()
        if choose.random() < 0.5 or key not in ("owner_id", "pool_id", "number")
    }
