"""The algebra of cells: a table of cases says exactly what a cell says, and a witness is a case of it."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import STARTER, Cell, Facts, Principal, Snapshot
from policies.logic import ATOMS, POSSIBLE, asks_who, cases, cases_of_pair, literal, witness
from policies.remarks import remarks
from policies.review import can_administer, changes, excesses, may_hand_out, may_use, possible
from policies.words import SCOPES, STATES
from tests.support.policy_facts import customers, people, populate
from tests.support.world import World

PAIRS = st.tuples(
    st.sampled_from([*SCOPES]),
    st.lists(
        st.sampled_from([word for name in STATES if name != "any" for word in (name, f"!{name}")]), max_size=2
    ).map(lambda words: "&".join(words) or "any"),
)
CELLS = st.tuples(st.frozensets(PAIRS, max_size=4), st.frozensets(PAIRS, max_size=3))


def case_of(p: Principal, facts: Facts) -> int:
    """The case that a person and a record are: its number."""
    true = (SCOPES[atom].test(p, facts) if atom in SCOPES else STATES[atom].test(facts) for atom in ATOMS)
    return sum(1 << place for place, holds in enumerate(true) if holds)


def test_every_person_and_record_is_a_case_that_can_occur(world: World) -> None:
    populate(world)
    impossible = {
        (p.name, facts)
        for p in people(world)
        for facts in (kind.facts for kind in customers(world.ids))
        if not POSSIBLE >> case_of(p, facts) & 1
    }

    assert impossible == set()


def test_a_table_says_what_the_cell_says_of_every_person_and_record(world: World) -> None:
    populate(world)
    known = [(p, kind.facts, case_of(p, kind.facts)) for p in people(world) for kind in customers(world.ids)[::29]]

    @settings(max_examples=150, deadline=None)
    @given(CELLS)
    def agree(pairs: tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]]) -> None:
        cell, table = Cell(*pairs, ()), cases(*pairs)
        assert [bool(table >> case & 1) for _, _, case in known] == [cell.test(p, facts) for p, facts, _ in known]

    agree()


@settings(max_examples=300, deadline=None)
@given(CELLS, CELLS)
def test_a_witness_lies_wholly_in_its_table_and_needs_every_word(
    one: tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]],
    other: tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]],
) -> None:
    table = cases(*one) & ~cases(*other)
    words = witness(table)

    assert (words is None) == (not table & POSSIBLE)
    if words is not None:
        assert together(words) & POSSIBLE
        assert not together(words) & ~table
        for word in words:
            assert together(x for x in words if x != word) & ~table


def together(words: Iterable[str]) -> int:
    table = POSSIBLE
    for word in words:
        table &= literal(word)
    return table


def test_a_table_knows_whether_it_depends_on_the_person() -> None:
    assert not asks_who(cases(frozenset({("all", "!deleted")}), frozenset({("all", "locked")})))
    assert asks_who(cases_of_pair("own", "any"))
    assert asks_who(cases_of_pair("others", "locked"))
    assert not asks_who(cases_of_pair("own", "any") | cases_of_pair("others", "any"))


def test_words_that_cannot_be_true_of_a_kind_of_record_gain_nothing() -> None:
    old = Snapshot(STARTER)
    new = Snapshot(f"{STARTER}\np, support, dictionary, edit, own, any, allow\n")

    assert changes(old, new, [frozenset({"support"})]) == []
    assert [
        (found.what, found.line.columns[1]) for found in remarks(new, ["support"]) if found.what == "impossible"
    ] == [("impossible", "dictionary")]
    assert possible("dictionary") & literal("own") == 0


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("p, sales, customer, edit, own, !locked, allow", "repeated"),
        ("p, auditor, customer, edit, all, any, allow", "denied"),
        ("p, typo, customer, edit, all, any, allow", "nobody"),
    ],
)
def test_a_line_that_does_nothing_is_remarked_upon(line: str, what: str) -> None:
    policy = Snapshot(f"{STARTER}\n{line}\n")
    known = ("administrator", "role_manager", "sales", "sales_lead", "finance", "support", "auditor")

    assert [(str(found.line), found.what) for found in remarks(policy, known)] == [(line, what)]
    assert remarks(Snapshot(STARTER), known) == []


def test_what_somebody_may_hand_out_is_his_own_and_his_ceiling_and_nothing_that_this_denies() -> None:
    policy = Snapshot(
        "p, boss, customer, view, all, any, allow\n"
        "p2, boss, customer, view, all, locked, deny\n"
        "p2, boss, customer, edit, own, any, allow\n"
    )
    boss = frozenset({"boss"})

    assert may_hand_out(policy, boss, "customer", "view") == may_use(policy, boss, "customer", "view") & literal(
        "!locked"
    )
    assert may_use(policy, boss, "customer", "edit") == 0
    assert may_hand_out(policy, boss, "customer", "edit") == cases_of_pair("own", "any") & possible("customer")


def test_of_the_starting_roles_only_the_administrator_keeps_the_house() -> None:
    policy = Snapshot(STARTER)
    roles = ("administrator", "role_manager", "sales", "sales_lead", "finance", "support", "auditor")

    assert [role for role in roles if can_administer(policy, frozenset({role}))] == ["administrator"]
    assert not can_administer(policy, frozenset({"administrator", "auditor"}))


def test_roles_that_are_taken_away_may_open_what_they_forbade() -> None:
    policy = Snapshot(STARTER)
    both, one = frozenset({"administrator", "auditor"}), frozenset({"administrator"})

    found = list(excesses(policy, policy, [(both, one)], frozenset({"role_manager"})))

    assert ("user", "create") in {(x.object, x.action) for x in found}
    assert list(excesses(policy, policy, [(one, both)], frozenset({"role_manager"}))) == []
