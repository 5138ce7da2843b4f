"""The command line.  A file of this package is a group of commands; it is found and called by its name.

Every command is thin: it opens the backend and calls a use case.  Only typer is imported here and in the files; everything
heavy waits until a command needs it.
"""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import typer

from ..terminal import OneSentence, is_top_level, report

app = typer.Typer(
    cls=OneSentence,
    help="Millpond: a CRM back office around a customer pool.  Settings are MILLPOND_… environment variables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    report([(False, mistake) for mistake in MISTAKES])
    app(prog_name="millpond")


def _files() -> list[ModuleType]:
    """The files by name, those without a word of their own first."""
    found = [import_module(f"{__name__}.{file.name}") for file in iter_modules(__path__)]
    return sorted(found, key=lambda file: not is_top_level(getattr(file, "commands", None)))


def _add(file: ModuleType) -> Iterator[str]:
    """Add the commands of a file.  Says what it declares and nobody could call."""
    name = file.__name__.rpartition(".")[2]
    commands = getattr(file, "commands", None)
    if not isinstance(commands, typer.Typer):
        yield f'millpond/cli/{name}.py has no commands. Write: commands = group("What they are about.")'
        return
    app.add_typer(commands, name=None if is_top_level(commands) else name)
    known = {command.callback for command in commands.registered_commands}
    for key, made in vars(file).items():
        is_own = callable(made) and getattr(made, "__module__", "") == file.__name__ and not key.startswith("_")
        if is_own and not isinstance(made, type) and made not in known:
            yield f"millpond/cli/{name}.py: {key} is no command. Decorate it with @commands.command(), or call it _{key}."


MISTAKES: list[str] = [mistake for file in _files() for mistake in _add(file)]
"""Sentences about what is declared without effect; `main` says them and stops."""
