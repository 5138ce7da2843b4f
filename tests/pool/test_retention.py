"""Retention: what happens to customers whose days are over, once, whoever else wants them, and what cannot be set."""

from datetime import timedelta
from typing import Any

import pytest

import tasks
from models import AssignmentRule, Customer, Job, Notice, Pool, User
from models.errors import Validation
from models.pool import OnExpire, Seat
from resolvers.jobs.kinds import KINDS, Work
from resolvers.pool import claim as claiming
from resolvers.pool import move as moving
from resolvers.pool import retention
from resolvers.records import create_update
from tasks.engine import Engine
from tests.support.claim_checks import change, owner, unchanged, whole
from tests.support.graphql import Api
from tests.support.world import START, World

KEPT = {"retain_days": 10}


def keep(world: World, pool: str = "north", **values: Any) -> None:
    change(world, Pool, world.ids[pool], **KEPT, **values)


def run(world: World) -> int:
    """Run the job once, as the clock does; returns how many chunks it took."""
    scope = world.backend.system("system:act_on_retention")
    memory: dict[str, Any] = {}
    position = chunks = 0

    def chunk(scope: Any) -> Any:
        with scope.write("customer.move") as db:
            return retention.act(scope, db, Work({}, position, size, memory))

    size = 2
    while True:
        progress = scope.do(chunk)
        position, chunks = progress.position, chunks + 1
        if not progress.more:
            return chunks


def told(world: World, login: str = "lead") -> list[tuple[str, int | None]]:
    rows = world.rows(Notice, Notice.receiver_id == world.ids[login])
    return [(row["kind"], row["facts"].get("count")) for row in rows if row["kind"].startswith(("retention", "not_"))]


def place(world: World, id: int) -> tuple[str | None, bool]:
    row = world.row(Customer, id)
    names = {world.ids[name]: name for name in ("north", "south")}
    return names.get(row["pool_id"]), row["deleted_at"] is not None


def test_a_customer_moves_when_its_days_are_over_and_not_before(world: World) -> None:
    keep(world, on_expire=OnExpire.MOVE_TO_POOL, expire_pool_id=world.ids["south"])
    old = world.customer("Old", pool="north")
    world.clock.pass_by(days=5)
    young = world.customer("Young", pool="north")
    world.clock.pass_by(days=5, minutes=-1)
    run(world)
    assert place(world, old) == ("north", False)

    world.clock.pass_by(minutes=1)
    run(world)

    assert (place(world, old), place(world, young)) == (("south", False), ("north", False))
    row = world.row(Customer, old)
    assert row["pooled_at"] == world.clock.now
    entry = world.log("customer", old)[-1]
    assert (entry["action"], entry["reason"]) == ("customer.move", retention.REASON)
    assert told(world) == [("retention_acted", 1)]
    assert whole(world) == []


def test_run_twice_and_late_nothing_happens_twice(world: World) -> None:
    keep(world, on_expire=OnExpire.MOVE_TO_POOL, expire_pool_id=world.ids["south"])
    ids = [world.customer(f"C{n}", pool="north") for n in range(5)]
    world.clock.pass_by(days=40)
    assert run(world) == 4  # chunks of two, and one that finds nothing
    mark, notices = world.mark(), told(world)

    assert run(world) == 1

    assert [place(world, id) for id in ids] == [("south", False)] * 5
    assert world.log(since=mark) == []
    assert told(world) == notices
    assert sum(count or 0 for _, count in notices) == 5


def test_an_archive_takes_them_and_nobody_claims_there(world: World) -> None:
    change(world, Pool, world.ids["south"], is_archive=True)
    keep(world, on_expire=OnExpire.ARCHIVE, expire_pool_id=world.ids["south"])
    id = world.customer(pool="north")
    world.clock.pass_by(days=10)

    run(world)

    assert place(world, id) == ("south", False)
    assert [x.code() for x in world.mei.do(claiming.claim, [id]).problems] == ["ARCHIVED"]


def test_the_recycle_bin_takes_them_and_they_can_be_restored(world: World) -> None:
    keep(world, on_expire=OnExpire.RECYCLE_BIN)
    id = world.customer(pool="north")
    world.clock.pass_by(days=10)

    run(world)

    assert place(world, id) == ("north", True)
    assert world.lead.do(create_update.restore, Customer, [id]).ids == [id]
    assert whole(world) == []


def test_administrators_are_told_of_each_customer_once(world: World) -> None:
    keep(world)
    first = [world.customer(f"C{n}", pool="north") for n in range(3)]
    world.clock.pass_by(days=10)
    run(world)
    run(world)
    assert told(world) == [("retention_due", 2), ("retention_due", 1)]
    world.clock.pass_by(days=-9)
    later = world.customer("Later", pool="north")
    world.clock.pass_by(days=20)

    run(world)
    run(world)

    assert told(world)[2:] == [("retention_due", 1)]
    assert [place(world, id) for id in (*first, later)] == [("north", False)] * 4
    assert told(world, "li") == []


def test_they_are_assigned_and_who_finds_nobody_is_tried_again_every_day_and_told_once(world: World) -> None:
    world.make(AssignmentRule, pool_id=world.ids["north"])
    keep(world, on_expire=OnExpire.AUTO_ASSIGN)
    ids = [world.customer(f"C{n}", pool="north") for n in range(3)]
    for login in ("li", "wu", "lead"):
        change(world, User, world.ids[login], absent_until=START + timedelta(days=12))
    world.clock.pass_by(days=10)

    run(world)
    run(world)
    assert [owner(world, id) for id in ids] == [None] * 3
    assert told(world) == [("not_assigned", None)] * 3

    world.clock.pass_by(days=1)
    run(world)
    assert told(world) == [("not_assigned", None)] * 3

    world.clock.pass_by(days=2)
    run(world)
    assert {owner(world, id) for id in ids} == {world.ids[login] for login in ("li", "wu", "lead")}
    assert whole(world) == []


def test_a_claim_that_comes_first_wins_and_so_does_a_move(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The claim is committed after the job has chosen its customers, and before it locks them."""
    keep(world, on_expire=OnExpire.RECYCLE_BIN)
    world.seat("south", "lead", Seat.ADMIN)
    claimed, moved, due = (world.customer(name, pool="north") for name in ("A", "B", "C"))
    world.clock.pass_by(days=10)
    if world.backend.dialect == "sqlite":  # one writer at a time: between two chunks
        assert world.li.do(claiming.claim, [claimed]).ids == [claimed]
        assert world.lead.do(moving.move, [moved], world.ids["south"]).ids == [moved]
    else:
        chosen = retention._Run._due

        def and_then(self: Any, *given: Any) -> Any:
            found = chosen(self, *given)
            if place(world, moved)[0] == "north" and owner(world, claimed) is None:
                assert world.li.do(claiming.claim, [claimed]).ids == [claimed]
                assert world.lead.do(moving.move, [moved], world.ids["south"]).ids == [moved]
            return found

        monkeypatch.setattr(retention._Run, "_due", and_then)

    run(world)

    assert owner(world, claimed) == world.ids["li"]
    assert (place(world, moved), place(world, due)) == (("south", False), ("north", True))
    assert whole(world) == []


def test_a_target_that_was_closed_meanwhile_leaves_them_where_they_are(world: World) -> None:
    keep(world, on_expire=OnExpire.MOVE_TO_POOL, expire_pool_id=world.ids["south"])
    id = world.customer(pool="north")
    with world.backend.writer.engine.begin() as connection:
        table = Pool.__table__
        connection.execute(table.update().where(table.c.id == world.ids["south"]).values(enabled=False))  # type: ignore[attr-defined]
    world.clock.pass_by(days=10)

    run(world)

    assert place(world, id) == ("north", False)


def test_administrators_are_reminded_once_before(world: World) -> None:
    keep(world, notice_days=3, on_expire=OnExpire.RECYCLE_BIN)
    for n in range(2):
        world.customer(f"C{n}", pool="north")
    world.clock.pass_by(days=6)
    run(world)
    assert told(world) == []
    world.clock.pass_by(days=1)

    run(world)
    run(world)

    assert told(world) == [("retention_coming", 2)]


def test_the_clock_runs_it_every_five_minutes(world: World) -> None:
    tasks.load()
    assert KINDS["act_on_retention"].schedule is not None
    keep(world, on_expire=OnExpire.RECYCLE_BIN)
    id = world.customer(pool="north")
    world.clock.pass_by(days=10)

    Engine(world.backend, "w0").run_due()

    assert place(world, id) == ("north", True)
    ran = world.rows(Job, Job.kind == "act_on_retention")
    assert [(row["state"], row["done"], row["actor_id"]) for row in ran] == [("DONE", 1, None)]


# --- settings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"retain_days": None, "on_expire": "RECYCLE_BIN"}, "retainDays", "Say after how many days that happens"),
        ({"on_expire": "MOVE_TO_POOL"}, "expirePoolId", "Choose the pool that customers go to then."),
        ({"on_expire": "MOVE_TO_POOL", "expire_pool_id": "north"}, "expirePoolId", "Customers would move from pool"),
        ({"on_expire": "ARCHIVE", "expire_pool_id": "south"}, "expirePoolId", "South is no archive."),
        ({"on_expire": "AUTO_ASSIGN"}, "onExpire", "The pool has no rule for automatic assignment yet."),
        ({"notice_days": 10}, "noticeDays", "The reminder comes before the customer even arrives"),
        ({"retain_days": 0}, "retainDays", "Days a customer may stay must lie between 1 and 3"),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_a_sentence(
    world: World, values: dict[str, Any], field: str, sentence: str
) -> None:
    given = {**KEPT, **values}
    if "expire_pool_id" in values:
        given["expire_pool_id"] = world.ids[values["expire_pool_id"]]
    with unchanged(world), pytest.raises(Validation) as refused:
        change(world, Pool, world.ids["north"], **given)
    assert (refused.value.field, refused.value.say()[: len(sentence)]) == (field, sentence)


def test_pools_never_send_customers_round_in_a_circle(world: World) -> None:
    third = world.make(Pool, name="Third")
    keep(world, on_expire=OnExpire.MOVE_TO_POOL, expire_pool_id=world.ids["south"])
    keep(world, "south", on_expire=OnExpire.MOVE_TO_POOL, expire_pool_id=third)
    with unchanged(world), pytest.raises(Validation, match="in a circle"):
        change(world, Pool, third, **KEPT, on_expire=OnExpire.MOVE_TO_POOL, expire_pool_id=world.ids["north"])


def test_a_pool_that_others_send_to_is_neither_closed_nor_deleted(world: World) -> None:
    keep(world, on_expire=OnExpire.MOVE_TO_POOL, expire_pool_id=world.ids["south"])
    with unchanged(world), pytest.raises(Validation, match="Another pool sends customers here"):
        change(world, Pool, world.ids["south"], enabled=False)
    with unchanged(world):
        assert [x.code() for x in world.ada.do(create_update.delete, Pool, [world.ids["south"]]).problems] == ["IN_USE"]


def test_graphql_sets_retention_and_tells_when_a_customer_leaves(api: Api, world: World) -> None:
    id = world.customer(pool="north")
    asked = f'{{ customer(id: "cus_{id}") {{ retentionDueAt }} }}'
    assert api.ask("li", asked)["customer"] == {"retentionDueAt": None}
    given = {
        "id": f"poo_{world.ids['north']}",
        "version": 1,
        "retainDays": 10,
        "noticeDays": 2,
        "onExpire": "RECYCLE_BIN",
    }
    done = api.change("lead", "updatePool", given, "pool { onExpire noticeDays } problems { message }")
    assert done == {"pool": {"onExpire": "RECYCLE_BIN", "noticeDays": 2}, "problems": []}

    assert api.ask("li", asked)["customer"] == {"retentionDueAt": "2026-12-04T08:00:00.000Z"}
