"""`millpond token …`: API tokens."""

from typing import Annotated

import typer

from ..terminal import Login, backend, day, group, look, person, say, table

commands = group("API tokens: keys for programs that act with the rights of one person.")


@commands.command("create")
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


@commands.command("list")
def token_list(login: Login) -> None:
    """List the live tokens of a person, without the tokens themselves."""
    with backend() as at:
        from models import ApiToken
        from resolvers.people import tokens

        keys = look(person(at, login), tokens.keys_of, ApiToken)
    rows = [(str(x.id), x.name, x.hint + "…", day(x.created_at), day(x.expires_at), day(x.seen_at)) for x in keys]
    table(("id", "name", "begins with", "created", "expires", "last used"), rows)


@commands.command("revoke")
def token_revoke(login: Login, id: Annotated[int, typer.Argument(help="The number that `list` shows.")]) -> None:
    """End a token of a person, at once."""
    with backend() as at:
        from resolvers.people import tokens

        person(at, login).do(tokens.revoke_token, id)
    say(f"Token {id} of {login} has ended.")
