"""The command line's door: the same list, rights and log, with or without people who look."""

import json
import stat
from pathlib import Path

import pytest

from models import AuditEntry, Export
from tests.support.exporting import csv_rows, xlsx_rows
from tests.support.terminal import millpond, told
from tests.support.world import World


def test_a_list_is_written_with_the_rights_of_the_person(world: World, tmp_path: Path) -> None:
    world.customer("Acme", "li", stage="early")
    world.customer("Far", "mei", stage="early")
    world.customer("Beta", "li", stage="won")
    file, url = tmp_path / "mine.csv", world.backend.url
    words = ("export", "customers", str(file), "--as", "lead", "--columns", "name,stage")
    condition = ("--filter", '{"stage": {"in": ["early"]}}')

    assert told(millpond(url, *words, *condition)) == (0, "", f"{file} holds 1 rows.\n")
    assert csv_rows(file) == [["Name", "Customer stage"], ["Acme", "Early"]]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry["action"] for entry in world.log("export")] == [
        "customer.export",
        "user.download",
        "user.drop_export",
    ]
    assert world.log("export")[0]["door"] == "command line"
    assert world.rows(Export) == []


def test_programs_get_json_and_a_workbook(world: World, tmp_path: Path) -> None:
    world.customer("Acme", "li")
    file = tmp_path / "all.xlsx"
    answer = millpond(world.backend.url, "export", "Customer", str(file), "--as", "lead", "--columns", "name", "--json")
    assert answer.exit_code == 0
    found = json.loads(answer.stdout)
    assert found == {"file": str(file), "rows": 1, "bytes": file.stat().st_size, "columns": ["name"], "filter": ""}
    assert xlsx_rows(file) == [["Name"], ["Acme"]]
    assert world.count(AuditEntry, AuditEntry.action == "customer.export") == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("engines", "x.csv"), "There is nothing called “engines”"),
        (("customers", "x.pdf"), "Call the file .xlsx or .csv"),
        (("customers", "x.csv", "--filter", "{"), "--filter is no JSON."),
        (("customers", "x.csv", "--columns", "salt"), "A file has no column “salt”."),
        (("customers", "there.csv"), "is there already; --force writes over it."),
        (("customers", "none/x.csv"), "There is no folder"),
        (("log", "x.csv"), "Your roles do not allow"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_leaves_no_file(
    world: World, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "there.csv").write_text("kept")
    kind, file, *more = words
    answer = millpond(world.backend.url, "export", kind, str(tmp_path / file), "--as", "lead", *more)
    assert answer.exit_code == 1
    assert sentence in answer.stderr
    assert [path.name for path in tmp_path.iterdir() if path.suffix in (".csv", ".pdf")] == ["there.csv"]
    assert (tmp_path / "there.csv").read_text() == "kept"
    assert world.rows(Export) == []
