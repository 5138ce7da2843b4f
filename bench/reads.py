"""Response times of everyday GraphQL queries over a large demo, for every demo user, through HTTP.

    make demo DEMO_CUSTOMERS=100000      (or any other database of the demo)
    python bench/reads.py [--database sqlite:///var/demo.db] [--times 15]

Prints JSON: per query and user the median and the 99th percentile in milliseconds, of interleaved rounds.
"""

import argparse
import time
from typing import Any

import httpx
from stage import servers, show, spread

PEOPLE = ("ada", "lead", "li", "wu", "mei", "fin", "sam", "rolf")
PASSWORD = "millpond-demo"
ROW = "id number name stageLabel industryLabel level owner { id name } pool { name } locked createdAt"
QUESTIONS = {
    "list": f"{{ customers(first: 50) {{ nodes {{ {ROW} }} pageInfo {{ hasNextPage endCursor }} countUpTo }} }}",
    "filtered": f"""{{ customers(first: 50, filter: {{stage: {{eq: "early"}}, name: {{contains: "科技"}}}}) {{ nodes {{ {ROW} }}
                     pageInfo {{ hasNextPage endCursor }} countUpTo }} }}""",
    "total": "{ customers(first: 50) { totalCount nodes { id } } }",
    "search": f'{{ customers(first: 20, search: "科技") {{ nodes {{ {ROW} }} countUpTo }} }}',
    "customer": f"""query ($id: ID!) {{ customer(id: $id) {{ {ROW} phone email remark version edit: can(action: EDIT)
                    contacts {{ totalCount nodes {{ id name title isPrimary points {{ kind value }} }} }} }} }}""",
}


def ask(client: httpx.Client, token: str, query: str, **variables: Any) -> dict[str, Any]:
    answer = client.post(
        "/graphql", json={"query": query, "variables": variables}, headers={"authorization": f"Bearer {token}"}
    ).json()
    assert "errors" not in answer, answer
    data: dict[str, Any] = answer["data"]
    return data


def sign_in(client: httpx.Client, login: str) -> str:
    query = "mutation ($i: SignInInput!) { signIn(input: $i) { token problems { message } } }"
    answer = client.post("/graphql", json={"query": query, "variables": {"i": {"login": login, "password": PASSWORD}}})
    token: str = answer.json()["data"]["signIn"]["token"]
    return token


def measure(address: str, times: int) -> dict[str, Any]:
    figures: dict[str, dict[str, list[float]]] = {name: {who: [] for who in PEOPLE} for name in QUESTIONS}
    with httpx.Client(base_url=address, timeout=60) as client:
        tokens = {who: sign_in(client, who) for who in PEOPLE}
        first = {who: _some_customer(client, tokens[who]) for who in PEOPLE}
        for round in range(times + 1):
            for name, query in QUESTIONS.items():
                for who in PEOPLE:
                    if name == "customer" and first[who] is None:
                        continue
                    began = time.perf_counter()
                    ask(client, tokens[who], query, **({"id": first[who]} if name == "customer" else {}))
                    if round:  # the first one warms up
                        figures[name][who].append((time.perf_counter() - began) * 1000)
    return {name: {who: spread(t) for who, t in people.items() if t} for name, people in figures.items()}


def _some_customer(client: httpx.Client, token: str) -> str | None:
    nodes = ask(client, token, "{ customers(first: 7) { nodes { id } } }")["customers"]["nodes"]
    return nodes[-1]["id"] if nodes else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="sqlite:///var/demo.db")
    parser.add_argument("--times", type=int, default=15)
    asked = parser.parse_args()
    with servers(asked.database, 1) as (address,):
        show({"database": asked.database.partition(":")[0], "milliseconds": measure(address, asked.times)})


if __name__ == "__main__":
    main()
