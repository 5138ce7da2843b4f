"""The log against its own owner: what somebody changes who may write everything in the database is found.

Key and anchor are the only things that the attacker does not have.  They make every hash anew that needs no key.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text, update

from millpond import seals
from millpond.database import look, look_steadily
from models import AuditEntry, AuditSeal, Contact, ContactPoint, Customer, Organisation
from models.audit.entries import entry
from models.audit.proof import entry_hash, seal_hash, values_hash
from resolvers.audit import replay
from resolvers.audit.accept import accept
from resolvers.audit.anchor import newest_anchor
from resolvers.audit.seal import FIRST
from resolvers.audit.verification import prove_log
from resolvers.records import create_update
from resolvers.runtime.seal_files import SealFileError, SealFiles
from tests.support.engines import at_length_on_postgresql
from tests.support.entries import points
from tests.support.sealing import SIGNATURE, below_the_triggers
from tests.support.world import START, World


@pytest.fixture
def files(world: World, tmp_path: Path) -> SealFiles:
    """Key and anchor of the world, whose log is sealed with the key."""
    settings = entry(SIGNATURE, START, "organisation", 1, _organisation(world))
    with world.backend.writer.engine.begin() as connection:
        connection.execute(insert(AuditEntry.__table__), settings)  # this world begins with an organisation by hand
    files = SealFiles(tmp_path / "key", tmp_path / "elsewhere/anchor")
    seals.bring_under_key(world.backend, files)
    seal_all(world, files)
    return files


def _organisation(world: World) -> dict[str, list[Any]]:
    (row,) = world.rows(Organisation)
    return {c.key: [None, row[c.key]] for c in replay.compared_columns(Organisation) if row[c.key] is not None}


def seal_all(world: World, files: SealFiles) -> None:
    assert seals.seal_the_rest(world.backend, files)


def problems(world: World, files: SealFiles) -> list[str]:
    return look_steadily(world.backend.url, lambda connection: prove_log(connection, files)).problems


def reseal(connection: Connection) -> None:
    """Make every hash and every seal anew, as far as that can be done without the key."""
    rows = connection.execute(AuditEntry.__table__.select().order_by(AuditEntry.__table__.c.id)).mappings().all()
    for row in rows:
        hashes = dict(row) | {"values_hash": values_hash(row)}
        anew = {"values_hash": hashes["values_hash"], "hash": entry_hash(hashes)}
        connection.execute(update(AuditEntry).where(AuditEntry.id == row["id"]).values(**anew))
    hashes_now = connection.execute(text("SELECT id, hash FROM audit_entry ORDER BY id")).all()
    previous = FIRST
    for seal in connection.execute(AuditSeal.__table__.select().order_by(AuditSeal.__table__.c.id)).mappings().all():
        covered = [(id, hash) for id, hash in hashes_now if seal["first_id"] <= id <= seal["last_id"]]
        digest, count = seal_hash(previous, seal["at"], seal["first_id"], seal["last_id"], covered)
        anew = {"previous_hash": previous, "hash": digest, "count": count}
        connection.execute(update(AuditSeal).where(AuditSeal.id == seal["id"]).values(**anew))
        previous = digest


def test_a_whole_log_is_whole_and_every_record_is_as_it_says(world: World, files: SealFiles) -> None:
    customer = world.customer("Acme", "li", contact_name="Ann", contact_phone="138 0013 8000")
    world.li.do(create_update.update, Customer, customer, {"name": "Other"})
    seal_all(world, files)

    report = look_steadily(world.backend.url, lambda connection: prove_log(connection, files))

    assert report.problems == []
    assert (report.anchors, report.entries, report.unkeyed) == (1, world.mark(), 0)
    assert report.records == len({(row["entity"], row["record_id"]) for row in world.log()})


# --- the log ---------------------------------------------------------------------------------------------


def cut(connection: Connection) -> None:
    connection.execute(text("DELETE FROM audit_seal WHERE id = (SELECT max(id) FROM audit_seal)"))
    connection.execute(text("DELETE FROM audit_entry WHERE id > (SELECT max(last_id) FROM audit_seal)"))


def delete_all(connection: Connection) -> None:
    connection.execute(text("DELETE FROM audit_seal"))
    connection.execute(text("DELETE FROM audit_entry"))


def rewrite(connection: Connection) -> None:
    connection.execute(text("UPDATE audit_entry SET actor_name = 'Somebody Else' WHERE id = 5"))
    reseal(connection)


def rewrite_without_key(connection: Connection) -> None:
    connection.execute(text("UPDATE audit_seal SET key_id = NULL"))
    rewrite(connection)


def begin_anew(connection: Connection) -> None:
    delete_all(connection)
    rows = [entry(SIGNATURE, START, "customer", 1, {}) | {"id": 1}]
    connection.execute(insert(AuditEntry.__table__), rows)
    digest, count = seal_hash(FIRST, START, 1, 1, [(1, rows[0]["hash"])])
    forged = {"at": START, "previous_hash": FIRST, "first_id": 1, "last_id": 1, "count": count, "hash": digest}
    connection.execute(insert(AuditSeal.__table__), forged)


FORGERIES: list[tuple[Callable[[Connection], None], str]] = [
    (cut, "the log was cut off: "),
    (delete_all, "the log was cut off: "),
    (rewrite, "seal 2 is broken: "),
    (rewrite_without_key, "no seal has a key, so the log may have been written anew"),
    (begin_anew, "no seal has a key, so the log may have been written anew"),
]


@pytest.mark.parametrize(("forge", "said"), FORGERIES, ids=[forge.__name__ for forge, _ in FORGERIES])
@pytest.mark.parametrize("goes_on", [False, True], ids=["at once", "after the server went on"])
def test_a_forged_log_is_found(
    world: World, files: SealFiles, forge: Callable[[Connection], None], said: str, goes_on: bool
) -> None:
    world.customer("Acme")
    seal_all(world, files)
    anchored = files.read_anchor()

    with below_the_triggers(world) as connection:
        forge(connection)
    if goes_on:
        world.customer("Later")
        seal_all(world, files)

    found = problems(world, files)
    assert found
    assert goes_on or any(problem.startswith(said) for problem in found)
    assert files.read_anchor() == anchored, "the anchor of a forged log would hide the forgery"


@at_length_on_postgresql
def test_a_log_cut_off_before_its_first_anchor_is_found_by_one_that_was_kept(world: World, files: SealFiles) -> None:
    world.customer("Acme")
    seal_all(world, files)
    kept = look(world.backend.url, newest_anchor)
    assert kept is not None
    assert files.anchor is not None
    with below_the_triggers(world) as connection:
        cut(connection)
    files.anchor.unlink()

    found = look_steadily(world.backend.url, lambda connection: prove_log(connection, files, [kept]))

    assert [problem[:23] for problem in found.problems] == ["the log was cut off: th"]


def test_old_seals_stay_verifiable_as_they_stood_when_the_key_came(world: World, tmp_path: Path) -> None:
    world.customer("Acme")
    seal_all(world, SealFiles())
    files = SealFiles(tmp_path / "key", tmp_path / "anchor")
    world.clock.pass_by(days=1)
    seals.bring_under_key(world.backend, files)

    report = look_steadily(world.backend.url, lambda connection: prove_log(connection, files))
    assert (report.seals, report.unkeyed, report.keyed_since) == (2, 1, world.clock.now)
    assert [problem for problem in report.problems if "organisation" not in problem.lower()] == []

    with below_the_triggers(world) as connection:
        rewrite(connection)
    assert any(problem.startswith("seal 2 is broken") for problem in problems(world, files))


@at_length_on_postgresql
def test_erased_values_leave_entry_and_seal_proved(world: World, files: SealFiles) -> None:
    """The seals cover a hash of the values and not the values: one day they may go, and who did what when stays."""
    row = world.log()[-1]

    assert entry_hash(row | {"changes": {}, "label": None, "reason": None, "salt": ""}) == row["hash"]


@at_length_on_postgresql
def test_without_the_key_nothing_is_sealed_any_more(world: World, files: SealFiles) -> None:
    before = world.count(AuditSeal)
    world.customer("Acme")

    assert not seals.seal_the_rest(world.backend, SealFiles(), patience=0)
    assert files.key is not None
    files.key.unlink()
    with pytest.raises(SealFileError, match="There is no key of the operation log"):
        seals.seal_the_rest(world.backend, files)

    assert world.count(AuditSeal) == before


# --- the records -----------------------------------------------------------------------------------------

BY_HAND = [
    ("UPDATE customer SET name = 'Mine' WHERE id = :id", "customer {id} (C2026001) is not as the log says: name"),
    ("UPDATE customer SET phone = '123' WHERE id = :id", "customer {id} (C2026001) is not as the log says: phone"),
    ("DELETE FROM contact_point", "contact 1 (Ann) is not as the log says: phone"),
    ("UPDATE contact_point SET value = '139'", "contact 1 (Ann) is not as the log says: phone"),
]


@pytest.mark.parametrize(("change", "said"), BY_HAND)
def test_a_record_that_was_changed_past_the_log_is_found(
    world: World, files: SealFiles, change: str, said: str
) -> None:
    customer = world.customer("Acme", "li")
    world.make(Contact, customer_id=customer, name="Ann", points=points(("PHONE", "13800138000")))
    assert (world.count(ContactPoint), problems(world, files)) == (1, [])

    with below_the_triggers(world) as connection:
        assert connection.execute(text(change), {"id": customer} if ":id" in change else {}).rowcount == 1

    assert problems(world, files) == [said.format(id=customer)]


def test_a_record_that_the_log_does_not_know_or_that_is_gone_is_found(world: World, files: SealFiles) -> None:
    gone, copied = (world.make(Contact, customer_id=world.customer(), name=name) for name in ("Ann", "Bo"))
    seal_all(world, files)
    with below_the_triggers(world) as connection:
        row = dict(connection.execute(Contact.__table__.select().where(Contact.id == copied)).mappings().one())
        connection.execute(insert(Contact), row | {"id": 900, "name": "Zed"})
        connection.execute(text("DELETE FROM contact WHERE id = :id"), {"id": gone})

    assert problems(world, files) == [
        f"contact {gone} (Ann) is missing, and the log does not say why",
        "contact 900 (Zed) is not in the log",
    ]

    assert world.system.do(accept, "an old backup") == 2
    seal_all(world, files)
    assert problems(world, files) == []


@at_length_on_postgresql
def test_the_log_is_proved_page_by_page(world: World, files: SealFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "_PAGE", 3)
    for number in range(7):
        world.make(Contact, customer_id=world.customer(), name="Ann", points=points(("PHONE", f"1380013800{number}")))

    assert problems(world, files) == []
