"""Every combination that policy conditions distinguish, as stored rows and as the facts that follow from them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from typing import Any

from sqlalchemy import Connection, insert

from models import Base, Contact, Department, FollowUp, Opportunity, Pool, Share
from models.follow_up import FollowUpKind
from models.pool import GranteeKind, Seat
from models.share import ShareLevel
from policies import Facts, Principal, system
from tests.support.world import START, World

HOUR = timedelta(hours=1)
# The states of a lock or a share at START: (from, until, revoked) and whether it is in force.
LOCKS = {"none": False, "for good": True, "until later": True, "ends now": False, "ended": False}
LOCK_ENDS = {"until later": START + HOUR, "ends now": START, "ended": START - HOUR}
TERMS: dict[str, tuple[tuple[Any, Any, Any], bool]] = {
    "for good": ((START - HOUR, None, None), True),
    "begins now": ((START, None, None), True),
    "until later": ((START - HOUR, START + HOUR, None), True),
    "not yet begun": ((START + HOUR, None, None), False),
    "ends now": ((START - HOUR, START, None), False),
    "ended": ((START - 2 * HOUR, START - HOUR, None), False),
    "revoked": ((START - HOUR, None, START - HOUR), False),
}
PEOPLE = ("li", "wu", "mei", "lead", "boss", "ada")
CHILDREN: tuple[type[Base], ...] = (Contact, Opportunity, FollowUp)


@dataclass(frozen=True)
class Kind:
    """One combination: the row as stored, and the facts that follow from it, written by hand."""

    row: dict[str, Any]
    facts: Facts
    share: dict[str, Any] | None = None


def populate(world: World) -> World:
    """The same world, with a team below east, a user in the top department, and a membership of each kind for Li."""
    world.ids["below"] = world.make(Department, name="Below", parent_id=world.ids["east"])
    world.user("boss", "Bo Head", "sales_lead", "house")
    for name, seat in (("lake", Seat.VIEWER), ("hill", Seat.ADMIN)):
        world.ids[name] = world.make(Pool, name=name.title())
        world.seat(name, "li", seat)
    return world


def customers(ids: dict[str, int]) -> list[Kind]:
    """Customers with owner or pool, lock, department, bin and creator in every combination; shares of all kinds in turn."""
    places = [("owner_id", owner, lock) for owner in ("li", "wu", "mei", "lead") for lock in LOCKS]
    places += [("pool_id", pool, "none") for pool in ("north", "south", "lake", "hill")]
    departments, creators = (None, "house", "east", "below", "west"), (None, "li", "mei")
    shares = list(_shares(ids))
    return [
        _customer(ids, number, *kind, shares[number % len(shares)])
        for number, kind in enumerate(product(places, departments, (False, True), creators), start=1)
    ]


def _shares(ids: dict[str, int]) -> Iterator[tuple[dict[str, Any], bool] | None]:
    yield None
    grantees = [(GranteeKind.USER, name) for name in ("li", "mei")]
    grantees += [(GranteeKind.DEPARTMENT, name) for name in ("house", "east", "below", "west")]
    grantees += [(GranteeKind.ROLE, name) for name in ("sales", "administrator")]
    for (kind, name), level, ((starts, ends, revoked), in_force) in product(grantees, ShareLevel, TERMS.values()):
        row = {"grantee_kind": kind, "grantee_id": ids[name], "level": level}
        yield row | {"starts_at": starts, "ends_at": ends, "revoked_at": revoked}, in_force


def _customer(
    ids: dict[str, int],
    number: int,
    place: tuple[str, str, str],
    department: str | None,
    deleted: bool,
    creator: str | None,
    share: tuple[dict[str, Any], bool] | None,
) -> Kind:
    column, where, lock = place
    row = _stamps(10_000 + number, ids.get(creator or ""), deleted=deleted)
    row |= {"number": f"W{number}", "name": "Acme", "owner_id": None, "pool_id": None, column: ids[where]}
    row |= {"department_id": ids.get(department or ""), "lock_expires_at": LOCK_ENDS.get(lock)}
    row["locked_by_id"] = None if lock == "none" else ids["ada"]
    facts = Facts(
        owner_id=row["owner_id"],
        department_id=row["department_id"],
        created_by_id=row["created_by_id"],
        pool_id=row["pool_id"],
        locked=LOCKS[lock],
        deleted=deleted,
        shares=_in_force(share),
    )
    return Kind(row, facts, None if share is None else share[0] | {"customer_id": row["id"]})


def _in_force(share: tuple[dict[str, Any], bool] | None) -> frozenset[tuple[GranteeKind, int, ShareLevel]]:
    if share is None or not share[1]:
        return frozenset()
    return frozenset({(share[0]["grantee_kind"], share[0]["grantee_id"], share[0]["level"])})


def _stamps(id: int, creator: int | None, *, deleted: bool) -> dict[str, Any]:
    stamps = {"id": id, "version": 1, "created_at": START, "updated_at": START, "created_by_id": creator}
    return stamps | {"deleted_at": START if deleted else None}


def children(ids: dict[str, int], wholes: list[Kind]) -> list[Kind]:
    """For every customer one child record per possible owner; creator and bin in turn."""
    turns = list(product((None, "li", "mei"), (False, True)))
    return [
        _child(ids, 4 * number + turn, whole, owner, *turns[(number + turn) % len(turns)])
        for number, whole in enumerate(wholes)
        for turn, owner in enumerate((None, "li", "wu", "mei"))
    ]


def _child(ids: dict[str, int], number: int, whole: Kind, owner: str | None, creator: str | None, gone: bool) -> Kind:
    row = _stamps(10_000 + number, ids.get(creator or ""), deleted=gone)
    row |= {"customer_id": whole.row["id"], "owner_id": ids.get(owner or "")}
    facts = replace(whole.facts, created_by_id=row["created_by_id"], deleted=gone)
    return Kind(row, replace(facts, owner_id=row["owner_id"]) if owner else facts)


OF_ITS_OWN: dict[type[Base], dict[str, Any]] = {
    Contact: {"name": "Ann", "is_primary": False, "do_not_contact": False},
    Opportunity: {"name": "Mill", "currency": "CNY"},
    FollowUp: {"kind": FollowUpKind.CALL, "content": "called", "happened_at": START},
}


def store(connection: Connection, model: type[Base], kinds: list[Kind]) -> None:
    """Insert the rows and the shares that belong to them."""
    connection.execute(insert(model.__table__), [kind.row | OF_ITS_OWN.get(model, {}) for kind in kinds])
    if shares := [kind.share for kind in kinds if kind.share]:
        connection.execute(insert(Share.__table__), shares)


def people(world: World) -> list[Principal]:
    return [*(world.principal(login) for login in PEOPLE), system("system:test", START)]
