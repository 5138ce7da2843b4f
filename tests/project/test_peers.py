"""The helpers of the benchmarks: peers reach a PostgreSQL on any port, and one that fails says why."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = next(folder for folder in Path(__file__).parents if (folder / "pyproject.toml").exists())
REFUSED = "import sys; print('connect ECONNREFUSED 127.0.0.1:5433'); sys.exit(3)"
LISTENS = "import http.server as s; print('pool failed', flush=True); s.HTTPServer(('127.0.0.1', int('{port}')), s.BaseHTTPRequestHandler).serve_forever()"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """`import_module` for the files of the folder bench, which are scripts and no package."""
    from importlib import import_module

    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    yield import_module
    for name in ("peers", "directus", "target", "stage", "reads"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("url", "reached"),
    [
        ("postgresql://ada:secret@db.example:5433/crm", ("db.example", "5433", "crm", "ada", "secret")),
        ("postgresql://ada@/crm?host=/run/pg&port=6000", ("/run/pg", "6000", "crm", "ada", None)),
        ("postgresql://ada@localhost/crm", ("localhost", "5432", "crm", "ada", None)),
    ],
)
def test_a_peer_is_told_host_port_and_password_of_the_database(
    bench: Any, url: str, reached: tuple[str | None, ...]
) -> None:
    names = ("PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD")
    found = bench("peers").connection(url)
    assert tuple(found.get(name) for name in names) == reached

    directus = bench("directus").settings(url)
    assert (directus["DB_HOST"], directus["DB_PORT"], directus["DB_DATABASE"]) == reached[:3]


def test_a_peer_that_does_not_start_says_why(bench: Any) -> None:
    stage = bench("stage")
    said = r"ended with exit code 3. It said:\nconnect ECONNREFUSED 127.0.0.1:5433"

    with pytest.raises(SystemExit, match=said), stage.running([sys.executable, "-c", REFUSED]):
        raise AssertionError("it runs")
    with pytest.raises(SystemExit, match=said):
        stage.done([sys.executable, "-c", REFUSED])


def test_a_peer_that_runs_keeps_what_it_says(bench: Any) -> None:
    with bench("stage").running([sys.executable, "-c", LISTENS]) as served:
        assert served.startswith("http://127.0.0.1:")
        assert served.said() == "pool failed"
