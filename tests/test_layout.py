"""The house keeps its shape: layers, names, sizes, and who may write."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from millpond.clash import PACKAGES

ROOT = Path(__file__).resolve().parent.parent
LONGEST_FILE = 400
WRITES = re.compile(
    r"\.(add|add_all|delete|merge|flush|commit)\(|\bexecute\(\s*(sqlalchemy\.)?(insert|update|delete)\(|\b(insert|update|delete)\([A-Z]"
)
"""How a session or a statement changes something."""
DOORS = ("admin", "schema", "tasks")


def files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.timeout(170)
def test_the_layers_are_kept_and_use_cases_know_no_transport() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=160, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Contracts: 2 kept, 0 broken." in done.stdout


def test_every_package_says_in_one_sentence_what_lives_in_it() -> None:
    without = [
        path.relative_to(ROOT).as_posix()
        for path in files(*PACKAGES)
        if not (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0].endswith((".", ":"))
    ]

    assert without == []


def test_no_file_is_longer_than_one_can_see_whole() -> None:
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_bytes().splitlines()) for path in files(*PACKAGES)}

    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_door_writes() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number} {line.strip()}"
        for path in files(*DOORS)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if WRITES.search(line) and not re.search(r"\b(set|seen|found|names|reached|wanted)\b", line)
    ]

    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "db.add(row)",
        "session.execute(update(Customer).values(name='x'))",
        "connection.execute(insert(Customer), rows)",
        "db.delete(row)",
        "statement = delete(Customer)",
    ],
)
def test_what_counts_as_writing_is_found(line: str) -> None:
    assert WRITES.search(line)


def test_nothing_but_the_packages_and_their_files_is_shipped() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]

    assert sorted(wheel["packages"]) == sorted(PACKAGES)
    assert wheel["force-include"] == {
        "casbin_model.conf": "policies/casbin_model.conf",
        "migrations": "millpond/migrations",
    }


def test_the_locks_name_hashes_and_no_address() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        pins = re.findall(r"^[a-z0-9][a-z0-9._-]*==\S+", text, re.MULTILINE)
        assert len(pins) > 30
        assert "://" not in text
        assert text.count("--hash=sha256:") >= len(pins)
