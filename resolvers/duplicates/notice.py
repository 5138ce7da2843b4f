"""The log of duplicate checks: a check that shows a user a hidden record leaves one line a day in the record's history."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import AuditEntry, Entity
from models.audit.entries import entry
from models.audit.recording import write_row
from models.database.bypass import Because, bypass_policy
from models.errors import Refusal

from ..runtime.scope import Scope
from .check import Match, check, check_many

ACTION = "customer.dupcheck"
ONCE_IN = timedelta(days=1)
_log = logging.getLogger(__name__)


async def checked(scope: Scope, model: type[Entity], given: Mapping[str, Any], but: int | None = None) -> list[Match]:
    """What `check` returns, after what the caller may not see was noted in the log."""
    matches, news = await scope.read(_check, model, given, but)
    await _noted(scope, model, news)
    return matches


async def checked_many(scope: Scope, model: type[Entity], rows: Sequence[Mapping[str, Any]]) -> list[list[Match]]:
    """What `check_many` returns, after what the caller may not see was noted in the log."""
    found, news = await scope.read(_check_many, model, rows)
    await _noted(scope, model, news)
    return found


def note(scope: Scope, model: type[Entity], ids: Sequence[int]) -> None:
    """Log that the caller was shown these records, each once a day."""
    with scope.write(ACTION) as db:
        table: Any = model.__table__
        named = select(table.c.id, table.c[model.named_by]).where(table.c.id.in_(_unnoted(scope, db, model, ids)))
        for id, label in db.execute(named.order_by(table.c.id), execution_options=bypass_policy(Because.WRITES_LOG)):
            write_row(db, entry(db.info["signature"], db.info["now"], model.__tablename__, id, {}, label=label))


# --- steps -----------------------------------------------------------------------------------------------


def _check(
    scope: Scope, db: Session, model: type[Entity], given: Mapping[str, Any], but: int | None
) -> tuple[list[Match], list[int]]:
    matches = check(scope, db, model, given, but)
    return matches, _news(scope, db, model, matches)


def _check_many(
    scope: Scope, db: Session, model: type[Entity], rows: Sequence[Mapping[str, Any]]
) -> tuple[list[list[Match]], list[int]]:
    found = check_many(scope, db, model, rows)
    return found, _news(scope, db, model, [match for matches in found for match in matches])


def _news(scope: Scope, db: Session, model: type[Entity], matches: Iterable[Match]) -> list[int]:
    """The hidden records among these that the log does not name yet."""
    return _unnoted(scope, db, model, sorted({match.subject for match in matches if match.id is None}))


def _unnoted(scope: Scope, db: Session, model: type[Entity], ids: Sequence[int]) -> list[int]:
    if not ids:
        return []
    log: Any = AuditEntry.__table__
    mine = (log.c.entity == model.__tablename__, log.c.actor_id == scope.me, log.c.action == ACTION)
    noted = select(log.c.record_id).where(*mine, log.c.record_id.in_(ids), log.c.at > scope.now() - ONCE_IN)
    known = set(db.execute(noted, execution_options=bypass_policy(Because.WRITES_LOG)).scalars())
    return [id for id in ids if id not in known]


async def _noted(scope: Scope, model: type[Entity], ids: Sequence[int]) -> None:
    """Log these, as far as possible: an answer that was read already is given even if the log cannot be written."""
    if not ids:
        return
    try:
        await scope.run(note, model, ids)
    except Refusal as refusal:  # a user who views as another one changes nothing
        _log.info("A duplicate check was not logged: %s", refusal.code())
    except Exception:  # noqa: BLE001  the answer was read already, and is given without the line
        _log.exception("A duplicate check was not logged")
