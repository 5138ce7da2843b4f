"""The pages of jobs: what a user sees of theirs and of others', and the buttons that fit the state."""

import re
from html import unescape

import pytest

from models.errors import Forbidden, JobEnded
from models.job import JobState
from resolvers.jobs import control
from resolvers.jobs.kinds import Progress
from tests.support.jobs import Jobs
from tests.support.panel import Browser, Panel
from tests.support.world import World

PAGE = "/admin/jobs"


@pytest.fixture
def jobs(world: World, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    return Jobs(world, monkeypatch)


def listed(browser: Browser, tab: str = "") -> list[str]:
    """The ids of the jobs on the page."""
    return re.findall(r'class="open" href="/admin/jobs/job\?id=(job_\d+)"', browser.get(PAGE, {"tab": tab}).text)


def buttons(browser: Browser, job: int) -> list[str]:
    return re.findall(r'action="/admin/jobs/(\w+)"', browser.get(f"{PAGE}/job", {"id": f"job_{job}"}).text)


def test_a_job_is_cancelled_resumed_and_tried_again_by_the_buttons_that_fit_its_state(world: World, jobs: Jobs) -> None:
    li, job = Panel(world).of("li"), jobs.enqueue("remark", {"remark": "x"}, total=20_000)
    assert buttons(li, job) == ["cancel"]

    done = li.post(f"{PAGE}/cancel", {"id": f"job_{job}"})
    assert (done.status_code, done.headers["location"]) == (303, f"{PAGE}/job?id=job_{job}")
    assert (buttons(li, job), jobs.row(job)["state"]) == (["resume"], JobState.CANCELLED)
    again = li.post(f"{PAGE}/cancel", {"id": f"job_{job}"})
    assert again.status_code == 422
    assert JobEnded().say("en") in unescape(again.text)

    li.post(f"{PAGE}/resume", {"id": f"job_{job}"})
    jobs.declare("remark", lambda *_: Progress(1, 1_200, 3, more=False))
    jobs.run_due()
    assert buttons(li, job) == []
    assert "1,203 of 20,000 · 3 refused" in li.get(PAGE).text


def test_a_failure_is_told_in_words_of_the_readers_language(world: World, jobs: Jobs) -> None:
    jobs.declare("secret", lambda *_: Progress(0, more=False), "customer.purge")
    job = jobs.enqueue("secret")
    jobs.run_due()
    panel = Panel(world)
    shown = panel.of("li").get(f"{PAGE}/job", {"id": f"job_{job}"}).text
    assert Forbidden(action="customer.purge").say("en") in unescape(shown)
    world.li.do(control.retry, job)
    jobs.run_due()
    li = panel.of("li")
    li.post("/admin/account/language", {"chosen": "zh", "language": "zh"})
    page = li.get(f"{PAGE}/job", {"id": f"job_{job}"}).text
    assert Forbidden(action="customer.purge").say("zh") in unescape(page)
    assert "FORBIDDEN" not in page


def test_users_find_their_own_jobs_and_administrators_all(world: World, jobs: Jobs) -> None:
    panel, first = Panel(world), jobs.enqueue("remark", {"remark": "x"}, by="li")
    jobs.run_due()
    second = jobs.enqueue("remark", {"remark": "x"}, by="wu")
    ada, li, wu = (panel.of(login) for login in ("ada", "li", "wu"))

    assert [listed(x) for x in (ada, li, wu)] == [
        [f"job_{second}", f"job_{first}"],
        [f"job_{first}"],
        [f"job_{second}"],
    ]
    assert (listed(ada, "open"), listed(ada, "failed")) == ([f"job_{second}"], [])
    assert "Wu Wei" in ada.get(PAGE).text
    assert li.get(f"{PAGE}/job", {"id": f"job_{second}"}).status_code == 404
    assert li.post(f"{PAGE}/cancel", {"id": f"job_{second}"}).status_code == 404
    assert jobs.row(second)["state"] == JobState.WAITING
    assert (PAGE in ada.get("/admin/").text, PAGE in li.get("/admin/").text) == (True, False)
