"""The cost of HTTP around the read path: plain, compressed, by GET, persisted, and beside another checkout.

One demo, one serving process for each checkout; the list of 50 customers with 10 fields of `read_path.py` and the record
below it.  Rounds are interleaved.  CPU of the server per request tells more than requests per second on a busy machine.
Prints JSON: per checkout, workload and form the median CPU in microseconds and of requests/s, and the bytes of an answer.

    python bench/transport.py --other ../before --rounds 5
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx
from load import Load
from reads import sign_in
from stage import Served, show
from target import QUERIES
from usage import Process

from millpond import demo

ROOT = Path(__file__).resolve().parents[1]
FORMS = ("plain", "gzip", "get", "persisted")


@contextmanager
def serving(tree: Path, url: str) -> Iterator[Served]:
    """A serving process of the code in this folder."""
    more = {"MILLPOND_DATABASE": url, "MILLPOND_PORT": "0", "MILLPOND_LOG_LEVEL": "warning"}
    more |= {"PYTHONPATH": str(tree), "MILLPOND_REQUEST_SECONDS": "60"}  # what queues on a busy machine is measured
    command = [sys.executable, "-m", "millpond", "web"]
    with subprocess.Popen(command, cwd=tree, env={**os.environ, **more}, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = Served(process.stdout.readline().split()[-1])
        found.pid = process.pid
        try:
            yield found
        finally:
            process.terminate()


def request(served: Served, token: str, form: str, query: str, variables: dict[str, object]) -> bytes:
    """The bytes of one request in this form."""
    hash = hashlib.sha256(query.encode()).hexdigest()
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": hash}}
    head = [f"Host: {urlsplit(served).netloc}", f"Authorization: Bearer {token}"]
    if form in ("get", "persisted"):
        given = {"query": query} if form == "get" else {"extensions": json.dumps(extensions)}
        address = urlencode({**given, "variables": json.dumps(variables)})
        return "\r\n".join([f"GET /graphql?{address} HTTP/1.1", *head, "", ""]).encode()
    content = json.dumps({"query": query, "variables": variables}).encode()
    head += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    head += ["Accept-Encoding: gzip"] if form == "gzip" else []
    return "\r\n".join(["POST /graphql HTTP/1.1", *head, "", ""]).encode() + content


def measure(trees: list[Path], url: str, rounds: int, seconds: float) -> dict[str, dict[str, list[float]]]:
    """Checkout -> "workload form" -> [CPU us, requests/s] of each round, one after the other."""
    found: dict[str, dict[str, list[float]]] = {str(tree): {} for tree in trees}
    with serving(trees[0], url) as first, serving(trees[-1], url) as second, Load() as load:
        served = dict(zip([str(tree) for tree in trees], (first, second), strict=False))
        tokens = {tree: _token(at) for tree, at in served.items()}
        wanted = {"list": [{"o": None, "s": None}], "record": [{"id": f"cus_{n}"} for n in range(1, 60)]}
        for number in range(rounds + 1):
            for workload, given in wanted.items():
                query = QUERIES[workload].replace("filter: {ownerId: {eq: $o}, stage: {eq: $s}}", "")
                query = query.replace("($o: ID, $s: String)", "")
                for form in FORMS:
                    for tree in list(served) if number % 2 else list(served)[::-1]:
                        if form != "plain" and tree != str(ROOT):
                            continue
                        at = served[tree]
                        asked = [request(at, tokens[tree], form, query, x if "id" in x else {}) for x in given]
                        _persist(at, tokens[tree], query, given[0] if "id" in given[0] else {})
                        before = Process(at.pid).cpu()
                        taken = load(at, asked, seconds)
                        count = len(taken.milliseconds)
                        if number:  # the first round warms up
                            cpu = (Process(at.pid).cpu() - before) / count * 1e6
                            found[tree].setdefault(f"{workload} {form}", []).extend([cpu, count / taken.seconds])
    return found


def _token(served: Served) -> str:
    with httpx.Client(base_url=served, timeout=60) as client:
        return sign_in(client, "ada")


def _persist(served: Served, token: str, query: str, variables: dict[str, object]) -> None:
    hash = hashlib.sha256(query.encode()).hexdigest()
    body = {
        "query": query,
        "variables": variables,
        "extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash}},
    }
    httpx.post(f"{served}/graphql", json=body, headers={"authorization": f"Bearer {token}"}, timeout=60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--other", type=Path, help="another checkout, with the same migrations")
    parser.add_argument("--customers", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    given = parser.parse_args()
    trees = [ROOT, *([given.other.resolve()] if given.other else [])]
    with tempfile.TemporaryDirectory(prefix="mp-bench-") as folder:
        url = f"sqlite:///{folder}/bench.db"
        demo.prepare(url, given.customers, lambda _said: None)
        rounds = measure(trees, url, given.rounds, given.seconds)
    show(
        {
            tree: {
                what: {"cpu us": round(statistics.median(x[::2])), "requests/s": round(statistics.median(x[1::2]))}
                for what, x in of.items()
            }
            for tree, of in rounds.items()
        }
    )


if __name__ == "__main__":
    main()
