"""An import of customers beside the admin's import of django-import-export, with the same file, one after the other.

    python bench/import_peers.py [--rows 10000] [--rounds 3]

`make bench-peers` installs the peer.  Millpond reads, checks and applies with every rule, log entry with proof, search doc and
duplicate key; the peer previews and saves a plain table.  Both on SQLite.  Prints JSON: seconds of each step and round, and
how many times as long the peer takes, the median of the rounds.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from imports import HEADINGS, measure, write
from stage import database, show

PEERS = Path(__file__).resolve().parent / "peers"
PYTHON = PEERS / ".venv" / "bin" / "python"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if not PYTHON.exists():
        raise SystemExit("the peer is not installed: make bench-peers")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "customers.xlsx"
        write(file, given.rows)
        rounds = [one_round(file) for _ in range(given.rounds)]
    times = [x["peer"]["total"] / x["millpond"]["total"] for x in rounds]
    show({"rows": given.rows, "rounds": rounds, "times": round(statistics.median(times), 2)})


def one_round(file: Path) -> dict[str, Any]:
    with database("sqlite") as url:
        ours = measure(url, file)
    with tempfile.TemporaryDirectory() as folder:
        command = [str(PYTHON), str(PEERS / "django_import.py"), str(file), folder, json.dumps(HEADINGS)]
        said = subprocess.run(command, capture_output=True, text=True, check=True)
    theirs = json.loads(said.stdout.splitlines()[-1])
    theirs["total"] = round(theirs["preview"] + theirs["confirm"], 2)
    return {"millpond": {key: ours[key] for key in ("seconds", "total", "states")}, "peer": theirs}


if __name__ == "__main__":
    main()
