"""Every fault that `bench/planted_faults.py` plants has one place in the code, wherever and however that is written."""

import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = next(folder for folder in Path(__file__).parents if (folder / "pyproject.toml").exists())
FAULTS = runpy.run_path(str(ROOT / "bench/faults.py"))["FAULTS"]
PLANT = runpy.run_path(str(ROOT / "bench/plant.py"))

SOURCE = """
LIMITS = {"small": 1, "large": (2, 3)}

class Pool:
    def claim(self, rows):
        if self.is_open and rows:
            # the check that matters
            rows.take(
                self.limit, *self.others,
                at_most=3)
            return rows

def claim(rows):
    async def inner(row):
        return await row
    rows.clear()
    rows.clear()
    return rows
"""


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_finds_one_place_and_leaves_a_module_that_compiles(fault: Any) -> None:
    file = PLANT["file_of"](fault.where, ROOT)
    source = file.read_text(encoding="utf-8")

    changed = PLANT["plant"](source, fault.where, fault.right, fault.wrong)

    assert changed != PLANT["plant"](source, fault.where, fault.right, fault.right)
    compile(changed, str(file), "exec")


def test_faults_differ_and_name_tests_that_exist() -> None:
    files = {name: list((ROOT / "tests").rglob(name)) for fault in FAULTS for name in fault.tests}

    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 33
    assert [name for name, found in files.items() if len(found) != 1] == []
    assert [fault.name for fault in FAULTS if not fault.tests] == []


@pytest.mark.parametrize(
    ("where", "right", "wrong", "found"),
    [
        ("x:Pool.claim", "self.is_open", "", "if rows:"),
        ("x:Pool.claim", "self.limit", "0", "rows.take(0, *self.others, at_most=3)"),
        ("x:Pool.claim", "*self.others", "", "rows.take(self.limit, at_most=3)"),
        ("x:Pool.claim", "at_most=3", "at_most=4", "rows.take(self.limit, *self.others, at_most=4)"),
        ("x:Pool.claim", "rows.take(self.limit, *self.others, at_most=3)", "pass", "pass\n            return rows"),
        ("x:Pool.claim", "return rows", "return None", "return None"),
        ("x:Pool", "self.limit", "0", "rows.take(0,"),
        ("x:claim.inner", "await row", "row", "return row\n"),
        ("x:LIMITS", "(2, 3)", "(2,)", "LIMITS = {'small': 1, 'large': (2,)}"),
        ("x:LIMITS", "2", "", "'large': (3,)"),
    ],
)
def test_a_place_is_found_by_its_syntax(where: str, right: str, wrong: str, found: str) -> None:
    assert found in PLANT["plant"](SOURCE, where, right, wrong)


@pytest.mark.parametrize(
    ("where", "right", "sentence"),
    [
        ("x:Pool.claim", "self.is_closed", "“self.is_closed” stands 0 times in x:Pool.claim"),
        ("x:claim", "rows.clear()", "“rows.clear()” stands 2 times in x:claim"),
        ("x:release", "rows", "x:release is defined 0 times"),
        ("x:Pool.claim", "rows.take", "the func of a Call cannot be left out"),
    ],
)
def test_a_fault_without_its_one_place_is_refused(where: str, right: str, sentence: str) -> None:
    with pytest.raises(LookupError) as refused:
        PLANT["plant"](SOURCE, where, right, "")

    assert str(refused.value) == sentence


def test_two_functions_of_one_name_are_refused() -> None:
    with pytest.raises(LookupError, match="x:claim is defined 2 times"):
        PLANT["plant"](SOURCE + "if LIMITS:\n    def claim(rows): return 1\n", "x:claim", "rows", "")


def test_a_module_is_a_file_or_a_package() -> None:
    assert PLANT["file_of"]("models.flush:_write", ROOT) == ROOT / "models/flush.py"
    assert PLANT["file_of"]("schema.plan:f", ROOT) == ROOT / "schema/plan/__init__.py"
