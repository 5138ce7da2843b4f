"""Sharing customers with users, departments and roles: share, change, pass on, revoke.

A share begins and ends by the clock of the policy's own statements (`policies/words.py`), so nothing has to run for it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models import Customer, Share
from models.audit.entries import Changes
from models.errors import AlreadyInPool, NotFound, Refusal, TooMany, Validation
from models.pool import GranteeKind
from models.share import INCLUDED, SHARE, ShareLevel

from ..runtime.batch import Mode, Outcome, each
from ..runtime.ids import global_id
from ..runtime.inputs import invalid, line, moment, refused
from ..runtime.scope import Scope
from .share_people import (
    Grantee,
    check_grantees,
    customer_of,
    is_grantee,
    log_share,
    names_of_grantees,
    next_notice,
    tell,
    terms_in_words,
)

MAX_GRANTEES = 50
"""Maximum number of users, departments and roles of one request."""
MAX_SHARES = 200
"""Maximum number of shares that one request changes or ends."""


@dataclass(frozen=True)
class Terms:
    """What a share opens, and for how long.  `include`: modules of the related records that it opens."""

    level: ShareLevel = ShareLevel.VIEW
    include: frozenset[str] = frozenset(INCLUDED)
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    may_reshare: bool = False
    note: str | None = None

    def checked(self, now: datetime) -> "Terms":
        """The same with times in UTC.  Raises Validation for an end that has passed or comes before the beginning."""
        starts, ends = moment(self.starts_at, "starts_at"), moment(self.ends_at, "ends_at")
        if unknown := sorted(self.include - INCLUDED.keys()):
            raise Validation(
                f"“{unknown[0][:40]}” is not shared with a customer.",
                f"“{unknown[0][:40]}”不随客户共享。",
                field="include",
            )
        if ends is not None and ends <= now:
            raise Validation("The end of a share lies in the future.", "共享的截止时间必须晚于现在。", field="endsAt")
        starts = now if starts is None or starts < now else starts
        if ends is not None and ends <= starts:
            raise Validation("A share ends after it has begun.", "共享的截止时间必须晚于开始时间。", field="endsAt")
        return Terms(self.level, self.include, starts, ends, self.may_reshare, line(self.note, "note"))


def share_customers(
    scope: Scope, ids: Sequence[int], grantees: Collection[Grantee], terms: Terms, mode: Mode = Mode.BEST_EFFORT
) -> Outcome:
    """Share customers with users, departments and roles.  A share that one of them has already gets these terms.

    It needs the right to share the customer, or a share that may be passed on: then not at a higher level, not longer
    and with no more related records.
    Problems: NOT_FOUND (customer or grantee), FORBIDDEN, LOCKED, IN_BIN, ALREADY_IN_POOL, VALIDATION.  Raises Validation
    for terms that cannot be, and for no grantee or too many.
    """
    wanted, terms = [*dict.fromkeys(grantees)], terms.checked(scope.now())
    if not wanted:
        raise Validation(
            "Choose at least one user, department or role.", "请至少选择一个人员、部门或角色。", field="userIds"
        )
    if len(wanted) > MAX_GRANTEES:
        said = f"Share with at most {MAX_GRANTEES} at once.", f"一次最多共享给 {MAX_GRANTEES} 个对象。"
        raise refused(TooMany, "user_ids", *said, max=MAX_GRANTEES)

    def work(db: Session, id: int) -> None:
        customer, source = load_shareable(scope, db, id)
        check_grantees(db, wanted)
        if source is not None:
            refuse_beyond(source, terms)
        for grantee in wanted:
            _give(scope, db, customer, grantee, terms, source)

    return each(scope, "customer.share", Customer, ids, mode, work, reason=terms.note)


def update_shares(scope: Scope, ids: Sequence[int], terms: Terms) -> None:
    """Give shares these terms.  All or none.

    Raises NotFound for a share that the caller may not change, Validation for terms that cannot be.
    """
    terms = terms.checked(scope.now())
    with scope.write("customer.share", terms.note) as db:
        for share in _to_change(scope, db, ids):
            customer, source = _shareable_of(scope, db, share)
            if source is not None:
                refuse_beyond(source, terms)
            _change(scope, db, customer, share, terms)


def change_share(scope: Scope, id: int, level: ShareLevel, ends_at: datetime | None) -> None:
    """Give a share another level and another end; what it opens besides stays.  Raises as `update_shares`."""
    with scope.write("customer.share") as db:
        (row,) = _to_change(scope, db, [id])
        update_shares(scope, [id], Terms(level, row.include, row.starts_at, ends_at, row.may_reshare, row.note))


def revoke_shares(scope: Scope, ids: Sequence[int], reason: str | None = None) -> None:
    """End shares at once, with all that their grantees have passed on.  All or none.  A user also ends what they have.

    Raises NotFound for a share that the caller may not end.
    """
    with scope.write("customer.end_share", line(reason, "reason")) as db:
        for share in _to_change(scope, db, ids):
            if share.grantee_kind is not GranteeKind.USER or share.grantee_id != scope.me:
                _shareable_of(scope, db, share, pooled=True)
            _revoke(scope, db, share)


# --- who may ---------------------------------------------------------------------------------------------


def load_shareable(scope: Scope, db: Session, id: int, *, pooled: bool = False) -> tuple[Customer, Share | None]:
    """A customer that the caller may share, and the share by which they may; None for a right of theirs.

    Raises as `scope.load`; AlreadyInPool unless `pooled`.
    """
    row, seen, may = scope.lookup(db, Customer, id, to="share")
    source = passing_on(scope, db, id) if row is not None and seen and not may else None
    customer = scope.load(db, Customer, id, to="share" if source is None else "view")
    if customer.owner_id is None and not pooled:
        raise AlreadyInPool(label=customer.label)
    return customer, source


def passing_on(scope: Scope, db: Session, customer_id: int) -> Share | None:
    """The widest share in force by which the caller may share a customer further."""
    now = scope.person.now
    asked = select(Share).where(Share.customer_id == customer_id, Share.may_reshare, Share.revoked_at.is_(None))
    asked = asked.where(Share.starts_at <= now, or_(Share.ends_at.is_(None), Share.ends_at > now)).order_by(Share.id)
    mine = [x for x in db.execute(asked).scalars() if is_grantee(scope.person, (x.grantee_kind, x.grantee_id))]
    return max(mine, key=lambda x: (x.level is ShareLevel.EDIT, x.ends_at is None, len(x.include)), default=None)


def refuse_beyond(source: Share, terms: Terms) -> None:
    """Raise Validation for terms that give more than the share that is passed on."""
    if terms.level is ShareLevel.EDIT and source.level is not ShareLevel.EDIT:
        raise Validation("You may pass it on for viewing only.", "您只能以查看级别转共享。", field="level")
    if source.ends_at is not None and (terms.ends_at is None or terms.ends_at > source.ends_at):
        raise Validation(
            "You may pass it on until your own share ends.", "转共享不能晚于您自己的共享截止时间。", field="endsAt"
        )
    if terms.include - source.include:
        raise Validation(
            "You may pass on only the related records that you see.", "只能转共享您可查看的关联记录。", field="include"
        )


def _shareable_of(scope: Scope, db: Session, share: Share, *, pooled: bool = False) -> tuple[Customer, Share | None]:
    """The customer of a share that the caller may change, and the share by which they may, as of `load_shareable`.

    Raises NotFound for the share where its customer is out of sight, because the answer would name the customer, and
    where the caller may only pass the customer on and another user gave the share.
    """
    try:
        customer, source = load_shareable(scope, db, share.customer_id, pooled=pooled)
    except NotFound:
        raise _missing(share.id) from None
    if source is not None and share.granted_by_id != scope.me:
        raise _missing(share.id)
    return customer, source


def _missing(id: int) -> Refusal:
    return NotFound(what=SHARE, record_id=global_id(Share, id) if id else None)


def _to_change(scope: Scope, db: Session, ids: Sequence[int]) -> list[Share]:
    """These shares, in the order of their customers, so that two requests never wait for each other in a circle."""
    if len(ids) > MAX_SHARES:
        said = f"At most {MAX_SHARES} shares at once.", f"一次最多 {MAX_SHARES} 条共享。"
        raise refused(TooMany, "ids", *said, max=MAX_SHARES)
    found = {x.id: x for x in db.execute(select(Share).where(Share.id.in_({*ids}))).scalars()}
    for id in ids:
        if id not in found or not _is_alive(found[id], scope.person.now):
            raise _missing(id)
    return sorted(found.values(), key=lambda x: (x.customer_id, x.id))


def _is_alive(share: Share, now: datetime) -> bool:
    return share.revoked_at is None and (share.ends_at is None or share.ends_at > now)


# --- what is done ----------------------------------------------------------------------------------------


def _give(scope: Scope, db: Session, customer: Customer, grantee: Grantee, terms: Terms, source: Share | None) -> None:
    kind, id = grantee
    if kind is GranteeKind.USER and id == customer.owner_id:
        raise invalid(
            "user_ids", "names the owner, who has the customer anyway", "包含负责人本人", label=customer.label
        )
    held = select(Share).where(Share.customer_id == customer.id, Share.revoked_at.is_(None))
    held = held.where(Share.grantee_kind == kind, Share.grantee_id == id).order_by(Share.id)
    share = next((x for x in db.execute(held).scalars() if _is_alive(x, scope.person.now)), None)
    if share is None:
        share = Share(customer_id=customer.id, grantee_kind=kind, grantee_id=id, granted_by_id=scope.person.id)
        share.passed_on_from_id = source.id if source is not None else None
        _set(share, terms, scope.now())
        db.add(share)
        db.flush()
        log_share(scope, db, customer, _as_logged(scope, db, share, {}))
        tell(scope, db, "shared", share, customer, **terms_in_words(share))
        return
    if source is not None and share.granted_by_id != scope.person.id:
        raise Validation("It is shared with one of them already.", "已共享给其中的对象。", field="userIds")
    _change(scope, db, customer, share, terms)


def _change(scope: Scope, db: Session, customer: Customer, share: Share, terms: Terms) -> None:
    before = _values(share)
    starts_at = share.starts_at
    _set(share, terms, scope.now())
    if starts_at <= scope.person.now and share.starts_at <= scope.now():
        share.starts_at = starts_at  # it has begun, and its history stays
    changed = {key: pair for key, value in _values(share).items() if (pair := [before[key], value])[0] != value}
    if not changed:
        return
    db.flush()
    for passed_on in _passed_on(db, share):
        if not _fits(passed_on, share):
            _revoke(scope, db, passed_on)
    log_share(scope, db, customer, _as_logged(scope, db, share, before))
    tell(scope, db, "share_changed", share, customer, **terms_in_words(share))


def _fits(share: Share, source: Share) -> bool:
    try:
        refuse_beyond(source, Terms(share.level, share.include, ends_at=share.ends_at))
    except Validation:
        return False
    return source.may_reshare


def _revoke(scope: Scope, db: Session, share: Share) -> None:
    for passed_on in _passed_on(db, share):
        _revoke(scope, db, passed_on)
    share.revoked_at, share.notice_at = scope.person.now, None
    db.flush()
    if (customer := customer_of(db, share.customer_id)) is not None:
        names = names_of_grantees(scope, db, [(share.grantee_kind, share.grantee_id)])
        log_share(scope, db, customer, {"shared_with": [*names.values(), None] if names else [None, None]})
        tell(scope, db, "share_revoked", share, customer)


def _passed_on(db: Session, share: Share) -> list[Share]:
    found = select(Share).where(Share.passed_on_from_id == share.id, Share.revoked_at.is_(None))
    return list(db.execute(found.order_by(Share.id)).scalars())


def _set(share: Share, terms: Terms, now: datetime) -> None:
    assert terms.starts_at is not None, "terms are checked first"
    share.level, share.starts_at, share.ends_at = terms.level, terms.starts_at, terms.ends_at
    share.may_reshare, share.note = terms.may_reshare, terms.note
    for module, column in INCLUDED.items():
        setattr(share, column, module in terms.include)
    share.notice_at = next_notice(share.ends_at, now)


def _values(share: Share) -> dict[str, object]:
    return {key: getattr(share, key) for key in ("level", "starts_at", "ends_at", "may_reshare", "include")}


_LOGGED = {"level": "share_level", "starts_at": "shared_from", "ends_at": "shared_until", "may_reshare": "may_reshare"}
"""What the log calls what a share says, because a customer has a level of its own."""


def _as_logged(scope: Scope, db: Session, share: Share, before: dict[str, object]) -> Changes:
    """With whom, and what has changed of level and times."""
    names = names_of_grantees(scope, db, [(share.grantee_kind, share.grantee_id)])
    changes: Changes = {"shared_with": [None, next(iter(names.values()), None)]}
    for key in ("level", "starts_at", "ends_at", "may_reshare"):
        if before.get(key) != getattr(share, key):
            changes[_LOGGED[key]] = [before.get(key), getattr(share, key)]
    return changes
