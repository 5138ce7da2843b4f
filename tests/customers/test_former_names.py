"""Former names: kept when a customer is renamed, shown to whoever may see the present one."""

from models import Customer, FormerName
from models.former_name import NameKind
from resolvers.reading.former_names import former_names
from resolvers.records.create_update import update
from resolvers.runtime.ids import global_id
from tests.support.graphql import Api
from tests.support.refusals import add_line
from tests.support.world import World

FORMER = "query($id: ID!) { customer(id: $id) { formerNames { kind value } } }"


def rename(world: World, customer: int, *names: str) -> None:
    for name in names:
        world.scope("ada").do(update, Customer, customer, {"name": name})


def known(world: World, by: str, customer: int) -> list[str]:
    return world.run(world.scope(by).read(former_names, customer))


def test_a_renamed_customer_keeps_its_former_names(world: World) -> None:
    customer = world.customer(owner="li", name="Otter Ltd")

    rename(world, customer, "Otter Group", "Ｏtter  ＡＧ")

    assert known(world, "ada", customer) == ["Otter Group", "Otter Ltd"]
    assert Api(world).ask("li", FORMER, id=global_id(Customer, customer)) == {
        "customer": {"formerNames": [{"kind": "NAME", "value": "Otter Group"}, {"kind": "NAME", "value": "Otter Ltd"}]}
    }
    assert known(world, "mei", customer) == []


def test_a_name_that_came_back_is_no_former_one(world: World) -> None:
    customer = world.customer(owner="li", name="Otter Ltd")

    rename(world, customer, "Otter Group", "Otter Ltd", "OTTER GROUP", "Otter Ltd")

    assert known(world, "ada", customer) == ["Otter Group"]
    kept = [(row["kind"], row["value_key"]) for row in world.rows(FormerName)]
    assert kept == [(NameKind.NAME, "otter ltd"), (NameKind.NAME, "otter group")]


def test_another_edit_leaves_no_former_name(world: World) -> None:
    customer = world.customer(owner="li", name="Otter Ltd")

    world.scope("ada").do(update, Customer, customer, {"name": "Otter Ltd", "phone": "021 6888 1234"})

    assert known(world, "ada", customer) == []


def test_a_user_from_whom_the_name_is_hidden_sees_no_former_one(world: World) -> None:
    customer = world.customer(owner="li", name="Otter Ltd")
    rename(world, customer, "Otter Group")

    add_line(world, "p, sales, customer.name, view, own, any, deny")

    assert known(world, "li", customer) == []
    asked = Api(world).ask("li", FORMER, id=global_id(Customer, customer))
    assert asked == {"customer": {"formerNames": []}}
