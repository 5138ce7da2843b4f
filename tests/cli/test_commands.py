"""The command line on both engines: what it does, what it says, and how it refuses."""

import asyncio
import re
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select, text, update

from millpond.database import opened
from millpond.migrate import revisions
from millpond.seals import seal_the_rest
from models import ApiToken, AuditEntry, AuditSeal, Department, SignInAttempt, SignInSession, User, UserRole, utcnow
from models.database.engines import writing_engine
from models.errors import SignInRefused, TooManyAttempts
from policies import STARTER, Principal
from resolvers.people import sign_in as signing_in
from resolvers.runtime.backend import Backend
from resolvers.runtime.seal_files import SealFiles
from resolvers.setup.install import ROLES
from tests.support.seal_files import seal_files_of
from tests.support.terminal import millpond, process, told
from tests.support.world import World

REVISION = revisions()[0]
ANCHOR = re.compile(r"millpond seal \d+ entry \d+ at \S+ [0-9a-f]{64}\n")
ONE_TIME = re.compile(r"([a-z2-9]{4}-){3}[a-z2-9]{4}\n")


# --- beginning -------------------------------------------------------------------------------------------


def test_migrate_makes_a_new_database_and_then_has_nothing_to_do(empty_url: str) -> None:
    key = f"The key of the operation log is in {seal_files_of(empty_url).key}; keep a copy elsewhere.\n"
    assert told(millpond(empty_url, "migrate")) == (0, "", f"The database is at revision {REVISION}.\n{key}")
    again = told(millpond(empty_url, "migrate"))
    assert again == (0, "", f"The database is at revision {REVISION}; nothing was missing.\n")


def test_migrate_makes_the_folder_of_an_sqlite_database(tmp_path: Path) -> None:
    assert millpond(f"sqlite:///{tmp_path}/var/new/it.db", "migrate").exit_code == 0
    assert (tmp_path / "var/new/it.db").exists()


def test_the_first_administrator_comes_in_by_one_command_and_has_to_choose_a_password(new_url: str) -> None:
    made = millpond(new_url, "user", "add", "Ada", "--role", "administrator", "--name", "Ada Ng")

    assert made.exit_code == 0
    assert ONE_TIME.fullmatch(made.stdout)
    assert made.stderr.startswith("Ada is in.")
    ada = signed_in(new_url, "ada", made.stdout.strip())
    assert (ada.name, ada.roles, ada.must_change_password) == ("Ada Ng", {"administrator"}, True)


def test_a_person_comes_in_with_department_language_and_several_roles(url: str) -> None:
    words = ["--role", "sales", "--role", "support", "--department", "East", "--language", "zh"]
    assert millpond(url, "user", "add", "xi", *words).exit_code == 0

    with opened(url) as backend:
        xi, li = backend.person("xi"), backend.person("li")
    assert (xi.name, xi.language, xi.roles) == ("xi", "zh", {"sales", "support"})
    assert xi.department_id == li.department_id


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["xi", "--role", "king"],
            f"There is no role king. Choose one of: {', '.join(sorted(ROLES))}.",
        ),
        (["xi", "--department", "Mars"], "There is no such department Mars, or you may not see it."),
        (["xi", "--language", "fr"], "Language must be chosen from what is offered."),
        (["LI"], "li is taken already. Choose another."),
        (["x i"], "A login has 2 to 40 letters, digits, dots or dashes."),
    ],
)
def test_who_cannot_come_in_leaves_nothing_behind(sqlite_url: str, words: list[str], sentence: str) -> None:
    before = people(sqlite_url)

    assert told(millpond(sqlite_url, "user", "add", *words)) == (1, "", f"millpond: {sentence}\n")

    assert people(sqlite_url) == before


# --- people ----------------------------------------------------------------------------------------------


def test_a_one_time_password_replaces_the_old_one_and_ends_every_session(url: str) -> None:
    first = millpond(url, "user", "password", "li").stdout.strip()
    signed_in(url, "li", first)

    second = millpond(url, "user", "password", "LI")

    assert second.exit_code == 0
    assert ONE_TIME.fullmatch(second.stdout)
    assert [row.revoked_at is None for row in table(url, SignInSession)] == [False]
    with pytest.raises(SignInRefused):
        signed_in(url, "li", first)
    assert signed_in(url, "li", second.stdout.strip()).must_change_password


def test_a_person_whom_guesses_delay_is_unlocked(url: str) -> None:
    password = millpond(url, "user", "password", "li").stdout.strip()
    later = utcnow() + timedelta(seconds=1)  # after the password, which lifts a delay too
    tries = [{"at": later, "login": "li", "ok": False} for _ in range(100)]
    behind_the_back(url, insert(SignInAttempt.__table__).values(tries))
    with pytest.raises(TooManyAttempts):
        signed_in(url, "li", password)

    time.sleep(1)
    assert told(millpond(url, "user", "unlock", "LI")) == (0, "", "LI may sign in at once.\n")

    assert signed_in(url, "li", password).login == "li"


def test_a_one_time_password_lifts_the_delay_of_guesses(url: str) -> None:
    millpond(url, "user", "password", "li")
    earlier = utcnow() - timedelta(seconds=1)
    tries = [{"at": earlier, "login": "li", "ok": False} for _ in range(100)]
    behind_the_back(url, insert(SignInAttempt.__table__).values(tries))

    password = millpond(url, "user", "password", "li").stdout.strip()

    assert signed_in(url, "li", password).login == "li"


def test_unlocking_a_user_without_a_password_says_what_to_do(sqlite_url: str) -> None:
    sentence = "millpond: Li Na has no password yet. Set a one-time password first.\n"
    assert told(millpond(sqlite_url, "user", "unlock", "li")) == (1, "", sentence)
    assert told(millpond(sqlite_url, "user", "unlock", "xi")) == (
        1,
        "",
        "millpond: There is no such person, or you may not see it.\n",
    )


def test_a_department_name_that_several_have_is_refused_with_the_candidates(world: World) -> None:
    world.make(Department, name="East", parent_id=world.ids["west"])
    before, url = people(world.backend.url), world.backend.url

    refused = told(millpond(url, "user", "add", "xi", "--department", "East"))

    candidates = "Several departments are called East. Name one of: House / East; House / West / East."
    assert refused == (1, "", f"millpond: {candidates}\n")
    assert people(url) == before
    assert millpond(url, "user", "add", "xi", "--department", "house/west / EAST").exit_code == 0


def test_a_role_is_named_by_its_code_or_its_name(new_url: str) -> None:
    assert millpond(new_url, "user", "add", "xi", "--role", "Sales lead", "--role", "财务").exit_code == 0
    assert roles(new_url, "xi") == {"sales_lead", "finance"}
    assert told(millpond(new_url, "user", "role", "xi", "客服")) == (0, "", "xi holds the role 客服.\n")


def test_a_role_is_given_and_taken_at_once(url: str) -> None:
    assert told(millpond(url, "user", "role", "li", "support")) == (0, "", "li holds the role support.\n")
    assert roles(url, "li") == {"sales", "support"}

    taken = told(millpond(url, "user", "role", "li", "support", "--take"))

    assert taken == (0, "", "li no longer holds the role support.\n")
    assert roles(url, "li") == {"sales"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["li", "sales"], "The role sales of li is taken already. Choose another."),
        (["li", "finance", "--take"], "There is no such role finance of li, or you may not see it."),
        (["nobody", "sales"], "There is no such person, or you may not see it."),
    ],
)
def test_a_role_that_cannot_change_hands_changes_nothing(sqlite_url: str, words: list[str], sentence: str) -> None:
    before = table(sqlite_url, UserRole)

    assert told(millpond(sqlite_url, "user", "role", *words)) == (1, "", f"millpond: {sentence}\n")

    assert table(sqlite_url, UserRole) == before


def test_the_list_of_people_is_lines_with_tabs_for_programs(url: str) -> None:
    millpond(url, "user", "role", "li", "support")

    listed = millpond(url, "user", "list")

    assert listed.exit_code == 0
    lines = listed.stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["ada", "aud", "fin", "lead", "li", "mei", "rolf", "sam", "wu"]
    assert lines[4] == "li\tLi Na\tsales, support\tEast\t"


def test_what_is_done_at_the_command_line_is_in_the_log(url: str) -> None:
    newest = max(row.id for row in table(url, AuditEntry))

    millpond(url, "user", "add", "xi", "--role", "sales")

    entries = [row for row in table(url, AuditEntry) if row.id > newest]
    assert [(row.actor_name, row.door, row.action, row.label) for row in entries[:1]] == [
        ("system:command-line", "command line", "user.create", "xi")
    ]
    assert {row.door for row in entries} == {"command line"}


# --- tokens ----------------------------------------------------------------------------------------------


def test_a_token_acts_as_its_person_until_it_is_revoked(url: str) -> None:
    made = millpond(url, "token", "create", "li", "--name", "nightly", "--days", "90")
    assert made.exit_code == 0
    (row,) = table(url, ApiToken)
    assert round((row.expires_at - row.created_at) / timedelta(days=1), 3) == 90
    assert owner_of(url, made.stdout.strip()) == "Li Na"

    assert millpond(url, "token", "list", "li").stdout.split("\t")[:2] == [str(row.id), "nightly"]
    assert told(millpond(url, "token", "revoke", "li", str(row.id))) == (0, "", f"Token {row.id} of li has ended.\n")

    assert owner_of(url, made.stdout.strip()) is None
    assert millpond(url, "token", "list", "li").stdout == ""


def test_somebody_elses_token_is_not_found(sqlite_url: str) -> None:
    millpond(sqlite_url, "token", "create", "li")

    refused = told(millpond(sqlite_url, "token", "revoke", "wu", "1"))

    assert refused == (1, "", "millpond: There is no such token, or you may not see it.\n")
    assert [row.revoked_at for row in table(sqlite_url, ApiToken)] == [None]


# --- log and policy --------------------------------------------------------------------------------------


def test_verify_seals_the_log_and_finds_it_whole(new_url: str) -> None:
    millpond(new_url, "user", "add", "ada", "--role", "administrator")
    count, records = len(table(new_url, AuditEntry)), len({(x.entity, x.record_id) for x in table(new_url, AuditEntry)})

    verified = told(millpond(new_url, "audit", "verify"))

    said = f"{count} entries under 2 seals, {records} records as it says, 1 anchor"
    assert verified == (0, "", f"The log is as it was written: {said}.\n")
    assert [(row.first_id, row.count) for row in table(new_url, AuditSeal)] == [(1, 0), (1, count)]


def test_verify_waits_for_an_open_transaction_and_says_so_when_it_stays_open(world: World) -> None:
    if world.backend.dialect != "postgresql":
        assert seal_the_rest(world.backend, SealFiles()) is True  # one writer: what is committed is settled
        return
    with world.backend.writer.engine.begin() as other:
        other.execute(text("SELECT pg_current_xact_id()"))
        assert seal_the_rest(world.backend, SealFiles(), patience=0.5) is False

    assert seal_the_rest(world.backend, SealFiles()) is True


def test_verify_names_an_entry_that_was_changed(new_url: str) -> None:
    behind_the_back(new_url, update(AuditEntry.__table__).where(AuditEntry.id == 7).values(label="somebody else"))

    verified = millpond(new_url, "audit", "verify")

    assert verified.exit_code == 1
    assert "millpond: entry 7 was changed: its values are not those that were written\n" in verified.stderr


def test_verify_names_the_seal_whose_entry_is_missing(new_url: str) -> None:
    millpond(new_url, "audit", "verify")
    behind_the_back(new_url, text("DELETE FROM audit_entry WHERE id = 7"))

    verified = millpond(new_url, "audit", "verify")

    assert verified.exit_code == 1
    assert "seal 2 " in verified.stderr


def test_an_anchor_that_was_kept_elsewhere_proves_the_log_up_to_it(new_url: str, tmp_path: Path) -> None:
    printed, files = millpond(new_url, "audit", "anchor"), seal_files_of(new_url)
    assert printed.exit_code == 0
    assert ANCHOR.fullmatch(printed.stdout)
    (tmp_path / "kept").write_text(printed.stdout * 2)
    assert millpond(new_url, "audit", "verify", "--anchor", printed.stdout.strip()).exit_code == 0
    assert "3 anchors" in millpond(new_url, "audit", "verify", "--anchor", str(tmp_path / "kept")).stderr

    newest = max(row.id for row in table(new_url, AuditSeal))
    behind_the_back(new_url, text(f"DELETE FROM audit_seal WHERE id = {newest}"))
    assert files.anchor is not None
    files.anchor.unlink()
    verified = millpond(new_url, "audit", "verify", "--anchor", printed.stdout.strip())

    assert verified.exit_code == 1
    assert "the log was written anew: " in verified.stderr or "the log was cut off: " in verified.stderr
    assert told(millpond(new_url, "audit", "verify", "--anchor", "x")) == (
        1,
        "",
        "millpond: x is neither an anchor nor a file of anchors.\n",
    )


def test_the_key_is_for_its_owner_alone_and_needed_by_every_command_that_seals(new_url: str) -> None:
    key = seal_files_of(new_url).key
    assert key is not None
    assert key.stat().st_mode & 0o777 == 0o600
    kept = key.read_text()
    key.unlink()

    for words in (
        ["audit", "verify"],
        ["audit", "anchor"],
        ["audit", "accept", "--reason", "x"],
        ["migrate"],
        ["doctor"],
    ):
        refused = millpond(new_url, *words)
        assert refused.exit_code == 1
        assert f"{key}" in refused.stderr
        assert "millpond audit key" in refused.stderr
    assert not key.exists()

    key.write_text("no key\n")
    assert told(millpond(new_url, "audit", "verify"))[2] == (
        f"millpond: {key} is no file of keys: each line has to be 64 hexadecimal digits.\n"
    )
    key.write_text(kept)
    assert millpond(new_url, "audit", "verify").exit_code == 0


def test_after_a_new_key_the_former_one_still_proves_the_seals_before(new_url: str) -> None:
    key = seal_files_of(new_url).key
    assert key is not None
    assert millpond(new_url, "audit", "key").exit_code == 0

    assert millpond(new_url, "audit", "verify").exit_code == 0
    assert len({row.key_id for row in table(new_url, AuditSeal)}) == 2

    key.write_text(key.read_text().splitlines()[1])
    assert "which signed " in millpond(new_url, "audit", "verify").stderr


def test_going_on_after_a_repair_by_hand_is_in_the_log_with_its_reason(new_url: str) -> None:
    millpond(new_url, "audit", "verify")
    behind_the_back(new_url, text("UPDATE role SET name = 'Kings' WHERE code = 'sales'"))
    refused = millpond(new_url, "audit", "verify")
    assert refused.exit_code == 1
    assert refused.stderr.endswith(" is not as the log says: name\n")

    assert millpond(new_url, "audit", "accept", "--reason", "a slip of mine").exit_code == 0

    assert millpond(new_url, "audit", "verify").exit_code == 0
    newest = table(new_url, AuditEntry)[-1]
    assert (newest.action, newest.reason, newest.changes) == (
        "audit.accept",
        "a slip of mine",
        {"name": ["Sales", "Kings"]},
    )


def test_the_policy_in_force_is_exported_as_it_was_written(url: str) -> None:
    assert told(millpond(url, "policy", "export")) == (0, STARTER, "")


# --- refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["user", "list"], ["serve"], ["audit", "verify"], ["policy", "export"]])
def test_a_database_that_is_not_there_is_not_made_by_looking(tmp_path: Path, words: list[str]) -> None:
    there = tmp_path / "none.db"

    refused = told(millpond(f"sqlite:///{there}", *words))

    assert refused == (1, "", f"millpond: There is no database at {there}. Run: millpond migrate\n")
    assert not there.exists()


def test_a_database_that_was_never_migrated_says_what_to_run(empty_url: str) -> None:
    engine = writing_engine(empty_url)
    engine.connect().close()
    engine.dispose()

    for words in (["user", "add", "ada"], ["serve"], ["token", "list", "ada"]):
        refused = told(millpond(empty_url, *words))
        assert refused == (1, "", "millpond: The database has not been set up. Run: millpond migrate\n")


@pytest.mark.parametrize("words", [["user", "list"], ["migrate"], ["serve"]])
def test_a_database_of_a_version_that_nobody_knows_is_left_alone(url: str, words: list[str]) -> None:
    behind_the_back(url, text("UPDATE alembic_version SET version_num = '2099_later'"))

    sentence = (
        "The database has revision 2099_later, which this version does not know. Install the version that made it."
    )
    assert told(millpond(url, *words)) == (1, "", f"millpond: {sentence}\n")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "it.db").write_text("no database at all, but long enough to be looked at" * 100)

    refused = told(millpond(f"sqlite:///{tmp_path}/it.db", "user", "list"))

    sentence = "The database does not answer: file is not a database. Check MILLPOND_DATABASE."
    assert refused == (1, "", f"millpond: {sentence}\n")


def test_a_server_that_does_not_answer_is_refused_without_its_password() -> None:
    refused = millpond("postgresql://ada:geheim@127.0.0.1:1/none", "migrate")

    assert refused.exit_code == 1
    assert refused.stderr.startswith("millpond: The database does not answer: ")
    assert refused.stderr.count("\n") == 1
    assert "geheim" not in refused.output


@pytest.mark.parametrize("address", ["mysql://x/y", "nonsense", "sqlite://", "sqlite:///:memory:", ""])
def test_an_address_that_can_be_no_database_is_refused(address: str) -> None:
    sentence = "MILLPOND_DATABASE has to be sqlite:///path or postgresql://user@host/name."

    assert told(millpond(address, "user", "list")) == (1, "", f"millpond: {sentence}\n")


def test_settings_that_cannot_be_used_are_named_without_their_values() -> None:
    refused = millpond("sqlite:///x.db", "serve", MILLPOND_PORT="geheim", MILLPOND_REQUEST_SECONDS="-1")

    assert refused.exit_code == 1
    assert [line.split(": ")[:2] for line in refused.stderr.splitlines()] == [
        ["millpond", "MILLPOND_PORT"],
        ["millpond", "MILLPOND_REQUEST_SECONDS"],
    ]
    assert "geheim" not in refused.output


def test_a_refusal_is_said_in_the_language_of_the_terminal(sqlite_url: str) -> None:
    refused = told(millpond(sqlite_url, "user", "password", "nobody", LANG="zh_CN.UTF-8"))

    assert refused == (1, "", "millpond: 该人员不存在，或您无权查看。\n")


def test_a_policy_without_lines_for_the_house_refuses_the_command_line_too(world: World) -> None:
    from resolvers.runtime.policy_store import put_in_force

    with world.backend.writer.engine.begin() as connection:
        put_in_force(connection, "p, administrator, *, *, all, any, allow", "no house", utcnow())
    before = world.everything()

    refused = millpond(world.backend.url, "user", "add", "xi")

    assert (refused.exit_code, refused.stdout) == (1, "")
    assert (
        refused.stderr == "millpond: Your roles do not allow: create (people). Ask an administrator for this right.\n"
    )
    assert world.everything() == before


# --- as a process of its own -----------------------------------------------------------------------------


@pytest.mark.long
def test_as_a_process_it_does_the_same_and_leaves_nothing_running(url: str) -> None:
    done = process(url, "user", "list")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ada\tAda Ng\tadministrator\t\t\n")


def test_as_a_process_it_refuses_in_one_sentence_without_a_traceback(tmp_path: Path) -> None:
    refused = process(f"sqlite:///{tmp_path}/none.db", "token", "list", "li")

    assert refused.returncode == 1
    assert refused.stderr == f"millpond: There is no database at {tmp_path}/none.db. Run: millpond migrate\n"


def test_a_foreign_package_of_our_name_is_refused_before_it_is_imported(tmp_path: Path, sqlite_url: str) -> None:
    (tmp_path / "schema").mkdir()
    (tmp_path / "schema/__init__.py").write_text("raise RuntimeError('imported')")

    # Python looks into the folder that a program is run from before it looks anywhere else.
    refused = process(sqlite_url, "serve", cwd=tmp_path)

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"millpond: The package “schema” is found at {tmp_path}/schema instead of ")
    assert refused.stderr.endswith("Install Millpond into an environment of its own.\n")


def test_help_is_there_without_a_database() -> None:
    shown = millpond("nonsense", "--help")

    assert shown.exit_code == 0
    assert {"serve", "migrate", "demo", "doctor", "user", "token", "audit", "policy"} <= set(shown.stdout.split())


# --- looking ---------------------------------------------------------------------------------------------


def signed_in(url: str, login: str, password: str) -> Principal:
    async def sign_in() -> Principal:
        backend = Backend(url)
        try:
            await backend.start()
            return (await signing_in.sign_in(backend.scope(None, "test"), login, password)).principal
        finally:
            await backend.close()

    return asyncio.run(sign_in())


def owner_of(url: str, token: str) -> str | None:
    async def look() -> Principal | None:
        backend = Backend(url)
        try:
            return await backend.principal_of(token)
        finally:
            await backend.close()

    found = asyncio.run(look())
    return found.name if found else None


def roles(url: str, login: str) -> frozenset[str]:
    with opened(url) as backend:
        return backend.person(login).roles


def people(url: str) -> list[str]:
    return sorted(row.login for row in table(url, User))


def table(url: str, model: type) -> list:  # type: ignore[type-arg]
    engine = writing_engine(url)
    try:
        with engine.connect() as connection:
            return list(connection.execute(select(model.__table__).order_by(model.__table__.c.id)).all())  # type: ignore[attr-defined]
    finally:
        engine.dispose()


def behind_the_back(url: str, statement: object) -> None:
    """What somebody with the database's own tools could do."""
    engine = writing_engine(url)
    try:
        with engine.begin() as connection:
            _disarm(connection)
            connection.execute(statement)  # type: ignore[call-overload]
    finally:
        engine.dispose()


def _disarm(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        for table in ("audit_entry", "audit_seal"):
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        return
    triggers = text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit_%'")
    for name in connection.execute(triggers).scalars().all():
        connection.execute(text(f"DROP TRIGGER {name}"))
