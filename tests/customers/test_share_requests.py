"""Asking for a share: by number or id, granted, declined with a reason, and what the asker learns of what is hidden."""

from datetime import timedelta

import pytest

from models import Customer, Share, ShareRequest
from models.errors import AlreadyInPool, NotFound, Validation
from models.notice import Notice
from models.share import RequestState, ShareLevel
from resolvers.customers import share_overview
from resolvers.customers import share_requests as requests
from resolvers.customers.sharing import Terms
from tests.support.refusals import refused
from tests.support.world import START, World


def ask(world: World, by: str, customer: int, level: ShareLevel = ShareLevel.VIEW) -> int:
    number = str(world.row(Customer, customer)["number"])
    made: int = world.scope(by).do(requests.request_share, number=number, level=level, reason="We both visit them")
    return made


def told(world: World, login: str) -> list[str]:
    return [row["kind"] for row in world.rows(Notice) if row["receiver_id"] == world.ids[login]]


def test_an_owner_is_asked_and_grants_until_a_time(world: World) -> None:
    customer = world.customer(owner="li")
    asked = ask(world, "mei", customer, ShareLevel.EDIT)
    assert told(world, "li") == ["share_asked"]
    (seen,) = world.run(world.li.read(share_overview.share_requests, waiting=True))
    assert not seen.is_mine

    world.li.do(requests.grant_share_request, asked, Terms(ShareLevel.VIEW, ends_at=START + timedelta(days=1)))

    (share,) = world.rows(Share)
    assert (share["grantee_id"], share["level"]) == (world.ids["mei"], ShareLevel.VIEW)
    assert told(world, "mei") == ["shared"]
    assert world.row(ShareRequest, asked)["state"] == RequestState.GRANTED
    refused(world, world.li, Validation, requests.decline_share_request, asked, "Too late")


def test_an_owner_declines_with_a_reason_and_nobody_else_answers(world: World) -> None:
    customer = world.customer(owner="li")
    asked = ask(world, "mei", customer)
    for stranger in ("mei", "wu"):
        with pytest.raises(NotFound):
            world.scope(stranger).do(requests.grant_share_request, asked)
    with pytest.raises(Validation):
        world.li.do(requests.decline_share_request, asked, " ")

    world.li.do(requests.decline_share_request, asked, "Not now")

    assert told(world, "mei") == ["share_declined"]
    assert world.row(ShareRequest, asked)["answer"] == "Not now"
    assert world.count(Share) == 0
    ask(world, "mei", customer)  # and they may ask again


def test_a_request_is_refused_where_it_makes_no_sense(world: World) -> None:
    mine, pooled, other = world.customer(owner="mei"), world.customer(pool="north"), world.customer(owner="li")
    for customer, kind in ((mine, Validation), (pooled, AlreadyInPool)):
        with pytest.raises(kind):
            ask(world, "mei", customer)
    with pytest.raises(NotFound):
        world.mei.do(requests.request_share, number="no such number", reason="Why not")
    with pytest.raises(NotFound):  # an id says nothing of a customer out of sight
        world.mei.do(requests.request_share, customer_id=other, reason="Why not")
    ask(world, "mei", other)
    with pytest.raises(Validation):
        ask(world, "mei", other)
    assert world.count(ShareRequest) == 1
