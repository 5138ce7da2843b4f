"""The command line.  A file of this package is a group of commands; it is found and called by its name.

Every command is thin: it opens the backend and calls a use case.  Only typer is imported here and in the files; everything
heavy waits until a command needs it.
"""

from collections.abc import Iterator
from importlib import import_module
from inspect import isfunction
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


def add_commands(to: typer.Typer) -> list[str]:
    """Add the commands of every file, those without a word of their own first.

    Returns a sentence for each declaration that would have no effect.
    """
    files = [import_module(f"{__name__}.{file.name}") for file in iter_modules(__path__)]
    files.sort(key=lambda file: not is_top_level(getattr(file, "commands", None)))
    return [mistake for file in files for mistake in _add(to, file)]


def _add(to: typer.Typer, file: ModuleType) -> Iterator[str]:
    name = file.__name__.rpartition(".")[2]
    commands = getattr(file, "commands", None)
    if not isinstance(commands, typer.Typer):
        yield f'millpond/cli/{name}.py has no commands. Write: commands = group("What they are about.")'
        return
    to.add_typer(commands, name=None if is_top_level(commands) else name)
    known = {command.callback for command in commands.registered_commands}
    for key, value in vars(file).items():
        if isfunction(value) and value.__module__ == file.__name__ and not key.startswith("_") and value not in known:
            yield f"millpond/cli/{name}.py: {key} is no command. Decorate it with @commands.command(), or call it _{key}."


MISTAKES = add_commands(app)


def main() -> None:
    report([(False, mistake) for mistake in MISTAKES])
    app(prog_name="millpond")
