"""Cursors of `changes`: where a follower of the log is, and by which rights they followed.

A cursor is signed with the salt of the entry that it points to, which never leaves the server.  So nobody asks with a
cursor that they were not given: of a time before they had their rights, or of another user.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import AuditEntry
from models.base import moment_of, time_text
from models.database.bypass import Because, bypass_policy
from models.errors import ChangesExpired, Validation
from policies.principal import NUMBERS, SETS

from ..runtime.ids import LARGEST_ID
from ..runtime.scope import Scope

_LOG = AuditEntry.__table__.c
_FORM = "changes-1"
LONGEST = 500


@dataclass(frozen=True)
class Place:
    """A place in the log: after the entry `position`, at a moment until which the changes that the clock makes were told.

    `rights`: a digest of the follower's rights.
    """

    position: int
    at: datetime
    rights: str


def rights_of(scope: Scope) -> str:
    """A digest of all that decides what the caller may see: policy, custom fields, roles, departments and pools."""
    p, policy = scope.person, scope.policy
    sets = [sorted(getattr(p, name)) for name in SETS]
    numbers = [getattr(p, name) for name in NUMBERS]
    text = hashlib.sha256(policy.text.encode()).hexdigest()
    parts = [policy.revision, text, str(policy.book.revision), numbers, sorted(p.roles), sets, p.viewed_by]
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()[:24]


def newest_until(db: Session, horizon: int) -> int:
    """The id of the last entry up to the horizon; 0 without any."""
    asked = select(func.max(_LOG.id)).where(_LOG.id <= horizon)
    return db.execute(asked, execution_options=bypass_policy(Because.JUDGES_RIGHTS)).scalar() or 0


def written(scope: Scope, db: Session, place: Place) -> str:
    """The cursor of a place."""
    body = [_FORM, place.position, time_text(place.at), place.rights]
    signature = _signature(scope, db, place.position, body)
    return base64.urlsafe_b64encode(orjson.dumps([*body, signature])).decode()


def read(scope: Scope, db: Session, cursor: str) -> Place:
    """The place of a cursor.  Raises Validation for a text that is none, ChangesExpired for one that does not hold."""
    try:
        if len(cursor) > LONGEST:
            raise ValueError
        form, position, at, rights, signature = orjson.loads(base64.urlsafe_b64decode(cursor.encode()))
        if form != _FORM or type(position) is not int or not 0 <= position <= LARGEST_ID:
            raise ValueError
        if not (type(rights) is str and type(signature) is str and signature.isascii()):
            raise ValueError
        place = Place(position, moment_of(at), rights)
    except (ValueError, TypeError):
        raise Validation(
            "This is no cursor of changes. Begin without one.",
            "该游标不是变更游标，请不带游标重新开始。",
            field="since",
        ) from None
    if not hmac.compare_digest(signature, _signature(scope, db, position, [form, position, at, rights])):
        raise ChangesExpired
    return place


def _signature(scope: Scope, db: Session, position: int, body: list[object]) -> str:
    # Before all entries, too, the key is a salt: without one anybody could sign.
    asked = select(_LOG.salt).where(_LOG.id == position if position else _LOG.id > 0).order_by(_LOG.id).limit(1)
    salt = db.execute(asked, execution_options=bypass_policy(Because.JUDGES_RIGHTS)).scalar()
    if salt is None and position:
        raise ChangesExpired
    message = orjson.dumps([*body, scope.person.id])
    return hmac.new((salt or secrets.token_hex()).encode(), message, hashlib.sha256).hexdigest()[:32]
