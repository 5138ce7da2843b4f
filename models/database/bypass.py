"""Why a statement may go past the read guard: each one names its reason, and the reasons are one short list."""

from enum import StrEnum
from typing import Any

OPTION = "bypass_policy"
"""The execution option that the read guard looks for."""


class Because(StrEnum):
    """The reasons, each a sentence about the rows that are read or written."""

    APPLIES_TO_ALL = "Settings, dictionaries and claim rules bind every user, whether or not they may see them."
    COUNTS_OWN_RECORDS = "It tells users what they themselves are, hold or held."
    COUNTS_FOR_POOL = "Administrators of a pool are told in numbers what comes into it and leaves it."
    FILLS_INDEX = "The search index has every record in it, and the search asks the policy."
    FOLLOWS_CHECK = "They belong to a record on which the use case or the flush has checked the right."
    JUDGES_RIGHTS = "The question is about the policy: who holds which right, and what a right reaches."
    KEEPS_COPY = "A column that repeats another record's is brought up to date."
    KEEPS_RULE = "A rule holds among all records, also among those that the user does not see."
    LOCKS_ROWS = "Rows are locked in one order for all transactions, and nothing of them is told."
    NAMES_REFUSAL = "A refusal says what became of a record that the user saw a moment ago."
    WARNS_OF_DUPLICATE = (
        "A record that a user cannot see is not entered twice; the answer keeps back what they may not know."
    )
    WRITES_LOG = "The operation log records every change, for readers who are checked when they read."


def bypass_policy(because: Because, **options: Any) -> dict[str, Any]:
    """The execution options of a statement that reaches protected tables without the policy, for this reason."""
    return {OPTION: because, **options}
