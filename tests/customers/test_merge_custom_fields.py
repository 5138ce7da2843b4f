"""Custom fields in merges: compared one by one, merged as columns are, and back where they were after an undoing."""

from decimal import Decimal
from typing import Any

from models import Customer
from models.custom_field import CustomKind
from resolvers.records import create_update
from tests.support.custom_fields import define, with_lines
from tests.support.merging import compared, merged, undone
from tests.support.world import World


def customs(world: World, id: int) -> Any:
    return world.row(Customer, id)["custom"]


def test_custom_fields_are_merged_and_undone_one_by_one(world: World) -> None:
    define(world, "size")
    define(world, "score", CustomKind.NUMBER)
    define(world, "partner", CustomKind.REFERENCE)
    other = world.customer("Partner", "mei")
    winner = world.customer("Otter Ltd", "li", **{"custom.size": "Big"})
    held = {"custom.size": "Small", "custom.score": Decimal(7), "custom.partner": other}
    loser = world.customer("Otter", "li", **held)

    found = {x.key: (x.proposed, dict(x.values)) for x in compared(world, winner, loser).differences}
    assert found["custom.size"] == (winner, {winner: "Big", loser: "Small"})
    assert found["custom.score"] == (loser, {winner: None, loser: Decimal(7)})

    done = merged(world, winner, loser)
    assert customs(world, winner) == {"size": "Big", "score": "7", "partner": other}
    assert customs(world, loser) == {"size": "Small", "score": "7", "partner": other}

    world.ada.do(create_update.update, Customer, winner, {"custom.partner": None})
    undone(world, done.id)
    assert customs(world, winner) == {"size": "Big"}
    assert customs(world, loser) == {"size": "Small", "score": "7", "partner": other}


def test_a_hidden_custom_field_is_not_compared(world: World) -> None:
    define(world, "size")
    first, second = (world.customer(f"Otter {n}", "li", **{"custom.size": f"Size {n}"}) for n in range(2))
    with_lines(world, "p, *, customer.custom.size, view, all, any, deny")

    assert "custom.size" not in {x.key for x in compared(world, first, second).differences}
    merged(world, first, second)
    assert customs(world, first) == {"size": "Size 0"}
