"""Generated pages of docs/: settings, commands, refusals.  A test compares them with the code.

`python -m millpond.reference` writes them.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined
from typer.main import get_command

from models.errors import REFUSALS
from resolvers.runtime.ids import camel

from .cli import app
from .settings import Settings

FOLDER = Path(__file__).resolve().parent.parent / "docs"


def settings() -> str:
    rows = [
        (f"`MILLPOND_{name.upper()}`", f"`{_default(field.default)}`", field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    return _page(
        "Settings",
        "Every choice is an environment variable. None has to be set. A list is written with commas or spaces.",
        _table(("variable", "without it", "what it decides"), rows),
    )


def refusals() -> str:
    rows = [(f"`{code}`", _parameters(kind.sentence), kind.sentence, kind.zh) for code, kind in REFUSALS.items()]
    return _page(
        "Refusals",
        "What was understood and declined, with nothing changed. The code is the `ProblemCode` of GraphQL; words in "
        "braces are filled in from its parameters. On the command line the sentence stands on stderr and the exit code is 1.",
        _table(("code", "parameters", "English", "中文"), rows),
    )


def _parameters(sentence: str) -> str:
    """The parameters of a sentence by the names that `params` of a problem gives them."""
    return ", ".join(f"`{camel(name)}`" for name in dict.fromkeys(re.findall(r"\{(\w+)", sentence)))


def commands() -> str:
    parts = [text for path, command in _walk(("millpond",), get_command(app)) for text in _command(path, command)]
    return _page(
        "Commands",
        "What was refused or cannot be done is one sentence on stderr and exit 1. Passwords, tokens, lists and the "
        "policy go to stdout, everything else to stderr.",
        *parts,
    )


PAGES: dict[str, Callable[[], str]] = {"settings.md": settings, "refusals.md": refusals, "commands.md": commands}


# --- steps -----------------------------------------------------------------------------------------------


def _walk(path: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """(words that call it, command) for every command without subcommands."""
    below = getattr(command, "commands", {})
    for name, child in below.items():
        yield from _walk((*path, name), child)
    if not below:
        yield path, command


def _command(path: tuple[str, ...], command: Any) -> Iterator[str]:
    arguments = [part for part in command.params if part.param_type_name == "argument"]
    yield f"## {' '.join((*path, *(part.name.upper() for part in arguments)))}"
    yield " ".join(command.help.split())
    rows = [(f"`{_called(part)}`", _explained(part)) for part in command.params if getattr(part, "help", None)]
    if rows:
        yield _table(("with", "what it means"), rows)


def _called(part: Any) -> str:
    if part.param_type_name == "argument":
        return str(part.name.upper())
    return ", ".join(part.opts)


def _explained(part: Any) -> str:
    more = [] if part.default in (None, False) else [f"Without it: {part.default}."]
    more += [f"Also as {part.envvar}."] if part.envvar else []
    return " ".join([part.help.split("  [")[0], *more]) if part.param_type_name != "argument" else str(part.help)


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return ""
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else f"{value}"


def _page(title: str, *paragraphs: str) -> str:
    return "\n\n".join([f"# {title}", *paragraphs]) + "\n"


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    headings = tuple(headings)
    lines = [headings, ("---",) * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def main() -> None:
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
