"""Giving numbers: the next of the pattern, or one given by hand if it was never used."""

from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import NumberCounter, NumberRule, Tombstone
from models.audit import UNWALLED
from models.errors import Duplicate
from models.number import Pattern

from .counters import upsert, zone_of
from .rules import Rules, rules_for
from .scope import Scope

DEFAULT = {"customer": "C{YYYY}{seq:3}"}


def next_number(scope: Scope, db: Session, module: str) -> str:
    """A number that was never given before.  Its counter row stays locked until the transaction ends."""
    pattern, today = pattern_of(db, module), _today(scope, db)
    while True:
        number = pattern.number(today, _count(db, module, pattern.period(today), None))
        if not _is_buried(db, module, number):
            return number


def accept(scope: Scope, db: Session, module: str, number: str) -> None:
    """Take a number given by hand: push the counter past it.  Raises Duplicate for the number of a purged record."""
    if _is_buried(db, module, number):
        raise Duplicate(field="number", value=number)
    pattern, today = pattern_of(db, module), _today(scope, db)
    sequence = pattern.sequence_of(number, today)
    if sequence is not None and sequence < 2**31 - 1:
        _count(db, module, pattern.period(today), sequence)


def pattern_of(db: Session, module: str) -> Pattern:
    rule = select(NumberRule.pattern).where(NumberRule.for_module == module, NumberRule.deleted_at.is_(None))
    return Pattern(db.execute(rule, execution_options=UNWALLED).scalar() or DEFAULT[module])


def _count(db: Session, module: str, period: str, at_least: int | None) -> int:
    """Advance the counter by one, or to `at_least` if it is below; gives its new state."""
    counter = NumberCounter
    statement = upsert(db)(counter).values(for_module=module, period=period, last=at_least or 1)
    if at_least is None:
        statement = statement.on_conflict_do_update(
            index_elements=["for_module", "period"], set_={"last": counter.last + 1}
        )
    else:
        statement = statement.on_conflict_do_update(
            index_elements=["for_module", "period"], set_={"last": at_least}, where=counter.last < at_least
        )
    return db.execute(statement.returning(counter.last), execution_options=UNWALLED).scalar() or 0


def _is_buried(db: Session, module: str, number: str) -> bool:
    grave = select(Tombstone.id).where(Tombstone.for_module == module, Tombstone.number == number)
    return db.execute(grave, execution_options=UNWALLED).first() is not None


def _today(scope: Scope, db: Session) -> date:
    return scope.person.now.astimezone(ZoneInfo(zone_of(db))).date()


class NumberRuleRules(Rules[NumberRule]):
    """A pattern must be one."""

    def check(self, scope: Scope, db: Session, row: NumberRule, values: dict[str, object]) -> None:
        Pattern(row.pattern)


rules_for(NumberRule, NumberRuleRules())
