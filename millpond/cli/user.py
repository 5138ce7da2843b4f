"""`millpond user …`: the people who may sign in."""

from typing import Annotated

import typer

from ..terminal import Login, backend, clerk, group, look, say, table

commands = group("People who may sign in.")

Role = Annotated[str, typer.Argument(help="The code of a role, like sales or administrator.", show_default=False)]


@commands.command("add")
def user_add(
    login: Login,
    role: Annotated[list[str] | None, typer.Option(help="The code of a role; may be given again.")] = None,
    name: Annotated[str | None, typer.Option(help="The full name.  [default: the login]")] = None,
    department: Annotated[str | None, typer.Option(help="The name of a department.")] = None,
    language: Annotated[str, typer.Option(help="en or zh.")] = "en",
) -> None:
    """Create a user and print a one-time password.  The first administrator is created in this way too."""
    with backend() as at:
        from resolvers.people import accounts, passwords

        password = passwords.one_time_password()
        more = {"name": name, "roles": role or [], "department": department, "language": language}
        clerk(at).do(accounts.create_account, login, passwords.hash_password(password), **more)
    say(f"{login} is in. This password is for one sign-in, where a new one has to be chosen:")
    typer.echo(password)


@commands.command("password")
def user_password(login: Login) -> None:
    """Print a one-time password for a user who has lost theirs.  All their sessions and tokens end."""
    with backend() as at:
        from resolvers.people import passwords

        password = passwords.one_time_password()
        clerk(at).do(passwords.set_password, login.lower(), passwords.hash_password(password), one_time=True)
    say(f"{login} may sign in once with this password, and has to choose a new one then:")
    typer.echo(password)


@commands.command("unlock")
def user_unlock(login: Login) -> None:
    """Let a user sign in whom failed attempts delay.  The attempts stay in the log."""
    with backend() as at:
        from resolvers.people import sign_in_throttle

        clerk(at).do(sign_in_throttle.unlock, login.lower())
    say(f"{login} may sign in at once.")


@commands.command("role")
def user_role(
    login: Login,
    role: Role,
    *,
    take: Annotated[bool, typer.Option("--take", help="Take the role away instead of giving it.")] = False,
) -> None:
    """Give a user a role, or take it away.  It counts from the next request on."""
    with backend() as at:
        from resolvers.people import accounts

        clerk(at).do(accounts.take_role if take else accounts.give_role, login, role)
    say(f"{login} no longer holds the role {role}." if take else f"{login} holds the role {role}.")


@commands.command("list")
def user_list() -> None:
    """List all users, with roles and department."""
    with backend() as at:
        from resolvers.people import accounts

        people = look(clerk(at), accounts.roster)
    rows = [(x.login, x.name, ", ".join(x.roles), x.department or "", "" if x.active else "inactive") for x in people]
    table(("login", "name", "roles", "department", "state"), rows)
