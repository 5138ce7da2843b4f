"""The demo: its data hold everything that must hold, look alive, and stay.  Made once for each engine."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from millpond import demo
from millpond.database import look, opened
from millpond.demo import assignment, duplicates
from models import (
    Approval,
    AssignmentDecision,
    AuditEntry,
    BulkItem,
    Contact,
    ContactPoint,
    Credential,
    Customer,
    Department,
    FollowUp,
    NumberCounter,
    Opportunity,
    Organisation,
    OwnerLoad,
    OwnershipPeriod,
    Pool,
    QuotaCounter,
    Share,
    User,
    utcnow,
)
from models.base import Base
from models.custom_field import is_custom
from resolvers.audit.verification import prove_log
from resolvers.pool import claim as claiming
from resolvers.records import create_update
from resolvers.runtime.seal_files import SealFiles
from resolvers.setup.invariants import broken
from tests.cli.test_commands import signed_in
from tests.support import forms, postgres
from tests.support.seal_files import seal_files_of
from tests.support.terminal import millpond, process, served, told

MANY = 400


@dataclass
class Demo:
    """A filled database and what was said while it was filled."""

    url: str
    began: datetime = field(default_factory=utcnow)
    said: list[str] = field(default_factory=list)

    def rows(self, model: type[Base], *where: Any) -> list[Any]:
        return look(self.url, lambda at: at.execute(select(model.__table__).where(*where)).all())

    def count(self, model: type[Base], *where: Any) -> int:
        return look(self.url, lambda at: at.execute(select(func.count()).select_from(model).where(*where)).scalar_one())


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    server, name = os.environ.get("MILLPOND_TEST_PG"), f"demo_{os.environ.get('PYTEST_XDIST_WORKER', 'gw0')}"
    if request.param == "postgresql" and server is None:
        pytest.skip("there is no PostgreSQL")
    is_sqlite = request.param == "sqlite" or server is None
    it = Demo(f"sqlite:///{tmp_path_factory.mktemp('demo')}/demo.db" if is_sqlite else postgres.create(server, name))
    demo.prepare(it.url, MANY, it.said.append)
    yield it
    if not is_sqlite:
        postgres.drop(server, name)


# --- what must hold --------------------------------------------------------------------------------------


@pytest.mark.short
def test_all_that_must_hold_holds(filled: Demo) -> None:
    assert look(filled.url, broken) == []
    assert look(filled.url, lambda at: prove_log(at, SealFiles())).problems == []
    assert filled.said[0] == "Inventing 400 customers …"
    assert filled.said[1].endswith("everything that must hold was checked.")


def test_there_are_as_many_as_were_asked_for(filled: Demo) -> None:
    assert filled.count(Customer) == MANY
    assert 2 * (MANY - duplicates.COUNT) <= filled.count(Contact) < 2 * MANY
    assert filled.count(Department) == 3
    assert filled.count(Pool) == 2
    assert sorted(row.login for row in filled.rows(User)) == sorted(demo.PEOPLE)


def test_there_is_something_of_everything_to_look_at(filled: Demo) -> None:
    now = filled.began
    states = {
        "owned": (Customer.owner_id.is_not(None), Customer.deleted_at.is_(None)),
        "pooled": (Customer.pool_id.is_not(None), Customer.deleted_at.is_(None)),
        "locked": (Customer.locked_by_id.is_not(None),),
        "binned": (Customer.deleted_at.is_not(None),),
    }
    found = {state: filled.count(Customer, *where) for state, where in states.items()}

    assert found["owned"] + found["pooled"] + found["binned"] == MANY
    assert min(found.values()) >= 3
    (waits,) = filled.rows(Customer, Customer.approval == Approval.PENDING)
    assert waits.owner_id is not None
    assert not filled.rows(Organisation)[0].approve_customers
    assert filled.count(Share, Share.ends_at.is_(None) | (Share.ends_at > now)) >= 1
    assert filled.count(FollowUp) > 100
    assert filled.count(Opportunity) > 20
    assert filled.count(AssignmentDecision, AssignmentDecision.chosen_id.is_not(None)) == assignment.COUNT
    assert filled.count(ContactPoint) > 2 * MANY
    assert {row.ended.value for row in filled.rows(OwnershipPeriod) if row.ended} == {
        "RELEASE",
        "TRANSFER",
        "DELETE",
        "MERGE",
    }
    assert {row.began.value for row in filled.rows(OwnershipPeriod)} == {"CREATE", "CLAIM", "ASSIGN", "TRANSFER"}


def test_ages_are_spread_over_a_year_in_the_order_of_the_numbers(filled: Demo) -> None:
    customers = sorted(filled.rows(Customer), key=lambda row: row.id)
    ages = [row.created_at for row in customers]

    assert ages == sorted(ages)
    assert filled.began - ages[0] > timedelta(days=355)
    assert filled.began - ages[-1] < timedelta(days=10)
    by_year = Counter(row.number[:5] for row in customers)
    counted = {row.period.rstrip("#"): row.last for row in filled.rows(NumberCounter)}
    assert by_year == counted


def test_names_are_chinese_and_english(filled: Demo) -> None:
    chinese = sum(not row.name.isascii() for row in filled.rows(Customer))

    assert 0.6 < chinese / MANY < 0.8


def test_the_same_customer_has_the_same_name_wherever_the_demo_is_made(filled: Demo) -> None:
    assert [row.name for row in sorted(filled.rows(Customer), key=lambda row: row.id)][:3] == [
        "Hicks Farms Group",
        "西安诚海旅游有限公司",
        "Pierce Consulting plc",
    ]


def test_the_log_tells_the_life_of_each_customer_in_order(filled: Demo) -> None:
    entries = filled.rows(AuditEntry, AuditEntry.entity == "customer")
    steps = Counter(row.action for row in entries)

    assert steps["customer.create"] == MANY
    others = {row.customer_id for row in filled.rows(AssignmentDecision)}
    others |= {row.record_id for row in filled.rows(BulkItem)}
    others |= {row.record_id for row in entries if row.action in ("customer.share", "customer.ask_share")}
    others |= {row.record_id for row in entries if any(is_custom(key) for key in row.changes)}
    alone = [row for row in entries if row.record_id <= MANY - duplicates.COUNT and row.record_id not in others]
    assert {row.actor_name for row in alone} == {"system:demo"}
    assert {row.actor_id for row in alone} == {None}
    bulk = [row for row in filled.rows(Customer) if row.id <= MANY - duplicates.COUNT and row.id not in others]
    versions = {row.id: row.version for row in bulk}
    assert Counter(row.record_id for row in alone) == versions
    times = [row.at for row in sorted(alone, key=lambda row: row.id)]
    assert times == sorted(times)


def test_the_last_entry_of_a_customer_leaves_it_as_it_is(filled: Demo) -> None:
    told_of: dict[int, dict[str, Any]] = {}
    for row in sorted(filled.rows(AuditEntry, AuditEntry.entity == "customer"), key=lambda row: row.id):
        told_of.setdefault(row.record_id, {}).update({key: new for key, (_, new) in row.changes.items()})

    for row in filled.rows(Customer):
        life = told_of[row.id]
        assert (life["number"], life.get("owner_id"), life.get("pool_id")) == (row.number, row.owner_id, row.pool_id)


def test_who_tries_the_demo_has_quota_and_room_left(filled: Demo) -> None:
    week = f"{filled.began:%G-W%V}"

    assert filled.count(QuotaCounter, QuotaCounter.period == week) == 0
    assert filled.count(QuotaCounter) > 0
    held = {row.user_id: row.held for row in filled.rows(OwnerLoad)}
    assert max(held.values()) < MANY // 4 + 50


def test_the_password_was_hashed_once_and_opens_every_door(filled: Demo) -> None:
    assert len({row.password_hash for row in filled.rows(Credential)}) == 1
    ada = signed_in(filled.url, "ada", "millpond-demo")
    assert (ada.name, ada.roles, ada.must_change_password) == ("Ada Ng", {"administrator"}, False)


def test_life_goes_on_after_the_invented_part(filled: Demo) -> None:
    free = (Customer.pool_id.is_not(None), Customer.deleted_at.is_(None))
    (customer, *_) = filled.rows(Customer, *free, Customer.pooled_at < filled.began - timedelta(days=10))
    newest = max(row.last for row in filled.rows(NumberCounter, NumberCounter.period.like(f"C{filled.began:%Y}%")))
    with opened(filled.url) as backend:
        lead, claimer = backend.scope(backend.person("lead"), "test"), "mei"
        claimed = backend.scope(backend.person(claimer), "test").do(claiming.claim, [customer.id])
        given = {"name": "Acme", "contact_name": "Bo", "contact_phone": "139 0000 0000"}
        made = lead.do(create_update.create, Customer, given)

    assert claimed.ids == [customer.id]
    assert made.number == f"C{filled.began:%Y}{newest + 1}"
    assert look(filled.url, broken) == []


def test_a_second_time_keeps_the_data(filled: Demo) -> None:
    before, again = filled.rows(AuditEntry), list[str]()

    demo.prepare(filled.url, 7, again.append)

    assert filled.rows(AuditEntry) == before
    customers = filled.count(Customer)
    assert again == [
        f"The demo data of last time are kept: {customers:,} customers. Remove the database to begin anew."
    ]


# --- what it refuses -------------------------------------------------------------------------------------


def test_a_database_of_real_people_is_left_alone(url: str) -> None:
    before = Demo(url).rows(AuditEntry)

    refused = told(millpond(url, "demo", "--only-fill"))

    sentence = "This database holds the records of real people. Name another one in MILLPOND_DATABASE."
    assert refused == (1, "", f"millpond: {sentence}\n")
    assert Demo(url).rows(AuditEntry) == before
    assert Demo(url).count(Customer) == 0


def test_a_demo_listens_on_this_machine_only(tmp_path: Path) -> None:
    refused = told(millpond(f"sqlite:///{tmp_path}/demo.db", "demo", MILLPOND_HOST="0.0.0.0"))

    assert refused[:2] == (1, "")
    assert refused[2].startswith("millpond: MILLPOND_DEMO: ")
    assert refused[2].endswith("a demo has known passwords: it listens on a loopback address only\n")
    assert not (tmp_path / "demo.db").exists()


def test_a_demo_has_a_database_of_its_own_unless_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MILLPOND_DATABASE", raising=False)
    chosen = demo.settings()
    assert (chosen.demo, chosen.database, chosen.log_format) == (True, "sqlite:///var/demo.db", "console")

    monkeypatch.setenv("MILLPOND_DATABASE", "sqlite:///elsewhere.db")
    monkeypatch.setenv("MILLPOND_LOG_FORMAT", "json")
    chosen = demo.settings()
    assert (chosen.demo, chosen.database, chosen.log_format) == (True, "sqlite:///elsewhere.db", "json")


# --- as it is started ------------------------------------------------------------------------------------


@pytest.mark.long
def test_one_command_fills_and_serves_and_tells_who_may_sign_in(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/demo.db"

    with served(url, "demo", until="rolf", DEMO_CUSTOMERS="8") as it:
        assert it.said[4:] == list(demo.SIGN_INS)
        assert it.said[4] == (
            "This is a demo: the records are invented, the passwords are known, and it listens on this machine only."
        )
        assert it.said[5] == "  Sign in with the password millpond-demo as"

    assert it.exit_code == 0
    assert look(url, lambda at: at.execute(select(func.count(Customer.id))).scalar()) == 8


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.sampled
def test_a_large_demo_holds_too(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/demo.db"

    many = 20_000 if forms.IS_THOROUGH else 5_000

    done = process(url, "demo", "--only-fill", "--customers", str(many), seconds=300)

    assert (done.returncode, done.stdout) == (0, "")
    assert look(url, broken) == []
    assert look(url, lambda at: prove_log(at, seal_files_of(url))).problems == []
    contacts = look(url, lambda at: at.execute(select(func.count(Contact.id))).scalar())
    assert 2 * (many - duplicates.COUNT) <= contacts < 2 * many
