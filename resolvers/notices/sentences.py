"""The sentences of notices, made as they are read: records that the reader does not see then are not named."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Base, BulkChange, Notice, User
from models.base import moment_of
from models.bulk_change import BULK_CHANGE
from models.moments import moment_in_words
from models.names import RECORD, Names
from models.notice_kinds import NOTICE_KINDS, NoticeKind, Sentence

from ..audit.value_names import visible_names
from ..jobs.control import name_of
from ..runtime.scope import Scope
from ..runtime.statement_guard import MODELS

SYSTEM = "Millpond"
"""Who did what no user did."""


@dataclass(frozen=True)
class Told:
    """One notice as its reader gets it."""

    id: int
    kind: NoticeKind
    title: str
    text: str
    at: datetime
    read_at: datetime | None
    record: tuple[type[Base], int] | None
    """The record that it is about, for a reader who sees it."""


def told(scope: Scope, db: Session, rows: Sequence[Notice]) -> list[Told]:
    """The notices in the reader's language, with one statement for each kind of record that they name."""
    known = [row for row in rows if row.kind in NOTICE_KINDS]  # a version to come may know more
    names = _names(scope, db, known)
    return [_told(scope, row, names) for row in known]


Named = Mapping[type[Base], Mapping[int, str]]


def _names(scope: Scope, db: Session, rows: Sequence[Notice]) -> Named:
    wanted: dict[type[Base], set[int]] = {}
    for row in rows:
        for model, id in [*_references(row).values(), _record(row), (User, row.actor_id)]:
            if model is not None and id is not None:
                wanted.setdefault(model, set()).add(id)
    own = dict(_OF_RECEIVER.values())
    return {
        model: _there(scope, db, model, ids, own[model])
        if model in own
        else visible_names(scope.viewer, db, model, ids)
        for model, ids in wanted.items()
    }


_OF_RECEIVER: Mapping[str, tuple[type[Base], Names]] = {BulkChange.__tablename__: (BulkChange, BULK_CHANGE)}
"""Table -> what notices may be about besides records: it belongs to the receiver, and is in sight as long as it is there."""


def _there(scope: Scope, db: Session, model: Any, ids: Collection[int], names: Names) -> dict[int, str]:
    asked = select(model.id).where(model.id.in_(sorted(ids)))
    return dict.fromkeys(db.execute(asked).scalars(), _called(names, scope.language))


def _references(row: Notice) -> dict[str, tuple[type[Base], int]]:
    return {fact: (model, row.facts[fact]) for fact, model in NOTICE_KINDS[row.kind].refers.items()}


def _record(row: Notice) -> tuple[type[Base] | None, int | None]:
    table = row.entity or ""
    return _OF_RECEIVER[table][0] if table in _OF_RECEIVER else MODELS.get(table), row.record_id


def _told(scope: Scope, row: Notice, names: Named) -> Told:
    kind, facts = NOTICE_KINDS[row.kind], _facts(scope, row, names)
    model, id = _record(row)
    seen = model is not None and id is not None and id in names.get(model, {})
    return Told(
        id=row.id,
        kind=kind,
        title=_said(kind.title, facts, scope.language),
        text=_said(kind.text, facts, scope.language),
        at=row.at,
        read_at=row.read_at,
        record=(model, id) if seen and model is not None and id is not None else None,
    )


def _facts(scope: Scope, row: Notice, names: Named) -> dict[str, str]:
    references = _references(row)
    facts = {name: _fact(scope, name, value) for name, value in row.facts.items() if name not in references}
    for name, (of, number) in references.items():
        facts[name] = names[of].get(number) or _unseen(of.names, scope.language)
    model, id = _record(row)
    found = names.get(model, {}).get(id) if model is not None and id is not None else None
    facts["record"] = found or _unseen(model.names if model is not None else RECORD, scope.language)
    actor = names[User].get(row.actor_id) if row.actor_id is not None else SYSTEM
    facts["by"] = actor or _unseen(User.names, scope.language)
    return facts


def _fact(scope: Scope, name: str, value: Any) -> str:
    if isinstance(value, dict) and "at" not in value:
        return str(value["zh" if scope.language.startswith("zh") else "en"])
    if isinstance(value, dict):
        return moment_in_words(moment_of(value["at"]).astimezone(ZoneInfo(scope.person.zone)), scope.language)
    if name == "job":
        return _called(name_of(str(value)), scope.language)
    return str(value)


def _called(names: Names, language: str) -> str:
    return names.zh if language.startswith("zh") else names.one


def _unseen(names: Names, language: str) -> str:
    """A record that the reader does not see now, or that is gone."""
    return f"一个您看不到的{names.zh}" if language.startswith("zh") else f"a {names.noun} out of your sight"


def _said(sentence: Sentence, facts: Mapping[str, str], language: str) -> str:
    text = (sentence.zh if language.startswith("zh") else sentence.en).format(**facts)
    return text[:1].upper() + text[1:]
