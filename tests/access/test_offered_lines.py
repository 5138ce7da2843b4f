"""What a new version brings: lines about what is new, as a draft of the system that waits for a user and touches no other."""

import pytest
from sqlalchemy import delete

from models import PolicyDraft, PolicyRevision, PolicyWord
from models.errors import NotFound
from policies import STARTER, parse
from policies.edit import without
from resolvers.access import offered_lines, policy_drafts, policy_review
from resolvers.access.offered_lines import known_words, offer_new_lines, system_draft, waiting_lines
from resolvers.runtime.policy_store import current_text, put_in_force
from tests.support.graphql import Api
from tests.support.panel import Panel
from tests.support.policy_drafting import HIDE, activate, draft
from tests.support.world import START, World

NEW = "p, sales, opportunity, view, all, !deleted, allow\np, lead, opportunity, edit, all, any, allow\n"
UNLOCK = "p, sales, customer, unlock, own, any, allow"


def before_it_came(world: World, *words: str) -> list[str]:
    """Make the installation one of a version without these modules and actions; returns the lines about them."""
    lines = [
        x
        for x in parse(STARTER)
        if x.kind != "g" and (x.columns[1].partition(".")[0] in words or f".{x.columns[2]}" in words)
    ]
    with world.backend.writer.engine.begin() as connection:
        connection.execute(delete(PolicyWord).where(PolicyWord.word.in_(words)))
        put_in_force(connection, without(STARTER, {x.number for x in lines}), "an older version", START)
        world.backend.refresh_policy(connection)
    return [str(x) for x in lines]


def offer(world: World) -> list[str]:
    offered: list[str] = world.backend.system("system:upgrade").do(offer_new_lines)
    return offered


def waiting(world: World) -> list[str]:
    with world.backend.writer.engine.connect() as connection:
        return waiting_lines(connection)


def in_force(world: World) -> str:
    with world.backend.writer.engine.connect() as connection:
        return current_text(connection)


def drafted(world: World) -> dict[str, object]:
    (row,) = (row for row in world.rows(PolicyDraft) if row["author_id"] is None)
    return row


def activate_it(world: World) -> int:
    row = drafted(world)
    review = world.run(world.ada.read(policy_review.review_policy, row["text"]))
    number: int = world.ada.do(policy_drafts.activate_policy, row["id"], "new", review.hash)
    return number


def test_an_installation_that_has_everything_is_offered_nothing(world: World) -> None:
    before = world.everything()

    assert offer(world) == []

    assert world.everything() == before
    assert {row["word"] for row in world.rows(PolicyWord)} == known_words()


def test_lines_about_a_new_module_and_a_new_action_wait_in_a_draft_of_the_system(world: World) -> None:
    lines = before_it_came(world, "opportunity", ".unlock")
    text = in_force(world)
    assert UNLOCK in lines

    assert offer(world) == lines

    assert in_force(world) == text
    assert waiting(world) == lines
    row = drafted(world)
    assert row["base"] == world.backend.policy.revision
    assert str(row["text"]).startswith(f"{text}\n# --- new in this version: opportunity, unlock ---\n")
    (entry,) = world.log("policy")[-1:]
    assert (entry["action"], entry["actor_name"]) == ("policy.offer", "system:upgrade")
    assert entry["changes"] == {"lines": [None, lines]}


def test_it_is_offered_once(world: World) -> None:
    before_it_came(world, "opportunity")
    offer(world)
    before = world.everything()

    assert offer(world) == []

    assert world.everything() == before


def test_drafts_of_users_stay_as_they_are(world: World) -> None:
    lines = before_it_came(world, "opportunity")
    mine, _ = draft(world, "rolf", HIDE)
    before = [row for row in world.rows(PolicyDraft) if row["id"] == mine]

    assert offer(world) == lines

    assert [row for row in world.rows(PolicyDraft) if row["id"] == mine] == before
    assert world.count(PolicyDraft) == 2


def test_a_user_puts_the_lines_in_force(world: World) -> None:
    lines = before_it_came(world, "opportunity")
    offer(world)

    number = activate_it(world)

    assert world.backend.policy.revision == number
    assert set(lines) <= {str(x) for x in parse(in_force(world))}
    assert (waiting(world), world.rows(PolicyDraft)) == ([], [])
    assert world.rows(PolicyRevision)[-1]["reason"] == "new"


def test_a_user_gives_the_lines_up_and_is_not_asked_again(world: World) -> None:
    before_it_came(world, "opportunity")
    offer(world)

    world.ada.do(policy_drafts.discard_draft, of_system=True)

    assert (waiting(world), world.rows(PolicyDraft)) == ([], [])
    assert offer(world) == []


def test_the_draft_is_gone_when_its_lines_came_into_force_otherwise(world: World) -> None:
    before_it_came(world, "opportunity")
    offer(world)
    text = str(drafted(world)["text"])

    world.ada.do(policy_drafts.apply_policy, text, "from the terminal")

    assert world.rows(PolicyDraft) == []


def test_after_another_revision_the_lines_are_put_on_top_of_it(world: World) -> None:
    lines = before_it_came(world, "opportunity")
    offer(world)
    activate(world, "rolf", HIDE)
    (behind,) = (x for x in world.run(world.ada.read(policy_drafts.drafts)) if x.author_id is None)
    assert (behind.author, behind.is_behind) == ("Millpond", True)

    world.ada.do(policy_drafts.catch_up, of_system=True)

    assert waiting(world) == lines
    assert HIDE in str(drafted(world)["text"])
    activate_it(world)
    assert {HIDE, *lines} <= {str(x) for x in parse(in_force(world))}


def test_a_version_after_that_adds_to_the_draft_that_still_waits(world: World) -> None:
    first = before_it_came(world, "opportunity", ".unlock")
    with world.backend.writer.engine.begin() as connection:
        offered_lines.note_words(connection, [".unlock"], START)  # not yet new
    assert offer(world) == [line for line in first if "opportunity" in line]
    activate(world, "rolf", HIDE)
    with world.backend.writer.engine.begin() as connection:
        connection.execute(delete(PolicyWord).where(PolicyWord.word == ".unlock"))

    second = offer(world)

    assert second == [line for line in first if "unlock" in line]
    assert set(waiting(world)) == set(first)
    assert drafted(world)["base"] == world.backend.policy.revision


def test_lines_that_are_in_force_or_name_a_role_that_is_not_there_are_left_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_it_came(world, "opportunity")
    kept, line = "p, *, opportunity, view, shared, !deleted, allow", NEW.splitlines()[0]
    text = in_force(world)
    with world.backend.writer.engine.begin() as connection:
        put_in_force(connection, f"{text}{kept}\n", "by hand", START)
        world.backend.refresh_policy(connection)
    monkeypatch.setattr(offered_lines, "STARTER", f"{NEW}{kept}\n")

    assert offer(world) == [line]


def test_where_there_is_nothing_to_say_about_what_is_new_no_draft_is_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_it_came(world, "opportunity")
    monkeypatch.setattr(offered_lines, "STARTER", "p, administrator, *, *, all, any, allow\n")

    assert offer(world) == []

    assert world.rows(PolicyDraft) == []
    assert "opportunity" in {row["word"] for row in world.rows(PolicyWord)}


def test_a_broken_policy_is_mended_first(world: World) -> None:
    lines = before_it_came(world, "opportunity")
    with world.backend.writer.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE policy_revision SET text = 'p, sales' WHERE number = 2")

    assert offer(world) == []
    assert "opportunity" not in {row["word"] for row in world.rows(PolicyWord)}

    with world.backend.writer.engine.begin() as connection:
        put_in_force(
            connection, without(STARTER, {x.number for x in parse(STARTER) if str(x) in lines}), "mended", START
        )
        world.backend.refresh_policy(connection)
    assert offer(world) == lines


def test_who_may_not_change_the_policy_neither_takes_nor_discards_the_lines(world: World) -> None:
    before_it_came(world, "opportunity")
    offer(world)

    for use_case in (policy_drafts.discard_draft, policy_drafts.catch_up):
        with pytest.raises(Exception, match="Your roles do not allow"):
            world.li.do(use_case, of_system=True)
    with pytest.raises(NotFound):
        world.ada.do(policy_drafts.catch_up)  # of one's own, which there is not
    assert drafted(world)


def test_the_api_shows_who_has_made_the_draft(api: Api, world: World) -> None:
    before_it_came(world, "opportunity")
    offer(world)

    (shown,) = api.ask("ada", "{ policyDrafts { author { userId name } isBehind } }")["policyDrafts"]

    assert shown == {"author": {"userId": None, "name": "Millpond"}, "isBehind": False}


def test_the_panel_shows_the_lines_and_puts_them_in_force(world: World) -> None:
    lines = before_it_came(world, "opportunity")
    offer(world)
    ada, id = Panel(world).of("ada"), drafted(world)["id"]

    assert "This version brings lines about what is new." in ada.get("/admin/policy").text
    page = ada.get(f"/admin/policy/review?draft={id}").text
    assert "These lines are about what is new in this version." in page
    activate(world, "rolf", HIDE)
    assert "The policy has changed since then." in ada.get(f"/admin/policy/review?draft={id}").text

    moved = ada.post("/admin/policy/catch-up", {"system": str(id)})

    assert moved.headers["location"] == f"/admin/policy/review?draft={id}"
    assert waiting(world) == lines
    assert ada.post("/admin/policy/discard", {"system": str(id)}).status_code == 303
    with world.backend.writer.engine.connect() as connection:
        assert system_draft(connection) is None
