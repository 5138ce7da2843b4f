"""Somebody who comes with a key and asks again, and what may be taken from him between two questions."""

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
"""What is asked unless something else is."""


class Caller:
    """Somebody with a token at the door of an engine, of one of his own unless it is given."""

    def __init__(self, world: World, login: str, engine: Engine | None = None) -> None:
        self.world, self.login = world, login
        self.engine = engine or Engine(world.backend, plan_at=1)
        self.token = world.scope(login).do(tokens.create_token, "a program").token

    def long(self, query: str = LIST, variables: Mapping[str, Any] = WHAT, name: str | None = None) -> bytes | None:
        """As the door asks what is new; None for somebody who is turned away."""

        async def ask() -> bytes | None:
            person = await self.world.backend.principal_of(self.token)
            if person is None:
                return None
            scope = self.world.backend.scope(person, "graphql", token=self.token)
            return (await self.engine.answer(scope, query, variables, name)).body

        return self.world.run(ask())

    def short(self, query: str = LIST, variables: Mapping[str, Any] = WHAT, name: str | None = None) -> bytes | None:
        """As the door asks first; None where it has to ask the usual path."""
        answer = self.world.run(self.engine.answer_prepared(self.token, query, variables, name))
        return answer.body if answer is not None else None

    def both(self, operation: Operation) -> tuple[bytes | None, bytes | None]:
        """(the usual path, the prepared path after it).  The prepared path tells the same or nothing, before and after."""
        asked = operation.text, operation.variables
        before, long, after = self.short(*asked), self.long(*asked), self.short(*asked)
        assert {before, after} <= {long, None}, (self.login, operation, before, long, after)
        return long, after


@contextmanager
def taken(world: World, login: str, what: str) -> Iterator[None]:
    """One of `TAKEN` is not there for a while."""
    give_back = TAKEN[what](world, login)
    try:
        yield
    finally:
        give_back()


GiveBack = Callable[[], None]
Take = Callable[[World, str], GiveBack]
Of = Callable[[World, str], Any]


def _written(model: type[Base], column: str, whose: Of, value: Of = lambda world, _login: world.clock.now) -> Take:
    """To take is to write a value where none is, below the policy."""

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
    """Another process puts a revision in force: this one has not heard of it."""
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
"""What may be taken from somebody between two questions: gives what gives it back."""
