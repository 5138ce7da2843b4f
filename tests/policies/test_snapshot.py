"""One cell answers all: may this be done, where, which values are hidden, and why not."""

from dataclasses import fields, replace
from datetime import timedelta
from functools import cached_property
from itertools import permutations
from typing import Any

from models import Base, Customer, User
from policies import Facts, Principal, Snapshot
from policies.clauses import Clauses
from policies.objects import ACTIONS, GROUPS
from policies.snapshot import Reason
from tests.support.world import START

LI = Principal(1, "Li", START, roles=frozenset({"sales"}), department_id=2, subtree=frozenset({2}))
WU = replace(LI, id=3, name="Wu")
NOBODY = Principal(9, "No", START)
MINE = Facts(owner_id=1, department_id=2)
HERS = Facts(owner_id=5, department_id=4)


def snapshot(*lines: str) -> Snapshot:
    return Snapshot("\n".join(lines))


def may(lines: str | tuple[str, ...], p: Principal | None, action: str, facts: Facts, **more: Any) -> bool:
    return snapshot(*([lines] if isinstance(lines, str) else lines)).may(p, action, "customer", facts, **more)


# --- may -------------------------------------------------------------------------------------------------


def test_an_empty_policy_denies_everything_to_everybody() -> None:
    for p in (LI, NOBODY, None):
        assert not Snapshot("").may(p, "view", "customer", MINE)
        assert not Snapshot("").ever(p, "view", "customer")


def test_nobody_may_nothing_even_where_everybody_may_all() -> None:
    open_house = snapshot("p, *, *, *, all, any, allow")

    assert open_house.may(NOBODY, "purge", "customer", HERS)
    assert not open_house.may(None, "purge", "customer", HERS)
    assert not open_house.ever(None, "purge", "customer")
    assert str(open_house.where(None, "purge", Customer)) == "false"


def test_a_line_allows_its_role_its_object_its_action_and_its_records_and_nothing_else() -> None:
    policy = snapshot("p, sales, customer, edit, own, !locked, allow")

    assert policy.may(LI, "edit", "customer", MINE)
    assert not policy.may(WU, "edit", "customer", MINE)
    assert not policy.may(replace(LI, roles=frozenset({"finance"})), "edit", "customer", MINE)
    assert not policy.may(LI, "view", "customer", MINE)
    assert not policy.may(LI, "edit", "contact", MINE)
    assert not policy.may(LI, "edit", "customer", replace(MINE, locked=True))


def test_one_deny_beats_every_allow_in_any_order() -> None:
    lines = (
        "p, sales, customer, view, all, any, allow",
        "p, *, customer, view, own, any, allow",
        "p, *, customer, touch, others, locked, deny",
        "p, sales, *, *, own, any, allow",
    )
    for order in permutations(lines):
        assert may(order, LI, "view", HERS)
        assert may(order, LI, "view", replace(MINE, locked=True))
        assert not may(order, LI, "view", replace(HERS, locked=True))


def test_a_wildcard_stands_for_every_module_field_and_action() -> None:
    everything = "p, sales, *, *, own, any, allow"

    assert may(everything, LI, "purge", MINE)
    assert may(everything, LI, "view", MINE, field="phone")
    assert snapshot(everything).may(LI, "view", "user", MINE, field="email"), "a field that stands apart is within *"
    assert not may(everything, LI, "view", HERS)


def test_a_group_of_actions_stands_for_its_members() -> None:
    touch = "p, sales, customer, touch, own, any, allow"

    assert [a for a in ("view", "edit", "merge", "lock", "unlock") if may(touch, LI, a, MINE)] == [
        "view",
        "edit",
        "merge",
    ]


def test_a_lock_closes_all_that_reads_or_changes_content_and_write_is_all_that_changes_something() -> None:
    assert set(ACTIONS) - set(GROUPS["touch"]) == {
        "dupcheck",
        "lock",
        "unlock",
        "review",
        "activate",
        "view_as",
        "share_views",
    }
    assert set(ACTIONS) - set(GROUPS["write"]) == {
        "view",
        "export",
        "disclose",
        "dupcheck",
        "review",
        "view_as",
        "share_views",
    }


def test_a_role_inherits_what_wider_roles_may_and_may_not() -> None:
    policy = snapshot(
        "g, lead, sales",
        "g, sales, person",
        "p, person, customer, view, own, any, allow",
        "p, sales, customer, export, all, any, deny",
        "p, lead, customer, export, all, any, allow",
    )
    lead = replace(LI, roles=frozenset({"lead"}))

    assert policy.may(lead, "view", "customer", MINE)
    assert not policy.may(lead, "export", "customer", MINE)
    assert not policy.may(replace(LI, roles=frozenset({"person"})), "export", "customer", MINE)


def test_a_person_is_never_part_of_the_house_whatever_his_role_is_called() -> None:
    policy = snapshot("p, system, *, *, all, any, allow", "p, system:demo, *, *, all, any, allow")
    intruder = Principal(7, "X", START, roles=frozenset({"system", "system:demo", "sales"}))

    assert intruder.roles == {"sales"}
    assert not policy.may(intruder, "view", "customer", HERS)


# --- cells and ever --------------------------------------------------------------------------------------


def test_a_cell_holds_what_is_left_once_roles_object_and_action_are_known() -> None:
    policy = snapshot(
        "p, sales, customer, view, own, any, allow",
        "p, sales, customer, edit, own, any, allow",
        "p, finance, customer, view, all, any, allow",
        "p2, sales, customer, view, all, any, allow",
        "p, *, customer, touch, others, locked, deny",
    )
    cell = policy.cell(frozenset({"sales"}), "customer", "view")

    assert (cell.allow, cell.deny) == ({("own", "any")}, {("others", "locked")})
    assert [line.number for line in cell.lines] == [1, 5]
    assert policy.cell(frozenset({"sales"}), "customer", "view") is cell, "people of the same roles share it"


def test_ever_is_true_exactly_if_some_record_could_be_in_reach() -> None:
    policy = snapshot(
        "p, sales, customer, edit, own, deleted, allow",
        "p, auditor, *, write, all, any, deny",
        "p, sales, customer, share, own, any, deny",
    )

    assert policy.ever(LI, "edit", "customer")
    assert not policy.ever(LI, "view", "customer")
    assert not policy.ever(LI, "share", "customer")
    assert not policy.ever(replace(LI, roles=frozenset({"sales", "auditor"})), "edit", "customer")


# --- fields ----------------------------------------------------------------------------------------------


def test_a_field_follows_its_module_unless_a_line_says_otherwise() -> None:
    lines = ("p, sales, customer, view, all, any, allow", "p, *, customer.phone, view, others, any, deny")

    assert may(lines, LI, "view", HERS, field="email")
    assert may(lines, LI, "view", MINE, field="phone")
    assert not may(lines, LI, "view", HERS, field="phone")
    assert may(lines, LI, "view", HERS), "a hidden field hides no record"


def test_a_field_that_stands_apart_needs_a_line_of_its_own() -> None:
    policy = snapshot("p, *, user, view, all, any, allow", "p, *, user.email, view, own, any, allow")

    assert policy.may(LI, "view", "user", HERS, field="name")
    assert policy.may(LI, "view", "user", MINE, field="email")
    assert not policy.may(LI, "view", "user", HERS, field="email")
    assert not policy.may(LI, "view", "user", MINE, field="language")


def guard(lines: tuple[str, ...], field: str, action: str = "view", model: type[Base] = Customer) -> str | None:
    found = snapshot(*lines).guard(LI, model, field, model, action)
    return None if found is None else str(found.compile(compile_kwargs={"literal_binds": True}))


def test_no_guard_stands_where_the_right_on_the_row_is_enough() -> None:
    assert guard(("p, sales, customer, view, own, any, allow",), "phone") is None
    assert (
        guard(("p, sales, customer, view, all, any, allow", "p, *, customer, touch, others, locked, deny"), "phone")
        is None
    )
    assert guard(("p, sales, *, view, all, any, allow",), "email", model=User) is None
    assert guard(("p, sales, customer, view, all, any, allow",), "no_such_field") is None


def test_a_guard_asks_only_what_denies_the_field_alone() -> None:
    lines = (
        "p, sales, customer, view, own, any, allow",
        "p, sales, customer, view, pool, any, allow",
        "p, *, customer, view, others, locked, deny",
        "p, *, customer.phone, view, all, in_pool, deny",
    )

    assert guard(lines, "phone") == "customer.pool_id IS NULL"
    assert guard(lines, "email") is None


def test_viewing_and_editing_a_field_are_guarded_each_by_its_own_lines() -> None:
    lines = (
        "p, sales, customer, view, all, any, allow",
        "p, sales, customer, edit, all, any, allow",
        "p, *, customer.phone, edit, all, in_pool, deny",
    )

    assert guard(lines, "phone", "view") is None
    assert guard(lines, "phone", "edit") == "customer.pool_id IS NULL"


# --- explain ---------------------------------------------------------------------------------------------

LINES = (
    "p, sales, customer, view, own, any, allow",
    "p, sales, customer, edit, own, any, allow",
    "p, finance, customer, view, all, any, allow",
    "p, *, customer, view, shared, !deleted, allow",
    "p, sales, *, touch, all, locked&!deleted, allow",
    "p, *, customer, touch, others, locked, deny",
)


def test_explain_names_every_line_about_the_action_and_whether_it_fired_or_which_word_did_not_hold() -> None:
    assert snapshot(*LINES).explain(LI, "view", "customer", replace(HERS, locked=True)) == [
        Reason(LINES[0], "allow", fired=False, missing="own"),
        Reason(LINES[3], "allow", fired=False, missing="shared"),
        Reason(LINES[4], "allow", fired=True, missing=None),
        Reason(LINES[5], "deny", fired=True, missing=None),
    ]


def test_explain_names_the_one_state_that_did_not_hold() -> None:
    policy = snapshot("p, sales, customer, view, own, locked&!deleted, allow")

    def missing(facts: Facts) -> str | None:
        return policy.explain(LI, "view", "customer", facts)[0].missing

    assert missing(HERS) == "own"
    assert missing(MINE) == "locked"
    assert missing(replace(MINE, locked=True, deleted=True)) == "!deleted"
    assert missing(replace(MINE, locked=True)) is None


def test_a_reason_is_told_in_both_languages() -> None:
    not_mine = Reason(LINES[0], "allow", fired=False, missing="own")
    in_bin = Reason(LINES[3], "allow", fired=False, missing="!deleted")

    assert (not_mine.why_not(), not_mine.why_not("zh")) == ("you are its owner", "您是负责人")
    assert (in_bin.why_not(), in_bin.why_not("zh")) == ("it is not in the recycle bin", "不在回收站中")
    assert Reason(LINES[0], "allow", fired=True, missing=None).why_not() is None


def test_explain_of_a_field_brings_the_lines_of_its_module_too() -> None:
    policy = snapshot(
        "p, sales, customer, view, own, any, allow",
        "p, *, customer.phone, view, pool, in_pool, deny",
        "p, *, customer.email, view, pool, in_pool, deny",
    )

    assert [reason.line for reason in policy.explain(LI, "view", "customer", MINE, field="phone")] == [
        "p, sales, customer, view, own, any, allow",
        "p, *, customer.phone, view, pool, in_pool, deny",
    ]


def test_what_fired_in_an_explanation_is_the_verdict() -> None:
    policy = snapshot(*LINES)
    for facts in (MINE, HERS, replace(MINE, locked=True), replace(HERS, locked=True)):
        fired = {reason.effect for reason in policy.explain(LI, "view", "customer", facts) if reason.fired}

        assert policy.may(LI, "view", "customer", facts) is (fired == {"allow"})


# --- what a person is to the clauses ---------------------------------------------------------------------


def test_a_principal_is_nothing_but_facts() -> None:
    """The plan cache and the clauses keep what they compute elsewhere."""
    assert set(vars(LI)) == {field.name for field in fields(Principal)}
    assert not [name for name, value in vars(Principal).items() if isinstance(value, cached_property)]
    assert replace(LI, now=START + timedelta(days=1)) == LI.at(START + timedelta(days=1)) != LI


def test_a_condition_about_the_same_rows_is_written_once_for_a_person() -> None:
    policy = snapshot("p, sales, customer, view, own, any, allow", "p, sales, customer, edit, own, any, allow")
    clauses = Clauses(policy, LI)
    view, edit = (clauses.where(action, Customer, Customer) for action in ("view", "edit"))
    elsewhere = clauses.where("view", Customer, Customer.__table__.alias().c)

    assert view is edit
    assert view is not elsewhere
    assert view is not Clauses(policy, LI).where("view", Customer, Customer)
