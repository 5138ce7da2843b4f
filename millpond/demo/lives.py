"""The histories of invented customers: created, claimed, transferred, locked, shared, released, deleted.

A history goes from the creation to now.  Each step is logged at its time, and the row holds the final state.
"""

from datetime import datetime
from typing import Any

from models import (
    Comment,
    Contact,
    ContactPoint,
    Customer,
    Entity,
    FollowUp,
    Opportunity,
    OwnershipPeriod,
    Plan,
    Share,
)
from models.contact import key_of
from models.ownership import Began, Ended

from . import deals, rows
from .land import Land, Seller
from .ledger import born, changed
from .rows import DAY, Row


def live(land: Land, at: datetime) -> None:
    """Write one customer that is created at `at`, with its child records and its history until now."""
    life, age = _Life(land, at), land.now - at
    roll = land.rng.random()
    if roll < 0.03:
        life.be_deleted()
    elif roll < 0.15 and age > 20 * DAY:
        life.be_claimed()
    elif roll < 0.20 and age > 2 * DAY:
        life.be_transferred()
    elif roll < 0.60:
        life.begin(life.seller)
    else:
        life.be_pooled()
    if life.owner is not None:
        life.be_worked_on(life.owner)


class _Life:
    """The history of one customer while it is written."""

    def __init__(self, land: Land, at: datetime) -> None:
        self.land, self.at = land, at
        self.company, self.seller = land.words.company(), land.seller()
        self.owner: Seller | None = None
        self.row: Row = {}
        self.period: Row = {}
        self.children: list[tuple[type[Entity], Row]] = []

    # -- histories ---------------------------------------------------------------------------------------

    def be_claimed(self) -> None:
        self.begin(None)
        # Not within the last days, so that users of the demo have their whole quota left.
        at = self.land.between(self.at + 3 * DAY, self.land.now - 8 * DAY)
        pool_id, since = self.row["pool_id"], self.row["pooled_at"]
        self.land.count_claim(self.seller, pool_id, at)
        self.change(at, "customer.claim", rows.held_by(self.seller, at))
        self.open_period(Began.CLAIM, at, self.seller, pool_id, since)

    def be_transferred(self) -> None:
        self.begin(self.seller)
        at = self.land.between(self.at + DAY, self.land.now)
        reason = self.land.words.pick(("地区调整", "Territory change", "原负责人休假"))
        assignee = self.land.other(self.seller)
        self.work(self.seller, self.at, at)
        self.close_period(Ended.TRANSFER, at, reason)
        self.change(at, "customer.transfer", rows.held_by(assignee, at), reason)
        self.open_period(Began.TRANSFER, at, assignee)

    def be_pooled(self) -> None:
        """Lie in a pool: from the first day, or because its owner has released it lately."""
        land, seller = self.land, self.seller
        if land.now - self.at < 80 * DAY or land.chance(0.05):
            self.begin(None)
            return
        self.begin(seller)
        at = land.between(land.now - 80 * DAY, land.now)
        reason = land.words.pick(("长期无进展", "No need at present", "预算取消", "Wrong contact"))
        self.work(seller, self.at, at)
        self.close_period(Ended.RELEASE, at, reason)
        self.change(at, "customer.release", rows.pooled(seller.pool_id, at), reason)
        if land.chance(0.1):
            self.be_moved(land.between(at, land.now))

    def be_moved(self, at: datetime) -> None:
        """Go on to another pool, where its time begins anew, by the head of sales, who administers the first."""
        head = self.land.sellers[-1]
        others = [x.pool_id for x in self.land.sellers if x.pool_id != self.row["pool_id"]]
        if others and self.row["pool_id"] == head.pool_id:
            self.change(at, "customer.move", rows.pooled(self.land.rng.choice(others), at), "地区调整", by=head)

    def be_deleted(self) -> None:
        land = self.land
        self.begin(self.seller)
        at = land.between(max(self.at, land.now - 60 * DAY), land.now)
        self.work(self.seller, self.at, at)
        self.close_period(Ended.DELETE, at)
        self.row.update(last_follow_up_at=None, last_follow_up_by_id=None)
        batch = f"{land.ledger.signature.batch_id}-{self.row['id']}"
        for model, row in self.children:
            self.delete("customer.delete", model, row, at, batch)
        self.delete("customer.delete", Customer, self.row, at, batch)

    def be_worked_on(self, owner: Seller) -> None:
        """Follow-ups and perhaps an opportunity, a lock or a share, while the customer has its last owner."""
        land, since = self.land, self.row["claimed_at"]
        land.held[owner.id] += 1
        self.work(owner, since, land.now)
        if land.chance(0.2):
            at = land.between(since, land.now)
            deal = rows.opportunity(land, self.company, self.contact, owner, at)
            last = land.words.pick(("discovery", "proposal", "negotiation", "contract", "won", "lost"))
            land.ledger.add(Opportunity, deal)
            self.children.append((Opportunity, deal))
            deals.walk(land, deal, owner.id, at, last)
        if land.chance(0.05):
            lock = rows.lock(land, owner, land.between(since, land.now))
            self.change(lock["locked_at"], "customer.lock", lock, lock["lock_reason"], by=owner)
        elif land.chance(0.03):
            at = land.between(max(since, land.now - 20 * DAY), land.now)
            land.ledger.add(Share, rows.share(land, self.row, owner, at))
        self.be_planned(owner)

    def be_planned(self, owner: Seller) -> None:
        """A plan for the next contact perhaps, and a comment of a colleague on the last one."""
        land = self.land
        if land.chance(0.25):
            plan = rows.plan(land, self.company, self.contact, owner)
            self.add_activity(Plan, plan, plan["created_at"])
            self.row["next_follow_up_at"] = plan["due_at"]
        said = next((row for model, row in reversed(self.children) if model is FollowUp), None)
        if said is not None and land.chance(0.2):
            comment = rows.comment(land, self.company, said, land.other(owner))
            land.ledger.add(Comment, comment)
            changes = {"comment": [None, comment["value"]]}
            land.ledger.note(comment["at"], "followup.comment", FollowUp, said, changes, comment["author_id"])

    # -- steps -------------------------------------------------------------------------------------------

    def begin(self, owner: Seller | None) -> None:
        """Create the customer with two contacts on average, with this owner or in the pool of its seller."""
        ledger, people = self.land.ledger, (1, 2, 2, 3)[self.land.ledger.counts[Customer] % 4]
        self.row = rows.customer(self.land, self.company, self.seller, owner, self.at)
        ledger.add(Customer, self.row)
        ledger.note(self.at, "customer.create", Customer, self.row, born(self.row), self.seller.id)
        self.row["number_order"] = self.land.pattern.order(self.row["number"])
        deals.stay(self.land, self.row, self.seller.id, self.at)
        if owner is not None:
            self.open_period(Began.CREATE, self.at, owner)
        for place in range(people):
            self.add_contact(primary=place == 0)
        if people > 2 and self.land.chance(0.04):
            self.lose_contact()

    def add_contact(self, *, primary: bool) -> None:
        ledger, row = self.land.ledger, rows.contact(self.land, self.company, self.row, primary=primary)
        ledger.add(Contact, row)
        given = born(row)
        for position, (kind, value) in enumerate(rows.points(self.land, self.company, row["name"])):
            point = {"contact_id": row["id"], "kind": kind, "value": value, "value_key": key_of(kind, value)}
            ledger.add(ContactPoint, point | {"position": position})
            given[kind.value.lower()] = [None, value]
        ledger.note(self.at, "contact.create", Contact, row, given, self.seller.id)
        self.children.append((Contact, row))

    def lose_contact(self) -> None:
        """Delete the last contact by itself: they have left the company."""
        at = self.land.between(self.at, self.land.now)
        model, row = self.children.pop()
        self.delete("contact.delete", model, row, at, f"{self.land.ledger.signature.batch_id}-con-{row['id']}")

    @property
    def contact(self) -> Row:
        return self.children[0][1]

    def work(self, owner: Seller, start: datetime, end: datetime) -> None:
        """A few follow-ups between two moments."""
        for _ in range(self.land.rng.choices((0, 1, 2, 4), (60, 22, 12, 6))[0]):
            at = self.land.between(start, end)
            self.add_activity(FollowUp, rows.follow_up(self.land, self.company, self.contact, owner, at), at)
            if at >= (self.row["last_follow_up_at"] or at):
                self.row.update(last_follow_up_at=at, last_follow_up_by_id=owner.id)

    def add_activity(self, model: type[Entity], row: Row, at: datetime) -> None:
        self.land.ledger.add(model, row)
        self.land.ledger.note(at, f"{model.module}.create", model, row, born(row), row["owner_id"])
        self.children.append((model, row))

    def change(
        self, at: datetime, action: str, new: Row, reason: str | None = None, *, by: Seller | None = None
    ) -> None:
        user_id = (by or self.seller).id
        self.land.ledger.note(at, action, Customer, self.row, changed(self.row, new), user_id, reason)
        _stamp(self.row, at, user_id)

    def delete(self, action: str, model: type[Entity], row: Row, at: datetime, batch: str) -> None:
        gone = changed(row, {"deleted_at": at, "delete_batch_id": batch})
        self.land.ledger.note(at, action, model, row, gone, self.seller.id)
        _stamp(row, at, self.seller.id)
        row["deleted_by_id"] = self.seller.id

    def open_period(
        self, began: Began, at: datetime, owner: Seller, pool_id: int | None = None, since: datetime | None = None
    ) -> None:
        self.owner = owner
        self.period = {"customer_id": self.row["id"], "owner_id": owner.id, "pool_id": pool_id, "began": began}
        self.period |= {"started_at": at, "ended": None, "ended_at": None, "reason": None, "pooled_at": since}
        self.land.ledger.add(OwnershipPeriod, self.period)

    def close_period(self, ended: Ended, at: datetime, reason: str | None = None) -> None:
        self.owner = None
        self.period.update(ended=ended, ended_at=at, reason=reason)


def _stamp(row: dict[str, Any], at: datetime, user_id: int) -> None:
    row.update(version=row["version"] + 1, updated_at=at, updated_by_id=user_id)
