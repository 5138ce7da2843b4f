"""The command line.  Every command is thin: it opens the house and calls a use case.

Only typer is imported here; everything heavy waits until a command needs it.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from .cli_policy import policy
from .terminal import (
    OneSentence,
    backend,
    clerk,
    day,
    group,
    look,
    person,
    refuse_clashes,
    report,
    say,
    settings,
    table,
)

if TYPE_CHECKING:
    from resolvers.runtime.backend import Backend

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
for name, part in {"user": user, "token": token, "audit": audit, "policy": policy}.items():
    app.add_typer(part, name=name)

Login = Annotated[str, typer.Argument(help="The name to sign in with.", show_default=False)]
Role = Annotated[str, typer.Argument(help="The code of a role, like sales or administrator.", show_default=False)]


# --- running ---------------------------------------------------------------------------------------------


@app.command()
def serve() -> None:
    """Serve GraphQL until stopped.  The database has to be migrated."""
    refuse_clashes()
    from .serve import serve

    serve(settings())


@app.command()
def migrate() -> None:
    """Bring the database to the shape of this version.  A new one gets roles, policy and dictionaries too."""
    from .database import bring_up

    revision, changed = bring_up(settings().database)
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
    refuse_clashes()
    from . import demo

    chosen = demo.settings()
    demo.prepare(chosen.database, customers, say)
    if not only_fill:
        from .serve import serve

        serve(chosen, demo.SIGN_INS)


@app.command()
def doctor() -> None:
    """Look at installation, settings, database and log; say what is wrong and what to do.  Exit 1 if anything is."""
    from .package_conflicts import clashes

    if found := clashes():  # nothing of ours can be trusted to be ours
        report([(False, sentence) for sentence in found])
    from .doctor import examine

    report([(finding.ok, finding.sentence) for finding in examine(settings())])


@app.command()
def reindex() -> None:
    """Write the search index anew from the records.  Needed when `doctor` says so; searches and edits wait meanwhile."""
    with backend() as at:
        from resolvers.reading.search_index import rebuild

        with at.writer.engine.begin() as connection:
            count = rebuild(connection)
    say(f"The search index knows {count:,} customers and contacts.")


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
    with backend() as at:
        from resolvers.people import accounts, passwords

        password = passwords.one_time_password()
        more = {"name": name, "roles": role or [], "department": department, "language": language}
        clerk(at).do(accounts.create_account, login, passwords.hash_password(password), **more)
    say(f"{login} is in. This password is for one sign-in, where a new one has to be chosen:")
    typer.echo(password)


@user.command("password")
def user_password(login: Login) -> None:
    """Print a one-time password for somebody who has lost his.  All his sessions end."""
    with backend() as at:
        from resolvers.people import passwords

        password = passwords.one_time_password()
        clerk(at).do(passwords.set_password, login.lower(), passwords.hash_password(password), one_time=True)
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
    with backend() as at:
        from resolvers.people import accounts

        clerk(at).do(accounts.take_role if take else accounts.give_role, login, role)
    say(f"{login} no longer holds the role {role}." if take else f"{login} holds the role {role}.")


@user.command("list")
def user_list() -> None:
    """List everybody, with roles and department."""
    with backend() as at:
        from resolvers.people import accounts

        people = look(clerk(at), accounts.roster)
    rows = [(x.login, x.name, ", ".join(x.roles), x.department or "", "" if x.active else "inactive") for x in people]
    table(("login", "name", "roles", "department", "state"), rows)


# --- tokens ----------------------------------------------------------------------------------------------


@token.command("create")
def token_create(
    login: Login,
    name: Annotated[str, typer.Option(help="What it is for.")] = "token",
    days: Annotated[
        int | None, typer.Option(min=1, max=3660, help="How long it is valid.  [default: for ever]")
    ] = None,
) -> None:
    """Make a token that acts as this person, and print it: it is shown once."""
    with backend() as at:
        from datetime import timedelta

        ends = at.clock() + timedelta(days=days) if days else None
        from resolvers.people import tokens

        made = person(at, login).do(tokens.create_token, name, ends)
    say(f"Token {made.id} of {login}. Keep it safe, it cannot be shown again:")
    typer.echo(made.token)


@token.command("list")
def token_list(login: Login) -> None:
    """List the live tokens of a person, without the tokens themselves."""
    with backend() as at:
        from models import ApiToken
        from resolvers.people import tokens

        keys = look(person(at, login), tokens.keys_of, ApiToken)
    rows = [(str(x.id), x.name, x.hint + "…", day(x.created_at), day(x.expires_at), day(x.seen_at)) for x in keys]
    table(("id", "name", "begins with", "created", "expires", "last used"), rows)


@token.command("revoke")
def token_revoke(login: Login, id: Annotated[int, typer.Argument(help="The number that `list` shows.")]) -> None:
    """End a token of a person, at once."""
    with backend() as at:
        from resolvers.people import tokens

        person(at, login).do(tokens.revoke_token, id)
    say(f"Token {id} of {login} has ended.")


# --- log -------------------------------------------------------------------------------------------------


@audit.command("verify")
def audit_verify() -> None:
    """Seal the rest of the log and prove that nothing in it was changed.  Exit 1, naming the entry, if it was."""
    from resolvers.audit.seal import verify

    from .database import look as look_at

    with backend() as at:
        is_whole = _seal_the_rest(at)
    found = look_at(settings().database, verify)
    report([(False, problem) for problem in found.problems])
    say(f"The log is as it was written: {found.entries:,} entries under {found.seals:,} seals.")
    if not is_whole:
        say("The newest entries wait for their seal: a transaction on the server is still open.")


def _seal_the_rest(at: "Backend", patience: float = 10) -> bool:
    """Lay seals until all is sealed; PostgreSQL needs two looks, and more while others have transactions open."""
    import time

    from resolvers.audit.seal import Horizon, is_due, seal

    horizon, end = Horizon(), time.monotonic() + patience
    while True:
        with at.writer.engine.begin() as connection:
            seal(connection, at.clock(), horizon)
            is_whole = not is_due(connection)
        if is_whole or time.monotonic() > end:
            return is_whole
        time.sleep(0.05)


def main() -> None:
    app(prog_name="millpond")
