"""Lists under a policy: pages and counts of 100,000 customers, and the people, customers and shares behind them."""

import random
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import func, insert, select, text
from stage import took

from models import Customer, Department, Share, User, UserRole
from models.pool import GranteeKind
from models.share import ShareLevel
from policies import STARTER, Principal, Snapshot
from resolvers.runtime import principals
from tests.support.world import World

PEOPLE, REVIEWED, SHARES, TIMES = 600, 200, 40_000, 31
ROLES = ("sales", "sales_lead", "support", "finance", "auditor", "role_manager")
LINE = "p, r, customer, view, {}, any, allow\n"
POLICIES = {
    "all": LINE.format("all"),
    "own": LINE.format("own"),
    "team": LINE.format("team"),
    "subtree": LINE.format("subtree"),
    "shared": LINE.format("shared"),
    "sales of the starter": STARTER,
    "sales lead of the starter": STARTER,
}


def lists(world: World) -> dict[str, Any]:
    """For each policy: rows, one page of fifty, the page without a clause, and how many times as long."""
    found: dict[str, Any] = {}
    with world.backend.writer.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET jit = off"))
        for name, policy in POLICIES.items():
            p = person_for(world, connection, name)
            clause = Snapshot(policy).where(p, "view", Customer, Customer.__table__.c)
            free, bound = page(None), page(clause)
            times: dict[str, list[float]] = {"free": [], "bound": []}
            for n in range(TIMES + 2):
                for which, statement in (("free", free), ("bound", bound)):
                    ms = took(lambda statement=statement: connection.execute(statement).all())
                    if n > 1:
                        times[which].append(ms)
            rows = connection.execute(select(func.count()).select_from(Customer.__table__).where(clause)).scalar_one()
            without, under = (statistics.median(times[which]) for which in ("free", "bound"))
            found[name] = {
                "rows": rows,
                "page": round(under, 2),
                "without policy": round(without, 2),
                "ratio": round(under / without, 2),
            }
    return found


def page(clause: Any) -> Any:
    c = Customer.__table__.c
    asked = (
        select(Customer.__table__).where(c.deleted_at.is_(None)).order_by(c.created_at.desc(), c.id.desc()).limit(50)
    )
    return asked if clause is None else asked.where(clause)


def person_for(world: World, connection: Any, name: str) -> Principal:
    """Somebody in the middle: a team of a leaf; for `subtree` and the lead a head of about a third of the backend."""
    wide = name in ("subtree", "sales lead of the starter")
    login = "bench1" if wide else "bench399"
    p = principals.by_login(connection, login, world.clock())
    roles = {"sales of the starter": "sales", "sales lead of the starter": "sales_lead"}
    return replace(p, roles=frozenset({roles.get(name, "r")}))


# --- the house that is measured --------------------------------------------------------------------------


def populate(world: World, people: int, customers: int) -> None:
    """More people in a tree of departments, and, the first time, customers; shares when everybody is there."""
    chance, now = random.Random(people), world.clock()
    stamps = {"version": 1, "created_at": now, "updated_at": now}
    with world.backend.writer.engine.begin() as connection:
        if customers:
            departments = list(tree(world.ids["house"], connection))
            connection.execute(insert(Department.__table__), [{**stamps, **row} for row in departments])  # type: ignore[arg-type]
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT setval('department_id_seq', (SELECT max(id) FROM department))"))
        known = list(
            connection.execute(select(Department.id).where(Department.name.like("D %")).order_by("id")).scalars()
        )
        before = connection.execute(
            select(func.count()).select_from(User).where(User.login.like("bench%"))
        ).scalar_one()
        rows = [
            {"login": f"bench{n}", "name": f"Bench {n}", "department_id": known[n % len(known)], "active": True}
            for n in range(before, before + people)
        ]
        connection.execute(insert(User.__table__), [{**stamps, "language": "en", **row} for row in rows])  # type: ignore[arg-type]
        asked = select(User.id, User.department_id).where(User.login.like("bench%")).order_by(User.id)
        everybody = list(connection.execute(asked).all())
        held = [
            {**stamps, "user_id": id, "role_id": world.ids[ROLES[n % 2 if n % 10 else n // 10 % len(ROLES)]]}
            for n, (id, _) in enumerate(everybody)
            if n >= before
        ]
        connection.execute(insert(UserRole.__table__), held)  # type: ignore[arg-type]
        if customers:
            for part in parts(made_up(world, chance, everybody, customers), 5_000):
                connection.execute(insert(Customer.__table__), part)  # type: ignore[arg-type]
        else:
            share(world, connection, chance, everybody)
            spread_out(connection, everybody)


def tree(root: int, connection: Any) -> Iterator[dict[str, Any]]:
    """A backend of 121 departments: three, each with three, each with three, each with three, below the root."""
    id = connection.execute(select(func.max(Department.id))).scalar_one()
    level = [(root, f"/{root}/")]
    for size in (3, 3, 3, 3):
        below = []
        for parent, path in level:
            for _ in range(size):
                id += 1
                below.append((id, f"{path}{id}/"))
                yield {"id": id, "name": f"D {id}", "parent_id": parent, "path": below[-1][1]}
        level = below


def made_up(world: World, chance: random.Random, people: Sequence[Any], count: int) -> Iterator[dict[str, Any]]:
    now = world.clock()
    for n in range(count):
        id, department = chance.choice(people)
        pooled = n % 10 == 0
        at = now - timedelta(minutes=chance.randrange(500_000))
        place = {"owner_id": None if pooled else id, "department_id": None if pooled else department}
        place |= {"pool_id": world.ids["north" if n % 20 else "south"] if pooled else None}
        place |= {
            "locked_by_id": id if n % 33 == 1 and not pooled else None,
            "deleted_at": now if n % 97 == 5 else None,
        }
        yield {"number": f"B{n}", "name": f"Customer {n}", "version": 1, "created_at": at, "updated_at": at, **place}


def share(world: World, connection: Any, chance: random.Random, people: Sequence[Any]) -> None:
    customers = list(connection.execute(select(Customer.id)).scalars())
    now, rows = world.clock(), []
    for n in range(SHARES):
        ends = {0: now - timedelta(days=1), 1: now + timedelta(days=9)}.get(n % 5)
        row = {
            "customer_id": chance.choice(customers),
            "grantee_kind": GranteeKind.USER,
            "level": list(ShareLevel)[n % 2],
        }
        rows.append(
            {**row, "grantee_id": chance.choice(people)[0], "starts_at": now - timedelta(days=2), "ends_at": ends}
        )
    for part in parts(rows, 5_000):
        connection.execute(insert(Share.__table__), part)


def spread_out(connection: Any, people: Sequence[Any]) -> None:
    """Give the people who came later their part of the customers."""
    for n, (id, department) in enumerate(people[REVIEWED:]):
        given = {"id": id, "department": department, "n": n, "of": PEOPLE}
        moved = "UPDATE customer SET owner_id = :id, department_id = :department WHERE owner_id IS NOT NULL AND id % :of = :n"
        connection.execute(text(moved), given)


def parts(rows: Any, size: int) -> Iterator[list[Any]]:
    part: list[Any] = []
    for row in rows:
        part.append(row)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part
