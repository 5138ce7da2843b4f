"""Anchors: what the log's newest seal was, kept outside the database, so that a log that ends earlier is found."""

from collections.abc import Iterator

from sqlalchemy import Connection, select

from models import AuditSeal
from models.base import time_text

from ..runtime.seal_files import Anchor

_SEAL = AuditSeal.__table__.c


def newest_anchor(connection: Connection) -> Anchor | None:
    """The newest seal as an anchor, None before the first seal."""
    wanted = select(_SEAL.id, _SEAL.last_id, _SEAL.at, _SEAL.hash).order_by(_SEAL.id.desc()).limit(1)
    row = connection.execute(wanted).first()
    return Anchor(*row) if row is not None else None


def contradictions(connection: Connection, anchor: Anchor) -> Iterator[str]:
    """What the log and an anchor of it disagree about, as sentences; nothing when the anchored seal stands."""
    row = connection.execute(select(_SEAL.hash).where(_SEAL.id == anchor.seal_id)).first()
    known = f"the anchor of {time_text(anchor.at)} knows seal {anchor.seal_id} over the entries up to {anchor.last_id}"
    if row is None:
        newest = newest_anchor(connection)
        there = f"its newest seal is {newest.seal_id}" if newest else "it has no seal"
        yield f"the log was cut off: {known}, but {there}"
    elif row.hash != anchor.hash:
        yield f"the log was written anew: {known}, and that seal is another one now"
