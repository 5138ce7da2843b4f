"""Subscriptions: what a subscriber is told, by which rights, and when they are told no more."""

import asyncio

import pytest
from sqlalchemy.orm import Session

from models import Customer, PoolMember
from models.pool import Seat
from resolvers.customers.lock import lock
from resolvers.customers.transfer import transfer
from resolvers.jobs.kinds import Progress, Work
from resolvers.live import listeners
from resolvers.notices import inbox
from resolvers.people.sign_in import sign_out
from resolvers.pool.claim import claim
from resolvers.pool.release import release
from resolvers.records.create_update import update
from resolvers.records.recycle_bin import delete
from resolvers.runtime.scope import Scope
from tests.support.jobs import Jobs
from tests.support.live import Subscribers
from tests.support.refusals import add_line
from tests.support.world import World

POOL = "subscription ($id: ID!) { poolChanged(poolId: $id) { changes { customerId left customer { name phone } } } }"
CUSTOMER = "subscription ($id: ID!) { customerChanged(id: $id) { customerId customer { name phone } } }"
TOLD = "subscription { notificationAdded { notifications { title } unreadCount } }"
JOB = "subscription ($id: ID!) { jobProgress(id: $id) { state done total } }"


def test_members_of_a_pool_are_told_who_comes_and_who_leaves(world: World, subscribers: Subscribers) -> None:
    north, customer = world.ids["north"], world.customer("Acme", pool="north", phone="010-1")
    id = f"cus_{customer}"

    async def test() -> None:
        li = await subscribers.subscribe("li", POOL, id=f"poo_{north}")
        lead = await subscribers.subscribe("lead", POOL, id=f"poo_{north}")

        await subscribers.do("wu", claim, [customer])
        assert await li.data() == {"changes": [{"customerId": id, "left": True, "customer": None}]}
        (seen,) = (await lead.data())["changes"]
        assert (seen["left"], seen["customer"]["name"]) == (True, "Acme")

        await subscribers.do("wu", release, [customer], north)
        (back,) = (await li.data())["changes"]
        assert (back["left"], back["customer"]["name"]) == (False, "Acme")
        for each in (li, lead):
            await each.close()
        assert len(subscribers.hub.listeners) == 0

    subscribers.run(test)


def test_what_a_viewer_never_saw_does_not_betray_itself_by_leaving(world: World, subscribers: Subscribers) -> None:
    add_line(world, "p, role_manager, pool, view, all, any, allow")  # sees the pool, and nothing that lies in it
    customer = world.customer("Hidden", pool="north")

    async def test() -> None:
        rolf, li = [await subscribers.subscribe(x, POOL, id=f"poo_{world.ids['north']}") for x in ("rolf", "li")]
        await subscribers.do("wu", claim, [customer])
        assert [x["customerId"] for x in (await li.data())["changes"]] == [f"cus_{customer}"]
        assert await rolf.is_quiet()
        for each in (rolf, li):
            await each.close()

    subscribers.run(test)


def test_a_pool_out_of_sight_is_not_found_and_one_that_was_lost_ends_the_stream(
    world: World, subscribers: Subscribers
) -> None:
    north = world.ids["north"]
    seat = world.seat("north", "mei", Seat.VIEWER)

    async def test() -> None:
        mei = await subscribers.subscribe("mei", POOL, id=f"poo_{north}")
        assert await (await subscribers.subscribe("sam", POOL, id="poo_99")).code() == "NOT_FOUND"
        assert mei.answers.empty()
        await subscribers.do("system", remove, seat)
        await subscribers.do("li", claim, [customer])
        assert await mei.code() == "NOT_FOUND"

    def remove(scope: Scope, id: int) -> None:
        delete(scope, PoolMember, [id])

    customer = world.customer("Acme", pool="north")
    subscribers.run(test)


def test_who_signs_out_is_told_so_at_the_next_event_and_nothing_else(world: World, subscribers: Subscribers) -> None:
    customer = world.customer("Acme", pool="north")

    async def test() -> None:
        token = subscribers.token("li")
        li = await subscribers.subscribe("li", POOL, token, id=f"poo_{world.ids['north']}")
        await subscribers.do("li", sign_out, token)
        await subscribers.do("wu", claim, [customer])
        assert await li.code() == "UNAUTHENTICATED"
        assert li.was_ended

    subscribers.run(test)


def test_a_session_that_ended_is_found_out_without_an_event(
    world: World, subscribers: Subscribers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "LOOK_SECONDS", 0.05)

    async def test() -> None:
        token = subscribers.token("li")
        li = await subscribers.subscribe("li", TOLD, token)
        await subscribers.do("li", sign_out, token)
        assert await li.code() == "UNAUTHENTICATED"

    subscribers.run(test)


def test_a_customer_is_told_when_what_was_selected_changes_and_not_by_what_is_hidden(
    world: World, subscribers: Subscribers
) -> None:
    add_line(world, "p, sales, customer.phone, view, all, any, deny")
    customer = world.customer("Acme", phone="010-1")

    async def test() -> None:
        li = await subscribers.subscribe("li", CUSTOMER, id=f"cus_{customer}")
        ada = await subscribers.subscribe("ada", CUSTOMER, id=f"cus_{customer}")
        await subscribers.do("ada", update, Customer, customer, {"phone": "010-2"}, 1)
        assert (await ada.data())["customer"]["phone"] == "010-2"
        assert await li.is_quiet()
        await subscribers.do("ada", update, Customer, customer, {"name": "Bolt"}, 2)
        assert (await li.data())["customer"] == {"name": "Bolt", "phone": None}
        await subscribers.do("ada", transfer, [customer], world.ids["mei"])
        assert (await li.data())["customer"] is None
        assert await (await subscribers.subscribe("sam", CUSTOMER, id="cus_99")).code() == "NOT_FOUND"
        for each in (li, ada):
            await each.close()

    subscribers.run(test)


def test_notifications_come_to_their_receiver_alone_with_the_number_of_the_bell(
    world: World, subscribers: Subscribers
) -> None:
    customer = world.customer("Acme")

    async def test() -> None:
        li, wu = [await subscribers.subscribe(login, TOLD) for login in ("li", "wu")]
        await subscribers.do("ada", lock, [customer])
        told = {"notifications": [{"title": "Acme was locked"}], "unreadCount": 1}
        assert await li.data() == told
        await subscribers.do("li", inbox.mark_read)
        assert await li.data() == {"notifications": [], "unreadCount": 0}
        assert wu.answers.empty()
        for each in (li, wu):
            await each.close()

    subscribers.run(test)


def test_the_progress_of_a_job_ends_with_the_job(
    world: World, subscribers: Subscribers, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = Jobs(world, monkeypatch)

    def count(_scope: Scope, _db: Session, work: Work) -> Progress:
        return Progress(work.position + 1, 1, total=2, more=work.position < 1)

    jobs.declare("count", count)
    job = jobs.enqueue("count")

    async def test() -> None:
        li = await subscribers.subscribe("li", JOB, id=f"job_{job}")
        assert await li.data() == {"state": "WAITING", "done": 0, "total": None}
        await asyncio.to_thread(jobs.run_due)
        while (told := await li.data())["state"] != "DONE":
            assert told["done"] <= 2
        assert told == {"state": "DONE", "done": 2, "total": 2}
        assert await li.next() is None
        assert await (await subscribers.subscribe("wu", JOB, id=f"job_{job}")).code() == "NOT_FOUND"

    subscribers.run(test)


def test_subscribers_of_one_person_and_document_share_one_reading(
    world: World, subscribers: Subscribers, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = world.customer("Acme", pool="north")

    async def test() -> None:
        several = [await subscribers.subscribe("li", POOL, id=f"poo_{world.ids['north']}") for _ in range(5)]
        await subscribers.do("wu", claim, [customer])
        answers = [await each.data() for each in several]
        assert all(answer == answers[0] for answer in answers)
        assert len(subscribers.live.readings) == 1
        for each in several:
            await each.close()

    subscribers.run(test)


def test_bad_documents_and_plain_queries_are_answered_and_end(world: World, subscribers: Subscribers) -> None:
    async def test() -> None:
        bad = await subscribers.subscribe("li", "subscription { no }")
        assert "no" in (await bad.next() or {})["errors"][0]["message"]
        two = await subscribers.subscribe(
            "li", "subscription { notificationAdded { unreadCount } b: notificationAdded { unreadCount } }"
        )
        assert (await two.next() or {})["errors"]
        plain = await subscribers.subscribe("li", "{ me { user { name } } }")
        assert (await plain.data())["user"]["name"] == "Li Na"
        assert await plain.next() is None

    subscribers.run(test)
