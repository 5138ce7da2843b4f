"""Groups of duplicates: a report over all customers that the caller sees, page by page.

A page walks a bounded number of customers in the order of their ids, so it costs the same whatever the size of the data.
A group stands where its first customer does.  What the caller may not see never joins two customers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer
from models.duplicate_key import CUSTOMER_TRAITS, customer_traits, keys
from models.duplicates import Evidence, KeyKind, Traits, Verdict, evidence_of, range_of
from models.errors import Validation
from models.search import SPAN, doc_id

from ..reading.clauses import in_bin, visible, with_parents
from ..runtime.ids import global_id, number_of
from ..runtime.scope import Scope
from .lookup import verdicts_of
from .told_apart import Pair, told_apart

STEP = 400
"""Number of customers that one step walks."""
MOST_STEPS = 10
"""Maximum number of steps of a page.  A page that ends before it is full says where to go on."""
MOST_OF_A_KEY = 50
"""Maximum number of customers that are taken for one key, those with the smallest ids first."""
LARGEST_PAGE = 100
_KINDS = (KeyKind.REGISTRATION, KeyKind.EMAIL, KeyKind.NAME, KeyKind.SOUND, KeyKind.PHONE)
"""The kinds of keys by which customers are brought together; they are adjacent."""
_FIRST, _BEHIND = range_of(_KINDS[0])[0], range_of(_KINDS[-1])[1]


@dataclass(frozen=True)
class Group:
    """Customers that are certainly the same by the rules, in the order of their ids, and what they have in common."""

    ids: tuple[int, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Page:
    """Groups, and the place where the next page begins; None at the end."""

    groups: list[Group]
    after: str | None


def groups(scope: Scope, db: Session, first: int = 20, after: str | None = None) -> Page:
    """About `first` groups behind the customer `after`.  Without records in the bin and pairs that were told apart.

    Raises Forbidden, NotFound (of another kind of record), Validation.
    """
    scope.allow("merge", Customer.module)
    if not 1 <= first <= LARGEST_PAGE:
        raise Validation(f"A page has 1 to {LARGEST_PAGE} groups.", f"每页 1 至 {LARGEST_PAGE} 组。", field="first")
    at = number_of(Customer, after) if after is not None else 0
    verdicts, found = verdicts_of(db, Customer.module), list[Group]()
    for _ in range(MOST_STEPS):
        walked = _walked(scope, db, at)
        if not walked:
            return Page(found, None)
        for group in _groups_of(scope, db, walked, verdicts):
            found.append(group)
            if len(found) == first:
                return Page(found, global_id(Customer, group.ids[0]))
        at = walked[-1]
    return Page(found, global_id(Customer, at))


def held_by(scope: Scope, db: Session, ids: Sequence[int]) -> dict[int, tuple[int | None, int | None]]:
    """Customer id -> (owner id, pool id), of the customers that the caller sees and as far as they see them."""
    viewer, e = scope.viewer.one_by_one, with_parents(Customer)[1]
    values = (viewer.value(Customer, e, key) for key in ("owner_id", "pool_id"))
    asked = visible(viewer, Customer, e.id, *values).where(e.id.in_(ids))
    return {id: (owner, pool) for id, owner, pool in db.execute(asked)}


# --- steps -----------------------------------------------------------------------------------------------


def _walked(scope: Scope, db: Session, at: int) -> list[int]:
    e: Any = with_parents(Customer)[1]
    seen = visible(scope.viewer, Customer, e.id).where(e.id > at, in_bin(Customer, e, wanted=False))
    return list(db.execute(seen.order_by(e.id).limit(STEP)).scalars())


def _groups_of(scope: Scope, db: Session, walked: Sequence[int], verdicts: dict[Evidence, Verdict]) -> list[Group]:
    """The groups whose first customer is among those that were walked, in the order of these."""
    near = _near(db, _near(db, walked))
    traits = _traits(scope, db, near)
    linked = _linked(db, traits, verdicts)
    found = []
    for members in _components(linked):
        if members[0] in {*walked}:
            evidence = {x for pair, shared in linked.items() if {*pair} <= {*members} for x in shared}
            found.append(Group(tuple(members), tuple(sorted(evidence, key=[*Evidence].index))))
    return sorted(found, key=lambda group: group.ids)


def _near(db: Session, ids: Sequence[int]) -> list[int]:
    """Those of these customers that share a key with another one, and these others."""
    docs = [doc_id(id) for id in ids]
    mine = select(keys.c.key).where(keys.c.doc_id.in_(docs), keys.c.key >= _FIRST, keys.c.key < _BEHIND)
    other = keys.alias()
    own = other.c.doc_id % SPAN == 0
    found = db.execute(select(other.c.key, other.c.doc_id).where(other.c.key.in_(mine.distinct()), own))
    by_key: dict[int, list[int]] = {}
    for key, doc in found:
        by_key.setdefault(key, []).append(doc // SPAN)
    return sorted({id for shared in by_key.values() if len(shared) > 1 for id in sorted(shared)[:MOST_OF_A_KEY]})


def _traits(scope: Scope, db: Session, ids: Sequence[int]) -> dict[int, Traits]:
    """Customer id -> its traits, of those that the caller sees and as far as they see them."""
    viewer, e = scope.viewer.one_by_one, with_parents(Customer)[1]
    values = (viewer.value(Customer, e, key) for key in CUSTOMER_TRAITS)
    asked = visible(viewer, Customer, e.id, *values).where(e.id.in_(ids), in_bin(Customer, e, wanted=False))
    return {id: customer_traits(name or "", *more) for id, name, *more in db.execute(asked.order_by(e.id))}


def _linked(db: Session, traits: dict[int, Traits], verdicts: dict[Evidence, Verdict]) -> dict[Pair, list[Evidence]]:
    """Pair -> what makes it certain."""
    apart = told_apart(db, list(traits))
    found = {}
    for one, other in _sharing(traits):
        certain = [x for x in evidence_of(traits[one], traits[other]) if verdicts[x].is_certain]
        if certain and (one, other) not in apart:
            found[one, other] = certain
    return found


def _sharing(traits: dict[int, Traits]) -> list[Pair]:
    """The pairs that have a name or something by which they are reached in common."""
    having: dict[object, list[int]] = {}
    for id, each in traits.items():
        for key in (*each.reached_by, each.named.core, *each.named.sounds):
            having.setdefault(key, []).append(id)
    return sorted({pair for ids in having.values() for pair in combinations(sorted(set(ids)), 2)})


def _components(pairs: Iterable[Pair]) -> list[list[int]]:
    """The connected sets of ids, each in order."""
    root: dict[int, int] = {}

    def find(id: int) -> int:
        while root.setdefault(id, id) != id:
            id = root[id]
        return id

    for one, other in pairs:
        root[find(other)] = find(one)
    found: dict[int, list[int]] = {}
    for id in sorted(root):
        found.setdefault(find(id), []).append(id)
    return list(found.values())
