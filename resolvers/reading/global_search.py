"""Global search: one text looked for in every kind of record that has a search box, grouped, ranked and counted.

A group holds what the list of the same text shows to the same user.  Every step is bounded.  Of a word that is found
in very many records those are ranked that the newest records hold, and those whose number or name it is; of
follow-ups the text of the last days is searched.  A count that stops there says so.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models import ENTITIES, Base, Entity
from policies import NOW

from ..runtime.budgets import Costly
from ..runtime.scope import Scope
from . import fit
from .clauses import search_text
from .found_ids import FoundIds, find_ids
from .found_records import Bounds, statement_for
from .ranking import Rank
from .search import ABOUT_CUSTOMERS

USUAL, MOST = 5, 20
"""Default and maximum number of hits of a group."""
MOST_COUNTED, LATEST = 1_000, 1_000
"""Maximum count of a group; number of the newest records among which a frequent word is looked for."""
FOUND: tuple[type[Entity], ...] = tuple(model for model in ENTITIES if model.search and not model.singleton)
"""The kinds that are searched, in the order of their groups."""


@dataclass(frozen=True)
class Hit:
    """A record: its title, the texts that tell it apart, and how well it fits."""

    model: type[Base]
    id: int
    title: str
    beside: tuple[str, ...]
    rank: Rank

    @property
    def subtitle(self) -> str:
        return " · ".join(self.beside)

    @property
    def is_exact(self) -> bool:
        """Whether the text is its whole number or name."""
        return self.rank <= Rank.EQUAL


@dataclass(frozen=True)
class Group:
    """The best hits of one kind, and the number of records found.  `is_capped`: there may be more than `count`."""

    model: type[Entity]
    hits: tuple[Hit, ...]
    count: int
    is_capped: bool


async def global_search(
    scope: Scope, text: str, size: int = USUAL, kinds: Sequence[type[Entity]] = FOUND
) -> list[Group]:
    """The groups of the kinds in which the text finds something; none for an empty text.

    Raises Validation for a text that is too long, TooManyAttempts for a user who has searched too often.
    """
    text = search_text(text)
    if not text:
        return []
    scope.backend.budgets.spend(scope.person.id, Costly.SEARCHES)
    asked = tuple(model for model in kinds if scope.policy.ever(scope.person, "view", model.module))
    ids = await scope.read(find_ids, text, asked, MOST_COUNTED, LATEST)
    bounds = Bounds(max(1, min(size, MOST)), MOST_COUNTED + 1)
    dialect = scope.backend.read_engine.dialect
    statement = statement_for(scope.viewer, asked, bounds, dialect)
    lists = {name: json.dumps(some) if dialect.name == "sqlite" else some for name, some in ids.lists.items()}
    given = {**fit.parameters(text), **lists, NOW.key: scope.now(), **_beginnings(scope.now())}
    if not asked:
        return []
    rows = await scope.backend.reads.rows(statement.text, statement.values(given))
    return [group for n, model in enumerate(asked) if (group := _group(model, [x for x in rows if x[0] == n], ids))]


def _beginnings(now: datetime) -> dict[str, datetime]:
    """Table -> the time from which its records are searched, for kinds of which the latest alone are."""
    days = {model.__tablename__: model.searched_days for model in FOUND}
    return {table: now - timedelta(days=number) for table, number in days.items() if number is not None}


def _group(model: type[Entity], rows: Sequence[Any], ids: FoundIds) -> Group | None:
    """The group of a kind, from rows (kind, place, id, fit, count, is partial, title, texts beside …); None without rows."""
    if not rows:
        return None
    hits = tuple(_hit(model, row) for row in sorted(rows, key=lambda row: int(row[1])))
    count = MOST_COUNTED + 1 if model in ids.many else int(rows[0][4])
    is_partial = bool(rows[0][5]) or (ids.is_partial and model in ABOUT_CUSTOMERS)
    return Group(model, hits, min(count, MOST_COUNTED), is_partial or count > MOST_COUNTED)


def _hit(model: type[Entity], row: Any) -> Hit:
    _kind, _at, id, rank, _count, _partial, title, *beside = row
    return Hit(model, id, " ".join((title or "").split()), tuple(x for x in beside if x), Rank(rank))
