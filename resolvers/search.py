"""The search box: which records the words lead to, for this person, and whether the index agrees with the records.

A customer is found by its number, name, phone and e-mail, and by the names, phones and addresses of its contacts; a
contact by its own.  Every word must be found, each anywhere in the record.  Names are found by any part, numbers,
phones and addresses by any three characters, numbers also by how they begin.  A value leads only to whom may see it.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
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
    Doc,
    Pieces,
    beginning,
    clearing_rules,
    code_pieces,
    fold,
    index_rules,
    name_pieces,
    of_contacts,
    of_customers,
)
from policies.words import Hanging, Rows

from .find import Clause, Look, Value, beside, found, in_bin, search_text, visible
from .scope import Scope

MOST_WORDS = 16
MOST_PIECES = 12
"""So many pieces of a word are looked up; what they leave is compared with the text in any case."""
COVERED: tuple[type[Base], ...] = (Customer, Contact)
"""The models whose lists search by the index."""

_doc = cast("Table", SearchDoc.__table__)
_index = table(INDEX, column("rowid", BigInteger), column(INDEX))

# --- what was typed --------------------------------------------------------------------------------------

_PHONE = re.compile(r"[\d+(][\d ()./–-]*")
_OUR_CODE = re.compile(r"\A\+86[ -]?(?=\d)")
_SPLIT_PHONE = 7
"""Figures and spaces with so many figures in them are one phone number and no words."""


@dataclass(frozen=True)
class Word:
    """One word as names, numbers and addresses may hold it, and the run of figures by which phones may."""

    text: str
    figures: str


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


def says(look: Look, model: type[Base], e: Any, words: Iterable[Word]) -> Clause:
    """Whether a record of `model` holds every word where this person may see it.  Exact, and asked row by row."""
    says_word = _customer_says if model is Customer else _contact_says
    return and_(*(says_word(look, e, word) for word in words))


@lru_cache(maxsize=64)
def _says_beside(look: Look, model: type[Base], words: tuple[Word, ...]) -> Clause:
    """`says` in terms of `beside`, made once for each request."""
    return says(look, model, beside(model)[1], words)


def _customer_says(look: Look, e: Any, word: Word) -> Clause:
    doc, contact = _doc.alias(), cast("Table", Contact.__table__).alias()
    person = Hanging(contact.c, Rows(Customer, e))
    shown = and_(look.rows(Contact, person), in_bin(Contact, contact.c, wanted=False))
    by_itself = and_(doc.c.contact_id.is_(None), _holds(look, Customer, e, doc.c, word))
    by_contact = and_(contact.c.id.is_not(None), shown, _holds(look, Contact, person, doc.c, word))
    found = _one().select_from(doc.outerjoin(contact, contact.c.id == doc.c.contact_id))
    found = found.where(
        doc.c.id >= _place(e.id), doc.c.id < _place(e.id + 1), or_(*_ways_to_hold(doc.c, word).values())
    )
    return _there_is(found.where(or_(by_itself, by_contact)))


def _contact_says(look: Look, e: Any, word: Word) -> Clause:
    doc = _doc.alias()
    return _there_is(_one().where(doc.c.id == _place(e.customer_id) + e.id, _holds(look, Contact, e, doc.c, word)))


def _there_is(one: Select[Any]) -> Clause:
    """EXISTS in a form that PostgreSQL answers row by row: it thinks little of looking into all docs beforehand."""
    return one.limit(1).scalar_subquery().is_not(None)


def _one() -> Select[Any]:
    return select(literal(1)).execution_options(policy=True)


def _place(customer_id: Any) -> Value:
    """The id of a customer's doc, with which those of its contacts begin."""
    at: Value = customer_id * literal(SPAN, BigInteger)
    return at


def _holds(look: Look, model: type[Base], e: Any, doc: Any, word: Word) -> Clause:
    """Whether a doc holds the word in a field that may be seen in its record `e`."""
    fields = _FIELDS[model]
    guards = {key: look.policy.guard(look.person, model, field, e) for key, field in fields.items()}
    ways = ((guards[key], way) for key, way in _ways_to_hold(doc, word).items() if key in fields)
    return or_(*(way if guard is None else and_(way, guard) for guard, way in ways))


_FIELDS: dict[type[Base], dict[str, str]] = {
    Customer: {"name": "name", "number": "number", "phones": "phone", "addresses": "email"},
    Contact: {"name": "name", "phones": "points", "addresses": "points"},
}
"""Column of a doc -> the field, as policy lines call it, that it repeats."""


def _ways_to_hold(doc: Any, word: Word) -> dict[str, Clause]:
    """Column of a doc -> whether it holds the word."""
    is_code = len(word.text) >= CODE
    number = doc.number.contains if is_code else doc.number.startswith
    ways = {"name": doc.name.contains(word.text, autoescape=True), "number": number(word.text, autoescape=True)}
    if is_code:
        ways["addresses"] = doc.addresses.contains(word.text, autoescape=True)
    if word.figures:
        ways["phones"] = doc.phones.contains(word.figures)
    return ways


# --- by the index ----------------------------------------------------------------------------------------

FEW = 5_000
"""A word that no more docs than this may hold is rare: all of them are looked at."""


@dataclass(frozen=True)
class Finding:
    """What the rows of a list have to be for a text to find them, in terms of `beside`, and how many there are.

    `count` is at most one above the limit; None where the model has no index and they have to be counted.  With
    `further` there are many.  It means the same as `clause`, begins slowly, and passes quickly by what does not fit.
    """

    clause: Clause
    count: int | None = None
    further: Clause | None = None


def find(scope: Scope, db: Session, model: type[Base], text: str, among: Sequence[Clause], limit: int) -> Finding:
    """What the search box of a list finds.  `among` are the other conditions of the list."""
    look, e, words = scope.look, beside(model)[1], words_of(text)
    if model not in COVERED:
        return Finding(found(look, model, e, text))
    if not words:
        return Finding(true())
    ids = candidates(scope, db, model, text, limit, among)
    if ids is not None:
        some = json.dumps(ids) if scope.house.dialect == "sqlite" else ids
        return Finding(_is_among(scope.house.dialect, e.id, some), len(ids))
    clause = _says_beside(look, model, tuple(words))
    near = (e.id + 0).in_(_led_to(scope.house.dialect, model, max(words, key=_weight)))
    # PostgreSQL asks in the order that it likes, unless told with CASE; for SQLite that would be twice the work.
    in_turn = and_(near, clause) if scope.house.dialect == "sqlite" else case((near, clause), else_=false())
    return Finding(clause, limit + 1, in_turn)


def candidates(
    scope: Scope, db: Session, model: type[Base], text: str, limit: int = 1000, among: Sequence[Clause] = ()
) -> list[int] | None:
    """The ids of the records of `model` that the text finds for this person; None when there are more than `limit`.

    `among` narrows them down to those of a list.  In no order.  Two small queries for a word that is rare; a third,
    larger one for words that are everywhere and of which this person sees little.
    """
    words, dialect = words_of(text), scope.house.dialect
    if not words:
        return None
    look, e = scope.look, beside(model)[1]
    asked = visible(look, model, e.id).where(_says_beside(look, model, tuple(words)), *among).limit(limit + 1)

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
    ways = _ways(word)
    if dialect == "sqlite":
        id = _index.c.rowid.bitwise_rshift(BITS) if model is Customer else _index.c.rowid.bitwise_and(SPAN - 1)
        ids = select(id).where(_index.c[INDEX].op("MATCH")(" OR ".join(map(_match, ways))))
    else:
        has = (_doc.c.pieces.op("@>")(literal(way, Pieces())) for way in ways)
        ids = select(_doc.c.customer_id if model is Customer else _doc.c.contact_id).where(or_(*has))
    return ids.execution_options(policy=True)


def _match(pieces: Iterable[str]) -> str:
    """How FTS5 is asked for the docs that have all of these."""
    return "({})".format(" ".join(f'"{piece}"' for piece in pieces))


def _ways(word: Word) -> list[tuple[str, ...]]:
    """Sets of pieces: whatever holds the word has all of one of them."""
    codes = [code_pieces(word.text), code_pieces(word.figures)]
    short = [[beginning(word.text)]] if len(word.text) == CODE - 1 else []
    ways = (tuple(dict.fromkeys(pieces))[:MOST_PIECES] for pieces in (name_pieces(word.text), *codes, *short))
    return list(dict.fromkeys(way for way in ways if way))


# --- the whole index -------------------------------------------------------------------------------------

CHUNK = 1_000
"""So many customers are taken at once, with their contacts."""
MOST_CHUNKS = 10
"""So many chunks are compared with the records; of more, as many spread over all."""


def rebuild(connection: Connection) -> int:
    """Write every doc anew from the records, in the transaction of the caller; gives their number.

    Nobody else searches, or changes customers and contacts, meanwhile.
    """
    dialect, count = connection.dialect.name, 0
    for line in clearing_rules(dialect):
        connection.exec_driver_sql(line)
    for first in _firsts(connection):
        made = list(_records(connection, first))
        if made:
            _put(connection, made)
        count += len(made)
    for line in index_rules(dialect):
        connection.exec_driver_sql(line)
    return count


def _put(connection: Connection, made: Sequence[Doc]) -> None:
    """Insert docs as the driver does it fastest, without what SQLAlchemy does for each row."""
    keys = ", ".join(_doc.c.keys())
    if connection.dialect.name == "sqlite":
        rows = [(*values, " ".join(pieces)) for *values, pieces in (doc.values() for doc in made)]
        places = ", ".join("?" * len(_doc.c))
        connection.exec_driver_sql(f"INSERT INTO search_doc ({keys}) VALUES ({places})", rows)  # noqa: S608  our own names
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor().copy(f"COPY search_doc ({keys}) FROM STDIN") as copy:
        for *values, pieces in (doc.values() for doc in made):
            copy.write_row((*values, f"{{{','.join(pieces)}}}"))  # no piece has a sign that an array would want quoted


def check(connection: Connection) -> Iterator[str]:
    """One sentence for each record whose doc says something else, or that the index does not lead to.

    Compares the docs of 10,000 customers, and the number of all.
    """
    c, t = Customer.__table__.c, Contact.__table__.c
    numbers = (select(func.count()).select_from(column.table) for column in (c.id, t.id, _doc.c.id))
    customers, contacts, docs = (connection.execute(number).scalar_one() for number in numbers)
    if docs != customers + contacts:
        yield f"There are {customers + contacts:,} customers and contacts, but {docs:,} in the search index: run millpond reindex."
    firsts = list(_firsts(connection))
    for first in firsts[:: -(-len(firsts) // MOST_CHUNKS) or 1]:
        kept = {doc["id"]: dict(doc) for doc in _kept(connection, first)}
        made = {doc["id"]: {**doc, "pieces": tuple(doc["pieces"])} for doc in _records(connection, first)}
        wrong = {id for id in made.keys() | kept.keys() if made.get(id) != kept.get(id)}
        lost = (id for id in [*made][:: len(made) - 1 or 1] if not _is_led_to(connection, made[id]))
        for customer_id in sorted({id // SPAN for id in (*wrong, *lost)}):
            yield f"Customer {_number(connection, customer_id)} is found by something else than it says: run millpond reindex."


def _firsts(connection: Connection) -> range:
    """With which id of a customer each chunk begins."""
    last = connection.execute(select(func.max(Customer.__table__.c.id))).scalar() or 0
    return range(1, last + 1, CHUNK)


def _records(connection: Connection, first: int) -> Iterator[Doc]:
    """The docs of a chunk as the records have it."""
    last = first + CHUNK - 1
    yield from of_customers(connection, Customer.__table__.c.id.between(first, last))
    yield from of_contacts(connection, Contact.__table__.c.customer_id.between(first, last))


def _kept(connection: Connection, first: int) -> Iterable[Any]:
    """The docs of a chunk as they are."""
    here = _doc.c.id.between(first * SPAN, (first + CHUNK) * SPAN - 1)
    return connection.execute(select(_doc).where(here)).mappings()


def _is_led_to(connection: Connection, doc: Doc) -> bool:
    """Whether the index of SQLite knows a doc by its pieces; PostgreSQL looks after its own."""
    if connection.dialect.name != "sqlite":
        return True
    known = select(_index.c.rowid).where(_index.c[INDEX].op("MATCH")(_match(doc["pieces"][:MOST_PIECES])))
    return connection.execute(known.where(_index.c.rowid == doc["id"])).first() is not None


def _number(connection: Connection, customer_id: int) -> str:
    number = select(Customer.__table__.c.number).where(Customer.__table__.c.id == customer_id)
    return connection.execute(number).scalar() or f"with the id {customer_id}, which is gone,"
