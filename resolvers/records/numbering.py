"""Numbers of records: the next one of the pattern, or one given by hand if it was never used."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, String, bindparam, literal, literal_column, select
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session

from models import Customer, Entity, NumberCounter, NumberRule, Tombstone
from models.database.bypass import Because
from models.database.prepared import Prepared, upsert
from models.database.values import PreparedOfMany
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


class Numbered(NamedTuple):
    """The number of a new record, and what to tell of it."""

    number: str
    notice: NumberAhead | None = None


def next_number(scope: Scope, db: Session, module: str) -> str:
    """A number that was never given before.  The counter row stays locked until the transaction ends."""
    return _drawn(scope, db, module, 1, set())[0].number


def numbered(scope: Scope, db: Session, module: str, given: Sequence[str | None]) -> list[Numbered | Duplicate]:
    """A number for each of several new records, in their order: the next one, or the one given by hand (`accept`).

    A Duplicate stands for one that was ever given, also to a record before it.
    """
    found: list[Numbered | Duplicate] = []
    used: set[str] = set()
    for is_given, run in groupby(given, key=bool):
        texts = list(run)
        found += (
            _accepted(db, module, filter(None, texts), used)
            if is_given
            else _drawn(scope, db, module, len(texts), used)
        )
    return found


def hold_counter(scope: Scope, db: Session, module: str) -> None:
    """Lock the counter of the present period, for a use case that locks other rows before it draws a number."""
    if db.get_bind().dialect.name == "postgresql":
        _HELD.rows(db, module=module, period=pattern_of(db, module).period(_today(scope, db)))


def coming(scope: Scope, db: Session, module: str) -> str:
    """The number that the next record will probably get; nothing is reserved before it is saved."""
    pattern, today = pattern_of(db, module), _today(scope, db)
    return pattern.number(today, _last(db, module, pattern.period(today)) + 1)


def accept(db: Session, module: str, number: str) -> tuple[str, NumberAhead | None]:
    """(a number given by hand, in the letters of the pattern; what to tell).  Raises Duplicate for one that was ever given.

    It moves the counter if it is within reach of it.  Another one is only reserved, because a typing error must not move
    the numbers of the whole organisation.
    """
    found = _accepted(db, module, [number], set())[0]
    if isinstance(found, Duplicate):
        raise found
    return found.number, found.notice


def _drawn(scope: Scope, db: Session, module: str, count: int, used: set[str]) -> list[Numbered]:
    pattern, today = pattern_of(db, module), _today(scope, db)
    period, found = pattern.period(today), list[Numbered]()
    while missing := count - len(found):
        last = _count(db, module, period, by=missing)
        numbers = {number_key(x): x for x in (pattern.number(today, n) for n in range(last - missing + 1, last + 1))}
        free = numbers.keys() - _are_taken(db, module, numbers.keys()) - used
        found += [Numbered(number) for key, number in numbers.items() if key in free]
    return found


def _accepted(db: Session, module: str, given: Iterable[str], used: set[str]) -> list[Numbered | Duplicate]:
    """The numbers in the letters of the pattern; `used` are the keys of those accepted before, and gets theirs."""
    pattern, jump = _rule(db, module)
    numbers = [pattern.spelled(narrow(number)) for number in given]
    taken = _are_taken(db, module, [number_key(number) for number in numbers])
    found: list[Numbered | Duplicate] = []
    last, raised = dict[str, int](), set[str]()
    for number in numbers:
        if (key := number_key(number)) in taken or key in used:
            found.append(Duplicate(field="number", value=number))
            continue
        used.add(key)
        period, sequence = pattern.read(number) or ("", LARGEST_SEQUENCE + 1)
        if sequence > LARGEST_SEQUENCE:
            found.append(Numbered(number))
            continue
        if period not in last:
            last[period] = _last(db, module, period)
        if sequence > last[period] + jump:
            ahead = NumberAhead(field="number", value=number, next=pattern.of(period, last[period] + 1))
            found.append(Numbered(number, ahead))
            continue
        last[period] = max(last[period], sequence)
        raised.add(period)
        found.append(Numbered(number))
    for period in sorted(raised):
        _count(db, module, period, at_least=last[period])
    return found


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


def _count(db: Session, module: str, period: str, *, by: int = 1, at_least: int | None = None) -> int:
    """Advance the counter, or raise it to `at_least` if it is below; returns the new count."""
    given = {"module": module, "period": period}
    if at_least is None:
        found = _advance(db.get_bind().dialect).first(db, **given, by=by)
    else:
        found = _raise(db.get_bind().dialect).first(db, **given, least=at_least)
    return found[0] if found is not None else 0


def _are_taken(db: Session, module: str, keys: Collection[str]) -> set[str]:
    """Those that a record has in any case or width, deleted or not, or had before it was purged."""
    return {key for (key,) in _taken(module).rows(db, keys)}


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


_HELD = Prepared(select(_counters.last).where(_IS_COUNTER).with_for_update())


@lru_cache
def _advance(dialect: Dialect) -> Prepared:
    """Count `by` further; the row is the new count."""
    by = bindparam("by", type_=Integer())
    return Prepared(_counter(dialect, by, {"last": _counters.last + by}))


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
def _taken(module: str) -> PreparedOfMany:
    """The keys of numbers that a record has, or had before it was purged."""
    record, gone = NUMBERED[module].__table__, Tombstone.__table__

    def made(source: Any, key: Any) -> Any:
        there: Any = select(literal_column("1")).where(record.c.number_key == key).correlate(source).exists()
        purged: Any = select(literal_column("1")).where(gone.c.for_module == literal(module), gone.c.number_key == key)
        return select(key).select_from(source).where(there | purged.correlate(source).exists())

    return PreparedOfMany(made, String, because=Because.KEEPS_RULE)


class NumberRuleRules(Rules[NumberRule]):
    """A number rule has a valid pattern and is for records that have numbers."""

    def check(self, scope: Scope, db: Session, row: NumberRule, values: dict[str, object]) -> None:
        if row.for_module not in NUMBERED:
            raise not_offered("for_module")
        Pattern(row.pattern)
