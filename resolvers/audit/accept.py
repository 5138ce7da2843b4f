"""Going on from records that are not as the log says, with an entry for each of them."""

from collections.abc import Collection

from sqlalchemy import text

from models.audit.entries import entry
from models.audit.recording import write_row
from models.errors import Validation

from ..runtime.inputs import line
from ..runtime.scope import Scope
from .replay import Comparison


def accept(scope: Scope, reason: str, except_for: Collection[tuple[str, int, str]] = ()) -> int:
    """Log how each record differs from the log, with this reason; returns the number of these records.

    No record changes, and no entry disappears: the next replay ends at the records as they are.  Left out are fields that
    are in `except_for` as (table, id, field).  Raises Validation.
    """
    said = line(reason, "reason")
    if not said:
        raise Validation("Say why, in a few words.", "请简要说明原因。", field="reason")
    with scope.write("audit.accept", said) as db:
        connection, count = db.connection(), 0
        if connection.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE audit_entry IN SHARE ROW EXCLUSIVE MODE"))  # other writers wait
        for found in list(Comparison().differences(connection)):
            table = found.model.__tablename__
            changes = {key: pair for key, pair in found.changes.items() if (table, found.id, key) not in except_for}
            if not changes:
                continue
            row = entry(
                db.info["signature"],
                scope.now(),
                table,
                found.id,
                changes,
                label=found.label[:200],
            )
            write_row(db, row)
            count += 1
        return count
