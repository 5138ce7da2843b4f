"""What commands share: opening the backend, talking to the user at the terminal, one sentence for what cannot be done.

Imports nothing heavy, because every command does.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from resolvers.runtime.backend import Backend
    from resolvers.runtime.scope import Scope

    from .settings import Settings


class OneSentence(TyperGroup):
    """What cannot be done is said in one sentence on stderr and exit 1.  Anything else is a bug and keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            sentences = _sentences(error)
            if not sentences:
                raise
            for sentence in sentences:
                say(f"millpond: {sentence}")
            raise typer.Exit(1) from None


def _sentences(error: Exception) -> list[str]:
    """What to tell a person about this error; nothing when it is a bug."""
    from .package_conflicts import clashes

    if isinstance(error, ImportError | AttributeError):
        return clashes()
    if any(kind.__name__ == "Misdeclared" for kind in type(error).__mro__):  # by name: the models may be what fails
        return str(error).splitlines()
    from models.errors import Refusal
    from policies import InvalidPolicy
    from resolvers.runtime.seal_files import SealFileError

    from .database import Unready
    from .listening import CannotListen
    from .migrate import UnknownShape
    from .settings import BadSettings
    from .text_files import UnreadableFile

    if isinstance(error, Refusal):
        return [error.say(os.environ.get("LC_ALL") or os.environ.get("LANG") or "en")]
    if isinstance(error, InvalidPolicy):
        return [f"the policy in force is broken: {problem}" for problem in error.problems]
    if isinstance(error, SealFileError):
        return [f"{str(error).rstrip('.')}."]
    if isinstance(error, Unready | UnknownShape | CannotListen | BadSettings | UnreadableFile):
        return str(error).splitlines()
    return []


# --- steps -----------------------------------------------------------------------------------------------


Login = Annotated[str, typer.Argument(help="The name to sign in with.", show_default=False)]
"""An argument that several commands take."""


def group(help: str) -> typer.Typer:
    """Commands behind one word: the name of the file in `millpond/cli/`."""
    return typer.Typer(help=help, no_args_is_help=True)


def top_level() -> typer.Typer:
    """Commands that are called without a word before them."""
    return typer.Typer()


def is_top_level(commands: object) -> bool:
    return isinstance(commands, typer.Typer) and not isinstance(commands.info.help, str)


def say(text: str) -> None:
    """Tell the person at the terminal; what programs want goes to stdout."""
    typer.echo(text, err=True)


def spelled(name: str) -> str:
    """The name of a kind of record as it is compared: `Follow-ups`, `follow_ups` and `follow ups` are one."""
    return name.strip().lower().replace("-", " ").replace("_", " ")


def settings() -> "Settings":
    from .settings import read

    return read()


def refuse_clashes() -> None:
    from .package_conflicts import clashes

    if found := clashes():
        report([(False, sentence) for sentence in found])


@contextmanager
def backend() -> "Iterator[Backend]":
    from resolvers.runtime.file_store import FileStore

    from .database import opened

    chosen = settings()
    files = FileStore(Path(chosen.files)) if chosen.files else None
    with opened(chosen.database, files=files) as it:
        yield it


def clerk(at: "Backend") -> "Scope":
    """The scope of the command line, which acts as the system, under the policy lines of `system`."""
    from policies import system

    return at.scope(system("system:command-line", at.clock()), "command line")


def person(at: "Backend", login: str) -> "Scope":
    """The scope of a user: their keys belong to them and are created with their rights."""
    return at.scope(at.person(login.lower()), "command line")


def look(scope: "Scope", at: Any, *more: object) -> Any:
    """What `at(scope, db, …)` finds, with the rights of the scope."""
    import asyncio

    async def reading() -> Any:
        try:
            return await scope.read(at, *more)
        finally:
            await scope.backend.stop_reading()  # its connections belong to this loop, which ends here

    return asyncio.run(reading())


def report(findings: Sequence[tuple[bool, str]]) -> None:
    """Print what was found; exit 1 when anything is wrong."""
    for ok, sentence in findings:
        say(f"ok       {sentence}" if ok else f"millpond: {sentence}")
    if not all(ok for ok, _ in findings):
        raise typer.Exit(1)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table for people, lines with tabs for programs."""
    if not sys.stdout.isatty():
        for row in rows:
            typer.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    drawn = Table(*headings, box=None, header_style="bold")
    for row in rows:
        drawn.add_row(*row)
    Console().print(drawn)


def day(moment: Any) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d}"
