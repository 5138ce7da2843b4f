"""Whose turn it is in automatic assignment: pure functions over the members who fit, and the turns given so far.

Turns by weight are exact: after any number of customers each member has got their share, less than one customer more or
less, as long as the members stay the same.  Of the members whose share is not used up, the one gets the turn whose next
customer is due first (earliest deadline first).  The plain smooth round robin, which takes the largest credit, misses
by more than one with many members.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.pool_assignment import Strategy


@dataclass(frozen=True)
class Fit:
    """A member who could take the customer; `limit` None is no limit."""

    user_id: int
    weight: int
    held: int
    limit: int | None

    @property
    def left(self) -> float:
        return float("inf") if self.limit is None else self.limit - self.held


@dataclass
class Turns:
    """The turns of a pool: how many were given, and user -> [credit, turn of their last customer].

    The credit is the total weight times the share that a member has not got yet; all credits add up to 0.
    """

    turn: int = 0
    members: dict[int, list[int]] = field(default_factory=dict)

    @classmethod
    def read(cls, turn: int, stored: Mapping[str, Any]) -> "Turns":
        return cls(turn, {int(id): [int(credit), int(last)] for id, (credit, last) in stored.items()})

    def stored(self) -> dict[str, list[int]]:
        return {str(id): numbers for id, numbers in self.members.items()}

    def choose(self, strategy: Strategy, fits: Sequence[Fit]) -> int:
        """The member whose turn it is among those who fit, at least one."""
        match strategy:
            case Strategy.LEAST_LOADED:
                return min(fits, key=lambda x: (x.held, self._last(x), x.user_id)).user_id
            case Strategy.CAPACITY_LEFT:
                return min(fits, key=lambda x: (-x.left, x.held, self._last(x), x.user_id)).user_id
        return self._by_weight(_weights(strategy, fits))

    def give(self, strategy: Strategy, fits: Sequence[Fit], chosen: int) -> None:
        """Note that the chosen one among those who fit gets the customer."""
        weights = _weights(strategy, fits)
        total = sum(weights.values())
        self.turn += 1
        for id, weight in weights.items():
            credit, last = self.members.get(id, [0, 0])
            self.members[id] = [_within(credit, total) + weight, last]
        self.members[chosen] = [self.members[chosen][0] - total, self.turn]

    def _by_weight(self, weights: Mapping[int, int]) -> int:
        total = sum(weights.values())
        credits = {id: _within(self.members.get(id, [0, 0])[0], total) + weight for id, weight in weights.items()}
        due = [id for id, credit in credits.items() if credit > 0] or [*credits]
        return min(due, key=lambda who: (-((credits[who] - total) // weights[who]), -credits[who], who))

    def _last(self, fit: Fit) -> int:
        return self.members.get(fit.user_id, [0, 0])[1]


def _weights(strategy: Strategy, fits: Sequence[Fit]) -> dict[int, int]:
    return {x.user_id: x.weight if strategy is Strategy.WEIGHTED else 1 for x in fits}


def _within(credit: int, total: int) -> int:
    """A credit in the bounds that it keeps among the same members: one from other weights counts for a round at most."""
    return max(-total, min(credit, total))
