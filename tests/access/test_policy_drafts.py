"""Changing the policy: drafts, reviews, revisions, and what nobody gets around."""

import pytest

from models import (
    AuditEntry,
    Customer,
    Organisation,
    PolicyDraft,
    PolicyLine,
    PolicyRevision,
    Role,
)
from models.errors import (
    BeyondCeiling,
    Conflict,
    Forbidden,
    InvalidPolicyText,
    NeedsSecond,
    Validation,
)
from policies import STARTER
from resolvers.access import policy_drafts, policy_review, policy_revisions
from resolvers.records import create_update
from tests.support.policy_drafting import EXPORT, HIDE, activate, draft
from tests.support.refusals import refused
from tests.support.world import World


def test_a_draft_has_no_effect_until_it_is_activated(world: World) -> None:
    before = world.backend.policy.revision

    id, review = draft(world, "rolf", HIDE)

    assert world.backend.policy.revision == before
    assert review.may_take_effect
    assert (review.added, review.removed) == ([HIDE], [])
    number = world.rolf.do(policy_drafts.activate_policy, id, "phones are private", review.hash)
    assert number == before + 1 == world.backend.policy.revision
    assert world.rows(PolicyDraft) == []
    row = world.rows(PolicyRevision)[-1]
    assert (row["reason"], row["author_id"], row["parent"]) == ("phones are private", world.ids["rolf"], before)
    assert row["review"]["added"] == [HIDE]
    assert world.count(PolicyLine) == len(world.backend.policy.lines)


def test_a_review_says_what_changes_for_whom(world: World) -> None:
    _, review = draft(world, "rolf", HIDE, EXPORT)

    told = {(x.objects, x.actions, p.name) for x in review.changes for p in review.people_of(x)}
    assert told == {
        (("contact.points",), ("view",), "Sam Ode"),
        *((("customer",), ("export",), name) for name in ("Lena Lead", "Li Na", "Mei Lin", "Wu Wei")),
    }
    assert review.widens == ("export",)


def test_an_activated_policy_is_in_the_log_with_its_lines(world: World) -> None:
    number = activate(world, "rolf", HIDE)

    entry = world.rows(AuditEntry, AuditEntry.action == "policy.activate")[-1]
    assert (entry["label"], entry["reason"], entry["changes"]) == (f"#{number}", "a test", {"lines": [None, [HIDE]]})


def test_a_rollback_of_what_was_looked_at_before_somebody_else_changed_it_is_refused(world: World) -> None:
    activate(world, "ada", HIDE)
    activate(world, "ada", EXPORT)

    refused(world, world.ada, Conflict, policy_drafts.rollback_policy, 1, "back", 2)


def test_what_was_not_reviewed_does_not_take_effect(world: World) -> None:
    id, review = draft(world, "rolf", HIDE)
    draft(world, "rolf", EXPORT)

    refused(world, world.rolf, Conflict, policy_drafts.activate_policy, id, "hide", review.hash)


def test_a_draft_that_is_behind_catches_up_and_keeps_what_it_changes(world: World) -> None:
    id, review = draft(world, "rolf", HIDE)
    activate(world, "ada", EXPORT)
    refused(world, world.rolf, Conflict, policy_drafts.activate_policy, id, "hide", review.hash)

    world.rolf.do(policy_drafts.catch_up)

    mine = world.run(world.rolf.read(policy_drafts.workspace)).mine
    assert mine is not None
    review = world.run(world.rolf.read(policy_review.review_policy, mine.text))
    assert (review.added, review.removed) == ([HIDE], [])
    world.rolf.do(policy_drafts.activate_policy, id, "hide", review.hash)
    assert {HIDE, EXPORT} <= {str(line) for line in world.backend.policy.lines}


def test_rolling_back_brings_an_older_text_back_as_a_new_revision(world: World) -> None:
    first = world.backend.policy.revision
    activate(world, "rolf", HIDE)

    number = world.rolf.do(policy_drafts.rollback_policy, first, "they need the phones")

    assert world.backend.policy.text == STARTER
    row = world.rows(PolicyRevision)[-1]
    assert (row["number"], row["parent"], row["back_to"]) == (number, first + 1, first)
    refused(world, world.rolf, Validation, policy_drafts.rollback_policy, first, "again")


def test_a_rollback_hands_out_no_more_than_any_other_change(world: World) -> None:
    first = activate(world, "ada", "p, sales, customer, purge, all, deleted, allow")
    activate(world, "ada", without="p, sales, customer, purge, all, deleted, allow")

    refused(world, world.rolf, BeyondCeiling, policy_drafts.rollback_policy, first, "more")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('p, sales, customer, "view, own, any, allow', "columns"),
        ("p, sales, customer, view, eval(1), any, allow", "unknown scope “eval(1)”"),
        ("p, sales, customer, exprot, own, any, allow", "unknown action “exprot”"),
        ("p, nobody_knows, customer, view, own, any, allow", "unknown role “nobody_knows”"),
        ("g, sales, sales_lead", "goes in a circle"),
    ],
)
def test_text_that_is_no_policy_is_refused_with_its_line_and_changes_nothing(
    world: World, line: str, said: str
) -> None:
    number = len(world.backend.policy.text.splitlines()) + 1
    id, review = draft(world, "rolf", line)

    assert any(f"line {number}: " in problem and said in problem for problem in review.problems)
    refused(world, world.rolf, InvalidPolicyText, policy_drafts.activate_policy, id, "typo", review.hash)


def test_a_policy_has_an_end(world: World) -> None:
    text = "".join(f"p, r{n}\n" for n in range(10_000))
    review = world.run(world.rolf.read(policy_review.review_policy, text))

    assert review.problems == ["line 5001: 5,000 lines are the most"]
    assert not review.may_take_effect


def test_somebody_without_the_right_neither_reads_nor_changes_the_policy(world: World) -> None:
    for use_case, *given in (
        (policy_drafts.draft_policy, STARTER),
        (policy_drafts.activate_policy, 1, "why", "hash"),
        (policy_drafts.rollback_policy, 1, "why"),
        (policy_drafts.apply_policy, STARTER, "why"),
        (policy_drafts.discard_draft,),
        (policy_drafts.catch_up,),
    ):
        refused(world, world.li, Forbidden, use_case, *given)
    for look, *given in (
        (policy_revisions.revisions,),
        (policy_revisions.revision, 1),
        (policy_drafts.drafts,),
        (policy_review.review_policy, STARTER),
    ):
        with pytest.raises(Forbidden):
            world.run(world.li.read(look, *given))


def test_what_widens_takes_two_people_where_the_organisation_wants_that(world: World) -> None:
    world.system.do(create_update.update, Organisation, 1, {"two_for_policy": True})
    id, review = draft(world, "rolf", EXPORT)
    assert review.needs_second
    refused(world, world.rolf, NeedsSecond, policy_drafts.activate_policy, id, "export", review.hash)

    seen = world.run(world.ada.read(policy_review.review_policy, review.text))
    world.ada.do(policy_drafts.activate_policy, id, "export", seen.hash)

    assert world.rows(PolicyRevision)[-1]["author_id"] == world.ids["rolf"]
    activate(world, "rolf", HIDE)  # what takes rights away needs nobody else


def test_a_copied_role_may_do_what_the_other_may(world: World) -> None:
    role = world.ada.do(policy_drafts.copy_role, world.ids["support"], "hotline", "Hotline", "for the new team")

    assert world.row(Role, role)["code"] == "hotline"
    lines = {line.columns for line in world.backend.policy.lines if line.kind == "p"}
    assert {x[1:] for x in lines if x[0] == "hotline"} == {x[1:] for x in lines if x[0] == "support"}


def test_a_right_that_is_revoked_while_a_request_is_under_way_writes_nothing(world: World) -> None:
    mine = world.customer("Acme", "li")
    begun = world.li
    activate(world, "ada", without="p, sales, customer, edit, own, any, allow")

    refused(world, begun, Forbidden, create_update.update, Customer, mine, {"name": "Late"})
