"""The oracle of the life cycle: what becomes of customers, in plain Python, from the promises and not from the code.

Each use case has a method of the same name: it returns `DONE` and changes the picture, or the code of the refusal.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.support.life_days import Days

DONE = "DONE"
WON, LOST = "won", "lost"
BELOW = {"early": {"early", "hot"}}
"""Word -> the words that stand for it, where there are others than itself."""


@dataclass
class Person:
    id: int
    department: int | None
    is_admin: bool = False
    leads: bool = False
    capacity: int | None = None
    active: bool = True


@dataclass
class Pool:
    id: int
    is_open: bool = True
    priority: int = 0
    seats: dict[str, str] = field(default_factory=dict)
    limits: dict[str, int | None] = field(default_factory=dict)
    """Of the claim rule: daily_quota, weekly_quota, capacity, cooldown_days, protect_days."""


@dataclass
class Rule:
    id: int
    pool: str
    days: int
    lapse: str = "NO_FOLLOW_UP"
    business_days: bool = False
    words: dict[str, list[str]] = field(default_factory=dict)
    spared: list[str] = field(default_factory=list)
    spares_opportunities: bool = False
    spares_deals: bool = False
    starts_at: datetime | None = None
    max_extensions: int = 1
    extension_days: int = 7
    is_on: bool = False


@dataclass
class Deal:
    """An opportunity."""

    customer: int
    stage: str | None
    touched: datetime
    bin: str | None = None


@dataclass
class Contact:
    """A follow-up."""

    customer: int
    at: datetime
    counts: bool
    by: str
    text: str
    written: datetime
    bin: str | None = None


@dataclass
class Customer:
    id: int
    owner: str | None = None
    department: int | None = None
    pool: str | None = None
    claimed: datetime | None = None
    pooled: datetime | None = None
    is_locked: bool = False
    lock_ends: datetime | None = None
    exempt: datetime | None = None
    extended: datetime | None = None
    extensions: int = 0
    words: dict[str, str | None] = field(default_factory=dict)
    bin: str | None = None


class Model:
    """The organisation as it should be."""

    def __init__(self, zone: str, people: dict[str, Person], pools: dict[str, Pool]) -> None:
        self.days, self.people, self.pools = Days(zone), people, pools
        self.customers: dict[int, Customer] = {}
        self.rules: dict[int, Rule] = {}
        self.deals: dict[int, Deal] = {}
        self.contacts: dict[int, Contact] = {}
        self.periods: list[list[Any]] = []
        """[customer, owner, pool it came from, began, started, ended, when, reason], oldest first."""
        self.quota: dict[tuple[str, str, str], int] = {}
        self.bins = 0

    # -- what a customer is ------------------------------------------------------------------------------

    def held(self, login: str) -> int:
        return sum(x.owner == login and x.bin is None for x in self.customers.values())

    def last_contact(self, id: int) -> datetime | None:
        counted = (x.at for x in self.contacts.values() if x.customer == id and x.counts and x.bin is None)
        return max(counted, default=None)

    def locked(self, x: Customer, now: datetime) -> bool:
        return x.is_locked and (x.lock_ends is None or x.lock_ends > now)

    def home(self, login: str) -> str | None:
        """The pool to which the customers of a person go back."""
        open_ = [x for x in self.pools.values() if x.is_open and login in x.seats]
        best = min(open_, key=lambda x: (-x.priority, x.id), default=None)
        return next(k for k, v in self.pools.items() if v is best) if best and self.people[login].active else None

    def falls(self, x: Customer) -> tuple[datetime | None, int | None]:
        """When it goes back to a pool, and by which rule."""
        home = self.home(x.owner) if x.owner and x.bin is None else None
        dates = [(at, id) for id, r in self.rules.items() if r.is_on and r.pool == home and (at := self.by_rule(x, r))]
        return min(dates) if home and dates else (None, None)

    def by_rule(self, x: Customer, rule: Rule) -> datetime | None:
        """When a rule takes a customer with an owner, by itself."""
        mine = [d for d in self.deals.values() if d.customer == x.id]
        won = [d.touched for d in mine if d.stage == WON and d.bin is None]
        is_open = any(d.bin is None and d.stage not in (WON, LOST) for d in mine)
        if not self._is_about(x, rule) or (x.is_locked and x.lock_ends is None):
            return None
        if is_open and (rule.spares_opportunities or rule.lapse == "NO_OPPORTUNITY"):
            return None
        if won and rule.spares_deals:
            return None
        asked = {
            "NO_FOLLOW_UP": [self.last_contact(x.id)],
            "NO_OPPORTUNITY": [d.touched for d in mine],
            "NO_DEAL": won,
        }[rule.lapse]
        begins = max(at for at in (x.claimed, x.exempt, x.lock_ends if x.is_locked else None, *asked) if at)
        at = self.days.after(begins, rule.days, business=rule.business_days)
        return max(at, *(later for later in (x.extended, rule.starts_at) if later), at)

    def _is_about(self, x: Customer, rule: Rule) -> bool:
        def named(words: list[str], value: str | None) -> bool:
            return any(value in BELOW.get(word, {word}) for word in words)

        return not named(rule.spared, x.words["stage"]) and all(
            named(words, x.words[key]) for key, words in rule.words.items()
        )

    # -- who may -----------------------------------------------------------------------------------------

    def sees(self, who: str, x: Customer, now: datetime) -> bool:
        if self.locked(x, now) and x.owner != who:
            return False
        person = self.people[who]
        if person.is_admin or self._leads(person, x) or (x.pool and self.pools[x.pool].seats.get(who) == "ADMIN"):
            return True
        return x.bin is None and (x.owner == who or bool(x.pool and who in self.pools[x.pool].seats))

    def _leads(self, person: Person, x: Customer) -> bool:
        return person.leads and x.owner is not None and x.department == person.department

    def may(self, who: str, to: str, x: Customer, now: datetime) -> bool:
        person, locked, mine = self.people[who], self.locked(x, now), x.owner == who
        seat = self.pools[x.pool].seats.get(who) if x.pool else None
        if locked and not mine and to != "unlock":
            return False
        if person.is_admin:
            return True
        if x.pool:
            in_pool = {"claim": seat in ("MEMBER", "ADMIN"), "restore": seat == "ADMIN" and x.bin is not None}
            return in_pool.get(to, seat == "ADMIN" and to in ("edit", "delete", "assign", "move"))
        if self._leads(person, x):
            special = {"unlock": locked or mine, "restore": x.bin is not None, "lock": mine}
            return special.get(to, to in ("edit", "delete", "transfer", "release", "extend", "follow_up", "deal"))
        return mine and to in ("edit", "delete", "transfer", "release", "extend", "lock", "unlock", "follow_up", "deal")

    def ever(self, who: str, to: str) -> bool:
        """Whether the person may do this to some customer."""
        person = self.people[who]
        seats = {x.seats.get(who) for x in self.pools.values()}
        needed = {"assign": {"ADMIN"}, "move": {"ADMIN"}, "claim": {"MEMBER", "ADMIN"}}
        if to in needed:
            return person.is_admin or not seats.isdisjoint(needed[to])
        return to != "restore" or person.is_admin or person.leads

    def refused(self, who: str, to: str, x: Customer, now: datetime) -> str | None:
        """The code for a person who may not do this to the customer as it is."""
        may = self.may(who, to, x, now)
        if not self.sees(who, x, now) and not (may and to in ("unlock", "restore")):
            return "NOT_FOUND"
        if x.bin is not None and to != "restore":
            return "IN_BIN"
        return None if may else "FORBIDDEN"

    def _not_pooled(self, who: str, to: str, x: Customer, now: datetime) -> str | None:
        sees = self.sees(who, x, now)
        if sees and x.bin is None and x.pool:
            return self.refused(who, to, x, now)
        if sees and x.bin is not None:
            return "IN_BIN"
        if self._was_just_taken(who, x, now):
            return "ALREADY_CLAIMED"
        return "NOT_IN_POOL" if sees and self.ever(who, to) else self.refused(who, to, x, now) or "NOT_IN_POOL"

    def _was_just_taken(self, who: str, x: Customer, now: datetime) -> bool:
        for customer, owner, pool, began, started, ended, *_ in self.periods:
            if customer == x.id and ended is None and owner != who and began in ("CLAIM", "ASSIGN"):
                place = self.pools[pool]
                may = self.people[who].is_admin or place.seats.get(who) in ("MEMBER", "ADMIN")
                return started > now - timedelta(hours=1) and place.is_open and may
        return False

    def _not_owned(self, who: str, to: str, x: Customer, now: datetime) -> str | None:
        if self.sees(who, x, now) and x.bin is None and x.pool:
            return "ALREADY_IN_POOL" if self.ever(who, to) else "FORBIDDEN"
        return self.refused(who, to, x, now)

    # -- limits ------------------------------------------------------------------------------------------

    def _is_full(self, login: str, at_most: int | None = None) -> bool:
        limits = [x for x in (self.people[login].capacity, at_most) if x is not None]
        return bool(limits) and self.held(login) >= min(limits)

    def _end(self, id: int, ended: str, now: datetime, reason: str | None = None) -> None:
        for period in self.periods:
            if period[0] == id and period[5] is None:
                period[5:] = [ended, now, reason]

    def _begin(self, id: int, owner: str, began: str, now: datetime, pool: str | None = None) -> None:
        self.periods.append([id, owner, pool, began, now, None, None, None])

    def _give(self, x: Customer, owner: str, now: datetime) -> None:
        x.owner, x.department, x.pool, x.pooled, x.claimed = owner, self.people[owner].department, None, None, now
        self._fresh(x)

    def _pool(self, x: Customer, pool: str, now: datetime) -> None:
        x.owner = x.department = x.claimed = None
        x.pool, x.pooled = pool, now
        self._fresh(x)

    def _fresh(self, x: Customer) -> None:
        x.is_locked, x.lock_ends, x.exempt, x.extended, x.extensions = False, None, None, None, 0

    # -- use cases ---------------------------------------------------------------------------------------

    def create(self, owner: str | None, pool: str | None) -> str:
        if pool:
            return DONE if self.pools[pool].is_open else "VALIDATION"
        assert owner
        if not self.people[owner].active:
            return "VALIDATION"
        return "CAPACITY_REACHED" if self._is_full(owner) else DONE

    def created(self, id: int, owner: str | None, pool: str | None, words: dict[str, Any], now: datetime) -> None:
        x = self.customers[id] = Customer(id, words={"stage": None, "industry": None, **words})
        if pool:
            self._pool(x, pool, now)
        else:
            assert owner
            self._give(x, owner, now)
            self._begin(id, owner, "CREATE", now)

    def claim(self, who: str, id: int, now: datetime) -> str:
        x = self.customers[id]
        if refusal := self._not_pooled(who, "claim", x, now):
            return refusal
        assert x.pool
        assert x.pooled
        place = self.pools[x.pool]
        limit = place.limits.get
        left = max((p[6] for p in self.periods if p[0] == id and p[1] == who and p[6]), default=None)
        if not place.is_open:
            return "NOT_ELIGIBLE"
        if x.pooled + timedelta(days=limit("protect_days") or 0) > now:
            return "PROTECTED"
        if left and left + timedelta(days=limit("cooldown_days") or 0) > now:
            return "COOLDOWN"
        keys = dict(zip(("daily_quota", "weekly_quota"), self.days.keys(now), strict=True))
        counters = {(x.pool, who, key): most for name, key in keys.items() if (most := limit(name)) is not None}
        if any(self.quota.get(each, 0) >= most for each, most in counters.items()):
            return "QUOTA_REACHED"
        if self._is_full(who, limit("capacity")):
            return "CAPACITY_REACHED"
        for each in counters:
            self.quota[each] = self.quota.get(each, 0) + 1
        self._begin(id, who, "CLAIM", now, x.pool)
        self._give(x, who, now)
        return DONE

    def assign(self, who: str, id: int, to: str, now: datetime) -> str:
        x = self.customers[id]
        if refusal := self._not_pooled(who, "assign", x, now):
            return refusal
        assert x.pool
        place, person = self.pools[x.pool], self.people[to]
        if not person.active:
            return "VALIDATION"
        if place.seats.get(to) not in ("MEMBER", "ADMIN") or not place.is_open:
            return "NOT_ELIGIBLE"
        if self._is_full(to):
            return "CAPACITY_REACHED"
        self._begin(id, to, "ASSIGN", now, x.pool)
        self._give(x, to, now)
        return DONE

    def move(self, who: str, id: int, to: str, now: datetime) -> str:
        x = self.customers[id]
        if refusal := self._not_pooled(who, "move", x, now):
            return refusal
        if refusal := self._closed(who, to):
            return refusal
        if x.pool == to:
            return "IN_THAT_POOL"
        x.pool, x.pooled = to, now
        return DONE

    def _closed(self, who: str, pool: str) -> str | None:
        if not (self.people[who].is_admin or who in self.pools[pool].seats):
            return "NOT_FOUND"
        return None if self.pools[pool].is_open else "RULE_MISSING"

    def release(self, who: str, id: int, to: str | None, now: datetime, *, lift: bool) -> str:
        x = self.customers[id]
        if refusal := self._not_owned(who, "release", x, now):
            return refusal
        assert x.owner
        if self.locked(x, now) and not lift:
            return "LOCK_WOULD_END"
        if to and (refusal := self._closed(who, to)):
            return refusal
        pool = to or self.home(x.owner)
        if pool is None:
            return "RULE_MISSING"
        self._pool(x, pool, now)
        self._end(id, "RELEASE", now)
        return DONE

    def transfer(self, who: str, id: int, to: str, now: datetime, *, lift: bool) -> str:
        x = self.customers[id]
        if refusal := self._not_owned(who, "transfer", x, now):
            return refusal
        if self.locked(x, now) and not lift:
            return "LOCK_WOULD_END"
        if not self.people[to].active or x.owner == to:
            return "VALIDATION"
        if self._is_full(to):
            return "CAPACITY_REACHED"
        self._end(id, "TRANSFER", now)
        self._give(x, to, now)
        self._begin(id, to, "TRANSFER", now)
        return DONE

    def lock(self, who: str, id: int, until: datetime | None, now: datetime) -> str:
        x = self.customers[id]
        if refusal := self._not_owned(who, "lock", x, now):
            return refusal
        x.is_locked, x.lock_ends = True, until
        return DONE

    def unlock(self, who: str, id: int, now: datetime) -> str:
        x = self.customers[id]
        if self.sees(who, x, now) and x.bin is None and not self.locked(x, now):
            return "NOT_LOCKED"
        if refusal := self.refused(who, "unlock", x, now):
            return refusal
        x.is_locked, x.lock_ends, x.exempt = False, None, now
        return DONE

    def extend(self, who: str, id: int, now: datetime) -> str:
        x = self.customers[id]
        if refusal := self._not_owned(who, "extend", x, now):
            return refusal
        due, rule = self.falls(x)
        if due is None or rule is None:
            return "NO_RELEASE_DATE"
        said = self.rules[rule]
        if x.extensions >= said.max_extensions:
            return "EXTENSIONS_USED"
        x.extended = self.days.after(due, said.extension_days, business=said.business_days)
        x.extensions += 1
        return DONE

    def delete(self, who: str, id: int, now: datetime) -> str:
        x = self.customers[id]
        if refusal := self.refused(who, "delete", x, now):
            return refusal
        self.bins += 1
        x.bin = str(self.bins)
        if x.owner:
            x.is_locked, x.lock_ends = False, None
            self._end(id, "DELETE", now)
        self._bin(id, None, x.bin, now)
        return DONE

    def restore(self, who: str, id: int, now: datetime) -> str:
        x = self.customers[id]
        if refusal := self.refused(who, "restore", x, now):
            return refusal
        if x.bin is None:
            return "NOT_DELETED"
        if x.pool and not self.pools[x.pool].is_open and (self.people[who].is_admin or who in self.pools[x.pool].seats):
            return "VALIDATION"
        if x.owner:
            owner = x.owner if self.people[x.owner].active else who
            if self._is_full(owner):
                return "CAPACITY_REACHED"
            x.owner, x.department, x.exempt = owner, self.people[owner].department, now
            self._begin(id, owner, "RESTORE", now)
        self._bin(id, x.bin, None, now)
        x.bin = None
        return DONE

    def _bin(self, customer: int, was: str | None, becomes: str | None, now: datetime) -> None:
        """Put what hangs on a customer into the bin, or take it out again."""
        for part in (*self.deals.values(), *self.contacts.values()):
            if part.customer == customer and part.bin == was:
                part.bin = becomes
                if isinstance(part, Deal):
                    part.touched = now

    def edit(self, who: str, id: int, key: str, word: str | None, now: datetime) -> str:
        x = self.customers[id]
        refusal = self.refused(who, "edit", x, now)
        if refusal is None:
            x.words[key] = word
        return refusal or DONE

    def hang_on(self, who: str, id: int, to: str, now: datetime) -> str:
        """Whether a follow-up or an opportunity of this customer may be written."""
        x = self.customers[id]
        if not self.sees(who, x, now) or x.bin is not None:
            return "NOT_FOUND"
        return DONE if self.may(who, to, x, now) else "FORBIDDEN"

    def counts(self, who: str, id: int, text: str, at: datetime, now: datetime) -> bool:
        """Whether a follow-up is a contact with the customer."""
        owned = self.customers[id].claimed
        copies = (x for x in self.contacts.values() if x.by == who and x.text == text and x.bin is None)
        is_copied = any(x.written > now - timedelta(days=30) for x in copies)
        since = owned and owned.replace(second=0, microsecond=0)
        return len(text) >= 2 and at <= now and not (since and at < since) and not is_copied

    # -- the clock ---------------------------------------------------------------------------------------

    def lift_locks(self, now: datetime) -> None:
        """Open the customers whose lock has ended; its end begins the days."""
        for x in self.customers.values():
            if x.is_locked and x.lock_ends is not None and x.lock_ends <= now and x.bin is None:
                x.is_locked, x.lock_ends, x.exempt = False, None, x.lock_ends

    def fall(self, now: datetime, names: dict[int, str]) -> dict[int, str]:
        """Put what is due into its pools; returns customer -> pool."""
        due = {
            x.id: (x, rule)
            for x in self.customers.values()
            if (at := self.falls(x))[0] and at[0] <= now
            for rule in [at[1]]
        }
        fallen = {}
        for id, (x, rule) in due.items():
            assert x.owner
            home = self.home(x.owner)
            assert home
            assert rule
            self._pool(x, home, now)
            self._end(id, "RELEASE", now, names[rule])
            fallen[id] = home
        return fallen
