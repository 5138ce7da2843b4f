"""The statement that reads the best hits of every kind: compiled once for a user, with the text and the ids as parameters."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    Integer,
    Select,
    String,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.engine import Dialect

from models import Base, Contact, Customer, Entity
from models.base import Utc
from models.database.compiled import CompiledStatement, compile_statement

from ..runtime.viewer import Clause, Value, Viewer
from .clauses import in_bin, join_parents, value, visible, with_parents
from .fit import fit, holds, of_others
from .found_ids import CONTACTS, CUSTOMERS, NAMED
from .order import order_of, order_value
from .pages import display_column, target_of, title_of
from .search import ABOUT_CUSTOMERS, COVERED

LONGEST_TITLE = 120
"""Maximum length of a title: a follow-up is called by its text."""
MOST_BESIDE = 3
"""Maximum number of texts beside a title."""
_IDS: dict[type[Base], str] = {Customer: CUSTOMERS, Contact: CONTACTS}


@dataclass(frozen=True)
class Bounds:
    """Maximum number of hits of a kind, and of records that are counted."""

    hits: int
    counted: int


@lru_cache(maxsize=256)
def statement_for(
    viewer: Viewer, kinds: tuple[type[Entity], ...], bounds: Bounds, dialect: Dialect
) -> CompiledStatement:
    """Rows (kind by its place in `kinds`, place, id, fit, count, is partial, title, texts beside …) of all hits.

    Cached: it takes longer to write than to run.
    """
    parts = [_Kind(viewer, model, n, bounds, dialect.name).hits() for n, model in enumerate(kinds)]
    return compile_statement(union_all(*(select(part.subquery()) for part in parts)), dialect)


class _Kind:
    """The part of one kind."""

    def __init__(self, viewer: Viewer, model: type[Entity], place: int, bounds: Bounds, dialect: str) -> None:
        self.viewer, self.model, self.place, self.bounds, self.dialect = viewer, model, place, bounds, dialect
        self.e = with_parents(model)[1]

    def hits(self) -> Select[Any]:
        """The best hits with all that is shown of them."""
        viewer, model, e = self.viewer.one_by_one, self.model, self.e
        some, is_partial = self._found()
        rank, listed = fit(viewer, model, e), self._listed(viewer)
        at = func.row_number().over(order_by=[rank, of_others(viewer, model, e), *listed]).label("at")
        ranked = visible(viewer, model, e.id, rank.label("fit"), at).where(e.id.in_(select(some.c.id))).subquery()
        best = select(ranked).order_by(ranked.c.at).limit(literal_column(str(self.bounds.hits))).subquery()
        count = select(func.count()).select_from(some).scalar_subquery()
        shown = visible(
            viewer,
            model,
            literal_column(str(self.place)).label("kind"),
            best.c.at,
            e.id,
            best.c.fit,
            count.label("count"),
            is_partial.label("partial"),
            _title(viewer, model, e).label("title"),
            *self._beside(viewer),
        )
        return shown.join(best, best.c.id == e.id)

    def _found(self) -> tuple[Any, Value]:
        """(the ids of what is found, up to one more than are counted; 1 where more may be found than was searched)."""
        ways: list[Select[Any]] = []
        is_partial: Value = literal_column("0")
        if self.model in COVERED:
            ways.append(self._alive(self.viewer.one_by_one).where(self._is_among(self.e.id, _IDS[self.model])))
        else:
            searched = self._alive(self.viewer.one_by_one).where(holds(self.viewer.one_by_one, self.model, self.e))
            if self.model.searched_days is not None:
                searched = searched.where(
                    getattr(self.e, self.model.order.lstrip("-")) >= bindparam(self.model.__tablename__, type_=Utc())
                )
                is_partial = literal_column("1")
            ways.append(searched)
        if self.model in ABOUT_CUSTOMERS:
            ways.append(self._alive(self.viewer.one_by_one).where(self._is_among(self.e.customer_id, NAMED)))
        limit: Value = literal_column(str(self.bounds.counted))
        limited = [select(way.limit(limit).subquery()) for way in ways]
        either = limited[0] if len(limited) == 1 else limited[0].union(*limited[1:])
        return select(either.subquery()).limit(limit).cte(), is_partial

    def _alive(self, viewer: Viewer) -> Select[Any]:
        return visible(viewer, self.model, self.e.id).where(in_bin(self.model, self.e, wanted=False))

    def _is_among(self, column: Value, name: str) -> Clause:
        if self.dialect == "sqlite":
            each = func.json_each(bindparam(name, type_=String())).table_valued("value")
            clause: Clause = column.in_(select(each.c.value).execution_options(policy=True))
            return clause
        return column == any_(cast(bindparam(name, type_=ARRAY(Integer)), ARRAY(Integer)))

    def _listed(self, viewer: Viewer) -> list[Value]:
        keys = order_of(viewer, self.model, ())
        return [key.order(order_value(viewer, self.model, self.e, key.name)) for key in keys]

    def _beside(self, viewer: Viewer) -> list[Value]:
        """MOST_BESIDE texts: columns of the record, and names of the records to which it refers."""
        texts = [self._said(viewer, key) for key in self.model.beside[:MOST_BESIDE]]
        texts += [cast(null(), String)] * (MOST_BESIDE - len(texts))
        return [text.label(f"beside{n}") for n, text in enumerate(texts)]

    def _said(self, viewer: Viewer, key: str) -> Value:
        stored, target = value(viewer, self.model, self.e, key), target_of(self.model, key)
        if target is None:
            return cast(stored, String)
        whose = target.__table__.alias()
        above, e = join_parents(target, whose.c)
        source: Any = whose
        for parent, on in above:
            source = source.outerjoin(parent, on)
        named = (
            select(title_of(viewer, target, e)).select_from(source).where(whose.c.id == stored, viewer.rows(target, e))
        )
        return (
            named.correlate_except(whose, *(parent for parent, _on in above))
            .execution_options(policy=True)
            .scalar_subquery()
        )


def _title(viewer: Viewer, model: type[Entity], e: Any) -> Value:
    """The name of a record, or the beginning of its text where it has no name."""
    if display_column(model) != "id":
        return title_of(viewer, model, e)
    return func.substr(value(viewer, model, e, model.search[0]), 1, LONGEST_TITLE)
