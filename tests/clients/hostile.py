"""Hostile requests by schemathesis, counted: python hostile.py SCHEMA URL TOKEN SEED OPERATIONS EXAMPLES

As JSON: how many requests, how many of each status and each code of an error, and those that the server could not answer.
"""

import json
import random
import sys
from collections import Counter
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings

TIMEOUT = 120


def main(schema: str, url: str, token: str, number: str, operations: str, examples: str) -> dict[str, Any]:
    """OPERATIONS of the schema's, chosen by SEED, each with as many examples."""
    known = sorted((x.ok() for x in schemathesis.graphql.from_path(schema).get_all_operations()), key=lambda x: x.label)
    chosen = random.Random(int(number)).sample(known, min(int(operations), len(known)))
    session = requests.Session()
    session.headers["authorization"] = f"Bearer {token}"
    statuses: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    broken: list[dict[str, Any]] = []

    def send(case: Any) -> None:
        answer = session.post(url, json={"query": case.body}, timeout=TIMEOUT)
        statuses[str(answer.status_code)] += 1
        found = [error["extensions"]["code"] for error in answer.json().get("errors", [])]
        codes.update(found)
        if answer.status_code >= 500 or "INTERNAL" in found:
            broken.append({"query": case.body, "answer": answer.text[:1000]})

    quiet = settings(
        max_examples=int(examples),
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    for operation in chosen:
        quiet(seed(int(number))(given(case=operation.as_strategy())(send)))()
    counts = {"statuses": statuses, "codes": codes, "requests": sum(statuses.values())}
    return {"operations": len(chosen), **counts, "broken": broken[:5]}


print(json.dumps(main(*sys.argv[1:])))
