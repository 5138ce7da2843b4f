"""A search inside the one statement that answers a list: the text is a parameter, and the statement serves every text.

The words come in one JSON value and are rows of the statement.  Whether a record says them is asked by the same rules as
everywhere (`resolvers/reading/search.py`); the index leads to the records by the word that the fewest docs may hold.  While these
are few the list is looked for among them; the statement says when they are not, and another form walks the list instead.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import (
    ARRAY,
    Integer,
    Select,
    String,
    Text,
    any_,
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

from models import Base
from models.search import INDEX

from ..runtime.viewer import Clause, Value, Viewer
from . import search
from .clauses import found, with_above
from .provenance import PlanMismatch, derive, plain
from .search import COVERED, docs, fts, id_in, in_turn, match, says_word, ways_to, words_of

_TEXT, _REACH, _CODE, _FIGURES, _WAYS = range(5)
"""Where the parts of a word are in its JSON: as names hold it, how far a number may begin with other characters, as numbers
and addresses hold it, as phones do (None: not at all), and from there on what is looked up in the index."""
_MOST_WAYS = 4
_ANYWHERE = 1_000_000


class Searches:
    """The searches of one statement on `dialect`.

    `walking`: lists are walked, since there is too much to look among; without it `too_many` says whether that is so.
    """

    def __init__(self, dialect: str, *, walking: bool = False) -> None:
        self.dialect, self.walking = dialect, walking
        self.too_many: list[Clause] = []

    def clause(self, viewer: Viewer, model: type[Base], text: str) -> Callable[[Any], Clause] | None:
        """What rows have to be for a text to find them; None where it finds all.  Raises Validation when it is too much."""
        if model not in COVERED:
            return lambda e: found(viewer, model, e, text)
        if not words_of(plain(text)):
            return None
        words = _Words(self.dialect, derive(text, partial(_written, self.dialect)))
        led = words.led_to(model)
        if self.walking:
            # Found once for the list and its number where an index leads to the docs themselves, which takes long.
            near: Any = led.subquery() if self.dialect == "sqlite" else led.cte()
            return lambda e: in_turn(self.dialect, e.id, select(near.c.id), words.said_by(viewer, model, e))
        some = led.limit(_one_too_many()).cte()
        is_too_many = select(func.count() > search.FEW).select_from(some).scalar_subquery()
        self.too_many.append(is_too_many)
        few = self._found(viewer, model, words, select(some.c.id).where(not_(is_too_many)))
        return lambda e: _is_among(self.dialect, e.id, select(few.c.id))

    def _found(self, viewer: Viewer, model: type[Base], words: "_Words", some: Select[Any]) -> Any:
        """Which of some records say all words, found out once for the rows of a list, their number and whatever else."""
        rows = model.__table__.alias()
        above, e = with_above(model, rows.c)
        source: Any = rows
        for table, on in above:
            source = source.join(table, on)
        is_one = _is_among(self.dialect, rows.c.id, some), viewer.rows(model, e), words.said_by(viewer, model, e)
        return select(rows.c.id).select_from(source).where(*is_one).cte()


def _one_too_many() -> Value:
    """Where counting stops.  Written out, since PostgreSQL plans badly for limits that it does not know."""
    return literal_column(str(search.FEW + 1))


def _is_among(dialect: str, id: Value, few: Select[Any]) -> Clause:
    if dialect == "sqlite":
        return id.in_(few)
    # In this form PostgreSQL takes them for few, and begins there.
    return id == any_(func.array(few.scalar_subquery(), type_=ARRAY(Integer)))


def _written(dialect: str, text: str) -> str:
    """The words of a text as the statement takes them.  Raises PlanMismatch where there are none: that is another statement."""
    words = words_of(text)
    if not words:
        raise PlanMismatch
    made = []
    for word in words:
        ways = ways_to(word)
        looked_up: list[str] = [match(ways)] if dialect == "sqlite" else [" ".join(way) for way in ways]
        looked_up += [""] * (_MOST_WAYS - len(looked_up))
        code = (_ANYWHERE, word.text) if word.is_code else (1, None)
        made.append([word.text, *code, word.figures or None, *looked_up])
    return json.dumps(made)


@dataclass(frozen=True)
class _Words:
    """The words of a search, as `_written` made them."""

    dialect: str
    value: str

    def said_by(self, viewer: Viewer, model: type[Base], e: Any) -> Clause:
        """Whether a record holds every word where the person may see it."""
        word = self.rows()
        unsaid = not_(says_word(viewer, model, e, _Word(self.dialect, word)))
        missing: Select[Any] = select(literal_column("1")).select_from(word).where(unsaid).correlate_except(word)
        return not_(exists(missing.execution_options(policy=True)))

    def led_to(self, model: type[Base]) -> Select[Any]:
        """The ids of the records whose docs have the pieces of the rarest word."""
        word = self.rows()
        ways = [_part(self.dialect, word, _WAYS + n) for n in range(1 if self.dialect == "sqlite" else _MOST_WAYS)]
        some = self._docs(ways).limit(_one_too_many()).correlate(word).subquery()
        rarity = select(func.count()).select_from(some).correlate(word).scalar_subquery()
        rarest = (
            select(*(way.label(f"way{n}") for n, way in enumerate(ways)))
            .order_by(rarity)
            .limit(literal_column("1"))
            .cte()
        )
        chosen: list[Any] = [select(way).scalar_subquery() for way in rarest.c]
        return self._docs(chosen).with_only_columns(id_in(self.dialect, model).label("id"))

    def rows(self) -> Any:
        """One row for each word."""
        if self.dialect == "sqlite":
            return func.json_each(literal(self.value)).table_valued("value")
        return func.jsonb_array_elements(cast(literal(self.value), JSONB)).table_valued("value")

    def _docs(self, ways: list[Any]) -> Select[Any]:
        one: Select[Any] = select(literal_column("1")).execution_options(policy=True)
        if self.dialect == "sqlite":
            (way,) = ways
            return one.select_from(fts).where(fts.c[INDEX].op("MATCH")(way))
        has = [docs.c.pieces.op("@>")(func.string_to_array(func.nullif(way, ""), " ")) for way in ways]
        return one.select_from(docs).where(or_(*has))


@dataclass(frozen=True)
class _Word:
    """A row that stands for a word; holds whatever `search.Word` holds."""

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
        }


def _part(dialect: str, word: Any, n: int) -> Value:
    if dialect == "sqlite":
        part: Value = func.json_extract(word.c.value, literal_column(f"'$[{n}]'"), type_=Text)
        return part
    return word.c.value.op("->>", return_type=String())(literal_column(str(n)))  # type: ignore[no-any-return]
