"""No policy takes effect on which Casbin and the cells differ: not by activation, not in another process, not at start."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import update

from models import Contact, PolicyRevision, User, UserRole
from models.errors import InvalidPolicyText
from policies import STARTER, Snapshot, proof
from policies.proof import fingerprint, prove
from policies.questions import Roles
from resolvers.access import policy_drafts, policy_revisions
from resolvers.access.policy_repair import repair_policy
from resolvers.people import preferences
from resolvers.people.tokens import create_token
from resolvers.runtime import policy_proof
from resolvers.runtime.backend import Backend
from resolvers.runtime.policy_store import Stored, hash_of, newest, put_in_force
from tests.support.cell_faults import deny_is_ignored
from tests.support.graphql import Api
from tests.support.panel import Panel
from tests.support.refusals import refused
from tests.support.terminal import millpond
from tests.support.world import START, World

DENY = "p, sales, customer, export, others, any, deny"
LINES = sum(line.startswith(("p, ", "g, ")) for line in STARTER.splitlines())
"""The lines by which Casbin decides; the others say what may be handed out."""
WIDER = f"{STARTER}p, sales, customer, export, all, any, allow\n{DENY}\n"


@pytest.fixture(autouse=True)
def _nothing_is_proved_yet() -> None:
    policy_proof.forget()


# --- activation -------------------------------------------------------------------------------------------


def test_an_activation_records_what_was_proved(world: World) -> None:
    number = world.ada.do(policy_drafts.apply_policy, WIDER, "why")

    row = world.rows(PolicyRevision)[-1]
    assert row["proof"]["by"] == fingerprint(WIDER)
    assert (row["proof"]["decisions"], row["proof"]["lines_tried"]) == (8, 8)
    with world.backend.writer.engine.connect() as connection:
        assert newest(connection) == Stored(number, WIDER, is_whole=True, is_proved=True)


def test_an_activation_on_which_casbin_differs_is_refused_with_its_line_and_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = world.ada.do(policy_drafts.draft_policy, WIDER)
    reviewed = hash_of(WIDER)
    deny_is_ignored(monkeypatch)
    line = len(WIDER.splitlines())

    for use_case, *given in (
        (policy_drafts.activate_policy, id, "why", reviewed),
        (policy_drafts.apply_policy, WIDER, "why"),
    ):
        refusal = refused(world, world.ada, InvalidPolicyText, use_case, *given)
        assert str(refusal).startswith(
            f"The policy cannot be used: line {line} ({DENY}): Casbin says no and Millpond says yes to sales: export "
        )
        assert refusal.say("zh").startswith(f"策略无法使用：第 {line} 行（{DENY}）：sales 对 customer 执行 export（")
        assert (world.backend.policy.revision, world.backend.policy.text) == (1, STARTER)
    refused(world, world.system, InvalidPolicyText, repair_policy, "why", text=WIDER)


def test_where_casbin_itself_breaks_nothing_takes_effect_and_everything_else_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> bool:
        raise RuntimeError("invalid policy size")

    monkeypatch.setattr(proof.Judge, "allows", breaks)

    refusal = refused(world, world.ada, InvalidPolicyText, policy_drafts.apply_policy, WIDER, "why")

    assert (
        str(refusal) == "The policy cannot be used: Casbin cannot judge the policy (RuntimeError: invalid policy size)"
    )
    assert refusal.say("zh") == "策略无法使用：Casbin 无法判定该策略（RuntimeError: invalid policy size）"
    by_hand(world, WIDER)
    assert state(world) == "revision 2 cannot be in force; revision 1 stays in force"
    world.ada.do(policy_drafts.draft_policy, "# mine")


def test_a_rollback_to_a_text_on_which_casbin_differs_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    number = world.ada.do(policy_drafts.apply_policy, WIDER, "why")
    world.ada.do(policy_drafts.apply_policy, STARTER, "back")
    policy_proof.forget()
    deny_is_ignored(monkeypatch)

    refusal = refused(world, world.ada, InvalidPolicyText, policy_drafts.rollback_policy, number, "again")

    assert DENY in str(refusal)


def test_a_copied_role_is_proved_as_well(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "MOST_DECISIONS", LINES)
    world.ada.do(policy_drafts.apply_policy, WIDER, "why")
    deny_is_ignored(monkeypatch)

    refusal = refused(
        world, world.ada, InvalidPolicyText, policy_drafts.copy_role, world.ids["sales"], "other", "Other", "why"
    )

    assert "p, other, customer, export, others, any, deny" in str(refusal)


def test_nobody_who_writes_waits_for_casbin(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a policy is proved, another use case commits: no transaction is open, no writer's thread is taken."""
    begun, go_on = threading.Event(), threading.Event()
    whole = prove

    def slow(*given: Any) -> Any:
        begun.set()
        assert go_on.wait(20)
        return whole(*given)

    monkeypatch.setattr(policy_proof, "prove", slow)

    async def both() -> int:
        activation = asyncio.ensure_future(world.ada.run(policy_drafts.apply_policy, WIDER, "why"))
        assert await asyncio.to_thread(begun.wait, 20)
        await world.ada.run(policy_drafts.draft_policy, f"{STARTER}# meanwhile\n")
        assert world.backend.policy.revision == 1
        go_on.set()
        return await activation

    assert world.run(both()) == 2 == world.backend.policy.revision


def test_roles_given_while_a_policy_is_proved_are_proved_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    proved: list[frozenset[Roles]] = []
    whole = prove

    def prove_and_hire(policy: Snapshot, sets: frozenset[Roles], changed: Any = ()) -> Any:
        proved.append(sets)
        if len(proved) == 1:
            world.user("new", "New One", "auditor")
            world.make(UserRole, user_id=world.ids["new"], role_id=world.ids["support"])
        return whole(policy, sets, changed)

    monkeypatch.setattr(policy_proof, "prove", prove_and_hire)

    world.ada.do(policy_drafts.apply_policy, WIDER, "why")

    both = frozenset({"auditor", "support"})
    assert [both in sets for sets in proved] == [False, True]


def test_the_role_sets_in_use_are_those_of_active_users_and_the_empty_one(world: World) -> None:
    world.user("both", "Bo Th", "sales")
    world.make(UserRole, user_id=world.ids["both"], role_id=world.ids["support"])
    world.user("gone", "Go Ne", "auditor")
    world.make(UserRole, user_id=world.ids["gone"], role_id=world.ids["support"])
    world.make(UserRole, user_id=world.ids["aud"], role_id=world.ids["sales"], ends_at=START.replace(year=2099))
    world.clock.pass_by(days=1)
    with world.backend.writer.engine.begin() as connection:
        connection.execute(update(User).where(User.id == world.ids["gone"]).values(active=False))
        found = policy_proof.role_sets(connection, world.clock())

    one = {"administrator", "role_manager", "sales", "sales_lead", "finance", "support"}
    assert found == {
        frozenset(),
        frozenset({"sales", "support"}),
        frozenset({"auditor", "sales"}),
        *(frozenset({role}) for role in one),
    }


# --- another process --------------------------------------------------------------------------------------


def by_hand(world: World, text: str, **columns: Any) -> int:
    """A revision that another program has stored."""
    with world.backend.writer.engine.begin() as connection:
        return put_in_force(connection, text, "by hand", START, **columns)


def state(world: World) -> str | None:
    return world.run(world.backend.policy_state())


def test_a_revision_without_a_proof_is_proved_before_it_is_taken_over(world: World) -> None:
    number = by_hand(world, WIDER)

    assert state(world) is None
    assert (world.backend.policy.revision, world.backend.policy.text) == (number, WIDER)


@pytest.mark.parametrize("how", ["a request", "a write", "a health check"])
def test_a_revision_on_which_casbin_differs_is_not_taken_over_and_the_last_good_one_stays(
    world: World, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    deny_is_ignored(monkeypatch)
    token = world.ada.do(create_token, "t").token
    by_hand(world, WIDER)

    if how == "a request":
        assert world.run(world.backend.principal_of(token)) is not None
    elif how == "a write":
        world.ada.do(policy_drafts.draft_policy, "# mine")
    else:
        state(world)

    assert (world.backend.policy.revision, world.backend.policy.text) == (1, STARTER)
    assert state(world) == "revision 2 cannot be in force; revision 1 stays in force"
    assert [DENY in problem for problem in world.backend.policy_problems] == [True]
    assert world.backend.policy_problems_in("zh")[0].startswith("第 ")
    in_force = world.run(world.ada.read(policy_revisions.in_force))
    assert (in_force.number, in_force.problems) == (1, world.backend.policy_problems)


def test_the_event_loop_goes_on_while_another_process_s_revision_is_proved(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = world.ada.do(create_token, "t").token
    by_hand(world, WIDER)
    begun, go_on = threading.Event(), threading.Event()
    whole = prove

    def slow(*given: Any) -> Any:
        begun.set()
        assert go_on.wait(20)
        return whole(*given)

    monkeypatch.setattr(policy_proof, "prove", slow)

    async def both() -> None:
        request = asyncio.ensure_future(world.backend.principal_of(token))
        assert await asyncio.to_thread(begun.wait, 20)
        assert not request.done(), "a new request is judged by the new revision or waits for it"
        go_on.set()
        assert await request is not None

    world.run(both())
    assert world.backend.policy.revision == 2


def test_what_this_code_has_proved_elsewhere_is_taken_over_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Snapshot(WIDER)
    record = policy_proof.recorded(prove(made), WIDER)
    asked = []
    monkeypatch.setattr(policy_proof, "prove", lambda *given: asked.append(given))

    by_hand(world, WIDER, proof=record)
    assert state(world) is None
    assert (world.backend.policy.text, asked) == (WIDER, [])

    by_hand(world, f"{WIDER}# other\n", proof=record)  # the record of another text
    policy_proof.forget()
    state(world)
    assert len(asked) == 1
    by_hand(world, f"{WIDER}# more\n", proof={**record, "by": "0" * 64})  # what other code has proved
    state(world)
    assert len(asked) == 2


# --- at start ---------------------------------------------------------------------------------------------


@contextmanager
def started(world: World) -> Iterator[Backend]:
    """Another process that begins to serve."""
    policy_proof.forget()
    backend = Backend(world.backend.url, clock=world.clock)
    try:
        world.run(backend.start())
        yield backend
    finally:
        world.run(backend.stop_reading())
        backend.writer.close()


def test_a_process_that_starts_proves_for_itself_and_records_it(world: World) -> None:
    by_hand(world, WIDER)

    with started(world) as backend:
        assert (backend.policy.revision, backend.policy_problems) == (2, [])
    assert world.rows(PolicyRevision)[-1]["proof"]["by"] == fingerprint(WIDER)


def test_a_process_that_starts_with_a_fault_takes_nothing_and_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is on record: another version of the program has proved that."""
    monkeypatch.setattr(proof, "MOST_DECISIONS", LINES)
    world.ada.do(policy_drafts.apply_policy, WIDER, "why")
    deny_is_ignored(monkeypatch)

    with started(world) as backend:
        assert (backend.policy.revision, backend.policy.text) == (0, "")
        assert not backend.policy.ever(backend.person("ada"), "view", "customer")
        assert world.run(backend.policy_state()) == "revision 2 cannot be in force; everything is denied"
        assert len(backend.policy_problems) == 1
    assert world.backend.policy.revision == 2, "a process that runs keeps what it has"


def test_the_doctor_has_casbin_judge_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "MOST_DECISIONS", LINES)
    sound = millpond(world.backend.url, "doctor").stderr
    assert f"Casbin decides as Millpond does: {LINES} decisions, {LINES} of {LINES} lines tried." in sound
    deny_is_ignored(monkeypatch)

    said = [line for line in millpond(world.backend.url, "doctor").stderr.splitlines() if "Casbin says no" in line]

    assert len(said) == 1
    assert said[0].startswith("millpond: Policy revision 1: line ")
    assert "policy repair --to NUMBER" in said[0]


# --- the simulator ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_simulator_shows_the_verdict_of_casbin_beside_ours(
    world: World, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    mine = world.customer("Acme", "li")
    words = {"en": ("allowed", "refused", ": "), "zh": ("允许", "不允许", "：")}[language]
    browser = Panel(world).of("ada")
    world.ada.do(preferences.set_language, language)

    def shown(login: str) -> list[str]:
        asked = {"person": f"usr_{world.ids[login]}", "record": f"cus_{mine}", "action": "edit"}
        page = browser.get("/admin/policy/simulator", asked).text
        allowed, refused_, colon = words
        return [
            f"{who} {verdict}"
            for who in ("Millpond", "Casbin")
            for verdict in (allowed, refused_)
            if f">{who}{colon}{verdict}<" in page
        ] + ["alert"] * page.count("alert-danger")

    allowed, refused_, _ = words
    assert shown("li") == [f"Millpond {allowed}", f"Casbin {allowed}"]
    assert shown("wu") == [f"Millpond {refused_}", f"Casbin {refused_}"]

    monkeypatch.setattr(proof, "verdict", lambda *_: True)
    assert shown("wu") == [f"Millpond {refused_}", f"Casbin {allowed}", "alert"]


def test_graphql_says_what_casbin_says_of_records_fields_and_what_hangs_on_them(api: Api, world: World) -> None:
    mine, pooled = world.customer("Acme", "li"), world.customer("Pooled", pool="north")
    ann = world.make(Contact, name="Ann", customer_id=world.customer("Other", "mei"))
    query = (
        "query ($user: ID!, $id: ID!, $action: Action!, $field: String) { explainAccess(userId: $user, action: $action, "
        "recordId: $id, field: $field) { allowed casbin whole { casbin } } }"
    )

    def asked(id: str, action: str, field: str | None = None) -> dict[str, Any]:
        given = {"user": f"usr_{world.ids['li']}", "id": id, "action": action.upper(), "field": field}
        found: dict[str, Any] = api.ask("aud", query, **given)["explainAccess"]
        return found

    assert asked(f"cus_{mine}", "edit") == {"allowed": True, "casbin": True, "whole": None}
    assert asked(f"cus_{mine}", "purge") == {"allowed": False, "casbin": False, "whole": None}
    assert asked(f"cus_{pooled}", "VIEW") == {"allowed": True, "casbin": True, "whole": None}
    assert asked(f"cus_{pooled}", "VIEW", "phone") == {"allowed": False, "casbin": False, "whole": None}
    assert asked(f"con_{ann}", "VIEW") == {"allowed": False, "casbin": False, "whole": {"casbin": False}}


def test_the_panel_says_in_chinese_why_the_newest_policy_is_not_in_force(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    deny_is_ignored(monkeypatch)
    by_hand(world, WIDER)
    browser = Panel(world).of("ada")
    world.ada.do(preferences.set_language, "zh")

    page = browser.get("/admin/policy").text

    assert f"第 {len(WIDER.splitlines())} 行（{DENY}）" in page
    assert "Casbin 判定为不允许，Millpond 判定为允许" in page
