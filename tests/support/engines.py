"""A mark for tests that hardly depend on the database: SQLite in every run, PostgreSQL in the long one."""

import pytest

at_length_on_postgresql = pytest.mark.parametrize(
    "url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True
)
