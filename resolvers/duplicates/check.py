"""The duplicate check: what is there already, in the words that the caller may read, and what they may do next.

A check looks at all records, because a customer that a user cannot see must not be entered twice.  Of a record that they
may not see the answer keeps back its number and id, and the characters of its name that were not typed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, false, select
from sqlalchemy.orm import Session

from models import Base, Contact, Customer, User
from models.database.bypass import Because, bypass_policy
from models.duplicates import Evidence, Finding, Traits, Verdict
from models.errors import Validation

from ..reading.clauses import visible, with_parents
from ..runtime.budgets import Costly
from ..runtime.scope import Scope
from ..runtime.viewer import Viewer
from .known import KnownTo
from .lookup import find_many

CHECKED: tuple[type[Base], ...] = (Customer, Contact)
"""The models that are checked."""
LONGEST = 200
MOST_VALUES = 20
"""Maximum number of phones, and of e-mail addresses, of one row."""
MOST_ROWS = 200
HIDDEN = "＊"
"""What stands for a character that the caller may not read."""


class Place(StrEnum):
    """Where a record is."""

    OWNED = "OWNED"
    POOL = "POOL"
    BIN = "BIN"


class NextStep(StrEnum):
    """What the caller may do with a record that is there already."""

    OPEN = "OPEN"
    CLAIM = "CLAIM"
    RESTORE = "RESTORE"
    ASK_OWNER = "ASK_OWNER"
    """Ask the owner to share the record, or to do what is needed."""
    ASK_ADMINISTRATOR = "ASK_ADMINISTRATOR"


@dataclass(frozen=True)
class Match:
    """A record that is probably the same, as the caller may know it."""

    id: int | None
    """None for a record that the caller may not see."""
    verdict: Verdict
    evidence: tuple[Evidence, ...]
    name: str
    number: str
    """"" for a contact, and for a customer whose number the caller may not see."""
    place: Place
    owner: str
    """The name of the owner, "" for none and for one that the caller may not see."""
    next_step: NextStep
    subject: int
    """The record itself, for the log; no answer tells it of a record that the caller may not see."""


def check(
    scope: Scope, db: Session, model: type[Base], given: Mapping[str, Any], but: int | None = None
) -> list[Match]:
    """What is probably there already, the most certain first; at most five.

    `given` has any of `name`, `phone`, `email` and `registration_number`, of a contact also `customer_id`; phones and
    e-mails may be several.  `but` is the record that is being edited.  Raises NotSignedIn, Forbidden, TooManyAttempts,
    Validation.
    """
    may_check(scope)
    scope.backend.budgets.spend(scope.me, Costly.DUPLICATE_CHECKS)
    asked = [_asked(model, given)]
    return told_of_many(scope, db, model, asked, find_many(db, model, asked, [but], KnownTo(scope, db)))[0]


def check_many(scope: Scope, db: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> list[list[Match]]:
    """The same for each of many rows, in their order, in a constant number of queries; one row costs as one check.

    Raises Validation for more than MOST_ROWS, and for a row of nothing or of too much, like `check`.
    """
    may_check(scope)
    if len(rows) > MOST_ROWS:
        raise Validation(
            f"At most {MOST_ROWS} rows can be checked at once.", f"一次最多检查 {MOST_ROWS} 行。", field="rows"
        )
    scope.backend.budgets.check(scope.me, Costly.DUPLICATE_CHECKS)
    asked = [_asked(model, row) for row in rows]
    scope.backend.budgets.take(scope.me, Costly.DUPLICATE_CHECKS, len(rows))
    return told_of_many(scope, db, model, asked, find_many(db, model, asked, known=KnownTo(scope, db)))


def may_check(scope: Scope) -> None:
    """Raise Forbidden for a user who may not look for duplicates."""
    scope.allow("dupcheck", Customer.module)


def told(scope: Scope, db: Session, model: type[Base], asked: Traits, found: Sequence[Finding[int]]) -> list[Match]:
    """Findings as the caller may know them.  Up to three queries."""
    return told_of_many(scope, db, model, [asked], [found])[0]


def told_of_many(
    scope: Scope, db: Session, model: type[Base], asked: Sequence[Traits], found: Sequence[Sequence[Finding[int]]]
) -> list[list[Match]]:
    """The findings about each of these as the caller may know them.  Up to three queries."""
    ids = sorted({finding.that for each in found for finding in each})
    if not ids:
        return [[] for _ in asked]
    facts, shown = _facts(db, model, ids), _shown(scope, db, model, ids)
    owners = _names(db, {x["owner_id"] for x in facts.values()} - {None})
    return [
        [_match(x, facts[x.that], shown.get(x.that, {}), traits, owners) for x in each if x.that in facts]
        for traits, each in zip(asked, found, strict=True)
    ]


def mask(name: str, typed: str) -> str:
    """A name of which only its first character and those that were typed are shown."""
    known = {*typed.casefold(), " "}
    return "".join(c if n == 0 or c.casefold() in known else HIDDEN for n, c in enumerate(name))


# --- steps -----------------------------------------------------------------------------------------------


def _asked(model: type[Base], given: Mapping[str, Any]) -> Traits:
    texts = {key: _texts(key, given.get(key)) for key in ("name", "phone", "email", "registration_number")}
    if not any(texts.values()):
        raise Validation(
            "Give a name, a phone number, an e-mail address or a registration number.",
            "请提供名称、电话、邮箱或登记号。",
            field="name",
        )
    name, registration = (" ".join(texts[key]) for key in ("name", "registration_number"))
    where = str(given.get("customer_id") or "?") if model is Contact else ""
    return Traits(name, texts["phone"], texts["email"], registration, where)


def _texts(key: str, value: Any) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else list(value or ())
    if len(values) > MOST_VALUES or any(len(text) > LONGEST for text in values):
        raise Validation(
            f"At most {MOST_VALUES} values of at most {LONGEST} characters can be checked at once.",
            f"一次最多检查 {MOST_VALUES} 个值，每个不超过 {LONGEST} 个字符。",
            field=key,
        )
    return tuple(text for text in values if text.strip())


def _facts(db: Session, model: type[Base], ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What decides where a record is and whom to ask, of records that the caller may not see."""
    row: Any = model.__table__
    customer: Any = Customer.__table__
    columns = (row.c.id, row.c.name, row.c.deleted_at, customer.c.owner_id, customer.c.pool_id)
    asked = select(*columns).where(row.c.id.in_(ids))
    if model is not Customer:
        asked = asked.join(customer, customer.c.id == row.c.customer_id)
    found = db.execute(asked, execution_options=bypass_policy(Because.WARNS_OF_DUPLICATE)).mappings()
    return {row["id"]: dict(row) for row in found}


def _shown(scope: Scope, db: Session, model: type[Base], ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Id -> what the caller may see of it, and whether they may claim or restore it."""
    found = db.execute(_showing(scope.viewer.one_by_one, model), {"ids": ids})
    return {row["id"]: dict(row) for row in found.mappings()}


@lru_cache(maxsize=64)
def _showing(viewer: Viewer, model: type[Base]) -> Select[Any]:
    """The statement of `_shown`.  Cached: it takes longer to write than to run."""
    e = with_parents(model)[1]
    number = viewer.value(model, e, "number") if model is Customer else e.id
    may_claim = viewer.where("claim", model, e) if model is Customer else false()
    values = (e.id, viewer.value(model, e, "name"), number, may_claim, viewer.where("restore", model, e))
    named = zip(("id", "name", "number", "may_claim", "may_restore"), values, strict=True)
    asked = visible(viewer, model, *(value.label(name) for name, value in named))
    return asked.where(e.id.in_(bindparam("ids", expanding=True)))


def _names(db: Session, user_ids: set[int]) -> dict[int, str]:
    """User id -> name, of users that the caller may see."""
    if not user_ids:
        return {}
    return {row.id: row.name for row in db.execute(select(User.id, User.name).where(User.id.in_(user_ids)))}


def _match(
    finding: Finding[int], facts: Mapping[str, Any], shown: Mapping[str, Any], asked: Traits, owners: Mapping[int, str]
) -> Match:
    place = Place.BIN if facts["deleted_at"] is not None else Place.POOL if facts["pool_id"] else Place.OWNED
    number = shown.get("number")
    return Match(
        id=finding.that if shown else None,
        verdict=finding.verdict,
        evidence=finding.evidence,
        name=shown.get("name") or mask(facts["name"], asked.name),
        number=number if isinstance(number, str) else "",
        place=place,
        owner=owners.get(facts["owner_id"], ""),
        next_step=_next_step(place, shown),
        subject=finding.that,
    )


def _next_step(place: Place, shown: Mapping[str, Any]) -> NextStep:
    if place is Place.BIN:
        return NextStep.RESTORE if shown.get("may_restore") else NextStep.ASK_ADMINISTRATOR
    if shown:
        return NextStep.CLAIM if place is Place.POOL and shown["may_claim"] else NextStep.OPEN
    return NextStep.ASK_OWNER if place is Place.OWNED else NextStep.ASK_ADMINISTRATOR
