"""Many new records: every rule is asked once for all rows, and what is left in doubt is decided by the single use case.

The rights are asked about the rows as they were written, by the very clauses of the write guard.  A row that they do not
let through is undone with its run and then refused by the single use case, which names the reason and logs the attempt.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.audit.recording import record_new, write_entries

from ..records.create_update import reason_of, split
from ..records.custom_values import COLUMN, missing, refers
from ..records.dictionaries import check_words, known_words, words_in
from ..records.field_rights import closed_to
from ..runtime.inputs import require
from ..runtime.rights_on_many import allowed
from ..runtime.scope import Scope
from ..runtime.write_guard import references, seen_by
from . import singly
from .drafts import Draft, each_open
from .insert import completed, put, reserve
from .kinds import Kind
from .verdicts import Row, Verdict


class _Again(Exception):
    """Leaves a savepoint whose run is written again without those drafts that are settled or in doubt by now."""


def create(scope: Scope, db: Session, kind: Kind, rows: Sequence[Row], *, is_last: bool = False) -> list[Verdict]:
    """One verdict for each row, in their order.  The caller has checked that the person may create anything at all.

    `is_last`: whether nothing is written after these rows; then a trial leaves out what follows from the last of them.
    """
    db.flush()
    drafts = [Draft(row) for row in rows]
    _judge(scope, db, kind, drafts)
    _carry_out(scope, db, kind, drafts, is_last=is_last and scope.is_trial)
    return [draft.verdict or Verdict() for draft in drafts]


# --- before anything is written --------------------------------------------------------------------------


def _judge(scope: Scope, db: Session, kind: Kind, drafts: Sequence[Draft]) -> None:
    """Ask the rules in the order in which `create_update.create` asks them."""
    model = kind.model

    def read(draft: Draft) -> None:
        draft.reason = reason_of(draft.given)
        draft.values, draft.extra = split(scope, model, draft.given, creating=True)
        draft.is_doubtful |= refers(scope, model, draft.values) or bool(missing(scope, model, draft.values.get(COLUMN)))

    each_open(drafts, read)
    each_open(drafts, kind.prepare)
    each_open(drafts, lambda draft: require(model, draft.values))
    known = known_words(db, [word for draft in _open(drafts) for word in words_in(scope, model, draft.values)])
    each_open(drafts, lambda draft: check_words(scope, db, model, draft.values, known=known))
    each_open(drafts, kind.check)
    _doubt_hidden(db, kind, drafts)
    kind.judge(list(_open(drafts)))


def _open(drafts: Sequence[Draft]) -> Iterator[Draft]:
    return (draft for draft in drafts if draft.is_open)


def _doubt_hidden(db: Session, kind: Kind, drafts: Sequence[Draft]) -> None:
    """Leave those in doubt that refer to a record which the person may not see."""
    for key, target in references(kind.model):
        pointing = [(draft, id) for draft in _open(drafts) if (id := draft.values.get(key)) is not None]
        seen = seen_by(db, target, {id for _, id in pointing})
        for draft, id in pointing:
            draft.is_doubtful |= id not in seen


# --- in the order of the rows ----------------------------------------------------------------------------


def _carry_out(scope: Scope, db: Session, kind: Kind, drafts: Sequence[Draft], *, is_last: bool) -> None:
    unsettled = [draft for draft in drafts if draft.verdict is None]
    runs = [(doubtful, list(run)) for doubtful, run in groupby(unsettled, key=lambda draft: draft.is_doubtful)]
    for place, (is_doubtful, run) in enumerate(runs, start=1):
        if is_doubtful:
            for draft in run:
                draft.verdict = replace(singly.create(scope, kind.model, draft.given), possible=draft.possible)
        else:
            _write(scope, db, kind, run, is_last=is_last and place == len(runs))


def _write(scope: Scope, db: Session, kind: Kind, run: Sequence[Draft], *, is_last: bool) -> None:
    """Write a run of drafts, or all of it anew without those that cannot stay."""
    try:
        with db.begin_nested():
            kept = _written(scope, db, kind, run, is_last=is_last)
    except _Again:
        _carry_out(scope, db, kind, run, is_last=is_last)
    except IntegrityError:  # of which the single use case finds the row and the words
        for draft in run:
            draft.is_doubtful = True
        _carry_out(scope, db, kind, run, is_last=is_last)
    else:
        for draft in kept:
            draft.verdict = Verdict(draft.id, None, tuple(draft.notices), draft.possible)


def _written(scope: Scope, db: Session, kind: Kind, run: Sequence[Draft], *, is_last: bool) -> list[Draft]:
    kind.complete(run)
    kept = [draft for draft in run if draft.verdict is None]
    for draft, id in zip(kept, reserve(db.connection(), kind.model, len(kept)), strict=True):
        draft.row = completed(scope, kind.model, draft.values, id)
    put(db.connection(), kind.model, [draft.row for draft in kept])
    if not _are_allowed(scope, db, kind, kept) or not kind.fit(kept):
        raise _Again
    if not is_last:
        kind.follow(kept)
        _log(db, kind, kept)
    return kept


def _are_allowed(scope: Scope, db: Session, kind: Kind, drafts: Sequence[Draft]) -> bool:
    """Whether all these records may be created with all these fields; leaves the others in doubt."""
    by_id = {draft.id: draft for draft in drafts}
    refused = by_id.keys() - allowed(db, kind.model, by_id, "create")
    fields = {id: draft.given.keys() for id, draft in by_id.items()}
    refused |= closed_to(scope, db, kind.model, fields, ("create", "edit"))
    for id in refused:
        by_id[id].is_doubtful = True
    return not refused


def _log(db: Session, kind: Kind, drafts: Sequence[Draft]) -> None:
    signature = db.info["signature"]
    try:
        for reason, run in groupby(drafts, key=lambda draft: draft.reason):
            db.info["signature"] = replace(signature, reason=reason or signature.reason)
            for draft in run:
                record_new(db, kind.model, draft.row, kind.parts_of(draft))
                kind.log(draft)
            write_entries(db)
    finally:
        db.info["signature"] = signature
