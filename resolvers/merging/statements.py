"""Statements about the records of a merge, on which the use case has checked the right: they see hidden ones too."""

from typing import Any

from sqlalchemy import Executable, Select
from sqlalchemy.engine import Result
from sqlalchemy.orm import Session

from models.database.bypass import Because, bypass_policy

_PAST = bypass_policy(Because.FOLLOWS_CHECK)


def run(db: Session, statement: Executable) -> Result[Any]:
    """Run a statement of a merge or of its undoing."""
    return db.execute(statement, execution_options=_PAST)


def anew(db: Session, statement: Select[Any]) -> list[Any]:
    """The records of a statement as they are stored, also those that the session has loaded before or masked."""
    found = db.execute(statement.execution_options(populate_existing=True), execution_options=_PAST)
    return list(found.scalars())
