"""Response times of the palette over a large demo: what it answers to a typed text, through HTTP, one request at a time.

    make demo DEMO_CUSTOMERS=100000      (or any other database of the demo, on either engine)
    python bench/palette.py [--database sqlite:///var/demo.db] [--times 20]

Prints JSON: per text and user the median and the 95th percentile in milliseconds, of interleaved rounds, and the same
over all of them.  Sign-in, policy and guards are on.
"""

import argparse
import time
from typing import Any

from panel import browser, spread
from stage import servers, show

PEOPLE = ("ada", "lead", "li", "sam")
TEXTS = {
    "nothing typed": "",
    "a number": "C2026001",
    "the beginning of numbers": "C2026",
    "a common word": "科技",
    "one character": "博",
    "a common surname": "王",
    "a rare word": "博远电子",
    "the end of a phone number": "7788",
    "initials of pinyin": "kjyx",
    "a page": "opportunities",
    "a command": "claim C2026001",
    "nothing matches": "qqqqzzzz",
}


def measure(address: str, times: int) -> dict[str, Any]:
    people = {login: browser(address, login) for login in PEOPLE}
    headers = {"hx-request": "true", "hx-target": "dialog-body"}
    taken: dict[tuple[str, str], list[float]] = {}
    for _ in range(times):
        for name, text in TEXTS.items():
            for login, client in people.items():
                path = "/admin/palette/found" if text else "/admin/palette"
                began = time.perf_counter()
                answer = client.get(path, params={"q": text} if text else {}, headers=headers)
                spent = (time.perf_counter() - began) * 1000
                assert answer.status_code == 200, (name, login, answer.status_code)
                taken.setdefault((name, login), []).append(spent)
    figures = {name: {login: spread(x) for (n, login), x in taken.items() if n == name} for name in TEXTS}
    return {"all": spread([x for some in taken.values() for x in some]), "milliseconds": figures}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="sqlite:///var/demo.db")
    parser.add_argument("--times", type=int, default=20)
    asked = parser.parse_args()
    with servers(asked.database, 1) as (address,):
        measure(address, 2)  # warms up everything that is compiled once
        show({"database": asked.database.partition(":")[0], **measure(address, asked.times)})


if __name__ == "__main__":
    main()
