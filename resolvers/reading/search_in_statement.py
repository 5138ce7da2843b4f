"""Search inside the one statement that answers a list: the text is a parameter, so one cached plan serves every text.

The words come as one JSON value and become rows of the statement.  The rules of `search.py` decide whether a record
holds them.  The index finds records by the word that the fewest docs hold.  Where these are few, the list is filtered
to them; where they are many, the statement says so, and a second form of it walks the list instead.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from sqlalchemy import (
    ARRAY,
    Integer,
    Select,
    String,
    Text,
    any_,
    case,
    cast,
    exists,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from models import Base, Customer
from models.custom_field import CustomKind
from models.search_customs import NUMBERS, in_json

from ..runtime.viewer import Clause, Value, Viewer
from . import search_lookup
from .clauses import join_parents, search_clause
from .provenance import PlanMismatch, map_traced, untraced
from .search import ABOUT_CUSTOMERS, COVERED
from .search_conditions import is_about, says_word
from .search_lookup import density, ids_led_to, in_turn, led_to, query_of
from .search_words import Searchable, words_of

_TEXT, _REACH, _CODE, _FIGURES, _QUERY, _SPELLED, _IN_JSON = range(7)
"""Places of the parts of a word in its JSON: text for names; last position in a number where it may begin; text for
numbers and addresses; digits for phones (None: not searched); query for the index; a list of what it spells in pinyin;
text for the JSON of custom fields."""
_ANYWHERE = 1_000_000


class Searches:
    """The searches of one statement on `dialect`.

    `walking`: the form that walks the list.  In the other form `too_many` has, per search, the condition that more than
    FEW docs hold the rarest word.
    """

    def __init__(self, dialect: str, *, walking: bool = False) -> None:
        self.dialect, self.walking = dialect, walking
        self.too_many: list[Clause] = []

    def clause(self, viewer: Viewer, model: type[Base], text: str) -> Callable[[Any], Clause] | None:
        """Row source -> condition that the text finds its rows; None for a text without words.  Raises Validation."""
        if not words_of(untraced(text)) or model not in (*COVERED, *ABOUT_CUSTOMERS):
            return None if model in COVERED else lambda e: search_clause(viewer, model, e, text)
        words = _Words(self.dialect, map_traced(text, partial(_written, self.dialect)))
        own = self._by_index(viewer, words, _Itself(model)) if model in COVERED else None
        if own is not None and model not in ABOUT_CUSTOMERS:
            return own
        named = self._by_index(viewer, words, _ItsCustomer())
        return lambda e: or_(own(e) if own is not None else search_clause(viewer, model, e, text), named(e))

    def _by_index(self, viewer: Viewer, words: "_Words", by: "_Itself | _ItsCustomer") -> Callable[[Any], Clause]:
        """Row source -> condition that what `by` tests holds all words, for rows to which the index leads."""
        candidates = words.led_to(by.model)
        if self.walking:
            # A CTE on PostgreSQL, where the index lookup is slow: it runs once for the list and its count.
            near: Any = candidates.subquery() if self.dialect == "sqlite" else candidates.cte()
            is_dense = words.are_dense()
            return lambda e: in_turn(
                self.dialect, by.id(e), select(near.c.id), is_dense, words.said(by.says(viewer, e))
            )
        is_dense = words.are_dense()
        some = candidates.where(not_(is_dense)).limit(_one_too_many()).cte()
        is_too_many = or_(is_dense, select(func.count() > search_lookup.FEW).select_from(some).scalar_subquery())
        self.too_many.append(is_too_many)
        few = self._found(viewer, words, by, select(some.c.id).where(not_(is_too_many)))
        return lambda e: _is_among(self.dialect, by.id(e), select(few.c.id))

    def _found(self, viewer: Viewer, words: "_Words", by: "_Itself | _ItsCustomer", some: Select[Any]) -> Any:
        """CTE of the ids, among these, of records that hold all words: evaluated once for the list and its counts."""
        rows = by.model.__table__.alias()
        above, e = join_parents(by.model, rows.c)
        source: Any = rows
        for table, on in above:
            source = source.join(table, on)
        is_one = _is_among(self.dialect, rows.c.id, some), viewer.rows(by.model, e), words.said(by.found(viewer, e))
        return select(rows.c.id).select_from(source).where(*is_one).cte()


@dataclass(frozen=True)
class _Itself:
    """Finding records by their own words."""

    model: type[Base]

    def id(self, e: Any) -> Value:
        return e.id  # type: ignore[no-any-return]  # a column

    def found(self, viewer: Viewer, e: Any) -> Callable[[Searchable], Clause]:
        return partial(says_word, viewer, self.model, e)

    says = found


@dataclass(frozen=True)
class _ItsCustomer:
    """Finding what is about a customer by the number and the name of the customer."""

    model: type[Base] = Customer

    def id(self, e: Any) -> Value:
        return e.customer_id  # type: ignore[no-any-return]  # a column

    def found(self, viewer: Viewer, e: Any) -> Callable[[Searchable], Clause]:
        return partial(is_about, viewer, e.id)

    def says(self, viewer: Viewer, e: Any) -> Callable[[Searchable], Clause]:
        return partial(is_about, viewer, e.customer_id)


def _one_too_many() -> Value:
    """The limit at which counting stops, as a literal, because PostgreSQL plans badly for a parameter."""
    return literal_column(str(search_lookup.FEW + 1))


def _is_among(dialect: str, id: Value, few: Select[Any]) -> Clause:
    if dialect == "sqlite":
        return id.in_(few)
    # In this form PostgreSQL estimates few ids, and begins with them.
    return id == any_(func.array(few.scalar_subquery(), type_=ARRAY(Integer)))


def _written(dialect: str, text: str) -> str:
    """The words of a text as JSON for the statement.  Raises PlanMismatch for none, which needs another statement."""
    words = words_of(text)
    if not words:
        raise PlanMismatch
    made = []
    for word in words:
        code = (_ANYWHERE, word.text) if word.is_code else (1, None)
        query = query_of(dialect, word)
        made.append([word.text, *code, word.figures or None, query, word.spelled, in_json(word.text)])
    return json.dumps(made)


@dataclass(frozen=True)
class _Words:
    """The words of a search, as `_written` made them."""

    dialect: str
    value: str

    def said(self, holds: Callable[[Searchable], Clause]) -> Clause:
        """Condition: `holds` is true of every word."""
        word = self.rows()
        is_missing = not_(holds(_Word(self.dialect, word)))
        missing: Select[Any] = select(literal_column("1")).select_from(word).where(is_missing).correlate_except(word)
        return not_(exists(missing.execution_options(policy=True)))

    def led_to(self, model: type[Base]) -> Select[Any]:
        """SELECT of the ids of records whose docs have the pieces of the rarest word."""
        return ids_led_to(self.dialect, model, self._rarest)

    @cached_property
    def _rarest(self) -> Value:
        """The query for the rarest word."""
        word = self.rows()
        query = _query(self.dialect, word)
        some = led_to(self.dialect, query).limit(_one_too_many()).correlate(word).subquery()
        counted = select(func.count()).select_from(some).correlate(word).scalar_subquery()
        rarity = case((self._is_one, literal_column("0")), else_=counted)
        rarest = select(query.label("query")).select_from(word).order_by(rarity).limit(literal_column("1")).cte()
        return select(rarest.c.query).scalar_subquery()

    @property
    def _is_one(self) -> Clause:
        """Condition: there is no second word."""
        if self.dialect == "sqlite":
            return func.json_array_length(literal(self.value)) == literal_column("1")
        return func.jsonb_array_length(cast(literal(self.value), JSONB)) == literal_column("1")

    def are_dense(self) -> Clause:
        """Condition for `in_turn`: the rarest word is so frequent that the index is left out."""
        return select(self._density.c.found).scalar_subquery() >= search_lookup.DENSE

    @cached_property
    def _density(self) -> Any:
        """CTE of one row: the number of docs in the sample that hold the rarest word."""
        return select(density(self.dialect, self._rarest).label("found")).execution_options(policy=True).cte()

    def rows(self) -> Any:
        """A row source with one row per word."""
        if self.dialect == "sqlite":
            return func.json_each(literal(self.value)).table_valued("value")
        return func.jsonb_array_elements(cast(literal(self.value), JSONB)).table_valued("value")


@dataclass(frozen=True)
class _Word:
    """A row of the statement that holds a word; its conditions equal those of `search_words.Word`."""

    dialect: str
    row: Any

    def held_by(self, doc: Any) -> dict[str, Clause]:
        at = func.instr if self.dialect == "sqlite" else func.strpos
        text, code, figures = (_part(self.dialect, self.row, n) for n in (_TEXT, _CODE, _FIGURES))
        reach = cast(_part(self.dialect, self.row, _REACH), Integer)
        return {
            "name": at(doc.name, text) > 0,
            "number": at(doc.number, text).between(1, reach),
            "addresses": at(doc.addresses, code) > 0,
            "phones": at(doc.phones, figures) > 0,
            "sounds": self._is_spelled(doc.sounds),
        }

    def near(self, doc: Any) -> Clause:
        return or_(*(self._is_in(doc.customs, n) for n in (_IN_JSON, _FIGURES)))

    def held_in(self, kind: CustomKind, text: Any) -> Clause:
        if kind in NUMBERS:
            at = func.instr if self.dialect == "sqlite" else func.strpos
            reach = cast(_part(self.dialect, self.row, _REACH), Integer)
            begins: Clause = at(text, _part(self.dialect, self.row, _TEXT)).between(1, reach)
            return begins
        ways = (_TEXT, _FIGURES) if kind is CustomKind.PHONE else (_TEXT,)
        return or_(*(self._is_in(text, n) for n in ways))

    def _is_in(self, text: Any, n: int) -> Clause:
        at = func.instr if self.dialect == "sqlite" else func.strpos
        found: Clause = at(text, _part(self.dialect, self.row, n)) > 0
        return found

    def _is_spelled(self, sounds: Any) -> Clause:
        at = func.instr if self.dialect == "sqlite" else func.strpos
        listed = _part(self.dialect, self.row, _SPELLED)
        if self.dialect == "sqlite":
            each = func.json_each(listed).table_valued("value")
        else:
            each = func.jsonb_array_elements_text(cast(listed, JSONB)).table_valued("value")
        found: Select[Any] = select(literal_column("1")).select_from(each).where(at(sounds, each.c.value) > 0)
        return exists(found.correlate_except(each).execution_options(policy=True))


def _query(dialect: str, word: Any) -> Value:
    """The query for the index as `search_lookup.py` takes it."""
    part = _part(dialect, word, _QUERY)
    if dialect == "sqlite":
        return part
    each = func.jsonb_array_elements_text(cast(part, JSONB)).table_valued("value")
    return func.array(select(each.c.value).execution_options(policy=True).scalar_subquery(), type_=ARRAY(Text))


def _part(dialect: str, word: Any, n: int) -> Value:
    if dialect == "sqlite":
        part: Value = func.json_extract(word.c.value, literal_column(f"'$[{n}]'"), type_=Text)
        return part
    return word.c.value.op("->>", return_type=String())(literal_column(str(n)))  # type: ignore[no-any-return]
