"""The house keeps its shape: layers, names, sizes, and who may write."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from millpond.package_conflicts import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FILE = 300
CHANGING = {"add", "add_all", "delete", "merge", "flush", "commit"}
SESSIONS = {"db", "session", "connection", "unit"}
STATEMENTS = {"insert", "update", "delete", "text"}
DOORS = ("admin", "schema", "tasks")


def files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.timeout(170)
def test_the_layers_are_kept_and_use_cases_know_no_transport() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=160, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Contracts: 4 kept, 0 broken." in done.stdout


def test_every_package_says_in_one_sentence_what_lives_in_it() -> None:
    without = [
        path.relative_to(ROOT).as_posix()
        for path in files(*PACKAGES)
        if not (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")
        .split("\n")[0]
        .endswith((".", ":"))
    ]

    assert without == []


def test_no_file_is_longer_than_one_can_see_whole() -> None:
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_bytes().splitlines()) for path in files(*PACKAGES)}

    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


INTERNALS = "models/database/sqlalchemy_internals.py"
UNDOCUMENTED = {"active_history", "committed_state", "construct_expanded_state", "dispatch", "insert_prefetch"}
UNDOCUMENTED |= {"positiontup", "update_prefetch", "omit_attrs"}
"""What SQLAlchemy has without an underscore, and documents nowhere as ours to use."""


def test_what_sqlalchemy_keeps_to_itself_is_used_in_one_file() -> None:
    private = {
        name for name in names_in(ROOT / INTERNALS) if name in UNDOCUMENTED or re.fullmatch("_[a-z][a-z_]+", name)
    }
    assert private > UNDOCUMENTED
    assert {"_setup_joins", "_with_options", "_update_impl", "_bind_processors"} < private

    found = {
        path.relative_to(ROOT).as_posix(): sorted(used)
        for path in files(*PACKAGES)
        if path != ROOT / INTERNALS and (used := private & names_in(path))
    }
    unchecked = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in files(*PACKAGES)
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search("noqa:.*SLF001", line)
    ]

    assert found == {}
    assert [line.partition(":")[0] for line in unchecked] == ["schema/build.py"], (
        "of Strawberry; all else is checked by ruff"
    )


def names_in(path: Path) -> set[str]:
    """The attributes that a file reads or sets, and its texts, which may name one for `getattr`."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return attributes | texts | {node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg}


def test_no_door_writes() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in files(*DOORS)
        for line in writes(path.read_text(encoding="utf-8"))
    ]

    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "db.add(row)",
        "scope.session.flush()",
        "from sqlalchemy import select, update",
        "connection.execute(sqlalchemy.insert(Customer), rows)",
    ],
)
def test_what_counts_as_writing_is_found(line: str) -> None:
    assert list(writes(line)) == [1]


def writes(source: str) -> Iterator[int]:
    """The lines that change something: a session's own ways, and what a changing statement is made of."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.ImportFrom(module=str(module), names=names) if module.startswith("sqlalchemy"):
                if STATEMENTS & {name.name for name in names}:
                    yield node.lineno
            case ast.Call(func=ast.Attribute(value=ast.Name(id="sqlalchemy"), attr=name)) if name in STATEMENTS:
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=ast.Name(id=of) | ast.Attribute(attr=of), attr=name)):
                if of in SESSIONS and name in CHANGING:
                    yield node.lineno


def test_nothing_but_the_packages_and_their_files_is_shipped() -> None:
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
