"""Erasure of a person: what is gone, what stays, and that the log is proved all the same."""

import json
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from models import AuditEntry, Comment, Contact, ContactPoint, Customer, FollowUp, Opportunity, User
from models.audit.proof import BLANK
from models.errors import Forbidden, NotFound, Validation
from resolvers.audit.history import of_record
from resolvers.audit.seal import Horizon, seal
from resolvers.audit.verification import Report, prove_log
from resolvers.customers import comments
from resolvers.customers.lock import lock
from resolvers.personal.disclosure import disclose
from resolvers.personal.erasure import erase
from resolvers.records import create_update
from resolvers.runtime.seal_files import SealFiles
from tests.support.claim_checks import unchanged
from tests.support.merging import contact
from tests.support.world import World

NAME, PHONE = "Quentin Quaver", "138 0013 8000"


@pytest.fixture
def person(world: World) -> int:
    """A contact of Li's customer with a phone, a remark, and a follow-up that names them."""
    customer = world.customer("Otter Ltd", "li")
    id = contact(world, customer, NAME, PHONE, title="Buyer", remark="Likes tea")
    world.make(
        FollowUp,
        customer_id=customer,
        contact_id=id,
        kind="CALL",
        content=f"Called {NAME} at {PHONE} about prices",
        happened_at=world.clock(),
    )
    world.li.do(create_update.update, Contact, id, {"remark": "Prefers coffee"})
    world.li.do(create_update.update, Customer, customer, {"remark": f"{NAME} decides", "latest_need": f"Ring {PHONE}"})
    world.make(Opportunity, customer_id=customer, contact_id=id, name=f"Paper for {NAME}")
    world.li.do(comments.comment, world.rows(FollowUp)[0]["id"], f"{NAME} was friendly")
    return id


def proved(world: World) -> Report:
    with world.backend.writer.engine.begin() as connection:
        horizon = Horizon()
        seal(connection, world.clock(), horizon)
        seal(connection, world.clock(), horizon)
    with world.backend.writer.engine.connect() as connection:
        report = prove_log(connection, SealFiles())
    report.problems = [
        x for x in report.problems if not x.startswith("organisation 1 ")
    ]  # the world writes it unlogged
    return report


def everywhere(world: World) -> str:
    """All that is stored, as text; the log too."""
    rows: Any = [world.everything(), world.log()]
    return json.dumps(rows, default=str, ensure_ascii=False)


def test_a_person_is_gone_from_everywhere_and_the_log_is_still_proved(world: World, person: int) -> None:
    assert proved(world).problems == []
    before = {row["id"]: (row["hash"], row["actor_id"], row["action"]) for row in world.log()}

    count = world.ada.do(erase, person, confirm=True, reason="Asked on the phone")

    stored = everywhere(world)
    assert [x for x in (NAME, PHONE, "13800138000", "coffee", "tea", "Buyer") if x in stored] == []
    assert (world.rows(ContactPoint), world.row(Contact, person)["name"]) == ([], "–")
    assert "about prices" in world.rows(FollowUp)[0]["content"]
    kept = (world.rows(Opportunity)[0]["name"], world.rows(Customer)[0]["remark"], world.rows(Comment)[0]["value"])
    assert kept == ("Paper for –", "– decides", "– was friendly")
    after = {row["id"]: (row["hash"], row["actor_id"], row["action"]) for row in world.log()}
    assert after.items() >= before.items()
    report = proved(world)
    assert report.problems == []
    assert {who for _, who, _ in report.erasures.values()} == {"Ada Ng"}
    assert sum(len(ids) for _, _, ids in report.erasures.values()) == count == len(report.blank)
    assert world.run(world.scope("li").read(of_record, Contact, person)) is not None


def test_a_second_erasure_and_later_edits_stay_proved(world: World, person: int) -> None:
    other = contact(world, world.row(Contact, person)["customer_id"], "Ursula Umber", "139 0000 1111")
    world.ada.do(erase, person, confirm=True)
    world.ada.do(erase, other, confirm=True)
    world.ada.do(erase, person, confirm=True)
    world.li.do(create_update.update, Contact, person, {"remark": "New"})
    assert proved(world).problems == []
    assert "Ursula" not in everywhere(world)


def test_an_unauthorised_blanking_is_found(world: World, person: int) -> None:
    world.ada.do(erase, person, confirm=True)
    victim = next(row["id"] for row in world.log("customer") if row["salt"])
    with world.backend.writer.engine.begin() as connection:
        connection.execute(AuditEntry.__table__.update().where(AuditEntry.__table__.c.id == victim).values(**BLANK))  # type: ignore[attr-defined]
    assert proved(world).problems == [
        f"entry {victim} was changed: its values are gone, and no erasure of personal data says so"
    ]


@pytest.mark.parametrize(
    "change", ["label = 'x'", "changes = '{\"a\": 1}'", "actor_id = NULL", "action = 'x'", "salt = ''", "hash = 'x'"]
)
def test_the_database_lets_through_no_other_change_of_the_log(world: World, person: int, change: str) -> None:
    with pytest.raises(DBAPIError), world.backend.writer.engine.begin() as connection:
        connection.execute(text(f"UPDATE audit_entry SET {change} WHERE entity = 'contact'"))


def test_who_may_not_and_who_does_not_confirm_erases_nothing(world: World, person: int) -> None:
    with unchanged(world), pytest.raises(Validation) as refused:
        world.ada.do(erase, person, confirm=False)
    assert refused.value.say("zh") == "删除个人数据无法恢复，请确认。"
    with unchanged(world), pytest.raises(Forbidden):
        world.li.do(erase, person, confirm=True)
    with unchanged(world), pytest.raises(NotFound):
        world.mei.do(erase, person, confirm=True)
    world.li.do(lock, [world.row(Contact, person)["customer_id"]], "Audit")
    with unchanged(world), pytest.raises(NotFound):
        world.ada.do(erase, person, confirm=True)


def test_what_is_held_of_a_person_is_exported_and_logged(world: World, person: int) -> None:
    found = world.ada.do(disclose, Contact, person)
    assert found["contact"][0]["name"] == NAME
    assert [row["value"] for row in found["phonesAndAddresses"]] == [PHONE]
    assert NAME in found["followUps"][0]["content"]
    assert world.log("contact", person)[-1]["action"] == "contact.disclose"
    user = world.ada.do(disclose, User, world.ids["li"])
    assert user["user"][0]["login"] == "li"
    assert not {"hash", "secret", "password"} & {key for rows in user.values() for row in rows for key in row}
    with pytest.raises(Forbidden):
        world.li.do(disclose, Contact, person)
