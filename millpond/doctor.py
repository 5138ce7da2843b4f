"""Looking at an installation: what is well, what is wrong, and what to do about it.

Whether the seven packages are ours is asked before this file is imported (`package_conflicts.py`).
"""

import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, packages_distributions, version

from sqlalchemy import Connection, and_, exists, func, or_, select, text

from models import Credential, Role, User, UserRole, utcnow
from policies import InvalidPolicy, Snapshot, parse, validate
from policies.proof import prove
from resolvers.access.offered_lines import waiting_lines
from resolvers.audit.verification import prove_log
from resolvers.runtime import policy_proof
from resolvers.runtime.policy_store import Stored, foreign_text, newest
from resolvers.runtime.seal_files import SealFileError, SealFiles
from resolvers.setup.invariants import broken

from .database import Unready, check_current, look_steadily
from .mail import knock, mail_server
from .migrate import UnknownShape, current
from .seals import is_beside_database, seal_files
from .settings import LOOPBACK, Settings

PYTHON, SQLITE, POSTGRESQL = (3, 11), (3, 38), (14,)
"""The oldest versions that are tested or known to work."""


@dataclass(frozen=True)
class Finding:
    """One sentence; a bad one says what to do."""

    ok: bool
    sentence: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Everything that can be looked at, in order; the database only as far as it can be read."""
    yield Finding(ok=True, sentence=f"Millpond {_version()}; its seven packages are its own.")
    yield from casbin()
    yield from versions()
    yield from reachable(settings)
    yield mail(settings)
    try:
        yield from look_steadily(settings.database, partial(_database, settings))
    except Unready as failure:
        yield Finding(ok=False, sentence=str(failure))


# --- the machine -----------------------------------------------------------------------------------------


def casbin() -> Iterator[Finding]:
    """casbin and pycasbin write into the same folder: with both, it is not known whose code decides."""
    owners = sorted({name.lower() for name in packages_distributions().get("casbin", [])})
    if owners == ["casbin"]:
        yield Finding(ok=True, sentence="casbin is installed, and alone.")
    else:
        yield Finding(
            ok=False,
            sentence=f"The package “casbin” comes from {' and '.join(owners) or 'nowhere'}. "
            "Uninstall both casbin and pycasbin, then install casbin alone.",
        )


def versions() -> Iterator[Finding]:
    yield new_enough("Python", sys.version_info[:3], PYTHON)
    yield new_enough("SQLite", sqlite3.sqlite_version_info, SQLITE)


def _version() -> str:
    try:
        return version("millpond")
    except PackageNotFoundError:
        return "from a checkout that is not installed"


def new_enough(what: str, found: tuple[int, ...], oldest: tuple[int, ...]) -> Finding:
    is_ok, name, wanted = found >= oldest, f"{what} {_dotted(found)}", f"{what} {_dotted(oldest)}"
    return Finding(is_ok, f"{name} will do." if is_ok else f"{name} is too old. Install {wanted} or newer.")


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def reachable(settings: Settings) -> Iterator[Finding]:
    """A server for other machines has to answer to a name by which they reach it."""
    local = settings.host in LOOPBACK
    if not local and set(settings.hosts) <= set(LOOPBACK):
        yield Finding(
            ok=False,
            sentence=f"MILLPOND_HOST {settings.host} is for other machines, but MILLPOND_HOSTS names this one only. "
            "Put the name by which people reach the server into MILLPOND_HOSTS.",
        )
    else:
        yield Finding(ok=True, sentence=f"Listens on {settings.host}, answers to {', '.join(settings.hosts)}.")


def mail(settings: Settings) -> Finding:
    """Whether e-mail is set up, and whether its server lets us in."""
    if not settings.mail_host:
        remedy = "Set MILLPOND_MAIL_HOST and MILLPOND_MAIL_FROM to send them by e-mail."
        return Finding(ok=True, sentence=f"No mail server is set up, so notifications stay in the panel. {remedy}")
    server, at = mail_server(settings), f"{settings.mail_host}:{settings.mail_port}"
    if server is None:
        return Finding(ok=False, sentence="E-mail needs an address to be sent from. Set MILLPOND_MAIL_FROM.")
    problem = knock(server)
    if problem:
        sentence = f"The mail server {at} lets nobody in ({problem}). Check the settings MILLPOND_MAIL_…."
        return Finding(ok=False, sentence=sentence)
    return Finding(ok=True, sentence=f"The mail server {at} lets us in; e-mail comes from {server.sender}.")


# --- the database ----------------------------------------------------------------------------------------


def _database(settings: Settings, connection: Connection) -> list[Finding]:
    found = [_engine(connection)]
    try:
        check_current(connection)
    except (Unready, UnknownShape) as failure:
        return [*found, Finding(ok=False, sentence=str(failure))]
    found.append(Finding(ok=True, sentence=f"The tables are those of this version, {current(connection)}."))
    looks: tuple[Callable[[Connection], list[Finding]], ...] = (policy, new_lines, administrator, invariants)
    return [*found, *(finding for look_at in looks for finding in look_at(connection)), *log(settings, connection)]


def _engine(connection: Connection) -> Finding:
    if connection.dialect.name == "sqlite":
        size = connection.execute(text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"))
        return Finding(ok=True, sentence=f"The SQLite database answers, {size.scalar_one() / 1e6:,.1f} MB.")
    number = int(connection.execute(text("SHOW server_version_num")).scalar_one())
    return new_enough("PostgreSQL", (number // 10_000, number % 10_000), POSTGRESQL)


def policy(connection: Connection) -> list[Finding]:
    stored, repair = newest(connection), "Run: millpond policy repair --reason …"
    if not stored.number:
        return [Finding(ok=False, sentence="There is no policy, so nobody may do anything. Run: millpond migrate")]
    roles = connection.execute(select(Role.code).where(Role.deleted_at.is_(None))).scalars().all()
    try:
        lines = validate(parse(stored.text), roles)
    except InvalidPolicy as failure:
        return [
            Finding(ok=False, sentence=f"Policy revision {stored.number}: {problem}. {repair}")
            for problem in failure.problems
        ]
    if not stored.is_whole:
        sentence = f"The text of policy revision {stored.number} was changed by hand, so it is not taken. {repair}"
        return [Finding(ok=False, sentence=sentence)]
    found = [
        Finding(ok=True, sentence=f"Policy revision {stored.number} is valid, {len(lines)} lines."),
        proof(connection, stored),
    ]
    if foreign_text(connection) is not None:
        sentence = f"Somebody has changed casbin_rule by hand. It has no effect; to put it right, {repair[:1].lower()}{repair[1:]}"
        found.append(Finding(ok=False, sentence=sentence))
    return found


def proof(connection: Connection, stored: Stored) -> Finding:
    """Casbin's own verdicts beside those of the cells, made anew."""
    try:
        found = prove(Snapshot(stored.text, stored.number), policy_proof.role_sets(connection, utcnow()))
    except InvalidPolicy as failure:
        remedy = (
            "No process that starts takes it. Install the versions of Millpond and casbin that you had before, or bring "
            "back another revision: millpond policy repair --to NUMBER --reason …"
        )
        return Finding(ok=False, sentence=f"Policy revision {stored.number}: {failure.problems[0]}. {remedy}")
    tried = f"{found.decisions:,} decisions, {found.lines_tried:,} of {found.lines:,} lines tried"
    return Finding(ok=True, sentence=f"Casbin decides as Millpond does: {tried}.")


def new_lines(connection: Connection) -> list[Finding]:
    """The lines that a new version has brought and that are neither in force nor discarded."""
    lines = waiting_lines(connection)
    return [Finding(ok=False, sentence=waiting(lines))] if lines else []


def waiting(lines: Sequence[str]) -> str:
    """What to do about lines that wait for review."""
    return (
        f"This version brings {len(lines)} policy line{'s' * (len(lines) != 1)} about what is new; they have no effect until "
        "somebody puts them in force. Review them in the panel, under Policy, or run: millpond policy offered"
    )


def administrator(connection: Connection) -> list[Finding]:
    """At least one administrator can sign in."""
    now = utcnow()
    holds = and_(
        UserRole.deleted_at.is_(None),
        or_(UserRole.starts_at.is_(None), UserRole.starts_at <= now),
        or_(UserRole.ends_at.is_(None), UserRole.ends_at > now),
    )
    able = (
        select(func.count(func.distinct(User.id)))
        .join(UserRole, and_(UserRole.user_id == User.id, holds))
        .join(Role, and_(Role.id == UserRole.role_id, Role.code == "administrator", Role.deleted_at.is_(None)))
        .where(User.active, User.deleted_at.is_(None), exists().where(Credential.user_id == User.id))
    )
    count = connection.execute(able).scalar_one()
    if not count:
        remedy = "Run: millpond user add NAME --role administrator"
        return [Finding(ok=False, sentence=f"Nobody can sign in as administrator. {remedy}")]
    return [Finding(ok=True, sentence=f"{count} can sign in as administrator.")]


def invariants(connection: Connection) -> list[Finding]:
    found = broken(connection)
    remedy = "Restore a backup from before, or ask for help with this sentence."
    return [Finding(ok=False, sentence=f"{sentence} {remedy}") for sentence in found] or [
        Finding(ok=True, sentence="Owners, pools, periods and counters agree.")
    ]


def log(settings: Settings, connection: Connection) -> list[Finding]:
    files = seal_files(settings)
    try:
        files.read_keys()
    except SealFileError as failure:
        return [Finding(ok=False, sentence=str(failure))]
    report = prove_log(connection, files)
    remedy = (
        "Somebody wrote into the database past Millpond, or an older backup was restored. Keep this database and compare it "
        "with a backup; to go on from it as it is, run: millpond audit accept --reason …"
    )
    if report.problems:
        return [Finding(ok=False, sentence=f"Operation log: {problem}. {remedy}") for problem in report.problems]
    compared = f"{report.entries:,} entries, {report.seals:,} seals, {report.records:,} records as it says"
    whole = Finding(ok=True, sentence=f"The operation log is whole: {compared}.")
    return [whole, _custody(settings, files, report.anchors)]


def _custody(settings: Settings, files: SealFiles, anchors: int) -> Finding:
    """How far the proof reaches: as far as key and anchor are out of reach of those who can write to the database."""
    if not anchors:
        sentence = (
            f"No anchor of the log is in {files.anchor} yet, so a log that is cut off is not found before one is."
        )
    elif is_beside_database(settings.database, files):
        sentence = (
            "The key and the anchor of the log lie beside the database: a user who can write all three can change the log "
            "unnoticed. MILLPOND_AUDIT_KEY and MILLPOND_AUDIT_ANCHOR name other places."
        )
    else:
        sentence = f"The key of the log is in {files.key}, its anchor in {files.anchor}."
    return Finding(ok=True, sentence=sentence)
