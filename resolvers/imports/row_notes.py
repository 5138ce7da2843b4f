"""What has become of rows of an import, written for many rows by one statement."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from models import ImportBatch, ImportRow
from models.errors import Refusal

from ..runtime.stored_refusals import stored_refusal

_ROWS: Any = ImportRow.__table__


def note_rows(db: Session, batch: ImportBatch, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write columns of rows, each given as `number` and the new values, all with the same columns."""
    if not rows:
        return
    columns = [key for key in rows[0] if key != "number"]
    noting = update(_ROWS).where(_ROWS.c.batch_id == batch.id, _ROWS.c.number == bindparam("at"))
    noting = noting.values({key: bindparam(f"new_{key}") for key in columns})
    noted = [{"at": row["number"], **{f"new_{key}": row[key] for key in columns}} for row in rows]
    db.connection().execute(noting, noted)


def problems_of(refusals: Iterable[Refusal]) -> list[dict[str, Any]] | None:
    """The reasons of a row as they are stored; None for a row without one."""
    return [stored_refusal(each) for each in refusals] or None
