"""Sharing customers: who may, what a share opens and until when, passing on, revoking, and what ownership ends."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Base, Contact, Customer, Department, FollowUp, Opportunity, Plan, Role, Share
from models.errors import AlreadyInPool, Forbidden, NotFound, Validation
from models.notice import Notice
from models.pool import GranteeKind
from models.share import INCLUDED, ShareLevel
from resolvers.customers import lock as locking
from resolvers.customers import share_ending, share_overview, sharing
from resolvers.customers.share_overview import ShareSide, ShareState
from resolvers.customers.sharing import Terms
from resolvers.customers.transfer import transfer
from resolvers.merging.merge import merge
from resolvers.pool.release import release
from resolvers.records import create_update, recycle_bin
from resolvers.runtime.batch import Outcome
from resolvers.runtime.scope import Scope
from tests.support.claim_checks import codes, the, unchanged
from tests.support.graphql import Api
from tests.support.world import START, World

DAY = timedelta(days=1)
USER = GranteeKind.USER


def share(world: World, by: str, customer: int, *to: str, **terms: Any) -> Outcome:
    """The outcome of sharing with users, by their logins."""
    grantees = [(USER, world.ids[login]) for login in to]
    outcome: Outcome = world.scope(by).do(sharing.share_customers, [customer], grantees, Terms(**terms))
    return outcome


def seen(world: World, login: str, model: type[Base] = Customer) -> list[int]:
    def ids(_scope: Scope, db: Session) -> list[int]:
        return list(db.execute(select(model.id).order_by(model.id)).scalars())  # type: ignore[attr-defined]

    found: list[int] = world.run(world.scope(login).read(ids))
    return found


def only(world: World) -> int:
    ((row),) = world.rows(Share)
    return int(row["id"])


def told(world: World, login: str) -> list[str]:
    return [row["kind"] for row in world.rows(Notice) if row["receiver_id"] == world.ids[login]]


def states(world: World, login: str, side: ShareSide = ShareSide.RECEIVED) -> list[ShareState]:
    return [x.state for x in world.run(world.scope(login).read(share_overview.shares, side))]


def test_a_share_opens_its_customer_until_its_very_end_and_is_told_and_logged(world: World) -> None:
    customer = world.customer(owner="li")

    assert share(world, "li", customer, "mei", ends_at=START + DAY).ids == [customer]

    assert seen(world, "mei") == [customer]
    assert states(world, "mei") == states(world, "li", ShareSide.GIVEN) == [ShareState.ACTIVE]
    assert told(world, "mei") == ["shared"]
    assert world.log("customer", customer)[-1]["action"] == "customer.share"
    world.clock.now = START + DAY
    assert seen(world, "mei") == []
    assert states(world, "mei") == [ShareState.ENDED]


def test_a_share_opens_the_related_records_that_it_includes_and_no_others(world: World) -> None:
    customer = world.customer(owner="li")
    rows = {
        "contact": (Contact, world.make(Contact, customer_id=customer, name="Ms Chen")),
        "opportunity": (Opportunity, world.make(Opportunity, customer_id=customer, name="Mill", currency="CNY")),
    }
    for module, (model, id) in rows.items():
        share(world, "li", customer, "mei", include=frozenset({module}), level=ShareLevel.EDIT)

        assert seen(world, "mei") == [customer]
        for other, (kind, row) in rows.items():
            assert seen(world, "mei", kind) == ([row] if other == module else [])
        world.mei.do(create_update.update, model, id, {"name": "Changed"})
    assert seen(world, "mei", FollowUp) == seen(world, "mei", Plan) == []


def test_a_share_is_refused_without_a_right_or_a_time_and_to_an_owner(world: World) -> None:
    customer, pooled = world.customer(owner="li"), world.customer(pool="north")
    with unchanged(world):
        assert isinstance(the(share(world, "wu", customer, "mei")), NotFound)
        assert isinstance(the(share(world, "li", customer, "li")), Validation)
        assert isinstance(the(share(world, "ada", pooled, "mei")), AlreadyInPool)
        for terms in ({"ends_at": START}, {"starts_at": START + DAY, "ends_at": START + DAY}, {"include": {"user"}}):
            with pytest.raises(Validation):
                share(world, "li", customer, "mei", **terms)
        with pytest.raises(Validation):
            world.li.do(sharing.share_customers, [customer], [], Terms())


def test_a_second_share_with_the_same_user_changes_the_first_alone(world: World) -> None:
    customer = world.customer(owner="li")
    share(world, "li", customer, "mei", "wu", ends_at=START + DAY)
    share(world, "li", customer, "mei", level=ShareLevel.EDIT, ends_at=START + 2 * DAY)

    rows = {row["grantee_id"]: (row["level"], row["ends_at"]) for row in world.rows(Share)}
    assert rows == {
        world.ids["mei"]: (ShareLevel.EDIT, START + 2 * DAY),
        world.ids["wu"]: (ShareLevel.VIEW, START + DAY),
    }
    assert told(world, "mei") == ["shared", "share_changed"]
    with unchanged(world):
        share(world, "li", customer, "wu", ends_at=START + DAY)  # as it is
    world.li.do(sharing.update_shares, [row["id"] for row in world.rows(Share)], Terms(ends_at=START + 5 * DAY))
    assert {row["ends_at"] for row in world.rows(Share)} == {START + 5 * DAY}


def test_a_share_is_passed_on_only_if_it_allows_it_and_never_wider(world: World) -> None:
    customer = world.customer(owner="li")
    share(world, "li", customer, "mei", ends_at=START + DAY, include=frozenset({"contact"}))
    with unchanged(world):
        assert isinstance(the(share(world, "mei", customer, "wu", ends_at=START + DAY)), Forbidden)
    narrow = {"ends_at": START + DAY, "include": frozenset({"contact"})}
    share(world, "li", customer, "mei", may_reshare=True, **narrow)

    for wider in (
        {"level": ShareLevel.EDIT},
        {"ends_at": None},
        {"ends_at": START + 2 * DAY},
        {"include": INCLUDED.keys()},
    ):
        with unchanged(world):
            given = {**narrow, **wider, "include": frozenset(wider.get("include", {"contact"}))}  # type: ignore[call-overload]
            assert codes(share(world, "mei", customer, "wu", **given)) == ["VALIDATION"]
    assert share(world, "mei", customer, "wu", **narrow).ids == [customer]
    assert customer in seen(world, "wu")

    mine = next(row["id"] for row in world.rows(Share) if row["grantee_id"] == world.ids["mei"])
    with pytest.raises(Forbidden):
        world.wu.do(sharing.revoke_shares, [mine])
    world.li.do(sharing.revoke_shares, [mine])
    assert seen(world, "mei") == seen(world, "wu") == []
    assert told(world, "mei")[-1] == told(world, "wu")[-1] == "share_revoked"


def test_a_lock_suspends_shares_and_its_end_brings_them_back(world: World) -> None:
    customer = world.customer(owner="li")
    share(world, "li", customer, "mei")
    world.li.do(locking.lock, [customer])

    assert seen(world, "mei") == []
    assert states(world, "mei") == [ShareState.SUSPENDED]
    world.li.do(locking.unlock, [customer])
    assert seen(world, "mei") == [customer]


def test_a_user_gives_up_what_is_shared_with_them(world: World) -> None:
    customer = world.customer(owner="li")
    share(world, "li", customer, "mei")
    world.mei.do(sharing.revoke_shares, [only(world)])

    assert seen(world, "mei") == []
    assert states(world, "mei") == [ShareState.REVOKED]
    with pytest.raises(NotFound):
        world.li.do(sharing.revoke_shares, [only(world)])


def test_grantees_are_told_once_of_the_end_three_days_and_one_day_before_and_at_it(world: World) -> None:
    customer = world.customer(owner="li")
    share(world, "li", customer, "mei", ends_at=START + 5 * DAY)

    expected = ["shared"]
    for moment, kind in ((1, None), (2, "share_ending"), (3, None), (4, "share_ending"), (5, "share_ended"), (9, None)):
        world.clock.now = START + moment * DAY
        world.ada.do(_tell)
        world.ada.do(_tell)
        expected += [kind] if kind else []
        assert told(world, "mei") == expected, moment
    assert told(world, "li") == ["share_ended"]


def _tell(scope: Scope) -> None:
    with scope.write("customer.share") as db:
        share_ending.tell_of_ends(scope, db, 100)


def test_a_share_that_grows_longer_is_told_of_anew_and_a_revoked_one_no_more(world: World) -> None:
    customer = world.customer(owner="li")
    share(world, "li", customer, "mei", ends_at=START + 2 * DAY)
    world.clock.now = START + 1 * DAY
    world.ada.do(_tell)
    share(world, "li", customer, "mei", ends_at=START + 9 * DAY)
    world.clock.now = START + 6 * DAY
    world.ada.do(_tell)
    assert told(world, "mei") == ["shared", "share_ending", "share_changed", "share_ending"]

    world.li.do(sharing.revoke_shares, [only(world)])
    world.clock.now = START + 10 * DAY
    world.ada.do(_tell)
    assert told(world, "mei")[4:] == ["share_revoked"]


def test_what_ownership_does_to_shares(world: World) -> None:
    moved, pooled = world.customer(owner="li"), world.customer(owner="li")
    for customer in (moved, pooled):
        share(world, "li", customer, "mei", "wu")

    world.ada.do(transfer, [moved], world.ids["wu"])
    assert seen(world, "mei") == [moved, pooled]  # a new owner keeps the shares
    world.wu.do(transfer, [moved], world.ids["li"])
    assert moved not in seen(world, "wu")  # what was shared with an owner has ended

    assert world.li.do(release, [pooled]).ids == [pooled]
    assert all(row["revoked_at"] for row in world.rows(Share) if row["customer_id"] == pooled)


def test_a_merge_takes_shares_along_and_the_bin_gives_them_back(world: World) -> None:
    winner, loser = world.customer(owner="li"), world.customer(owner="li")
    share(world, "li", loser, "mei")
    world.ada.do(recycle_bin.delete, Customer, [loser])
    assert seen(world, "mei") == []
    world.ada.do(recycle_bin.restore, Customer, [loser])
    assert seen(world, "mei") == [loser]

    world.ada.do(merge, winner, [loser])
    assert seen(world, "mei") == [winner]


def test_new_departments_and_roles_inherit_nothing(world: World) -> None:
    customer = world.customer(owner="li")
    dept, role = world.make(Department, name="Short"), world.make(Role, name="Brief", code="brief")
    grantees = [(GranteeKind.DEPARTMENT, dept), (GranteeKind.ROLE, role)]
    assert world.ada.do(sharing.share_customers, [customer], grantees, Terms()).ids == [customer]
    for model, id in ((Department, dept), (Role, role)):
        world.ada.do(recycle_bin.delete, model, [id])
        world.ada.do(recycle_bin.purge, model, [id], confirm=True)
    assert world.count(Share) == 0

    newer = world.make(Department, name="Later"), world.make(Role, name="Later", code="later")
    assert newer[0] > dept
    assert newer[1] > role
    world.ids["later"] = newer[1]
    world.user("nova", "Nova Lin", "later", "house")
    assert seen(world, "nova") == []


def test_a_share_out_of_sight_is_refused_like_one_that_is_missing(world: World) -> None:
    """Or numbers of shares would tell which customers are shared."""
    customer = world.customer(owner="li")
    world.ada.do(sharing.share_customers, [customer], [(GranteeKind.USER, world.ids["wu"])], Terms())
    hidden, api = f"shr_{world.rows(Share)[0]['id']}", Api(world)

    for field, more in (("revokeShares", {}), ("updateShares", {"terms": {"level": "VIEW"}})):
        shown, missing = (
            str(api.change("mei", field, {"ids": [id], **more}, "problems { code message params recordId }")).replace(
                id, "X"
            )
            for id in (hidden, "shr_987654")
        )
        assert shown == missing
        assert "NOT_FOUND" in shown


def test_each_share_is_a_node_however_many_there_are(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share_overview, "MOST", 1)
    for _ in range(2):
        world.li.do(
            sharing.share_customers, [world.customer(owner="li")], [(GranteeKind.USER, world.ids["wu"])], Terms()
        )
    ids, api = [f"shr_{row['id']}" for row in world.rows(Share)], Api(world)

    for login in ("li", "wu"):
        for id in ids:
            assert api.ask(login, "query ($id: ID!) { node(id: $id) { id } }", id=id)["node"] == {"id": id}
