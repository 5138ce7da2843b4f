"""Notifications in the panel: the bell, the list, marking, and the choices."""

import re

from models import Notice
from models.notice import MailChoice
from models.notice_kinds import NOTICE_KINDS
from resolvers.notices import choices
from tests.notices.test_notify import tell
from tests.support.panel import Panel
from tests.support.world import World

PAGE = "/admin/notifications"


def bell(page: str) -> str:
    (number,) = re.findall(r'id="bell"[^>]*>([^<]*)<', page)
    return number


def test_the_bell_counts_and_the_list_leads_to_the_record_and_marks_it(world: World) -> None:
    customer = world.customer("Acme")
    for kind in ("locked", "unlocked"):
        tell(world.ada, kind, [world.ids["li"]], customer)
    li = Panel(world).of("li")

    page = li.get(PAGE).text
    assert bell(page) == "2"
    assert re.findall(r'class="is-new">([^<]*?) <', page) == ["Acme was unlocked", "Acme was locked"]

    newest = max(x["id"] for x in world.rows(Notice))
    opened = li.post(f"{PAGE}/read", {"id": f"ntc_{newest}", "open": "1"})
    assert (opened.status_code, opened.headers["location"]) == (303, f"/admin/customer/details/cus_{customer}")
    page = li.get(PAGE, {"tab": "unread"}).text
    assert bell(page) == "1"
    assert "Acme was locked" in page
    assert "Acme was unlocked" not in page

    link = li.get(f"{PAGE}/open", {"id": f"ntc_{newest - 1}"})
    assert link.headers["location"] == f"/admin/customer/details/cus_{customer}"
    assert li.get(f"{PAGE}/open", {"id": "ntc_99"}).headers["location"] == PAGE

    li.post(f"{PAGE}/read", {})
    page = li.get(PAGE, {"tab": "unread"}).text
    assert bell(page) == ""
    assert "Nothing to read." in page


def test_a_notification_of_another_user_is_neither_opened_nor_marked(world: World) -> None:
    tell(world.ada, "locked", [world.ids["wu"]], world.customer("Acme", owner="wu"))
    (notice,) = world.rows(Notice)

    opened = Panel(world).of("li").post(f"{PAGE}/read", {"id": f"ntc_{notice['id']}", "open": "1"})

    assert opened.headers["location"] == PAGE
    assert world.row(Notice, notice["id"])["read_at"] is None


def test_a_user_chooses_how_they_are_told(world: World) -> None:
    li = Panel(world).of("li")
    page = li.get(f"{PAGE}/choices").text
    assert len(re.findall(r'name="mail\.', page)) == len(NOTICE_KINDS)

    given = {f"mail.{key}": "NONE" for key in NOTICE_KINDS} | {"mail.locked": "DAILY", "panel.assigned": "on"}
    saved = li.post(f"{PAGE}/choices", given | {"digest_hour": "17"})

    assert saved.status_code == 303
    found = world.run(world.li.read(choices.choices))
    told = {kind.key: choice for kind, choice in found.of.items()}
    assert (told["locked"], told["assigned"], found.digest_hour) == (
        (False, MailChoice.DAILY),
        (True, MailChoice.NONE),
        17,
    )
    assert li.post(f"{PAGE}/choices", {"mail.locked": "SOMETIMES"}).status_code == 422
    assert li.post(f"{PAGE}/choices", {"digest_hour": "25"}).status_code == 422
