"""The doctor: says that all is well when it is, and what to do about each thing that is not."""

from pathlib import Path

import pytest
from sqlalchemy import insert, text, update

from millpond import doctor
from millpond.database import look
from millpond.package_conflicts import HOME, clashes
from millpond.settings import Settings
from models import OwnerLoad, PolicyRevision, utcnow
from tests.cli.test_commands import behind_the_back
from tests.support.terminal import millpond


@pytest.fixture
def well(new_url: str) -> str:
    """A database with an administrator, as after a first installation."""
    assert millpond(new_url, "user", "add", "ada", "--role", "administrator").exit_code == 0
    return new_url


def complaints(url: str, **environment: str) -> list[str]:
    """What is wrong; the exit code says the same."""
    looked = millpond(url, "doctor", **environment)
    found = [line.removeprefix("millpond: ") for line in looked.stderr.splitlines() if line.startswith("millpond: ")]
    assert looked.exit_code == bool(found)
    return found


def test_a_sound_installation_has_nothing_to_complain_of(well: str) -> None:
    looked = millpond(well, "doctor")

    assert looked.exit_code == 0
    lines = looked.stderr.splitlines()
    assert len(lines) == 14
    assert {line[:9] for line in lines} == {"ok       "}
    assert lines[-4:-2] == [
        "ok       1 can sign in as administrator.",
        "ok       Owners, pools, periods and counters agree.",
    ]


def test_it_says_what_to_run_when_there_is_no_database(tmp_path: Path) -> None:
    there = tmp_path / "none.db"

    assert complaints(f"sqlite:///{there}") == [f"There is no database at {there}. Run: millpond migrate"]
    assert not there.exists()


def test_it_says_what_to_run_when_the_database_is_empty(empty_url: str) -> None:
    behind = Path(empty_url.removeprefix("sqlite:///"))
    if empty_url.startswith("sqlite"):
        behind.touch()

    assert complaints(empty_url) == ["The database has not been set up. Run: millpond migrate"]


def test_it_tells_a_server_that_is_away() -> None:
    (only,) = complaints("postgresql://ada:geheim@127.0.0.1:1/none")

    assert only.startswith("The database does not answer: ")
    assert "geheim" not in only


def test_it_misses_an_administrator(new_url: str) -> None:
    millpond(new_url, "user", "add", "li", "--role", "sales")

    remedy = "Run: millpond user add NAME --role administrator"
    assert complaints(new_url) == [f"Nobody can sign in as administrator. {remedy}"]


def test_an_inactive_administrator_is_none(well: str) -> None:
    behind_the_back(well, text("UPDATE app_user SET active = false"))

    nobody, by_hand = complaints(well)

    assert nobody.startswith("Nobody can sign in as administrator.")
    assert by_hand.startswith("Operation log: person 1 (ada) is not as the log says: active.")


def test_it_finds_a_counter_that_does_not_agree(well: str) -> None:
    behind_the_back(well, update(OwnerLoad.__table__).values(held=3))

    (only,) = complaints(well)

    assert only.startswith("Person 1 holds 0 customers, but the counter shows 3. ")


def test_it_names_an_entry_of_the_log_that_was_changed(well: str) -> None:
    behind_the_back(well, text("UPDATE audit_entry SET label = 'x' WHERE id = 3"))

    (only,) = complaints(well)

    assert only.startswith("Operation log: entry 3 was changed")


def test_it_names_the_lines_of_a_policy_that_cannot_be_one(well: str) -> None:
    lines = (
        "p, administrator, *, *, all, any, allow\np, king, *, *, all, any, allow\np, sales, moon, view, all, any, allow"
    )
    revision = {"number": 2, "at": utcnow(), "author_id": None, "reason": "by hand", "text": lines, "hash": "0" * 64}
    behind_the_back(well, insert(PolicyRevision.__table__).values(revision))

    first, second = complaints(well)

    assert first.startswith("Policy revision 2: line 2: unknown role “king”")
    assert second.startswith("Policy revision 2: line 3: unknown object “moon”")


def test_a_server_for_others_needs_a_name_for_others(well: str) -> None:
    (only,) = complaints(well, MILLPOND_HOST="0.0.0.0")
    assert only.startswith("MILLPOND_HOST 0.0.0.0 is for other machines")

    assert complaints(well, MILLPOND_HOST="0.0.0.0", MILLPOND_HOSTS="crm.example.com") == []


# --- what is installed -----------------------------------------------------------------------------------


def test_our_packages_are_ours() -> None:
    assert clashes() == []


def test_a_distribution_that_brings_a_package_of_our_name_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, well: str
) -> None:
    distribution(tmp_path, "schema")
    monkeypatch.syspath_prepend(tmp_path)

    assert clashes() == [
        "The package “schema” is also installed by other-schema. Install Millpond into an environment of its own."
    ]
    assert complaints(well) == clashes()


def test_a_package_of_our_name_that_lies_before_ours_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks/__init__.py").touch()
    monkeypatch.delitem(__import__("sys").modules, "tasks", raising=False)
    monkeypatch.syspath_prepend(tmp_path)

    (only,) = clashes()

    assert only.startswith(f"The package “tasks” is found at {tmp_path}/tasks instead of {HOME}/tasks. ")


def test_pycasbin_beside_casbin_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distribution(tmp_path, "casbin", name="pycasbin")
    monkeypatch.syspath_prepend(tmp_path)

    (only,) = doctor.casbin()

    assert only == doctor.Finding(
        ok=False,
        sentence="The package “casbin” comes from casbin and pycasbin. Uninstall both casbin and pycasbin, then "
        "install casbin alone.",
    )


def test_versions_that_are_too_old_are_named_with_the_one_that_will_do() -> None:
    assert doctor.new_enough("SQLite", (3, 37, 2), (3, 38)) == doctor.Finding(
        ok=False, sentence="SQLite 3.37.2 is too old. Install SQLite 3.38 or newer."
    )
    assert doctor.new_enough("SQLite", (3, 38, 0), (3, 38)).ok
    assert [finding.ok for finding in doctor.versions()] == [True, True]


def test_looking_changes_nothing(well: str) -> None:
    count = text("SELECT (SELECT count(*) FROM audit_entry) + (SELECT count(*) FROM audit_seal)")
    before = look(well, lambda at: at.execute(count).scalar())

    list(doctor.examine(Settings(database=well)))

    assert look(well, lambda at: at.execute(count).scalar()) == before


def distribution(folder: Path, package: str, name: str = "") -> None:
    """The traces that an installed distribution leaves."""
    about = folder / f"other_{package}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name or f'other-{package}'}\nVersion: 1.0\n")
    (about / "top_level.txt").write_text(f"{package}\n")
