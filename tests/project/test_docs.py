"""The pages are true: generated tables are up to date, named commands and paths exist, the README's commands run."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from graphql import parse, validate
from typer.main import get_command

from millpond import reference
from millpond.cli import app
from millpond.settings import Settings
from models import PROTECTED, actions
from models.errors import REFUSALS
from models.field_names import FIELD_NAMES
from models.names import OF_MODULE
from schema.build import graphql_of, schema
from schema.roots import ROOTS
from tests.support.terminal import ROOT, environment, served

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / name for name in ("README.md", "SECURITY.md", "CHANGELOG.md")] + sorted((ROOT / "docs").rglob("*.md"))
FOLDERS = (
    "admin",
    "bench",
    "docs",
    "migrations",
    "millpond",
    "models",
    "policies",
    "resolvers",
    "schema",
    "tasks",
    "tests",
)


@pytest.mark.parametrize("name", sorted(reference.PAGES))
def test_a_page_that_is_made_from_the_code_is_up_to_date(name: str) -> None:
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")

    assert written == reference.PAGES[name](), "run: make docs"


def test_every_setting_is_explained() -> None:
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")

    assert [name for name, field in Settings.model_fields.items() if not (field.description or "").endswith(".")] == []
    assert [name for name in Settings.model_fields if f"`MILLPOND_{name.upper()}`" not in page] == []


def test_every_command_and_every_option_is_explained() -> None:
    page = (ROOT / "docs/commands.md").read_text(encoding="utf-8")

    def look(path: str, command: object) -> list[str]:
        below = getattr(command, "commands", {})
        missing = [] if below or f"## {path}" in page else [path]
        silent = [f"{path} {part.name}" for part in command.params if part.name != "help" and not part.help]  # type: ignore[attr-defined]
        return missing + silent + [gap for name, child in below.items() for gap in look(f"{path} {name}", child)]

    assert look("millpond", get_command(app)) == []


def test_every_refusal_has_a_sentence_in_both_languages() -> None:
    page = (ROOT / "docs/refusals.md").read_text(encoding="utf-8")

    assert [code for code in REFUSALS if f"| `{code}` |" not in page] == []
    assert [
        code for code, kind in REFUSALS.items() if not kind.sentence or (kind.zh.isascii() and "{" not in kind.zh)
    ] == []


def test_the_page_about_the_api_names_what_no_statement_answers() -> None:
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    queries = graphql_of(schema()).query_type
    assert queries is not None
    executed = {*queries.fields} - {*ROOTS}

    listed = re.findall(r"^\| (`.+`) \|", page.partition("Executed are")[2], re.MULTILINE)
    assert {name.strip("` ") for row in listed for name in row.split(",")} == executed | {"__schema", "__type"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_of_a_page_are_whole_and_fit_the_schema(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.count("\n```") % 2 == 0
    for example in re.findall(r"```graphql\n(.*?)```", text, re.DOTALL):
        assert validate(graphql_of(schema()), parse(example)) == [], example


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_commands_and_files_that_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    commands = get_command(app).commands  # type: ignore[attr-defined]
    named = re.findall(r"(?:`|bin/)millpond ([a-z]+)(?: ([a-z]+))?", text)
    unknown = [
        " ".join(words)
        for words in named
        if words[0] not in commands
        or (words[1] and hasattr(commands[words[0]], "commands") and words[1] not in commands[words[0]].commands)
    ]
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]

    assert unknown == []
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_paths_that_exist(page: Path) -> None:
    named = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]*)`", page.read_text(encoding="utf-8"))

    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_glossary_has_the_words_of_the_chinese_panel() -> None:
    spoken = (ROOT / "admin/locale/zh/LC_MESSAGES/millpond.po").read_text(encoding="utf-8")
    spoken += "".join(kind.zh for kind in REFUSALS.values())
    spoken += "".join(action.zh for action in actions.TABLE)
    spoken += "".join(names.zh for names in OF_MODULE.values())
    spoken += "".join(word for model in PROTECTED for word in model.names.words().values())
    spoken += "".join(chinese for _english, chinese in FIELD_NAMES.values())
    cells = re.findall(
        r"^\| [^|]+ \| ([^|]+) \|", (ROOT / "docs/glossary.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    words = [word for cell in cells for word in cell.split("、") if not word.isascii() and word not in ("中文", "—")]

    assert len(words) > 30
    assert [word for word in words if word not in spoken] == []


def test_make_knows_the_targets_that_the_readme_names() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    named = set(re.findall(r"make ([a-z]+)", README.partition("## Where things live")[0]))

    assert {"demo", "test", "check"} <= named
    assert [name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == []


def test_the_folders_that_the_readme_lists_are_those_that_are_there() -> None:
    listed = set(re.findall(r"`([a-z]+)/`", README.partition("## Where things live")[2]))
    there = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith((".", "_"))}

    assert there - {"var", "build", "dist"} <= listed | {"__pycache__"}
    assert listed <= there


@pytest.mark.long
def test_the_readme_does_what_it_says(tmp_path: Path) -> None:
    """Every task of the README, typed into a shell in its order, against a demo of its own."""
    url = f"sqlite:///{tmp_path}/demo.db"
    with served(url, "demo", until="rolf", DEMO_CUSTOMERS="300", MILLPOND_WORKERS="1") as it:
        tasks = README.partition("## Five tasks")[2].partition("## ")[0]
        lines = "\n".join(re.findall(r"```sh\n(.*?)```", tasks, re.DOTALL))
        lines = lines.replace("http://127.0.0.1:8000", it.address).replace("sqlite:///var/demo.db", url)
        lines = lines.replace("var/", f"{tmp_path}/")  # where a demo of its own has made the folder
        lines = lines.replace(".venv/bin/millpond", f"{shlex.quote(sys.executable)} -m millpond")
        typed = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", lines],
            env=environment(url),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    assert typed.returncode == 0, typed.stderr
    answers = [json.loads(line)["data"] for line in typed.stdout.splitlines() if line.startswith("{")]
    preview, claimed, deleted, binned, restored, history = answers
    (id,) = claimed["claimCustomers"]["ids"]
    assert preview["claimPreview"][0]["allowed"] is True
    assert claimed["claimCustomers"]["problems"] == []
    assert deleted["deleteCustomers"] == {"ids": [id], "problems": []}
    assert id in [row["id"] for row in binned["customers"]["nodes"]]
    assert restored["restoreCustomers"] == {"ids": [id], "problems": []}
    steps = [entry["action"] for entry in history["customer"]["history"]["nodes"]]
    assert {"CUSTOMER_CLAIM", "CUSTOMER_DELETE", "CUSTOMER_RESTORE"} <= set(steps)
    assert "wu holds the role support." in typed.stderr
    assert "+ p, support, contact.points, view, all, any, deny" in typed.stdout + typed.stderr
    assert re.search(r"^mp_\S{40,}$", typed.stdout, re.MULTILINE)
