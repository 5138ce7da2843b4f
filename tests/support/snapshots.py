"""One snapshot per text of the policy for a whole test process, so that worlds share what is derived from it.

Cells, clauses and prepared statements are cached by snapshot.  Every test opens a backend of its own, so with a snapshot
of its own it would write and compile them again.  A server keeps one snapshot until the policy changes; the tests come
closer to it in this way, because a snapshot never changes.
"""

from functools import lru_cache

from models.custom_field import Book
from policies import Snapshot
from resolvers.runtime import backend, policy_proof

MOST = 64
"""Maximum number of policies that are kept; almost every test has the one of the small world."""


@lru_cache(maxsize=MOST)
def _snapshot(text: str, revision: int = 0, book: Book | None = None) -> Snapshot:
    return Snapshot(text, revision, book=book)


def share() -> None:
    """Have every backend take the snapshot of its policy from here."""
    for module in (backend, policy_proof):
        vars(module)["Snapshot"] = _snapshot
