"""What a person reaches: lines by roles, and records by the places where the person stands.

A seat, a department or a share gives no line, but lines speak to whoever has it.  So two standings of a person are
compared pool by pool, department by department and share by share, exactly and without data.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache, reduce
from itertools import pairwise, product

from models import PROTECTED, Customer, Entity

from .logic import POSSIBLE, any_of, literal, settled, witness
from .objects import FIELDS
from .review import Excess, Roles, can_administer, may_hand_out, may_use, possible, spoken
from .snapshot import Snapshot
from .tables import Table

POOL = "in_pool", "pool", "pool_member", "pool_admin"
DEPARTMENT, SHARE = ("subtree", "team"), ("shared", "shared_edit")
"""The words of each kind of place, in the order of how close it is.  What lies in a pool does so for everybody."""
MINE = ("own", "created")
Settled = tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Standing:
    """Roles and places of a person: (kind of place, which one) -> number of its words that are true there."""

    roles: Roles = frozenset()
    places: frozenset[tuple[tuple[tuple[str, ...], object], int]] = frozenset()


NOWHERE = Standing()


def gains(policy: Snapshot, before: Standing, after: Standing, author: Standing, *, is_self: bool) -> Iterator[Excess]:
    """What a person would gain and the author may not grant.  `is_self`: the author is that person.

    Users grant themselves only what they may do already; administrators may grant it to themselves as well.
    """
    limit = _limit_of_own(policy, author) if is_self else may_hand_out
    yield from _beyond(policy, before, after, author, limit, _relations(before, after, author))


def taken(policy: Snapshot, account: Standing, author: Standing, mine: Collection[str] = MINE) -> Iterator[Excess]:
    """What an author would gain with the account of another person: they use it themselves, so it is a gain of theirs.

    `mine` are the words, of MINE, that are true of some record and that person: of the author they are not.
    """
    choices = [
        [((word, False),) * 3, *([((word, True),) * 2 + ((word, False),)] if word in mine else [])] for word in MINE
    ]
    relations = [
        tuple(a + b for a, b in zip(place, zip(*words, strict=True), strict=True))
        for place, words in product(_relations(NOWHERE, account, author), product(*choices))
    ]
    yield from _beyond(policy, NOWHERE, account, author, _limit_of_own(policy, author), relations, is_account=True)


# --- steps -----------------------------------------------------------------------------------------------


def _limit_of_own(policy: Snapshot, author: Standing) -> Callable[..., Table]:
    """What an author may give themselves: what they may do already, or as an administrator what they may grant."""
    return may_hand_out if can_administer(policy, author.roles) else may_use


def _beyond(
    policy: Snapshot,
    before: Standing,
    after: Standing,
    author: Standing,
    limit: Callable[..., Table],
    relations: Iterable[tuple[Settled, ...]],
    *,
    is_account: bool = False,
) -> Iterator[Excess]:
    """`is_account`: what users without a role may do is no gain where the author may do it as well, with what is theirs."""
    relations = list(relations)
    for object, action in sorted(spoken(policy, before.roles | after.roles)):
        for asked, as_ceiling in ((may_use, False), (may_hand_out, True)):
            had, has = (
                asked(policy, standing.roles, object, action) & _in_sight(policy, standing.roles, object)
                for standing in (before, after)
            )
            if is_account:
                had &= asked(policy, author.roles, object, action)
            gives = (may_hand_out if as_ceiling else limit)(policy, author.roles, object, action)
            if gives == possible(object) or (had == has and before.places == after.places):
                continue
            if (found := _witness(had, has, gives, relations, object)) is not None:
                yield Excess(after.roles, object, action, found, as_ceiling)
                break


def _witness(
    had: Table, has: Table, gives: Table, relations: Iterable[tuple[Settled, ...]], object: str
) -> tuple[str, ...] | None:
    """A case in which the person has a right that they had not, and that the author does not have there."""
    for then, now, authors in relations:
        if not all(_at(possible(object), words) for words in (then, now, authors)):
            continue  # such a record has no department, or lies in no pool
        too_much = _at(has, now) & ~_at(had, then) & ~_at(gives, authors)
        if too_much and (found := witness(too_much, _at(possible(object), now))) is not None:
            return (*_closest(now), *found)
    return None


def _in_sight(policy: Snapshot, roles: Roles, object: str) -> Table:
    """The cases in which a field, or a child record, can be seen at all: with its record, and with the parent of that.

    Owner, creator and deletion of a parent are its own, so any will do; what lies in a pool has no owner.
    """
    module = FIELDS.get(object, object)
    table = may_use(policy, roles, module, "view") if module != object else POSSIBLE
    if (parent := _parents().get(module)) is not None:
        table &= reduce(any_of, (*MINE, "deleted"), may_use(policy, roles, parent, "view") & _UNOWNED)
    return table & _UNOWNED if module == Customer.module else table


_UNOWNED = ~(literal("own") & literal("in_pool"))
"""Every case but that of a customer in a pool with an owner."""


@cache
def _parents() -> dict[str, str]:
    """Module -> the module of the parent through which its records are visible."""
    return {
        model.module: getattr(model, model.visible_through).property.mapper.class_.module
        for model in PROTECTED
        if model.visible_through and issubclass(model, Entity)
    }


def _closest(words: Settled) -> Iterator[str]:
    """The true words, without those that a closer one implies."""
    true = {word for word, is_true in words if is_true}
    implied = {far for kind in (POOL, DEPARTMENT, SHARE) for far, near in pairwise(kind) if near in true}
    return (word for word, _ in words if word in true - implied)


@lru_cache(maxsize=8192)
def _at(table: Table, words: Settled) -> Table:
    return settled(table & POSSIBLE, words)


def _relations(before: Standing, after: Standing, author: Standing) -> list[tuple[Settled, ...]]:
    """What is true (before, after, of the author) in every kind of record that there can be, as words."""
    places = [dict(standing.places) for standing in (before, after, author)]
    levels: dict[tuple[str, ...], set[tuple[int, ...]]] = {kind: {(0, 0, 0)} for kind in (POOL, DEPARTMENT, SHARE)}
    levels[POOL].add((1, 1, 1))
    for place in {place for known in places for place in known}:
        levels[place[0]].add(tuple(known.get(place, int(place[0] == POOL)) for known in places))
    return [
        tuple(_words(dict(zip(levels, (triple[who] for triple in triples), strict=True))) for who in range(3))
        for triples in product(*(sorted(found) for found in levels.values()))
    ]


def _words(levels: dict[tuple[str, ...], int]) -> Settled:
    return tuple((word, place < level) for kind, level in levels.items() for place, word in enumerate(kind))
