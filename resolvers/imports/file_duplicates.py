"""Duplicates inside one file: of two rows that would be refused beside each other, the later one is bad and names the earlier.

Only rows that are good stand in the way of later ones, so what a check says is what the application of the rows comes to.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

import orjson
from sqlalchemy import ARRAY, BigInteger, ColumnElement, Connection, any_, func, literal, or_, select
from sqlalchemy.orm import Session

from models import Contact, Customer, Entity, ImportBatch, ImportKey, ImportRow
from models.base import columns, trait_of
from models.certain_keys import certain_keys, file_key
from models.choice_names import field_said
from models.contact import PointKind
from models.duplicate_key import contact_traits
from models.duplicates import Evidence, Traits, Verdict, assess
from models.errors import SameAsRow
from models.import_batch import RowState
from models.keys import keys_of
from models.text import fold

from ..duplicates.enforcement import REASON, traits_of_new
from ..duplicates.lookup import verdicts_of
from ..runtime.ids import camel
from .row_values import RowValues

LARGEST_GROUP = 20
"""Maximum number of good rows with one key that are looked at, the first ones of the file."""
KEYS_AT_ONCE = 2_000
"""Number of keys that are deleted beside a chunk of rows: more than it has left."""
_ROWS: Any = ImportRow.__table__
_KEYS: Any = ImportKey.__table__
_FIELDS = {
    Evidence.REGISTRATION: "registration_number",
    Evidence.EMAIL: "email",
    Evidence.PHONE_AND_NAME: "phone",
    Evidence.PHONE: "phone",
    Evidence.DOMAIN: "email",
}
"""What both rows have in common where it is not the name."""


@dataclass(frozen=True)
class Claim:
    """By what a new record of a row is the same as another: unique columns, and traits with the evidence that counts.

    `unique`: what a unique index compares -> the column that a person fills.
    """

    number: int
    unique: Mapping[str, str] = field(default_factory=dict)
    traits: Traits | None = None
    counts: Mapping[Evidence, Verdict] = field(default_factory=dict)

    @cached_property
    def keys(self) -> frozenset[int]:
        texts = [*self.unique]
        if self.traits is not None:
            texts += certain_keys(self.traits, {each for each, verdict in self.counts.items() if verdict.is_certain})
        return frozenset(map(file_key, texts))


class EarlierClaims:
    """What good rows claim, found by their keys."""

    def __init__(self) -> None:
        self._by_key: dict[int, list[Claim]] = {}

    def add(self, claim: Claim) -> None:
        for key in claim.keys:
            self._by_key.setdefault(key, []).append(claim)

    def beside(self, claim: Claim) -> list[Claim]:
        """Those that share a key with this one."""
        found = {each.number: each for key in claim.keys for each in self._by_key.get(key, ())}
        return [*found.values()]


class Claims:
    """What the new records of an import claim, under the rules as they are now."""

    def __init__(self, db: Session, model: type[Entity], reason: str | None) -> None:
        """`reason`: why certain duplicates are none, so that only those count which no reason helps."""
        self._model = model
        counts = verdicts_of(db, model.module) if model in (Customer, Contact) else {}
        refused = {each: x if x is Verdict.REFUSED else Verdict.NOTHING for each, x in counts.items()}
        self._counts, self._refused = refused if reason else counts, refused

    def of(self, number: int, row: RowValues) -> Claim:
        """What a row with these inputs claims."""
        counts = self._refused if row.values.get(REASON) else self._counts
        traits = self._traits(row) if any(verdict.is_certain for verdict in counts.values()) else None
        return Claim(number, dict(_unique(self._model, row.values)), traits, counts)

    def _traits(self, row: RowValues) -> Traits:
        values = row.values
        if self._model is Customer:
            return traits_of_new(values, values)
        points = [(PointKind(x["kind"]), x["value"]) for x in values.get("points") or ()]
        found = contact_traits(values.get("customer_id") or 0, values.get("name") or "", points)
        return replace(found, person_at=fold(row.company)) if row.company is not None else found

    def clash(self, claim: Claim, others: Iterable[Claim]) -> SameAsRow | None:
        """Why a row cannot stand beside rows that are good; None where it can.  It names the first of those before it."""
        before = sorted((each for each in others if each.number < claim.number), key=lambda each: each.number)
        found = [(each.number, key) for each in before for at, key in claim.unique.items() if at in each.unique]
        if claim.traits is not None:
            traits = [(each.number, each.traits) for each in before if each.traits is not None]
            certain = [x for x in assess(claim.traits, traits, claim.counts) if x.verdict.is_certain]
            found += [(x.that, _field_of(x.evidence, claim.counts)) for x in certain]
        if not found:
            return None
        number, key = min(found)
        english, chinese = field_said(self._model, key)
        return SameAsRow(field=camel(key), row=number, what=english.lower(), what_zh=chinese)


def earlier_claims(
    db: Session,
    batch: ImportBatch,
    claims: Sequence[Claim],
    claims_at: Callable[[Collection[int]], Iterable[Claim]],
    but: Collection[int],
) -> EarlierClaims:
    """What good rows claim that share a key with these, without the rows `but`.  `claims_at`: numbers -> their claims."""
    meeting = EarlierClaims()
    wanted = sorted({key for claim in claims for key in claim.keys})
    if not wanted:
        return meeting
    k, r = _KEYS.c, _ROWS.c
    place = func.row_number().over(partition_by=k.key, order_by=k.number).label("place")
    good = (r.batch_id == k.batch_id, r.number == k.number, r.state == RowState.GOOD)
    met = select(k.number, place).where(k.batch_id == batch.id, _among(db, wanted), *good)
    ranked = met.where(k.number.not_in([*but])).subquery()
    found = {*db.execute(select(ranked.c.number).where(ranked.c.place <= LARGEST_GROUP)).scalars()}
    for claim in claims_at(found) if found else ():
        meeting.add(claim)
    return meeting


def note_keys(db: Session, batch: ImportBatch, claims: Iterable[Claim]) -> None:
    """Keep under which keys rows are found; those of an earlier state of their cells stay."""
    rows = sorted({(key, claim.number) for claim in claims for key in claim.keys})
    if rows:
        _put(db.connection(), batch.id, rows)


def touched_by(db: Session, batch: ImportBatch, claims: Sequence[Claim], numbers: Sequence[int]) -> list[int]:
    """The later rows whose judgement may change with that of these rows, in their order.

    `numbers`: the rows.  `claims`: what those claim that are good now.
    """
    r, k = _ROWS.c, _KEYS.c
    lost = select(r.number).where(r.batch_id == batch.id, r.same_as.in_([*numbers]), r.state == RowState.BAD)
    found = {*db.execute(lost).scalars()}
    first = {key: claim.number for claim in sorted(claims, key=lambda each: -each.number) for key in claim.keys}
    if first:
        judged = r.state.in_((RowState.GOOD, RowState.BAD))
        met = select(k.key, k.number).where(k.batch_id == batch.id, _among(db, sorted(first)))
        met = met.join(_ROWS, (r.batch_id == k.batch_id) & (r.number == k.number)).where(judged)
        found |= {number for key, number in db.execute(met) if number > first[key]}
    return sorted(found - {*numbers})


def drop_keys(db: Session, batch: ImportBatch, most: int | None = None) -> None:
    """Delete the keys of an import, or about `most` of them: they are of no use once it is confirmed."""
    k = _KEYS.c
    mine = k.batch_id == batch.id
    if most is not None:
        last = select(k.key).where(mine).order_by(k.key).offset(most).limit(1).scalar_subquery()
        mine &= or_(k.key <= last, last.is_(None))
    db.execute(_KEYS.delete().where(mine))


# --- steps -----------------------------------------------------------------------------------------------


def _unique(model: type[Entity], values: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """(what a unique index compares, the column that a person fills) for each index that the values fill."""
    for sources in _unique_columns(model):
        given = [values.get(source) for source, _ in sources]
        if all(value not in (None, "") for value in given):
            texts = [str(made(value)) for (_, made), value in zip(sources, given, strict=True)]
            yield "unique:" + "\x1f".join((*(source for source, _ in sources), *texts)), sources[-1][0]


@cache
def _unique_columns(model: type[Entity]) -> list[list[tuple[str, Any]]]:
    """The unique indexes of live records, each as columns that a person fills and how these are compared."""
    made = {key: (source, by) for key, source, by in keys_of(model)}
    settable = {column.key for column in columns(model) if not trait_of(column).system_managed}
    found = []
    for index in sorted(getattr(model.__table__, "indexes", ()), key=lambda index: index.name or ""):
        where = str(index.dialect_options["sqlite"]["where"])
        sources = [made.get(column.key, (column.key, _compared)) for column in index.columns]
        sources = [(key, _COMPARED.get(key, by)) for key, by in sources]
        if index.unique and where in ("None", "deleted_at IS NULL") and all(key in settable for key, _ in sources):
            found.append(sources)
    return found


def _compared(value: Any) -> str:
    return str(value).strip()


_COMPARED: Mapping[str, Callable[[str], str]] = {"login": lambda login: login.strip().lower()}
"""Columns that a rule writes in another form than they are given."""


def _field_of(evidence: Sequence[Evidence], counts: Mapping[Evidence, Verdict]) -> str:
    return _FIELDS.get(next(each for each in evidence if counts[each].is_certain), "name")


def _among(db: Session, keys: Sequence[int]) -> ColumnElement[bool]:
    """Whether a key is one of these, as one parameter: hundreds of them take longer to write than to look up."""
    if db.get_bind().dialect.name == "postgresql":
        is_one: ColumnElement[bool] = _KEYS.c.key == any_(literal([*keys], ARRAY(BigInteger)))
        return is_one
    each = func.json_each(orjson.dumps(keys).decode()).table_valued("value")
    among: ColumnElement[bool] = _KEYS.c.key.in_(select(each.c.value))
    return among


def _put(connection: Connection, batch_id: int, rows: Sequence[tuple[int, int]]) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_PUT, (batch_id, orjson.dumps(rows).decode()))
    else:
        keys, numbers = (list(column) for column in zip(*rows, strict=True))
        connection.exec_driver_sql(_PUT_ARRAYS, (batch_id, keys, numbers))


_PUT = """INSERT OR IGNORE INTO import_key (batch_id, key, number)
SELECT ?, value ->> 0, value ->> 1 FROM json_each(?)"""
_PUT_ARRAYS = """INSERT INTO import_key (batch_id, key, number)
SELECT %s, each.key, each.number FROM unnest(%s::bigint[], %s::integer[]) AS each (key, number) ON CONFLICT DO NOTHING"""
