"""Which follow-ups count as a contact with the customer: the rule of the organisation.  Pure functions."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b

from .text import fold

KEY_LENGTH = 32
CLOCK_ERROR = timedelta(minutes=1)
"""By how much the clock of a client may be fast: what it calls now is no future."""


class FollowUpKind(StrEnum):
    """What was done."""

    CALL = "CALL"
    """By phone."""
    VISIT = "VISIT"
    """At the customer's place."""
    EMAIL = "EMAIL"
    """By e-mail."""
    WECHAT = "WECHAT"
    """By WeChat."""
    MEETING = "MEETING"
    """In a meeting, on the spot or by video."""
    NOTE = "NOTE"
    """A note for colleagues, usually without a contact."""


class Uncounted(StrEnum):
    """Why a follow-up does not count."""

    KIND = "KIND"
    SHORT = "SHORT"
    FUTURE = "FUTURE"
    COPIED = "COPIED"
    BEFORE_OWNER = "BEFORE_OWNER"


@dataclass(frozen=True)
class CountingRule:
    """What the organisation asks of a follow-up that counts."""

    kinds: Set[FollowUpKind]
    characters: int
    copy_days: int

    def objection(
        self, kind: FollowUpKind, content: str, happened_at: datetime, now: datetime, owned_since: datetime | None
    ) -> Uncounted | None:
        """Why this follow-up does not count, as far as it shows itself; a copy shows among others only.

        `owned_since` begins the time of the customer's owner.  Its minute counts in full, because forms have no seconds.
        """
        if kind not in self.kinds:
            return Uncounted.KIND
        if length(content) < self.characters:
            return Uncounted.SHORT
        if happened_at > now + CLOCK_ERROR:
            return Uncounted.FUTURE
        if owned_since is not None and happened_at < owned_since.replace(second=0, microsecond=0):
            return Uncounted.BEFORE_OWNER
        return None


def length(text: str) -> int:
    """The number of characters of a text without white space."""
    return len("".join(text.split()))


def copy_key(text: str) -> str:
    """Equal for texts that differ by case, width, white space and punctuation only."""
    plain = fold(text)
    words = "".join(x for x in plain if x.isalnum()) or plain
    return blake2b(words.encode(), digest_size=KEY_LENGTH // 2).hexdigest()
