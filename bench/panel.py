"""Response times of the panel's everyday screens over a large demo, for every demo user, through HTTP, one at a time.

    make demo DEMO_CUSTOMERS=100000      (or any other database of the demo, on either engine)
    python bench/panel.py [--database sqlite:///var/demo.db] [--times 20]

Prints JSON: per screen and user the median and the 95th percentile in milliseconds, of interleaved rounds.  Sign-in,
policy and guards are on.
"""

import argparse
import re
import statistics
import time
from collections.abc import Sequence
from typing import Any

import httpx
from stage import servers, show

PEOPLE = ("ada", "lead", "li", "mei", "fin", "sam")
PASSWORD = "millpond-demo"
SCREENS = {
    "home": "/admin/",
    "list": "/admin/customer/list",
    "mine": "/admin/customer/list?tab=mine",
    "filtered": "/admin/customer/list?f_stage=early&f_industry=internet",
    "filtered by time": "/admin/customer/list?f_level=a&f_created_at_from=2026-03-01&f_created_at_to=2026-06-30",
    "search common": "/admin/customer/list?q=科技",
    "search rare": "/admin/customer/list?q=博远电子",
    "search one character": "/admin/customer/list?q=博",
    "search phone tail": "/admin/customer/list?q=7788",
    "search nothing": "/admin/customer/list?q=qqqqzzzz",
    "next page": "/admin/customer/list?order=name",
    "customer": "/admin/customer/details/{customer}",
    "customer's history": "/admin/customer/details/{customer}?tab=history",
    "edit": "/admin/customer/edit/{customer}",
    "contacts": "/admin/contact/list",
    "pool": "/admin/pooled/list",
    "pooled customer": "/admin/customer/details/{pooled}",
    "log": "/admin/log",
}


def browser(address: str, login: str) -> httpx.Client:
    client = httpx.Client(base_url=address, headers={"sec-fetch-site": "same-origin"}, timeout=60)
    answer = client.post("/admin/login", data={"login": login, "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return client


def first_in(client: httpx.Client, path: str) -> str | None:
    found = re.search(r"/details/(cus_\d+)", client.get(path).text)
    return found[1] if found else None


def spread(times: Sequence[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {"p50": round(statistics.median(ordered), 1), "p95": round(ordered[int(len(ordered) * 0.95)], 1)}


def measure(address: str, times: int) -> dict[str, Any]:
    people = {login: browser(address, login) for login in PEOPLE}
    known = {
        login: {
            "customer": first_in(client, "/admin/customer/list?tab=mine") or first_in(client, "/admin/customer/list"),
            "pooled": first_in(client, "/admin/pooled/list"),
        }
        for login, client in people.items()
    }
    taken: dict[tuple[str, str], list[float]] = {}
    for _ in range(times):
        for name, path in SCREENS.items():
            for login, client in people.items():
                if re.search(r"\{(\w+)\}", path) and not known[login][re.search(r"\{(\w+)\}", path)[1]]:  # type: ignore[index]
                    continue
                began = time.perf_counter()
                answer = client.get(path.format_map(known[login]))
                spent = (time.perf_counter() - began) * 1000
                if answer.status_code == 200:
                    taken.setdefault((name, login), []).append(spent)
                else:
                    assert answer.status_code in (403, 404), (name, login, answer.status_code)
    return {name: {login: spread(x) for (n, login), x in taken.items() if n == name} for name in SCREENS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="sqlite:///var/demo.db")
    parser.add_argument("--times", type=int, default=20)
    asked = parser.parse_args()
    with servers(asked.database, 1) as (address,):
        measure(address, 2)  # warms up everything that is compiled once
        figures = measure(address, asked.times)
    slow = {n: {k: v["p95"] for k, v in x.items() if v["p95"] > 100} for n, x in figures.items()}
    show(
        {
            "database": asked.database.partition(":")[0],
            "milliseconds": figures,
            "above 100 ms at p95": {name: found for name, found in slow.items() if found},
        }
    )


if __name__ == "__main__":
    main()
