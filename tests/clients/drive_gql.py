"""gql through the story of `drive.mjs`, as JSON: python drive_gql.py URL TOKEN PREFIX"""

import json
import sys
from collections.abc import Callable
from typing import Any

from recipes.gql_client import Millpond


def main(url: str, token: str, prefix: str) -> dict[str, Any]:
    api, mine = Millpond(url, token), {"name": {"startsWith": prefix}}

    def shown(turn: Callable[[dict[str, Any]], dict[str, Any]], has_more: str) -> list[Any]:
        held: list[str] = []
        steps, ends = [], {"endCursor": None, "startCursor": None}
        for _ in range(3):
            page = api.page(filter=mine, **turn(ends))
            names, ends = [node["name"] for node in page["nodes"]], page["pageInfo"]
            held = [*held, *names] if has_more == "hasNextPage" else [*names, *held]
            steps.append([held, ends[has_more]])
        return steps

    forward = shown(lambda ends: {"first": 2, "after": ends["endCursor"]}, "hasNextPage")
    backward = shown(lambda ends: {"last": 2, "before": ends["startCursor"]}, "hasPreviousPage")
    id = api.page(filter=mine, first=1)["nodes"][0]["id"]
    claim, again = api.claim(id), api.claim(id)
    version = claim["customers"][0]["version"]
    renamed = api.rename(id=id, version=version, name=f"{prefix} renamed")
    conflict = api.rename(id=id, version=version, name=f"{prefix} renamed by somebody else")
    parts = {"claim": claim, "again": again, "renamed": renamed, "conflict": conflict, "node": api.customer(id)}
    return {"forward": forward, "backward": backward, **parts, "said": []}


print(json.dumps(main(*sys.argv[1:])))
