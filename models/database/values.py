"""Prepared statements about many values, which are one parameter: a list of a thousand takes longer to write than to run."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import orjson
from sqlalchemy import ARRAY, Connection, String, bindparam, func, type_coerce
from sqlalchemy.orm import Session

from .bypass import Because
from .prepared import Prepared, Row

_GIVEN = "given_values"


class PreparedOfMany:
    """A statement over a row source with one column, `value`: numbers or texts that are given as one parameter."""

    def __init__(self, made: Callable[[Any, Any], Any], kind: Any, *, because: Because | None = None) -> None:
        """`made(source, value)` is the statement.  `kind`: the type of the values.  `because` as for `Prepared`."""
        self._made, self._kind, self._because = made, kind, because
        self._forms: dict[str, Prepared] = {}

    def rows(self, at: Session | Connection, values: Collection[Any], /, **given: Any) -> list[Row]:
        """Every row of the answer.  Without values there is none, and no statement."""
        if not values:
            return []
        dialect = (at.get_bind() if isinstance(at, Session) else at).dialect.name
        more: Mapping[str, Any] = {_GIVEN: orjson.dumps(list(values)).decode() if dialect == "sqlite" else list(values)}
        return self._form(dialect).rows(at, **given, **more)

    def _form(self, dialect: str) -> Prepared:
        if dialect not in self._forms:
            source = _in_json() if dialect == "sqlite" else self._in_array()
            value = type_coerce(source.c.value, self._kind)
            self._forms[dialect] = Prepared(self._made(source, value), because=self._because)
        return self._forms[dialect]

    def _in_array(self) -> Any:
        array = bindparam(_GIVEN, type_=ARRAY(self._kind))
        return func.unnest(array, type_=self._kind).table_valued("value").render_derived()


def _in_json() -> Any:
    return func.json_each(bindparam(_GIVEN, type_=String)).table_valued("value")
