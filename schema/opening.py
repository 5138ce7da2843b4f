"""The page of one pooled customer in GraphQL: `customer` and `node` count it where its pool limits pages per day.

The statement shows such a customer only once it was counted.  A null answer of these fields is therefore looked at
again: it is counted, or refused with a sentence, and then read.
"""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer
from resolvers.pool.view_limit import closed, open_page
from resolvers.reading.clauses import number_is
from resolvers.runtime.ids import number_of
from resolvers.runtime.scope import Scope

FIELDS = frozenset({"customer", "node"})
"""The root fields that show one customer."""


async def is_closed(scope: Scope, name: str, arguments: Mapping[str, Any]) -> bool:
    """Whether the field answers null because the customer has to be counted first."""
    return name in FIELDS and bool(await scope.read(_closed, arguments))


async def opened(scope: Scope, name: str, arguments: Mapping[str, Any], *, is_safe: bool = False) -> bool:
    """Count the customer of the field, if it has to be; whether the field is worth another look.

    Raises ViewLimitReached; GraphQLError in a request that may change nothing, because a count is a change.
    """
    if name not in FIELDS or not (id := await scope.read(_closed, arguments)):
        return False
    if is_safe:
        raise by_post()
    await scope.run(open_page, id)
    return True


def by_post() -> GraphQLError:
    """The refusal of a page that has to be counted first, to a request that may change nothing."""
    return GraphQLError(
        "This customer counts towards the pages that may be opened today. Send the query by POST.",
        extensions={"code": "METHOD_NOT_ALLOWED"},
    )


def _closed(scope: Scope, db: Session, arguments: Mapping[str, Any]) -> int:
    """The id of the customer that waits to be counted, 0 for none."""
    if (text := arguments.get("id")) is not None:
        id = number_of(Customer, str(text))
    elif (number := arguments.get("number")) is not None:
        named = select(Customer.id).where(number_is(Customer, Customer, str(number)))
        id = db.execute(named).scalars().first() or 0
    else:
        return 0
    return id if closed(scope, db, id) else 0
