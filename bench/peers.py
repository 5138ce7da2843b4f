"""The peers of `read_path.py`: other servers over the same rows, when `make bench-peers` has installed them.

PostGraphile 5 as its manual sets it up (Amber preset, pool of 10) on the product's own tables in PostgreSQL.  It runs
without sign-in and without policy; ours never does.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url
from stage import running
from target import Target

HOME = Path(__file__).parent / "peers"
POSTGRAPHILE = HOME / "node_modules" / "postgraphile"

_FIELDS = "rowId number name stage industry level ownerId phone lockedById createdAt"
_LIST = f"query ($o: Int, $s: String) {{ customers: allCustomers(first: 50, condition: {{ownerId: $o, stage: $s, deletedAt: null}}, orderBy: [CREATED_AT_DESC, ROW_ID_DESC]) {{ nodes {{ {_FIELDS} %s }} }} }}"
QUERIES = {
    "list": _LIST % "",
    "nested": _LIST
    % "owner: appUserByOwnerId { name } contacts: contactsByCustomerId(first: 3, orderBy: [CREATED_AT_DESC]) { nodes { rowId name title } }",
    "record": f"query ($id: Int!) {{ customer: customerByRowId(rowId: $id) {{ {_FIELDS} contacts: contactsByCustomerId(first: 10) {{ nodes {{ rowId name title }} }} followUps: followUpsByCustomerId(first: 20) {{ nodes {{ rowId kind content happenedAt }} }} }} }}",
}


def body(workload: str, given: dict[str, Any]) -> dict[str, Any]:
    """Ours as theirs: numbers instead of global ids."""
    variables = {name: int(value[4:]) if name in ("o", "id") else value for name, value in given.items()}
    return {"query": QUERIES[workload], "variables": variables}


def ids(data: Any) -> list[str]:
    rows = data["customers"]["nodes"] if "customers" in data else [data["customer"]]
    return [f"cus_{row['rowId']}" for row in rows]


@contextmanager
def postgraphile(url: str) -> Iterator[list[Target]]:
    """It alone; nobody where it is not installed or the database is not PostgreSQL."""
    at = make_url(url)
    if not POSTGRAPHILE.exists() or at.get_backend_name() != "postgresql":
        yield []
        return
    where = {"PGHOST": str(at.query.get("host") or at.host), "PGDATABASE": str(at.database), "PGUSER": str(at.username)}
    environment = {**os.environ, **where, "PORT": "{port}", "NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    command = [str(HOME / "node_modules" / "node" / "bin" / "node"), str(POSTGRAPHILE / "dist" / "cli-run.js")]
    with running(command, cwd=HOME, env=environment) as served:
        yield [Target("postgraphile", served, body=body, ids=ids)]
