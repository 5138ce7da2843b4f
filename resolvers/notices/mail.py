"""E-mail of notices: which are due, what they say, and what became of them.

The queue are the notices themselves, so there is no e-mail about work that was undone.  One letter carries all that is
due to one user.  A notice is sent at least once: a worker that dies between sending and noting sends it again, under the
same message id, by which mail programs know it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.orm import Session

from models import Notice, User
from models.database.bypass import Because, bypass_policy

from ..jobs.kinds import growing_delay
from ..runtime.ids import global_id
from ..runtime.mail_server import MailServer
from ..runtime.scope import Scope
from .sentences import Told, told

LEASE = timedelta(minutes=5)
"""Time after which notices are taken again that a worker has taken and not noted."""
LATEST = timedelta(days=3)
"""Age of a notice above which it is not sent any more."""
MOST_IN_ONE = 50
"""Maximum number of notices that one letter spells out."""
_N: Any = Notice.__table__
_IS_DUE = _N.c.mail_due_at.is_not(None)


@dataclass(frozen=True)
class Letter:
    """One e-mail, ready to be sent."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str


def receivers_due(connection: Connection, now: datetime, limit: int = 50) -> list[int]:
    """Users to whom notices are due, those that wait longest first."""
    due = select(_N.c.receiver_id).where(_IS_DUE, _N.c.mail_due_at <= now).order_by(_N.c.mail_due_at).limit(20 * limit)
    return list(dict.fromkeys(connection.execute(due).scalars()))[:limit]


def take(connection: Connection, receiver: int, now: datetime) -> list[int]:
    """The ids of the notices that are due to a user, which no other worker sends meanwhile."""
    due = [_N.c.receiver_id == receiver, _IS_DUE, _N.c.mail_due_at <= now]
    connection.execute(update(_N).where(*due, _N.c.at < now - LATEST).values(mail_due_at=None, mail_error="too late"))
    taken = update(_N).where(*due).values(mail_due_at=now + LEASE, mail_tries=_N.c.mail_tries + 1)
    return sorted(connection.execute(taken.returning(_N.c.id)).scalars())


def note_sent(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    _note(connection, ids, mailed_at=now, mail_due_at=None, mail_error=None)


def note_refused(connection: Connection, ids: Sequence[int], error: str) -> None:
    """Give these notices up: there is no address, or the server takes nothing for it."""
    _note(connection, ids, mail_due_at=None, mail_error=error[:200])


def note_failed(connection: Connection, ids: Sequence[int], now: datetime, error: str) -> None:
    """Have these notices sent again later, after the more time the more often they failed."""
    tries = connection.execute(select(_N.c.mail_tries).where(_N.c.id.in_(ids))).scalars().all()
    _note(connection, ids, mail_due_at=now + growing_delay(min(max(tries, default=1), 12)), mail_error=error[:200])


def _note(connection: Connection, ids: Sequence[int], **values: Any) -> None:
    connection.execute(update(_N).where(_N.c.id.in_(ids)).values(**values))


def letter(scope: Scope, db: Session, ids: Sequence[int], server: MailServer) -> Letter | None:
    """The letter that tells the caller these notices as they may read them now; None for a user without an address."""
    own = bypass_policy(Because.COUNTS_OWN_RECORDS)
    address = db.execute(select(User.email).where(User.id == scope.me), execution_options=own).scalar_one_or_none()
    rows = db.execute(select(Notice).where(Notice.id.in_(ids), Notice.receiver_id == scope.me).order_by(Notice.id))
    notices = told(scope, db, rows.scalars().all())
    if not address or not notices:
        return None
    words = _Words(scope.language)
    shown, more = notices[:MOST_IN_ONE], max(0, len(notices) - MOST_IN_ONE)
    key = hashlib.sha256(",".join(map(str, ids)).encode()).hexdigest()[:24]
    return Letter(
        to=address,
        subject=notices[0].title if len(notices) == 1 else words.subject(len(notices)),
        text=_text(shown, more, words, server),
        html=_html(shown, more, words, server),
        message_id=f"<{key}@{server.sender.rpartition('@')[2].strip('> ') or 'millpond'}>",
    )


class _Words:
    """What a letter says around the notices."""

    def __init__(self, language: str) -> None:
        self.is_chinese = language.startswith("zh")

    def subject(self, count: int) -> str:
        return f"Millpond：{count} 条通知" if self.is_chinese else f"Millpond: {count} notifications"

    def more(self, count: int) -> str:
        return f"还有 {count} 条，请登录查看。" if self.is_chinese else f"{count} more are in Millpond."

    @property
    def foot(self) -> str:
        return "通知设置" if self.is_chinese else "Choose what you are told"


def _link(told: Told, server: MailServer) -> str | None:
    if told.record is None:
        return None
    return f"{server.address}/admin/notifications/open?id={global_id(Notice, told.id)}"


def _text(shown: Sequence[Told], more: int, words: _Words, server: MailServer) -> str:
    parts = ["\n".join(x for x in (told.title, told.text, _link(told, server)) if x) for told in shown]
    parts += [words.more(more)] if more else []
    return "\n\n".join([*parts, f"-- \n{words.foot}: {server.address}/admin/notifications/choices"]) + "\n"


def _html(shown: Sequence[Told], more: int, words: _Words, server: MailServer) -> str:
    parts = [_paragraph(told, server) for told in shown]
    parts += [f"<p>{escape(words.more(more))}</p>"] if more else []
    foot = f'<p><a href="{escape(server.address)}/admin/notifications/choices">{escape(words.foot)}</a></p>'
    return f'<html><body style="font-family:sans-serif">{"".join(parts)}<hr>{foot}</body></html>\n'


def _paragraph(told: Told, server: MailServer) -> str:
    link, title = _link(told, server), escape(told.title)
    title = f'<a href="{escape(link)}">{title}</a>' if link else title
    return f"<p><strong>{title}</strong><br>{escape(told.text)}</p>"
