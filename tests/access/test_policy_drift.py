"""Whoever writes the policy past Millpond is noticed, changes nothing, and what he has spoilt is mended."""

from typing import Any

import structlog
from sqlalchemy import delete, insert, update

from models import AuditEntry, Customer, PolicyLine, PolicyRevision
from models.errors import Forbidden, InvalidPolicyText, NotFound, Validation
from policies import STARTER
from resolvers.access import policy_drafts, policy_review
from resolvers.access.policy_repair import repair_policy
from resolvers.records import create_update
from resolvers.runtime.backend import Backend
from resolvers.runtime.policy_store import Stored, foreign_text, hash_of
from tests.support.refusals import refused
from tests.support.terminal import millpond
from tests.support.world import START, World

ALL = {"ptype": "p", "v0": "sales", "v1": "*", "v2": "*", "v3": "all", "v4": "any", "v5": "allow"}
OPEN = STARTER + "p, sales, *, *, all, any, allow\n"
LINES: Any = PolicyLine.__table__
REVISIONS: Any = PolicyRevision.__table__


def by_hand(world: World, *statements: Any) -> None:
    with world.backend.writer.engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


def spoilt(number: int, text: str, hash: str = "") -> Any:
    row = {"number": number, "text": text, "hash": hash or hash_of(text), "reason": "by hand"}
    return insert(REVISIONS).values(**row, at=START)


def state(world: World) -> str | None:
    return world.run(world.backend.policy_state())


def anew(world: World) -> Backend:
    """Another process that starts now."""
    return Backend(world.backend.url, clock=world.clock).open()


def drift(world: World) -> str | None:
    with world.backend.writer.engine.connect() as connection:
        return foreign_text(connection)


def test_a_direct_write_into_casbin_rule_is_noticed_and_has_no_effect(world: World) -> None:
    theirs = world.customer("Acme", "mei")
    assert state(world) is None

    by_hand(world, insert(LINES).values(**ALL), delete(LINES).where(LINES.c.v0 == "support"))

    assert state(world) == "casbin_rule was changed by hand; that has no effect"
    written = drift(world)
    assert written is not None
    assert "p, sales, *, *, all, any, allow" in written
    assert "p, support, customer, view" not in written
    for backend in (world.backend, fresh := anew(world)):
        policy = backend.policy
        assert (policy.text, policy.revision, backend.policy_problems) == (STARTER, 1, [])
    fresh.writer.close()
    refused(world, world.li, NotFound, create_update.update, Customer, theirs, {"name": "Mine"})


def test_what_was_written_by_hand_can_be_reviewed_like_any_other_text(world: World) -> None:
    by_hand(world, insert(LINES).values(**ALL))
    written = drift(world)
    assert written is not None

    review = world.run(world.ada.read(policy_review.review_policy, written))

    assert (review.added, review.removed) == (["p, sales, *, *, all, any, allow"], [])
    number = world.ada.do(policy_drafts.apply_policy, written, "we want that")
    assert (number, state(world)) == (2, None)


def test_it_is_logged_once(world: World) -> None:
    by_hand(world, insert(LINES).values(**ALL))

    with structlog.testing.capture_logs() as logged:
        for _ in range(3):
            state(world)
    assert [entry["event"] for entry in logged] == ["casbin_rule was changed by hand; that has no effect"]


def test_the_next_activation_writes_the_lines_as_they_should_be(world: World) -> None:
    by_hand(world, insert(LINES).values(**ALL), delete(LINES).where(LINES.c.v0 == "support"))

    world.ada.do(policy_drafts.apply_policy, STARTER + "p, sales, customer, export, own, any, allow\n", "why")

    assert drift(world) is None
    assert state(world) is None


def test_a_revision_written_by_hand_is_not_taken_and_the_last_good_one_stays(world: World) -> None:
    theirs = world.customer("Acme", "mei")
    by_hand(world, spoilt(2, OPEN, hash="0" * 64))

    refused(world, world.li, NotFound, create_update.update, Customer, theirs, {"name": "Mine"})

    assert (world.backend.policy.revision, world.backend.policy.text) == (1, STARTER)
    assert world.backend.policy_problems == [
        "its text is not the one that was activated: somebody has changed it by hand"
    ]
    assert state(world) == "revision 2 cannot be in force; revision 1 stays in force"


def test_a_text_changed_in_place_is_said_and_not_taken_by_a_new_process(world: World) -> None:
    by_hand(world, update(REVISIONS).values(text=OPEN))

    assert state(world) == "the text of revision 1 was changed by hand; what was activated stays in force"
    assert world.backend.policy.text == STARTER
    fresh = anew(world)
    assert (fresh.policy.text, fresh.policy.revision) == ("", 0)
    fresh.writer.close()


def test_a_review_compares_with_what_is_in_force_and_not_with_what_was_spoilt(world: World) -> None:
    """Else whoever writes a wide text by hand could have it activated: it would give nobody more than it says."""
    by_hand(world, update(REVISIONS).values(text=OPEN))

    review = world.run(world.rolf.read(policy_review.review_policy, OPEN))

    assert review.added == ["p, sales, *, *, all, any, allow"]
    assert review.beyond
    assert not review.may_take_effect


def test_without_a_valid_policy_at_start_everything_is_denied_until_it_is_repaired(world: World) -> None:
    mine = world.customer("Acme", "li")
    by_hand(world, spoilt(2, "p, sales, customer, exprot, own, any, allow\n"))
    fresh = anew(world)
    person = fresh.person("ada")
    assert not any(fresh.policy.ever(person, action, "customer") for action in ("view", "edit", "create"))
    scope = fresh.scope(person, "test")
    for use_case, *given in (
        (create_update.update, Customer, mine, {"name": "X"}),
        (policy_drafts.rollback_policy, 1, "please"),
        (repair_policy, "please"),
    ):
        refused(world, scope, (Forbidden, NotFound), use_case, *given)  # type: ignore[arg-type]  either will do

    number = fresh.system("system:command-line").do(repair_policy, "it was broken")

    assert (number, fresh.policy.text, fresh.policy_problems) == (3, STARTER, [])
    scope.do(create_update.update, Customer, mine, {"name": "X"})
    fresh.writer.close()
    assert state(world) is None
    assert world.backend.policy.revision == 3


def test_a_policy_that_lets_nobody_do_anything_is_repaired_too(world: World) -> None:
    by_hand(world, spoilt(2, "p, nobody, customer, view, own, any, allow\n"))
    world.backend.open()
    refused(world, world.ada, Forbidden, policy_drafts.rollback_policy, 1, "please")

    number = world.system.do(repair_policy, "nobody may do anything", to=1)

    assert (number, world.backend.policy.text) == (3, STARTER)
    row = world.rows(PolicyRevision)[-1]
    assert (row["author_id"], row["back_to"], row["parent"]) == (None, 1, 2)
    entry = world.rows(AuditEntry, AuditEntry.action == "policy.repair")[-1]
    assert (entry["actor_name"], entry["label"], entry["reason"]) == ("system:test", "#3", "nobody may do anything")
    assert drift(world) is None


def test_a_repair_takes_only_what_can_be_a_policy_and_has_a_reason(world: World) -> None:
    for kind, given in (
        (InvalidPolicyText, {"text": "p, sales, customer, exprot, own, any, allow"}),
        (InvalidPolicyText, {"text": "p, nobody_knows, customer, view, own, any, allow"}),
        (NotFound, {"to": 99}),
    ):
        refused(world, world.system, kind, repair_policy, "why", **given)
    refused(world, world.system, Validation, repair_policy, " ")
    refused(world, world.ada, Forbidden, repair_policy, "I am an administrator")


def test_the_doctor_says_what_was_spoilt_and_repair_mends_it(world: World) -> None:
    url = world.backend.url

    def complaints() -> list[str]:
        lines = millpond(url, "doctor").stderr.splitlines()
        return [line for line in lines if line.startswith("millpond: ") and "olicy repair" in line]

    assert complaints() == []
    by_hand(world, insert(LINES).values(**ALL))
    assert len(complaints()) == 1
    assert "casbin_rule" in complaints()[0]
    by_hand(world, update(REVISIONS).values(text=OPEN))
    assert "was changed by hand, so it is not taken" in complaints()[0]

    refused_ = millpond(url, "policy", "repair", "--reason", "hacked")
    assert refused_.stderr == "millpond: There is no such revision, or you may not see it.\n"
    mended = millpond(url, "policy", "repair", "--starter", "--reason", "hacked")

    assert (mended.exit_code, mended.stderr) == (0, "Revision 2 is in force.\n")
    assert complaints() == []
    entry = world.rows(AuditEntry, AuditEntry.action == "policy.repair")[-1]
    assert (entry["actor_name"], entry["door"]) == ("system:command-line", "command line")


def test_somebody_who_comes_late_does_not_bring_back_an_older_policy(world: World) -> None:
    number = world.ada.do(policy_drafts.apply_policy, STARTER + "p, sales, customer, export, own, any, allow\n", "why")

    world.backend.take_policy(Stored(1, STARTER, is_whole=True))

    assert world.backend.policy.revision == number
