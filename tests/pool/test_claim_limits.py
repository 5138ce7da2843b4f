"""Quota and capacity: exact numbers, exact moments, and nothing paid for a refused claim."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete

from models import ClaimRule, Customer, Department, OwnerLoad, User
from resolvers.customers import transfer as transferring
from resolvers.ownership.quota import midnight, periods
from resolvers.pool import assign as assigning
from resolvers.pool import release as releasing
from resolvers.records import create_update
from tests.support.claim_checks import change, claim, codes, held, organise, owner, the, unchanged, used, whole
from tests.support.world import World


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- quota -----------------------------------------------------------------------------------------------


def test_the_daily_quota_stops_a_claim_and_nothing_changes(world: World) -> None:
    world.rule("north", daily_quota=2)
    first, second, third = (world.customer(name, pool="north") for name in "ABC")
    claim(world, "li", first, second)
    mark = world.mark()

    with unchanged(world):
        refusal = the(claim(world, "li", third))

    assert refusal.code() == "QUOTA_REACHED"
    assert refusal.say() == ("You have claimed 2 of 2 customers today. You may claim again from 25 Nov 2026 00:00.")
    assert refusal.say("zh") == "今日领取数已达上限（2/2），2026年11月25日 00:00 起可再领取。"
    assert used(world, "li") == {"2026-11-24": 2}
    assert world.log(since=mark) == []
    assert codes(claim(world, "wu", first)) == ["ALREADY_CLAIMED"]
    assert claim(world, "wu", third).ids == [third]


def test_day_and_week_are_counted_apart_and_the_week_can_be_the_one_that_is_full(world: World) -> None:
    world.rule("north", daily_quota=2, weekly_quota=3)
    ids = [world.customer(str(n), pool="north") for n in range(5)]
    claim(world, "li", *ids[:2])
    world.clock.pass_by(days=1)
    claim(world, "li", ids[2])

    refusal = the(claim(world, "li", ids[3]))

    assert (refusal.params["period"], refusal.params["used"], refusal.params["limit"]) == ("week", 3, 3)
    assert refusal.params["resets_at"] == utc("2026-11-30T00:00")
    assert used(world, "li") == {"2026-11-24": 2, "2026-11-25": 1, "2026-W48": 3}  # the day was not charged again
    world.clock.now = utc("2026-11-30T00:00")
    assert claim(world, "li", ids[3]).ids == [ids[3]]
    assert whole(world) == []


# (time zone, last moment of a day, first moment of the next, key of the day, key of the next)
MIDNIGHTS = [
    ("UTC", "2026-11-24T23:59:59.999", "2026-11-25T00:00", "2026-11-24", "2026-11-25"),
    ("America/New_York", "2026-07-02T03:59:59.999", "2026-07-02T04:00", "2026-07-01", "2026-07-02"),
    ("America/New_York", "2026-03-09T03:59:59.999", "2026-03-09T04:00", "2026-03-08", "2026-03-09"),  # 23 hours long
    ("Africa/Cairo", "2026-04-23T21:59:59.999", "2026-04-23T22:00", "2026-04-23", "2026-04-24"),  # no midnight at all
]
LIVED_MIDNIGHTS = [
    ("Asia/Shanghai", "2026-11-24T15:59:59.999", "2026-11-24T16:00", "2026-11-24", "2026-11-25"),
    ("America/New_York", "2026-11-02T04:59:59.999", "2026-11-02T05:00", "2026-11-01", "2026-11-02"),  # 25 hours long
]
MONDAYS = [
    ("America/New_York", "2026-11-02T04:59:59.999", "2026-11-02T05:00", "2026-W44", "2026-W45"),
    ("UTC", "2027-01-03T23:59:59.999", "2027-01-04T00:00", "2026-W53", "2027-W01"),
]
LIVED_MONDAY = ("Asia/Shanghai", "2026-11-29T15:59:59.999", "2026-11-29T16:00", "2026-W48", "2026-W49")


@pytest.mark.parametrize(("zone", "before", "after", "first", "next_one"), [*MIDNIGHTS, *MONDAYS])
def test_days_and_weeks_begin_at_midnight_of_the_zone(
    zone: str, before: str, after: str, first: str, next_one: str
) -> None:
    rule = ClaimRule(weekly_quota=1) if "W" in first else ClaimRule(daily_quota=1)

    ((_, key, _, resets_at),) = periods(rule, utc(before), zone)

    assert (key, resets_at) == (first, utc(after))
    assert periods(rule, utc(after), zone)[0][1] == next_one


@pytest.mark.parametrize(
    ("limit", "zone", "before", "after", "first", "next_one"),
    [*(("daily_quota", *case) for case in LIVED_MIDNIGHTS), ("weekly_quota", *LIVED_MONDAY)],
)
def test_a_quota_starts_again_at_midnight_or_monday_of_the_organisation(
    world: World, limit: str, zone: str, before: str, after: str, first: str, next_one: str
) -> None:
    organise(world, time_zone=zone)
    world.rule("north", **{limit: 1})
    world.clock.now = utc(before)
    one, two = world.customer("A", pool="north"), world.customer("B", pool="north")
    claim(world, "li", one)

    assert the(claim(world, "li", two)).params["resets_at"] == utc(after)
    world.clock.now = utc(after)
    assert claim(world, "li", two).ids == [two]
    assert used(world, "li") == {first: 1, next_one: 1}
    assert whole(world) == []


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York", "Africa/Cairo", "Pacific/Apia"])
def test_every_moment_of_a_year_lies_in_one_day_that_ends_when_the_next_begins(zone: str) -> None:
    rule, moment = ClaimRule(daily_quota=1, weekly_quota=1), utc("2026-01-01T00:30")
    while moment.year == 2026:
        (_, day, _, tomorrow), (_, week, _, monday) = periods(rule, moment, zone)
        assert midnight(datetime.fromisoformat(day).date(), zone) <= moment < tomorrow <= monday
        assert (
            periods(rule, tomorrow - timedelta(milliseconds=1), zone)[0][1]
            == day
            != periods(rule, tomorrow, zone)[0][1]
        )
        assert (
            periods(rule, monday - timedelta(milliseconds=1), zone)[1][1] == week != periods(rule, monday, zone)[1][1]
        )
        moment += timedelta(hours=7)


def test_every_pool_has_its_own_quota(world: World) -> None:
    world.seat("south", "li")
    world.rule("north", daily_quota=1)
    world.rule("south", daily_quota=1)
    north, south, more = (
        world.customer("A", pool="north"),
        world.customer("B", pool="south"),
        world.customer("C", pool="south"),
    )

    outcome = claim(world, "li", north, south, more)

    assert (outcome.ids, [p.code() for p in outcome.problems]) == ([north, south], ["QUOTA_REACHED"])
    assert (used(world, "li", "north"), used(world, "li", "south")) == ({"2026-11-24": 1}, {"2026-11-24": 1})


def test_a_quota_of_none_closes_and_a_lowered_one_says_what_was_used(world: World) -> None:
    rule = world.rule("north", daily_quota=2)
    ids = [world.customer(str(n), pool="north") for n in range(3)]
    claim(world, "li", *ids[:2])

    change(world, ClaimRule, rule, daily_quota=1)
    assert the(claim(world, "li", ids[2])).say().startswith("You have claimed 2 of 1 customers today.")
    change(world, ClaimRule, rule, daily_quota=0)
    assert the(claim(world, "wu", ids[2])).say().startswith("You have claimed 0 of 0 customers today.")
    assert used(world, "wu") == {}


@pytest.mark.parametrize("whose", ["the pool's", "his own"])
def test_a_limit_of_none_refuses_the_very_first_customer_also_where_nothing_was_counted_yet(
    world: World, whose: str
) -> None:
    with world.backend.writer.engine.begin() as connection:
        connection.execute(delete(OwnerLoad).where(OwnerLoad.user_id == world.ids["wu"]))
    if whose == "his own":
        change(world, User, world.ids["wu"], capacity=0)
    world.rule("north", **({"capacity": 0} if whose == "the pool's" else {}))

    assert codes(claim(world, "wu", world.customer("A", pool="north"))) == ["CAPACITY_REACHED"]
    assert held(world, "wu") == 0


def test_a_release_does_not_give_the_quota_back(world: World) -> None:
    world.rule("north", daily_quota=1)
    customer, other = world.customer("A", pool="north"), world.customer("B", pool="north")
    claim(world, "li", customer)
    world.li.do(releasing.release, [customer])

    assert codes(claim(world, "li", other)) == ["QUOTA_REACHED"]
    assert (used(world, "li"), held(world, "li")) == ({"2026-11-24": 1}, 0)


def test_what_one_is_given_or_makes_oneself_uses_no_quota(world: World) -> None:
    world.rule("north", daily_quota=1, weekly_quota=1)
    assigned, claimed = world.customer("A", pool="north"), world.customer("B", pool="north")
    handed = world.customer("C", owner="wu")

    world.lead.do(assigning.assign, [assigned], world.ids["li"])
    world.wu.do(transferring.transfer, [handed], world.ids["li"])
    world.li.do(create_update.create, Customer, {"name": "Own"})

    assert (used(world, "li"), held(world, "li")) == ({}, 3)
    assert claim(world, "li", claimed).ids == [claimed]


@pytest.mark.parametrize("rule", [{"protect_days": 1}, {"cooldown_days": 1}, {"capacity": 0}])
def test_a_claim_refused_for_another_reason_burns_no_quota_and_no_room(world: World, rule: dict[str, int]) -> None:
    customer = world.customer(pool="north")
    claim(world, "li", customer)
    world.li.do(releasing.release, [customer])
    world.rule("north", daily_quota=5, weekly_quota=5, **rule)

    with unchanged(world):
        (code,) = codes(claim(world, "li", customer))

    assert (
        code
        == {"protect_days": "PROTECTED", "cooldown_days": "COOLDOWN", "capacity": "CAPACITY_REACHED"}[next(iter(rule))]
    )
    assert (used(world, "li"), held(world, "li")) == ({}, 0)


# --- capacity --------------------------------------------------------------------------------------------


def test_the_limit_is_ones_own_else_the_nearest_departments_else_the_houses(world: World) -> None:
    ids = [world.customer(str(n), pool="north") for n in range(9)]

    def limit() -> int:
        refusal = the(claim(world, "li", *[id for id in ids if owner(world, id) is None][:1]))
        assert (
            refusal.say()
            == f"Li Na holds {held(world, 'li')} customers; the limit is {refusal.params['limit']}. Release one first."
        )
        return int(refusal.params["limit"])

    organise(world, capacity=1)
    assert claim(world, "li", ids[0]).ids == [ids[0]]
    assert limit() == 1
    change(world, Department, world.ids["house"], capacity=2)
    assert claim(world, "li", ids[1]).ids == [ids[1]]
    assert limit() == 2
    change(world, Department, world.ids["east"], capacity=3)
    assert claim(world, "li", ids[2]).ids == [ids[2]]
    assert limit() == 3
    change(world, User, world.ids["li"], capacity=4)
    assert claim(world, "li", ids[3]).ids == [ids[3]]
    assert limit() == 4
    change(world, User, world.ids["li"], capacity=0)
    assert limit() == 0
    assert held(world, "li") == 4
    assert whole(world) == []


def test_the_department_of_others_says_nothing_about_me(world: World) -> None:
    change(world, Department, world.ids["west"], capacity=0)
    customer = world.customer(pool="north")

    assert claim(world, "li", customer).ids == [customer]


@pytest.mark.parametrize(("own", "pools_own", "limit"), [(2, 1, 1), (1, 2, 1), (None, 1, 1), (1, None, 1)])
def test_the_smaller_of_the_persons_and_the_pools_limit_holds(
    world: World, own: int | None, pools_own: int | None, limit: int
) -> None:
    change(world, User, world.ids["li"], capacity=own)
    world.rule("north", **({} if pools_own is None else {"capacity": pools_own}))
    first, second = world.customer("A", pool="north"), world.customer("B", pool="north")
    claim(world, "li", first)

    with unchanged(world):
        assert the(claim(world, "li", second)).params == {"name": "Li Na", "held": 1, "limit": limit}


def test_a_pools_limit_counts_everything_held_and_binds_only_who_claims_there(world: World) -> None:
    world.rule("north", capacity=1)
    world.customer("Own", owner="li")
    pooled, other = world.customer("A", pool="north"), world.customer("B", owner="wu")

    assert codes(claim(world, "li", pooled)) == ["CAPACITY_REACHED"]
    assert world.wu.do(transferring.transfer, [other], world.ids["li"]).ids == [other]
    assert world.lead.do(assigning.assign, [pooled], world.ids["li"]).ids == [pooled]


def test_room_comes_back_with_release_transfer_and_the_bin_and_is_needed_for_the_return(world: World) -> None:
    change(world, User, world.ids["li"], capacity=1)
    first, second = world.customer("A", pool="north"), world.customer("B", pool="north")
    claim(world, "li", first)
    world.li.do(create_update.delete, Customer, [first])
    assert held(world, "li") == 0
    claim(world, "li", second)

    with unchanged(world):
        assert codes(world.lead.do(create_update.restore, Customer, [first])) == ["CAPACITY_REACHED"]
    world.li.do(releasing.release, [second])
    assert world.lead.do(create_update.restore, Customer, [first]).ids == [first]
    world.li.do(transferring.transfer, [first], world.ids["wu"])

    assert (held(world, "li"), held(world, "wu"), whole(world)) == (0, 1, [])
