"""What must always be true, whatever people and programs did: `broken` looks and says what is not.

Most of it the database refuses by itself; this finds what came in another way.  Reads every customer: for the doctor,
the demo and tests, not for requests.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, and_, func, or_, select

from models import (
    AuditEntry,
    Customer,
    Department,
    NumberCounter,
    Organisation,
    OwnerLoad,
    OwnershipPeriod,
    Pool,
    QuotaCounter,
    Tombstone,
    User,
)
from models.keys import stale_keys
from models.last_contact import stale_last_contacts
from models.next_contact import stale_next_contacts
from models.numbering import LARGEST_JUMP
from models.ownership import Began
from models.stage_terms import stale_states

from ..duplicates.key_index import check as _compared
from ..ownership.quota import midnight
from ..reading.search_index import check as _found
from .merged_records import merged_records
from .orphans import reused_ids, without_grantee, without_word

MOST = 20
"""How many broken records of one kind are named; the rest is counted."""


def broken(connection: Connection) -> list[str]:
    """One sentence for each broken promise; an empty list when all is well."""
    customers = (_places, _periods, _departments, merged_records, stale_last_contacts, stale_next_contacts)
    looks = (
        *customers,
        stale_states,
        _paths,
        _rooms,
        _quotas,
        _numbers,
        _found,
        _compared,
        stale_keys,
        without_grantee,
        without_word,
        reused_ids,
    )
    return [sentence for look in looks for sentence in _capped(look(connection))]


def _capped(sentences: Iterator[str]) -> list[str]:
    found = list(sentences)
    return found if len(found) <= MOST else [*found[:MOST], f"and {len(found) - MOST} more like the last"]


# --- customers -------------------------------------------------------------------------------------------


def _places(connection: Connection) -> Iterator[str]:
    """A customer has an owner or lies in a pool, and what belongs to the one is not left over in the other."""
    c = Customer.__table__.c
    pool_gone = select(Pool.id).where(Pool.deleted_at.is_not(None))
    rules = {
        "has both an owner and a pool": and_(c.owner_id.is_not(None), c.pool_id.is_not(None)),
        "has neither an owner nor a pool": and_(c.owner_id.is_(None), c.pool_id.is_(None)),
        "is locked and has no owner": and_(c.locked_by_id.is_not(None), c.owner_id.is_(None)),
        "lies in a pool since nobody knows when": and_(c.pool_id.is_not(None), c.pooled_at.is_(None)),
        "lies in a pool that is in the bin": and_(c.deleted_at.is_(None), c.pool_id.in_(pool_gone)),
    }
    for sentence, rule in rules.items():
        for number in connection.execute(select(c.number).where(rule).order_by(c.id)).scalars():
            yield f"Customer {number} {sentence}."


def _periods(connection: Connection) -> Iterator[str]:
    """One open period for each live customer with an owner, of that very owner; none for any other."""
    c, p = Customer.__table__.c, OwnershipPeriod.__table__.c
    open_ones = select(p.customer_id, func.count().label("n"), func.min(p.owner_id).label("owner_id"))
    found = open_ones.where(p.ended_at.is_(None)).group_by(p.customer_id).subquery()
    owned = and_(c.owner_id.is_not(None), c.deleted_at.is_(None))
    wanted = select(c.number, owned.label("owned"), c.owner_id, func.coalesce(found.c.n, 0), found.c.owner_id)
    for number, is_owned, owner, count, of in connection.execute(
        wanted.outerjoin(found, found.c.customer_id == c.id).order_by(c.id)
    ):
        if count != int(is_owned):
            yield f"Customer {number} has {count} open ownership periods instead of {int(is_owned)}."
        elif is_owned and of != owner:
            yield f"Customer {number} has an open ownership period of person {of}, but its owner is {owner}."


def _departments(connection: Connection) -> Iterator[str]:
    """The department kept beside the owner is the owner's."""
    c, u = Customer.__table__.c, User.__table__.c
    statement = (
        select(c.number, c.department_id, u.department_id)
        .select_from(Customer.__table__.outerjoin(User.__table__, u.id == c.owner_id))
        .where(func.coalesce(c.department_id, 0) != func.coalesce(u.department_id, 0))
        .order_by(c.id)
    )
    for number, copy, true in connection.execute(statement):
        yield f"Customer {number} is kept under department {copy}, but its owner belongs to {true}."


def _paths(connection: Connection) -> Iterator[str]:
    """A department's path is its parent's and itself."""
    d = Department.__table__.c
    rows = connection.execute(select(d.id, d.name, d.parent_id, d.path).order_by(d.id)).all()
    path_of = {row.id: row.path for row in rows}
    for row in rows:
        true = f"{path_of[row.parent_id] if row.parent_id is not None else '/'}{row.id}/"
        if row.path != true:
            yield f"Department {row.name} has the path {row.path} instead of {true}."


# --- counters --------------------------------------------------------------------------------------------


def _rooms(connection: Connection) -> Iterator[str]:
    """The counter of a user shows how many customers they hold."""
    c, load = Customer.__table__.c, OwnerLoad.__table__.c
    live = select(c.owner_id, func.count()).where(c.owner_id.is_not(None), c.deleted_at.is_(None)).group_by(c.owner_id)
    true: dict[int, int] = dict(connection.execute(live).all())
    kept: dict[int, int] = dict(connection.execute(select(load.user_id, load.held)).all())
    for person in sorted(true.keys() | kept.keys()):
        if kept.get(person, 0) != true.get(person, 0):
            yield f"Person {person} holds {true.get(person, 0)} customers, but the counter shows {kept.get(person, 0)}."


def _quotas(connection: Connection) -> Iterator[str]:
    """No counter of claims is above the claims that there were.

    It may be below: a limit set at noon counts from noon on.  What was purged since has no period any more.
    """
    zone = ZoneInfo(connection.execute(select(Organisation.time_zone)).scalar() or "UTC")
    claims, purges, since = _claims(connection, zone), _purges(connection), _same_zone_since(connection)
    q = QuotaCounter.__table__.c
    for counter in connection.execute(select(q.pool_id, q.user_id, q.period, q.used).order_by(q.user_id, q.period)):
        begins = _beginning(counter.period, zone)
        true = claims[counter.pool_id, counter.user_id, counter.period]
        lost = sum(at >= begins for at in purges)
        if begins >= since and counter.used > true + lost:
            yield (
                f"Person {counter.user_id} claimed {true} customers from pool {counter.pool_id} in {counter.period}, "
                f"but the counter shows {counter.used}."
            )


def _claims(connection: Connection, zone: ZoneInfo) -> Counter[tuple[int, int, str]]:
    """(pool, person, day or week) -> claims."""
    p = OwnershipPeriod.__table__.c
    found: Counter[tuple[int, int, str]] = Counter()
    began = select(p.pool_id, p.owner_id, p.started_at).where(p.began == Began.CLAIM, p.pool_id.is_not(None))
    for pool, person, at in connection.execute(began):
        day = at.astimezone(zone).date()
        year, week, _ = day.isocalendar()
        found[pool, person, day.isoformat()] += 1
        found[pool, person, f"{year}-W{week:02d}"] += 1
    return found


def _beginning(period: str, zone: ZoneInfo) -> datetime:
    """When a day `2026-11-24` or a week `2026-W48` began."""
    day = date.fromisoformat(f"{period}-1" if "W" in period else period)
    return midnight(day, zone.key)


def _purges(connection: Connection) -> list[datetime]:
    t = Tombstone.__table__.c
    return list(connection.execute(select(t.purged_at).where(t.for_module == Customer.module)).scalars())


def _same_zone_since(connection: Connection) -> datetime:
    """Days and weeks that began before the time zone was changed had other ends; they are not counted again."""
    a = AuditEntry.__table__.c
    edits = select(a.at, a.changes).where(a.entity == Organisation.__tablename__, a.record_id == 1)
    changed = [at for at, changes in connection.execute(edits) if (changes.get("time_zone") or [None])[0]]
    return max(changed, default=datetime.min.replace(tzinfo=UTC) + timedelta(days=2))


# --- numbers ---------------------------------------------------------------------------------------------


def _numbers(connection: Connection) -> Iterator[str]:
    """No counter of numbers is behind a number that was given, unless it was too far ahead to move the counter."""
    n = NumberCounter.__table__.c
    highest = _highest(connection)
    for counter in connection.execute(select(n.for_module, n.period, n.last).order_by(n.for_module, n.period)):
        given = highest[counter.for_module].get(counter.period, 0)
        if given > counter.last:
            yield f"The number {given} of {counter.period} was given, but the counter shows {counter.last}."


def _highest(connection: Connection) -> dict[str, dict[str, int]]:
    """Module -> period of a counter -> the highest sequence among live, binned and purged numbers that move it for certain."""
    n = NumberCounter.__table__.c
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for module, period in connection.execute(select(n.for_module, n.period)):
        before, _, after = period.partition("#")
        pattern = re.compile(re.escape(before) + r"(\d{1,15})" + re.escape(after))
        matches = (pattern.fullmatch(number) for number in _given(connection, module, before))
        sequences = (int(match[1]) for match in matches if match)
        found[module][period] = max((n for n in sequences if n <= LARGEST_JUMP), default=0)
    return found


def _given(connection: Connection, module: str, before: str) -> Iterator[str]:
    c, t = Customer.__table__.c, Tombstone.__table__.c
    buried: Any = select(t.number).where(t.for_module == module, t.number.startswith(before, autoescape=True))
    yield from connection.execute(buried).scalars()
    if module == Customer.module:
        live = select(c.number).where(or_(c.number.startswith(before, autoescape=True), c.number == before))
        yield from connection.execute(live).scalars()
