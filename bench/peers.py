"""PostGraphile 5 as a peer in `read_path.py`, and helpers for all peers; `make bench-peers` installs them.

Set up as in its manual (Amber preset, pool of 10), on the product's tables in PostgreSQL.  It runs without sign-in and
without policy; Millpond never does.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url
from stage import running
from target import Target

from models import Customer
from resolvers.runtime.ids import global_id

HOME = Path(__file__).parent / "peers"
NODE = str(HOME / "node_modules" / "node" / "bin" / "node")
COMMAND = [NODE, str(HOME / "node_modules" / "postgraphile" / "dist" / "cli-run.js")]

_FIELDS = "rowId number name stage industry level ownerId phone lockedById createdAt"
_LIST = f"query ($o: Int, $s: String) {{ customers: allCustomers(first: 50, condition: {{ownerId: $o, stage: $s, deletedAt: null}}, orderBy: [CREATED_AT_DESC, ROW_ID_DESC]) {{ nodes {{ {_FIELDS} %s }} }} }}"
QUERIES = {
    "list": _LIST % "",
    "nested": _LIST
    % "owner: appUserByOwnerId { name } contacts: contactsByCustomerId(first: 3, orderBy: [CREATED_AT_DESC]) { nodes { rowId name title } }",
    "record": f"query ($id: Int!) {{ customer: customerByRowId(rowId: $id) {{ {_FIELDS} contacts: contactsByCustomerId(first: 10, orderBy: [CREATED_AT_DESC]) {{ nodes {{ rowId name title }} }} followUps: followUpsByCustomerId(first: 20, orderBy: [HAPPENED_AT_DESC]) {{ nodes {{ rowId kind content happenedAt }} }} }} }}",
    "search": f"query ($q: String) {{ customers: searchCustomers(q: $q, first: 20) {{ nodes {{ {_FIELDS} }} totalCount }} }}",
    "claim": "mutation ($id: Int, $owner: Int) { claimCustomer(input: {customerId: $id, userId: $owner}) { customer: result { rowId number name owner: appUserByOwnerId { name } } } }",
}


def installed(package: str, url: str) -> bool:
    """Whether the package is installed and the database is PostgreSQL."""
    return (HOME / "node_modules" / package).exists() and make_url(url).get_backend_name() == "postgresql"


def connection(url: str) -> dict[str, str]:
    """How the clients of PostgreSQL reach a database, as their environment; host and port may stand in the query too."""
    at = make_url(url)
    found = {
        "PGHOST": at.query.get("host") or at.host or "localhost",
        "PGPORT": at.query.get("port") or at.port or 5432,
        "PGDATABASE": at.database,
        "PGUSER": at.username,
        "PGPASSWORD": at.password,
    }
    return {name: str(value) for name, value in found.items() if value is not None}


def numbers(given: dict[str, Any]) -> dict[str, Any]:
    """Our variables with numbers in place of global ids."""
    return {name: int(value[4:]) if name in ("o", "id") else value for name, value in given.items()}


def body(workload: str, given: dict[str, Any]) -> dict[str, Any]:
    return {"query": QUERIES[workload], "variables": numbers(given)}


def ids(data: Any) -> list[str]:
    data = data.get("claimCustomer", data)
    rows = data["customers"]["nodes"] if "customers" in data else [data["customer"]]
    return [global_id(Customer, row["rowId"]) for row in rows]


@contextmanager
def postgraphile(url: str) -> Iterator[list[Target]]:
    """[the PostGraphile target]; empty where it is not installed or the database is not PostgreSQL."""
    if not installed("postgraphile", url):
        yield []
        return
    mode = {"PORT": "{port}", "NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    with running(COMMAND, cwd=HOME, env=os.environ | connection(url) | mode) as served:
        yield [Target("postgraphile", served, body=body, ids=ids, log="claim_log")]
