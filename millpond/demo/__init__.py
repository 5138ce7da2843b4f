"""The demo: invented data in a database of its own, known passwords, this machine only.

Users, departments and pools are created by the use cases.  Customers are too many for that: they are written in bulk
(`ledger.py`), with the log entries, ownership periods and counters that the use cases would have written (`lives.py`).
"""

import gc
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, inspect, select, text, update

from models import (
    AuditEntry,
    ClaimRule,
    Customer,
    Department,
    NumberCounter,
    Organisation,
    OwnerLoad,
    Pool,
    PoolMember,
    QuotaCounter,
    User,
    utcnow,
)
from models.audit.entries import Signature
from models.base import clip
from models.numbering import Pattern
from models.pool import GranteeKind, Seat
from resolvers.ownership.release_dates import fill_opportunities
from resolvers.people import accounts, passwords
from resolvers.records import create_update, numbering
from resolvers.runtime.scope import Scope
from resolvers.runtime.seal_files import SealFiles
from resolvers.setup.indexes import rebuild_indexes
from resolvers.setup.invariants import broken

from ..database import Unready, bring_up, is_there, look, opened
from ..settings import Settings, read
from . import (
    assignment,
    attached,
    changed,
    deals,
    duplicates,
    exported,
    fields,
    imported,
    releases,
    reported,
    shared,
    told,
    views,
    waiting,
)
from .land import ZONE, Land, Seller
from .ledger import Ledger
from .lives import live

NAME = "system:demo"
PASSWORD = "millpond-demo"  # noqa: S105  known on purpose
YEAR = timedelta(days=365)
CHUNK = 1000
LONG_IN_POOL = timedelta(days=3)
"""Time since which the customers that are easily entered twice are there: nothing protects those in the pool."""
WITH_DUPLICATES = 200
"""Number of customers from which the newest are duplicates, made by the use cases."""


class Person(NamedTuple):
    name: str
    role: str
    department: str
    language: str = "en"


PEOPLE = {
    "ada": Person("Ada Ng", "administrator", "house"),
    "lead": Person("林岚 Lan Lin", "sales_lead", "east", "zh"),
    "li": Person("李娜 Na Li", "sales", "east", "zh"),
    "wu": Person("吴伟 Wei Wu", "sales", "east", "zh"),
    "mei": Person("梅琳 Lin Mei", "sales", "west", "zh"),
    "fin": Person("Finn Ray", "finance", "house"),
    "sam": Person("Sam Ode", "support", "house"),
    "rolf": Person("Rolf Vik", "role_manager", "house"),
}
DEPARTMENTS = {"house": "总部 Head office", "east": "华东销售部 Sales East", "west": "西部销售部 Sales West"}
SIGN_INS = (
    "This is a demo: the records are invented, the passwords are known, and it listens on this machine only.",
    f"  Sign in with the password {PASSWORD} as",
    *(f"    {login:<6} {person.name} ({person.role.replace('_', ' ')})" for login, person in PEOPLE.items()),
)

_DEFAULTS = {"database": "sqlite:///var/demo.db", "log_format": "console", "log_level": "warning"}


def settings() -> Settings:
    """The settings of a demo: a database of its own and readable logs, unless set otherwise.  Raises BadSettings."""
    chosen = read(demo=True).model_fields_set
    return read(demo=True, **{name: value for name, value in _DEFAULTS.items() if name not in chosen})


def prepare(url: str, customers: int, tell: Callable[[str], None], files: SealFiles | None = None) -> None:
    """Fill the database with `customers` customers, unless it holds demo data already; `tell` gets progress lines.

    Raises Unready for a database with records of real users.
    """
    there = look(url, _customers_there) if is_there(url) else None
    now = utcnow()
    opening_day = now - YEAR - timedelta(days=30)
    bring_up(url, clock=lambda: opening_day, files=files)
    if there is not None:
        tell(f"The demo data of last time are kept: {there:,} customers. Remove the database to begin anew.")
        return
    began = time.monotonic()
    tell(f"Inventing {customers:,} customers …")
    with opened(url, clock=lambda: opening_day) as backend, _no_collecting():
        backend.system(NAME).do(fill, customers, now, passwords.hash_password(PASSWORD))
    if customers >= WITH_DUPLICATES:
        with opened(url, clock=lambda: now) as backend:
            assignment.decide(backend)
        with opened(url, clock=lambda: now - LONG_IN_POOL) as backend:
            duplicates.add_near_misses(backend)
        with opened(url, clock=lambda: now) as backend:
            duplicates.add(backend, now)
    with opened(url, clock=lambda: now) as backend:
        releases.add(backend, now)
        for part in (exported, reported, attached, changed):
            part.add(backend)
        shared.add(backend, now)
        if customers >= WITH_DUPLICATES:
            imported.add(backend, now)
            waiting.add(backend)
        fields.add(backend, now)
    if problems := look(url, broken):
        raise RuntimeError(f"the demo data break what must always hold: {'; '.join(problems[:5])}")
    tell(f"Done in {time.monotonic() - began:.0f} seconds; everything that must hold was checked.")


def fill(scope: Scope, customers: int, now: datetime, hashed: str) -> None:
    """Write all demo data in one transaction, so that an interrupted demo leaves nothing."""
    with scope.write("organisation.demo") as db:
        create_update.update(scope, Organisation, 1, {"name": "Millpond 演示公司", "time_zone": ZONE})
        departments = _departments(scope)
        people = _people(scope, hashed)
        rules = _pools(scope, people, departments, room=customers // 4 + 50)
        east, west = rules
        assignment.rules(scope, east, west, people, departments)
        sellers = [
            Seller(people[login], departments[team], pool_id, weight)
            for login, team, pool_id, weight in (
                ("li", "east", east, 0.32),
                ("wu", "east", east, 0.32),
                ("mei", "west", west, 0.28),
                ("lead", "east", east, 0.08),
            )
        ]
        connection = db.connection()
        signature = Signature(None, NAME, scope.door, scope.request_id, scope.batch_id, "organisation.demo")
        pattern = Pattern(numbering.DEFAULT["customer"])
        land = Land(Ledger(connection, signature), sellers, rules, pattern, now, deals.pipelines(scope))
        _live(land, customers)
        _count(connection, land)
        rebuild_indexes(connection)
        views.keep(connection, people, departments, now)
        told.keep(connection, people, now)
        fill_opportunities(connection)
        connection.execute(text("ANALYZE"))


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Garbage collection off: no row is part of a cycle, and looking for cycles took a quarter of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


# --- users and pools -------------------------------------------------------------------------------------


def _departments(scope: Scope) -> dict[str, int]:
    head = create_update.create(scope, Department, {"name": DEPARTMENTS["house"]}).id
    below = {
        key: create_update.create(scope, Department, {"name": DEPARTMENTS[key], "parent_id": head}).id
        for key in ("east", "west")
    }
    return {"house": head, **below}


def _people(scope: Scope, hashed: str) -> dict[str, int]:
    return {
        login: accounts.create_account(
            scope,
            login,
            hashed,
            name=person.name,
            roles=[person.role],
            department=DEPARTMENTS[person.department],
            language=person.language,
            one_time=False,
        ).id
        for login, person in PEOPLE.items()
    }


def _pools(scope: Scope, people: dict[str, int], departments: dict[str, int], room: int) -> dict[int, ClaimRule]:
    """Pool id -> claim rule, of two new pools with members, the national one first."""
    team, person = GranteeKind.DEPARTMENT, GranteeKind.USER
    east = _pool(scope, "全国公海 National pool", retain_days=90)
    west = _pool(scope, "西部公海 Western pool", retain_days=85)
    for pool_id, kind, grantee_id, seat in (
        (east, team, departments["east"], Seat.MEMBER),
        (east, person, people["mei"], Seat.MEMBER),
        (east, person, people["lead"], Seat.ADMIN),
        (west, team, departments["west"], Seat.MEMBER),
        (west, person, people["lead"], Seat.VIEWER),
    ):
        given = {"pool_id": pool_id, "grantee_kind": kind, "grantee_id": grantee_id, "seat": seat}
        create_update.create(scope, PoolMember, given)
    limits = {
        east: {"daily_quota": 10, "weekly_quota": 40, "cooldown_days": 7, "protect_days": 1},
        west: {"daily_quota": 5, "weekly_quota": 20, "cooldown_days": 14, "protect_days": 2},
    }
    return {
        pool_id: create_update.create(scope, ClaimRule, {"pool_id": pool_id, "capacity": room, **given})
        for pool_id, given in limits.items()
    }


def _pool(scope: Scope, name: str, retain_days: int) -> int:
    return create_update.create(scope, Pool, {"name": name, "retain_days": retain_days}).id


# --- customers -------------------------------------------------------------------------------------------


def _live(land: Land, customers: int) -> None:
    bulk = customers - (duplicates.COUNT + waiting.COUNT if customers >= WITH_DUPLICATES else 0)
    for place, at in enumerate(_shown(moments(customers, land.now - YEAR, land.now)[:bulk])):
        land.rng.seed(place)  # the same customer has the same name on every day
        live(land, at)
        if place % CHUNK == CHUNK - 1:
            land.ledger.write(until=at)
    land.ledger.close()


def moments(count: int, start: datetime, end: datetime) -> list[datetime]:
    """`count` moments in the working hours of the organisation, in order."""
    rng = random.Random(count)  # noqa: S311  nothing secret is made of it
    found: list[datetime] = []
    while len(found) < count:
        at = start + (end - start) * rng.random()
        if at.weekday() < 5 and 1 <= at.astimezone(UTC).hour < 10:  # 9 to 18 o'clock in Shanghai
            found.append(clip(at))
    return sorted(found)


def _shown(times: list[datetime]) -> Iterable[datetime]:
    """The same moments, with a progress bar on a terminal."""
    if not sys.stderr.isatty():
        return times
    from rich.console import Console
    from rich.progress import track

    return track(times, "Inventing", console=Console(stderr=True), transient=True)


def _count(connection: Connection, land: Land) -> None:
    """Write the counters of capacity, numbers and quotas that the customers add up to."""
    for user_id, held in land.held.items():
        load = update(OwnerLoad).where(OwnerLoad.user_id == user_id).values(held=held)
        connection.execute(load)
    given = [{"for_module": "customer", "period": period, "last": last} for period, last in land.numbers.items()]
    connection.execute(insert(NumberCounter), given)
    used = [
        {"pool_id": pool_id, "user_id": user_id, "period": period, "used": used}
        for (pool_id, user_id, period), used in land.quota.items()
    ]
    if used:
        connection.execute(insert(QuotaCounter), used)


def _customers_there(connection: Connection) -> int | None:
    """The number of customers of an earlier demo, None for a database without users.  Raises Unready."""
    tables = inspect(connection)
    if not tables.has_table(User.__tablename__) or connection.execute(select(User.id).limit(1)).first() is None:
        return None
    if connection.execute(select(AuditEntry.id).where(AuditEntry.actor_name == NAME).limit(1)).first() is None:
        raise Unready("This database holds the records of real people. Name another one in MILLPOND_DATABASE.")
    return connection.execute(select(func.count()).select_from(Customer)).scalar_one()
