"""A compiled statement fills its parameters: in the order of the text, each value converted once, for every driver."""

from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect

from models import Customer, Event
from models.base import Utc
from models.database.compiled import CompiledStatement, Parameter, compile_statement
from tests.support.world import START

SQLITE: Dialect = sqlite.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own
PSYCOPG: Any = postgresql.psycopg.dialect()
ASYNCPG: Any = postgresql.asyncpg.dialect()
CUSTOMER: Any = Customer.__table__.c
TEXT_OF_START = "2026-11-24T08:00:00.000Z"


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        (SQLITE, ("Acme", 3, 4, TEXT_OF_START, TEXT_OF_START)),
        (ASYNCPG, ("Acme", START, 3, 4)),
        (PSYCOPG, {"name": "Acme", "now": START, "id_1_1": 3, "id_1_2": 4}),
    ],
)
def test_the_values_stand_where_the_text_of_each_driver_takes_them(dialect: Dialect, expected: Any) -> None:
    now = bindparam("now", type_=Utc())
    asked = select(CUSTOMER.id).where(
        CUSTOMER.name == bindparam("name"),
        CUSTOMER.id.in_([3, 4]),
        CUSTOMER.created_at < now,
        CUSTOMER.updated_at < now,
    )

    assert compile_statement(asked, dialect).values({"name": "Acme", "now": START, "more": "is left alone"}) == expected


def test_a_value_that_is_taken_twice_is_converted_once_and_a_constant_before_all() -> None:
    converted: list[str] = []

    def process(text: str) -> str:
        converted.append(text)
        return text.upper()

    parts = [
        ("a", None, process, "a"),
        ("b", "fixed", process, None),
        ("a", None, process, "a"),
        ("a", None, None, "a"),
    ]
    made = CompiledStatement("", [Parameter(*part) for part in parts])
    assert converted == ["fixed"]

    assert [made.values({"a": word}) for word in ("x", "y")] == [("X", "FIXED", "X", "x"), ("Y", "FIXED", "Y", "y")]
    assert converted == ["fixed", "x", "y"]


@pytest.mark.parametrize(
    "keys", [[], ["a"], [None], ["a", "b"], ["b", "a"], [None, "a"], ["a", None, "a"], [None, None]]
)
def test_every_order_of_constants_and_values(keys: list[str | None]) -> None:
    parameters = [Parameter(f"p{n}", n, None, key) for n, key in enumerate(keys)]
    given = {"a": "A", "b": "B"}
    expected = [n if key is None else given[key] for n, key in enumerate(keys)]

    assert CompiledStatement("", parameters).values(given) == tuple(expected)
    by_name = {f"p{n}": value for n, value in enumerate(expected)}
    assert CompiledStatement("", parameters, is_positional=False).values(given) == by_name


def test_a_missing_value_is_an_error_and_an_empty_one_is_none() -> None:
    made = compile_statement(insert(Event.__table__), SQLITE, ["at", "topic"])  # type: ignore[arg-type]  # it is a table

    assert made.values({"at": None, "topic": None}) == (None, None)
    with pytest.raises(KeyError):
        made.values({"at": START})
