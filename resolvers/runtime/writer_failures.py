"""Failures of the writer: which of them are worth another try, and what the caller is told of them."""

import random
import time

from sqlalchemy.exc import DBAPIError

from models.errors import Busy

TRIES = 6
"""Maximum number of tries of a use case on PostgreSQL after deadlocks and serialisation failures."""
RETRY_SECONDS = 12
"""Time after the first try within which another one may begin."""
_RETRY_STATES = {"40P01", "40001"}
_ROW_IS_LOCKED, _CANCELLED = "55P03", "57014"
_BUSY_STATES = {_ROW_IS_LOCKED, _CANCELLED, *_RETRY_STATES}


def is_worth_retrying(failure: DBAPIError, attempt: int, began: float) -> bool:
    """Whether the use case may run again: a deadlock, a serialisation failure, or a connection lost before the commit."""
    if time.monotonic() - began > RETRY_SECONDS:
        return False
    is_lost = failure.connection_invalidated and failure.statement is not None
    if not (is_lost or _state(failure) in _RETRY_STATES) or attempt + 1 == TRIES:
        return False
    time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311  spreads rivals, hides nothing
    return True


def is_row_locked(failure: BaseException) -> bool:
    """Whether another transaction held a row for longer than the connection waits."""
    return _state(failure) == _ROW_IS_LOCKED


def _state(failure: BaseException) -> str | None:
    """The SQLSTATE that PostgreSQL gave; SQLite has none."""
    state: str | None = getattr(getattr(failure, "orig", None), "sqlstate", None)
    return state


def is_busy(failure: BaseException) -> bool:
    """Whether the database had no time: others held its rows, or the whole SQLite file, or it took too long."""
    return _state(failure) in _BUSY_STATES or is_file_locked(failure)


def is_file_locked(failure: BaseException) -> bool:
    """Whether another process locked the SQLite file all the time: the next use case would only wait as long."""
    return isinstance(failure, DBAPIError) and "database is locked" in str(failure.orig)


def bearable(error: BaseException) -> BaseException:
    """The error as the caller gets it: Busy where the database only had no time, and no StopIteration, which no future holds."""
    if is_busy(error):
        busy = Busy()
        busy.__cause__ = error
        return busy
    if not isinstance(error, StopIteration):
        return error
    wrapped = RuntimeError("a use case raised StopIteration")
    wrapped.__cause__ = error
    return wrapped
