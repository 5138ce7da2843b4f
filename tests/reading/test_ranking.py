"""The best match comes first, the caller's own among equals, and nothing that the caller may not see moves a record."""

from typing import Any

import pytest

from models import Contact, Customer, Entity, Opportunity, User
from resolvers.reading import pages, ranking, search_lookup
from resolvers.reading.pages import ListRequest
from resolvers.reading.ranking import Ranked, ranked
from tests.support.refusals import add_line
from tests.support.world import World

PHONE = "13800138000"


def best(world: World, text: str, login: str = "ada", model: type[Entity] = Customer, limit: int = 50) -> Ranked:
    return world.run(world.scope(login).read(ranked, model, text, limit))


def names(world: World, text: str, login: str = "ada", model: type[Entity] = Customer) -> list[str]:
    """The names of what is found, best first; a chooser offers the same."""
    found = best(world, text, login, model)
    shown = world.run(
        world.scope(login).read(pages.page, ListRequest(model, ("name",), search=text, best_first=True, binned=None))
    )
    assert [row.id for row in shown.rows] == found.ids
    return [row["name"] for row in shown.rows]


def contact(world: World, customer: int, name: str, *phones: str) -> int:
    points = [{"kind": "PHONE", "value": phone} for phone in phones]
    return world.make(Contact, customer_id=customer, name=name, points=points)


def test_an_exact_phone_comes_before_names_and_these_by_where_the_text_stands(world: World) -> None:
    world.customer("Elsewhere", email="pine@x.example")
    for name in ("The Pine", "Pine Ltd", "Pine"):
        world.customer(name)
    exact = world.customer("Exact")
    world.make(Contact, customer_id=exact, name="Ann", points=[{"kind": "WECHAT", "value": "Pine"}])
    contact(world, world.customer("By contact"), "Pine")

    assert names(world, "pine") == ["Exact", "Pine", "Pine Ltd", "The Pine", "By contact", "Elsewhere"]
    assert names(world, "PINE ltd") == ["Pine Ltd"]
    assert best(world, "pine", limit=1) == Ranked([exact], 6)


def test_an_exact_number_or_phone_comes_first_however_it_is_written(world: World) -> None:
    for name in ("One", "Two", "C2026002"):
        world.customer(name)
    contact(world, 1, "Ann", PHONE)
    world.customer(f"A {PHONE}")

    assert names(world, "c2026002") == ["Two", "C2026002"]
    for typed in (PHONE, "+86 138-0013 8000"):
        assert names(world, typed)[0] == "One", typed
    assert names(world, "138 0013 8000") == ["One", f"A {PHONE}"]
    assert names(world, PHONE, model=Contact) == ["Ann"]


def test_own_records_come_before_newer_ones_of_equal_rank(world: World) -> None:
    for name, owner in (("Pine 1", "wu"), ("Pine 2", "mei"), ("Pine 3", "wu"), ("Fir pine", "mei")):
        world.clock.pass_by(minutes=1)
        world.customer(name, owner)

    assert names(world, "pine", "fin") == ["Pine 3", "Pine 2", "Pine 1", "Fir pine"]
    add_line(world, "p, sales, customer, view, all, any, allow")
    assert names(world, "pine", "mei") == ["Pine 2", "Pine 3", "Pine 1", "Fir pine"]


@pytest.mark.parametrize("most", [1_000, 2])
def test_of_too_many_exact_matches_come_first_then_the_newest(
    world: World, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(ranking, "MOST_RANKED", most)
    monkeypatch.setattr(search_lookup, "FEW", most)
    for n, name in enumerate(("Pine", "Old pine", "C2026009 pine", "Pine new")):
        world.clock.pass_by(minutes=n)
        world.customer(name)

    assert names(world, "pine")[0] == "Pine"
    found = best(world, "pine")
    assert (found.is_capped, found.count) == ((False, 4) if most > 4 else (True, 3))
    assert len(found.ids) == 4
    assert names(world, "C2026") == ["Pine new", "C2026009 pine", "Old pine", "Pine"]
    contact(world, 2, "Ann", "10086")
    for n in range(3):
        contact(world, 3, f"Bo {n}", f"10086{n}")
    assert names(world, "10086", model=Contact)[0] == "Ann"


def test_a_hidden_value_moves_nothing_to_the_front(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    pooled = world.customer(f"North {PHONE} Works", pool="north", phone=PHONE)
    own = world.customer(f"{PHONE} Trade", "li")
    expected = [own, pooled]

    assert best(world, PHONE, "fin").ids == [pooled, own]
    assert best(world, PHONE, "li").ids == expected
    contact(world, pooled, "Ann", PHONE)
    assert best(world, PHONE, "li").ids == expected
    monkeypatch.setattr(ranking, "MOST_RANKED", 1)
    assert best(world, PHONE, "li").ids == expected


def test_models_without_an_index_are_ranked_by_their_names(world: World) -> None:
    assert names(world, "li n", model=User) == ["Li Na"]
    pine = world.customer("Pine")
    for name in ("A deal", "Big pine", "Pine", "Pine two"):
        world.make(Opportunity, customer_id=pine, name=name, owner_id=world.ids["li"])

    assert names(world, "PINE", model=Opportunity) == ["Pine", "Pine two", "Big pine", "A deal"]


@pytest.mark.parametrize("text", ["", " ", "\x01", "%", "'", "a" * 100])
def test_odd_texts_are_answered(world: World, text: Any) -> None:
    world.customer("Acme")

    assert best(world, text) == Ranked([], 0)
