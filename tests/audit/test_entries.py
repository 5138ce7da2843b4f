"""The operation log: what stands in it after changes of every kind, what never does, and that it stays as written."""

import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

from models import (
    ENTITIES,
    AuditEntry,
    AuditSeal,
    ClaimRule,
    Contact,
    Customer,
    Entity,
    FollowUp,
    NumberRule,
    Opportunity,
    Organisation,
    Pool,
)
from models.audit.entries import SILENT, guarded_update
from models.audit.proof import entry_hash, plain, values_hash
from models.base import columns
from models.contact import ContactPoint
from models.errors import Validation
from models.follow_up import FollowUpKind
from resolvers.audit.seal import Horizon, seal
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.people import passwords, tokens
from resolvers.people import sign_in as signing_in
from resolvers.pool import claim as claiming
from resolvers.records import create_update
from resolvers.runtime.batch import Mode
from resolvers.runtime.scope import Scope
from tests.support.claim_checks import refused_like_missing
from tests.support.engines import at_length_on_postgresql
from tests.support.world import START, World

NOON = datetime(2026, 12, 24, 12, 30, 15, 250_000, tzinfo=UTC)


def edit(world: World, login: str, model: type[Entity], id: int, **values: Any) -> list[dict[str, Any]]:
    """What the log says after somebody's edit."""
    mark = world.mark()
    world.scope(login).do(create_update.update, model, id, values)
    return world.log(since=mark)


def changes(entries: list[dict[str, Any]]) -> list[Any]:
    return [entry["changes"] for entry in entries]


def points(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"kind": kind, "value": value} for kind, value in pairs]


# --- what is written -------------------------------------------------------------------------------------


def test_a_change_says_who_did_what_when_through_which_door(world: World) -> None:
    id, mark = world.customer("Acme", "li"), world.mark()
    scope = world.backend.scope(world.principal("li"), "graphql", request_id="r1", batch_id="b1")

    scope.do(create_update.update, Customer, id, {"name": "Acme Ltd", "industry": "steel"})

    (said,) = world.log(since=mark)
    header = {key: said[key] for key in ("at", "actor_id", "actor_name", "behalf_id", "door", "request_id", "batch_id")}
    assert header == {
        "at": START,
        "actor_id": world.ids["li"],
        "actor_name": "Li Na",
        "behalf_id": None,
        "door": "graphql",
        "request_id": "r1",
        "batch_id": "b1",
    }
    what = {key: said[key] for key in ("action", "entity", "record_id", "label", "outcome", "reason", "changes")}
    assert what == {
        "action": "customer.edit",
        "entity": "customer",
        "record_id": id,
        "label": world.row(Customer, id)["number"],
        "outcome": "OK",
        "reason": None,
        "changes": {"name": ["Acme", "Acme Ltd"], "industry": [None, "steel"]},
    }


@at_length_on_postgresql
def test_the_records_of_one_request_share_a_batch_and_two_requests_do_not(world: World) -> None:
    ids, mark = [world.customer("A", "li"), world.customer("B", "li")], world.mark()

    world.li.do(locking.lock, ids, reason="talks")
    world.li.do(locking.unlock, ids, reason="over")

    said = [(x["action"], x["record_id"], x["reason"]) for x in world.log("customer", since=mark)]
    locked, unlocked = (
        [(f"customer.{what}", id, why) for id in ids] for what, why in (("lock", "talks"), ("unlock", "over"))
    )
    assert said == [*locked, *unlocked]
    batches = [x["batch_id"] for x in world.log("customer", since=mark)]
    assert (batches[0], batches[2]) == (batches[1], batches[3])
    assert batches[0] != batches[2]


@at_length_on_postgresql
def test_a_new_record_is_logged_with_every_value_that_it_has(world: World) -> None:
    customer, mark = world.customer("Acme", "li"), world.mark()

    id = world.make(Contact, customer_id=customer, name="Ann", is_primary=True, birthday=date(1990, 2, 28))

    (said,) = world.log(since=mark)
    assert (said["action"], said["entity"], said["record_id"], said["label"]) == (
        "contact.create",
        "contact",
        id,
        "Ann",
    )
    assert said["changes"] == {
        "customer_id": [None, customer],
        "name": [None, "Ann"],
        "is_primary": [None, True],
        "do_not_contact": [None, False],
        "birthday": [None, "1990-02-28"],
    }


def test_amounts_times_days_words_and_yes_or_no_keep_their_kind(world: World) -> None:
    customer = world.customer("Acme", "li")
    deal = world.make(
        Opportunity, customer_id=customer, name="Deal", amount=Decimal(1200), expected_close=date(2026, 12, 1)
    )
    said = {"kind": FollowUpKind.CALL, "content": "called", "happened_at": START}
    call = world.li.do(create_update.create, FollowUp, {"customer_id": customer} | said).id
    ann = world.make(Contact, customer_id=customer, name="Ann")

    assert changes(
        edit(world, "li", Opportunity, deal, amount=Decimal("1200.50"), expected_close=date(2026, 12, 24))
    ) == [{"amount": ["1200.00", "1200.50"], "expected_close": ["2026-12-01", "2026-12-24"]}]
    assert changes(edit(world, "li", FollowUp, call, kind="VISIT", happened_at=NOON)) == [
        {"kind": ["CALL", "VISIT"], "happened_at": ["2026-11-24T08:00:00.000Z", "2026-12-24T12:30:15.250Z"]}
    ]
    assert changes(edit(world, "li", Contact, ann, do_not_contact=True)) == [{"do_not_contact": [False, True]}]
    assert changes(edit(world, "ada", Pool, world.ids["north"], retain_days=30)) == [{"retain_days": [None, 30]}]


@at_length_on_postgresql
def test_an_edit_to_the_same_value_leaves_no_trace(world: World) -> None:
    deal = world.make(Opportunity, customer_id=world.customer(), name="Deal", amount=Decimal(5))

    assert edit(world, "li", Opportunity, deal, amount=Decimal("5.00"), name="Deal") == []


def test_the_log_replayed_gives_every_record_of_every_kind_as_it_is(world: World) -> None:
    live_through_much(world)

    compared = {
        model.__tablename__: len(rows) for model in ENTITIES if (rows := world.rows(model)) and replays(world, model)
    }
    assert compared.keys() == {model.__tablename__ for model in ENTITIES}


def live_through_much(world: World) -> None:
    customer, pooled = world.customer("Acme", "li", contact_name="Ann"), world.customer("Stone", pool="north")
    world.rule("north", daily_quota=5)
    world.make(NumberRule, for_module="customer", pattern="K{seq:4}")
    deal = world.make(Opportunity, customer_id=customer, name="Deal", amount=Decimal("7.10"))
    world.make(FollowUp, customer_id=customer, opportunity_id=deal, kind="NOTE", content="x", happened_at=NOON)
    world.li.do(claiming.claim, [pooled])
    world.li.do(locking.lock, [pooled], until=NOON)
    world.lead.do(transferring.transfer, [customer], world.ids["wu"])
    world.system.do(create_update.delete, Customer, [customer])
    world.system.do(create_update.restore, Customer, [customer])
    for model, values in ((ClaimRule, {"daily_quota": 6}), (Organisation, {"name": "Mill", "capacity": 3})):
        world.system.do(create_update.update, model, 1, values)


def replays(world: World, model: type[Entity]) -> bool:
    """Whether the log, from the first old to the last new value of every field, ends where the rows are."""
    for row in world.rows(model):
        told: dict[str, Any] = {}
        for said in world.log(model.__tablename__, row["id"]):
            for field, (old, new) in said["changes"].items():
                assert told.get(field, old) == old, (model, row["id"], field)
                told[field] = new
        here = {column.key: plain(row[column.key]) for column in columns(model) if column.key not in SILENT}
        known = told.keys() if model is Organisation else here.keys()  # the organisation is there from the beginning
        assert {key: told.get(key) for key in known} == {key: here[key] for key in known}, (model, row["id"])
    return True


def test_a_purged_record_leaves_its_last_values_and_those_of_its_parts(world: World) -> None:
    customer = world.customer("Acme", "li")
    ann = world.make(Contact, customer_id=customer, name="Ann", points=points(("PHONE", "2001"), ("PHONE", "2002")))
    world.system.do(create_update.delete, Contact, [ann])
    mark = world.mark()

    world.system.do(create_update.purge, Contact, [ann], confirm=True)

    (said,) = world.log(since=mark)
    assert (said["action"], said["label"]) == ("contact.purge", "Ann")
    assert said["changes"] == {
        "customer_id": [customer, None],
        "name": ["Ann", None],
        "is_primary": [False, None],
        "do_not_contact": [False, None],
        "deleted_at": ["2026-11-24T08:00:00.000Z", None],
        "delete_batch_id": [said["changes"]["delete_batch_id"][0], None],
        "phone": [["2001", "2002"], None],
    }


# --- parts -----------------------------------------------------------------------------------------------


def test_several_phones_changed_at_once_are_one_field_of_the_contact_and_none_is_lost(world: World) -> None:
    customer = world.customer("Acme", "li")
    mark = world.mark()
    ann = world.make(Contact, customer_id=customer, name="Ann", points=points(("PHONE", "2001"), ("EMAIL", "a@b.cn")))
    born = [x["changes"] for x in world.log("contact", ann, since=mark)]
    assert born[-1] == {"phone": [None, "2001"], "email": [None, "a@b.cn"]}

    more = edit(world, "li", Contact, ann, points=points(("PHONE", "2002"), ("PHONE", "2003"), ("EMAIL", "a@b.cn")))
    assert changes(more) == [{"phone": ["2001", ["2002", "2003"]]}]
    assert [(x["entity"], x["record_id"], x["label"], x["action"]) for x in more] == [
        ("contact", ann, "Ann", "contact.edit")
    ]

    turned = edit(world, "li", Contact, ann, points=points(("PHONE", "2003"), ("PHONE", "2002"), ("EMAIL", "a@b.cn")))
    assert changes(turned) == [{"phone": [["2002", "2003"], ["2003", "2002"]]}]

    assert changes(edit(world, "li", Contact, ann, points=[])) == [
        {"phone": [["2003", "2002"], None], "email": ["a@b.cn", None]}
    ]


@at_length_on_postgresql
def test_a_field_and_a_phone_changed_together_stand_in_one_entry_when_written_together(world: World) -> None:
    ann = world.make(Contact, customer_id=world.customer(), name="Ann", points=points(("PHONE", "2001")))
    mark = world.mark()

    def rename(scope: Scope) -> None:
        with scope.write("contact.edit") as db:
            contact, phone = world.session(db, Contact, ann), world.session(db, ContactPoint, 1)
            contact.name, phone.value = "Anna", "2009"

    world.system.do(rename)

    (said,) = world.log(since=mark)
    assert (said["label"], said["changes"]) == ("Anna", {"name": ["Ann", "Anna"], "phone": ["2001", "2009"]})


@at_length_on_postgresql
def test_a_phone_that_moves_is_logged_at_both_contacts_also_when_they_are_not_at_hand(world: World) -> None:
    customer = world.customer()
    ann = world.make(Contact, customer_id=customer, name="Ann", points=points(("PHONE", "2001"), ("PHONE", "2002")))
    bob = world.make(Contact, customer_id=customer, name="Bob")
    mark = world.mark()

    def move(scope: Scope) -> None:
        with scope.write("contact.edit") as db:
            world.session(db, ContactPoint, 1).contact_id = bob

    world.system.do(move)

    assert [(x["record_id"], x["label"], x["changes"]) for x in world.log(since=mark)] == [
        (ann, "Ann", {"phone": [["2001", "2002"], "2002"]}),
        (bob, "Bob", {"phone": [None, "2001"]}),
    ]


# --- how it is written -----------------------------------------------------------------------------------


@at_length_on_postgresql
def test_a_value_set_before_anybody_has_read_it_is_logged_with_its_old_one(world: World) -> None:
    id, mark = world.customer("Acme"), world.mark()

    def rename(scope: Scope) -> None:
        with scope.write("customer.edit") as db:
            row = world.session(db, Customer, id)
            db.expire(row)
            row.name = "Acme Ltd"

    world.system.do(rename)

    assert changes(world.log(since=mark)) == [{"name": ["Acme", "Acme Ltd"]}]


@at_length_on_postgresql
def test_a_use_case_inside_another_logs_its_own_action_and_the_outer_goes_on_with_its_own(world: World) -> None:
    id, mark = world.customer("Acme"), world.mark()

    def outer(scope: Scope) -> None:
        with scope.write("customer.edit", "tidying") as db:
            row = scope.load(db, Customer, id, to="edit")
            row.name = "One"
            create_update.create(scope, Contact, {"customer_id": id, "name": "Ann"})
            with scope.write("customer.transfer", "moved"):
                row.phone = "1"
            row.name = "Two"

    world.system.do(outer)

    said = [
        (x["action"], x["reason"], x["changes"].get("name"), x["changes"].get("phone")) for x in world.log(since=mark)
    ]
    assert said == [
        ("customer.edit", "tidying", ["Acme", "One"], None),
        ("contact.create", "tidying", [None, "Ann"], None),
        ("customer.transfer", "moved", None, [None, "1"]),
        ("customer.edit", "tidying", ["One", "Two"], None),
    ]
    assert len({x["batch_id"] for x in world.log(since=mark)}) == 1


@at_length_on_postgresql
def test_a_nested_use_case_that_is_undone_leaves_no_entry(world: World) -> None:
    id, mark = world.customer("Acme"), world.mark()

    def outer(scope: Scope) -> None:
        with scope.write("customer.edit") as db:
            row = scope.load(db, Customer, id, to="edit")
            with pytest.raises(Validation):
                misspell(scope, row)
            row.phone = "1"

    world.system.do(outer)

    assert changes(world.log(since=mark)) == [{"phone": [None, "1"]}]


def misspell(scope: Scope, row: Customer) -> None:
    """Write a wrong name down, and then think better of it."""
    with scope.write("customer.edit") as db:
        row.name = "Wrong"
        db.flush()
        raise Validation("no", "否")


def test_a_guarded_update_logs_what_it_changed_and_only_that(world: World) -> None:
    ids = [world.customer(name) for name in ("A", "B")]
    before = {id: {"name": name, "phone": None} for id, name in zip(ids, "AB", strict=True)}
    table, mark = Customer.__table__.c, world.mark()

    def rename(scope: Scope) -> list[int]:
        with scope.write("customer.edit") as db:
            to_b = update(Customer).where(table.id.in_(ids)).values(name="B", phone="1", version=table.version + 1)
            return guarded_update(db, to_b, Customer, before)

    assert sorted(world.system.do(rename)) == ids
    said = {x["record_id"]: (x["action"], x["label"], x["changes"]) for x in world.log(since=mark)}
    numbers = [world.row(Customer, id)["number"] for id in ids]
    assert said == {
        ids[0]: ("customer.edit", numbers[0], {"name": ["A", "B"], "phone": [None, "1"]}),
        ids[1]: ("customer.edit", numbers[1], {"phone": [None, "1"]}),
    }


@at_length_on_postgresql
def test_a_guarded_update_of_a_row_whose_old_values_are_unknown_is_undone(world: World) -> None:
    id, mark = world.customer("A"), world.mark()

    def rename(scope: Scope) -> None:
        with scope.write("customer.edit") as db:
            guarded_update(db, update(Customer).where(Customer.__table__.c.id == id).values(name="B"), Customer, {})

    with pytest.raises(RuntimeError, match=f"the old name of customer {id} was not given"):
        world.system.do(rename)
    assert (world.row(Customer, id)["name"], world.log(since=mark)) == ("A", [])


# --- refusals --------------------------------------------------------------------------------------------


def test_an_attempt_without_the_right_is_logged_though_it_was_undone(world: World) -> None:
    refused_like_missing(world, "wu", locking.lock, world.customer("Acme", "mei"))

    world.customer("Acme", "li")
    mark = world.mark()
    with pytest.raises(Exception, match="roles do not allow"):
        world.aud.do(create_update.create, Customer, {"name": "Mine"})
    (said,) = world.log(since=mark)
    assert (said["outcome"], said["action"], said["actor_id"], said["changes"]) == (
        "DENIED",
        "customer.create",
        world.ids["aud"],
        {},
    )


@at_length_on_postgresql
def test_a_refusal_of_the_business_is_not_logged(world: World) -> None:
    id, mark = world.customer("Acme", "li"), world.mark()

    with pytest.raises(Validation):
        world.li.do(create_update.update, Customer, id, {"name": ""})

    assert world.li.do(locking.unlock, [id]).problems[0].code() == "NOT_LOCKED"
    assert world.log(since=mark) == []


@at_length_on_postgresql
def test_in_a_batch_that_is_undone_only_the_denied_record_is_logged(world: World) -> None:
    mine, hers, mark = world.customer("Mine", "li"), world.customer("Hers", "mei"), world.mark()

    world.li.do(locking.lock, [mine, hers], mode=Mode.ALL_OR_NOTHING)

    assert [(x["record_id"], x["outcome"]) for x in world.log(since=mark)] == [(hers, "DENIED")]


# --- secrets ---------------------------------------------------------------------------------------------


@at_length_on_postgresql
def test_no_password_and_no_token_is_anywhere_in_the_log(world: World) -> None:
    first, second = "correct horse 42", "battery staple 43"
    world.system.do(passwords.set_password, "li", passwords.hash_password(first), one_time=True)
    begun = world.run(signing_in.sign_in(world.backend.scope(None, "graphql"), "li", first))
    world.run(passwords.change_password(world.li, first, second))
    made = world.li.do(tokens.create_token, "robot")
    world.li.do(tokens.revoke_token, made.id)

    said = "\n".join(str(row) for row in world.log())
    secrets = [first, second, begun.token, made.token, made.token[3:20], "argon2"]
    with world.backend.writer.engine.connect() as connection:
        for table, column in (
            ("credential", "password_hash"),
            ("api_token", "token_hash"),
            ("sign_in_session", "token_hash"),
        ):
            secrets += connection.execute(text(f"SELECT {column} FROM {table}")).scalars()
    assert len(secrets) == 9
    assert [secret for secret in secrets if secret in said] == []
    assert "robot" in said, "what happened is there all the same"


# --- it stays as written ---------------------------------------------------------------------------------

TAMPERING = {
    "audit_entry": ("UPDATE audit_entry SET label = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"),
    "audit_seal": ("UPDATE audit_seal SET count = 0", "DELETE FROM audit_seal", "TRUNCATE audit_seal"),
}


@pytest.mark.parametrize("table", TAMPERING)
def test_the_database_refuses_to_change_or_delete_what_was_logged(world: World, table: str) -> None:
    horizon, end = Horizon(), time.monotonic() + 10
    while not world.count(AuditSeal) and time.monotonic() < end:  # other databases of the server are waited for
        with world.backend.writer.engine.begin() as connection:
            seal(connection, world.clock.now, horizon)
    rows = {model: world.rows(model) for model in (AuditEntry, AuditSeal)}
    assert all(rows.values())

    last = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
    statements = (*TAMPERING[table][:2], TAMPERING[table][2] if world.backend.dialect == "postgresql" else last)
    for statement in statements:
        with (
            pytest.raises(DBAPIError, match=f"{table} is append-only"),
            world.backend.writer.engine.begin() as connection,
        ):
            connection.execute(text(statement))

    assert {model: world.rows(model) for model in (AuditEntry, AuditSeal)} == rows


def test_every_entry_carries_the_hash_of_all_that_it_says(world: World) -> None:
    world.system.do(create_update.update, Customer, world.customer("Acme"), {"remark": "铸 “x”\n"})
    row = world.log()[-1]
    assert (values_hash(row), entry_hash(row)) == (row["values_hash"], row["hash"])

    others: dict[str, Any] = {key: f"{row[key]}!" for key in row if isinstance(row[key], str)}
    others |= {"at": NOON, "actor_id": 1, "behalf_id": 1, "record_id": 0, "label": "x", "reason": "x"}
    others |= {"changes": {"remark": [None, "铸 “y”\n"]}}
    for key in row.keys() - {"id", "hash", "values_hash"}:
        other = row | {key: others[key]}
        assert entry_hash(other | {"values_hash": values_hash(other)}) != row["hash"], key


@at_length_on_postgresql
def test_two_entries_that_say_the_same_have_different_value_hashes(world: World) -> None:
    id = world.customer("A")
    for name in ("B", "A", "B"):
        world.system.do(create_update.update, Customer, id, {"name": name})

    first, _, third = world.log("customer", id)[-3:]
    assert first["changes"] == third["changes"] == {"name": ["A", "B"]}
    assert first["values_hash"] != third["values_hash"]


@at_length_on_postgresql
def test_records_change_only_inside_a_use_case_that_names_its_action(world: World) -> None:
    id, mark = world.customer("A"), world.mark()

    def forgetful(scope: Scope) -> None:
        with scope.write("customer.edit") as db:
            del db.info["signature"]
            world.session(db, Customer, id).name = "B"

    with pytest.raises(RuntimeError, match=r"inside scope\.write"):
        world.system.do(forgetful)
    assert (world.row(Customer, id)["name"], world.log(since=mark)) == ("A", [])
