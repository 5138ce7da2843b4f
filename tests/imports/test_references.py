"""Records that cells name: found by what the caller sees, and none of namesakes is ever guessed."""

from typing import Any

import pytest

from models import Contact, Customer, FollowUp, Opportunity, User
from resolvers.imports.fields import FieldKind, ImportField, lookup_columns, named
from resolvers.imports.references import resolve
from resolvers.imports.row_values import Naming, RowValues
from resolvers.merging.merge import merge
from resolvers.records import create_update
from tests.support.world import World

NAME = named(FollowUp, "customer_id", FieldKind.RECORD, reference=Customer, by=("number", "name"))
NUMBER = named(FollowUp, "customer_number", FieldKind.RECORD, input="customer_id", reference=Customer, by=("number",))
CONTACT = named(FollowUp, "contact_id", FieldKind.RECORD, reference=Contact, by=("name",))
OWNER = named(Customer, "owner_id", FieldKind.PERSON, reference=User, by=lookup_columns(User))
AUTHOR = named(FollowUp, "owner_id", FieldKind.PERSON, reference=User, by=lookup_columns(User), may_have_left=True)


def resolved(world: World, login: str, *cells: tuple[ImportField, str]) -> RowValues:
    row = RowValues(namings=[Naming(which, text) for which, text in cells])

    def use(scope: Any) -> None:
        with scope.write("customer.import") as db:
            resolve(scope, db, [row])

    world.scope(login).do(use)
    return row


def said(row: RowValues) -> dict[str, str]:
    return {key: refusal.say("en").partition(" ")[2] for key, refusal in row.refusals.items()}


def test_n15_a_customer_is_found_by_name_in_any_width_case_and_blanks(world: World) -> None:
    id = world.customer("Acme (Asia)", owner="li")

    for text in ("Acme (Asia)", "ACME （Asia）", " acme (asia) ".strip(), "Ａcme (Asia)"):
        assert resolved(world, "li", (NAME, text)).values == {"customer_id": id}, text
    wide = world.customer("远帆（杭州）", owner="li")
    assert resolved(world, "li", (NAME, "远帆(杭州)")).values == {"customer_id": wide}


def test_n15_of_namesakes_none_is_taken_and_the_number_decides(world: World) -> None:
    first, second = (world.customer("Acme", owner="li") for _ in range(2))
    number = world.row(Customer, second)["number"]

    refused = resolved(world, "li", (NAME, "Acme"))

    assert refused.values == {}
    assert said(refused) == {"customer_id": "“Acme” is the name of 2 customers: give the number."}
    assert "请填写客户编号" in refused.refusals["customer_id"].say("zh")
    assert resolved(world, "li", (NAME, number.lower())).values == {"customer_id": second}
    assert resolved(world, "li", (NUMBER, number)).values == {"customer_id": second}
    assert first != second


def test_n15_what_the_caller_does_not_see_reads_like_what_is_not_there(world: World) -> None:
    world.customer("Hidden", owner="mei")

    hidden, missing = (said(resolved(world, "li", (NAME, text))) for text in ("Hidden", "Absent"))

    assert {key: text.replace("Hidden", "Absent") for key, text in hidden.items()} == missing
    assert missing == {"customer_id": "“Absent” was not found."}


def test_n15_one_in_the_bin_says_so_and_a_former_name_finds(world: World) -> None:
    gone, kept, part = (world.customer(name, owner="li") for name in ("Gone", "Kept", "Part"))
    world.li.do(create_update.delete, Customer, [gone])
    world.lead.do(merge, kept, [part])

    assert said(resolved(world, "lead", (NAME, "Gone"))) == {"customer_id": "“Gone” is in the recycle bin."}
    assert resolved(world, "li", (NAME, "part")).values == {"customer_id": kept}


def test_a_number_and_a_name_of_two_customers_are_refused(world: World) -> None:
    world.customer("Acme", owner="li")
    number = world.row(Customer, world.customer("Other", owner="li"))["number"]

    row = resolved(world, "li", (NUMBER, number), (NAME, "Acme"))

    assert said(row) == {"customer_id": "“Acme” is another record than the one beside it."}


@pytest.mark.parametrize("text", ["li", "LI", "Li Na"])
def test_people_are_found_by_login_and_name(world: World, text: str) -> None:
    assert resolved(world, "lead", (OWNER, text)).values == {"owner_id": world.ids["li"]}


def test_n19_who_has_left_may_have_written_and_own_nothing(world: World) -> None:
    with world.backend.writer.engine.begin() as connection:
        connection.execute(User.__table__.update().where(User.__table__.c.id == world.ids["wu"]).values(active=False))

    assert resolved(world, "lead", (AUTHOR, "Wu Wei")).values == {"owner_id": world.ids["wu"]}
    assert said(resolved(world, "lead", (OWNER, "Wu Wei"))) == {"owner_id": "“Wu Wei” is no longer active."}


def test_contacts_are_found_among_those_of_the_customer(world: World) -> None:
    acme, other = world.customer("Acme", owner="li"), world.customer("Other", owner="li")
    ann, _ = (world.make(Contact, customer_id=id, name="Ann") for id in (acme, other))

    assert resolved(world, "li", (NAME, "Acme"), (CONTACT, "ann")).values == {"customer_id": acme, "contact_id": ann}
    assert said(resolved(world, "li", (NAME, "Other"), (CONTACT, "Bob"))) == {"contact_id": "“Bob” was not found."}
    assert "contact_id" not in resolved(world, "li", (NAME, "Absent"), (CONTACT, "Ann")).values


def test_opportunities_are_found_likewise(world: World) -> None:
    which = named(FollowUp, "opportunity_id", FieldKind.RECORD, reference=Opportunity, by=("name",))
    acme = world.customer("Acme", owner="li")
    deal = world.make(Opportunity, customer_id=acme, name="Deal")

    assert resolved(world, "li", (NAME, "Acme"), (which, "Deal")).values["opportunity_id"] == deal
