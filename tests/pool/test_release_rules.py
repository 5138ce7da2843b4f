"""Release rules: the date of each customer, on every path, and what the job then does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models import (
    CalendarDay,
    Customer,
    Dictionary,
    DictionaryItem,
    Event,
    FollowUp,
    Notice,
    Opportunity,
    OwnershipPeriod,
    Plan,
    Pool,
    PoolMember,
    ReleaseRule,
)
from models.business_calendar import BusinessCalendar
from models.errors import NotRehearsed, Validation
from models.follow_up import FollowUpKind
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.pool import extension, release_rules
from resolvers.pool.release_forecast import rehearse
from resolvers.records import create_update
from tests.support.claim_checks import change, claim, codes, held, the, whole
from tests.support.releases import put_on, release_rule, run_clock
from tests.support.world import START, World


def due(world: World, id: int) -> datetime | None:
    found: datetime | None = world.row(Customer, id)["release_due_at"]
    return found


def days(number: float, since: datetime = START) -> datetime:
    return since + timedelta(days=number)


def follow_up(world: World, customer: int, by: str = "li", text: str = "We spoke about prices", **values: Any) -> int:
    given = {"customer_id": customer, "kind": FollowUpKind.CALL, "content": text, "happened_at": world.clock.now}
    id: int = world.scope(by).do(create_update.create, FollowUp, {**given, **values}).id
    return id


# --- the date --------------------------------------------------------------------------------------------


def test_n25_a_follow_up_moves_the_date_at_once_and_the_job_agrees(world: World) -> None:
    release_rule(world)
    customer = world.customer(owner="li")
    assert due(world, customer) == days(30)

    world.clock.pass_by(days=29)
    follow_up(world, customer)
    assert due(world, customer) == days(59)

    world.clock.pass_by(days=29, hours=23)
    run_clock(world)
    assert world.row(Customer, customer)["owner_id"] == world.ids["li"]

    world.clock.pass_by(hours=1)
    run_clock(world)
    assert world.row(Customer, customer)["pool_id"] == world.ids["north"]
    assert (due(world, customer), whole(world)) == (None, [])


def test_defect_6_a_customer_never_followed_up_has_all_its_days_from_its_claim(world: World) -> None:
    release_rule(world, days=10)
    pooled = world.customer(pool="north")
    world.clock.pass_by(days=100)

    claim(world, "li", pooled)
    assert due(world, pooled) == days(110)
    run_clock(world)
    assert world.row(Customer, pooled)["owner_id"] == world.ids["li"]


def test_defect_5_a_rule_that_names_no_customers_is_refused_and_takes_none(world: World) -> None:
    for values in ({}, {"everybody": False}, {"levels": []}):
        with pytest.raises(Validation, match="Say which customers"):
            world.make(ReleaseRule, pool_id=world.ids["north"], name="Empty", days=1, **values)
    with pytest.raises(Validation, match="cannot name some"):
        world.make(ReleaseRule, pool_id=world.ids["north"], name="Both", days=1, everybody=True, stages=["early"])
    with pytest.raises(Validation, match="between 1 and"):
        world.make(ReleaseRule, pool_id=world.ids["north"], name="Now", days=0, everybody=True)
    with pytest.raises(Validation, match="not in the list"):
        world.make(ReleaseRule, pool_id=world.ids["north"], name="Word", days=1, stages=["nowhere"])
    assert world.count(ReleaseRule) == 0


def test_defect_7_an_edit_of_a_pooled_customer_restarts_no_protection_and_dates_nothing(world: World) -> None:
    release_rule(world, days=5)
    world.rule("north", protect_days=3)
    pooled = world.customer(pool="north")
    world.clock.pass_by(days=2)
    change(world, Customer, pooled, remark="seen")
    world.clock.pass_by(days=1)

    assert claim(world, "li", pooled).ids == [pooled]
    assert due(world, pooled) == days(8)


def test_defect_8_the_countdown_is_what_the_job_does_for_every_customer(world: World) -> None:
    release_rule(world, days=7)
    release_rule(world, days=3, everybody=False, stages=["early"])
    ids = [world.customer(owner="li", stage=stage) for stage in ("early", "won", None)]
    told = {id: due(world, id) for id in ids}
    assert told == {ids[0]: days(3), ids[1]: days(7), ids[2]: days(7)}

    for _ in range(9 * 4):
        world.clock.pass_by(hours=6)
        run_clock(world)
        for id, date in told.items():
            assert (world.row(Customer, id)["pool_id"] is not None) == (date is not None and date <= world.clock.now)


def test_the_date_follows_every_path(world: World) -> None:
    release_rule(world, days=10)
    customer = world.customer(owner="li")
    world.clock.pass_by(days=1)
    world.scope("ada").do(transferring.transfer, [customer], world.ids["wu"])
    assert due(world, customer) == days(11)

    world.scope("wu").do(create_update.delete, Customer, [customer])
    assert due(world, customer) is None
    world.clock.pass_by(days=1)
    world.system.do(create_update.restore, Customer, [customer])
    assert due(world, customer) == days(12)  # the days begin anew

    world.scope("wu").do(locking.lock, [customer])
    assert due(world, customer) is None
    world.scope("wu").do(locking.lock, [customer], None, days(30))
    assert due(world, customer) == days(40)
    world.clock.pass_by(days=3)
    world.scope("wu").do(locking.unlock, [customer])
    assert due(world, customer) == days(15)


def test_whoever_opens_a_lock_unseen_lets_the_days_begin_then(world: World) -> None:
    release_rule(world, days=10)
    customer = world.customer(owner="li")
    world.scope("li").do(locking.lock, [customer])
    world.clock.pass_by(days=20)

    assert world.scope("lead").do(locking.unlock, [customer]).ids == [customer]

    assert due(world, customer) == days(30)


def test_an_edit_of_a_word_and_a_change_of_the_rule_move_the_date(world: World) -> None:
    rule = release_rule(world, days=10, everybody=False, stages=["early"])
    customer = world.customer(owner="li", stage="won")
    assert due(world, customer) is None

    change(world, Customer, customer, stage="early")
    assert due(world, customer) == days(10)

    change(world, ReleaseRule, rule, days=20)  # which switches it off until it is rehearsed again
    run_clock(world)
    assert due(world, customer) is None
    put_on(world, rule)
    assert due(world, customer) == days(20)


def test_business_days_leave_out_weekends_and_holidays_and_count_days_made_up_for(world: World) -> None:
    release_rule(world, days=3, business_days=True)
    assert START.weekday() < 5
    customer = world.customer(owner="li")
    expected, left, holiday = START, 3, (START + timedelta(days=1)).date()
    world.make(CalendarDay, day=holiday, working=False, name="Holiday")
    saturday = next(d for d in (START + timedelta(days=n) for n in range(1, 8)) if d.weekday() == 5).date()
    world.make(CalendarDay, day=saturday, working=True, name="Made up for")
    run_clock(world)
    while left:
        expected += timedelta(days=1)
        day = expected.date()
        left -= day == saturday or (day.weekday() < 5 and day != holiday)

    assert due(world, customer) == expected


def test_opportunities_and_deals_keep_a_customer(world: World) -> None:
    release_rule(world, days=10, everybody=True, lapse="NO_OPPORTUNITY")
    customer = world.customer(owner="li")
    world.clock.pass_by(days=2)
    deal = world.make(Opportunity, customer_id=customer, name="Deal", owner_id=world.ids["li"])
    assert due(world, customer) is None

    world.clock.pass_by(days=5)
    world.system.do(create_update.delete, Opportunity, [deal])
    assert due(world, customer) == days(17)  # the days count from the loss, not from the claim

    world.system.do(create_update.restore, Opportunity, [deal])
    assert due(world, customer) is None


def test_an_opportunity_saved_as_it_was_puts_off_no_release(world: World) -> None:
    stages = world.make(Dictionary, code="opportunity_stage", name="Stages")
    world.make(DictionaryItem, dictionary_id=stages, key="won", label_en="Won")
    release_rule(world, days=10, lapse="NO_DEAL")
    customer = world.customer(owner="li")
    deal = world.make(Opportunity, customer_id=customer, name="Deal", stage="won")
    world.clock.pass_by(days=2)

    change(world, Opportunity, deal, stage="won", name="The deal")

    assert due(world, customer) == days(10)


def test_words_below_one_in_its_dictionary_count_as_that_one(world: World) -> None:
    items = {row["key"]: row for row in world.rows(DictionaryItem)}
    change(world, DictionaryItem, items["won"]["id"], parent_id=items["early"]["id"])
    release_rule(world, days=10, everybody=False, stages=["early"])

    assert due(world, world.customer(owner="li", stage="won")) == days(10)


# --- the pool --------------------------------------------------------------------------------------------


def test_the_date_follows_seats_and_pools(world: World) -> None:
    release_rule(world, days=10)
    customer = world.customer(owner="mei")  # a member of South, which has no rule
    assert due(world, customer) is None

    seat = world.seat("north", "mei")
    change(world, Pool, world.ids["north"], priority=5)
    run_clock(world)
    assert due(world, customer) == days(10)

    world.system.do(create_update.delete, PoolMember, [seat])
    run_clock(world)
    assert due(world, customer) is None


def test_what_falls_is_told_logged_and_leaves_no_counter_behind(world: World) -> None:
    release_rule(world, days=1, name="One day")
    ids = [world.customer(owner="li") for _ in range(5)]
    deal = world.make(Opportunity, customer_id=ids[0], name="Deal", owner_id=world.ids["li"])
    other = world.customer(owner="mei")
    world.clock.pass_by(days=1)
    mark, events = world.mark(), world.count(Event)

    run_clock(world)

    assert [world.row(Customer, id)["pool_id"] for id in ids] == [world.ids["north"]] * 5
    assert world.row(Customer, other)["owner_id"] == world.ids["mei"]
    assert world.row(Opportunity, deal)["owner_id"] is None
    assert (held(world, "li"), whole(world)) == (0, [])
    entries = world.log("customer", since=mark)
    assert [x["record_id"] for x in entries] == ids
    assert {x["action"] for x in entries} == {"customer.release"}
    ended = world.rows(OwnershipPeriod, OwnershipPeriod.__table__.c.customer_id.in_(ids))
    assert {(x["ended"], x["reason"]) for x in ended} == {("RELEASE", "One day")}
    assert [x["record_id"] for x in world.rows(Event)[events:] if x["topic"].startswith("pool:")] == ids
    told = [x for x in world.rows(Notice) if x["kind"] == "released"]
    assert [x["receiver_id"] for x in told] == [world.ids["li"]] * 5

    world.clock.pass_by(hours=1)
    before = world.everything()["customer"]
    run_clock(world)
    assert world.everything()["customer"] == before


# --- rehearsal and switching on --------------------------------------------------------------------------


def test_a_rule_is_in_force_only_for_what_its_switcher_has_rehearsed(world: World) -> None:
    rule = release_rule(world, on=False)
    switch = release_rules.switch
    for prepare in (
        lambda: None,
        lambda: world.scope("lead").do(release_rules.note_rehearsal, rule, _terms(world, rule)),
        lambda: world.scope("ada").do(release_rules.note_rehearsal, rule, "x" * 64),
    ):
        prepare()
        with pytest.raises(NotRehearsed):
            world.scope("ada").do(switch, rule, on=True)
    world.scope("ada").do(release_rules.note_rehearsal, rule, _terms(world, rule))
    world.scope("ada").do(switch, rule, on=True)
    change(world, ReleaseRule, rule, name="Another name", remind_days=5)
    assert world.row(ReleaseRule, rule)["enabled"]

    change(world, ReleaseRule, rule, days=31)
    assert not world.row(ReleaseRule, rule)["enabled"]
    with pytest.raises(NotRehearsed):
        world.scope("ada").do(switch, rule, on=True)


def _terms(world: World, rule: int) -> str:
    row = ReleaseRule(**world.row(ReleaseRule, rule))
    return row.terms()


def test_a_rehearsal_tells_whose_and_when_before_anything_happens(world: World) -> None:
    old = [world.customer(owner="li") for _ in range(3)]
    world.clock.pass_by(days=6)
    new = world.customer(owner="wu")
    rule = release_rule(world, days=5, on=False)

    preview = world.run(rehearse(world.scope("ada"), rule))

    assert (preview.total, preview.at_once) == (4, 3)
    assert dict(preview.by_owner) == {world.ids["li"]: 3, world.ids["wu"]: 1}
    assert dict(preview.by_day) == {days(6).date(): 3, days(11).date(): 1}
    assert preview.samples == [*((id, days(5)) for id in old), (new, days(11))]
    assert all(due(world, id) is None for id in (*old, new))


# --- reminders and extensions ----------------------------------------------------------------------------


def test_owners_are_reminded_three_days_and_one_day_before_and_once_each(world: World) -> None:
    release_rule(world, days=10)
    customer = world.customer(owner="li")

    def told() -> int:
        return sum(x["kind"] == "release_coming" for x in world.rows(Notice))

    counts = []
    for _ in range(11 * 2):
        world.clock.pass_by(hours=12)
        run_clock(world)
        counts.append(told())
    assert counts == [0] * 13 + [1] * 4 + [2] * 5
    assert world.row(Customer, customer)["pool_id"] is not None


def test_an_owner_extends_once_with_a_reason(world: World) -> None:
    release_rule(world, days=10, extension_days=7, max_extensions=1)
    customer, other = world.customer(owner="li"), world.customer(owner="mei")

    with pytest.raises(Validation, match="why"):
        world.scope("li").do(extension.extend, [customer], "")
    assert world.scope("li").do(extension.extend, [customer], "Budget in May").ids == [customer]
    assert due(world, customer) == days(17)
    refused = world.scope("li").do(extension.extend, [customer], "Again")
    assert codes(refused) == ["EXTENSIONS_USED"]
    assert the(refused).say("en").startswith("The release of C2026001 was put off 1 of 1 times")
    assert codes(world.scope("li").do(extension.extend, [other], "No")) == ["NOT_FOUND"]

    world.scope("ada").do(transferring.transfer, [customer], world.ids["wu"])
    assert world.row(Customer, customer)["extensions"] == 0
    assert world.scope("wu").do(extension.extend, [customer], "Mine now").ids == [customer]


def test_a_customer_without_a_date_cannot_be_extended(world: World) -> None:
    customer = world.customer(owner="li")
    assert codes(world.scope("li").do(extension.extend, [customer], "Why not")) == ["NO_RELEASE_DATE"]


@pytest.mark.parametrize(
    ("zone", "start", "expected"),
    [
        # the night of 29 March 2026 has no 02:30 in Berlin; 05:30 is there on all days
        ("Europe/Berlin", datetime(2026, 3, 28, 1, 30, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 10, 31, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
        ("Asia/Shanghai", datetime(2028, 2, 28, 4, 0, tzinfo=UTC), datetime(2028, 2, 29, 4, 0, tzinfo=UTC)),
    ],
)
def test_days_are_days_of_the_clocks(zone: str, start: datetime, expected: datetime) -> None:
    assert BusinessCalendar(zone).after(start, 1, business=False) == expected


def test_a_plan_keeps_a_customer_until_it_is_due_where_the_rule_says_so(world: World) -> None:
    release_rule(world, days=10, spares_plans=True)
    customer = world.customer(owner="li")

    plan = world.make(Plan, customer_id=customer, kind="CALL", due_at=days(20), owner_id=world.ids["li"])
    assert due(world, customer) == days(20)

    world.system.do(create_update.delete, Plan, [plan])
    assert due(world, customer) == days(10)
