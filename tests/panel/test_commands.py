"""Commands that answer themselves: what they show, and that a refusal of theirs is a sentence with nothing lost."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

import pytest
from starlette.responses import Response

from admin.kit.commands import Command, answering_command, command, commands_of
from admin.kit.panel_request import PanelRequest
from admin.kit.translation import Label
from admin.kit.view import PolicyModelView
from admin.screens.company.people import People
from models import Contact, Credential, Customer, Share, SignInSession
from models.errors import Validation
from resolvers.runtime.batch import Outcome
from resolvers.runtime.scope import Scope
from tests.support.panel import OURS, Panel
from tests.support.world import World

DIALOG = {**OURS, "hx-request": "true", "hx-target": "dialog-body"}


def test_a_one_time_password_is_shown_once_and_leads_to_a_new_one(world: World) -> None:
    panel = Panel(world)
    ada, li = panel.of("ada"), panel.of("li")

    shown = ada.post("/admin/user/do/one-time-password", {"ids": f"usr_{world.ids['li']}"}, DIALOG)

    assert shown.status_code == 200
    assert "One-time password of Li Na" in shown.text
    secret = unescape(re.findall(r'<p class="secret"><code>([^<]+)</code>', shown.text)[0])
    assert not [row for row in world.rows(Credential) if secret in row["password_hash"]]
    assert li.get("/admin/").headers["location"].startswith("/admin/login")  # every session has ended
    browser = panel.browser()
    assert browser.sign_in("li", secret).status_code == 303
    assert browser.get("/admin/customer/list").headers["location"] == "/admin/password"
    assert secret not in ada.get(f"/admin/user/details/usr_{world.ids['li']}?tab=history").text


@pytest.mark.parametrize("name", ["one-time-password", "see-as"])
@pytest.mark.parametrize(
    ("form", "status", "sentence"),
    [
        ({}, 422, "Nothing is selected."),
        ({"ids": "usr_987654"}, 404, "There is no such page or record, or you may not see it."),
        ({"ids": "cus_1"}, 404, "There is no such page or record, or you may not see it."),
    ],
    ids=["no record", "a missing record", "another kind of record"],
)
def test_a_command_that_answers_itself_needs_a_record_that_the_user_sees(
    world: World, name: str, form: dict[str, str], status: int, sentence: str
) -> None:
    ada = Panel(world).of("ada")
    before = world.rows(Credential), world.rows(SignInSession)

    answer = ada.post(f"/admin/user/do/{name}", form)

    assert (answer.status_code, sentence in unescape(answer.text)) == (status, True)
    assert (world.rows(Credential), world.rows(SignInSession)) == before


def test_a_refused_command_that_answers_itself_says_why(world: World) -> None:
    ada = Panel(world).of("ada")

    answer = ada.post("/admin/user/do/see-as", {"ids": f"usr_{world.ids['ada']}"}, DIALOG)

    assert answer.status_code == 422
    assert "Choose somebody else, who is active." in answer.text
    assert "millpond_looking" not in ada.client.cookies


def test_a_refusal_that_its_method_does_not_catch_is_said_in_the_dialog(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_self: People, _ask: PanelRequest, _ids: list[int], _given: Mapping[str, Any]) -> Response:
        raise Validation("Not on Sundays.", "周日不行。")

    monkeypatch.setattr(People, "one_time_password", refuse)
    ada = Panel(world).of("ada")

    answer = ada.post("/admin/user/do/one-time-password", {"ids": f"usr_{world.ids['li']}"}, DIALOG)

    assert answer.status_code == 422
    assert "Not on Sundays." in answer.text
    assert f'name="ids" value="usr_{world.ids["li"]}"' in answer.text  # the dialog is still there


def test_a_user_without_the_right_runs_no_command_that_answers_itself(world: World) -> None:
    li = Panel(world).of("li")
    before = world.rows(Credential)

    for name in ("one-time-password", "see-as"):
        dialog = li.get(f"/admin/user/ask/{name}?ids=usr_{world.ids['wu']}")
        answer = li.post(f"/admin/user/do/{name}", {"ids": f"usr_{world.ids['wu']}"})
        assert (dialog.status_code, answer.status_code in (403, 422)) == (403, True), name

    assert world.rows(Credential) == before


def test_the_decorators_say_who_answers() -> None:
    class Some(PolicyModelView):
        @command(Label("Claim"), icon="hand-grab", action="*.claim")
        def claim(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
            raise AssertionError

        @answering_command(Label("One-time password"), icon="key", action="*.edit")
        async def one_time(self, ask: PanelRequest, ids: list[int], given: Mapping[str, Any]) -> Response:
            raise AssertionError

    found: dict[str, Command] = {each.name: each for each in commands_of(Some)}

    assert [*found] == ["delete", "claim", "one-time"]
    assert {name: each.answers for name, each in found.items()} == {"delete": False, "claim": False, "one-time": True}
    assert (found["one-time"].method, found["one-time"].has_dialog) == ("one_time", False)


def test_records_that_were_refused_alike_share_one_sentence_with_their_names(world: World) -> None:
    ids = [f"cus_{world.customer(f'Rota {n}', owner='li')}" for n in range(8)]
    gone = "cus_987654"

    answer = Panel(world).of("ada").post("/admin/customer/do/unlock", {"ids": [*ids, gone], "reason": "x"}, DIALOG)

    rows = re.findall(r'<tr><th scope="row">(.+?)</th><td>(.+?)</td></tr>', answer.text)
    numbers = [row["number"] for row in world.rows(Customer)]
    assert rows == [
        (", ".join(f"{number} Rota {n}" for n, number in enumerate(numbers)), "Each of these is not locked."),
        ("–", "There is no such customer, or you may not see it."),
    ]
    assert '"refused": 9' in answer.headers["hx-trigger"]


def test_who_cannot_be_given_a_contact_is_shared_its_customer_by_the_button_of_the_refusal(world: World) -> None:
    customer = world.customer(owner="li")
    contact = world.make(Contact, name="Ann", customer_id=customer)
    li, mei = Panel(world).of("li"), f"usr_{world.ids['mei']}"
    transfer = {"ids": f"con_{contact}", "user_id": mei, "go": "1"}

    refused = li.post("/admin/contact/do/transfer", transfer, DIALOG)

    assert "Mei Lin cannot see this customer. Share the customer first." in refused.text
    (way,) = re.findall(
        r'hx-get="(/admin/customer/ask/share[^"]+)"[^>]*>.*?Share the customer</a>', unescape(refused.text)
    )
    assert way == f"/admin/customer/ask/share?ids=cus_{customer}"
    assert "Share" in li.get(way, (), **DIALOG).text
    given = {"ids": f"cus_{customer}", "to_user": mei, "level": "EDIT", "go": "1"}
    assert li.post("/admin/customer/do/share", given, DIALOG).status_code == 204
    assert li.post("/admin/contact/do/transfer", transfer, DIALOG).status_code == 204
    assert world.row(Contact, contact)["owner_id"] == world.ids["mei"]


def test_a_customer_is_shared_from_the_page_of_its_contact_by_its_owner_alone(world: World) -> None:
    customer = world.customer(owner="li")
    contact = world.make(Contact, name="Ann", customer_id=customer)
    given = {"ids": f"con_{contact}", "to_user": f"usr_{world.ids['mei']}", "level": "VIEW", "go": "1"}
    panel = Panel(world)
    assert (
        f"/admin/contact/ask/share-customer?from=detail&amp;ids=con_{contact}"
        in panel.of("li").get(f"/admin/contact/details/con_{contact}").text
    )

    for stranger in ("wu", "sam"):
        panel.of(stranger).post("/admin/contact/do/share-customer", given, DIALOG)
        assert world.count(Share) == 0, stranger
    assert panel.of("li").post("/admin/contact/do/share-customer", given, DIALOG).status_code == 204

    (share,) = world.rows(Share)
    assert (share["customer_id"], share["grantee_id"], share["contacts"]) == (customer, world.ids["mei"], True)
    assert panel.of("mei").get(f"/admin/contact/details/con_{contact}").status_code == 200
