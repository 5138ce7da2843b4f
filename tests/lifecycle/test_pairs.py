"""Two things that happen to one customer at the same moment end as one after the other would, in one order or the other.

Both orders are tried first, each on a customer of its own in the same state.  Then the first stands still in the middle of
its transaction, between read and write or before its end, until the second waits for it or is done.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import case, event, update
from sqlalchemy.orm import Session

from models import Customer, FollowUp, OwnerLoad, OwnershipPeriod, Pool, QuotaCounter
from models.database.engines import WriteSession
from models.errors import Refusal
from models.follow_up import FollowUpKind
from models.pool import OnExpire
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.jobs.kinds import Work
from resolvers.pool import assign as assigning
from resolvers.pool import claim as claiming
from resolvers.pool import release as releasing
from resolvers.pool import retention
from resolvers.pool.release_neglected import release_neglected
from resolvers.records import create_update
from resolvers.runtime.scope import Scope
from tests.support.claim_checks import change, whole
from tests.support.releases import release_rule
from tests.support.world import START, World

LATER = START + timedelta(days=2)
"""The moment of the pairs, at which every customer with an owner is due."""
PATIENCE = 0.15
"""Seconds after which a call that has not come back waits for the other one."""


# --- what happens ----------------------------------------------------------------------------------------


def _claim(scope: Scope, _: World, id: int) -> Any:
    return claiming.claim(scope, [id])


def _assign(scope: Scope, world: World, id: int) -> Any:
    return assigning.assign(scope, [id], world.ids["wu"])


def _release(scope: Scope, world: World, id: int) -> Any:
    return releasing.release(scope, [id], world.ids["north"])


def _transfer(scope: Scope, world: World, id: int) -> Any:
    return transferring.transfer(scope, [id], world.ids["mei"])


def _lock(scope: Scope, _: World, id: int) -> Any:
    return locking.lock(scope, [id])


def _delete(scope: Scope, _: World, id: int) -> Any:
    return create_update.delete(scope, Customer, [id])


def _restore(scope: Scope, _: World, id: int) -> Any:
    return create_update.restore(scope, Customer, [id])


def _fall(scope: Scope, _world: World, _id: int) -> Any:
    """A chunk of the job that releases what is due."""
    with scope.write("customer.release") as db:
        return release_neglected(scope, db, 100)


def _retain(scope: Scope, _world: World, _id: int) -> Any:
    """A chunk of the job that moves what has been in the pool for too long."""
    with scope.write("customer.move") as db:
        return retention.act(scope, db, Work({}, 0, 100, {})).done


def _edit(scope: Scope, _: World, id: int) -> Any:
    """An edit after which no rule is about the customer."""
    return create_update.update(scope, Customer, id, {"stage": "won"})


def _follow_up(scope: Scope, world: World, id: int) -> Any:
    given = {
        "customer_id": id,
        "kind": FollowUpKind.CALL,
        "content": f"We spoke about {id}",
        "happened_at": world.clock.now,
    }
    return create_update.create(scope, FollowUp, given)


ACTS: dict[str, tuple[str, str, Callable[[Scope, World, int], Any]]] = {
    "claim": ("pool", "wu", _claim),
    "assign": ("pool", "lead", _assign),
    "release": ("owned", "li", _release),
    "transfer": ("owned", "ada", _transfer),
    "lock": ("owned", "li", _lock),
    "delete": ("owned", "ada", _delete),
    "restore": ("bin", "ada", _restore),
    "fall": ("owned", "", _fall),
    "retain": ("pool", "", _retain),
    "edit": ("owned", "li", _edit),
    "follow_up": ("owned", "li", _follow_up),
}
"""What happens -> (where the customer is, by whom, the use case); the clock is nobody."""


# --- standing still --------------------------------------------------------------------------------------


class Gate:
    """Where a call stands still, once, until it may go on."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()

    def wait(self) -> None:
        if not self.reached.is_set():
            self.reached.set()
            assert self.opened.wait(timeout=30)


_here = threading.local()


def _stand_still(_session: Session, *_: object) -> None:
    gate: Gate | None = getattr(_here, "gate", None)
    if gate is not None:
        gate.wait()


@pytest.fixture(autouse=True)
def _gates() -> Iterator[None]:
    event.listen(WriteSession, "before_flush", _stand_still, insert=True)
    yield
    event.remove(WriteSession, "before_flush", _stand_still)


# --- one pair --------------------------------------------------------------------------------------------


class Pair:
    """A world in which pairs happen, each to a new customer."""

    def __init__(self, world: World) -> None:
        self.world = world
        release_rule(world, days=1, everybody=False, stages=["early"])
        world.rule("north", daily_quota=10_000)
        retained = {"retain_days": 1, "on_expire": OnExpire.MOVE_TO_POOL, "expire_pool_id": world.ids["south"]}
        change(world, Pool, world.ids["north"], **retained)

    def customer(self, place: str) -> int:
        """A new customer of Li that is due, or one in a pool or in the bin."""
        self.world.clock.now = START
        pooled = {"pool": "north"} if place == "pool" else {"owner": "li"}
        id = self.world.customer("Acme", **pooled, stage="early")
        if place == "bin":
            self.world.scope("ada").do(_delete, self.world, id)
        self.world.clock.now = LATER
        return id

    def call(self, act: str, id: int, gate: Gate | None = None, at: str = "") -> str:
        """The answer to a call: what it did, or the code of its refusal."""
        _, who, use_case = ACTS[act]
        scope = self.world.scope(who) if who else self.world.backend.system("system:release_due_customers")

        def work(scope: Scope) -> Any:
            if at == "written":
                with scope.write("test.wait"):
                    answer = use_case(scope, self.world, id)
                    assert gate
                    gate.wait()
                    return answer
            _here.gate = gate
            try:
                return use_case(scope, self.world, id)
            finally:
                _here.gate = None

        try:
            answer = scope.do(work)
        except Refusal as refusal:
            return refusal.code()
        if isinstance(answer, int):
            return f"{answer} went"
        problems = getattr(answer, "problems", [])
        return problems[0].code() if problems else "done"

    def in_turn(self, first: str, second: str, place: str) -> tuple[Any, ...]:
        """(answer of the first, of the second, the state) if the one comes after the other."""
        return self._watched(place, lambda n: (self.call(first, n), self.call(second, n)))

    def at_once(self, first: str, second: str, place: str, at: str) -> tuple[Any, ...]:
        """The same if the second comes while the first stands still."""

        def race(id: int) -> tuple[str, str]:
            gate = Gate()
            with ThreadPoolExecutor(2) as two:
                one = two.submit(self.call, first, id, gate, at)
                while not gate.reached.wait(0.005) and not one.done():  # a refused call never gets there
                    pass
                other = two.submit(self.call, second, id)
                _come_back(other)
                gate.opened.set()
                return one.result(timeout=30), other.result(timeout=30)

        return self._watched(place, race)

    def _watched(self, place: str, happens: Callable[[int], tuple[str, str]]) -> tuple[Any, ...]:
        id = self.customer(place)
        before = self._counted()
        answers = happens(id)
        after = self._counted()
        counted = {key: n for key in before | after if (n := after[key] - before[key])}
        state = self._state(id)
        self._put_away(id)
        return *answers, {**state, "counted": counted}

    def _state(self, id: int) -> dict[str, Any]:
        row = self.world.row(Customer, id)
        kept = (
            "owner_id",
            "pool_id",
            "department_id",
            "stage",
            "claimed_at",
            "pooled_at",
            "locked_by_id",
            "deleted_at",
        )
        periods = self.world.rows(OwnershipPeriod, OwnershipPeriod.customer_id == id)
        return {
            **{key: row[key] for key in (*kept, "last_follow_up_at", "release_due_at")},
            "periods": [(x["owner_id"], x["pool_id"], x["began"], x["started_at"], x["ended"]) for x in periods],
            "follow_ups": len(self.world.rows(FollowUp, FollowUp.customer_id == id)),
        }

    def _counted(self) -> Counter[Any]:
        found: Counter[Any] = Counter()
        for row in self.world.rows(OwnerLoad):
            found["held", row["user_id"]] = row["held"]
        for row in self.world.rows(QuotaCounter):
            found["claims", row["user_id"], row["period"]] = row["used"]
        return found

    def _put_away(self, id: int) -> None:
        """Let the jobs of the next pair pass over this customer."""
        c: Any = Customer.__table__
        arrived = case((c.c.pool_id.is_not(None), LATER), else_=None)
        with self.world.backend.writer.engine.begin() as connection:
            connection.execute(update(c).where(c.c.id == id).values(release_due_at=None, pooled_at=arrived))


def _come_back(call: "Future[str]") -> None:
    with suppress(TimeoutError):  # it waits for the other
        call.result(timeout=PATIENCE)


def _other(found: tuple[Any, ...], order: tuple[Any, ...]) -> list[Any]:
    """What was found, and what was expected instead, where they differ."""
    (*told, state), (*expected, then) = found, order
    return [(told, expected), *((key, state[key], then[key]) for key in state if state[key] != then[key])]


@pytest.mark.long
@pytest.mark.sampled(sqlite=6, postgresql=5)
@pytest.mark.parametrize("first", ACTS)
def test_a_pair_ends_as_one_of_the_two_orders_would(world: World, first: str) -> None:
    pair = Pair(world)
    place, wrong = ACTS[first][0], []
    for second in ACTS:
        orders = [pair.in_turn(first, second, place)]
        one, other, state = pair.in_turn(second, first, place)
        orders.append((other, one, state))
        for at in ("read", "written"):
            found = pair.at_once(first, second, place, at)
            if found not in orders:
                wrong.append(f"{first}, {second} ({at}): {[_other(found, order) for order in orders]}")
    assert "\n".join(wrong) == ""
    assert [x for x in whole(world) if "release date" not in x] == []
