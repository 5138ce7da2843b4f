"""The records of an export: which ones, found once in the order of the list, and their cells chunk by chunk.

The list's own query finds them and guards every value, so a file holds what its maker's list shows, as far as they may
export it.  Which records those are is one state of the database; a record that changes its place meanwhile is
written once, and one that leaves the maker's sight is left out.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import AuditEntry, Base, User
from models.contact import PointKind
from models.listed_values import joined
from models.text import fold

from ..audit import history
from ..audit.log_filter import Wanted
from ..customers.contacts import points_of
from ..reading.clauses import open_to, value, visible, with_parents
from ..reading.pages import ListRequest, Reading, title_of
from ..reading.search import find
from ..records.dictionaries import Word, words_of
from ..runtime.scope import Scope
from .cells import Cell, Words, cell
from .kinds import POINTS, ExportColumn, Holds
from .listing import Listing
from .log_cells import log_cells

AT_ONCE = 10_000
"""Records that one statement finds."""
NAMED_AT_ONCE = 2_000
"""Records whose names, phones and addresses one statement reads."""
_SEARCHED = 1_000


def found(
    scope: Scope, db: Session, model: type[Base], listing: Listing, *, right: str = "export"
) -> Iterator[list[int]]:
    """The ids of all records of a list that the caller may export, in its order, page by page by the list's keyset.

    `right`: what the caller has to be allowed to do with them.
    """
    if model is AuditEntry:
        yield from _logged(scope, db, listing)
        return
    request: ListRequest | None = listing.request(model)
    clause = None
    while request is not None:
        reading = Reading(scope, request)
        if request.search.strip() and clause is None:
            result = find(scope, db, model, request.search, reading.listed(), _SEARCHED)
            clause = result.clause if result.further is None else result.further
        statement = reading.statement().where(open_to(scope.viewer, right, model))
        rows = db.execute((statement if clause is None else statement.where(clause)).limit(AT_ONCE)).all()
        yield [row.id for row in rows]
        request = replace(request, after=reading.cursor(rows[-1])) if len(rows) == AT_ONCE else None


def _logged(scope: Scope, db: Session, listing: Listing) -> Iterator[list[int]]:
    chosen = {*listing.ids}
    for ids in history.found_ids(scope, db, listing.wanted or Wanted(), size=AT_ONCE):
        yield [id for id in ids if id in chosen] if chosen else ids


def count(scope: Scope, db: Session, model: type[Base], listing: Listing, most: int, *, right: str = "export") -> int:
    """How many records of a list the caller may export, or do `right` to, up to `most`."""
    if model is AuditEntry:
        seen = 0
        for ids in _logged(scope, db, listing):
            seen += len(ids)
            if seen >= most:
                return most
        return seen
    request = listing.request(model)
    reading = Reading(scope, request)
    clauses = [*reading.listed(), open_to(scope.viewer, right, model)]
    if request.search.strip():
        result = find(scope, db, model, request.search, clauses, _SEARCHED)
        clauses.append(result.clause if result.further is None else result.further)
    some = visible(scope.viewer, model, reading.e.id).where(*clauses).limit(most)
    return int(db.execute(select(func.count()).select_from(some.subquery())).scalar_one())


def rows(
    scope: Scope,
    db: Session,
    model: type[Base],
    listing: Listing,
    columns: Sequence[ExportColumn],
    ids: Sequence[int],
    *,
    right: str = "export",
) -> list[list[Cell]]:
    """The cells of these records in this order, without those that the caller may no longer see or export.

    `right`: what the caller has to be allowed to do with them.
    """
    if model is AuditEntry:
        return log_cells(scope, db, columns, ids, _plain_words(scope))
    keys = tuple(column.key for column in columns if column.holds is not Holds.POINTS)
    reading = Reading(scope, ListRequest(model, keys, binned=listing.binned, counts=False))
    statement = reading.statement().where(open_to(scope.viewer, right, model))
    found = {row.id: row for part in _parts(ids) for row in db.execute(statement.where(reading.e.id.in_(part)))}
    values = {id: reading.values(row) for id, row in found.items()}
    words = replace(words_for(scope, db, columns, values.values()), points=_points(scope, db, columns, [*values]))
    return [[_cell(column, id, values[id], words) for column in columns] for id in ids if id in values]


def words_for(scope: Scope, db: Session, columns: Sequence[ExportColumn], rows: Iterable[Mapping[str, Any]]) -> Words:
    """What the values of these rows are called, given as column -> value."""
    return replace(
        _plain_words(scope),
        dictionaries=_told_apart(words_of(scope, db, {x.dictionary for x in columns if x.dictionary})),
        records=_names(scope, db, columns, rows),
    )


def _plain_words(scope: Scope) -> Words:
    return Words(scope.language, ZoneInfo(scope.person.zone or "UTC"))


def _cell(column: ExportColumn, id: int, values: dict[str, Any], words: Words) -> Cell:
    if column.holds is Holds.POINTS:
        return joined(words.points[column.key].get(id, ())) or None
    return cell(column, values[column.key], words)


def _parts(ids: Sequence[int], size: int = NAMED_AT_ONCE) -> Iterator[Sequence[int]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _names(scope: Scope, db: Session, columns: Sequence[ExportColumn], rows: Any) -> dict[str, dict[int, str]]:
    """Column -> id -> number and name of the record, of those that the caller sees: one query for each kind."""
    named = [(column.key, column.target) for column in columns if column.target is not None]
    wanted: dict[type[Base], set[int]] = {}
    for row in rows:
        for key, target in named:
            if row[key] is not None:
                wanted.setdefault(target, set()).add(row[key])
    known = {target: names_of(scope, db, target, sorted(ids)) for target, ids in wanted.items()}
    return {key: known.get(target, {}) for key, target in named}


def _told_apart(dictionaries: dict[str, dict[str, Word]]) -> dict[str, dict[str, Word]]:
    """The words, those of one label with their keys behind it."""
    found = {}
    for code, words in dictionaries.items():
        said = Counter(fold(word.label) for word in words.values())
        found[code] = {
            key: replace(word, label=f"{word.label} ({key})") if said[fold(word.label)] > 1 else word
            for key, word in words.items()
        }
    return found


def names_of(scope: Scope, db: Session, model: type[Base], ids: Sequence[int]) -> dict[int, str]:
    """Id -> number, if the records have one, and name; the order of the ids does not matter."""
    viewer, e = scope.viewer, with_parents(model)[1]
    number = [value(viewer, model, e, "number")] if "number" in model.__table__.c else []
    statement = visible(viewer, model, e.id, *number, title_of(viewer, model, e))
    found = {
        id: " ".join(str(part) for part in parts if part)
        for some in _parts(ids)
        for id, *parts in db.execute(statement.where(e.id.in_(some)))
        if any(parts)
    }
    return _namesakes_apart(db, found) if model is User and found else found


def _namesakes_apart(db: Session, names: dict[int, str]) -> dict[int, str]:
    """The names of people, those that several have with their logins."""
    people = db.execute(select(User.id, User.login, User.name)).all()
    said = Counter(text for _, login, name in people for text in {fold(login), fold(name)})
    logins = {id: login for id, login, _ in people}
    return {
        id: f"{name} ({logins[id]})" if said[fold(name)] > 1 and id in logins else name for id, name in names.items()
    }


def _points(
    scope: Scope, db: Session, columns: Sequence[ExportColumn], ids: Sequence[int]
) -> dict[str, dict[int, list[str]]]:
    """Column -> contact -> the phones or addresses that the caller sees."""
    wanted: dict[str, PointKind] = {
        column.key: POINTS[column.key] for column in columns if column.holds is Holds.POINTS
    }
    found: dict[str, dict[int, list[str]]] = {key: {} for key in wanted}
    for part in _parts(ids) if wanted else ():
        for id, points in points_of(scope, db, part).items():
            for key, kind in wanted.items():
                if values := [point.value for point in points if point.kind == kind]:
                    found[key][id] = values
    return found
