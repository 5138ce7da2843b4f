"""Turns of automatic assignment: exact by weight over any prefix, and fair when members come and go."""

import random
from fractions import Fraction

import pytest

from models.pool_assignment import Strategy
from resolvers.pool.turns import Fit, Turns


def fits(*weights: int) -> list[Fit]:
    return [Fit(n, weight, 0, None) for n, weight in enumerate(weights, start=1)]


def given(strategy: Strategy, members: list[Fit], rounds: int) -> list[int]:
    """Who gets each of the customers, with the turns stored and read between them."""
    turns, found = Turns(), []
    for _ in range(rounds):
        chosen = turns.choose(strategy, members)
        turns.give(strategy, members, chosen)
        found.append(chosen)
        turns = Turns.read(turns.turn, turns.stored())
    return found


def worst(members: list[Fit], order: list[int]) -> Fraction:
    """By how many customers a member was ever above or below their share."""
    total, counts, off = sum(x.weight for x in members), dict.fromkeys((x.user_id for x in members), 0), Fraction(0)
    for n, chosen in enumerate(order, start=1):
        counts[chosen] += 1
        off = max(off, *(abs(Fraction(n * x.weight, total) - counts[x.user_id]) for x in members))
    return off


def test_weights_are_exact_within_one_over_any_prefix() -> None:
    dice = random.Random(17)
    shares = [(1, 1), (3, 1), (5, 1, 1), (1000, 1), (7, 5, 3, 2, 1), *(tuple(range(1, n)) for n in (9, 24))]
    shares += [tuple(dice.randint(1, 40) for _ in range(dice.randint(2, 12))) for _ in range(40)]
    for weights in shares:
        members = fits(*weights)
        assert worst(members, given(Strategy.WEIGHTED, members, min(2 * sum(weights), 300))) < 1, weights


@pytest.mark.long
def test_weights_are_exact_for_many_members_and_long_runs() -> None:
    dice = random.Random(4)
    for _ in range(60):
        members = fits(*(dice.choice((1, 1, 2, 3, 50, 400)) for _ in range(dice.randint(2, 60))))
        assert worst(members, given(Strategy.WEIGHTED, members, 1_500)) < 1


def test_in_turn_everybody_gets_one_before_anybody_gets_two() -> None:
    order = given(Strategy.ROUND_ROBIN, fits(9, 1, 4), 9)

    assert order == [1, 2, 3] * 3


def test_who_was_away_is_not_flooded_and_who_is_new_does_not_wait() -> None:
    turns, members = Turns(), fits(1, 1, 1)

    def next_of(present: list[Fit]) -> int:
        chosen = turns.choose(Strategy.ROUND_ROBIN, present)
        turns.give(Strategy.ROUND_ROBIN, present, chosen)
        return chosen

    assert [next_of(members) for _ in range(3)] == [1, 2, 3]
    assert sorted(next_of(members[1:]) for _ in range(20)) == [2] * 10 + [3] * 10
    back = [next_of(members) for _ in range(6)]
    assert sorted(back) == [1, 1, 2, 2, 3, 3]
    newcomer = fits(1, 1, 1, 1)
    assert 4 in [next_of(newcomer) for _ in range(4)]


def test_a_weight_that_was_large_is_forgotten_after_a_round() -> None:
    turns, heavy = Turns(), fits(1000, 1)
    for _ in range(500):
        turns.give(Strategy.WEIGHTED, heavy, turns.choose(Strategy.WEIGHTED, heavy))
    even, found = fits(1, 1), []
    for _ in range(10):
        found.append(turns.choose(Strategy.WEIGHTED, even))
        turns.give(Strategy.WEIGHTED, even, found[-1])
    assert 4 <= found.count(1) <= 6


def test_fewest_held_and_most_left_and_among_equals_who_waited_longest() -> None:
    members = [Fit(1, 1, 5, 6), Fit(2, 1, 3, 30), Fit(3, 1, 3, 5), Fit(4, 1, 9, None)]
    turns = Turns()

    assert turns.choose(Strategy.LEAST_LOADED, members) == 2
    turns.give(Strategy.LEAST_LOADED, members, 2)
    assert turns.choose(Strategy.LEAST_LOADED, members) == 3
    assert turns.choose(Strategy.CAPACITY_LEFT, members) == 4
    assert turns.choose(Strategy.CAPACITY_LEFT, members[:3]) == 2
