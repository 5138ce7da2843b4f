"""The policy as it is stored: revisions with their text, and the lines that other Casbin tools read."""

import hashlib
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from models import PolicyLine, PolicyRevision
from policies import parse, validate


def current_text(connection: Connection) -> str:
    """The text of the revision in force, empty before the first."""
    newest = select(PolicyRevision.text).order_by(PolicyRevision.number.desc()).limit(1)
    return connection.execute(newest).scalar() or ""


def put_in_force(connection: Connection, text: str, reason: str, now: datetime, author_id: int | None = None) -> int:
    """Make `text` the newest revision.  Gives its number.  Raises InvalidPolicy and then changes nothing."""
    lines = validate(parse(text))
    number = (connection.execute(select(func.max(PolicyRevision.number))).scalar() or 0) + 1
    connection.execute(
        insert(PolicyRevision).values(
            number=number,
            at=now,
            author_id=author_id,
            reason=reason,
            text=text,
            hash=hashlib.sha256(text.encode()).hexdigest(),
        )
    )
    connection.execute(delete(PolicyLine))
    rows = [{"ptype": x.kind, **dict(zip(_COLUMNS, (*x.columns, *[""] * 6), strict=False))} for x in lines]
    if rows:
        connection.execute(insert(PolicyLine), rows)
    return number


_COLUMNS = ("v0", "v1", "v2", "v3", "v4", "v5")
