"""Telling users: who is told, by which channel, and that a notice exists exactly if what it tells was done."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from models import Customer, Event, Notice, NoticePreference
from models.declaration import Misdeclared
from models.errors import Validation
from models.notice import MailChoice
from models.notice_kinds import NOTICE_KINDS, WORK, NoticeKind, Sentence
from resolvers.notices.notify import COLLECTED, mail_due, notify, pool_administrators
from resolvers.runtime.scope import Scope
from tests.support.world import START, World


def tell(scope: Scope, kind: str, receivers: list[int | None], customer: int | None, **facts: Any) -> None:
    def use_case(scope: Scope) -> None:
        with scope.write("customer.edit") as db:
            record = scope.load(db, Customer, customer, to="view") if customer else None
            notify(scope, db, kind, receivers, record, **facts)

    scope.do(use_case)


def choose(world: World, login: str, choices: dict[str, Any], hour: int = 8) -> None:
    with world.backend.writer.engine.begin() as connection:
        row = {"user_id": world.ids[login], "choices": choices, "digest_hour": hour}
        connection.execute(insert(NoticePreference), row)


def test_each_receiver_is_told_once_and_the_actor_is_not(world: World) -> None:
    customer, (li, wu, ada) = world.customer(), (world.ids[x] for x in ("li", "wu", "ada"))

    tell(world.ada, "assigned", [li, wu, li, None, ada], customer)

    rows = world.rows(Notice)
    assert [(x["receiver_id"], x["kind"], x["actor_id"], x["entity"], x["record_id"]) for x in rows] == [
        (li, "assigned", ada, "customer", customer),
        (wu, "assigned", ada, "customer", customer),
    ]
    assert [x["topic"] for x in world.rows(Event, Event.topic.like("user:%"))] == [f"user:{li}", f"user:{wu}"]


def test_a_kind_about_own_work_tells_the_actor(world: World) -> None:
    tell(world.ada, "job_ended", [world.ids["ada"]], None, job="tidy", done=3, failed=0)

    assert [x["facts"] for x in world.rows(Notice)] == [{"job": "tidy", "done": 3, "failed": 0}]


def test_work_that_is_undone_tells_nobody(world: World) -> None:
    def use_case(scope: Scope) -> None:
        with scope.write("customer.edit") as db:
            notify(scope, db, "seen_as", [world.ids["li"]])
            raise Validation("No.", "不行。")

    with pytest.raises(Validation):
        world.ada.do(use_case)

    assert world.count(Notice) == 0
    assert world.count(Event, Event.topic.like("user:%")) == 0


def test_a_reminder_of_one_moment_comes_once_however_often_its_job_runs(world: World) -> None:
    customer, li = world.customer(), world.ids["li"]

    for due in (START, START, START + timedelta(days=1)):
        tell(world.ada, "plan_due", [li], customer, due=due)

    assert len(world.rows(Notice)) == 2


def test_each_user_chooses_channels_by_kind(world: World) -> None:
    customer, li, wu, mei = world.customer(), *(world.ids[x] for x in ("li", "wu", "mei"))
    choose(world, "wu", {"assigned": [False, "DAILY"]}, hour=17)
    choose(world, "mei", {"assigned": [False, "NONE"]})

    tell(world.ada, "assigned", [li, wu, mei], customer)

    channels = {x["receiver_id"]: (x["in_panel"], x["mail_due_at"]) for x in world.rows(Notice)}
    assert channels == {
        li: (True, START + COLLECTED),
        wu: (False, START.replace(hour=17)),
    }


@pytest.mark.parametrize(
    ("now", "zone", "due"),
    [
        (datetime(2026, 11, 24, 7, 59, tzinfo=UTC), "UTC", datetime(2026, 11, 24, 8, tzinfo=UTC)),
        (datetime(2026, 11, 24, 8, 0, tzinfo=UTC), "UTC", datetime(2026, 11, 25, 8, tzinfo=UTC)),
        (datetime(2026, 11, 24, 8, 0, tzinfo=UTC), "Asia/Shanghai", datetime(2026, 11, 25, 0, tzinfo=UTC)),
        (datetime(2026, 3, 28, 12, 0, tzinfo=UTC), "Europe/Berlin", datetime(2026, 3, 29, 6, tzinfo=UTC)),
    ],
)
def test_a_digest_is_due_at_the_next_chosen_hour_of_the_organisation(now: datetime, zone: str, due: datetime) -> None:
    assert mail_due(MailChoice.DAILY, now, zone, 8) == due


def test_facts_are_those_of_the_sentences(world: World) -> None:
    with pytest.raises(ValueError, match="“plan_due” tells \\['due'\\], not \\['when'\\]"):
        tell(world.ada, "plan_due", [world.ids["li"]], None, when=START)


def test_a_kind_says_the_same_facts_in_both_languages() -> None:
    with pytest.raises(Misdeclared, match="names other facts in Chinese"):
        NoticeKind("x", WORK, WORK, Sentence("{a}", "{b}"), Sentence("", ""))

    assert all(
        kind.refers.keys() <= kind.facts and {*(kind.once or ())} <= kind.facts for kind in NOTICE_KINDS.values()
    )


def test_the_administrators_of_a_pool_are_those_with_that_seat(world: World) -> None:
    def use_case(scope: Scope) -> list[int]:
        with scope.write("customer.edit") as db:
            return _administrators(scope, db, world.ids["north"])

    assert world.ada.do(use_case) == [world.ids["lead"]]


def _administrators(scope: Scope, db: Session, pool: int) -> list[int]:
    return pool_administrators(scope, db, pool)
