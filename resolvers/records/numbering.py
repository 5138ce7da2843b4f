"""Numbers of records: the next one of the pattern, or one given by hand if it was never used."""

from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, Entity, NumberCounter, NumberRule, Tombstone
from models.database.bypass import Because, bypass_policy
from models.database.prepared import upsert
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
    asked = select(NumberRule.pattern, NumberRule.largest_jump).where(
        NumberRule.for_module == module, NumberRule.deleted_at.is_(None)
    )
    found = db.execute(asked, execution_options=bypass_policy(Because.APPLIES_TO_ALL)).first()
    return (
        (Pattern(found.pattern), found.largest_jump) if found is not None else (Pattern(DEFAULT[module]), LARGEST_JUMP)
    )


def _last(db: Session, module: str, period: str) -> int:
    counter = select(NumberCounter.last).where(NumberCounter.for_module == module, NumberCounter.period == period)
    return db.execute(counter).scalar() or 0


def _count(db: Session, module: str, period: str, at_least: int | None) -> int:
    """Advance the counter by one, or to `at_least` if it is below; returns the new count."""
    counter = NumberCounter
    statement = upsert(db.get_bind().dialect)(counter).values(for_module=module, period=period, last=at_least or 1)
    if at_least is None:
        statement = statement.on_conflict_do_update(
            index_elements=["for_module", "period"], set_={"last": counter.last + 1}
        )
    else:
        statement = statement.on_conflict_do_update(
            index_elements=["for_module", "period"], set_={"last": at_least}, where=counter.last < at_least
        )
    return db.execute(statement.returning(counter.last)).scalar() or 0


def _is_taken(db: Session, module: str, number: str) -> bool:
    """Whether a record has the number in any case or width, deleted or not, or had it before it was purged."""
    table, key = NUMBERED[module].__table__, number_key(number)
    there = select(table.c.id).where(table.c.number_key == key)
    tombstone = select(Tombstone.id).where(Tombstone.for_module == module, Tombstone.number_key == key)
    return any(
        db.execute(found, execution_options=bypass_policy(Because.KEEPS_RULE)).first() is not None
        for found in (there, tombstone)
    )


def _today(scope: Scope, db: Session) -> date:
    return scope.person.now.astimezone(ZoneInfo(zone_of(db))).date()


class NumberRuleRules(Rules[NumberRule]):
    """A number rule has a valid pattern and is for records that have numbers."""

    def check(self, scope: Scope, db: Session, row: NumberRule, values: dict[str, object]) -> None:
        if row.for_module not in NUMBERED:
            raise not_offered("for_module")
        Pattern(row.pattern)
