"""A role manager who may also edit people, departments and pools tries to climb, by every use case in any order.

They never gain anything themselves, nobody gains what lies beyond their ceiling as it was, nobody gets at a locked record,
and an administrator stays, who can set everything right again.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from models import Credential, Customer, Department, PolicyDraft, PolicyRevision, PoolMember, Role, User, UserRole
from models.errors import Refusal
from models.pool import GranteeKind, Seat
from policies import STARTER, Snapshot
from policies.objects import ACTIONS, MODULES
from policies.review import can_administer, may_hand_out, may_use
from resolvers.access import grant_limits, policy_drafts, policy_review
from resolvers.customers import lock
from resolvers.people import passwords
from resolvers.records import create_update
from resolvers.runtime import principals
from resolvers.runtime.policy_store import put_in_force
from tests.support import forms
from tests.support.world import START, World

MORE = """p, role_manager, user, edit, all, any, allow
p, role_manager, department, touch, all, any, allow
p, role_manager, pool, touch, all, any, allow
"""
"""Rights to climb by.  With that to create users a role manager would be an administrator."""
FIRST = Snapshot(STARTER + MORE, 1)
RECORDS = ("north", "south", "li", "mei", "locked")
"""Customers: in either pool, of two owners, and one that Li has locked."""
SEEN = ("view", "edit", "delete", "transfer", "claim", "assign", "unlock", "export", "purge")
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
        st.sampled_from(
            ["view", "edit", "create", "purge", "export", "activate", "view_as", "unlock", "write", "touch", "*"]
        ),
        st.sampled_from(["all", "own", "others", "pool", "pool_admin", "subtree"]),
        st.sampled_from(["any", "locked", "!locked", "deleted"]),
        st.sampled_from(["allow", "allow", "deny"]),
    ),
    st.builds("g, {}, {}".format, st.sampled_from(CODES), st.sampled_from(CODES)),
)
TIMES = st.none() | st.integers(-3, 30).map(lambda days: START + timedelta(days=days))


@lru_cache(256)
def granted(policy: Snapshot, roles: frozenset[str], asked: Callable[..., int]) -> dict[tuple[str, str], int]:
    """(object, action) -> what these roles are granted there.  A snapshot never changes, so neither does the answer."""
    return {key: asked(policy, roles, *key) for key in product(OBJECTS, ACTIONS)}


class Climber(RuleBasedStateMachine):
    """Rolf at work in `world`, which every run finds as it was at first."""

    world: World
    seats: list[dict[str, Any]]
    people: list[dict[str, Any]]
    departments: list[tuple[int, int | None, str]]
    records: dict[str, int]
    reaching: dict[str, set[tuple[str, str]]]
    reached_in: object = None

    def reach(self) -> dict[str, set[tuple[str, str]]]:
        """Login -> (action, customer) that the database lets this user do, of those who can sign in.

        Asked again only where policy, hour or any row has changed: most of what Rolf tries is refused.
        """
        world = self.world
        state = world.backend.policy.text, world.clock.now, world.everything()
        if state != self.reached_in:
            self.reaching, self.reached_in = self._reach(), state
        return self.reaching

    def _reach(self) -> dict[str, set[tuple[str, str]]]:
        found: dict[str, set[tuple[str, str]]] = {}
        columns, named = Customer.__table__.c, {id: name for name, id in self.records.items()}
        with self.world.backend.writer.engine.connect() as connection:
            active = connection.execute(select(User.id, User.login).where(User.active)).all()
            for user_id, login in active:
                person = principals.by_id(connection, user_id, self.world.clock.now)
                may = (self.world.backend.policy.where(person, x, Customer, columns).label(x) for x in SEEN)
                rows = connection.execute(select(columns.id, *may).where(columns.id.in_(named)))
                found[login] = {
                    (x, named[id]) for id, *open_to in rows for x, y in zip(SEEN, open_to, strict=True) if y
                }
        return found

    @initialize()
    def begin_anew(self) -> None:
        world = self.world
        world.clock.now = START
        with world.backend.writer.engine.begin() as connection:
            for model in (PolicyDraft, UserRole, PolicyRevision, PoolMember, Credential):
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
            key = {"user_id": world.ids["ada"], "password_hash": "x", "changed_at": START, "one_time": False}
            connection.execute(Credential.__table__.insert(), key)  # type: ignore[attr-defined]
            connection.execute(PoolMember.__table__.insert(), self.seats)  # type: ignore[attr-defined]
            for row in self.people:
                connection.execute(User.__table__.update().where(User.id == row["id"]).values(row))  # type: ignore[attr-defined]
            for id, parent_id, path in self.departments:
                placed = Department.__table__.update().where(Department.id == id)  # type: ignore[attr-defined]
                connection.execute(placed.values(parent_id=parent_id, path=path))
            put_in_force(connection, FIRST.text, "the beginning", START)
        self.first = world.backend.policy = FIRST
        self.reached = self.reach()
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
        """Whoever has another's password has their rights: it may open nothing that Rolf cannot do himself."""
        before, reach = self.world.rows(Credential), self.reach()
        self.attempt(passwords.set_password, login, "stolen", one_time=True)
        if self.world.rows(Credential) != before:
            assert login != "ada"
            assert reach.get(login, set()) <= reach["rolf"]

    @rule(login=st.sampled_from(LOGINS), new=st.sampled_from([*LOGINS, "other"]))
    def take_somebodys_login(self, login: str, new: str) -> None:
        reach = self.reach()
        self.attempt(create_update.update, User, self.world.ids[login], {"login": new})
        if self.reach().keys() != reach.keys():
            assert reach.get(login, set()) <= reach["rolf"]
            self.attempt(create_update.update, User, self.world.ids[login], {"login": login})

    @rule(
        pool=st.sampled_from(["north", "south"]),
        grantee=st.sampled_from([*LOGINS, "east", "house", *CODES]),
        seat=st.sampled_from([*Seat]),
    )
    def give_a_seat(self, pool: str, grantee: str, seat: Seat) -> None:
        kind = GranteeKind.USER if grantee in LOGINS else GranteeKind.ROLE
        kind = GranteeKind.DEPARTMENT if grantee in ("east", "house") else kind
        values = {"pool_id": self.world.ids[pool], "grantee_kind": kind, "grantee_id": self.world.ids[grantee]}
        self.attempt(create_update.create, PoolMember, {**values, "seat": seat})

    @rule(place=st.integers(0, 20), seat=st.sampled_from([*Seat]))
    def change_a_seat(self, place: int, seat: Seat) -> None:
        rows = self.world.rows(PoolMember)
        self.attempt(create_update.update, PoolMember, rows[place % len(rows)]["id"], {"seat": seat})

    @rule(place=st.integers(0, 20), back=st.booleans())
    def take_a_seat_or_give_it_back(self, place: int, *, back: bool) -> None:
        if rows := [row for row in self.world.rows(PoolMember) if (row["deleted_at"] is not None) is back]:
            use_case = create_update.restore if back else create_update.delete
            self.attempt(use_case, PoolMember, [rows[place % len(rows)]["id"]])

    @rule(login=st.sampled_from(LOGINS), to=st.sampled_from(["house", "east", "west"]))
    def move_somebody(self, login: str, to: str) -> None:
        self.attempt(create_update.update, User, self.world.ids[login], {"department_id": self.world.ids[to]})

    @rule(which=st.sampled_from(["east", "west"]), below=st.sampled_from(["house", "east", "west"]))
    def move_a_department(self, which: str, below: str) -> None:
        self.attempt(create_update.update, Department, self.world.ids[which], {"parent_id": self.world.ids[below]})

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
            for mine, asked in product(grant_limits.sets_of(roles, world.clock.now), (may_use, may_hand_out)):
                had, gives = granted(self.first, was, asked), granted(self.first, rolf, may_hand_out)
                for key, now in granted(policy, mine, asked).items():
                    assert not now & ~(had[key] | gives[key]), (id, sorted(mine), asked.__name__, key)

    @invariant()
    def rolf_has_gained_nothing_and_nobody_gets_at_what_is_locked(self) -> None:
        if not hasattr(self, "first"):
            return
        now = self.reach()
        assert now["rolf"] <= self.reached["rolf"]
        for login, reached in now.items():
            beyond = reached - self.reached.get(login, set())
            assert not {(action, name) for action, name in beyond if action == "purge"}, (login, beyond)
            closed = {"view", "edit", "delete", "transfer", "export"}
            assert not {action for action, name in beyond if name == "locked"} & closed, (login, beyond)

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
            was = granted(self.first, frozenset({"administrator"}), may_hand_out)
            for roles in mine:
                gives = granted(self.world.backend.policy, roles, may_hand_out)
                assert not [key for key, table in was.items() if table & ~gives[key]]

    def teardown(self) -> None:
        """Whatever Rolf did, the administrator brings back how it was."""
        if hasattr(self, "first") and self.world.backend.policy.text != self.first.text:
            self.world.scope("ada").do(policy_drafts.rollback_policy, 1, "back")
            assert self.world.backend.policy.text == self.first.text


def climb(world: World, runs: int) -> None:
    """Let Rolf try `runs` times, eight steps each."""
    records = {pool: world.customer(pool, pool=pool) for pool in ("north", "south")}
    records |= {owner: world.customer(owner, owner) for owner in ("li", "mei")}
    records["locked"] = world.customer("Locked", "li")
    world.li.do(lock.lock, [records["locked"]])
    given = {
        "world": world,
        "records": records,
        "seats": world.rows(PoolMember),
        "people": world.rows(User),
        "departments": [(x["id"], x["parent_id"], x["path"]) for x in world.rows(Department)],
    }
    machine = type("ClimberHere", (Climber,), given)
    chosen = settings(
        max_examples=runs,
        stateful_step_count=8,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    run_state_machine_as_test(machine, settings=chosen)


def test_nobody_climbs_above_his_ceiling(world: World) -> None:
    climb(world, 5)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.sampled
def test_nobody_climbs_above_his_ceiling_in_many_runs(world: World) -> None:
    """Twenty on SQLite and eight on PostgreSQL; five hundred take a quarter of an hour: `make sweep`."""
    few = 20 if world.backend.dialect == "sqlite" else 8
    climb(world, 500 if forms.IS_THOROUGH else few)
