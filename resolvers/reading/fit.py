"""How well a record fits a searched text, as expressions whose text is a parameter: one statement serves every text.

The steps are those of `ranking.py`; an exact phone or address is no step here, because little else holds all of it.
Only values that the viewer may see count.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import String, and_, bindparam, case, cast, false, func, literal_column, or_, true

from models import Base
from models.base import stored_columns, trait_of
from models.text import composed, glob_pattern, has_cases, like_pattern, name_key, number_key, regular_expression

from ..runtime.viewer import Clause, Value, Viewer
from .clauses import value
from .comparison import Alike
from .custom_search import custom_texts
from .ranking import Rank


def fit(viewer: Viewer, model: type[Base], e: Any) -> Value:
    """`Rank` of a record of `e`."""
    keys = [*_keys(viewer, model, e)]
    numbers = [and_(guard, column == _text("number_key")) for guard, column in keys if column.key == "number_key"]
    names = [(guard, column) for guard, column in keys if column.key != "number_key"]
    whole = [and_(guard, column == _text("name_key")) for guard, column in names]
    steps = (
        (numbers, Rank.EXACT),
        (whole, Rank.EQUAL),
        (_begins(keys), Rank.STARTS),
        ([holds(viewer, model, e)], Rank.CONTAINS),
    )
    return case(*((or_(false(), *ways), _sql(rank)) for ways, rank in steps), else_=_sql(Rank.ELSEWHERE))


def holds(viewer: Viewer, model: type[Base], e: Any) -> Clause:
    """Condition: a column in which lists of the model are searched holds the text."""
    patterns = [_text(name) for name in ("like", "glob", "regular")]
    columns = [value(viewer, model, e, key) for key in getattr(model, "search", ())]
    columns += custom_texts(viewer, model, e) if columns else []
    return or_(false(), *(Alike(column, *patterns) for column in columns))


def of_others(viewer: Viewer, model: type[Base], e: Any) -> Value:
    """0 for the viewer's own records, 1 for all others."""
    if "owner_id" not in model.__table__.c:
        return literal_column("1")
    return case(
        (viewer.value(model, e, "owner_id") == viewer.person.id, literal_column("0")), else_=literal_column("1")
    )


def parameters(text: str) -> dict[str, str]:
    """The values that these expressions take for a text."""
    text = composed(text)
    glob, regular = (f"*{glob_pattern(text)}*", regular_expression(text)) if has_cases(text) else ("", "")
    return {
        "number_key": number_key(text),
        "name_key": name_key(text),
        "like": f"%{like_pattern(text)}%",
        "glob": glob,
        "regular": regular,
    }


def _begins(keys: list[tuple[Clause, Value]]) -> list[Clause]:
    found = []
    for guard, column in keys:
        start = _text("number_key" if column.key == "number_key" else "name_key")
        found.append(and_(guard, func.substr(column, 1, func.length(start)) == start))
    return found


def _keys(viewer: Viewer, model: type[Base], e: Any) -> Iterator[tuple[Clause, Value]]:
    """(guard, column) of the forms in which numbers and names of the model are compared."""
    for column in stored_columns(model):
        of = trait_of(column).key_of
        if column.key == "number_key" or (trait_of(column).sorts and trait_of(column).by is name_key):
            guard = viewer.guard(model, str(of), e)
            yield true() if guard is None else guard, getattr(e, column.key)


def _text(name: str) -> Value:
    return cast(bindparam(name, type_=String()), String)


def _sql(rank: Rank) -> Value:
    return literal_column(str(rank.value))
