"""For what has little to do with the database: on SQLite in every run, on PostgreSQL in the long one."""

import pytest

at_length_on_postgresql = pytest.mark.parametrize(
    "url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True
)
