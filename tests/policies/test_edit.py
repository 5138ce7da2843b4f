"""A policy text is changed by lines: everything else stays as somebody wrote it, and half a line breaks nothing."""

import pytest

from policies import STARTER, Snapshot, edit, matrix

BROKEN = "# by hand\np\np, sales, customer, view\np, sales\n\n"


def test_a_click_changes_one_line_and_back_again_none() -> None:
    wider = matrix.with_scope(STARTER, "sales", "customer", "edit", "team")

    assert edit.difference(STARTER, wider) == (
        ["p, sales, customer, edit, own, any, allow"],
        ["p, sales, customer, edit, team, any, allow"],
    )
    assert matrix.with_scope(wider, "sales", "customer", "edit", "own") == STARTER


def test_a_new_line_stands_with_those_of_its_role_and_asks_for_the_state_that_its_action_needs() -> None:
    text = matrix.with_scope(STARTER, "finance", "customer", "purge", "all")

    (line,) = edit.difference(STARTER, text)[1]
    assert line == "p, finance, customer, purge, all, deleted, allow"
    rows = text.splitlines()
    assert rows[rows.index(line) - 1].startswith("p, finance, ")


@pytest.mark.parametrize("field", ["contact.points", "user.capacity"])
def test_a_field_is_hidden_shown_and_opened_by_lines_of_its_own(field: str) -> None:
    for state in matrix.FIELD_STATES:
        text = matrix.with_field(STARTER, "support", field, state)
        policy = Snapshot(text)
        found = next(x for x in matrix.fields(policy, policy, "support", field.partition(".")[0]) if x.field == field)
        assert found.state == state


def test_my_changes_go_on_top_of_theirs() -> None:
    mine = matrix.with_scope(STARTER, "sales", "customer", "edit", "team")
    theirs = matrix.with_field(STARTER, "support", "contact.points", "hidden")

    both = edit.merged(STARTER, mine, theirs)

    gone, new = edit.difference(STARTER, both)
    assert gone == ["p, sales, customer, edit, own, any, allow"]
    assert set(new) == {
        "p, sales, customer, edit, team, any, allow",
        "p, support, contact.points, view, all, any, deny",
        "p, support, contact.points, edit, all, any, deny",
    }


def test_half_a_line_is_left_alone_by_every_change() -> None:
    for text in (
        matrix.with_scope(BROKEN, "sales", "customer", "view", "own"),
        matrix.with_field(BROKEN, "sales", "customer.phone", "hidden"),
        edit.copied(BROKEN, "sales", "other"),
        edit.merged(BROKEN, f"{BROKEN}p, sales, customer, edit, own, any, allow\n", BROKEN),
    ):
        assert text.startswith(BROKEN.rstrip("\n"))
