"""The read wall: whatever way a session looks at protected rows, it sees what its person may view, or it is refused."""

from typing import Any

import pytest
from sqlalchemy import (
    Select,
    String,
    cast,
    column,
    delete,
    exists,
    func,
    insert,
    intersect,
    join,
    literal,
    literal_column,
    select,
    table,
    text,
    tuple_,
    update,
)
from sqlalchemy.orm import aliased

from models import Contact, ContactPoint, Customer, Opportunity, OwnershipPeriod, Share, User
from resolvers.runtime.write_guard import PolicyBypassed
from tests.support.reading_as import SIDES, furnish, seen_by
from tests.support.world import World

OTHER, T = aliased(Customer), Customer.__table__
INNER = select(Customer).subquery()
CTE = select(Customer.name).cte()


@pytest.fixture
def stock(world: World) -> dict[str, int]:
    return furnish(world)


def found(world: World, side: str, login: str | None, statement: Any) -> list[Any]:
    """The first column of what a statement gives, in order of its text."""
    principal = world.principal(login) if login else None
    return seen_by(world, side, principal, lambda db: sorted((x[0] for x in db.execute(statement)), key=str))


SEEN: dict[str, tuple[Select[Any], list[Any], list[Any]]] = {
    # statement, what Li sees, what nobody sees
    "a column": (select(Customer.name), ["Mine", "Pooled"], []),
    "an alias": (select(OTHER.name), ["Mine", "Pooled"], []),
    "an expression": (select(cast(Customer.name, String)), ["Mine", "Pooled"], []),
    "a count": (select(func.count()).select_from(Customer), [2], [0]),
    "a maximum": (select(func.max(Customer.name)), ["Pooled"], [None]),
    "a subquery": (select(INNER.c.name), ["Mine", "Pooled"], []),
    "a counted subquery": (select(func.count()).select_from(INNER), [2], [0]),
    "an alias of a subquery": (select(aliased(Customer, INNER).name), ["Mine", "Pooled"], []),
    "a common table expression": (select(CTE.c.name), ["Mine", "Pooled"], []),
    "a union": (select(Customer.name).union(select(OTHER.name)), ["Mine", "Pooled"], []),
    "an intersection": (intersect(select(Customer.name), select(OTHER.name)), ["Mine", "Pooled"], []),
    "a union inside": (
        select(select(Customer.name).union_all(select(Customer.name)).subquery().c.name),
        ["Mine", "Mine", "Pooled", "Pooled"],
        [],
    ),
    "a join by relation": (
        select(Customer.name).join(Contact, Contact.customer_id == Customer.id),
        ["Mine", "Pooled"],
        [],
    ),
    "a joined column": (select(Contact.name).join(Contact.customer), ["Ann of Mine", "Ann of Pooled"], []),
    "a join to an alias": (
        select(Contact.name).join(Contact.customer.of_type(OTHER)).where(OTHER.name == "Hers"),
        [],
        [],
    ),
    "the inner side of an outer join": (
        select(Customer.name)
        .select_from(User)
        .outerjoin(Customer, Customer.owner_id == User.id)
        .where(User.login == "mei"),
        [None],
        [],
    ),
    "the right side of a chain": (
        select(Customer.name).select_from(Opportunity).join(Opportunity.customer),
        ["Mine"],
        [],
    ),
    "has": (select(Contact.name).where(Contact.customer.has(Customer.phone == "1002")), [], []),
    "IN a subquery": (select(User.login).where(User.id.in_(select(Customer.owner_id))), ["li"], []),
    "IN of pairs": (
        select(User.login).where(tuple_(User.id, User.id).in_(select(Customer.owner_id, Customer.owner_id))),
        ["li"],
        [],
    ),
    "EXISTS": (
        select(User.login).where(exists(select(Customer.id).where(Customer.owner_id == User.id))),
        ["li"],
        [],
    ),
    "a scalar subquery": (select(select(func.count(Customer.id)).scalar_subquery()), [2], [0]),
    "a correlated scalar subquery": (
        select(select(func.count(Customer.id)).where(Customer.owner_id == User.id).scalar_subquery())
        .select_from(User)
        .where(User.login.in_(("li", "mei"))),
        [0, 1],
        [],
    ),
    "a bare subquery that asks about a hidden one": (
        select(exists(select(Customer.id).where(Customer.phone == "1002"))),
        [False],
        [False],
    ),
    "what hangs on a record": (select(Contact.name), ["Ann of Mine", "Ann of Pooled"], []),
    "parts, hidden in the pool": (select(ContactPoint.value), ["2000"], []),
    "periods": (select(OwnershipPeriod.began), ["CREATE"], []),
}


@pytest.mark.usefixtures("stock")
@pytest.mark.parametrize("side", SIDES)
def test_every_way_of_selecting_shows_what_the_person_may_view_and_nobody_sees_nothing(world: World, side: str) -> None:
    for way, (statement, li, nobody) in SEEN.items():
        assert found(world, side, "li", statement) == li, way
        assert found(world, side, None, statement) == nobody, way


@pytest.mark.usefixtures("stock")
@pytest.mark.parametrize("side", SIDES)
def test_an_administrator_sees_all_three(world: World, side: str) -> None:
    assert found(world, side, "ada", select(Customer.name)) == ["Hers", "Mine", "Pooled"]


REFUSED: dict[str, Any] = {
    "text": text("SELECT name FROM customer"),
    "text with columns": text("SELECT name FROM customer").columns(T.c.name),
    "text inside a Core select": select(text("name")).select_from(text("customer")),
    "text inside an ORM condition": select(User.login).where(text("id IN (SELECT owner_id FROM customer)")),
    "a text column": select(User.login, literal_column("(SELECT max(phone) FROM customer)")),
    "from_statement": select(Customer).from_statement(text("SELECT * FROM customer")),
    "from_statement of a select": select(Customer).from_statement(select(Customer)),
    "a Core select": select(T.c.name),
    "a table by its name": select(column("name")).select_from(table("customer", column("name"))),
    "a Core column beside a model": select(User.login, T.c.name),
    "a Core join": select(User.login).select_from(join(User.__table__, T, T.c.owner_id == User.__table__.c.id)),
    "a Core subquery": select(User.login).where(User.id.in_(select(T.c.owner_id))),
    "a Core alias": select(User.login, T.alias().c.name),
    "a Core select around a model": select(literal(1)).select_from(select(T.c.id).subquery()),
    "a model only in WHERE": select(User.login).where(User.id == Customer.owner_id),
    "a model only in a function": select(User.login).where(func.length(Customer.phone) > 1),
    "a model only in ORDER BY": select(User.login).order_by(Customer.name),
    "a model only in HAVING": select(User.login).group_by(User.login).having(func.max(Customer.phone) == "1"),
    "a model only in a window": select(func.row_number().over(order_by=Customer.name)),
    "a second model in an expression": select(func.coalesce(User.name, Customer.phone)),
    "a bare EXISTS": select(User.login).where(exists().where(Customer.owner_id == User.id)),
    "a FULL JOIN": select(User.login).join(Customer, Customer.owner_id == User.id, full=True),
    "columns that leave the joined model behind": select(Contact)
    .join(Contact.customer)
    .with_only_columns(func.count()),
    "an uncorrelated subquery": select(Customer.name).where(
        exists(select(literal(1)).where(Customer.phone == "1002").correlate(None))
    ),
    "a bulk update": update(Customer).values(name="X"),
    "a bulk delete": delete(Customer),
    "a bulk insert": insert(Customer).values(name="X"),
    "a Core update": update(T).values(name="X"),
    "a Core delete": delete(T),
    "a Core insert": insert(T).values(name="X"),
    "an update of something else that looks": update(Share)
    .where(Share.customer_id.in_(select(Customer.id)))
    .values(note="x"),
    "an insert from a select": insert(Share).from_select(["customer_id"], select(Customer.id)),
}


@pytest.mark.usefixtures("stock")
@pytest.mark.parametrize("side", SIDES)
def test_what_no_criteria_would_reach_is_refused_even_to_an_administrator(world: World, side: str) -> None:
    before, ada = world.everything(), world.principal("ada")
    for way, statement in REFUSED.items():
        with pytest.raises(PolicyBypassed):
            pytest.fail(f"{way}: {seen_by(world, side, ada, lambda db, s=statement: db.execute(s).all())}")

    assert world.everything() == before


@pytest.mark.usefixtures("stock")
@pytest.mark.parametrize("side", SIDES)
def test_a_core_subquery_that_carries_the_policy_clause_is_let_through(world: World, side: str) -> None:
    li = world.principal("li")
    owned = select(T.c.owner_id).where(world.backend.policy.where(li, "view", Customer, T.c))
    marked = owned.execution_options(policy=True)

    assert found(world, side, "li", select(User.login).where(User.id.in_(marked))) == ["li"]
    assert found(world, side, "li", select(Customer.name).where(world.backend.policy.where(li, "claim", Customer))) == [
        "Pooled"
    ]
