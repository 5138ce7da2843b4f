"""The serving process: it listens, says where, answers, and stops when told."""

import json
import socket
import time
from datetime import timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from sqlalchemy import func, select

from millpond.database import look
from millpond.listening import CannotListen, addresses, listen
from millpond.settings import Settings
from millpond.web import entrances
from models import AuditEntry, AuditSeal
from resolvers.runtime.principals import Entrances
from tests.support.engines import at_length_on_postgresql
from tests.support.seal_files import seal_files_of
from tests.support.terminal import millpond, served, told


@at_length_on_postgresql
@pytest.mark.short
def test_it_serves_a_migrated_database_on_a_free_port_until_it_is_told_to_stop(url: str) -> None:
    with served(url, "serve") as it:
        assert it.said == [
            f"Millpond is served at {it.address}",
            f"  Panel     {it.address}/admin/",
            f"  GraphQL   {it.address}/graphql",
            f"  Health    {it.address}/readyz",
        ]
        assert it.address.startswith("http://127.0.0.1:")
        ready = get(f"{it.address}/readyz")
        assert ready == {"status": "ready", "last_write_seconds": pytest.approx(0, abs=5)}
        assert ask(it.address, "{ __typename }") == {"data": {"__typename": "Query"}}

    assert it.exit_code == 0


def test_the_log_is_sealed_beside_the_requests(sqlite_url: str) -> None:
    seal_files_of(sqlite_url).add_key()
    with served(sqlite_url, "serve", MILLPOND_WORKERS="1"):
        until_sealed(sqlite_url)

    assert look(sqlite_url, lambda at: at.execute(select(func.sum(AuditSeal.count))).scalar()) == look(
        sqlite_url, lambda at: at.execute(select(func.count(AuditEntry.id))).scalar()
    )


def test_a_port_that_is_taken_is_refused_in_one_sentence(sqlite_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])

        refused = told(millpond(sqlite_url, "serve", MILLPOND_PORT=port))

    sentence = f"Cannot listen on 127.0.0.1:{port}: Address already in use. Choose another with MILLPOND_PORT."
    assert refused == (1, "", f"millpond: {sentence}\n")


def test_a_host_that_is_not_ours_is_refused() -> None:
    with pytest.raises(CannotListen, match=r"Cannot listen on 203\.0\.113\.1:0: "):
        listen("203.0.113.1", 0)


def test_an_address_of_the_new_kind_is_shown_in_brackets() -> None:
    with listen("[::1]", 0) as listener:
        port = listener.getsockname()[1]
        assert addresses(listener)[0] == f"Millpond is served at http://[::1]:{port}"


def test_the_house_counts_sessions_and_guesses_as_the_settings_say() -> None:
    chosen = Settings(
        session_idle_hours=1,
        session_hours=2,
        sign_in_tries=3,
        sign_in_tries_per_address=4,
        sign_in_tries_per_account=5,
        sign_in_window_minutes=5,
    )

    assert entrances(chosen) == Entrances(
        idle=timedelta(hours=1),
        life=timedelta(hours=2),
        tries=3,
        tries_per_address=4,
        tries_per_account=5,
        window=timedelta(minutes=5),
    )
    assert entrances(Settings()) == Entrances()


def test_a_database_that_is_missing_stops_the_server_before_it_listens(tmp_path: Path) -> None:
    refused = millpond(f"sqlite:///{tmp_path}/none.db", "serve", MILLPOND_PORT="0")

    assert (refused.exit_code, refused.stdout) == (1, "")


def get(address: str) -> object:
    with urlopen(address, timeout=10) as answer:
        return json.load(answer)


def ask(address: str, query: str) -> object:
    body = json.dumps({"query": query}).encode()
    with urlopen(Request(f"{address}/graphql", body, {"Content-Type": "application/json"}), timeout=10) as answer:
        return json.load(answer)


def until_sealed(url: str) -> None:

    end = time.monotonic() + 15
    while time.monotonic() < end:
        if look(url, lambda at: at.execute(select(func.count(AuditSeal.id))).scalar()):
            return
        time.sleep(0.1)
    raise AssertionError("nothing was sealed")
