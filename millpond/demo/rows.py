"""Rows of an invented customer and of its child records, each with all columns of its table."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from models import Contact, Customer, FollowUp, Opportunity, Plan
from models.base import clip
from models.contact import PointKind
from models.counting import FollowUpKind
from models.plan import PlanState
from models.pool import GranteeKind
from models.share import INCLUDED, ShareLevel

from .land import ZONE, Land, Seller
from .words import Company

DAY = timedelta(days=1)
Row = dict[str, Any]


def customer(land: Land, company: Company, maker: Seller, owner: Seller | None, at: datetime) -> Row:
    """A customer of `owner`; without one, in the pool of its maker."""
    words, has = land.words, land.chance
    place = held_by(owner, at) if owner else pooled(maker.pool_id, at)
    return {
        "id": land.ledger.next_id(Customer),
        "number": land.number(at),
        "name": company.name,
        "stage": words.pick(_STAGES[owner is not None]),
        "industry": company.industry,
        "source": words.pick(_SOURCES),
        "region": company.region,
        "level": land.rng.choices(("a", "b", "c", "d"), (5, 20, 50, 25))[0],
        "category": words.pick(_CATEGORIES),
        "phone": words.line(company) if has(0.8) else None,
        "email": f"info@{company.domain}" if has(0.5) else None,
        "address": words.address(company) if has(0.8) else None,
        "latest_need": words.need(company) if has(0.6) else None,
        "remark": words.remark(company) if has(0.2) else None,
        "locked_by_id": None,
        "locked_at": None,
        "lock_reason": None,
        "lock_expires_at": None,
        "last_follow_up_at": None,
        "last_follow_up_by_id": None,
        "next_follow_up_at": None,
        "extensions": 0,
        "has_open_opportunity": False,
        "last_opportunity_at": None,
        "last_deal_at": None,
        **place,
        **_stamps(at, maker.id),
    }


_STAGES = (
    ("new", "contacted", "early", "dormant", "lost"),
    ("contacted", "early", "qualified", "proposal", "negotiation", "won", "won"),
)
_SOURCES = ("website", "referral", "exhibition", "phone", "visit", "advertising", "wechat")
_CATEGORIES = ("prospect_early", "prospect_medium", "prospect_strong", "formal_new", "formal_core", "channel")


def contact(land: Land, company: Company, customer: Row, *, primary: bool) -> Row:
    words = land.words
    return {
        "id": land.ledger.next_id(Contact),
        "customer_id": customer["id"],
        "name": words.person(company),
        "title": words.title(company) if land.chance(0.8) else None,
        "is_primary": primary,
        "do_not_contact": land.chance(0.03),
        "birthday": words.birthday() if land.chance(0.2) else None,
        "remark": None,
        "owner_id": None,
        **_stamps(customer["created_at"], customer["created_by_id"]),
    }


def points(land: Land, company: Company, name: str) -> list[tuple[PointKind, str]]:
    found = [(PointKind.PHONE, land.words.mobile(company))]
    if land.chance(0.5):
        found.append((PointKind.EMAIL, land.words.email(company, name)))
    if company.chinese and land.chance(0.3):
        found.append((PointKind.WECHAT, f"wx_{land.rng.randrange(10**8):08d}"))
    return found


def follow_up(land: Land, company: Company, contact: Row, owner: Seller, at: datetime) -> Row:
    return {
        "id": land.ledger.next_id(FollowUp),
        "customer_id": contact["customer_id"],
        "contact_id": contact["id"],
        "opportunity_id": None,
        "kind": land.rng.choice(tuple(FollowUpKind)),
        "content": land.words.done(company),
        "happened_at": at,
        "counts": True,
        "owner_id": owner.id,
        **_stamps(at, owner.id),
    }


def plan(land: Land, company: Company, contact: Row, owner: Seller) -> Row:
    """What the owner is to do between three days ago and a week from now, at a full hour of the working day."""
    day = land.now.astimezone(ZoneInfo(ZONE)).date() + DAY * land.rng.choice((-3, -2, -1, 0, 0, 0, 1, 2, 3, 5, 7))
    due = datetime.combine(day, time(land.rng.randrange(9, 18)), ZoneInfo(ZONE)).astimezone(UTC)
    made = max(due - 9 * DAY, contact["created_at"])
    minutes = land.rng.choice((15, 15, 60, None))
    return {
        "id": land.ledger.next_id(Plan),
        "customer_id": contact["customer_id"],
        "contact_id": contact["id"],
        "opportunity_id": None,
        "kind": land.rng.choice(tuple(FollowUpKind)[:-1]),
        "content": land.words.plan(company),
        "due_at": due,
        "remind_minutes": minutes,
        "state": PlanState.OPEN,
        "ended_at": None,
        "cancel_reason": None,
        "result_id": None,
        "owner_id": owner.id,
        "handed_over_by_id": None,
        "remind_at": due - timedelta(minutes=minutes) if minutes and due > land.now else None,
        **_stamps(min(made, land.now), owner.id),
    }


def comment(land: Land, company: Company, on: Row, author: Seller) -> Row:
    at = land.between(on["happened_at"], land.now)
    return {"follow_up_id": on["id"], "value": land.words.answer(company), "author_id": author.id, "at": at}


def opportunity(land: Land, company: Company, contact: Row, owner: Seller, at: datetime) -> Row:
    """An opportunity at the beginning of its way (`deals.py`)."""
    return {
        "id": land.ledger.next_id(Opportunity),
        "customer_id": contact["customer_id"],
        "contact_id": contact["id"],
        "name": land.words.thing(company).capitalize(),
        "amount": Decimal(land.rng.randrange(5, 900)) * 1000,
        "currency": "CNY" if company.chinese else "USD",
        "stage": "discovery",
        "probability": 10,
        "closed_on": None,
        "lost_reason": None,
        "expected_close": (land.now + DAY * land.rng.randrange(-30, 120)).date(),
        "remark": None,
        "owner_id": owner.id,
        **_stamps(at, owner.id),
    }


def share(land: Land, customer: Row, owner: Seller, at: datetime) -> Row:
    """A share with a colleague or with their whole department; some have ended by now."""
    other = land.other(owner)
    to_team = land.chance(0.3) and other.department_id != owner.department_id
    ends_at = clip(max(at, land.now - 5 * DAY) + DAY * land.rng.randrange(1, 60)) if land.chance(0.7) else None
    return {
        "customer_id": customer["id"],
        "grantee_kind": GranteeKind.DEPARTMENT if to_team else GranteeKind.USER,
        "grantee_id": other.department_id if to_team else other.id,
        "level": ShareLevel.EDIT if land.chance(0.3) else ShareLevel.VIEW,
        "starts_at": at,
        "ends_at": ends_at,
        "revoked_at": None,
        "granted_by_id": owner.id,
        "note": land.words.pick(("协助报价", "Joint visit", "休假代管")),
        **dict.fromkeys(INCLUDED.values(), True),
        "may_reshare": False,
        "passed_on_from_id": None,
        "notice_at": None,
    }


def lock(land: Land, owner: Seller, at: datetime) -> Row:
    """The columns of a lock: without an end, or for some days from now."""
    until = clip(land.now + DAY * land.rng.randrange(1, 60)) if land.chance(0.5) else None
    reason = land.words.pick(("合同谈判中", "Contract being signed", "VIP"))
    return {"locked_by_id": owner.id, "locked_at": at, "lock_reason": reason, "lock_expires_at": until}


def held_by(seller: Seller, at: datetime) -> Row:
    """The columns of a customer that this seller owns."""
    return {
        "owner_id": seller.id,
        "department_id": seller.department_id,
        "pool_id": None,
        "pooled_at": None,
        "claimed_at": at,
    }


def pooled(pool_id: int, at: datetime) -> Row:
    """The columns of a customer in a pool."""
    return {"owner_id": None, "department_id": None, "pool_id": pool_id, "pooled_at": at, "claimed_at": None}


def _stamps(at: datetime, by: int) -> Row:
    return {
        "version": 1,
        "created_at": at,
        "created_by_id": by,
        "updated_at": at,
        "updated_by_id": by,
        "deleted_at": None,
        "deleted_by_id": None,
        "delete_batch_id": None,
    }
