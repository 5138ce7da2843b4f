"""Tables that are split by branches of dictionaries say, for every choice of branches, what the plain ones say."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.logic import ALWAYS, POSSIBLE, cases, witness
from policies.review import cases_with
from policies.tables import Split, at, outside_of
from policies.words import parts

BRANCHES = ("category under a", "category under b", "industry under c")
_words = st.lists(
    st.sampled_from([f"{no}{word}" for no in ("", "!") for word in (*BRANCHES, "locked")]),
    min_size=1,
    max_size=3,
    unique=True,
)
PAIRS = st.tuples(st.sampled_from(("all", "own", "team")), _words.map("&".join))
CELLS = st.tuples(st.frozensets(PAIRS, max_size=4), st.frozensets(PAIRS, max_size=3))


def _settled(pairs: frozenset[tuple[str, str]], lies: frozenset[str]) -> frozenset[tuple[str, str]]:
    """The pairs of a record that lies in exactly these branches, without words about branches."""
    found = set()
    for scope, when in pairs:
        words = parts(when)
        if all(wanted is (word in lies) for word, wanted in words if word in BRANCHES):
            rest = [word if wanted else f"!{word}" for word, wanted in words if word not in BRANCHES]
            found.add((scope, "&".join(rest) or "any"))
    return frozenset(found)


@settings(max_examples=120, deadline=None)
@given(CELLS, CELLS)
def test_all_arithmetic_is_that_of_each_choice_of_branches(
    one: tuple[frozenset[tuple[str, str]], ...], other: tuple[frozenset[tuple[str, str]], ...]
) -> None:
    first, second = cases(*one), cases(*other)
    both = {"&": first & second, "|": first | second, "^": first ^ second, "~": ~first & POSSIBLE}
    for chosen in product((True, False), repeat=len(BRANCHES)):
        lies = frozenset(word for word, inside in zip(BRANCHES, chosen, strict=True) if inside)
        a, b = (cases(*(_settled(pairs, lies) for pairs in cell)) for cell in (one, other))
        assert [at(table, lies) for table in both.values()] == [a & b, a | b, a ^ b, ~a & POSSIBLE]
    said = witness(first & ~second)
    assert (said is None) == (first & ~second == 0)
    if said is not None:
        lies = frozenset(word for word in said if word in BRANCHES)
        assert at(first & ~second, lies) & POSSIBLE


def test_equal_halves_make_no_split_and_what_cannot_lie_there_asks_for_no_branch() -> None:
    pairs = frozenset({("own", "category under a"), ("own", "!category under a")})

    assert cases(pairs, frozenset()) == cases(frozenset({("own", "any")}), frozenset())
    split = cases(frozenset({("all", "category under a")}), frozenset())
    assert isinstance(split, Split)
    assert outside_of(split, lambda _branch: False) == 0
    assert cases_with("dictionary", frozenset({("all", "category under a")}), frozenset()) == 0
    assert isinstance(cases_with("contact", frozenset({("all", "category under a")}), frozenset()), Split)
    assert ALWAYS & ~split | split == ALWAYS
