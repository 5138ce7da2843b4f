"""Directus 12 as a peer in `read_path.py`, when `make bench-peers` has installed it: our tables as its collections.

It adds tables of its own.  It checks a token of its administrator, who may see everything, and writes activity and
revisions; caches, telemetry, rate limits and websockets are off.  To Directus the owner of a row is a relation, whose
id is a field of its own.

`peers/package.json` replaces isolated-vm by a stub, because that package has to be compiled and only runs scripts of
flows.  It also takes the static files of the studio from an earlier patch release than the API asks for.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
from peers import HOME, NODE, connection, installed, numbers
from stage import done, running
from target import Target

from models import Customer
from resolvers.runtime.ids import global_id

COMMAND = [NODE, str(HOME / "node_modules" / "directus" / "cli.js")]
TOKEN = "bench-static-token"
FIELDS = "id number name stage industry level owner_id { id %s } phone locked_by_id { id } created_at"
LIST = 'query ($o: GraphQLStringOrFloat, $s: String) {{ customer(limit: 50, sort: ["-created_at", "-id"], filter: {{owner_id: {{id: {{_eq: $o}}}}, stage: {{_eq: $s}}, deleted_at: {{_null: true}}}}) {{ {0} }} }}'
FOUND = "{name: {_contains: $q}, deleted_at: {_null: true}}"
SEARCH = f'query ($q: String) {{ customer(limit: 20, sort: ["-created_at", "-id"], filter: {FOUND}) {{ {FIELDS % ""} }} customer_aggregated(filter: {FOUND}) {{ count {{ id }} }} }}'
QUERIES = {
    "list": LIST.format(FIELDS % ""),
    "nested": LIST.format(FIELDS % "name" + ' contacts(limit: 3, sort: ["-created_at"]) { id name title }'),
    "search": SEARCH,
    "claim": "mutation ($id: ID!, $data: update_customer_input!) { update_customer_item(id: $id, data: $data) { id number name owner_id { name } } }",
    "record": f'query ($id: ID!) {{ customer_by_id(id: $id) {{ {FIELDS % ""} contacts(limit: 10, sort: ["-created_at"]) {{ id name title }} follow_ups(limit: 20, sort: ["-happened_at"]) {{ id kind content happened_at }} }} }}',
}


def body(workload: str, given: dict[str, Any]) -> dict[str, Any]:
    variables = numbers(given)
    if workload == "claim":
        owner = {"owner_id": {"id": variables.pop("owner")}, "claimed_at": datetime.now(UTC).isoformat()}
        variables["data"] = owner | {"pool_id": None, "pooled_at": None}
    return {"query": QUERIES[workload], "variables": variables}


def ids(data: Any) -> list[str]:
    match data:
        case {"customer": rows}:
            return [global_id(Customer, row["id"]) for row in rows]
        case {"customer_by_id": row} | {"update_customer_item": row}:
            return [global_id(Customer, row["id"])]
        case _:
            raise AssertionError(data)


@contextmanager
def directus(url: str) -> Iterator[list[Target]]:
    """[the Directus target]; empty where it is not installed or the database is not PostgreSQL."""
    if not installed("directus", url):
        yield []
        return
    environment = os.environ | settings(url)
    done([*COMMAND, "bootstrap"], cwd=HOME, env=environment)
    with running([*COMMAND, "start"], cwd=HOME, env=environment) as served:
        relate(served)
        yield [Target("directus", served, body=body, ids=ids, token=TOKEN, log="directus_revisions")]


def settings(url: str) -> dict[str, str]:
    at = connection(url)
    return {
        "HOST": "127.0.0.1",
        "PORT": "{port}",
        "DB_CLIENT": "pg",
        "DB_HOST": at["PGHOST"],
        "DB_PORT": at["PGPORT"],
        "DB_DATABASE": at["PGDATABASE"],
        "DB_USER": at.get("PGUSER", "postgres"),
        "DB_PASSWORD": at.get("PGPASSWORD", "unused"),
        "DB_POOL__MAX": "10",
        "SECRET": "for-this-measurement-alone-0123456789",
        "ADMIN_EMAIL": "admin@example.com",
        "ADMIN_PASSWORD": "bench-admin-1",
        "ADMIN_TOKEN": TOKEN,
        "NODE_ENV": "production",
        "LOG_LEVEL": "warn",
        **dict.fromkeys(("TELEMETRY", "CACHE_ENABLED", "RATE_LIMITER_ENABLED", "WEBSOCKETS_ENABLED"), "false"),
    }


def relate(served: str) -> None:
    """Register our tables as collections, and contacts and follow-ups as fields of a customer."""
    headers = {"authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=served, timeout=60, headers=headers) as client:

        def tell(method: str, path: str, **what: Any) -> None:
            answer = client.request(method, path, json=what)
            assert answer.is_success, (path, answer.text)

        for table in ("app_user", "pool", "customer", "contact", "follow_up"):
            tell("PATCH", f"/collections/{table}", meta={"hidden": False, "accountability": "all"})
        for table, field in (("contact", "contacts"), ("follow_up", "follow_ups")):
            kind = {"special": ["o2m"], "interface": "list-o2m"}
            tell("POST", "/fields/customer", field=field, type="alias", schema=None, meta=kind)
            tell("PATCH", f"/relations/{table}/customer_id", meta={"one_field": field})
        tell("POST", "/utils/cache/clear")
