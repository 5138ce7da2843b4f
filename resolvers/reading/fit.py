"""How well a record fits a searched text: first those whose number or name it is, then those that begin with it.

Within a tier the user's own records come first.  Only values that the user may see count.
"""

from functools import cached_property
from typing import Any

from sqlalchemy import and_, case, false, literal_column, or_

from models import Base
from models.base import stored_columns, trait_of
from models.text import composed

from ..runtime.viewer import Clause, Value, Viewer

EXACT, BEGINS, OTHER = range(3)


class Fit:
    """The fit of the records of `e` to a text, for one viewer."""

    def __init__(self, viewer: Viewer, model: type[Base], e: Any, text: str) -> None:
        self.viewer, self.model, self.e, self.text = viewer, model, e, composed(text).strip()

    @cached_property
    def exact(self) -> Clause:
        """Condition that an index serves: the text is the whole number or name of the record."""
        return or_(false(), *(and_(guard, column == key) for guard, column, key in self._keys()))

    @property
    def values(self) -> tuple[Value, ...]:
        """What to order by, in ascending order."""
        begins = or_(false(), *(and_(g, column.startswith(key, autoescape=True)) for g, column, key in self._keys()))
        return case((self.exact, EXACT), (begins, BEGINS), else_=OTHER), self._of_others()

    @property
    def columns(self) -> tuple[Value, ...]:
        return tuple(value.label(name) for name, value in zip(("tier", "of_others"), self.values, strict=True))

    def order(self, c: Any) -> tuple[Value, ...]:
        """The same order over a subquery with `columns`."""
        return c.tier, c.of_others

    def _keys(self) -> list[tuple[Clause, Value, str]]:
        """(guard, column of what is compared, the text in that form) of the numbers and names that are searched."""
        found = []
        for column in stored_columns(self.model):
            trait = trait_of(column)
            if (
                trait.by is not None
                and trait.key_of in getattr(self.model, "search", ())
                and column.key != "number_order"
            ):
                guard = self.viewer.guard(self.model, str(trait.key_of), self.e)
                key = trait.by(self.text)
                found.append((literal_column("1=1") if guard is None else guard, getattr(self.e, column.key), key))
        return found

    def _of_others(self) -> Value:
        if "owner_id" not in self.model.__table__.c:
            return literal_column("1")
        return case((self.viewer.value(self.model, self.e, "owner_id") == self.viewer.person.id, 0), else_=1)
