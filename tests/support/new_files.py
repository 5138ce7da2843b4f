"""What becomes of a new file that nothing else mentions: run as a script with a folder, a child process for each case.

Prints one JSON object: case -> what was found, or the sentence that stopped the start.
"""

import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[0] = str(ROOT)  # in place of this folder

import typer  # noqa: E402

import resolvers  # noqa: E402
import tasks  # noqa: E402
from millpond import cli  # noqa: E402
from models import ClaimRule  # noqa: E402
from models.declaration import Misdeclared  # noqa: E402
from resolvers.jobs.kinds import KINDS  # noqa: E402
from resolvers.runtime.lifecycle import rules_of  # noqa: E402

RULES = "from models import ClaimRule, PoolMember\nfrom resolvers.runtime.lifecycle import Rules\n"
JOB = "from tasks import job\n@job('system.tidy', en='Remind', zh='提醒')\n"
COMMANDS = "from millpond.terminal import group\n"


def rules() -> str:
    resolvers.load()
    kind = type(rules_of(ClaimRule))
    return f"{kind.__module__}.{kind.__name__}"


def jobs() -> str:
    tasks.load()
    return ", ".join(sorted(KINDS))


def services() -> str:
    return ", ".join(service.__name__ for service in tasks.services())


def commands() -> str:
    app = typer.Typer()
    mistakes = cli.add_commands(app)
    return "; ".join(mistakes) or ", ".join(str(group.name) for group in app.registered_groups if group.name)


Case = tuple[Callable[[], str], str, str]
CASES: dict[str, Case] = {
    "rules": (rules, "resolvers.pool", RULES + "class ClaimRuleRules(Rules[ClaimRule]):\n    pass\n"),
    "rules of nothing": (rules, "resolvers.pool", RULES + "class LostRules(Rules):\n    pass\n"),
    "rules twice": (rules, "resolvers.pool", RULES + "class MoreRules(Rules[PoolMember]):\n    pass\n"),
    "a hook that nothing calls": (
        rules,
        "resolvers.pool",
        RULES + "class ClaimRuleRules(Rules[ClaimRule]):\n    def chekc(self, *_): ...\n",
    ),
    "a job": (jobs, "tasks", JOB + "def remind(scope, db, work): ...\n"),
    "a service": (services, "tasks", "from tasks import service\n@service\nasync def remind(backend): ...\n"),
    "a file without a job": (jobs, "tasks", "async def remind(backend): ...\n"),
    "a second job that is none": (
        jobs,
        "tasks",
        JOB + "def remind(scope, db, work): ...\ndef forget(scope, db, work): ...\n",
    ),
    "a command": (
        commands,
        "millpond.cli",
        COMMANDS + 'commands = group("Fresh.")\n@commands.command("do")\ndef do():\n    """Do."""\n',
    ),
    "a file without commands": (commands, "millpond.cli", "def do():\n    pass\n"),
    "a function that is no command": (
        commands,
        "millpond.cli",
        COMMANDS + 'commands = group("Fresh.")\ndef do():\n    """Do."""\n',
    ),
}


def outcome(folder: Path, case: Case) -> str:
    question, package, source = case
    folder.mkdir()
    (folder / "fresh.py").write_text(source, encoding="utf-8")
    import_module(package).__path__.append(str(folder))
    try:
        return question()
    except Misdeclared as stopped:
        return str(stopped)


def in_child(folder: Path, case: Case) -> str:
    """The outcome in a child process, so that the next case finds the packages as they are."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        with open(writing, "w", encoding="utf-8") as end:
            end.write(outcome(folder, case))
        os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8") as end:
        said = end.read()
    os.wait()
    return said


if __name__ == "__main__":
    print(
        json.dumps({name: in_child(Path(sys.argv[1]) / str(n), case) for n, (name, case) in enumerate(CASES.items())})
    )
