"""A server that `read_path.py` measures: its address, its requests per workload, and the ids in its answers."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from reads import sign_in
from stage import Served, running, servers

FIELDS = "id number name stage industry level ownerId phone locked createdAt"
LIST = f"query ($o: ID, $s: String) {{ customers(first: 50, filter: {{ownerId: {{eq: $o}}, stage: {{eq: $s}}}}) {{ nodes {{ {FIELDS} %s }} }} }}"
QUERIES = {
    "list": LIST % "",
    "nested": LIST % "owner { name } contacts(first: 3) { nodes { id name title } }",
    "record": f"query ($id: ID) {{ customer(id: $id) {{ {FIELDS} contacts(first: 10) {{ nodes {{ id name title }} }} followUps(first: 20) {{ nodes {{ id kind content happenedAt }} }} }} }}",
    "search": f"query ($q: String) {{ customers(first: 20, search: $q) {{ nodes {{ {FIELDS} }} countUpTo }} }}",
    "claim": "mutation ($input: RecordsInput!) { claimCustomers(input: $input) { ids customers { id number name owner { name } } problems { code message } } }",
}


def body(workload: str, given: dict[str, Any]) -> dict[str, Any]:
    if workload == "claim":
        given = {"input": {"ids": [given["id"]], "idempotencyKey": f"claim-{given['id']}"}}
    return {"query": QUERIES[workload], "variables": given}


def ids(data: Any) -> list[str]:
    """The global ids of the customers in an answer of Millpond."""
    match data:
        case {"customers": {"nodes": rows}} | {"claimCustomers": {"customers": rows}}:
            return [row["id"] for row in rows]
        case _:
            return [data["customer"]["id"]]


@dataclass(frozen=True)
class Target:
    """A server.  `body` translates our variables into its request, `ids` its answer into our ids, both before the timing.

    `log` is the table, with a condition, that gets one row per claim.  `tokens`: user id -> token of the users who claim.
    """

    name: str
    served: Served
    path: Callable[[str], str] = lambda _: "/graphql"
    body: Callable[[str, dict[str, Any]], dict[str, Any]] = body
    ids: Callable[[Any], list[str]] = ids
    token: str | None = None
    tokens: Mapping[int, str] = field(default_factory=dict)
    workloads: Sequence[str] = tuple(QUERIES)
    log: str = ""

    def request(self, workload: str, given: dict[str, Any]) -> bytes:
        """The whole HTTP request."""
        content = json.dumps(self.body(workload, given)).encode()
        head = [f"POST {self.path(workload)} HTTP/1.1", f"Host: {urlsplit(self.served).netloc}"]
        head += [f"{name}: {value}" for name, value in self._headers(given).items()]
        head += ["Content-Type: application/json", f"Content-Length: {len(content)}", "", ""]
        return "\r\n".join(head).encode() + content

    def ask(self, workload: str, given: dict[str, Any]) -> list[str]:
        """The ids in the server's answer."""
        url, content = f"{self.served}{self.path(workload)}", self.body(workload, given)
        answer = httpx.post(url, json=content, headers=self._headers(given), timeout=60).json()
        if "errors" in answer:
            raise SystemExit(
                f"{self.name} cannot answer {workload}: {answer['errors']}. It said:\n{self.served.said()}"
            )
        return self.ids(answer["data"])

    def _headers(self, given: dict[str, Any]) -> dict[str, str]:
        token = self.tokens.get(given.get("owner", 0), self.token)
        return {"Authorization": f"Bearer {token}"} if token else {}


@contextmanager
def ours(url: str, login: str, tokens: Mapping[int, str]) -> Iterator[list[Target]]:
    """[Millpond, the hand-written baseline], one process each, with a token of this user."""
    by_hand = [sys.executable, str(Path(__file__).with_name("floor.py")), url, "{port}"]
    with servers(url, 1) as (served,), running(by_hand) as floor:
        with httpx.Client(base_url=served, timeout=30) as client:
            token = sign_in(client, login)
        log = "audit_entry WHERE action = 'customer.claim' AND outcome = 'OK'"
        reads = ("list", "nested", "record")
        yield [
            Target("ours", served, token=token, tokens=tokens, log=log),
            Target("floor", floor, path=lambda workload: f"/{workload}", token=token, workloads=reads),
        ]
