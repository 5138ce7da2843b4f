"""Comments on follow-ups: whoever sees a follow-up may say something about it, as far as a policy line lets them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Comment, Customer, FollowUp
from models.database.bypass import Because, bypass_policy
from models.errors import NotFound

from ..notices.notify import notify
from ..reading.pages import LARGEST_PAGE, ListRequest, page
from ..runtime.inputs import clean, required
from ..runtime.scope import Scope


def comment(scope: Scope, follow_up_id: int, text: str) -> FollowUp:
    """The follow-up, after a comment was added.  Its author, and those who commented before, are told.

    Raises NotFound, Forbidden, Locked, InBin, Validation.
    """
    with scope.write("followup.comment") as db:
        row = scope.load(db, FollowUp, follow_up_id, to="comment")
        value = clean(FollowUp, {"content": text}, creating=True)["content"]
        if not value:
            raise required("content")
        told = [row.owner_id, *_authors(db, row.id)]
        db.add(Comment(follow_up_id=row.id, value=value, author_id=scope.person.id, at=scope.person.now))
        db.flush()
        customer = db.execute(select(Customer).where(Customer.id == row.customer_id)).scalar_one_or_none()
        notify(scope, db, "commented", told, customer)
        return row


def remove_comment(scope: Scope, id: int) -> FollowUp:
    """The follow-up, after the caller has removed a comment of theirs.  Raises NotFound and what `comment` raises."""
    with scope.write("followup.comment") as db:
        found = select(Comment).where(Comment.id == id, Comment.author_id == scope.person.id)
        mine = db.execute(found).scalar_one_or_none()
        if mine is None:
            raise NotFound(what=Comment.names)
        row = scope.load(db, FollowUp, mine.follow_up_id, to="comment")
        db.delete(mine)
        db.flush()
        return row


@dataclass(frozen=True)
class Said:
    """A comment as it is shown; `author` is None where the caller may not see who it was."""

    id: int
    value: str
    author: str | None
    author_id: int | None
    at: datetime


def comments_of(scope: Scope, db: Session, follow_up_ids: Sequence[int]) -> dict[int, list[Said]]:
    """Follow-up -> its comments, the oldest first, as far as the caller sees them."""
    columns, these = ("follow_up_id", "value", "author_id", "at"), {"follow_up_id": {"in": [*follow_up_ids]}}
    wanted = ListRequest(Comment, columns, these, order=(("id", False),), size=LARGEST_PAGE, counts=False)
    found: dict[int, list[Said]] = {}
    for row in page(scope, db, wanted).rows if follow_up_ids else ():
        if row["value"] is not None:
            said = Said(row.id, row["value"], row.names.get("author_id"), row["author_id"], row["at"])
            found.setdefault(row["follow_up_id"], []).append(said)
    return found


def _authors(db: Session, follow_up_id: int) -> list[int]:
    """The users who have commented on a follow-up."""
    asked = select(Comment.author_id).where(Comment.follow_up_id == follow_up_id, Comment.author_id.is_not(None))
    found = db.execute(
        asked.distinct().order_by(Comment.author_id), execution_options=bypass_policy(Because.KEEPS_RULE)
    )
    return [id for id in found.scalars() if id is not None]
