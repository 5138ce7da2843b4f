"""The command line.  Every command is thin: it opens the house and calls a use case.

Only typer is imported here; everything heavy waits until a command needs it.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from resolvers.house import House
    from resolvers.scope import Scope

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
    from .clash import clashes

    if isinstance(error, ImportError | AttributeError):
        return clashes()
    from models.errors import Refusal
    from policies import InvalidPolicy

    from .database import Unready
    from .migrate import UnknownShape
    from .settings import BadSettings

    if isinstance(error, Refusal):
        return [error.say(os.environ.get("LC_ALL") or os.environ.get("LANG") or "en")]
    if isinstance(error, InvalidPolicy):
        return [f"the policy in force is broken: {problem}" for problem in error.problems]
    if isinstance(error, Unready | UnknownShape | BadSettings):
        return str(error).splitlines()
    return []


def group(help: str) -> typer.Typer:
    return typer.Typer(help=help, no_args_is_help=True)


app = typer.Typer(
    cls=OneSentence,
    help="Millpond: a CRM back office around a customer pool.  Settings are MILLPOND_… environment variables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
user = group("People who may sign in.")
token = group("API tokens: keys for programs that act with the rights of one person.")
audit = group("The operation log.")
policy = group("Who may do what.")
for name, part in {"user": user, "token": token, "audit": audit, "policy": policy}.items():
    app.add_typer(part, name=name)

Login = Annotated[str, typer.Argument(help="The name to sign in with.", show_default=False)]
Role = Annotated[str, typer.Argument(help="The code of a role, like sales or administrator.", show_default=False)]


# --- running ---------------------------------------------------------------------------------------------


@app.command()
def serve() -> None:
    """Serve GraphQL until stopped.  The database has to be migrated."""
    _refuse_clashes()
    from .serve import serve

    serve(_settings())


@app.command()
def migrate() -> None:
    """Bring the database to the shape of this version.  A new one gets roles, policy and dictionaries too."""
    from .database import bring_up

    revision, changed = bring_up(_settings().database)
    say(f"The database is at revision {revision}" + ("." if changed else "; nothing was missing."))


@app.command()
def demo(
    customers: Annotated[
        int, typer.Option(envvar="DEMO_CUSTOMERS", min=1, max=1_000_000, help="How many to invent, the first time.")
    ] = 2000,
    *,
    only_fill: Annotated[bool, typer.Option("--only-fill", help="Make the data and stop.")] = False,
) -> None:
    """Invent data in a database of its own and serve it on this machine only.  A second run keeps the data."""
    _refuse_clashes()
    from . import demo

    settings = demo.settings()
    demo.prepare(settings.database, customers, say)
    if not only_fill:
        from .serve import serve

        serve(settings, demo.SIGN_INS)


@app.command()
def doctor() -> None:
    """Look at installation, settings, database and log; say what is wrong and what to do.  Exit 1 if anything is."""
    from .clash import clashes

    if found := clashes():  # nothing of ours can be trusted to be ours
        _report([(False, sentence) for sentence in found])
    from .doctor import examine

    _report([(finding.ok, finding.sentence) for finding in examine(_settings())])


# --- people ----------------------------------------------------------------------------------------------


@user.command("add")
def user_add(
    login: Login,
    role: Annotated[list[str] | None, typer.Option(help="The code of a role; may be given again.")] = None,
    name: Annotated[str | None, typer.Option(help="The full name.  [default: the login]")] = None,
    department: Annotated[str | None, typer.Option(help="The name of a department.")] = None,
    language: Annotated[str, typer.Option(help="en or zh.")] = "en",
) -> None:
    """Take somebody in and print a one-time password.  The first administrator comes in this way too."""
    with _house() as house:
        from resolvers import entry, hire

        password = entry.one_time_password()
        more = {"name": name, "roles": role or [], "department": department, "language": language}
        _clerk(house).do(hire.hire, login, entry.hash_password(password), **more)
    say(f"{login} is in. This password is for one sign-in, where a new one has to be chosen:")
    typer.echo(password)


@user.command("password")
def user_password(login: Login) -> None:
    """Print a one-time password for somebody who has lost his.  All his sessions end."""
    with _house() as house:
        from resolvers import entry

        password = entry.one_time_password()
        _clerk(house).do(entry.set_password, login.lower(), entry.hash_password(password), one_time=True)
    say(f"{login} may sign in once with this password, and has to choose a new one then:")
    typer.echo(password)


@user.command("role")
def user_role(
    login: Login,
    role: Role,
    *,
    take: Annotated[bool, typer.Option("--take", help="Take the role away instead of giving it.")] = False,
) -> None:
    """Give somebody a role, or take it away.  It counts from the next request on."""
    with _house() as house:
        from resolvers import hire

        _clerk(house).do(hire.take_role if take else hire.give_role, login, role)
    say(f"{login} no longer holds the role {role}." if take else f"{login} holds the role {role}.")


@user.command("list")
def user_list() -> None:
    """List everybody, with roles and department."""
    with _house() as house:
        from resolvers import hire

        people = _read(_clerk(house), hire.roster)
    rows = [(x.login, x.name, ", ".join(x.roles), x.department or "", "" if x.active else "inactive") for x in people]
    _table(("login", "name", "roles", "department", "state"), rows)


# --- tokens ----------------------------------------------------------------------------------------------


@token.command("create")
def token_create(
    login: Login,
    name: Annotated[str, typer.Option(help="What it is for.")] = "token",
    days: Annotated[int | None, typer.Option(min=1, max=3660, help="How long it is valid.  [default: for ever]")] = None,
) -> None:
    """Make a token that acts as this person, and print it: it is shown once."""
    with _house() as house:
        from datetime import timedelta

        from resolvers import entry

        ends = house.clock() + timedelta(days=days) if days else None
        made = _person(house, login).do(entry.create_token, name, ends)
    say(f"Token {made.id} of {login}. Keep it safe, it cannot be shown again:")
    typer.echo(made.token)


@token.command("list")
def token_list(login: Login) -> None:
    """List the live tokens of a person, without the tokens themselves."""
    with _house() as house:
        from models import ApiToken
        from resolvers import entry

        keys = _read(_person(house, login), entry.keys_of, ApiToken)
    rows = [(str(x.id), x.name, x.hint + "…", _day(x.created_at), _day(x.expires_at), _day(x.seen_at)) for x in keys]
    _table(("id", "name", "begins with", "created", "expires", "last used"), rows)


@token.command("revoke")
def token_revoke(login: Login, id: Annotated[int, typer.Argument(help="The number that `list` shows.")]) -> None:
    """End a token of a person, at once."""
    with _house() as house:
        from resolvers import entry

        _person(house, login).do(entry.revoke_token, id)
    say(f"Token {id} of {login} has ended.")


# --- log and policy --------------------------------------------------------------------------------------


@audit.command("verify")
def audit_verify() -> None:
    """Seal the rest of the log and prove that nothing in it was changed.  Exit 1, naming the entry, if it was."""
    from .database import look

    url = _settings().database
    with _house() as house:
        from resolvers import seal

        horizon = seal.Horizon()
        for _ in range(2):  # PostgreSQL needs two looks to know what is settled
            with house.writer.engine.begin() as connection:
                seal.seal(connection, house.clock(), horizon)
    report = look(url, seal.verify)
    _report([(False, problem) for problem in report.problems])
    say(f"The log is as it was written: {report.entries:,} entries under {report.seals:,} seals.")


@policy.command("export")
def policy_export() -> None:
    """Print the policy in force, comments included."""
    from resolvers.policy import current_text

    from .database import look

    typer.echo(look(_settings().database, current_text), nl=False)


# --- steps -----------------------------------------------------------------------------------------------


def say(text: str) -> None:
    """Tell the person at the terminal; what programs want goes to stdout."""
    typer.echo(text, err=True)


def _settings() -> "Settings":
    from .settings import read

    return read()


def _refuse_clashes() -> None:
    from .clash import clashes

    if found := clashes():
        _report([(False, sentence) for sentence in found])


@contextmanager
def _house() -> "Iterator[House]":
    from .database import opened

    with opened(_settings().database) as house:
        yield house


def _clerk(house: "House") -> "Scope":
    """Whoever sits at the machine acts as the house itself, under the policy lines of `system`."""
    from policies import system

    return house.scope(system("system:command-line", house.clock()), "command line")


def _person(house: "House", login: str) -> "Scope":
    return house.scope(house.person(login.lower()), "command line")


def _read(scope: "Scope", look: Any, *more: object) -> Any:
    import asyncio

    return asyncio.run(scope.read(look, *more))


def _report(findings: Sequence[tuple[bool, str]]) -> None:
    """Print what was found; exit 1 when anything is wrong."""
    for ok, sentence in findings:
        say(f"ok       {sentence}" if ok else f"millpond: {sentence}")
    if not all(ok for ok, _ in findings):
        raise typer.Exit(1)


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table for people, lines with tabs for programs."""
    if not sys.stdout.isatty():
        for row in rows:
            typer.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*headings, box=None, header_style="bold")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _day(moment: Any) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d}"


def main() -> None:
    app(prog_name="millpond")
