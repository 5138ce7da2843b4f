"""How long the board of opportunities takes to open in Chromium, with as many opportunities as are asked for.

    python bench/board.py [--opportunities 2000] [--database sqlite:////tmp/board.db] [--times 15]

Makes a demo in the database unless there is one, and adds opportunities of the user in all stages of the default
pipeline.  Prints JSON: milliseconds until the page is drawn (load event, and the last column's sum in the document),
median and slowest, of a browser with a warm cache; the size of the page; and the same for a move by drag.
"""

import argparse
import random
import statistics
import time
from decimal import Decimal
from typing import Any

from playwright.sync_api import Page, sync_playwright
from sqlalchemy import func, select
from stage import servers, show

from millpond import demo
from millpond.database import opened
from models import Customer, Opportunity
from models.stage_terms import read_book
from resolvers.bulk import many
from tests.support.browser import _FLAGS, chromium

BOARD = "/admin/opportunity-board"


def fill(url: str, wanted: int) -> int:
    """Add opportunities of Li until there are so many; returns their number."""
    demo.prepare(url, 300, lambda _said: None)
    rng = random.Random(7)
    with opened(url) as backend:
        li = backend.person("li")
        there, customers, stages = backend.system("bench").do(_known, li.id)
        rows = [
            {
                "customer_id": rng.choice(customers),
                "name": f"Opportunity {number}",
                "amount": Decimal(rng.randrange(1, 900) * 1000),
                "stage": rng.choice(stages),
            }
            for number in range(max(0, wanted - there))
        ]
        scope = backend.scope(li, "bench")
        for start in range(0, len(rows), 500):
            scope.do(many.create_many, Opportunity, rows[start : start + 500], action="opportunity.create")
        return there + len(rows)


def _known(scope: Any, owner: int) -> tuple[int, list[int], list[str]]:
    """The number of opportunities, the customers of this user, and the stages that ask for nothing."""
    with scope.write("organisation.demo") as db:
        pipeline = read_book(db).of(None)
        assert pipeline is not None
        mine = select(Customer.id).where(Customer.owner_id == owner, Customer.deleted_at.is_(None))
        there = db.execute(select(func.count()).select_from(Opportunity)).scalar_one()
        open_to_all = [key for key, stage in pipeline.stages.items() if not stage.required_fields]
        return there, list(db.execute(mine).scalars()), open_to_all


def measure(address: str, times: int) -> dict[str, Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(_FLAGS))
        context = browser.new_context(viewport={"width": 1600, "height": 900})
        form = {"login": "li", "password": demo.PASSWORD}
        context.request.post(f"{address}/admin/login", form=form, headers={"sec-fetch-site": "same-origin"})
        page = context.new_page()
        opened_in = [_open(page, f"{address}{BOARD}") for _ in range(times + 2)][2:]
        size = len(page.content().encode())
        cards, lanes = page.locator("[data-card]").count(), page.locator("[data-stage]").count()
        moved_in = [_drag(page) for _ in range(5)]
        browser.close()
    return {
        "open_ms": _spread(opened_in),
        "drag_ms": _spread(moved_in),
        "kib": round(size / 1024),
        "cards_shown": cards,
        "columns": lanes,
    }


def _open(page: Page, address: str) -> float:
    began = time.perf_counter()
    page.goto(address, wait_until="load")
    page.locator("[data-head]").last.wait_for(state="attached")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return (time.perf_counter() - began) * 1000


def _drag(page: Page) -> float:
    """Drag the first card of the first column into the second, until its sums are new."""
    card = page.locator('[data-stage="discovery"] [data-card]').first
    id = card.get_attribute("data-card")
    count = page.locator('[data-stage="proposal"] .board-count').text_content()
    began = time.perf_counter()
    card.drag_to(page.locator('[data-stage="proposal"] [data-head]'))
    page.wait_for_function(
        "(was) => document.querySelector('[data-stage=\"proposal\"] .board-count').textContent !== was", arg=count
    )
    assert page.locator(f'[data-stage="proposal"] [data-card="{id}"]').count() == 1
    return (time.perf_counter() - began) * 1000


def _spread(taken: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(taken), 1), "slowest": round(max(taken), 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="sqlite:////tmp/board.db")
    parser.add_argument("--opportunities", type=int, default=2000)
    parser.add_argument("--times", type=int, default=15)
    asked = parser.parse_args()
    count = fill(asked.database, asked.opportunities)
    with servers(asked.database, 1) as (address,):
        show({"database": asked.database.partition(":")[0], "opportunities": count, **measure(address, asked.times)})


if __name__ == "__main__":
    main()
