"""A caller with a token who repeats requests, and rights and records that may be taken away between two of them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import update

from models import ApiToken, Base, Customer, PoolMember, Share, User, UserRole
from resolvers.people import tokens
from resolvers.runtime.policy_store import put_in_force
from schema.engine import Engine
from tests.support.query_corpus import Operation
from tests.support.world import World

LIST = "query ($n: Int, $s: String) { customers(first: $n, search: $s) { nodes { id name phone } totalCount } }"
WHAT: Mapping[str, Any] = {"n": 10}
"""The variables of LIST."""


class Caller:
    """A user with a token, over an engine that makes a plan at once, or over the given one."""

    def __init__(self, world: World, login: str, engine: Engine | None = None) -> None:
        self.world, self.login = world, login
        self.engine = engine or Engine(world.backend, plan_at=1)
        self.token = world.scope(login).do(tokens.create_token, "a program").token

    def long(self, query: str = LIST, variables: Mapping[str, Any] = WHAT, name: str | None = None) -> bytes | None:
        """The answer on the ordinary path; None for a token that is not in force."""

        async def ask() -> bytes | None:
            person = await self.world.backend.principal_of(self.token)
            if person is None:
                return None
            scope = self.world.backend.scope(person, "graphql", token=self.token)
            return (await self.engine.answer(scope, query, variables, name)).body

        return self.world.run(ask())

    def short(self, query: str = LIST, variables: Mapping[str, Any] = WHAT, name: str | None = None) -> bytes | None:
        """The answer of the prepared path, which HTTP tries first; None where only the ordinary path has one."""
        answer = self.world.run(self.engine.answer_prepared(self.token, query, variables, name))
        return answer.body if answer is not None else None

    def both(self, operation: Operation) -> tuple[bytes | None, bytes | None]:
        """(answer of the ordinary path, answer of the prepared path after it).

        Asserts that the prepared path has the same answer or none, before and after.
        """
        asked = operation.text, operation.variables
        before, long, after = self.short(*asked), self.long(*asked), self.short(*asked)
        assert {before, after} <= {long, None}, (self.login, operation, before, long, after)
        return long, after


@contextmanager
def taken(world: World, login: str, what: str) -> Iterator[None]:
    """Take one of `TAKEN` away during the block."""
    give_back = TAKEN[what](world, login)
    try:
        yield
    finally:
        give_back()


GiveBack = Callable[[], None]
Take = Callable[[World, str], GiveBack]
Of = Callable[[World, str], Any]


def _written(model: type[Base], column: str, whose: Of, value: Of = lambda world, _login: world.clock.now) -> Take:
    """Taking away by writing `value` into a column that is NULL, without the policy."""

    def take(world: World, login: str) -> GiveBack:
        table = model.__table__
        ids = [row["id"] for row in world.rows(model, table.c[column].is_(None), whose(world, login))]

        def write(written: Any) -> None:
            with world.backend.writer.engine.begin() as connection:
                connection.execute(update(table).where(table.c.id.in_(ids)).values({column: written}))

        write(value(world, login))
        return lambda: write(None)

    return take


def _denied(world: World, login: str) -> GiveBack:
    """Put a revision in force as another process would: the backend of this process does not know of it."""
    text, roles = world.backend.policy.text, world.principal(login).roles

    def activate(text: str) -> None:
        with world.backend.writer.engine.begin() as connection:
            put_in_force(connection, text, "for a while", world.clock.now)

    activate(f"{text}\n" + "".join(f"p, {role}, customer, view, all, any, deny\n" for role in sorted(roles)))
    return lambda: activate(text)


TAKEN: Mapping[str, Take] = {
    "the token": _written(ApiToken, "revoked_at", lambda world, login: ApiToken.user_id == world.ids[login]),
    "the roles": _written(UserRole, "deleted_at", lambda world, login: UserRole.user_id == world.ids[login]),
    "the seats": _written(PoolMember, "deleted_at", lambda world, login: PoolMember.grantee_id == world.ids[login]),
    "the person": _written(User, "deleted_at", lambda world, login: User.id == world.ids[login]),
    "shares": _written(Share, "ends_at", lambda *_: Share.id > 0),
    "customers": _written(Customer, "deleted_at", lambda *_: Customer.id % 2 == 1),
    "locks": _written(
        Customer, "locked_by_id", lambda *_: Customer.owner_id.is_not(None), lambda world, _login: world.ids["lead"]
    ),
    "a right": _denied,
}
"""What may be taken away between two requests -> the function that takes it and returns the one that gives it back."""
