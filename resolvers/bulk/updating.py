"""Many changes of records: loaded, judged and flushed together; what is left in doubt the single use case decides.

The flush is the one of single edits, with its guard, log and indexes, once for all rows of a run.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from models.errors import Refusal

from ..records.create_update import merge_customs, reason_of, split
from ..records.custom_values import COLUMN, check_emptied, refers
from ..records.dictionaries import check_words, known_words, words_in
from ..records.field_rights import closed_to
from ..runtime.lifecycle import rules_of
from ..runtime.record_lookup import look_up_many
from ..runtime.scope import Scope
from ..runtime.write_guard import checked, references, seen_by
from . import singly
from .drafts import Draft, each_open
from .kinds import Kind
from .verdicts import Change, Verdict


class _Again(Exception):
    """Leaves a savepoint whose run is written again without those drafts that are in doubt by now."""


def update(scope: Scope, db: Session, kind: Kind, changes: Sequence[Change]) -> list[Verdict]:
    """One verdict for each change, in their order.  The rows are locked."""
    drafts = [Draft(given, that=id) for id, given in changes]
    _judge(scope, db, kind, drafts)
    _carry_out(scope, db, kind, drafts)
    return [draft.verdict or Verdict() for draft in drafts]


# --- before anything is written --------------------------------------------------------------------------


def _judge(scope: Scope, db: Session, kind: Kind, drafts: Sequence[Draft]) -> None:
    """Ask the rules in the order in which `create_update.update` asks them."""
    model = kind.model

    def read_reason(draft: Draft) -> None:
        draft.reason = reason_of(draft.given)

    def read(draft: Draft) -> None:
        draft.values, draft.extra = split(scope, model, draft.given, creating=False)
        check_emptied(scope, model, draft.values.get(COLUMN))
        draft.is_doubtful |= refers(scope, model, draft.values)
        draft.before = {key: getattr(draft.record, key) for key in draft.values}

    each_open(drafts, read_reason)
    _load(scope, db, kind, _open(drafts))
    each_open(drafts, read)
    fields = {draft.that: draft.given.keys() for draft in _open(drafts)}
    closed = closed_to(scope, db, model, fields, ("view", "edit")) if fields else set()
    for draft in drafts:
        draft.is_doubtful |= draft.that in closed
    known = known_words(db, [word for draft in _open(drafts) for word in words_in(scope, model, draft.values)])
    each_open(drafts, lambda draft: check_words(scope, db, model, draft.values, draft.record, known))
    for key, target in references(model):
        pointing = [(draft, id) for draft in _open(drafts) if (id := draft.values.get(key)) is not None]
        seen = seen_by(db, target, {id for _, id in pointing})
        for draft, id in pointing:
            draft.is_doubtful |= id not in seen
    kind.doubt_changes(_open(drafts))


def _open(drafts: Sequence[Draft]) -> list[Draft]:
    return [draft for draft in drafts if draft.is_open]


def _load(scope: Scope, db: Session, kind: Kind, drafts: Sequence[Draft]) -> None:
    """Load and lock the records; leaves those in doubt that may not be edited, or are changed a second time."""
    found = look_up_many(db, scope.policy, scope.person, kind.model, {draft.that for draft in drafts}, "edit")
    for draft in drafts:
        draft.record = found.pop(draft.that, None)
        draft.is_doubtful |= draft.record is None
        if draft.record is not None:
            draft.record.notices.clear()
            checked(db, draft.record, "edit")


# --- in the order of the changes -------------------------------------------------------------------------


def _carry_out(scope: Scope, db: Session, kind: Kind, drafts: Sequence[Draft]) -> None:
    unsettled = [draft for draft in drafts if draft.verdict is None]
    for (is_doubtful, reason), run in groupby(unsettled, key=lambda draft: (draft.is_doubtful, draft.reason)):
        if is_doubtful:
            for draft in run:
                draft.verdict = singly.update(scope, kind.model, (draft.that, draft.given))
        else:
            _write(scope, db, kind, list(run), reason)


def _write(scope: Scope, db: Session, kind: Kind, run: Sequence[Draft], reason: str | None) -> None:
    """Write a run of drafts, or all of it anew without those that are in doubt."""
    signature = db.info["signature"]
    db.info["signature"] = replace(signature, reason=reason or signature.reason)
    try:
        with db.begin_nested():
            _written(scope, db, kind, run)
    except _Again:
        pass
    except (Refusal, IntegrityError, StaleDataError):  # of which the single use case finds the row
        for draft in run:
            draft.is_doubtful = True
    finally:
        db.info["signature"] = signature
    if any(draft.is_doubtful for draft in run):
        _load(scope, db, kind, _open(run))
        _carry_out(scope, db, kind, run)
        return
    for draft in run:
        draft.verdict = Verdict(draft.that, None, tuple(draft.record.notices))


def _written(scope: Scope, db: Session, kind: Kind, run: Sequence[Draft]) -> None:
    rules = rules_of(kind.model)
    for draft in run:
        draft.values = merge_customs(draft.record, draft.values)
        for key, value in draft.values.items():
            setattr(draft.record, key, value)

    def check(draft: Draft) -> None:
        draft.has_rule_ahead = True  # which leaves it in doubt instead of refusing it here
        with db.no_autoflush:
            rules.check(scope, db, draft.record, draft.values)

    each_open(run, check)
    if any(draft.is_doubtful for draft in run):
        raise _Again
    db.flush()
    each_open(run, kind.changed)
    if any(draft.is_doubtful for draft in run):
        raise _Again
