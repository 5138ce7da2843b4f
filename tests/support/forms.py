"""Which form a test belongs to: the short one (`make test`), the long one (`make check`), or none but `make sweep`."""

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.engines import is_at_length_on_postgresql

SHORT = {"postgresql": 0, "sqlite": 3}
"""How many cases of a table run in the short form; the others in the long one."""
SWEPT = {"postgresql": 1, "sqlite": 3}
"""How many cases of a table of `panel/sweep` run in the long form."""
LENGTHY, VERY = 0.35, 1.0
"""Seconds of processor time from which a test is lengthy: the short form takes one case of it, and of a very lengthy one none."""
MEASURED = Path(__file__).parent / "lengthy.txt"
"""The tests that are lengthy, each with the seconds of its longest case; `tests/support/times.py` writes it."""
IS_THOROUGH = bool(os.environ.get("MILLPOND_THOROUGH"))
"""Whether this is `make sweep`, which leaves nothing out."""


def assign(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """Mark what belongs to the long form or to the sweep; returns the cases that only `make sweep` runs.

    The long form takes the first cases of a sampled table on SQLite and the last ones on PostgreSQL, so that between
    them as many of its roles, seeds or pages as possible have their turn.
    """
    lengthy = measured()
    tables = defaultdict(list)
    left_out: set[pytest.Item] = set()
    for item in items:
        if engine_of(item) == "postgresql" and is_at_length_on_postgresql(item.path):
            item.add_marker(pytest.mark.long)
        tables[item.nodeid.partition("[")[0], engine_of(item)].append(item)
    for (name, engine), cases in tables.items():
        for case in cases[_few(cases, engine, lengthy.get(name, 0)) :]:
            case.add_marker(pytest.mark.long)
        some = _sample(cases[0])
        if some is not None:
            for case in cases:
                case.add_marker(pytest.mark.sampled)
            left_out.update(cases[some[engine] :] if engine == "sqlite" else cases[: len(cases) - some[engine]])
    return set() if IS_THOROUGH else left_out


def engine_of(item: pytest.Item) -> str:
    """The engine on which it runs; "sqlite" as well for what needs no database."""
    return "postgresql" if "postgresql" in _databases(item) else "sqlite"


def measured() -> dict[str, float]:
    """Seconds of the longest case of each lengthy test, by its id without parameters."""
    lines = (line.split() for line in MEASURED.read_text(encoding="utf-8").splitlines())
    return {name: float(seconds) for name, seconds in lines}


def _few(cases: list[pytest.Item], engine: str, seconds: float) -> int:
    """How many of them the short form takes."""
    if cases[0].get_closest_marker("short") is not None:
        return SHORT["sqlite"] if engine == "sqlite" else 0
    if seconds > LENGTHY:
        return 0 if seconds > VERY or engine == "postgresql" else 1
    is_table = any(_parameters(case).keys() - _NAMES and _databases(case) for case in cases)
    return SHORT[engine] if is_table else len(cases)


def _sample(case: pytest.Item) -> dict[str, int] | None:
    """How many cases of its table the long form takes on each engine; None: all."""
    mark = case.get_closest_marker("sampled")
    if mark is not None and mark.kwargs:
        return dict(mark.kwargs)
    is_table = bool(_parameters(case).keys() - _NAMES and _databases(case))
    return SWEPT if is_table and case.path.parent.name.endswith("sweep") else None


_NAMES = {"url", "empty_url", "new_url"}
"""The parameters that say on which database a test runs."""


def _parameters(item: pytest.Item) -> dict[str, object]:
    return dict(getattr(getattr(item, "callspec", None), "params", {}))


def _databases(item: pytest.Item) -> set[object]:
    parameters = _parameters(item)
    return {parameters[name] for name in _NAMES & parameters.keys()}
