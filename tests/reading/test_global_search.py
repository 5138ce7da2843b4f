"""Global search: every kind that one may view, grouped, ranked and counted, and nothing by what one may not see."""

from typing import Any

import pytest

from models import ENTITIES, Contact, Customer, Department, FollowUp, Opportunity, User
from models.errors import TooManyAttempts, Validation
from resolvers.reading import global_search, pages, search_lookup
from resolvers.reading.global_search import FOUND, Group
from resolvers.reading.pages import ListRequest
from resolvers.records import recycle_bin
from resolvers.runtime.budgets import Budgets, Costly
from tests.support.refusals import add_line
from tests.support.secrecy import SECRET
from tests.support.world import World


def found(world: World, text: str, login: str = "ada", **more: Any) -> list[Group]:
    return world.run(global_search.global_search(world.scope(login), text, **more))


def titles(groups: list[Group]) -> dict[str, list[str]]:
    return {group.model.__name__: [hit.title for hit in group.hits] for group in groups}


def told(groups: list[Group]) -> list[Any]:
    """All that an answer says."""
    return [(group.model, group.count, group.is_capped, group.hits) for group in groups]


def about(world: World, customer: int, name: str) -> None:
    """A contact, an opportunity and a follow-up of a customer."""
    point = [{"kind": "PHONE", "value": SECRET}]
    world.make(Contact, customer_id=customer, name=f"Ann {name}", points=point)
    world.make(Opportunity, customer_id=customer, name=f"Deal {name}")
    world.make(FollowUp, customer_id=customer, kind="CALL", content=f"Called\nabout {name}", happened_at=world.clock())


def test_every_kind_with_a_search_box_is_searched_and_says_where_a_record_stands(world: World) -> None:
    about(world, world.customer("Lena Works", owner="li"), "Lena")
    world.customer("Lenard", pool="north")

    groups = found(world, "lena")

    said = {group.model: [(hit.title, hit.subtitle) for hit in group.hits] for group in groups}
    assert said == {
        Customer: [("Lenard", "C2026002 · North"), ("Lena Works", "C2026001 · Li Na")],
        Contact: [("Ann Lena", "Lena Works")],
        Opportunity: [("Deal Lena", "Lena Works")],
        FollowUp: [("Called about Lena", "Lena Works")],
        User: [("Lena Lead", "lead · East")],
    }
    assert set(FOUND) == {model for model in ENTITIES if model.search and not model.singleton}


def test_a_whole_number_or_name_comes_first_then_a_beginning_and_ones_own_before_those_of_others(world: World) -> None:
    for name, owner in (("Big Acme", "li"), ("ACME", "wu"), ("Acme South", "li"), ("Acme West", "wu")):
        world.clock.pass_by(minutes=1)
        world.customer(name, owner=owner)
    world.customer("About C2026001 only")

    (customers,) = found(world, "acme", "lead")
    (numbered,) = found(world, "c2026001")

    assert [hit.title for hit in customers.hits] == ["ACME", "Acme West", "Acme South", "Big Acme"]
    assert [hit.is_exact for hit in customers.hits] == [True, False, False, False]
    assert [(hit.title, hit.is_exact) for hit in numbered.hits] == [("Big Acme", True), ("About C2026001 only", False)]
    assert titles(found(world, "acme", "li")) == {"Customer": ["Acme South", "Big Acme"]}


@pytest.mark.parametrize("login", ["ada", "li"])
def test_a_group_counts_what_the_list_of_the_same_text_shows(world: World, login: str) -> None:
    for n in range(7):
        about(world, world.customer(f"Granite {n}", owner=("li", "mei", "wu")[n % 3]), f"granite {n}")

    for text in ("granite 2", "C2026", "8999", "e"):
        groups = {group.model: group for group in found(world, text, login, size=3)}
        for model in FOUND:
            wanted = ListRequest(model, (), search=text, size=50)
            listed = world.run(world.scope(login).read(pages.page, wanted))
            group = groups.get(model)
            assert (group.count if group else 0) == listed.count, (text, model)
            assert {hit.id for hit in group.hits} <= {row.id for row in listed.rows} if group else True
            assert len(group.hits) == min(3, listed.count) if group else True


def test_more_than_are_counted_are_counted_as_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(global_search, "MOST_COUNTED", 3)
    for n in range(5):
        about(world, world.customer(f"Granite {n}"), f"granite {n}")

    groups = found(world, "granite")

    assert {(group.model, group.count, group.is_capped) for group in groups} == {
        (model, 3, True) for model in (Customer, Contact, Opportunity, FollowUp)
    }


def test_of_very_many_the_exact_one_comes_first_however_old_it_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(global_search, "MOST_COUNTED", 4)
    monkeypatch.setattr(global_search, "LATEST", 4)
    monkeypatch.setattr(search_lookup, "FEW", 2)
    for name in (
        "Granite",
        *(f"Old Granite {n}" for n in range(5)),
        "Granite new",
        *(f"New Granite {n}" for n in range(3)),
    ):
        world.clock.pass_by(minutes=1)
        world.customer(name)

    (customers,) = found(world, "granite", size=3)
    (old,) = found(world, "old", size=20)

    assert [hit.title for hit in customers.hits] == ["Granite", "Granite new", "New Granite 2"]
    assert (customers.count, customers.is_capped) == (4, True)
    assert [hit.title for hit in old.hits] == [f"Old Granite {n}" for n in (4, 3, 2, 1, 0)]


def test_what_one_may_not_see_changes_no_group_no_count_and_no_order(world: World) -> None:
    add_line(world, "p, sales, customer.phone, view, all, any, deny")
    for n in range(3):
        world.customer(f"Li's granite {n}", owner="li", phone=f"1380000000{n}")
    texts = ("granite", "li's", SECRET, "8999", "ann", "deal", "called", "C2026", "C2026004", "1380000", "mei", "e")
    before = {text: told(found(world, text, "li", size=20)) for text in texts}
    shown = repr(before["granite"])

    hidden = world.customer("Li's granite", owner="mei", phone=SECRET)
    about(world, hidden, "granite")
    with world.backend.writer.engine.begin() as connection:  # the hidden phones of what Li sees change, too
        connection.exec_driver_sql(f"UPDATE customer SET phone = '{SECRET}' WHERE id <> {hidden}")

    assert {text: told(found(world, text, "li", size=20)) for text in texts} == before
    assert "granite 0" in shown
    assert "Mei" not in shown
    assert titles(found(world, SECRET, "mei"))["Customer"] == ["Li's granite"]


def test_a_kind_that_one_may_not_view_has_no_group(world: World) -> None:
    add_line(world, "p, sales, department, view, all, any, deny")
    add_line(world, "p, sales, user, view, all, any, deny")

    assert Department in {group.model for group in found(world, "e")}
    assert not {Department, User} & {group.model for group in found(world, "e", "li")}


def test_records_in_the_bin_are_left_out(world: World) -> None:
    id = world.customer("Granite", owner="li")
    about(world, id, "granite")
    world.scope("ada").do(recycle_bin.delete, Customer, [id])

    assert found(world, "granite") == []


def test_a_text_without_words_finds_nothing_and_a_long_one_is_refused(world: World) -> None:
    assert found(world, "") == found(world, " \u200b\0 ") == []
    with pytest.raises(Validation):
        found(world, "x" * 101)
    with pytest.raises(Validation):
        found(world, " ".join(f"w{n}" for n in range(20)))


def test_a_search_costs_one_of_the_budget_of_searches(world: World) -> None:
    world.backend.budgets = Budgets({Costly.SEARCHES: 2}, lambda: 0.0)

    found(world, "a")
    found(world, "a")

    with pytest.raises(TooManyAttempts):
        found(world, "a")
