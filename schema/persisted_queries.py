"""Persisted queries: texts that clients send once and name by their hash afterwards, as Apollo's clients do."""

import hashlib
import hmac

from cachetools import LRUCache

MAX_BYTES = 8 * 2**20
"""Maximum size of all texts together; the least recently used make room."""


class PersistedQueries:
    """The texts of one process.  One that is not here is sent again by its client, so none has to be kept."""

    def __init__(self) -> None:
        self._texts: LRUCache[str, str] = LRUCache(MAX_BYTES, getsizeof=lambda text: len(text.encode()))

    def __len__(self) -> int:
        return len(self._texts)

    def find(self, hash: str) -> str | None:
        """The text with this SHA-256, in hexadecimal."""
        return self._texts.get(hash.lower())

    def keep(self, hash: str, text: str) -> None:
        """Add a text.  Only `is_hash_of` makes sure that it is the right one."""
        self._texts[hash.lower()] = text


def is_hash_of(hash: str, text: str) -> bool:
    """Whether it is the SHA-256 of the text: else one client could give another a text of its own under that hash."""
    return hmac.compare_digest(hashlib.sha256(text.encode()).hexdigest(), hash.lower())
