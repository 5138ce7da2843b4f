"""What has become of rows of an import, written for many rows by one statement."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from models import ImportBatch, ImportRow
from models.database.prepared import Prepared
from models.errors import Refusal

from ..runtime.stored_refusals import stored_refusal

_ROWS: Any = ImportRow.__table__


def note_rows(db: Session, batch: ImportBatch, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write columns of rows, each given as `number` and the new values, all with the same columns."""
    if not rows:
        return
    columns = tuple(key for key in rows[0] if key != "number")
    noted = [{"of": batch.id, "at": row["number"], **{key: row[key] for key in columns}} for row in rows]
    _noting(columns).run_each(db.connection(), noted)


@cache
def _noting(columns: tuple[str, ...]) -> Prepared:
    return Prepared(
        update(_ROWS).where(_ROWS.c.batch_id == bindparam("of"), _ROWS.c.number == bindparam("at")), columns
    )


def problems_of(refusals: Iterable[Refusal]) -> list[dict[str, Any]] | None:
    """The reasons of a row as they are stored; None for a row without one."""
    return [stored_refusal(each) for each in refusals] or None
