"""Telling users: a notice is written in the transaction of what it tells, so it exists exactly if that does."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Integer, bindparam, select
from sqlalchemy.orm import Session

from models import ADD_EVENT, Entity
from models.base import time_text
from models.database.prepared import Prepared
from models.notice import ADD_NOTICE, DIGEST_HOUR, MailChoice, NoticePreference
from models.notice_kinds import NOTICE_KINDS, NoticeKind

from ..records.organisation import zone_of
from ..runtime import principals
from ..runtime.scope import Scope

Fact = str | int | datetime | tuple[str, str]
"""A tuple is a text in English and Chinese, of which the reader gets one."""
About = tuple[str | None, int | None]
"""The table and the id of a record; two None for what is about none."""
COLLECTED = timedelta(seconds=30)
"""Time in which notices to one user gather into one e-mail, before it is sent."""
_CHOSEN = Prepared(
    select(NoticePreference.choices, NoticePreference.digest_hour).where(
        NoticePreference.user_id == bindparam("user_id", type_=Integer())
    )
)


def notify(
    scope: Scope,
    db: Session,
    kind: str,
    receivers: Iterable[int | None],
    record: Entity | None = None,
    **facts: Fact,
) -> None:
    """Tell users something of this kind, about this record, in the open transaction.

    The actor is not told what they did themselves, unless the kind says so, and nobody is told twice what its kind
    tells once.  A fact that the kind `refers` is the id of a record.  Raises ValueError for facts that are not those
    of the kind's sentences.
    """
    about = (record.__tablename__, record.id) if record is not None else (None, None)
    notify_each(scope, db, kind, [(id, about, facts) for id in dict.fromkeys(receivers) if id is not None])


def notify_each(
    scope: Scope,
    db: Session,
    kind: str,
    told: Sequence[tuple[int, About, Mapping[str, Fact]]],
) -> None:
    """The same for many at once: (receiver, (table, id) of the record, facts) of each notice."""
    of, me, now = NOTICE_KINDS[kind], scope.person.id, scope.now()
    rows = [_row(of, me, now, receiver, about, facts) for receiver, about, facts in told if of.own or receiver != me]
    if rows:
        zone = scope.person.zone if me is not None else zone_of(db)  # the system itself knows none
        deliver(db, of, rows, zone, db.info["signature"].action)


def notify_of_job(at: Session | Connection, kind: str, actor_id: int, now: datetime, **facts: Fact) -> None:
    """The same for what a worker knows of a user's job, outside any use case."""
    of = NOTICE_KINDS[kind]
    deliver(at, of, [_row(of, actor_id, now, actor_id, (None, None), facts)], zone_of(at), "job.end")


def deliver(at: Session | Connection, of: NoticeKind, rows: list[dict[str, Any]], zone: str, action: str) -> None:
    """Write the notices that their receivers want, each with an event for those who listen."""
    _choose(at, of, rows, zone)
    wanted = [row for row in rows if row["in_panel"] or row["mail_due_at"]]
    if not wanted:
        return
    dialect = at.get_bind().dialect if isinstance(at, Session) else at.dialect
    ADD_NOTICE[dialect.name].run_each(at, wanted)
    for row in wanted:
        topic = f"user:{row['receiver_id']}"
        ADD_EVENT.run(at, at=row["at"], topic=topic, action=action, record_id=row["record_id"])


def pool_administrators(scope: Scope, db: Session, pool_id: int) -> list[int]:
    """The active users with an administrator's seat in a pool, for notices about the pool."""
    return [x.id for x in principals.everybody(db.connection(), scope.now()) if pool_id in x.admin_pools and x.id]


def _row(
    of: NoticeKind, actor_id: int | None, now: datetime, receiver: int, about: About, facts: Mapping[str, Fact]
) -> dict[str, Any]:
    if facts.keys() != of.facts:
        raise ValueError(f"a notice “{of.key}” tells {sorted(of.facts)}, not {sorted(facts)}")
    entity, record_id = about
    stored = {name: _stored(fact) for name, fact in facts.items()}
    once = None if of.once is None else ":".join([of.key, str(record_id or ""), *(_text(facts[x]) for x in of.once)])
    return {
        "receiver_id": receiver,
        "kind": of.key,
        "actor_id": actor_id,
        "entity": entity,
        "record_id": record_id,
        "facts": stored,
        "once_key": once,
        "at": now,
        "mail_tries": 0,
    }


def _stored(fact: Fact) -> str | int | dict[str, str]:
    """A fact as JSON.  A moment is marked, because a text may look like one."""
    if isinstance(fact, tuple):
        return {"en": fact[0], "zh": fact[1]}
    return {"at": time_text(fact)} if isinstance(fact, datetime) else fact


def _text(fact: Fact) -> str:
    return time_text(fact) if isinstance(fact, datetime) else str(fact)


def _choose(at: Session | Connection, of: NoticeKind, rows: Sequence[dict[str, Any]], zone: str) -> None:
    """Set by which channels each receiver is told: by their own choice, else by that of the kind."""
    receivers = {row["receiver_id"] for row in rows}
    chosen = {id: _CHOSEN.first(at, user_id=id) or ({}, DIGEST_HOUR) for id in receivers}
    for row in rows:
        choices, hour = chosen[row["receiver_id"]]
        in_panel, mail = choices.get(of.key, (True, of.mail))
        row["in_panel"] = in_panel
        row["mail_due_at"] = mail_due(MailChoice(mail), row["at"], zone, hour)


def mail_due(mail: MailChoice, now: datetime, zone: str, hour: int) -> datetime | None:
    """When a notice of now is sent: soon, or at the next digest hour of the organisation's day."""
    if mail is MailChoice.NONE:
        return None
    if mail is MailChoice.AT_ONCE:
        return now + COLLECTED
    here = now.astimezone(ZoneInfo(zone))
    day = here.date() if here.time() < time(hour) else here.date() + timedelta(days=1)
    return datetime.combine(day, time(hour), ZoneInfo(zone)).astimezone(UTC)
