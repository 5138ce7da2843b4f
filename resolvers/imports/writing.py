"""How the rows of a chunk are written, or only judged: with the customers that come with them, and with the reason of its user.

A certain duplicate is judged a second time with the reason, so that the log gives it for duplicates alone.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sqlalchemy.orm import Session

from models import Customer
from models.duplicates import Finding
from models.errors import Duplicate, DuplicateFound, DuplicateRefused, Refusal
from models.text import fold

from ..bulk.many import check_many, create_many, update_many
from ..bulk.reasons import with_reason
from ..bulk.verdicts import Change, Row, Verdict
from ..runtime.ids import camel
from ..runtime.scope import Scope
from ..runtime.trial import trial
from . import new_customers
from .file_duplicates import Claim
from .row_values import RowValues
from .targets import Target

_TURNS = 4
"""Maximum number of wrong fields of a row that the rules of single writes name."""
DUPLICATES = (Duplicate, DuplicateFound, DuplicateRefused)


@dataclass
class Understood:
    """A staged row as the use cases take it: its inputs, the record that it changes, and what is wrong with it."""

    number: int
    values: RowValues
    record_id: int | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    """The inputs that it sets of that record."""
    claim: Claim | None = None
    """By what its new record is the same as that of another row."""
    possible: tuple[Finding[int], ...] = ()
    """Records that may be the same as its new one."""
    same_as: int | None = None
    """The number of that row, where it stands before this one."""
    written_id: int | None = None
    """The record that it has become or changed, once it is applied."""
    customer_id: int | None = None
    """The customer that was created with it, as the first row of its company."""
    waits: bool = False
    """Whether the word above its word comes with another row, which is written first."""
    demoted_id: int | None = None
    """The contact that is no longer primary, because that of the row is."""

    @property
    def refusals(self) -> list[Refusal]:
        return [*self.values.refusals.values()]

    def refuse(self, refusal: Refusal) -> None:
        """Note what is wrong with it as a whole, or with one of its fields."""
        self.values.refusals[refusal.field or ""] = refusal

    def as_write(self) -> Row | Change:
        """What the bulk path takes: a new record, or the change of one."""
        return self.values.values if self.record_id is None else (self.record_id, self.changes)


def ask_rules(
    scope: Scope, target: Target, rows: Sequence[Understood], reason: str | None, *, alone: bool = False
) -> None:
    """Note in each row what it would be refused for now.  Nothing is changed.

    The rules of single writes name one wrong field at a time: what they refuse is left out, and they are asked anew.  Rows that
    are asked anew are not judged by what other rows bring, so their duplicates are left to a later check.
    `alone`: none of these rows is judged by what the others bring.
    """
    for turn in range(_TURNS):
        refused = _refused(scope, target, rows, reason) if rows else []
        for row, refusal in refused:
            if not (turn or alone) or not isinstance(refusal, DUPLICATES):
                row.values.refusals.setdefault(refusal.field or "", refusal)
        rows = [row for row, refusal in refused if _leave_out(row, refusal)]


def _refused(
    scope: Scope, target: Target, rows: Sequence[Understood], reason: str | None
) -> list[tuple[Understood, Refusal]]:
    """The rows that would be refused now, each with why, but not those whose customer would be."""

    def many(given: Sequence[Row | Change]) -> list[Verdict]:
        return check_many(scope, target.model, given, action=target.right)

    needs_customers = any(row.values.company is not None for row in rows)
    with trial(scope, f"{target.model.module}.create") if needs_customers else nullcontext():
        ready = _with_customers(scope, rows, reason)
        verdicts = with_reason(many, [row.as_write() for row in ready], reason)
    for row, verdict in zip(ready, verdicts, strict=True):
        row.possible = verdict.possible
    return [(row, x.refusal) for row, x in zip(ready, verdicts, strict=True) if x.refusal is not None]


def _leave_out(row: Understood, refusal: Refusal) -> bool:
    """Take what is refused out of what a row sets; False where nothing would be left to ask about."""
    given = row.values.values if row.record_id is None else row.changes
    refused = next((key for key in given if refusal.field in (key, camel(key))), None)
    if refused is None or isinstance(refusal, DuplicateFound | DuplicateRefused):
        return False
    del given[refused]
    return True


def write(scope: Scope, db: Session, target: Target, rows: Sequence[Understood], reason: str | None) -> None:
    """Write the rows in their order; each is noted its record, or what it was refused for.

    No customer is created without a row: where all rows of a company are refused, it is undone with them.
    """
    if all(row.values.company is None for row in rows):
        _write(scope, target, rows, reason)
        return
    while not _is_written_whole(scope, db, target, [row for row in rows if not row.refusals], reason):
        pass  # again, without the rows that were refused


class _Again(Exception):
    """Leaves a savepoint in which a customer was created all of whose rows were refused."""


def _is_written_whole(
    scope: Scope, db: Session, target: Target, rows: Sequence[Understood], reason: str | None
) -> bool:
    try:
        with db.begin_nested():
            _write(scope, target, _with_customers(scope, rows, reason), reason)
            if _are_without_rows(rows):
                raise _Again
    except _Again:
        return False
    return True


def _write(scope: Scope, target: Target, rows: Sequence[Understood], reason: str | None) -> None:
    for is_new, run in groupby(rows, key=lambda row: row.record_id is None):
        alike = [*run]
        many: Callable[..., list[Verdict]] = create_many if is_new else update_many

        def call(given: Sequence[Any], many: Callable[..., list[Verdict]] = many) -> list[Verdict]:
            return many(scope, target.model, given, action=target.right)

        _take(alike, with_reason(call, [row.as_write() for row in alike], reason))


def _take(rows: Sequence[Understood], verdicts: Sequence[Verdict]) -> None:
    for row, verdict in zip(rows, verdicts, strict=True):
        if verdict.refusal is not None:
            row.refuse(verdict.refusal)
        row.written_id = verdict.id


# --- customers that come with rows -----------------------------------------------------------------------


def _with_customers(scope: Scope, rows: Sequence[Understood], reason: str | None) -> list[Understood]:
    """Create the customers that these rows name; returns the rows that have one."""
    names = new_customers.companies([row.values for row in rows])
    if not names:
        return [*rows]

    def many(given: Sequence[Any]) -> list[Verdict]:
        return create_many(scope, Customer, given, action=new_customers.ACTION)

    made = dict(zip(names, with_reason(many, [{"name": name} for name in names.values()], reason), strict=True))
    for row in rows:
        _join(row, made)
    return [row for row in rows if not row.refusals]


def _join(row: Understood, made: Mapping[str, Verdict]) -> None:
    if row.values.company is None:
        return
    verdict = made[fold(row.values.company)]
    if verdict.refusal is not None:
        row.refuse(new_customers.company_refused(row.values, verdict.refusal))
    else:
        row.values.values["customer_id"] = row.customer_id = verdict.id


def _are_without_rows(rows: Sequence[Understood]) -> bool:
    """Whether a customer was created all of whose rows were refused.  The others keep it at their first row alone."""
    named = {row.customer_id for row in rows if row.customer_id is not None}
    left: set[int] = set()
    for row in rows:
        if row.refusals or row.customer_id in left:
            row.customer_id = None
        elif row.customer_id is not None:
            left.add(row.customer_id)
    return bool(named - left)
