"""A soak: a server under all kinds of requests at once, honest and hostile, and its memory every five seconds.

    nice -n 19 python bench/soak.py [--minutes 20] [--engine sqlite] [--customers 5000]

Eight clients ask for lists with ever new texts, filters and searches, for pages of the panel and for the largest answers
that are allowed, change and claim customers, sign in with wrong passwords, and send what is too large, malformed or
foreign.  Prints JSON: resident and anonymous memory in MiB at the start, at the reference (after five minutes, or a quarter
of a shorter run) and at the end, the largest of each, the growth after the reference in percent, and the numbers of
answers by status.  The end may be 10 % above the reference.
"""

import argparse
import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from reads import sign_in
from stage import Served, database, servers, show

from millpond import demo

REFERENCE_SECONDS, EVERY_SECONDS = 300, 5
CLIENTS = 8
ALLOWED_GROWTH = 10  # percent
PERSON = "ada"
FIELDS = [
    "id",
    "number",
    "name",
    "stage",
    "industry",
    "level",
    "phone",
    "locked",
    "createdAt",
    "updatedAt",
    "version",
    "source",
    "region",
    "remark",
]
BELOW = ["contacts", "opportunities", "followUps"]
PAGES = ["customer", "contact", "opportunity", "follow-up", "pooled", "user"]
_numbers = itertools.count()


def graphql(query: str, **variables: Any) -> dict[str, Any]:
    return {"query": query, "variables": variables}


def new_text(rnd: random.Random) -> dict[str, Any]:
    """A list with a text that no request had before."""
    fields = " ".join(f"x{next(_numbers)}: {name}" for name in rnd.sample(FIELDS, rnd.randint(1, 12)))
    below = "".join(f" {name}(first: 3) {{ nodes {{ id }} }}" for name in rnd.sample(BELOW, rnd.randint(0, 2)))
    return graphql(f"{{ customers(first: {rnd.randint(1, 40)}) {{ nodes {{ {fields}{below} }} }} }}")


def new_filter(rnd: random.Random) -> dict[str, Any]:
    """One text with ever new forms of its filter: each is a plan of its own."""
    names = rnd.sample(["name", "phone", "remark", "number", "stage"], rnd.randint(1, 4))
    parts = [{name: {rnd.choice(["contains", "eq", "ne", "startsWith"]): rnd.choice("abcdef")}} for name in names]
    tree = {rnd.choice(["and", "or"]): [*parts, {"id": {"in": [f"cus_{n}" for n in range(rnd.randint(1, 400))]}}]}
    return graphql("query ($f: CustomerFilter) { customers(first: 20, filter: $f) { nodes { id name } } }", f=tree)


def search(rnd: random.Random) -> dict[str, Any]:
    word = "".join(rnd.sample("aeioustrnlmdk华东电子科技", rnd.randint(1, 6)))
    return graphql("query ($s: String) { customers(first: 20, search: $s) { nodes { id } countUpTo } }", s=word)


def large_answer(_: random.Random) -> dict[str, Any]:
    return graphql(f"{{ customers(first: 200) {{ nodes {{ {' '.join(FIELDS)} contacts(first: 5) {{ nodes {{ id name phone }} }} }} }} }}")  # fmt: skip


def too_large(rnd: random.Random) -> dict[str, Any]:
    trees: list[Any] = [
        {"or": [{"name": {"contains": str(n)}} for n in range(9_000)]},
        {"id": {"in": [f"cus_{n}" for n in range(60_000)]}},
        {"name": {"contains": "a" * 500_000}},
    ]
    return graphql("query ($f: CustomerFilter) { customers(filter: $f) { totalCount } }", f=rnd.choice(trees))


def create(rnd: random.Random) -> dict[str, Any]:
    text = "mutation ($i: CreateCustomerInput!) { createCustomer(input: $i) { customer { id } problems { code } } }"
    name = f"Soaked {next(_numbers)}"
    contact = {"contactName": "Zoe", "contactPhone": f"13{rnd.randint(10**8, 10**9 - 1)}"}
    return graphql(text, i={**contact, "name": name, "remark": "r" * rnd.randint(0, 2_000), "idempotencyKey": name})


def claim(rnd: random.Random) -> dict[str, Any]:
    text = "mutation ($i: RecordsInput!) { claimCustomers(input: $i) { ids problems { code } } }"
    return graphql(text, i={"ids": [f"cus_{rnd.randint(1, 5_000)}"]})


def wrong_password(rnd: random.Random) -> dict[str, Any]:
    text = "mutation ($i: SignInInput!) { signIn(input: $i) { token problems { code } } }"
    return graphql(text, i={"login": f"nobody{rnd.randint(1, 10**9)}", "password": "x" * 12})


KINDS: tuple[tuple[int, Callable[[random.Random], dict[str, Any]]], ...] = (
    (20, new_text),
    (20, new_filter),
    (10, search),
    (4, large_answer),
    (3, too_large),
    (10, create),
    (10, claim),
    (2, wrong_password),
)


class Soak:
    """The clients of one server, and what they were answered."""

    def __init__(self, served: Served, token: str, until: float) -> None:
        self.served, self.token, self.until = served, token, until
        self.seen: Counter[str] = Counter()

    async def client(self, seed: int) -> None:
        rnd = random.Random(seed)
        weights, kinds = zip(*KINDS, strict=True)
        async with httpx.AsyncClient(base_url=self.served, timeout=60) as client:
            while time.monotonic() < self.until:
                try:
                    if rnd.random() < 0.25:
                        await self.page(client, rnd)
                    elif rnd.random() < 0.05:
                        await self.stranger(client, rnd)
                    else:
                        await self.ask(client, rnd.choices(kinds, weights)[0](rnd))
                except httpx.HTTPError as failure:
                    self.seen[type(failure).__name__] += 1

    async def ask(self, client: httpx.AsyncClient, body: dict[str, Any]) -> None:
        found = await client.post("/graphql", json=body, headers={"authorization": f"Bearer {self.token}"})
        self.seen[f"graphql {found.status_code}"] += 1
        if b'"INTERNAL"' in found.content:
            self.seen["INTERNAL"] += 1

    async def page(self, client: httpx.AsyncClient, rnd: random.Random) -> None:
        asked = {
            "q": rnd.choice(["", "a", "an", "电子"]),
            "f_name": rnd.choice("abcdef"),
            "size": rnd.choice([25, 100]),
        }
        cookies = {"cookie": f"millpond={self.token}"}
        found = await client.get(f"/admin/{rnd.choice(PAGES)}/list", params=asked, headers=cookies)
        self.seen[f"panel {found.status_code}"] += 1

    async def stranger(self, client: httpx.AsyncClient, rnd: random.Random) -> None:
        head = {"authorization": f"Bearer {rnd.random()}", "user-agent": str(rnd.random()) * 200, "accept": str(rnd.random()) * 200}  # fmt: skip
        bodies = [b"[" * 100_000, b'{"query": "' + b"{a" * 20_000, b"\xff" * 500_000, b'{"query": "{ me }"}']
        head["content-type"] = "application/json"
        found = await client.post("/graphql", content=rnd.choice(bodies), headers=head)
        self.seen[f"stranger {found.status_code}"] += 1


def memory(pid: int) -> tuple[float, float]:
    """(resident, anonymous) MiB of a process; the first includes pages of the database's file."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    resident, anonymous = (int(status[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon"))
    return round(resident, 1), round(anonymous, 1)


async def soak(served: Served, token: str, minutes: float) -> dict[str, Any]:
    began = time.monotonic()
    work = Soak(served, token, began + minutes * 60)
    samples = [(0.0, *memory(served.pid))]
    running = asyncio.gather(*(work.client(seed) for seed in range(CLIENTS)))
    while not running.done():
        await asyncio.wait([running], timeout=EVERY_SECONDS)
        samples.append((time.monotonic() - began, *memory(served.pid)))
    await running
    reference = min(REFERENCE_SECONDS, minutes * 60 / 4)
    at = next(sample for sample in samples if sample[0] >= reference)
    last = samples[-3:]
    end = tuple(round(sum(column) / len(last), 1) for column in zip(*last, strict=True))
    growth = [round((end[n] / at[n] - 1) * 100, 1) for n in (1, 2)]
    return {
        "minutes": minutes,
        "resident and anonymous MiB": {"start": samples[0][1:], "reference": at[1:], "end": end[1:]},
        "largest": [max(sample[n] for sample in samples) for n in (1, 2)],
        "growth %": growth,
        "within the limit": growth[0] <= ALLOWED_GROWTH,
        "answers": dict(sorted(work.seen.items())),
        "every half minute": [sample[1:] for sample in samples[:: max(1, 30 // EVERY_SECONDS)]],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--engine", default="sqlite", choices=("sqlite", "postgresql"))
    parser.add_argument("--customers", type=int, default=5_000)
    given = parser.parse_args()
    with database(given.engine) as url:
        demo.prepare(url, given.customers, lambda _: None)
        with servers(url, 1) as (served,):
            with httpx.Client(base_url=served, timeout=30) as client:
                token = sign_in(client, PERSON)
            show({"database": given.engine, **asyncio.run(soak(served, token, given.minutes))})


if __name__ == "__main__":
    main()
