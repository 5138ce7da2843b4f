"""Are the tests worth anything?  Plants one fault after the other into a copy of the checkout and runs the tests that fit.

    python bench/planted_faults.py [--only "NULL" "deny"]

A fault is a text that stands in a file once, another in its place, and the test files that have to turn red.  Prints JSON
with the first test that noticed each; exits 1 when one stays green, when its text is gone, or when the tests are red without it.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from stage import ROOT, postgres, show


class Fault(NamedTuple):
    name: str
    file: str
    right: str
    wrong: str
    tests: tuple[str, ...]


WORDS, SNAPSHOT = "policies/words.py", "policies/snapshot.py"
FAULTS = (
    Fault(
        "own is blind to NULL",
        WORDS,
        "    return and_(column.is_not(None), column == value)\n",
        "    return column == value\n",
        ("test_policy_words.py",),
    ),
    Fault(
        "others is blind to NULL",
        WORDS,
        "lambda p, rows: not_(_own(p, rows)),",
        'lambda p, rows: rows.column("owner_id") != p.id,',
        ("test_policy_words.py",),
    ),
    Fault(
        "a share has no end",
        WORDS,
        "            or_(share.ends_at.is_(None), share.ends_at > p.now),\n",
        "",
        ("test_policy_words.py",),
    ),
    Fault(
        "a share of anything is a share of everything: EXISTS that is not correlated",
        WORDS,
        ".where(share.customer_id == rows.e.id, or_(*given), in_force)",
        ".where(or_(*given), in_force)",
        ("test_policy_words.py",),
    ),
    Fault(
        "a deny is forgotten in SQL",
        SNAPSHOT,
        "together([allow, *(not_(_pair_sql(x, p, rows)) for x in sorted(self.deny))])",
        "together([allow])",
        ("test_policy_where.py", "test_policy_judge.py"),
    ),
    Fault(
        "own is taken to be part of team",
        SNAPSHOT,
        "either(_pair_sql(x, p, rows) for x in sorted(self.allow))",
        'either(_pair_sql(x, p, rows) for x in sorted(self.allow) if x[0] != "own" or ("team", x[1]) not in self.allow)',
        ("test_policy_where.py", "test_policy_judge.py"),
    ),
    Fault(
        "a line about every object is forgotten",
        SNAPSHOT,
        'self.closure(roles), {obj, "*"}',
        "self.closure(roles), {obj}",
        ("test_policy_snapshot.py",),
    ),
    Fault(
        "touch misses an action",
        "policies/objects.py",
        '"touch": ("view", "export", *_CHANGES, *_MORE)',
        '"touch": ("view", *_CHANGES, *_MORE)',
        ("test_policy_snapshot.py",),
    ),
    Fault(
        "a filter looks at the bare column",
        "resolvers/find.py",
        "    column = value(look, model, e, key)\n    return and_",
        "    column = getattr(e, key) if key in model.__table__.c else value(look, model, e, key)\n    return and_",
        ("test_graphql_secrecy.py",),
    ),
    Fault(
        "a role inherits one level and no more",
        SNAPSHOT,
        "                    todo.append(wider)\n",
        "",
        ("test_policy_snapshot.py",),
    ),
    Fault(
        "what a ceiling denies is handed out",
        "policies/review.py",
        "(may_use(policy, roles, object, action) | more) & ~less & possible(object)",
        "(may_use(policy, roles, object, action) | more) & possible(object)",
        ("test_policy_drafts.py",),
    ),
    Fault(
        "an administrator who cannot sign in counts as the last one",
        "resolvers/ceilings.py",
        "if id in can_enter and all(",
        "if all(",
        ("test_policy_drafts.py",),
    ),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[""], help="faults with one of these words in their names")
    asked = parser.parse_args()
    chosen = [fault for fault in FAULTS if any(word in fault.name for word in asked.only)]
    server, stop = postgres.start() or ("", lambda: None)
    folder = Path(tempfile.mkdtemp(prefix="mp-faults-"))
    try:
        copy(folder)
        tests = sorted({name for fault in chosen for name in fault.tests})
        sound = run(folder, server, tests)
        figures: dict[str, Any] = {"without a fault": sound, "faults": {}}
        for fault in chosen:
            figures["faults"][fault.name] = planted(folder, server, fault)
    finally:
        stop()
        shutil.rmtree(folder, ignore_errors=True)
    missed = [name for name, found in figures["faults"].items() if found["noticed by"] is None]
    figures["missed"] = missed
    show(figures)
    return 1 if missed or sound["noticed by"] is not None else 0


def copy(folder: Path) -> None:
    """The files of the checkout as they are now, those that are not committed yet included."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def planted(folder: Path, server: str, fault: Fault) -> dict[str, Any]:
    file = folder / fault.file
    text = file.read_text(encoding="utf-8")
    if text.count(fault.right) != 1:
        return {"noticed by": None, "why": f"its text stands {text.count(fault.right)} times in {fault.file}"}
    file.write_text(text.replace(fault.right, fault.wrong), encoding="utf-8")
    try:
        return run(folder, server, fault.tests)
    finally:
        file.write_text(text, encoding="utf-8")


def run(folder: Path, server: str, tests: Sequence[str]) -> dict[str, Any]:
    """The first test that failed, None when all passed; and how many seconds it took."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "MILLPOND_TEST_PG": server}
    if not server:
        del environment["MILLPOND_TEST_PG"]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "-m",
        "not long",
        "-k",
        "not postgresql",
    ]
    began = time.monotonic()
    done = subprocess.run(
        [*command, *(f"tests/{name}" for name in tests)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    noticed = failed[1] if failed else None if done.returncode == 0 else done.stdout[-300:]
    return {"noticed by": noticed, "seconds": round(time.monotonic() - began)}


if __name__ == "__main__":
    sys.exit(main())
