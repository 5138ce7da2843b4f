"""The tab with the timeline of a customer, and comments on follow-ups, in the panel."""

import re
from html import unescape

import pytest

from models import Comment, FollowUp
from resolvers.customers import comments
from tests.customers.test_last_contact import written
from tests.customers.test_plans import planned
from tests.customers.test_timeline import lived as lived
from tests.support.panel import Panel
from tests.support.world import World


def texts(page: str) -> list[str]:
    """What the entries of the timeline say."""
    story = page[page.index('<ol class="story">') : page.index("</ol>")]
    return [
        " ".join(unescape(re.sub("<[^>]+>", " ", x)).split()) for x in re.findall(r"<li>(.*?)</li>", story, re.DOTALL)
    ]


def test_the_tab_tells_in_words_what_happened(world: World, lived: int) -> None:
    call = world.rows(FollowUp)[0]["id"]
    world.lead.do(comments.comment, call, "Well done")

    page = Panel(world).of("ada").get(f"/admin/customer/details/cus_{lived}", {"tab": "timeline"}).text

    said = texts(page)
    assert len(said) == 11
    assert any(x.startswith("Li Na Call") and "Call 0 Lena Lead: Well done" in x for x in said)
    assert any("Plan: Call" in x and "A visit" in x for x in said)
    assert any("Customer stage" in x and "Early" in x for x in said)
    assert any(x.startswith("Wu Wei Transferred") for x in said)


@pytest.mark.parametrize(("kind", "count"), [("FOLLOW_UP", 3), ("OWNERSHIP", 3), ("STAGE", 1), ("NONSENSE", 11)])
def test_a_kind_narrows_it_and_nonsense_does_not(world: World, lived: int, kind: str, count: int) -> None:
    query = {"tab": "timeline", "kind": kind, "after": "nonsense"}

    page = Panel(world).of("ada").get(f"/admin/customer/details/cus_{lived}", query).text

    assert len(texts(page)) == count


def test_older_events_are_on_the_next_page(world: World) -> None:
    customer = world.customer(owner="li")
    for _ in range(25):
        world.clock.pass_by(minutes=1)
        written(world, customer)
    browser = Panel(world).of("li")
    page = browser.get(f"/admin/customer/details/cus_{customer}", {"tab": "timeline"}).text
    (older,) = re.findall(r'href="(\?[^"]+after=[^"]+)#related"', page)

    rest = browser.get(f"/admin/customer/details/cus_{customer}{unescape(older)}").text

    assert (len(texts(page)), len(texts(rest))) == (20, 6)


def test_a_follow_up_is_commented_on_its_page(world: World) -> None:
    customer = world.customer(owner="li")
    call = written(world, customer).id
    planned(world, customer)
    browser = Panel(world).of("lead")
    assert "/admin/follow-up/ask/comment" in browser.get(f"/admin/follow-up/details/fol_{call}").text

    done = browser.post("/admin/follow-up/do/comment", {"ids": f"fol_{call}", "content": "Go on", "from": "detail"})

    assert done.status_code == 200, done.text
    assert [x["value"] for x in world.rows(Comment)] == ["Go on"]
    page = browser.get(f"/admin/follow-up/details/fol_{call}").text
    assert "Go on" in page
    assert "Lena Lead" in page
