"""The search box: which records the words lead to, for this person.

A customer is found by its number, name, phone and e-mail, and by the names, phones and addresses of its contacts; a
contact by its own.  Every word must be found, each anywhere in the record.  Names are found by any part, numbers,
phones and addresses by any three characters, numbers also by how they begin.  A value leads only to whom may see it.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, cast

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Integer,
    Select,
    Table,
    and_,
    any_,
    case,
    column,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    table,
    true,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from models import Base, Contact, Customer, SearchDoc
from models.contact import PointKind, key_of
from models.errors import Validation
from models.search import (
    BITS,
    CODE,
    INDEX,
    SPAN,
    Pieces,
    beginning,
    code_pieces,
    fold,
    name_pieces,
)
from policies.rows import Hanging, Rows

from ..runtime.scope import Scope
from ..runtime.viewer import Clause, Value, Viewer
from .clauses import beside, found, in_bin, search_text, visible

MOST_WORDS = 16
MOST_PIECES = 12
"""So many pieces of a word are looked up; what they leave is compared with the text in any case."""
COVERED: tuple[type[Base], ...] = (Customer, Contact)
"""The models whose lists search by the index."""

docs = cast("Table", SearchDoc.__table__)
fts = table(INDEX, column("rowid", BigInteger), column(INDEX))

# --- what was typed --------------------------------------------------------------------------------------

_PHONE = re.compile(r"[\d+(][\d ()./–-]*")
_OUR_CODE = re.compile(r"\A\+86[ -]?(?=\d)")
_SPLIT_PHONE = 7
"""Figures and spaces with so many figures in them are one phone number and no words."""


class Searchable(Protocol):
    """A word, or a row of the statement that stands for one (`resolvers/reading/search_in_statement.py`)."""

    def held_by(self, doc: Any) -> dict[str, Clause]:
        """Column of a doc -> whether it holds the word."""
        ...


@dataclass(frozen=True)
class Word:
    """One word as names, numbers and addresses may hold it, and the run of figures by which phones may."""

    text: str
    figures: str

    @property
    def is_code(self) -> bool:
        """Whether it is long enough to be looked for inside numbers and addresses."""
        return len(self.text) >= CODE

    def held_by(self, doc: Any) -> dict[str, Clause]:
        number = doc.number.contains if self.is_code else doc.number.startswith
        ways = {"name": doc.name.contains(self.text, autoescape=True), "number": number(self.text, autoescape=True)}
        if self.is_code:
            ways["addresses"] = doc.addresses.contains(self.text, autoescape=True)
        if self.figures:
            ways["phones"] = doc.phones.contains(self.figures)
        return ways


def words_of(text: str) -> tuple[Word, ...]:
    """What somebody typed, word by word; none for nothing.  Raises Validation when it is too much."""
    typed = fold(search_text(text))
    if _PHONE.fullmatch(typed) and sum(c.isdigit() for c in typed) >= _SPLIT_PHONE:
        typed = typed.replace(" ", "")
    words = list(dict.fromkeys(typed.split()))
    if len(words) > MOST_WORDS:
        raise Validation(
            f"A search has at most {MOST_WORDS} words.", f"搜索内容最多 {MOST_WORDS} 个词。", field="search"
        )
    return tuple(Word(word, _figures(word)) for word in words)


def _figures(word: str) -> str:
    """`+86 138-0013` as phones hold it; nothing for what is no phone or too short to look for one."""
    figures = key_of(PointKind.PHONE, _OUR_CODE.sub("", word)) if _PHONE.fullmatch(word) else ""
    return figures if len(figures) >= CODE else ""


# --- what a record says ----------------------------------------------------------------------------------


def says(viewer: Viewer, model: type[Base], e: Any, words: Iterable[Word]) -> Clause:
    """Whether a record of `model` holds every word where this person may see it.  Exact, and asked row by row."""
    return and_(*(says_word(viewer, model, e, word) for word in words))


def says_word(viewer: Viewer, model: type[Base], e: Any, word: Searchable) -> Clause:
    """`says` of one word."""
    return _customer_says(viewer, e, word) if model is Customer else _contact_says(viewer, e, word)


@lru_cache(maxsize=64)
def _says_beside(viewer: Viewer, model: type[Base], words: tuple[Word, ...]) -> Clause:
    """`says` in terms of `beside`, made once for each request."""
    return says(viewer, model, beside(model)[1], words)


def _customer_says(viewer: Viewer, e: Any, word: Searchable) -> Clause:
    doc, contact = docs.alias(), cast("Table", Contact.__table__).alias()
    person = Hanging(contact.c, Rows(Customer, e))
    shown = and_(viewer.rows(Contact, person), in_bin(Contact, contact.c, wanted=False))
    by_itself = and_(doc.c.contact_id.is_(None), _holds(viewer, Customer, e, doc.c, word))
    by_contact = and_(contact.c.id.is_not(None), shown, _holds(viewer, Contact, person, doc.c, word))
    found = _one().select_from(doc.outerjoin(contact, contact.c.id == doc.c.contact_id))
    found = found.where(doc.c.id >= _place(e.id), doc.c.id < _place(e.id + 1), or_(*word.held_by(doc.c).values()))
    return _there_is(found.where(or_(by_itself, by_contact)).correlate_except(doc, contact))


def _contact_says(viewer: Viewer, e: Any, word: Searchable) -> Clause:
    doc = docs.alias()
    mine = _one().where(doc.c.id == _place(e.customer_id) + e.id, _holds(viewer, Contact, e, doc.c, word))
    return _there_is(mine.correlate_except(doc))


def _there_is(one: Select[Any]) -> Clause:
    """EXISTS in a form that PostgreSQL answers row by row: it thinks little of looking into all docs beforehand.

    The number is written out: for a parameter PostgreSQL takes a tenth of everything, and the whole for very dear.
    """
    return one.limit(literal_column("1")).scalar_subquery().is_not(None)


def _one() -> Select[Any]:
    return select(literal(1)).execution_options(policy=True)


def _place(customer_id: Any) -> Value:
    """The id of a customer's doc, with which those of its contacts begin."""
    at: Value = customer_id * literal(SPAN, BigInteger)
    return at


def _holds(viewer: Viewer, model: type[Base], e: Any, doc: Any, word: Searchable) -> Clause:
    """Whether a doc holds the word in a field that may be seen in its record `e`."""
    fields = _FIELDS[model]
    guards = {key: viewer.guard(model, field, e) for key, field in fields.items()}
    ways = ((guards[key], way) for key, way in word.held_by(doc).items() if key in fields)
    return or_(*(way if guard is None else and_(way, guard) for guard, way in ways))


_FIELDS: dict[type[Base], dict[str, str]] = {
    Customer: {"name": "name", "number": "number", "phones": "phone", "addresses": "email"},
    Contact: {"name": "name", "phones": "points", "addresses": "points"},
}
"""Column of a doc -> the field, as policy lines call it, that it repeats."""


# --- by the index ----------------------------------------------------------------------------------------

FEW = 5_000
"""A word that no more docs than this may hold is rare: all of them are looked at."""


@dataclass(frozen=True)
class SearchResult:
    """What the rows of a list have to be for a text to find them, in terms of `beside`, and how many there are.

    `count` is at most one above the limit; None where the model has no index and they have to be counted.  With
    `further` there are many.  It means the same as `clause`, begins slowly, and passes quickly by what does not fit.
    """

    clause: Clause
    count: int | None = None
    further: Clause | None = None


def find(scope: Scope, db: Session, model: type[Base], text: str, among: Sequence[Clause], limit: int) -> SearchResult:
    """What the search box of a list finds.  `among` are the other conditions of the list."""
    viewer, e, words = scope.viewer, beside(model)[1], words_of(text)
    if model not in COVERED:
        return SearchResult(found(viewer, model, e, text))
    if not words:
        return SearchResult(true())
    ids = candidates(scope, db, model, text, limit, among)
    if ids is not None:
        some = json.dumps(ids) if scope.backend.dialect == "sqlite" else ids
        return SearchResult(_is_among(scope.backend.dialect, e.id, some), len(ids))
    clause = _says_beside(viewer, model, tuple(words))
    near = _led_to(scope.backend.dialect, model, max(words, key=_weight))
    return SearchResult(clause, limit + 1, in_turn(scope.backend.dialect, e.id, near, clause))


def in_turn(dialect: str, id: Value, near: Select[Any], clause: Clause) -> Clause:
    """`clause`, asked of the rows of a list one by one, as far as they are among the many ids of `near`."""
    is_near = (id + 0).in_(near)
    # PostgreSQL asks in the order that it likes, unless told with CASE; for SQLite that would be twice the work.
    return and_(is_near, clause) if dialect == "sqlite" else case((is_near, clause), else_=false())


def candidates(
    scope: Scope, db: Session, model: type[Base], text: str, limit: int = 1000, among: Sequence[Clause] = ()
) -> list[int] | None:
    """The ids of the records of `model` that the text finds for this person; None when there are more than `limit`.

    `among` narrows them down to those of a list.  In no order.  Two small queries for a word that is rare; a third,
    larger one for words that are everywhere and of which this person sees little.
    """
    words, dialect = words_of(text), scope.backend.dialect
    if not words:
        return None
    viewer, e = scope.viewer, beside(model)[1]
    asked = visible(viewer, model, e.id).where(_says_beside(viewer, model, tuple(words)), *among).limit(limit + 1)

    def run(near: Clause) -> list[int] | None:
        count, ids = db.execute(_in_one(dialect, asked.where(near))).one()
        if count > limit:
            return None
        return json.loads(ids) if dialect == "sqlite" else ids or []

    led_to = [_led_to(dialect, model, word) for word in sorted(words, key=_weight, reverse=True)]
    for ids in led_to:
        count, some = db.execute(_in_one(dialect, ids.limit(FEW + 1))).one()
        if count <= FEW:
            return run(_is_among(dialect, e.id, some)) if count else []
    if run(_is_among(dialect, e.id, some)) is None:
        return None
    return run(and_(*(e.id.in_(ids) for ids in led_to)))


def _in_one(dialect: str, ids: Select[Any]) -> Select[Any]:
    """SELECT of how many ids there are, and of all of them as one value: thousands of rows would be dear."""
    listed = ids.subquery()
    (id,) = listed.c
    all_of_them = func.json_group_array(id) if dialect == "sqlite" else func.array_agg(id)
    return select(func.count(), all_of_them).select_from(listed).execution_options(policy=True)


def _is_among(dialect: str, id: Value, ids: Any) -> Clause:
    """`id IN (…)` for what `_in_one` gave.  One parameter, so that databases know the statement again."""
    if dialect == "sqlite":
        each = func.json_each(ids).table_valued("value")
        clause: Clause = id.in_(select(each.c.value).execution_options(policy=True))
        return clause
    # The planner is not shown how many: for thousands it would prepare them all before it takes the first.
    unseen = select(literal(ids, ARRAY(Integer))).scalar_subquery()
    return id == any_(sql_cast(unseen, ARRAY(Integer)))


def _weight(word: Word) -> int:
    """The longer, the rarer."""
    return len(word.text)


def _led_to(dialect: str, model: type[Base], word: Word) -> Select[Any]:
    """The ids of the records whose docs have the pieces of a word: all that hold it, and some that do not."""
    ways = ways_to(word)
    if dialect == "sqlite":
        ids = select(id_in(dialect, model)).where(fts.c[INDEX].op("MATCH")(match(ways)))
    else:
        has = (docs.c.pieces.op("@>")(literal(way, Pieces())) for way in ways)
        ids = select(id_in(dialect, model)).where(or_(*has))
    return ids.execution_options(policy=True)


def id_in(dialect: str, model: type[Base]) -> Value:
    """The id of a record of `model` in the index; that of no record where the doc is not about one."""
    if dialect != "sqlite":
        return docs.c.customer_id if model is Customer else docs.c.contact_id
    id: Value = fts.c.rowid.bitwise_rshift(BITS) if model is Customer else fts.c.rowid.bitwise_and(SPAN - 1)
    return id


def match(ways: Iterable[Iterable[str]]) -> str:
    """How FTS5 is asked for the docs that have all pieces of one of these."""
    return " OR ".join("({})".format(" ".join(f'"{piece}"' for piece in way)) for way in ways)


def ways_to(word: Word) -> list[tuple[str, ...]]:
    """Sets of pieces: whatever holds the word has all of one of them."""
    codes = [code_pieces(word.text), code_pieces(word.figures)]
    short = [[beginning(word.text)]] if len(word.text) == CODE - 1 else []
    ways = (tuple(dict.fromkeys(pieces))[:MOST_PIECES] for pieces in (name_pieces(word.text), *codes, *short))
    return list(dict.fromkeys(way for way in ways if way))
