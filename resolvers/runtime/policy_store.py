"""The policy as it is stored: revisions with their text, and the lines that other Casbin tools read."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.orm import Session

from models import PolicyLine, PolicyRevision, Role
from models.database.bypass import Because, bypass_policy
from models.errors import TooLong, TooMany
from policies import InvalidPolicy, Line, parse, validate
from policies.proof import fingerprint

from .inputs import refused

LONGEST_TEXT, MOST_LINES = 200_000, 5_000
"""Maximum number of characters and lines of a policy: the review of a longer one would take seconds."""
MOST_ROWS = 2 * MOST_LINES
"""Maximum number of lines with comments and empty ones."""
Ask = Connection | Session


@dataclass(frozen=True)
class Stored:
    """The newest revision: its number and text, and whether the text is the one that its author saw.

    `is_proved`: code like that of this process has proved the text before it was stored.
    """

    number: int
    text: str
    is_whole: bool
    is_proved: bool = False


def newest(ask: Ask) -> Stored:
    """The newest revision; number 0 with an empty text before the first."""
    columns = PolicyRevision.number, PolicyRevision.text, PolicyRevision.hash, PolicyRevision.proof
    found = ask.execute(select(*columns).order_by(PolicyRevision.number.desc()).limit(1))
    row = found.first()
    if row is None:
        return Stored(0, "", is_whole=True)
    is_proved = bool(row.proof) and row.proof.get("by") == fingerprint(row.text)
    return Stored(row.number, row.text, row.hash == hash_of(row.text), is_proved)


def current_text(ask: Ask) -> str:
    """The text of the newest revision, empty before the first."""
    return newest(ask).text


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def checked(
    text: str,
    roles: Iterable[str] | None = None,
    customs: Collection[str] | None = None,
    branches: Collection[str] | None = None,
) -> list[Line]:
    """The lines of a text that may become the policy.  Raises InvalidPolicy, naming line and word."""
    if len(text) > LONGEST_TEXT:
        raise InvalidPolicy([f"line 1: the text has {len(text):,} characters; {LONGEST_TEXT:,} are the most"])
    lines = parse(text)
    if len(lines) > MOST_LINES:
        raise InvalidPolicy([f"line {lines[MOST_LINES].number}: {MOST_LINES:,} lines are the most"])
    return validate(lines, None if roles is None else frozenset(roles), customs, branches)


def put_in_force(
    ask: Ask,
    text: str,
    reason: str,
    now: datetime,
    author_id: int | None = None,
    *,
    back_to: int | None = None,
    review: dict[str, Any] | None = None,
    proof: dict[str, Any] | None = None,
) -> int:
    """Make `text` the newest revision and return its number.  Raises InvalidPolicy, and then changes nothing.

    Without a proof on record each process proves it before it takes it over.
    """
    lines = checked(text)
    parent = ask.execute(select(func.max(PolicyRevision.number))).scalar()
    number = (parent or 0) + 1
    row = {"number": number, "at": now, "author_id": author_id, "reason": reason, "text": text, "hash": hash_of(text)}
    row |= {"parent": parent, "back_to": back_to, "review": review, "proof": proof}
    ask.execute(insert(PolicyRevision.__table__), row)  # type: ignore[arg-type]
    ask.execute(delete(PolicyLine.__table__))  # type: ignore[arg-type]
    rows = [{"ptype": x.kind, **dict(zip(_COLUMNS, (*x.columns, *[""] * 6), strict=False))} for x in lines]
    if rows:
        ask.execute(insert(PolicyLine.__table__), rows)  # type: ignore[arg-type]
    return number


def foreign_text(ask: Ask) -> str | None:
    """The lines of `casbin_rule` as a policy text when they were changed by hand; None when they were not.

    Nothing of that is in force: the policy is what the newest revision says.
    """
    columns = [PolicyLine.ptype, *(getattr(PolicyLine, name) for name in _COLUMNS)]
    rows = {tuple(row) for row in ask.execute(select(*columns))}
    text = current_text(ask)
    meant = {(x.kind, *x.columns, *[""] * (6 - len(x.columns))): x for x in parse(text) if len(x.columns) <= 6}
    if rows == meant.keys():
        return None
    gone = {meant[row].number for row in meant.keys() - rows}
    kept = [line for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1) if number not in gone]
    return "\n".join([*kept, *sorted(_written(row) for row in rows - meant.keys())]) + "\n"


def role_codes(ask: Ask) -> set[str]:
    """The codes of all roles that there are, those in the bin included: a line about a retired one is no mistake."""
    return set(ask.execute(select(Role.code), execution_options=bypass_policy(Because.JUDGES_RIGHTS)).scalars())


def storable(text: str) -> str:
    """A text in its stored form.  Raises Validation for one that is too long."""
    if len(text) > LONGEST_TEXT:
        said = f"A policy has at most {LONGEST_TEXT:,} characters.", f"策略最多 {LONGEST_TEXT:,} 个字符。"
        raise refused(TooLong, "text", *said, max=LONGEST_TEXT)
    if text.count("\n") > MOST_ROWS:
        said = f"A policy has at most {MOST_ROWS:,} rows.", f"策略最多 {MOST_ROWS:,} 行。"
        raise refused(TooMany, "text", *said, max=MOST_ROWS)
    whole = text.encode(errors="ignore").decode()  # without lone surrogates, which no encoding can store
    return whole.replace("\0", "").replace("\r\n", "\n")


# --- steps -----------------------------------------------------------------------------------------------

_COLUMNS = ("v0", "v1", "v2", "v3", "v4", "v5")


def _written(row: tuple[str, ...]) -> str:
    kind, *cells = row
    while cells and not cells[-1]:
        cells.pop()
    return ", ".join((kind, *(cell.replace("\n", " ") for cell in cells)))
