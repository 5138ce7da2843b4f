"""Verification: entries against hashes, seals against keys, anchors against seals, and records against the log."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection

from models import AuditEntry, AuditSeal
from models.audit.proof import ERASED, ERASING, entry_hash, is_blank, seal_hash, values_hash

from ..runtime.seal_files import Anchor, SealFileError, SealFiles, SealKey
from . import replay
from .anchor import contradictions
from .malformed_rows import UNREADABLE, Row, rows
from .seal import FIRST

_NAMED = 20
"""Maximum number of missing entries, or of records, that problems name."""


@dataclass
class Report:
    """The result of a verification: what was compared, and one sentence per problem."""

    entries: int = 0
    seals: int = 0
    records: int = 0
    anchors: int = 0
    unkeyed: int = 0
    """Number of seals that were laid before there was a key."""
    keyed_since: datetime | None = None
    """Time of the first seal that has a key."""
    problems: list[str] = field(default_factory=list)
    blank: set[int] = field(default_factory=set)
    """The entries whose values are erased."""
    erasures: dict[int, tuple[datetime, str, set[int]]] = field(default_factory=dict)
    """Entry of an erasure -> when it was, who did it, and which entries before it were blanked."""
    unknown: dict[str, list[int]] = field(default_factory=dict)
    """Key that the file does not hold -> the seals that it signed."""


def prove_log(connection: Connection, files: SealFiles, kept: Iterable[Anchor] = ()) -> Report:
    """The problems of log, seals, anchors and records together.

    `kept` are anchors that were kept elsewhere, beside the one in `files`.  Records are compared only with a log that is
    whole, because a log with problems says nothing reliable about them.  The connection shows one state of the database
    for as long as it is used, else a change meanwhile would look like a problem.
    """
    faults, anchors, keys = [], list(kept), dict[str, SealKey]()
    try:
        keys.update(files.read_keys())
        anchors += [anchor for anchor in [files.read_anchor()] if anchor is not None]
    except SealFileError as failure:
        faults.append(str(failure))
    report = verify(connection, keys)
    report.problems = faults + report.problems
    report.anchors = len(anchors)
    report.problems += [problem for anchor in anchors for problem in contradictions(connection, anchor)]
    if report.problems:
        return report
    found = replay.Comparison()
    different = list(islice(found.differences(connection), _NAMED + 1))
    report.records = found.records
    report.problems += [str(difference) for difference in different[:_NAMED]]
    if len(different) > _NAMED:
        report.problems.append("more records differ from the log; only the first are named")
    return report


def verify(connection: Connection, keys: Mapping[str, SealKey] | None = None) -> Report:
    """The problems found by comparing each entry with its hash, each seal with its entries and with the seal before."""
    keys = keys or {}
    report, previous, next_id = Report(), FIRST, 1
    for row in rows(connection, AuditEntry, last=0):
        report.problems.append(f"entry {row['id']} was added: the numbers of entries begin with 1")
    for row in rows(connection, AuditSeal):
        report.seals += 1
        if UNREADABLE in row:
            report.problems.append(f"seal {row['id']} was changed: it cannot be read")
            continue
        report.problems += _out_of_line(row, previous, next_id)
        report.problems += _unsigned(row, keys, report)
        list(_entries(connection, next_id, row["first_id"] - 1, report))
        covered = list(_entries(connection, row["first_id"], row["last_id"], report))
        report.problems += _broken(row, covered, keys)
        previous, next_id = row["hash"], row["last_id"] + 1
    list(_entries(connection, next_id, None, report))
    report.problems += _unexplained(report)
    if keys and report.keyed_since is None:
        report.problems.append("no seal has a key, so the log may have been written anew")
    report.problems += [_unproved(key, seals) for key, seals in report.unknown.items()]
    return report


def _unexplained(report: Report) -> Iterator[str]:
    """The problems of blank entries that no later erasure names, as sentences."""
    explained = {id for at, (_, _, ids) in report.erasures.items() for id in ids if id < at}
    for id in sorted(report.blank - explained):
        yield f"entry {id} was changed: its values are gone, and no erasure of personal data says so"


def _unproved(key: str, seals: Sequence[int]) -> str:
    return f"the file of keys does not hold the key {key}, which signed {len(seals):,} seals, {seals[0]} to {seals[-1]}"


def _out_of_line(row: Row, previous: str, next_id: int) -> Iterator[str]:
    """The problems between a seal and the one before it, as sentences."""
    if row["first_id"] > next_id:
        yield f"a seal is missing before seal {row['id']}: none covers the entries {next_id} to {row['first_id'] - 1}"
    elif row["first_id"] < next_id:
        yield f"seal {row['id']} begins before the end of the seal before it"
    if row["previous_hash"] != previous:
        yield f"seal {row['id']} does not follow the seal before it"


def _unsigned(row: Row, keys: Mapping[str, SealKey], report: Report) -> Iterator[str]:
    """The problem with the key of a seal, as a sentence.  Seals without a key come before all others, if at all."""
    if row["key_id"] is None:
        report.unkeyed += report.keyed_since is None
        if report.keyed_since is not None:
            yield f"seal {row['id']} has no key, but a seal before it has one"
        return
    report.keyed_since = report.keyed_since or row["at"]
    if row["key_id"] not in keys:
        report.unknown.setdefault(row["key_id"], []).append(row["id"])


def _broken(row: Row, hashes: Sequence[tuple[int, str]], keys: Mapping[str, SealKey]) -> Iterator[str]:
    """The problems between a seal and its entries, as sentences."""
    key = keys.get(row["key_id"] or "")
    secret = key.secret if key is not None else None
    digest, count = seal_hash(row["previous_hash"], row["at"], row["first_id"], row["last_id"], hashes, secret)
    span = f"entries {row['first_id']} to {row['last_id']}"
    covers = f"seal {row['id']} covers {row['count']} entries, {count} are there"
    if count < row["count"]:
        yield f"{covers}: {_missing(row, {id for id, _ in hashes})}"
    elif count > row["count"]:
        yield f"{covers}: one of the {span} was added"
    elif digest != row["hash"] and (key is not None or row["key_id"] is None):
        yield f"seal {row['id']} is broken: what is there now is not what was sealed: {span}"


def _missing(row: Row, there: set[int]) -> str:
    """The missing entries, as far as they are known: a rolled-back transaction leaves a free number too."""
    number = row["count"] - len(there)
    free = list(islice((id for id in range(row["first_id"], row["last_id"] + 1) if id not in there), _NAMED + 1))
    named = ", ".join(map(str, free[:_NAMED])) + (" …" if len(free) > _NAMED else "")
    if len(free) == number:
        return f"missing: entry {named}"
    return f"missing: {number} of the entries {named}"


def _entries(connection: Connection, first: int, last: int | None, report: Report) -> Iterator[tuple[int, str]]:
    """(id, hash) of the entries from `first` to `last`; problems of their content go to `report`."""
    for row in rows(connection, AuditEntry, first, last):
        report.entries += 1
        report.problems += _altered(row)
        _note_erasure(row, report)
        yield row["id"], row.get("hash", "")


def _altered(row: Row) -> Iterator[str]:
    if UNREADABLE in row:
        yield f"entry {row['id']} was changed: it cannot be read"
    elif values_hash(row) != row["values_hash"] and not is_blank(row):
        yield f"entry {row['id']} was changed: its values are not those that were written"
    elif entry_hash(row) != row["hash"]:
        yield f"entry {row['id']} was changed: who, when or what is not as it was written"


def _note_erasure(row: Row, report: Report) -> None:
    """Note an entry that is blank, and one that says which it has blanked."""
    if UNREADABLE in row:
        return
    if is_blank(row):
        report.blank.add(row["id"])
    elif row["action"] in ERASING and isinstance(pair := row["changes"].get(ERASED), list):
        report.erasures[row["id"]] = row["at"], row["actor_name"], {*pair[1]}
