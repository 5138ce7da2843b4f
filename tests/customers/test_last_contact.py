"""The last contact of a customer: the same as its follow-ups say, whichever way they came, and which of them count."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from random import Random
from threading import Barrier
from typing import Any

import pytest

from models import Customer, FollowUp, Organisation
from models.follow_up_errors import (
    CopyDoesNotCount,
    EarlierDoesNotCount,
    FutureDoesNotCount,
    KindDoesNotCount,
    TooShortToCount,
)
from models.last_contact import FOLLOWED, fill_last_contacts, stale_last_contacts
from resolvers.merging.merge import merge
from resolvers.merging.unmerge import unmerge
from resolvers.pool.assign import assign
from resolvers.pool.release import release
from resolvers.records import create_update
from tests.support.engines import at_length_on_postgresql
from tests.support.world import START, World


def written(world: World, customer: int, by: str = "li", ago: timedelta = timedelta(), **values: Any) -> FollowUp:
    """A follow-up with a text of its own."""
    given = {"kind": "CALL", "content": f"Spoke about order {world.count(FollowUp)}", **values}
    made: FollowUp = world.scope(by).do(
        create_update.create,
        FollowUp,
        {"customer_id": customer, "happened_at": world.clock.now - ago, **given},
    )
    return made


def last(world: World, customer: int) -> tuple[datetime | None, int | None]:
    row = world.row(Customer, customer)
    return row["last_follow_up_at"], row["last_follow_up_by_id"]


def said(world: World, customer: int) -> tuple[datetime | None, int | None]:
    """What the follow-ups of a customer say, by a model in Python."""
    mine = [x for x in world.rows(FollowUp) if x["customer_id"] == customer and x["counts"] and not x["deleted_at"]]
    newest = max(mine, key=lambda x: (x["happened_at"], x["id"]), default=None)
    return (newest["happened_at"], newest["owner_id"]) if newest else (None, None)


def test_the_newest_follow_up_stays_whichever_is_written_last(world: World) -> None:
    customer = world.customer(owner="li")
    world.clock.pass_by(days=9)

    assert last(world, customer) == (None, None)
    written(world, customer, ago=timedelta(days=2))
    written(world, customer, "lead", ago=timedelta(days=1))
    written(world, customer, ago=timedelta(days=3))

    assert last(world, customer) == (world.clock.now - timedelta(days=1), world.ids["lead"])


def test_a_client_whose_clock_is_a_little_fast_has_followed_up_all_the_same(world: World) -> None:
    customer = world.customer(owner="li")
    follow_up = written(world, customer, ago=-timedelta(seconds=50))

    assert (follow_up.counts, last(world, customer)) == (True, (follow_up.happened_at, world.ids["li"]))


def test_the_version_of_the_customer_stays_and_its_log_says_nothing(world: World) -> None:
    customer = world.customer(owner="li")
    before, mark = world.row(Customer, customer), world.mark()

    written(world, customer)

    changed = {key for key, value in world.row(Customer, customer).items() if value != before[key]}
    assert changed == {"last_follow_up_at", "last_follow_up_by_id"}
    assert world.log("customer", customer, since=mark) == []


class Walk:
    """Steps at random through every way in which a follow-up changes."""

    def __init__(self, world: World) -> None:
        self.world, self.random, self.merges = world, Random(17), list[int]()
        self.steps = [self.write, self.write, self.write, self.date, self.reword]
        self.steps += [self.delete, self.restore, self.purge, self.merge, self.unmerge]

    def ago(self) -> timedelta:
        return timedelta(hours=self.random.randrange(900))

    def customers(self) -> list[int]:
        return [x["id"] for x in self.world.rows(Customer) if x["deleted_at"] is None]

    def one(self, *, binned: bool = False) -> list[int]:
        found = [x["id"] for x in self.world.rows(FollowUp) if bool(x["deleted_at"]) is binned]
        return [self.random.choice(found)] if found else []

    def write(self) -> None:
        text = self.random.choice(("!", "A talk", "A long talk"))
        written(self.world, self.random.choice(self.customers()), "ada", self.ago(), content=text)

    def date(self) -> None:
        for id in self.one():
            at = self.world.clock.now - self.ago()
            self.world.ada.do(create_update.update, FollowUp, id, {"happened_at": at})

    def reword(self) -> None:
        for id in self.one():
            text = self.random.choice(("?", "Changed"))
            self.world.ada.do(create_update.update, FollowUp, id, {"content": text})

    def delete(self) -> None:
        self.world.ada.do(create_update.delete, FollowUp, self.one())

    def restore(self) -> None:
        self.world.ada.do(create_update.restore, FollowUp, self.one(binned=True))

    def purge(self) -> None:
        self.world.ada.do(create_update.purge, FollowUp, self.one(binned=True), confirm=True)

    def merge(self) -> None:
        if len(self.customers()) > 1:
            winner, loser = self.random.sample(self.customers(), 2)
            self.merges.append(self.world.ada.do(merge, winner, [loser]).id)

    def unmerge(self) -> None:
        if self.merges:
            self.world.ada.do(unmerge, merge_id=self.merges.pop())


def test_every_way_to_a_follow_up_keeps_the_customer(world: World) -> None:
    """A walk through create, edit, delete, restore, purge, merge and its undoing, against the model."""
    rows = [world.customer(f"Acme {n}", owner="li") for n in range(3)]
    world.clock.pass_by(days=30)
    walk = Walk(world)

    for _ in range(60):
        walk.random.choice(walk.steps)()
        world.clock.pass_by(minutes=1)
        assert {id: last(world, id) for id in rows} == {id: said(world, id) for id in rows}
    assert walk.merges or any(row["action"] == "customer.unmerge" for row in world.log("customer"))
    with world.backend.writer.engine.connect() as connection:
        assert list(stale_last_contacts(connection)) == []


def test_the_last_contact_goes_to_the_bin_with_the_customer_and_comes_back(world: World) -> None:
    customer = world.customer(owner="li")
    written(world, customer)

    world.ada.do(create_update.delete, Customer, [customer])
    assert last(world, customer) == (None, None)
    world.ada.do(create_update.restore, Customer, [customer])

    assert last(world, customer) == (START, world.ids["li"])


@pytest.mark.parametrize(
    ("rule", "given", "notice"),
    [
        ({"note_counts": False}, {"kind": "NOTE"}, KindDoesNotCount),
        ({"follow_up_characters": 5}, {"content": "a b c\u3000 d"}, TooShortToCount),
        ({}, {"ago": -timedelta(minutes=1, seconds=1)}, FutureDoesNotCount),
        ({}, {"ago": timedelta(days=2)}, EarlierDoesNotCount),
    ],
)
def test_what_does_not_count_leaves_the_customer_alone_and_says_why(
    world: World, rule: dict[str, Any], given: dict[str, Any], notice: type
) -> None:
    customer = world.customer(owner="li")
    if rule:
        world.ada.do(create_update.update, Organisation, 1, rule)
    world.clock.pass_by(days=1)

    made = written(world, customer, **given)

    assert [type(x) for x in made.notices] == [notice]
    assert (made.counts, last(world, customer)) == (False, (None, None))
    good = written(world, customer)
    assert (good.counts, good.notices, last(world, customer)) == (True, [], (world.clock.now, world.ids["li"]))


def test_a_text_that_its_author_wrote_before_does_not_count_at_any_customer(world: World) -> None:
    one, two = world.customer("One", owner="li"), world.customer("Two", owner="li")
    written(world, one, content="No answer, will call again.")
    world.clock.pass_by(days=29)

    copy = written(world, two, content="  No answer;\nwill CALL again")
    other = written(world, one, "lead", content="No answer, will call again")
    assert ([type(x) for x in copy.notices], other.notices) == ([CopyDoesNotCount], [])
    assert copy.notices[0].say() == (
        "It was saved, but it does not count as a contact: you wrote the same text within the last 30 days."
    )
    assert last(world, two) == (None, None)

    world.clock.pass_by(days=30)
    assert written(world, two, content="No answer, will call again").counts


def test_an_edit_is_judged_anew_and_the_first_of_two_equal_texts_stays(world: World) -> None:
    customer = world.customer(owner="li")
    world.clock.pass_by(hours=1)
    first = written(world, customer, content="Called about steel")
    world.clock.pass_by(hours=1)
    second = written(world, customer, content="Met the buyer")

    edited = world.li.do(create_update.update, FollowUp, second.id, {"content": "called about STEEL"})
    assert [type(x) for x in edited.notices] == [CopyDoesNotCount]
    assert last(world, customer)[0] == first.happened_at
    again = world.li.do(create_update.update, FollowUp, first.id, {"content": "Called about steel."})
    assert (again.notices, last(world, customer)[0]) == ([], first.happened_at)


def test_a_contact_of_the_former_owner_still_counts_after_a_correction(world: World) -> None:
    """What was done before the present owner's time stays a contact when its text is corrected, not when it is moved."""
    customer = world.customer(owner="li")
    world.clock.pass_by(days=1)
    old = written(world, customer, content="Sent the offr")
    world.clock.pass_by(days=1)
    world.ada.do(release, [customer], world.ids["north"])
    world.ada.do(assign, [customer], world.ids["wu"])

    world.ada.do(create_update.update, FollowUp, old.id, {"content": "Sent the offer"})
    assert last(world, customer)[0] == old.happened_at
    world.ada.do(create_update.update, FollowUp, old.id, {"happened_at": old.happened_at - timedelta(hours=2)})
    assert last(world, customer) == (None, None)


@at_length_on_postgresql
def test_what_follows_the_last_contact_is_told_in_the_same_flush(world: World) -> None:
    customer, heard = world.customer(owner="li"), list[list[int]]()

    def hear(_session: object, ids: Any) -> None:
        heard.append([*ids])

    FOLLOWED.append(hear)
    try:
        made = written(world, customer)
        world.li.do(create_update.update, FollowUp, made.id, {"contact_id": None})
        assert heard == [[customer]]
        world.ada.do(create_update.delete, FollowUp, [made.id])
        assert heard == [[customer], [customer]]
    finally:
        FOLLOWED.remove(hear)


def test_a_last_contact_that_came_another_way_is_found_and_repaired(world: World) -> None:
    customer = world.customer(owner="li")
    written(world, customer)
    with world.backend.writer.engine.begin() as connection:
        connection.execute(Customer.__table__.update().values(last_follow_up_at=None))
        (sentence,) = stale_last_contacts(connection)
        assert "run millpond reindex" in sentence
        assert fill_last_contacts(connection) == 1
        assert list(stale_last_contacts(connection)) == []
    assert last(world, customer) == (START, world.ids["li"])


def test_users_who_write_at_once_leave_the_newest(world: World) -> None:
    """Four users write, and half of it is deleted; whoever commits last, the customer shows what is left."""
    customer = world.customer(owner="li")
    world.clock.pass_by(days=9)
    barrier = Barrier(4)

    def work(login: str, first: int) -> None:
        barrier.wait()
        for n in range(6):
            made = written(world, customer, login, timedelta(hours=(first + 5 * n) % 24), content=f"{login} {n}")
            if n % 2:
                world.ada.do(create_update.delete, FollowUp, [made.id])

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, login, n) for n, login in enumerate(("li", "ada", "lead", "sam"))]:
            done.result()

    assert last(world, customer) == said(world, customer)
    assert world.count(FollowUp, FollowUp.deleted_at.is_(None)) == 12
