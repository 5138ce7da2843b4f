"""Numbers of records: the next one of the pattern, or one given by hand if it was never used."""

from datetime import date
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, bindparam, literal, literal_column, select, union_all
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session

from models import Customer, Entity, NumberCounter, NumberRule, Tombstone
from models.database.bypass import Because
from models.database.prepared import Prepared, upsert
from models.errors import Duplicate, NumberAhead
from models.numbering import LARGEST_JUMP, LARGEST_SEQUENCE, Pattern
from models.text import narrow, number_key

from ..runtime.inputs import not_offered
from ..runtime.lifecycle import Rules
from ..runtime.scope import Scope
from .organisation import zone_of

DEFAULT = {"customer": "C{YYYY}{seq:3}"}
NUMBERED: dict[str, type[Entity]] = {"customer": Customer}
"""Module -> the entity whose records have a number in the column `number`."""


def next_number(scope: Scope, db: Session, module: str) -> str:
    """A number that was never given before.  The counter row stays locked until the transaction ends."""
    pattern, today = pattern_of(db, module), _today(scope, db)
    while True:
        number = pattern.number(today, _count(db, module, pattern.period(today), None))
        if not _is_taken(db, module, number):
            return number


def coming(scope: Scope, db: Session, module: str) -> str:
    """The number that the next record will probably get; nothing is reserved before it is saved."""
    pattern, today = pattern_of(db, module), _today(scope, db)
    return pattern.number(today, _last(db, module, pattern.period(today)) + 1)


def accept(db: Session, module: str, number: str) -> tuple[str, NumberAhead | None]:
    """(a number given by hand, in the letters of the pattern; what to tell).  Raises Duplicate for one that was ever given.

    It moves the counter if it is within reach of it.  Another one is only reserved, because a typing error must not move
    the numbers of the whole organisation.
    """
    pattern, jump = _rule(db, module)
    number = pattern.spelled(narrow(number))
    if _is_taken(db, module, number):
        raise Duplicate(field="number", value=number)
    found = pattern.read(number)
    if found is not None and found[1] <= LARGEST_SEQUENCE:
        period, sequence = found
        last = _last(db, module, period)
        if sequence > last + jump:
            return number, NumberAhead(field="number", value=number, next=pattern.of(period, last + 1))
        _count(db, module, period, sequence)
    return number, None


def ahead(_scope: Scope, db: Session, module: str, number: str) -> NumberAhead | None:
    """What to tell of a number that is so far ahead of the sequence that it did not move it."""
    pattern, jump = _rule(db, module)
    found = pattern.read(number)
    last = _last(db, module, found[0]) if found else 0
    if found is None or found[1] <= last + jump:
        return None
    return NumberAhead(field="number", value=number, next=pattern.of(found[0], last + 1))


def pattern_of(db: Session, module: str) -> Pattern:
    """The pattern of the module's number rule, or the default one."""
    return _rule(db, module)[0]


def _rule(db: Session, module: str) -> tuple[Pattern, int]:
    """(pattern, reach) of the module's number rule, or the default ones."""
    pattern, jump = _RULE.first(db, module=module) or (DEFAULT[module], LARGEST_JUMP)
    return Pattern(pattern), jump


def _last(db: Session, module: str, period: str) -> int:
    found = _LAST.first(db, module=module, period=period)
    return found[0] if found is not None else 0


def _count(db: Session, module: str, period: str, at_least: int | None) -> int:
    """Advance the counter by one, or to `at_least` if it is below; returns the new count."""
    given = {"module": module, "period": period}
    if at_least is None:
        found = _advance(db.get_bind().dialect).first(db, **given)
    else:
        found = _raise(db.get_bind().dialect).first(db, **given, least=at_least)
    return found[0] if found is not None else 0


def _is_taken(db: Session, module: str, number: str) -> bool:
    """Whether a record has the number in any case or width, deleted or not, or had it before it was purged."""
    return _taken(module).first(db, key=number_key(number)) is not None


def _today(scope: Scope, db: Session) -> date:
    return scope.person.now.astimezone(ZoneInfo(zone_of(db))).date()


# --- statements ------------------------------------------------------------------------------------------

_rules: Any = NumberRule.__table__.c
_counters: Any = NumberCounter.__table__.c
_RULE = Prepared(
    select(_rules.pattern, _rules.largest_jump).where(
        _rules.for_module == bindparam("module"), _rules.deleted_at.is_(None)
    ),
    because=Because.APPLIES_TO_ALL,
)
_IS_COUNTER = (_counters.for_module == bindparam("module")) & (_counters.period == bindparam("period"))
_LAST = Prepared(select(_counters.last).where(_IS_COUNTER))


@lru_cache
def _advance(dialect: Dialect) -> Prepared:
    """Count one further; the row is the new count."""
    return Prepared(_counter(dialect, literal_column("1"), {"last": _counters.last + literal_column("1")}))


@lru_cache
def _raise(dialect: Dialect) -> Prepared:
    """Count up to `least` where the count is below it; the row is the new count."""
    least = bindparam("least", type_=Integer())
    return Prepared(_counter(dialect, least, {"last": least}, where=_counters.last < least))


def _counter(dialect: Dialect, first: Any, then: dict[str, Any], **where: Any) -> Any:
    keys = ["for_module", "period"]
    begun = upsert(dialect)(NumberCounter.__table__).values(
        for_module=bindparam("module"), period=bindparam("period"), last=first
    )
    return begun.on_conflict_do_update(index_elements=keys, set_=then, **where).returning(_counters.last)


@lru_cache
def _taken(module: str) -> Prepared:
    """A row if a record has the number, or had it before it was purged."""
    record, gone = NUMBERED[module].__table__, Tombstone.__table__
    there: Any = select(literal_column("1")).select_from(record).where(record.c.number_key == bindparam("key"))
    purged: Any = select(literal_column("1")).select_from(gone)
    purged = purged.where(gone.c.for_module == literal(module), gone.c.number_key == bindparam("key"))
    return Prepared(union_all(there, purged).limit(literal_column("1")), because=Because.KEEPS_RULE)


class NumberRuleRules(Rules[NumberRule]):
    """A number rule has a valid pattern and is for records that have numbers."""

    def check(self, scope: Scope, db: Session, row: NumberRule, values: dict[str, object]) -> None:
        if row.for_module not in NUMBERED:
            raise not_offered("for_module")
        Pattern(row.pattern)
