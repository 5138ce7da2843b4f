"""Rules of follow-ups: when they may have been done, and which of them count as a contact with the customer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Integer, String, and_, bindparam, func, select
from sqlalchemy.orm import Session

from models import Customer, FollowUp, Organisation
from models.counting import CountingRule, FollowUpKind, Uncounted, copy_key
from models.database.bypass import Because
from models.database.prepared import Prepared
from models.database.values import PreparedOfMany
from models.errors import Forbidden, Refusal
from models.follow_up_errors import uncounted
from models.last_contact import lock_customers

from ..runtime.form_terms import FormTerms
from ..runtime.inputs import invalid
from ..runtime.lifecycle import Rules, is_new
from ..runtime.scope import Scope
from ..runtime.write_guard import is_import
from .activities import Activity

JUDGED = frozenset({"kind", "content", "happened_at"})
"""The columns by which a follow-up counts or not."""


class FollowUpRules(Activity, Rules[FollowUp]):
    """A follow-up says what was done.  Whether it counts is decided when it is written, and when it is edited.

    What comes in by an import is history: it keeps author and time, and never counts when it is written, so it moves no
    last contact and restarts no days of release rules.  Like any follow-up it is judged again when its text, kind or
    time is edited.  Its author may be anybody, also a user who has left, if the caller may import the customer.
    """

    def form_terms(self, scope: Scope, db: Session) -> FormTerms:
        terms, now = _terms_of(_TERMS.rows(db, me=0, key="", customer=0, before=0)[0]), scope.person.now
        back, ahead = timedelta(days=terms.days_back), timedelta(days=terms.days_ahead)
        return replace(self.form, times={"happened_at": (now - back, now + ahead)})

    def check(self, scope: Scope, db: Session, row: FollowUp, values: dict[str, Any]) -> None:
        super().check(scope, db, row, values)
        if JUDGED.isdisjoint(values) or row.content is None:  # a text that the user may not see stays judged as it was
            return
        terms = _terms(scope, db, row)
        if values.get("happened_at") is not None:
            check_time(scope, row.happened_at, terms)
        if is_new(row) and is_import(db):
            row.counts = False
            return
        since = terms.owned_since if is_new(row) or "happened_at" in values else None  # else it keeps its place
        why = objection(scope, row, terms, since)
        row.counts = why is None
        if why is not None:
            row.notices.append(uncounted(why, terms.rule))

    def _check_owner(self, scope: Scope, db: Session, row: FollowUp) -> None:
        if not is_import(db):
            super()._check_owner(scope, db, row)
        elif not scope.lookup(db, Customer, row.customer_id, to="import")[2]:
            raise scope.denied(
                Forbidden(action="customer.import", field="ownerId"), Customer, row.customer_id, "import"
            )

    def lock_first(self, db: Session, ids: Sequence[int], assignee_id: int | None) -> None:
        """Lock the customers, whose last contact the batch changes."""
        lock_customers(db, FollowUp, ids)


def notice_of(_scope: Scope, db: Session, why: Uncounted) -> Refusal:
    """The notice of a follow-up that does not count, by the rule as it stands."""
    found = _TERMS.rows(db, me=0, key="", customer=0, before=0)[0]
    return uncounted(why, CountingRule(frozenset(), found[2], found[3]))


def reason_of(notice: Refusal) -> str:
    """The word for the reason that a notice gives, which `notice_of` takes."""
    return next((why for why in Uncounted if type(uncounted(why, _ANY)) is type(notice)), "")


_ANY = CountingRule(frozenset(), 0, 0)


class Terms(NamedTuple):
    """What one statement reads for the rules: bounds, rule, beginning of the owner's time, newest equal text."""

    days_back: int
    days_ahead: int
    rule: CountingRule
    owned_since: datetime | None
    copied_at: datetime | None


def check_time(scope: Scope, happened_at: datetime, terms: Terms) -> None:
    """Raise Validation for a time outside of the organisation's bounds: a follow-up says what was done."""
    back, now = terms.days_back, scope.person.now
    if happened_at > now + timedelta(days=terms.days_ahead):
        raise invalid("happened_at", "lies in the future; a follow-up says what was done", "不能晚于当前时间")
    if happened_at < now - timedelta(days=back):
        raise invalid(
            "happened_at", f"lies more than {back:,} days back; check the year", f"早于 {back:,} 天前，请检查年份"
        )


class Judged(Protocol):
    """What is judged of a follow-up."""

    kind: Any
    content: Any
    happened_at: Any


def objection(scope: Scope, row: Judged, terms: Terms, since: datetime | None) -> Uncounted | None:
    """Why a follow-up does not count; `since` begins the time of the customer's owner, where that matters."""
    now, rule = scope.person.now, terms.rule
    why = rule.objection(row.kind, row.content, row.happened_at, now, since)
    if why is None and terms.copied_at is not None and terms.copied_at > now - timedelta(days=rule.copy_days):
        return Uncounted.COPIED
    return why


_o, _c, _f = (model.__table__.c for model in (Organisation, Customer, FollowUp))
_KINDS = {kind: _o[f"{kind.lower()}_counts"] for kind in FollowUpKind}
_MINE = and_(_f.created_by_id == bindparam("me"), _f.content_key == bindparam("key"), _f.id < bindparam("before"))
_COPIED_AT = select(func.max(_f.created_at)).where(_MINE, _f.deleted_at.is_(None)).scalar_subquery()
_OWNED_SINCE = select(_c.claimed_at).where(_c.id == bindparam("customer")).scalar_subquery()
_TERMS = Prepared(
    select(
        _o.follow_up_days_back,
        _o.follow_up_days_ahead,
        _o.follow_up_characters,
        _o.follow_up_copy_days,
        _OWNED_SINCE.label("owned_since"),
        _COPIED_AT.label("copied_at"),
        *_KINDS.values(),
    ),
    because=Because.KEEPS_RULE,
)
_NEWEST = 2**31 - 1
"""Above every id: a new follow-up comes after all that are there."""


def _terms(scope: Scope, db: Session, row: FollowUp) -> Terms:
    """The terms for one follow-up.  A text is compared with what the writer themselves wrote, which they know."""
    asked = {"me": scope.person.id, "key": copy_key(row.content), "customer": row.customer_id}
    with db.no_autoflush:
        found = _TERMS.rows(db, before=_NEWEST if is_new(row) else row.id, **asked)[0]
    return _terms_of(found)


def _terms_of(row: Sequence[Any]) -> Terms:
    back, ahead, characters, copy_days, owned_since, copied_at, *counted = row
    kinds = {kind for kind, counts in zip(_KINDS, counted, strict=True) if counts}
    return Terms(back, ahead, CountingRule(kinds, characters, copy_days), owned_since, copied_at)


def terms_of_new(scope: Scope, db: Session, rows: Sequence[Mapping[str, Any]]) -> list[Terms]:
    """The terms for each of many new follow-ups, in their order, those among themselves left out.  Three statements."""
    common = _terms_of(_TERMS.rows(db, me=0, key="", customer=0, before=0)[0])
    keys = [copy_key(row["content"]) for row in rows]
    since: dict[int, datetime | None] = dict(_OWNED_SINCE_OF_MANY.rows(db, {row["customer_id"] for row in rows}))
    copied: dict[str, datetime] = dict(_COPIED_AT_OF_MANY.rows(db, set(keys), me=scope.person.id))
    return [
        common._replace(owned_since=since.get(row["customer_id"]), copied_at=copied.get(key))
        for row, key in zip(rows, keys, strict=True)
    ]


_OWNED_SINCE_OF_MANY = PreparedOfMany(
    lambda source, of: select(_c.id, _c.claimed_at).join_from(source, Customer.__table__, _c.id == of),
    Integer,
    because=Because.KEEPS_RULE,
)
_COPIED_AT_OF_MANY = PreparedOfMany(
    lambda source, key: (
        select(_f.content_key, func.max(_f.created_at))
        .join_from(source, FollowUp.__table__, _f.content_key == key)
        .where(_f.created_by_id == bindparam("me"), _f.deleted_at.is_(None))
        .group_by(_f.content_key)
    ),
    String,
    because=Because.KEEPS_RULE,
)
