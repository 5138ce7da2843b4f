"""The workloads of `read_path.py`: their variables, and the checks of their answers."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from ground import POOL, Ground
from sqlalchemy import Connection, Engine, text
from target import Target

from models import Customer, User
from resolvers.runtime.ids import global_id

_ROWS = "deleted_at IS NULL AND locked_by_id IS NULL"
_PAIRS = f"SELECT owner_id, stage FROM customer WHERE owner_id IS NOT NULL AND {_ROWS} GROUP BY owner_id, stage HAVING count(*) >= 50"
_LIST = "SELECT id FROM customer WHERE owner_id = :o AND stage = :s AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 400"
_WORDS = """
    SELECT id, name FROM customer UNION ALL SELECT id, email FROM customer UNION ALL SELECT customer_id, name FROM contact
    UNION ALL SELECT c.customer_id, p.value FROM contact_point p JOIN contact c ON c.id = p.contact_id
"""
TRIED = 40
"""Number of sets of variables with which every workload is checked before it is measured."""


class Workload(Protocol):
    name: str
    once: ClassVar[bool]
    """Whether a request may be sent once only."""

    def check(self, target: Target) -> None:
        """Compare some answers with the database.  Raises AssertionError."""

    def requests(self, target: Target) -> tuple[list[bytes], list[bytes]]:
        """(requests for the warm-up, requests to measure)."""

    def confirm(self, target: Target, answers: int) -> None:
        """Check what `answers` good answers to `requests` have changed.  Raises AssertionError."""


@dataclass
class Read:
    """A read workload, repeated with the same sets of variables.

    `known` has, for each set, the ids that may be in an answer, in order.
    """

    name: str
    most: int
    variables: list[dict[str, Any]]
    known: list[list[str]]
    once: ClassVar[bool] = False

    def check(self, target: Target) -> None:
        for given, known in list(zip(self.variables, self.known, strict=True))[:TRIED]:
            found = target.ask(self.name, given)
            assert len(found) == self.most, (target.name, self.name, given, found)
            places = [known.index(id) for id in found]  # locked customers may be left out, none may be added
            assert places == sorted(places), (target.name, self.name, given)

    def requests(self, target: Target) -> tuple[list[bytes], list[bytes]]:
        found = [target.request(self.name, given) for given in self.variables]
        return found, found

    def confirm(self, target: Target, answers: int) -> None:
        """A read changes nothing."""


def reads(ground: Ground) -> list[Read]:
    """The workloads `list`, `nested`, `record` and `search`."""
    engine = ground.engine()
    with engine.connect() as connection:
        pairs = [{"o": owner, "s": stage} for owner, stage in connection.execute(text(_PAIRS))]
        lists = [{"o": global_id(User, pair["o"]), "s": pair["s"]} for pair in pairs]
        listed = [_global(connection.execute(text(_LIST), pair).scalars().all()) for pair in pairs]
        some = connection.execute(text(f"SELECT id FROM customer WHERE {_ROWS}")).scalars().all()
        records = [{"id": global_id(Customer, id)} for id in random.Random(7).sample(some, min(2_000, len(some)))]
        words, found = _searches(connection)
    engine.dispose()
    return [
        Read("list", 50, lists, listed),
        Read("nested", 50, lists, listed),
        Read("record", 1, records, [[given["id"]] for given in records]),
        Read("search", 20, words, found),
    ]


def _searches(connection: Connection) -> tuple[list[dict[str, str]], list[list[str]]]:
    """(variables with sixteen parts of names, per part the ids of the customers that hold it, newest first)."""
    newest = "SELECT id, name FROM customer WHERE deleted_at IS NULL ORDER BY created_at DESC, id DESC"
    names = connection.execute(text(newest)).all()
    parts = Counter(part for _, name in names for part in _parts(name))
    often = sorted(part for part, count in parts.items() if 30 <= count <= 6_000)
    words = random.Random(7).sample(often, min(16, len(often)))
    everywhere: dict[str, set[int]] = {word: set() for word in words}
    for id, value in connection.execute(text(_WORDS)):
        for word in words:
            if value and word.lower() in value.lower():
                everywhere[word].add(id)
    return [{"q": word} for word in words], [_global([id for id, _ in names if id in everywhere[x]]) for x in words]


def _parts(name: str) -> set[str]:
    """The first word of an English name; the first two characters of a Chinese name, a place, and the next two."""
    return {name.partition(" ")[0]} if name.isascii() else {name[:2], name[2:4]}


def _global(ids: Sequence[int]) -> list[str]:
    return [global_id(Customer, id) for id in ids]


class Claim:
    """A claim workload: every connection is a user; each customer is claimed once, so no claim is lost."""

    name = "claim"
    once: ClassVar[bool] = True
    WARM, LOT = 400, 4_000
    """Maximum numbers of requests in a turn: for the warm-up, and measured."""

    def __init__(self, ground: Ground) -> None:
        self._engine: Engine = ground.engine()
        self._people = list(ground.tokens)
        self._before = (0, 0)

    def check(self, target: Target) -> None:
        self._before = self._counts(target)
        given = self._given(self._pooled(TRIED))
        for one in given:
            assert target.ask(self.name, one) == [one["id"]], (target.name, one)
        with self._engine.connect() as connection:
            owners = text("SELECT owner_id FROM customer WHERE id = :id")
            found = [connection.execute(owners, {"id": int(one["id"][4:])}).scalar() for one in given]
        assert found == [one["owner"] for one in given], (target.name, found)
        self.confirm(target, len(given))

    def requests(self, target: Target) -> tuple[list[bytes], list[bytes]]:
        self._before = self._counts(target)
        pooled = self._pooled(self.WARM + self.LOT)
        assert len(pooled) == self.WARM + self.LOT, (
            "the pool is nearly empty: ask for fewer rounds, or have more customers"
        )
        found = [target.request(self.name, given) for given in self._given(pooled)]
        return found[: self.WARM], found[self.WARM :]

    def confirm(self, target: Target, answers: int) -> None:
        """Check that each claim has taken one customer and written one log line."""
        (pooled, lines), (pooled_now, lines_now) = self._before, self._counts(target)
        assert (pooled - pooled_now, lines_now - lines) == (answers, answers), (
            target.name,
            pooled,
            pooled_now,
            lines,
            lines_now,
        )

    def _given(self, ids: Sequence[int]) -> list[dict[str, Any]]:
        return [
            {"id": global_id(Customer, id), "owner": self._people[n % len(self._people)]} for n, id in enumerate(ids)
        ]

    def _pooled(self, most: int) -> Sequence[int]:
        """The customers that have been in the pool longest, so that no protection applies."""
        oldest = f"SELECT id FROM customer WHERE pool_id = {POOL} AND {_ROWS} ORDER BY pooled_at, id LIMIT {most}"
        with self._engine.connect() as connection:
            return connection.execute(text(oldest)).scalars().all()

    def _counts(self, target: Target) -> tuple[int, int]:
        with self._engine.connect() as connection:
            pooled = connection.execute(text("SELECT count(*) FROM customer WHERE pool_id IS NOT NULL")).scalar_one()
            return pooled, connection.execute(text(f"SELECT count(*) FROM {target.log}")).scalar_one()
