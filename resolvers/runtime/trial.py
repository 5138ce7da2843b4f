"""Trials: what a use case would answer, without its doing anything."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy.orm import Session

from .scope import Scope


@contextmanager
def trial(scope: Scope, action: str) -> Iterator[Session]:
    """A `scope.write` that is undone at its end; what is refused in it is not logged."""
    was, scope.is_trial = scope.is_trial, True
    try:
        with suppress(_Undone), scope.write(action) as db:
            yield db
            raise _Undone
    finally:
        scope.is_trial = was


class _Undone(Exception):
    """Leaves a transaction that is undone; no error."""
