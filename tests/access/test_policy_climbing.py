"""Somebody who may edit the policy and give roles tries to climb: in any order of edits, by every use case that there is.

He never gains, for himself or for anybody, what lies beyond his ceiling as it was, and an administrator always stays.
"""

import os
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from models import Credential, PolicyDraft, PolicyRevision, Role, User, UserRole
from models.errors import Refusal
from policies import STARTER, Snapshot
from policies.objects import ACTIONS, MODULES
from policies.review import can_administer, may_hand_out, may_use
from resolvers.access import grant_limits, policy_drafts, policy_review
from resolvers.people import passwords
from resolvers.records import create_update
from resolvers.runtime.policy_store import put_in_force
from tests.support.world import START, World

LOGINS = ("rolf", "li", "sam", "aud", "ada")
CODES = ("sales", "support", "auditor", "role_manager", "administrator")
OBJECTS = (*sorted(MODULES), "customer.phone", "user.email")
LINES = st.one_of(
    st.builds(
        "{}, {}, {}, {}, {}, {}, {}".format,
        st.sampled_from(["p", "p", "p2"]),
        st.sampled_from([*CODES, "*"]),
        st.sampled_from(
            ["customer", "contact", "user", "role", "policy", "*", "customer.phone", "user.email", "session"]
        ),
        st.sampled_from(["view", "edit", "create", "purge", "export", "activate", "view_as", "write", "touch", "*"]),
        st.sampled_from(["all", "own", "others", "pool"]),
        st.sampled_from(["any", "locked", "!locked", "deleted"]),
        st.sampled_from(["allow", "allow", "deny"]),
    ),
    st.builds("g, {}, {}".format, st.sampled_from(CODES), st.sampled_from(CODES)),
)
TIMES = st.none() | st.integers(-3, 30).map(lambda days: START + timedelta(days=days))


class Climber(RuleBasedStateMachine):
    """Rolf at work in `world`, which every run finds as it was at first."""

    world: World

    @initialize()
    def begin_anew(self) -> None:
        world = self.world
        world.clock.now = START
        with world.backend.writer.engine.begin() as connection:
            for model in (PolicyDraft, UserRole, PolicyRevision):
                connection.execute(model.__table__.delete())  # type: ignore[attr-defined]
            connection.execute(Role.__table__.update().values(deleted_at=None, delete_batch_id=None))  # type: ignore[attr-defined]
            rows = [
                {
                    "user_id": world.ids[x],
                    "role_id": world.ids[y],
                    "version": 1,
                    "created_at": START,
                    "updated_at": START,
                }
                for x, y in (("rolf", "role_manager"), ("li", "sales"), ("sam", "support"), ("ada", "administrator"))
            ]
            connection.execute(UserRole.__table__.insert(), rows)  # type: ignore[attr-defined]
            put_in_force(connection, STARTER, "the beginning", START)
        world.backend.policy = Snapshot(STARTER, 1)
        self.first = world.backend.policy
        self.roles = {
            world.ids[x]: frozenset({y})
            for x, y in (("rolf", "role_manager"), ("li", "sales"), ("sam", "support"), ("ada", "administrator"))
        }

    def attempt(self, use_case: Any, *given: Any, **more: Any) -> None:
        """Let Rolf try; a refusal is what he expects."""
        with suppress(Refusal):
            self.world.scope("rolf").do(use_case, *given, **more)

    # -- what he tries -----------------------------------------------------------------------------------

    @rule(more=st.lists(LINES, max_size=3), less=st.integers(0, 400), takes=st.booleans())
    def edit_the_policy(self, more: list[str], less: int, *, takes: bool) -> None:
        rows = self.world.backend.policy.text.splitlines()
        if takes:
            del rows[less % len(rows)]
        text = "\n".join([*rows, *more]) + "\n"
        self.attempt(policy_drafts.draft_policy, text)
        found = self.world.rows(PolicyDraft)
        if found:
            self.attempt(policy_drafts.catch_up)
            draft = self.world.rows(PolicyDraft)[0]
            try:
                scope = self.world.scope("rolf")
                review = self.world.run(scope.read(policy_review.review_policy, draft["text"]))
            except Refusal:
                return
            self.attempt(policy_drafts.activate_policy, draft["id"], "climbing", review.hash)

    @rule(line=LINES)
    def apply_at_once(self, line: str) -> None:
        self.attempt(policy_drafts.apply_policy, f"{self.world.backend.policy.text}\n{line}\n", "climbing")

    @rule(back=st.integers(1, 9))
    def go_back(self, back: int) -> None:
        self.attempt(policy_drafts.rollback_policy, back, "climbing")

    @rule(login=st.sampled_from(LOGINS), code=st.sampled_from(CODES), starts=TIMES, ends=TIMES)
    def give_a_role(self, login: str, code: str, starts: datetime | None, ends: datetime | None) -> None:
        values = {
            "user_id": self.world.ids[login],
            "role_id": self.world.ids[code],
            "starts_at": starts,
            "ends_at": ends,
        }
        self.attempt(create_update.create, UserRole, values)

    @rule(place=st.integers(0, 20), starts=TIMES, ends=TIMES)
    def move_a_role_in_time(self, place: int, starts: datetime | None, ends: datetime | None) -> None:
        if held := self.world.rows(UserRole):
            row = held[place % len(held)]
            self.attempt(create_update.update, UserRole, row["id"], {"starts_at": starts, "ends_at": ends})

    @rule(place=st.integers(0, 20), back=st.booleans())
    def take_a_role_or_give_it_back(self, place: int, *, back: bool) -> None:
        held = [row for row in self.world.rows(UserRole) if (row["deleted_at"] is not None) is back]
        if held:
            self.attempt(
                create_update.restore if back else create_update.delete, UserRole, [held[place % len(held)]["id"]]
            )

    @rule(code=st.sampled_from(CODES), back=st.booleans())
    def delete_a_role_or_bring_it_back(self, code: str, *, back: bool) -> None:
        self.attempt(create_update.restore if back else create_update.delete, Role, [self.world.ids[code]])

    @rule(code=st.sampled_from(CODES), name=st.integers(0, 3))
    def copy_a_role(self, code: str, name: int) -> None:
        self.attempt(policy_drafts.copy_role, self.world.ids[code], f"copy_{name}", "Copy", "climbing")

    @rule(login=st.sampled_from(LOGINS), code=st.integers(0, 3))
    def give_a_copied_role(self, login: str, code: int) -> None:
        if found := self.world.rows(Role, Role.code == f"copy_{code}"):
            self.attempt(create_update.create, UserRole, {"user_id": self.world.ids[login], "role_id": found[0]["id"]})

    @rule(login=st.sampled_from(LOGINS), active=st.booleans())
    def shut_somebody_out_or_let_him_in(self, login: str, *, active: bool) -> None:
        self.attempt(create_update.update, User, self.world.ids[login], {"active": active})

    @rule(login=st.sampled_from(LOGINS))
    def take_somebodys_password(self, login: str) -> None:
        """Whoever has another's password has his rights."""
        before = self.world.rows(Credential)
        self.attempt(passwords.set_password, login, "stolen", one_time=True)
        assert self.world.rows(Credential) == before or login != "ada"

    @rule(days=st.integers(1, 12))
    def wait(self, days: int) -> None:
        self.world.clock.pass_by(days=days)

    # -- what never happens ------------------------------------------------------------------------------

    @invariant()
    def nobody_has_gained_what_rolf_may_not_hand_out(self) -> None:
        if not hasattr(self, "first"):
            return
        world, rolf, policy = self.world, frozenset({"role_manager"}), self.world.backend.policy
        held = world.run(world.ada.read(lambda _scope, db: grant_limits.holdings(db, world.clock.now)))
        for id, roles in held.items():
            was = self.roles.get(id, frozenset())
            for mine in grant_limits.sets_of(roles, world.clock.now):
                for asked in (may_use, may_hand_out):
                    for object in OBJECTS:
                        for action in ACTIONS:
                            had = asked(self.first, was, object, action) | may_hand_out(
                                self.first, rolf, object, action
                            )
                            more = asked(policy, mine, object, action) & ~had
                            assert not more, (id, sorted(mine), asked.__name__, object, action)

    @invariant()
    def an_administrator_stays(self) -> None:
        if hasattr(self, "first"):
            held = self.world.run(
                self.world.ada.read(
                    lambda _scope, db: grant_limits.holdings(db, self.world.clock.now, [self.world.ids["ada"]])
                )
            )
            mine = grant_limits.sets_of(held.get(self.world.ids["ada"], ()), self.world.clock.now)
            assert mine
            assert all(can_administer(self.world.backend.policy, roles) for roles in mine)


def climb(world: World, runs: int) -> None:
    """Let Rolf try `runs` times, eight steps each."""
    with world.backend.writer.engine.begin() as connection:
        row = {"user_id": world.ids["ada"], "password_hash": "x", "changed_at": START, "one_time": False}
        connection.execute(Credential.__table__.insert(), row)  # type: ignore[attr-defined]
    machine = type("ClimberHere", (Climber,), {"world": world})
    chosen = settings(
        max_examples=runs,
        stateful_step_count=8,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    run_state_machine_as_test(machine, settings=chosen)


def test_nobody_climbs_above_his_ceiling(world: World) -> None:
    climb(world, 8)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_nobody_climbs_above_his_ceiling_in_many_runs(world: World) -> None:
    """Sixty on SQLite and twenty on PostgreSQL; five hundred take a quarter of an hour: `make sweep`."""
    few = 60 if world.backend.dialect == "sqlite" else 20
    climb(world, 500 if os.environ.get("MILLPOND_THOROUGH") else few)
