"""A server that `read_path.py` measures: where it is, how a workload is asked of it, and the ids in its answer.  Ours."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
}


def body(workload: str, given: dict[str, Any]) -> dict[str, Any]:
    return {"query": QUERIES[workload], "variables": given}


def ids(data: Any) -> list[str]:
    """Global ids of the customers in an answer of ours."""
    rows = data["customers"]["nodes"] if "customers" in data else [data["customer"]]
    return [row["id"] for row in rows]


@dataclass(frozen=True)
class Target:
    """`body` and `ids` translate from our variables and to our ids; both are used before the clock runs."""

    name: str
    served: Served
    path: Callable[[str], str] = lambda _: "/graphql"
    body: Callable[[str, dict[str, Any]], dict[str, Any]] = body
    ids: Callable[[Any], list[str]] = ids
    token: str | None = None

    def request(self, workload: str, given: dict[str, Any]) -> bytes:
        """Every byte of it."""
        content = json.dumps(self.body(workload, given)).encode()
        head = [f"POST {self.path(workload)} HTTP/1.1", f"Host: {urlsplit(self.served).netloc}"]
        head += [f"Authorization: Bearer {self.token}"] if self.token else []
        head += ["Content-Type: application/json", f"Content-Length: {len(content)}", "", ""]
        return "\r\n".join(head).encode() + content

    def ask(self, workload: str, given: dict[str, Any]) -> list[str]:
        """The ids that it gives."""
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        answer = httpx.post(
            f"{self.served}{self.path(workload)}", json=self.body(workload, given), headers=headers, timeout=30
        ).json()
        assert "errors" not in answer, (self.name, answer)
        return self.ids(answer["data"])


@contextmanager
def ours(url: str, login: str) -> Iterator[list[Target]]:
    """Millpond, and beside it the floor; one process each, and somebody who has signed in."""
    by_hand = [sys.executable, str(Path(__file__).with_name("floor.py")), url, "{port}"]
    with servers(url, 1) as (served,), running(by_hand) as floor:
        with httpx.Client(base_url=served, timeout=30) as client:
            token = sign_in(client, login)
        yield [
            Target("ours", served, token=token),
            Target("floor", floor, path=lambda workload: f"/{workload}", token=token),
        ]
