"""Locking and unlocking: who is kept out of what, until when, and who may open it unseen."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, inspect, select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from models import Base, Contact, Customer, Event, FollowUp, Notice, Opportunity, Share, User
from models.errors import NotFound, Refusal, Validation
from models.follow_up import FollowUpKind
from models.pool import GranteeKind
from models.share import ShareLevel
from resolvers.access import explain
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.customers.foreign_locks import foreign_locks
from resolvers.pool import release as releasing
from resolvers.records import create_update
from resolvers.runtime.batch import Outcome
from resolvers.runtime.policy_store import current_text, put_in_force
from resolvers.runtime.scope import Scope
from tests.support.claim_checks import codes, organise, refused_like_missing, the, unchanged, whole
from tests.support.panel import Panel
from tests.support.releases import run_clock
from tests.support.world import START, World

HOUR = timedelta(hours=1)
OTHERS = ("wu", "lead", "ada", "fin", "aud")


def lock(world: World, by: str, *ids: int, **how: Any) -> Outcome:
    outcome: Outcome = world.scope(by).do(locking.lock, list(ids), **how)
    return outcome


def unlock(world: World, by: str, *ids: int, **how: Any) -> Outcome:
    outcome: Outcome = world.scope(by).do(locking.unlock, list(ids), **how)
    return outcome


def seen(world: World, login: str, model: type[Base]) -> int:
    """How many records of a kind somebody sees."""

    def count(_scope: Scope, db: Session) -> int:
        return db.execute(select(func.count()).select_from(model)).scalar_one()

    found: int = world.run(world.scope(login).read(count))
    return found


def furnished(world: World) -> int:
    """A customer of Li's with everything that can hang on one, shared with Wu for editing."""
    customer = world.customer(owner="li")
    share(world, customer, "wu", ShareLevel.EDIT)
    contact = world.make(
        Contact, customer_id=customer, name="Ms Chen", points=[{"kind": "PHONE", "value": "13800138000"}]
    )
    chance = world.make(Opportunity, customer_id=customer, name="Deal", owner_id=world.ids["wu"])
    world.make(
        FollowUp,
        customer_id=customer,
        contact_id=contact,
        opportunity_id=chance,
        kind=FollowUpKind.CALL,
        content="Hi",
        happened_at=START,
        owner_id=world.ids["wu"],
    )
    return customer


def share(world: World, customer: int, login: str, level: ShareLevel) -> None:
    with world.backend.writer.engine.begin() as connection:
        connection.execute(
            Share.__table__.insert(),  # type: ignore[attr-defined]
            {
                "customer_id": customer,
                "grantee_kind": GranteeKind.USER,
                "grantee_id": world.ids[login],
                "level": level,
                "starts_at": START,
            },
        )


def test_a_lock_is_written_down_with_its_reason_and_end_and_logged(world: World) -> None:
    customer = world.customer(owner="li")
    mark = world.mark()

    assert lock(world, "li", customer, reason=" signing ", until=START + HOUR).ids == [customer]

    row = world.row(Customer, customer)
    assert (row["locked_by_id"], row["locked_at"]) == (world.ids["li"], START)
    assert (row["lock_reason"], row["lock_expires_at"]) == ("signing", START + HOUR)
    (entry,) = world.log(since=mark)
    assert (entry["action"], entry["reason"]) == ("customer.lock", "signing")
    assert entry["changes"]["locked_by_id"] == [None, world.ids["li"]]
    assert whole(world) == []


def test_from_then_on_others_see_neither_the_customer_nor_what_hangs_on_it(world: World) -> None:
    customer = furnished(world)
    kinds = (Customer, Contact, Opportunity, FollowUp)
    for login in OTHERS:
        assert [seen(world, login, kind) for kind in kinds] == [1, 1, 1, 1], login

    lock(world, "li", customer)

    for login in OTHERS:
        assert [seen(world, login, kind) for kind in kinds] == [0, 0, 0, 0], login
    assert [seen(world, "li", kind) for kind in kinds] == [1, 1, 1, 1]


def test_from_then_on_others_change_neither_the_customer_nor_what_hangs_on_it(world: World) -> None:
    customer = furnished(world)
    (contact,), (chance,) = world.rows(Contact), world.rows(Opportunity)
    lock(world, "li", customer)

    attempts: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
        (create_update.update, (Customer, customer, {"name": "Mine"})),
        (create_update.update, (Contact, contact["id"], {"name": "Mine"})),
        (create_update.update, (Opportunity, chance["id"], {"name": "Mine"})),
        (create_update.create, (Contact, {"customer_id": customer, "name": "New"})),
        (create_update.create, (Opportunity, {"customer_id": customer, "name": "New"})),
        (
            create_update.create,
            (FollowUp, {"customer_id": customer, "kind": "CALL", "content": "x", "happened_at": START}),
        ),
    ]
    for login in ("wu", "lead", "ada"):
        for call, arguments in attempts:
            with unchanged(world), pytest.raises(Refusal) as refused:
                world.scope(login).do(call, *arguments)
            assert refused.value.code() in ("NOT_FOUND", "FORBIDDEN"), (login, call, arguments)
            assert "Acme" not in refused.value.say()
        refused_like_missing(world, login, releasing.release, customer)
        refused_like_missing(world, login, transferring.transfer, customer, world.ids["wu"])
        with unchanged(world):
            assert codes(world.scope(login).do(create_update.delete, Customer, [customer])) == ["NOT_FOUND"]
    world.li.do(create_update.update, Customer, customer, {"name": "Still mine"})
    assert world.row(Customer, customer)["name"] == "Still mine"


def test_an_expired_lock_is_none_from_that_moment_on(world: World) -> None:
    customer = world.customer(owner="li")
    lock(world, "li", customer, until=START + HOUR)

    world.clock.now = START + HOUR - timedelta(milliseconds=1)
    assert (seen(world, "fin", Customer), seen(world, "lead", Customer)) == (0, 0)
    world.clock.pass_by(milliseconds=1)
    assert (seen(world, "fin", Customer), seen(world, "lead", Customer)) == (1, 1)
    with unchanged(world):
        assert codes(unlock(world, "li", customer)) == ["NOT_LOCKED"]
        assert codes(unlock(world, "lead", customer)) == ["NOT_LOCKED"]
    assert world.lead.do(transferring.transfer, [customer], world.ids["wu"]).ids == [customer]
    assert world.row(Customer, customer)["locked_by_id"] is None


def test_a_lock_ends_in_the_future_and_within_reason(world: World) -> None:
    customer = world.customer(owner="li")

    for until in (START, START - HOUR, START.replace(tzinfo=None), START.replace(year=9999)):
        with unchanged(world), pytest.raises(Validation) as refused:
            lock(world, "li", customer, until=until)
        assert (refused.value.field, refused.value.say()) == ("until", "The end of a lock lies in the future.")


def test_a_lock_needs_an_owner(world: World) -> None:
    customer = world.customer(pool="north")

    for login in ("li", "lead", "ada"):
        with unchanged(world):
            assert codes(lock(world, login, customer)) == ["ALREADY_IN_POOL"]


def test_only_the_owner_locks_his_customer(world: World) -> None:
    customer = world.customer(owner="li")

    refused_like_missing(world, "wu", locking.lock, customer)
    for login in ("lead", "fin", "aud"):
        with unchanged(world):
            assert codes(lock(world, login, customer)) == ["FORBIDDEN"]


def test_a_lead_opens_a_lock_unseen_and_that_is_logged_and_the_owner_told(world: World) -> None:
    customer = world.customer(owner="li", phone="010-1234")
    lock(world, "li", customer, reason="mine", until=START + HOUR)
    mark, events = world.mark(), world.count(Event)

    assert unlock(world, "lead", customer, reason="Li is ill").ids == [customer]

    row = world.row(Customer, customer)
    assert [row[key] for key in ("locked_by_id", "locked_at", "lock_reason", "lock_expires_at")] == [None] * 4
    assert (row["owner_id"], row["phone"], row["name"]) == (world.ids["li"], "010-1234", "Acme")
    (entry,) = world.log(since=mark)
    assert (entry["action"], entry["actor_id"], entry["reason"]) == ("customer.unlock", world.ids["lead"], "Li is ill")
    assert entry["changes"]["locked_by_id"] == [world.ids["li"], None]
    told = [(x["topic"], x["action"], x["record_id"]) for x in world.rows(Event)[events:]]
    assert told == [(f"user:{world.ids['li']}", "customer.unlock", customer)]
    assert seen(world, "lead", Customer) == 1


def test_who_opens_his_own_lock_is_not_told_so(world: World) -> None:
    customer = world.customer(owner="li")
    lock(world, "li", customer)
    events = world.count(Event)

    assert unlock(world, "li", customer).ids == [customer]
    assert world.count(Event) == events


def test_before_unlocking_only_number_owner_and_state_are_readable(world: World) -> None:
    customer = world.customer(owner="li", phone="010-1234", remark="secret")
    lock(world, "li", customer, reason="mine")

    def look(scope: Scope) -> dict[str, Any]:
        with scope.write("customer.unlock") as db:
            row = scope.load(db, Customer, customer, to="unlock")
            return {x.key: _read(row, x.key) for x in inspect(Customer).column_attrs}

    values = world.lead.do(look)

    readable = {key for key, value in values.items() if value != "hidden"}
    assert readable == {
        "id",
        "number",
        "owner_id",
        "version",
        *("locked_by_id", "locked_at", "lock_reason", "lock_expires_at"),
        *("deleted_at", "deleted_by_id", "delete_batch_id", "updated_at", "updated_by_id"),
    }
    assert (values["number"], values["owner_id"]) == ("C2026001", world.ids["li"])


def _read(row: Customer, key: str) -> Any:
    try:
        return getattr(row, key)
    except InvalidRequestError:
        return "hidden"


def test_who_may_not_unlock_finds_nothing(world: World) -> None:
    customer = world.customer(owner="li")
    lock(world, "li", customer)
    elsewhere = world.customer(owner="mei")
    lock(world, "mei", elsewhere)

    for login in ("wu", "mei", "fin", "sam"):
        refused_like_missing(world, login, locking.unlock, customer)
    refused_like_missing(world, "lead", locking.unlock, elsewhere)
    assert unlock(world, "ada", customer, elsewhere).ids == [customer, elsewhere]


def test_what_is_not_locked_cannot_be_unlocked(world: World) -> None:
    customer = world.customer(owner="li")

    for login in ("li", "lead", "ada"):
        with unchanged(world):
            assert the(unlock(world, login, customer)).say() == "C2026001 is not locked."
    with unchanged(world):
        assert codes(unlock(world, "fin", customer)) == ["FORBIDDEN"]


def test_a_lock_lifts_when_its_owner_hands_the_customer_on(world: World) -> None:
    customer = world.customer(owner="li")
    lock(world, "li", customer, reason="mine")

    assert world.li.do(transferring.transfer, [customer], world.ids["wu"], lift_lock=True).ids == [customer]

    row = world.row(Customer, customer)
    assert [row[key] for key in ("locked_by_id", "locked_at", "lock_reason", "lock_expires_at")] == [None] * 4
    assert seen(world, "lead", Customer) == 1


def test_a_softer_house_rule_lets_others_read_what_they_may_not_change(world: World) -> None:
    customer = world.customer(owner="li")
    with world.backend.writer.engine.begin() as connection:
        text = current_text(connection).replace(
            "customer, touch, others, locked, deny", "customer, write, others, locked, deny"
        )
        put_in_force(connection, text, "softer", START)
        world.backend.refresh_policy(connection)
    lock(world, "li", customer)

    assert seen(world, "lead", Customer) == 1
    with unchanged(world):
        refusal = the(world.lead.do(transferring.transfer, [customer], world.ids["wu"]))
    assert refusal.say() == "C2026001 is locked by its owner. Ask the owner, or somebody who may unlock it."


def test_a_locked_customer_of_nobody_cannot_be_stored(world: World) -> None:
    organise(world, capacity=5)
    customer = world.customer(pool="north")
    with world.backend.writer.engine.connect() as connection, pytest.raises(Exception, match="lock_needs_owner"):
        connection.execute(
            Customer.__table__.update().where(Customer.id == customer).values(locked_by_id=world.ids["li"])  # type: ignore[attr-defined]
        )
    with pytest.raises(NotFound):
        world.wu.do(create_update.update, Customer, world.customer(owner="li"), {"name": "x"})


# --- foreign locks ---------------------------------------------------------------------------------------


def test_who_may_unlock_finds_the_locks_of_others_without_what_they_close(world: World) -> None:
    hidden, expired, mine, elsewhere = (
        world.customer(name, owner=owner) for name, owner in (("A", "li"), ("B", "li"), ("C", "lead"), ("D", "mei"))
    )
    lock(world, "li", expired, until=START + HOUR)
    world.clock.pass_by(hours=1)
    lock(world, "li", hidden, reason="Zq000reasonq", until=START + 3 * HOUR)
    lock(world, "lead", mine)
    lock(world, "mei", elsewhere)

    def found(login: str) -> list[tuple[int, str, str | None]]:
        locks = world.run(world.scope(login).read(foreign_locks))
        return [(x.id, x.number, x.owner) for x in locks]

    assert found("lead") == [(hidden, "C2026001", "Li Na")]
    assert sorted(found("ada")) == [
        (hidden, "C2026001", "Li Na"),
        (mine, "C2026003", "Lena Lead"),
        (elsewhere, "C2026004", "Mei Lin"),
    ]
    assert [found(login) for login in ("li", "wu", "fin", "sam", "aud", "rolf")] == [[]] * 6
    (line,) = world.run(world.lead.read(foreign_locks))
    assert (line.since, line.until) == (START + HOUR, START + 3 * HOUR)


def test_the_panel_lists_the_locks_of_others_and_unlocks_there(world: World) -> None:
    customer = world.customer("Zq000nameq", owner="li", phone="13000005500")
    panel = Panel(world)
    lead, li = panel.of("lead"), panel.of("li")
    entry = 'href="/admin/locks"'
    assert entry not in lead.get("/admin/").text
    lock(world, "li", customer, reason="Zq000reasonq")

    assert entry in lead.get("/admin/").text
    assert [entry in panel.of(x).get("/admin/").text for x in ("li", "wu", "fin", "rolf")] == [False] * 4
    page = lead.get("/admin/locks").text
    assert [text in page for text in ("C2026001", "Li Na", "Unlock")] == [True] * 3
    assert [text for text in ("Zq000", "13000005500") if text in page] == []
    done = lead.post("/admin/customer/do/unlock", {"ids": f"cus_{customer}", "reason": "Li is ill"})
    assert "Unlock: 1 done" in done.text
    assert "C2026001" not in lead.get("/admin/locks").text
    assert panel.of("fin").get("/admin/locks").status_code == 403
    assert "C2026001" not in li.get("/admin/locks").text


@pytest.mark.parametrize("login", ["li", "lead", "fin", "sam", "ada"])
def test_everybody_who_sees_a_customer_sees_whether_it_is_locked(world: World, login: str) -> None:
    customer = world.customer(owner="li" if login == "fin" else login if login in ("li", "lead", "ada") else "li")

    browser = Panel(world).of(login)

    assert "<dt>Locked</dt>" in browser.get(f"/admin/customer/details/cus_{customer}").text
    assert (
        ">Locked</a>" in browser.get("/admin/customer/list").text
        or ">Locked</th>" in browser.get("/admin/customer/list").text
    )


# --- locks that end with a transfer or a release ----------------------------------------------------------


@pytest.mark.parametrize(("use_case", "to"), [(transferring.transfer, ("wu",)), (releasing.release, ())])
def test_the_owner_confirms_that_a_lock_ends_and_is_told_so(
    world: World, use_case: Callable[..., Outcome], to: tuple[str, ...]
) -> None:
    locked, open_ = world.customer("A", owner="li"), world.customer("B", owner="li")
    lock(world, "li", locked)
    whom = [world.ids[login] for login in to]

    with unchanged(world):
        refusal = the(world.li.do(use_case, [locked], *whom))
    assert (refusal.code(), refusal.field) == ("LOCK_WOULD_END", "liftLock")
    assert refusal.say() == "C2026001 is locked. Its lock ends when it leaves its owner: confirm that."
    assert refusal.say("zh") == "C2026001 已锁定，离开负责人后锁定将解除，请确认。"

    outcome: Outcome = world.li.do(use_case, [locked, open_], *whom, lift_lock=True)

    assert outcome.ids == [locked, open_]
    assert [(x.say(), x.say("zh")) for x in outcome.notes] == [
        ("The lock of C2026001 has ended.", "C2026001 的锁定已解除。")
    ]
    row = world.row(Customer, locked)
    assert (row["locked_by_id"], row["owner_id"]) == (None, whom[0] if whom else None)
    assert whole(world) == []


def test_an_expired_lock_asks_nothing(world: World) -> None:
    customer = world.customer(owner="li")
    lock(world, "li", customer, until=START + HOUR)
    world.clock.pass_by(hours=1)

    outcome = world.li.do(transferring.transfer, [customer], world.ids["wu"])

    assert (outcome.ids, outcome.notes) == ([customer], [])


def test_the_confirmation_gives_no_right_to_others(world: World) -> None:
    customer = world.customer(owner="li")
    lock(world, "li", customer)

    for login in ("wu", "lead", "ada"):
        with unchanged(world):
            outcome = world.scope(login).do(transferring.transfer, [customer], world.ids["wu"], lift_lock=True)
            assert codes(outcome) == ["NOT_FOUND"]


@pytest.mark.parametrize(
    ("language", "label", "after"),
    [
        ("en", "Ends the lock of C2026001.", "The lock of C2026001 has ended."),
        ("zh", "将解除 C2026001 的锁定。", "C2026001 的锁定已解除。"),
    ],
)
@pytest.mark.parametrize(("command", "more"), [("transfer", {"user_id": "wu"}), ("release", {})])
def test_the_dialog_asks_about_the_lock_and_the_answer_says_that_it_ended(
    world: World, command: str, more: dict[str, str], language: str, label: str, after: str
) -> None:
    world.system.do(create_update.update, User, world.ids["li"], {"language": language})
    locked, open_ = world.customer("A", owner="li"), world.customer("B", owner="li")
    lock(world, "li", locked)
    li = Panel(world).of("li")
    given = {key: f"usr_{world.ids[login]}" for key, login in more.items()}

    assert label in li.get(f"/admin/customer/ask/{command}", {"ids": [f"cus_{locked}", f"cus_{open_}"]}).text
    assert 'name="lift_lock"' not in li.get(f"/admin/customer/ask/{command}", {"ids": f"cus_{open_}"}).text
    refused = li.post(f"/admin/customer/do/{command}", {"ids": f"cus_{locked}", **given})
    assert world.row(Customer, locked)["locked_by_id"] == world.ids["li"]
    assert "C2026001" in refused.text
    done = li.post(f"/admin/customer/do/{command}", {"ids": f"cus_{locked}", "lift_lock": "y", **given})
    assert after in done.text
    assert world.row(Customer, locked)["locked_by_id"] is None


# --- what was deleted from a locked customer ---------------------------------------------------------------


def test_a_contact_deleted_from_a_locked_customer_is_restored_unseen_by_who_may_restore_contacts(world: World) -> None:
    customer = furnished(world)
    (contact,), (chance,) = world.rows(Contact), world.rows(Opportunity)
    kept = world.make(Contact, customer_id=customer, name="Zq000keptq")
    assert world.li.do(create_update.delete, Contact, [contact["id"]]).ids == [contact["id"]]
    lock(world, "li", customer)

    for login in ("li", "wu", "fin", "sam", "mei"):
        with unchanged(world):
            assert codes(world.scope(login).do(create_update.restore, Contact, [contact["id"]])) in (
                ["NOT_FOUND"],
                ["FORBIDDEN"],
            )
    for login in ("lead", "ada"):
        for action in (create_update.restore, create_update.delete):
            with unchanged(world):
                refusal = the(world.scope(login).do(action, Contact, [kept]))
                assert (refusal.code(), "Zq000" in refusal.say()) == ("NOT_FOUND", False)
        with unchanged(world), pytest.raises(Refusal):
            world.scope(login).do(create_update.update, Contact, contact["id"], {"name": "Mine"})

    assert world.lead.do(create_update.restore, Contact, [contact["id"]]).ids == [contact["id"]]

    assert world.row(Contact, contact["id"])["deleted_at"] is None
    assert seen(world, "lead", Contact) == 0
    assert seen(world, "li", Contact) == 2
    assert whole(world) == []
    assert chance["deleted_at"] is None


def test_the_panel_lists_what_was_deleted_from_locked_customers_without_showing_it(world: World) -> None:
    customer = world.customer(owner="li")
    contact = world.make(Contact, customer_id=customer, name="Zq000nameq")
    world.li.do(create_update.delete, Contact, [contact])
    panel = Panel(world)
    lead = panel.of("lead")
    assert f"con_{contact}" not in lead.get("/admin/locks").text  # it is in the bin, where it is seen
    lock(world, "li", customer)

    page = lead.get("/admin/locks").text

    assert (f"con_{contact}" in page, "Zq000" in page) == (True, False)
    assert f"con_{contact}" not in lead.get("/admin/bin-contact/list").text
    assert "Restore: 1 done" in lead.post("/admin/bin-contact/do/restore", {"ids": f"con_{contact}"}).text
    assert f"con_{contact}" not in lead.get("/admin/locks").text


def test_the_reasons_for_restoring_say_the_same_as_the_attempt(world: World) -> None:
    customer = world.customer(owner="li")
    contact = world.make(Contact, customer_id=customer, name="A")
    world.li.do(create_update.delete, Contact, [contact])
    lock(world, "li", customer)

    for login, allowed in (("lead", True), ("ada", True), ("mei", False), ("fin", False)):
        asked = world.run(world.system.read(explain.explain_access, world.ids[login], "restore", Contact, contact))
        assert asked.allowed is allowed, login


def test_a_lock_that_ends_is_lifted_and_its_owner_told_once(world: World) -> None:
    ended = START + timedelta(days=2)
    customer, other = world.customer(owner="li"), world.customer(owner="wu")
    world.scope("li").do(locking.lock, [customer], "Contract", ended)
    world.scope("wu").do(locking.lock, [other])
    world.clock.pass_by(days=3)

    for _ in range(2):
        run_clock(world)

    row = world.row(Customer, customer)
    assert (row["locked_by_id"], row["lock_expires_at"], row["exempt_until"]) == (None, None, ended)
    assert world.row(Customer, other)["locked_by_id"] == world.ids["wu"]
    assert [(x["receiver_id"], x["record_id"]) for x in world.rows(Notice) if x["kind"] == "lock_expired"] == [
        (world.ids["li"], customer)
    ]
    assert world.log("customer", customer)[-1]["actor_name"] == "system:pool"
