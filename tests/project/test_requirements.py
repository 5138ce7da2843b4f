"""Every promise is listed once, and what is said to be kept names tests that exist."""

import ast
import csv
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]
ROWS = list(csv.DictReader((HERE / "requirements.csv").read_text(encoding="utf-8").splitlines()))
STATES = {"open", "part", "done"}
"""part: what the tests show is kept, and something of the promise is still to come."""


def test_every_promise_is_listed_once_in_a_known_state() -> None:
    ids = [row["id"] for row in ROWS]

    assert len(ids) == len(set(ids)) == 75
    assert {row["state"] for row in ROWS} <= STATES


@pytest.mark.parametrize("row", [row for row in ROWS if row["state"] != "open"], ids=lambda row: row["id"])
def test_a_kept_promise_names_tests_that_exist(row: dict[str, str]) -> None:
    named = row["tests"].split()

    assert named, "a promise without a test is none"
    for name in named:
        file, _, function = name.partition("::")
        assert function in functions_in(file), f"{file} has no {function}"


@cache
def functions_in(file: str) -> frozenset[str]:
    tree = ast.parse((HERE / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_an_open_promise_names_no_test() -> None:
    assert [row["id"] for row in ROWS if row["state"] == "open" and row["tests"]] == []
