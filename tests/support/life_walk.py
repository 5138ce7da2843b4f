"""Walks through the life of customers: random steps by the use cases, and after each the oracle's picture beside the product's."""

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import make_url

from models import (
    CalendarDay,
    ClaimRule,
    Dictionary,
    DictionaryItem,
    Opportunity,
    OwnerLoad,
    OwnershipPeriod,
    PoolMember,
    QuotaCounter,
    ReleaseRule,
    User,
)
from models import Customer as CustomerRow
from models import FollowUp as FollowUpRow
from models import Pool as PoolRow
from models.errors import Refusal
from models.follow_up import FollowUpKind
from models.pool import Seat
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.pool import assign as assigning
from resolvers.pool import claim as claiming
from resolvers.pool import extension, release_forecast, release_rules
from resolvers.pool import move as moving
from resolvers.pool import release as releasing
from resolvers.records import create_update
from tests.support.claim_checks import change, organise
from tests.support.life_days import local
from tests.support.life_model import DONE, Contact, Customer, Deal, Model, Person, Pool, Rule
from tests.support.releases import CLOCK, run_clock
from tests.support.world import World

SELLERS = ("li", "wu", "mei")
ACTORS = (*SELLERS, "lead", "ada")
STAGES, INDUSTRIES = ("early", "hot", "won", None), ("retail", "steel", None)
DEALS = ("proposal", "won", "lost", None)
BEGINNINGS = (
    ("Europe/Berlin", datetime(2027, 3, 19, 7, 30, tzinfo=UTC)),
    ("America/New_York", datetime(2028, 2, 18, 4, 30, tzinfo=UTC)),
    ("America/Santiago", datetime(2027, 8, 25, 3, 20, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2027, 12, 15, 23, 10, tzinfo=UTC)),
    ("America/New_York", datetime(2027, 10, 25, 5, 30, tzinfo=UTC)),
    ("America/Santiago", datetime(2028, 3, 20, 3, 40, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2027, 9, 24, 15, 45, tzinfo=UTC)),
)
"""(time zone, beginning of a walk): shortly before the clocks jump, a leap day and the end of a year."""
Said = tuple[str, str, str]
"""(what is done, the code that the oracle says, the code that the product says)."""


def furnish(world: World) -> None:
    """Add what a walk needs beside the small world: stages of opportunities, and a word below another."""
    stages = world.make(Dictionary, code="opportunity_stage", name="Stages")
    for n, key in enumerate(x for x in DEALS if x):
        world.make(DictionaryItem, dictionary_id=stages, key=key, label_en=key.title(), position=n)
    early = next(row for row in world.rows(DictionaryItem) if row["key"] == "early")
    hot = {"dictionary_id": early["dictionary_id"], "parent_id": early["id"], "key": "hot"}
    world.make(DictionaryItem, label_en="Hot", position=9, **hot)


def rewind(world: World, url: str) -> None:
    """Put a world on SQLite back to what stands in another file, with all that its process has learnt kept."""
    original = closing(sqlite3.connect(make_url(url).database or ""))
    with original as source, world.backend.writer.engine.connect() as connection:
        target: Any = connection.connection.driver_connection
        source.backup(target)


class Walk:
    """One walk in a furnished world of its own, by a seed."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.seed, self.dice = world, seed, random.Random(seed)
        zone, beginning = BEGINNINGS[seed % len(BEGINNINGS)]
        world.clock.now = beginning
        organise(world, time_zone=zone)
        self.places = {world.ids[name]: name for name in ("north", "south")}
        self.names = {id: login for login, id in world.ids.items() if login in ACTORS}
        self.model = Model(zone, self._people(), self._pools())
        self.rule_names: dict[int, str] = {}
        self.seats: dict[tuple[str, str], int] = {}
        self.claim_rules: dict[str, int] = {}
        self.calendar: dict[date, int] = {}
        for row in world.rows(PoolMember):
            pool, login = self.places[row["pool_id"]], self.names[row["grantee_id"]]
            self.seats[pool, login] = row["id"]
            self.model.pools[pool].seats[login] = row["seat"]
        self.trail: list[str] = []
        self.taken = self.fallen = self.ran = 0
        self.answers: Counter[str] = Counter()
        """Kind of step and the product's answer -> how often."""
        for step in (self.new, self.new, self.new, self.new, self.new_rule, self.new_rule, self.limits, self.limits):
            step()

    @property
    def now(self) -> datetime:
        return self.world.clock.now

    def run(self, steps: int = 60) -> list[str]:
        """Take so many steps; returns the differences at the first step that has some, with the way to it."""
        for n in range(steps):
            found = self.step()
            if found:
                return [f"seed {self.seed}, step {n}, {self.model.days.zone}, {self.now}", *self.trail[-12:], *found]
        return []

    def step(self) -> list[str]:
        """Take one step; returns the differences."""
        self.taken += 1
        if self.dice.random() < 0.27:
            return self.pass_time() + self.differences()
        steps, weights = zip(*STEPS.items(), strict=True)
        name = self.dice.choices(steps, weights)[0]
        what, expected, found = getattr(self, name)()
        self.answers[f"{name} {found}"] += 1
        self.trail.append(f"{self.now:%Y-%m-%d %H:%M:%S} {what}: {found}")
        differs = [] if expected == found else [f"{what}: the oracle says {expected}, the product {found}"]
        return differs or self.differences()

    # -- time --------------------------------------------------------------------------------------------

    def pass_time(self) -> list[str]:
        """Let time go by and the clock's jobs run; returns what falls otherwise than forecast."""
        then = self._then()
        found = self._forecasts(then)
        stored = self._due_by(then)
        self.world.clock.now = then
        if self._minute() == self.ran:  # the job runs once in each minute
            return found
        self.ran = self._minute()
        jobs = CLOCK if self._odds(0.2) else ("release_due_customers",)
        run_clock(self.world, jobs)
        if jobs is CLOCK:
            self.model.lift_locks(then)
        fallen = self.model.fall(then, self.rule_names)
        self.fallen += len(fallen)
        self.trail.append(f"{then:%Y-%m-%d %H:%M:%S} it is; falls: {fallen}")
        became = {id: self.places.get(self.world.row(CustomerRow, id)["pool_id"]) for id in stored | fallen.keys()}
        if stored != fallen.keys() or became != fallen:
            found.append(f"the dates said {sorted(stored)}, the oracle {fallen}, and {became} fell")
        return found

    def _minute(self) -> int:
        return int(self.now.timestamp() // 60)

    def _then(self) -> datetime:
        dates = [at for x in self.model.customers.values() if (at := self.model.falls(x)[0]) and at > self.now]
        ends = [x.lock_ends for x in self.model.customers.values() if x.lock_ends and x.lock_ends > self.now]
        close = [at for at in (*dates, *ends) if at < self.now + timedelta(days=40)]
        if close and self.dice.random() < 0.5:
            return max(min(close) + self.dice.choice((-1, 0, 0, 1)) * timedelta(seconds=1), self.now)
        unit, most = self.dice.choice((("minutes", 90), ("hours", 30), ("days", 6), ("days", 3), ("weeks", 3)))
        return self.now + timedelta(**{unit: self.dice.randint(1, most)}, seconds=self.dice.randint(0, 59))

    def _due_by(self, then: datetime) -> set[int]:
        c = CustomerRow
        return {x["id"] for x in self.world.rows(c, c.release_due_at <= then, c.deleted_at.is_(None))}

    def _forecasts(self, then: datetime) -> list[str]:
        """Where the forecast of a seller differs from the oracle's."""
        who = self.dice.choice([x for x in SELLERS if self.model.people[x].active])
        days = max(1, min(366, (then - self.now).days + 1))
        scope = self.world.scope(who)
        found = self.world.run(scope.read(release_forecast.forecast, self.world.ids[who], days))
        expected = self._by_day(
            [x for x in self.model.customers.values() if x.owner == who],
            lambda x: self.model.falls(x)[0],
            lambda at: at < self.now + timedelta(days=days),
        )
        return [] if found == expected else [f"forecast of {who}: the oracle says {expected}, the product {found}"]

    def _by_day(self, customers: Any, date_of: Callable[[Any], datetime | None], counts: Any) -> dict[date, int]:
        dates = [at for x in customers if x.bin is None and (at := date_of(x)) and counts(at)]
        return dict(Counter(local(max(at, self.now), self.model.days.zone).date() for at in dates))

    # -- customers ---------------------------------------------------------------------------------------

    def new(self) -> Said:
        words = {"stage": self.dice.choice(STAGES), "industry": self.dice.choice(INDUSTRIES)}
        pool = self.dice.choice(("north", "north", "south")) if self.dice.random() < 0.5 else None
        owner = None if pool else self.dice.choice(SELLERS)
        expected = self.model.create(owner, pool)
        place = {"pool_id": self._id(pool)} if pool else {"owner_id": self._id(owner)}
        made: list[int] = []

        def work() -> Any:
            made.append(self._as("ada", create_update.create, CustomerRow, {"name": "Acme", **words, **place}).id)

        found = self._told(work)
        if made and expected == DONE:
            self.model.created(made[0], owner, pool, words, self.now)
        return f"new customer of {owner or pool}", expected, found

    def claim(self) -> Said:
        who, id = self._who(), self._one("pool", 0.75)
        expected = self.model.claim(who, id, self.now)
        return f"{who} claims {id}", expected, self._told(lambda: self._as(who, claiming.claim, [id]))

    def assign(self) -> Said:
        who, id, to = self._who("lead", "ada"), self._one("pool"), self.dice.choice(SELLERS)
        expected = self.model.assign(who, id, to, self.now)
        found = self._told(lambda: self._as(who, assigning.assign, [id], self._id(to)))
        return f"{who} assigns {id} to {to}", expected, found

    def release(self) -> Said:
        id = self._one("owner")
        who, to, lift = self._owner_or_other(id), self.dice.choice((None, None, "north", "south")), self._odds(0.5)
        expected = self.model.release(who, id, to, self.now, lift=lift)
        pool = self._id(to) if to else None
        found = self._told(lambda: self._as(who, releasing.release, [id], pool, lift_lock=lift))
        return f"{who} releases {id} into {to}", expected, found

    def transfer(self) -> Said:
        id = self._one("owner")
        who, to, lift = self._owner_or_other(id), self.dice.choice(SELLERS), self._odds(0.5)
        expected = self.model.transfer(who, id, to, self.now, lift=lift)
        found = self._told(lambda: self._as(who, transferring.transfer, [id], self._id(to), lift_lock=lift))
        return f"{who} transfers {id} to {to}", expected, found

    def move(self) -> Said:
        who, id, to = self._who("lead", "ada"), self._one("pool"), self.dice.choice(("north", "south"))
        expected = self.model.move(who, id, to, self.now)
        found = self._told(lambda: self._as(who, moving.move, [id], self._id(to)))
        return f"{who} moves {id} to {to}", expected, found

    def lock(self) -> Said:
        id = self._one("owner")
        who = self._owner_or_other(id)
        until = self.now + timedelta(hours=self.dice.randint(1, 400)) if self._odds(0.6) else None
        expected = self.model.lock(who, id, until, self.now)
        found = self._told(lambda: self._as(who, locking.lock, [id], None, until))
        return f"{who} locks {id} until {until}", expected, found

    def unlock(self) -> Said:
        held = [x.id for x in self.model.customers.values() if x.is_locked]
        id = self.dice.choice(held) if held and self._odds(0.8) else self._one("owner")
        who = self._owner_or_other(id)
        expected = self.model.unlock(who, id, self.now)
        return f"{who} unlocks {id}", expected, self._told(lambda: self._as(who, locking.unlock, [id]))

    def extend(self) -> Said:
        id = self._one("owner")
        who = self._owner_or_other(id)
        expected = self.model.extend(who, id, self.now)
        return f"{who} extends {id}", expected, self._told(lambda: self._as(who, extension.extend, [id], "Budget"))

    def delete(self) -> Said:
        id = self._one("owner")
        who = self._owner_or_other(id)
        expected = self.model.delete(who, id, self.now)
        found = self._told(lambda: self._as(who, create_update.delete, CustomerRow, [id]))
        return f"{who} deletes {id}", expected, found

    def restore(self) -> Said:
        gone = [x.id for x in self.model.customers.values() if x.bin]
        id = self.dice.choice(gone) if gone and self._odds(0.9) else self._one("owner")
        who = self._who("lead", "ada")
        expected = self.model.restore(who, id, self.now)
        found = self._told(lambda: self._as(who, create_update.restore, CustomerRow, [id]))
        return f"{who} restores {id}", expected, found

    def edit(self) -> Said:
        id, (key, words) = self._one("owner"), self.dice.choice((("stage", STAGES), ("industry", INDUSTRIES)))
        who, word = self._owner_or_other(id), self.dice.choice(words)
        expected = self.model.edit(who, id, key, word, self.now)
        found = self._told(lambda: self._as(who, create_update.update, CustomerRow, id, {key: word}))
        return f"{who} sets {key} of {id} to {word}", expected, found

    # -- what hangs on them ------------------------------------------------------------------------------

    def follow_up(self) -> Said:
        id = self._one("owner")
        who = self._owner_or_other(id)
        text = self.dice.choice(("Hello again", "x", *(f"Call {self.dice.random()}",) * 4))
        at = self.now - timedelta(minutes=self.dice.choice((0, 0, 0, 7, 300, 5_000)))
        expected = self.model.hang_on(who, id, "follow_up", self.now)
        given = {"customer_id": id, "kind": FollowUpKind.CALL, "content": text, "happened_at": at}
        made: list[int] = []
        found = self._told(lambda: made.append(self._as(who, create_update.create, FollowUpRow, given).id))
        if made and expected == DONE:
            counts = self.model.counts(who, id, text, at, self.now)
            self.model.contacts[made[0]] = Contact(id, at, counts, who, text, self.now)
        return f"{who} follows {id} up at {at}", expected, found

    def unfollow(self) -> Said:
        there = {n: x for n, x in self.model.contacts.items() if x.bin is None}
        there = {n: x for n, x in there.items() if self.model.sees("ada", self.model.customers[x.customer], self.now)}
        if not there:
            return self.follow_up()
        n = self.dice.choice(list(there))
        there[n].bin = "alone"
        found = self._told(lambda: self._as("ada", create_update.delete, FollowUpRow, [n]))
        return f"ada deletes the follow-up {n} of {there[n].customer}", DONE, found

    def deal(self) -> Said:
        id, stage = self._one("owner"), self.dice.choice(DEALS)
        expected = self.model.hang_on("ada", id, "deal", self.now)
        made: list[int] = []
        given = {"customer_id": id, "name": "Deal", "stage": stage}
        found = self._told(lambda: made.append(self._as("ada", create_update.create, Opportunity, given).id))
        if made and expected == DONE:
            self.model.deals[made[0]] = Deal(id, stage, self.now)
        return f"ada opens an opportunity of {id} at {stage}", expected, found

    def change_deal(self) -> Said:
        there = {n: x for n, x in self.model.deals.items() if x.bin in (None, "alone")}
        there = {n: x for n, x in there.items() if self.model.sees("ada", self.model.customers[x.customer], self.now)}
        there = {n: x for n, x in there.items() if self.model.customers[x.customer].bin is None}
        if not there:
            return self.deal()
        n = self.dice.choice(list(there))
        deal, stage = there[n], self.dice.choice(DEALS)
        if deal.bin:
            deal.bin, deal.touched = None, self.now
            return (
                f"ada restores {n}",
                DONE,
                self._told(lambda: self._as("ada", create_update.restore, Opportunity, [n])),
            )
        if self._odds(0.3):
            deal.bin, deal.touched = "alone", self.now
            return f"ada deletes {n}", DONE, self._told(lambda: self._as("ada", create_update.delete, Opportunity, [n]))
        if deal.stage != stage:
            deal.stage, deal.touched = stage, self.now
        found = self._told(lambda: self._as("ada", create_update.update, Opportunity, n, {"stage": stage}))
        return f"ada puts the opportunity {n} of {deal.customer} at {stage}", DONE, found

    # -- rules, pools, people, calendar ------------------------------------------------------------------

    def new_rule(self) -> Said:
        values = self._terms()
        if not self.rule_names:
            values |= {"words": {}, "spared": [], "lapse": "NO_FOLLOW_UP", "starts_at": None}
        pool = self.dice.choice(("north", "north", "south")) if self.rule_names else "north"
        name = f"Rule {len(self.rule_names)}"
        row = {"pool_id": self._id(pool), "name": name, **_as_columns(values)}
        id = self._as("ada", create_update.create, ReleaseRule, row).id
        self.model.rules[id] = Rule(id, pool, **values)
        self.rule_names[id] = name
        return f"new rule {id} of {pool} {values}", DONE, self._rehearse(id)

    def change_rule(self) -> Said:
        id = self.dice.choice(list(self.model.rules))
        days, rule = self.dice.randint(1, 30), self.model.rules[id]
        found = self._told(lambda: self._as("ada", create_update.update, ReleaseRule, id, {"days": days}))
        rule.is_on, rule.days = rule.is_on and days == rule.days, days
        self._renew()
        return f"rule {id} has {days} days", DONE, found

    def switch(self) -> Said:
        """Switch a rule off, or on: without a rehearsal, which is refused unless there was one, or with it."""
        id = self.dice.choice(list(self.model.rules))
        rule = self.model.rules[id]
        if rule.is_on and self._odds(0.5):
            rule.is_on = False
            found = self._told(lambda: self._as("ada", release_rules.switch, id, on=False))
            self._renew()
            return f"rule {id} is switched off", DONE, found
        found = self._rehearse(id)
        return f"rule {id} is rehearsed and switched on", DONE, found

    def _rehearse(self, id: int) -> str:
        """Compare the rehearsal with the oracle's, and switch the rule on."""
        rule = self.model.rules[id]
        preview = self.world.run(release_forecast.rehearse(self.world.scope("ada"), id))
        its = [x for x in self.model.customers.values() if x.owner and x.bin is None]
        its = [x for x in its if x.owner and self.model.home(x.owner) == rule.pool]
        dates = {x.id: at for x in its if (at := self.model.by_rule(x, rule))}
        soon = {n: at for n, at in dates.items() if at <= self.now + timedelta(days=30)}
        zone = self.model.days.zone
        expected = (
            len(dates),
            sum(at <= self.now for at in dates.values()),
            Counter(local(max(at, self.now), zone).date() for at in soon.values()),
            Counter(self._id(self.model.customers[n].owner) for n in soon),
        )
        found = preview.total, preview.at_once, preview.by_day, preview.by_owner
        if expected != found:
            return f"the oracle's rehearsal is {expected}, the product's {found}"
        self._as("ada", release_rules.note_rehearsal, id, preview.terms)
        said = self._told(lambda: self._as("ada", release_rules.switch, id, on=True))
        rule.is_on = True
        self._renew()
        return said

    def limits(self) -> Said:
        """Give a pool another claim rule, or a person another capacity."""
        if self._odds(0.4):
            who, most = self.dice.choice(SELLERS), self.dice.choice((None, 1, 2, 4, 9))
            self.model.people[who].capacity = most
            change(self.world, User, self._id(who), capacity=most)
            return f"{who} may hold {most}", DONE, DONE
        pool = self.dice.choice(("north", "south"))
        numbers: dict[str, tuple[int | None, ...]] = {
            "daily_quota": (None, 0, 1, 2, 4),
            "weekly_quota": (None, 2, 5),
            "capacity": (None, 2, 4),
            "cooldown_days": (None, 1, 10),
            "protect_days": (None, None, 1),
        }
        values = {key: self.dice.choice(some) for key, some in numbers.items()}
        self.model.pools[pool].limits = dict(values)
        if pool in self.claim_rules:
            change(self.world, ClaimRule, self.claim_rules[pool], **values)
        else:
            self.claim_rules[pool] = self.world.make(ClaimRule, pool_id=self._id(pool), **values)
        return f"claims from {pool}: {values}", DONE, DONE

    def pool(self) -> Said:
        """Close or open a pool, or give it another priority."""
        name = self.dice.choice(("north", "south"))
        pool = self.model.pools[name]
        if self._odds(0.5):
            pool.priority = self.dice.randint(0, 2)
        else:
            pool.is_open = not pool.is_open or self._odds(0.4)
        given = {"enabled": pool.is_open, "priority": pool.priority}
        found = self._told(lambda: self._as("ada", create_update.update, PoolRow, pool.id, given))
        self._renew()
        return f"pool {name}: {given}", DONE, found

    def seat(self) -> Said:
        """Give a seat, or take one."""
        key = pool, who = self.dice.choice(("north", "south")), self.dice.choice(SELLERS)
        seats = self.model.pools[pool].seats
        if who in seats and (len(seats) > 2 or self._odds(0.3)):
            del seats[who]
            gone = self.seats.pop(key)
            found = self._told(lambda: self._as("ada", create_update.delete, PoolMember, [gone]))
            said = f"{who} leaves {pool}"
        elif who in seats:
            return f"{who} stays in {pool}", DONE, DONE
        else:
            seats[who] = self.dice.choice(("MEMBER", "MEMBER", "VIEWER"))
            self.seats[key] = self.world.seat(pool, who, Seat(seats[who]))
            said, found = f"{who} sits in {pool} as {seats[who]}", DONE
        self._renew()
        return said, DONE, found

    def holiday(self) -> Said:
        """Enter a day in the calendar, or take it out."""
        day = local(self.now, self.model.days.zone).date() + timedelta(days=self.dice.randint(-2, 20))
        if day in self.calendar:
            gone = self.calendar.pop(day)
            del self.model.days.entered[day]
            found = self._told(lambda: self._as("ada", create_update.delete, CalendarDay, [gone]))
            said = f"{day} is ordinary"
        else:
            working = self.model.days.entered[day] = day.weekday() > 4
            self.calendar[day] = self.world.make(CalendarDay, day=day, name="Day", working=working)
            said, found = f"{day} is worked: {working}", DONE
        self._renew()
        return said, DONE, found

    def travel(self) -> Said:
        """The organisation moves to another time zone."""
        zone = self.dice.choice(BEGINNINGS)[0]
        self.model.days.zone = zone
        organise(self.world, time_zone=zone)
        self._renew()
        return f"the organisation goes to {zone}", DONE, DONE

    def leave(self) -> Said:
        """A seller leaves, or comes back."""
        who = self.dice.choice(("wu", "mei"))
        person = self.model.people[who]
        person.active = not person.active or self._odds(0.5)
        found = self._told(lambda: self._as("ada", create_update.update, User, person.id, {"active": person.active}))
        self._renew()
        return f"{who} is active: {person.active}", DONE, found

    # -- the pictures ------------------------------------------------------------------------------------

    def differences(self) -> list[str]:
        """Where what is stored differs from the oracle's picture."""
        found = []
        for name, expected, stored in zip(_STORED, self._expected(), self._stored(), strict=True):
            keys = [x for x in {**expected, **stored} if expected.get(x) != stored.get(x)]
            found += [f"{name} {x}: the oracle says {expected.get(x)}, the product {stored.get(x)}" for x in keys]
        return found

    def _expected(self) -> Iterator[dict[Any, Any]]:
        yield {x.id: self._line(x) for x in self.model.customers.values()}
        yield {n: tuple(period) for n, period in enumerate(self.model.periods)}
        yield self.model.quota
        yield {x: n for x in self.model.people if (n := self.model.held(x))}

    def _line(self, x: Customer) -> tuple[Any, ...]:
        """What the oracle knows of a customer, in the order of the columns of the first of `_STORED`."""
        place = (x.owner, x.pool, x.department, x.claimed, x.pooled, x.bin is not None)
        return (*place, x.is_locked, x.lock_ends, x.extensions, self.model.last_contact(x.id), *self.model.falls(x))

    def _stored(self) -> Iterator[dict[Any, Any]]:
        with self.world.backend.writer.engine.connect() as connection:
            customers, periods, quota, loads = (connection.execute(x).all() for x in _STORED.values())
        pool, name = self.places.get, self.names.get
        yield {
            id: (name(owner), pool(at), department, claimed, pooled, gone is not None, by is not None, *rest)
            for id, owner, at, department, claimed, pooled, gone, by, *rest in customers
        }
        yield {n: (id, name(owner), pool(at), *rest) for n, (id, owner, at, *rest) in enumerate(periods)}
        yield {(pool(at), name(who), period): used for at, who, period, used in quota}
        yield {name(who): held for who, held in loads if held}

    # -- steps of steps ----------------------------------------------------------------------------------

    def _as(self, who: str, use_case: Callable[..., Any], *given: Any, **how: Any) -> Any:
        return self.world.scope(who).do(use_case, *given, **how)

    def _told(self, call: Callable[[], Any]) -> str:
        """The code that the product answers with."""
        try:
            outcome = call()
        except Refusal as refusal:
            return refusal.code()
        problems = getattr(outcome, "problems", [])
        return problems[0].code() if problems else DONE

    def _renew(self) -> None:
        run_clock(self.world, ("renew_release_dates",))

    def _who(self, *only: str) -> str:
        there = [x for x in only or ACTORS if self.model.people[x].active]
        return self.dice.choice(there)

    def _owner_or_other(self, id: int) -> str:
        owner = self.model.customers[id].owner
        is_there = owner is not None and self.model.people[owner].active
        return owner if owner and is_there and self._odds(0.7) else self._who()

    def _one(self, place: str, odds: float = 0.88) -> int:
        """A customer in a place, mostly."""
        there = [x.id for x in self.model.customers.values() if getattr(x, place) and x.bin is None]
        return self.dice.choice(there if there and self._odds(odds) else list(self.model.customers))

    def _odds(self, chance: float) -> bool:
        return self.dice.random() < chance

    def _id(self, name: str | None) -> int:
        assert name
        return self.world.ids[name]

    def _terms(self) -> dict[str, Any]:
        dice = self.dice
        return {
            "days": dice.choice((1, 2, 3, 5, 10, 20)),
            "lapse": dice.choice(("NO_FOLLOW_UP", "NO_FOLLOW_UP", "NO_OPPORTUNITY", "NO_DEAL")),
            "business_days": dice.random() < 0.5,
            "words": dice.choice(({}, {}, {"stage": ["early"]}, {"stage": ["won", "hot"], "industry": ["retail"]})),
            "spared": dice.choice(([], [], ["won"], ["early"])),
            "spares_opportunities": dice.random() < 0.2,
            "spares_deals": dice.random() < 0.2,
            "starts_at": self.now + timedelta(days=dice.randint(1, 20)) if dice.random() < 0.2 else None,
            "max_extensions": dice.randint(0, 2),
            "extension_days": dice.randint(1, 9),
        }

    def _people(self) -> dict[str, Person]:
        rows = {row["login"]: row for row in self.world.rows(User) if row["login"] in ACTORS}
        return {
            x: Person(row["id"], row["department_id"], is_admin=x == "ada", leads=x == "lead")
            for x, row in rows.items()
        }

    def _pools(self) -> dict[str, Pool]:
        return {name: Pool(self.world.ids[name]) for name in ("north", "south")}


def _as_columns(terms: Mapping[str, Any]) -> dict[str, Any]:
    """The terms of a rule as the product takes them."""
    lists = {"stage": "stages", "industry": "industries"}
    words = {lists[key]: some for key, some in terms["words"].items()}
    rest = {key: value for key, value in terms.items() if key not in ("words", "spared")}
    return {**rest, **words, "everybody": not words, "spared_stages": terms["spared"]}


def _columns(model: Any, *names: str) -> Any:
    c = model.__table__.c
    return select(*(c[x] for x in names)).order_by(*model.__table__.primary_key.columns)


_STORED = {
    "customer": _columns(
        CustomerRow,
        *("id", "owner_id", "pool_id", "department_id", "claimed_at", "pooled_at", "deleted_at", "locked_by_id"),
        *("lock_expires_at", "extensions", "last_follow_up_at", "release_due_at", "release_rule_id"),
    ),
    "period": _columns(
        OwnershipPeriod,
        *("customer_id", "owner_id", "pool_id", "began", "started_at", "ended", "ended_at", "reason"),
    ),
    "quota": _columns(QuotaCounter, "pool_id", "user_id", "period", "used"),
    "load": _columns(OwnerLoad, "user_id", "held"),
}
"""What is compared after each step."""
STEPS = {
    "new": 4,
    "claim": 14,
    "assign": 5,
    "release": 7,
    "transfer": 7,
    "move": 3,
    "lock": 5,
    "unlock": 4,
    "extend": 5,
    "delete": 4,
    "restore": 5,
    "edit": 5,
    "follow_up": 9,
    "unfollow": 2,
    "deal": 4,
    "change_deal": 5,
    "new_rule": 1,
    "change_rule": 2,
    "switch": 3,
    "limits": 2,
    "pool": 2,
    "seat": 3,
    "holiday": 2,
    "travel": 0.5,
    "leave": 1,
}
"""Step -> how often it is taken, by weight."""
